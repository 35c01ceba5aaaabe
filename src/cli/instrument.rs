//! `instrument`: what can be typed.

use clap::{Args, Subcommand};

use super::{WriteArgs, addon};
use crate::provider::Addon;

/// What `instrument` takes.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cruddur-ops instrument
  cruddur-ops instrument --service backend-flask --fix --with rollbar
  cruddur-ops instrument span backend-flask/services/home_activities.py:HomeActivities.run \\
      --name home-activities-mock-data --attr 'app.now=now.isoformat()'"
)]
pub struct InstrumentArgs {
    /// What to do besides packages and initialisation
    #[command(subcommand)]
    pub command: Option<InstrumentCommand>,
    /// Only this service; repeatable [default: services built here that create a Flask application]
    #[arg(long, value_name = "NAME")]
    pub service: Vec<String>,
    /// Put right what runs too early or never
    #[arg(long)]
    pub fix: bool,
    /// Report to this too; repeatable, or a list with commas
    #[arg(long, value_parser = addon::addon(), value_name = "ADDON", value_delimiter = ',')]
    pub with: Vec<Addon>,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

/// What `instrument` can do besides.
#[derive(Debug, Subcommand)]
pub enum InstrumentCommand {
    /// Put a span around one function
    Span(SpanArgs),
}

/// What `instrument span` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cruddur-ops instrument span backend-flask/services/home_activities.py:HomeActivities.run \\
      --name home-activities-mock-data \\
      --attr 'app.now=now.isoformat()' --attr 'app.result_length=len(results)'")]
pub struct SpanArgs {
    /// The file and the function in it: path/to/file.py:Class.function
    #[arg(value_name = "FILE:FUNCTION")]
    pub target: String,
    /// The span's name
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// An attribute and the Python expression of its value; repeatable
    #[arg(long = "attr", value_name = "KEY=EXPRESSION")]
    pub attributes: Vec<String>,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}
