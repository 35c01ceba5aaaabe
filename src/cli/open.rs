//! `open`: what can be typed.

use clap::Args;

use super::TargetArgs;

/// The arguments of `open`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops open
  cruddur-ops open --service backend-flask
  cruddur-ops open --print  # the link alone")]
pub struct OpenArgs {
    /// Only the traces of this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Print the link and open nothing
    #[arg(long)]
    pub print: bool,
    /// The Honeycomb API to use
    #[command(flatten)]
    pub target: TargetArgs,
}
