//! `remove`: what can be typed.

use clap::Args;

use super::WriteArgs;

/// The arguments of `remove`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops remove --dry-run
  cruddur-ops remove --service backend-flask
  cruddur-ops remove --yes && cruddur-ops key forget")]
pub struct RemoveArgs {
    /// Only this service (repeatable) [default: the whole setup]
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
