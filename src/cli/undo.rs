//! `undo`: what can be typed.

use clap::Args;

use super::WriteArgs;

/// What `undo` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops undo --dry-run")]
pub struct UndoArgs {
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
