//! Command-line arguments of `status`.

use clap::Args;

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops status
  cruddur-ops status --json")]
pub struct StatusArgs {}
