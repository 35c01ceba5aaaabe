//! `undo`: what can be typed.

use clap::Args;

use super::WriteArgs;

/// What `undo` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops undo --dry-run
  cruddur-ops undo --list
  cruddur-ops undo 2                    the one before the last")]
pub struct UndoArgs {
    /// Which change to take back: 1 is the last, as `--list` counts
    #[arg(value_name = "NUMBER", default_value_t = 1, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub number: u32,
    /// Show what can be taken back, the last change first
    #[arg(long, conflicts_with_all = ["number", "yes", "dry_run", "check"])]
    pub list: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
