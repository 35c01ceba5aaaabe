//! Command-line arguments of `try`.

use clap::Args;

/// Arguments of `try`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cruddur-ops try --keep\n  cruddur-ops try --web")]
pub struct TryArgs {
    /// Keep the temporary project and print its path
    #[arg(long)]
    pub keep: bool,
    /// Show the sample's traces and simulated requests in the page of `listen --web`, until Ctrl-C
    #[arg(long)]
    pub web: bool,
}
