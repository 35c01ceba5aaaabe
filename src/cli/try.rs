//! `try`: what can be typed.

use clap::Args;

/// What `try` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops try --keep")]
pub struct TryArgs {
    /// Keep the temporary project and say where it lies
    #[arg(long)]
    pub keep: bool,
}
