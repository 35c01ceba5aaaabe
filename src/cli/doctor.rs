//! `doctor`: what can be typed.

use clap::{Args, ValueEnum};

use super::WriteArgs;

/// What `doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 nothing found, 1 findings, 2 a file could not be read. Errors count; warnings too under --strict.
A comment `# cruddur-ops: ignore CODE` on a line, or alone above it, silences CODE there.

Examples:
  cruddur-ops doctor
  cruddur-ops doctor --fix --dry-run
  cruddur-ops doctor --strict --ignore variable-unstored     in a pipeline without the key
  cruddur-ops doctor --format sarif >doctor.sarif
  cruddur-ops doctor --explain env-near-miss")]
pub struct DoctorArgs {
    /// Let warnings count for the exit status
    #[arg(long)]
    pub strict: bool,
    /// Explain a rule, with an example of what it finds
    #[arg(long, value_name = "CODE", conflicts_with_all = ["fix", "online", "strict"])]
    pub explain: Option<String>,
    /// Name every rule, with its severity and why it matters
    #[arg(long, conflicts_with_all = ["fix", "online", "strict", "explain"])]
    pub list: bool,
    /// Leave the findings of a rule out (repeatable); `[doctor] ignore = ["CODE"]` in .cruddur-ops.toml does it for everybody
    #[arg(long, value_name = "CODE")]
    pub ignore: Vec<String>,
    /// Leave out what is less severe
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    pub min_severity: LeastSeverity,
    /// For people, as `--json` has it, as GitHub's annotations, or as SARIF 2.1.0
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["fix", "explain", "list"])]
    pub format: FindingsFormat,
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

/// The least severe findings that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LeastSeverity {
    /// Certainly broken, or a secret in the open
    Error,
    /// Very likely not what was meant
    Warning,
    /// Works, and could be better
    #[default]
    Advice,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// Annotations of a GitHub workflow
    Github,
    /// The Static Analysis Results Interchange Format, for code scanning
    Sarif,
}
