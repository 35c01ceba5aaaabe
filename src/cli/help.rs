//! Command-line arguments of `help`.

use clap::Args;

/// Arguments of `help`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cruddur-ops help environment\n  cruddur-ops help key set")]
pub struct HelpArgs {
    /// Command or topic; without it, all of them are listed
    #[arg(value_name = "COMMAND|TOPIC")]
    pub words: Vec<String>,
}
