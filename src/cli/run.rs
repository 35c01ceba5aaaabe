//! Command-line arguments of `run`.

use std::ffi::OsString;

use clap::Args;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops run -- docker compose up --build")]
pub struct RunArgs {
    /// The command and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    pub command: Vec<OsString>,
}
