//! `status`: what can be typed.

use clap::Args;

/// What `status` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops status
  cruddur-ops status --json")]
pub struct StatusArgs {}
