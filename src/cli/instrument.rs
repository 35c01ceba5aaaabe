//! Command-line arguments of `instrument`.

use clap::{Args, Subcommand};

use super::{WriteArgs, addon};
use crate::provider::Addon;

/// Arguments of `instrument`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cruddur-ops instrument
  cruddur-ops instrument --service api --fix --with rollbar
  cruddur-ops instrument span \\
      backend-flask/services/home.py:HomeActivities.run \\
      --name home-activities \\
      --attr 'app.now=now.isoformat()'"
)]
pub struct InstrumentArgs {
    /// What to do instead of adding packages and initialisation
    #[command(subcommand)]
    pub command: Option<InstrumentCommand>,
    /// Edit only this service (repeatable) [default: every service with a Flask application]
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Also move or complete lines that run too early or never
    #[arg(long)]
    pub fix: bool,
    /// Also report to this service (repeatable, or comma-separated)
    #[arg(long, value_parser = addon::addon(), value_name = "ADDON", value_delimiter = ',')]
    pub with: Vec<Addon>,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Subcommands of `instrument`.
#[derive(Debug, Subcommand)]
pub enum InstrumentCommand {
    /// Put a span around one function
    Span(SpanArgs),
}

/// Arguments of `instrument span`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cruddur-ops instrument span \\
      backend-flask/services/home.py:HomeActivities.run \\
      --name home-activities \\
      --attr 'app.now=now.isoformat()' \\
      --attr 'app.result_length=len(results)'")]
pub struct SpanArgs {
    /// File and function, such as path/to/file.py:Class.function
    #[arg(value_name = "FILE:FUNCTION")]
    pub target: String,
    /// Name of the span
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Attribute and the Python expression for its value (repeatable)
    #[arg(long = "attr", value_name = "KEY=EXPRESSION")]
    pub attributes: Vec<String>,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
