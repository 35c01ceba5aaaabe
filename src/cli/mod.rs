//! The command line: clap types only, one file per command.

mod addon;
mod completions;
mod doctor;
mod help;
mod init;
mod instrument;
mod instrument_choice;
mod key;
mod listen;
mod open;
mod ports;
mod provider;
mod query;
mod remove;
mod run;
mod status;
mod store;
mod target;
mod r#try;
mod undo;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use completions::CompletionsArgs;
pub use doctor::{DoctorArgs, FindingsFormat, LeastSeverity};
pub use help::HelpArgs;
pub use init::InitArgs;
pub use instrument::{InstrumentArgs, InstrumentCommand, SpanArgs};
pub use instrument_choice::{InstrumentChoice, InstrumentMode, SentSignal};
pub use key::{KeyAction, KeyArgs, KeyForgetArgs, KeySetArgs, KeyStatusArgs, KeyWhoamiArgs};
pub use listen::ListenArgs;
pub use open::OpenArgs;
pub use ports::PortsArgs;
pub use provider::{ProviderArgs, ProviderName};
pub use query::{QueryArgs, QueryFilters, QueryKind};
pub use remove::RemoveArgs;
pub use run::RunArgs;
pub use status::StatusArgs;
pub use store::StoreName;
pub use target::TargetArgs;
pub use r#try::TryArgs;
pub use undo::UndoArgs;
pub use verify::{Require, VerifyArgs};

/// Trace every backend service of a Docker Compose project, and prove that the traces arrive
#[derive(Debug, Parser)]
#[command(
    name = "cruddur-ops",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
`cruddur-ops help` also lists topics, such as `environment`, `exit-codes` and `providers`.

Examples:
  cruddur-ops try   # the whole setup on a sample, offline
  cruddur-ops init  # set up the project in this folder"
)]
pub struct Cli {
    /// Options of every command
    #[command(flatten)]
    pub global: GlobalOptions,
    /// The command
    #[command(subcommand)]
    pub command: CliCommand,
}

/// The heading of these options in the help.
const GLOBAL_OPTIONS_HEADING: &str = "Options on every command";

/// Options on every command.
#[derive(Debug, Clone, Args)]
pub struct GlobalOptions {
    /// Run in this folder [default: the nearest parent folder with a compose file]
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = GLOBAL_OPTIONS_HEADING)]
    pub directory: Option<PathBuf>,
    /// Compose file to read instead of the default ones; later files override earlier ones (repeatable)
    #[arg(short = 'f', value_name = "FILE", global = true, help_heading = GLOBAL_OPTIONS_HEADING)]
    pub files: Vec<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS_HEADING)]
    pub json: bool,
    /// Use colour: auto (on a terminal unless `NO_COLOR` is set), always, or never [default: auto]
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, hide_default_value = true, hide_possible_values = true, global = true, help_heading = GLOBAL_OPTIONS_HEADING)]
    pub color: ColourChoice,
    /// Print only results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL_OPTIONS_HEADING)]
    pub quiet: bool,
    /// Print evidence and timings as well
    #[arg(short, long, global = true, help_heading = GLOBAL_OPTIONS_HEADING)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Options on commands that write.
#[derive(Debug, Clone, Default, Args)]
pub struct WriteArgs {
    /// Answer yes to every question and accept the defaults
    #[arg(long)]
    pub yes: bool,
    /// Show the diff and write nothing
    #[arg(long, conflicts_with = "check")]
    pub dry_run: bool,
    /// Show the diff and write nothing; exit 1 if something would change
    #[arg(long)]
    pub check: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Set up tracing: store the key, edit the compose file, set ports, then verify
    Init(InitArgs),
    /// Prove that traces arrive: send a test trace per service, or ask the application for its own
    Verify(VerifyArgs),
    /// List published ports, or make them public or private
    Ports(PortsArgs),
    /// Store, show, check or remove an API key
    Key(KeyArgs),
    /// Run a command with the stored keys in its environment
    Run(RunArgs),
    /// Add OpenTelemetry code to Flask services, or a span to one function
    Instrument(InstrumentArgs),
    /// Find mistakes in the setup and fix those that are safe to fix
    Doctor(DoctorArgs),
    /// Receive traces on this machine and draw them
    Listen(ListenArgs),
    /// Query the traces in a running `listen`, and link to the same query in Honeycomb
    Query(QueryArgs),
    /// Show provider, key, services, ports and the last verdict
    Status(StatusArgs),
    /// Open the project's traces in a browser
    Open(OpenArgs),
    /// Run the whole setup on a bundled sample project, offline, in a temporary folder
    Try(TryArgs),
    /// Remove the setup, of one service or of the whole project
    Remove(RemoveArgs),
    /// Revert the last change, or an earlier one
    Undo(UndoArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Print the help of a command, or a topic such as `environment` or `exit-codes`
    Help(HelpArgs),
}

/// Parses a duration: `4s`.
fn parse_time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "expected a time such as 4s, 500ms or 1m".to_owned())?;
    if time.is_zero() {
        return Err("the time must be longer than zero".to_owned());
    }
    Ok(time)
}
