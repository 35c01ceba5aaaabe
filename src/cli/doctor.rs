//! Command-line arguments of `doctor`.

use clap::{Args, ValueEnum};

use super::WriteArgs;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 no errors, 1 errors (with --strict also warnings), 2 a file could not be read.
A comment `# cruddur-ops: ignore CODE` on a line, or on the line above it, ignores CODE there.

Examples:
  cruddur-ops doctor
  cruddur-ops doctor --fix --dry-run
  # where no key is stored, as in CI
  cruddur-ops doctor --strict --ignore variable-unstored
  cruddur-ops doctor --format sarif >doctor.sarif
  cruddur-ops doctor --explain env-near-miss")]
pub struct DoctorArgs {
    /// Exit 1 on warnings too
    #[arg(long)]
    pub strict: bool,
    /// Explain a rule, with an example of what it finds
    #[arg(long, value_name = "CODE", conflicts_with_all = ["fix", "online", "strict"])]
    pub explain: Option<String>,
    /// List every rule with its severity
    #[arg(long, conflicts_with_all = ["fix", "online", "strict", "explain"])]
    pub list: bool,
    /// Ignore this rule (repeatable); to ignore it for everyone, add `[doctor] ignore = ["CODE"]` to .cruddur-ops.toml
    #[arg(long, value_name = "CODE")]
    pub ignore: Vec<String>,
    /// Show only findings of this severity or worse
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    pub min_severity: LeastSeverity,
    /// Output format
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["fix", "explain", "list"])]
    pub format: FindingsFormat,
    /// Fix what is safe to fix, after showing the diff
    #[arg(long)]
    pub fix: bool,
    /// Also send a test trace per service and look up the key
    #[arg(long)]
    pub online: bool,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

/// The least severe findings that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LeastSeverity {
    /// Broken, or a secret is exposed
    Error,
    /// Probably not what you meant
    Warning,
    /// Works, but could be better
    #[default]
    Advice,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// GitHub workflow annotations
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}
