//! `doctor`: what can be typed.

use clap::Args;

use super::WriteArgs;

/// What `doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 nothing found, 1 findings, 2 a file could not be read. Errors count; warnings too under --strict.
A comment `# cruddur-ops: ignore CODE` on a line, or alone above it, silences CODE there.

Examples:
  cruddur-ops doctor
  cruddur-ops doctor --fix --dry-run
  cruddur-ops doctor --explain env-near-miss")]
pub struct DoctorArgs {
    /// Let warnings count for the exit status
    #[arg(long)]
    pub strict: bool,
    /// Explain a rule, with an example of what it finds
    #[arg(long, value_name = "CODE", conflicts_with_all = ["fix", "online", "strict"])]
    pub explain: Option<String>,
    /// Plan the edits that mend findings and change nothing else
    #[arg(long)]
    pub fix: bool,
    /// Send a test trace for each service and ask whose the key is, too
    #[arg(long)]
    pub online: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
