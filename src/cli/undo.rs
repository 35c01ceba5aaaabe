//! Command-line arguments of `undo`.

use clap::Args;

use super::WriteArgs;

/// Arguments of `undo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cruddur-ops undo --dry-run
  cruddur-ops undo --list
  cruddur-ops undo 2  # the change before the last one")]
pub struct UndoArgs {
    /// Number of the change, as shown by `--list` [default: 1, the last change]
    #[arg(value_name = "NUMBER", default_value_t = 1, hide_default_value = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub number: u32,
    /// List the changes that can be reverted, the last one first
    #[arg(long, conflicts_with_all = ["number", "yes", "dry_run", "check"])]
    pub list: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
