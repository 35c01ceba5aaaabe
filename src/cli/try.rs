//! Command-line arguments of `try`.

use clap::Args;

/// Arguments of `try`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops try --keep")]
pub struct TryArgs {
    /// Keep the temporary project and print its path
    #[arg(long)]
    pub keep: bool,
}
