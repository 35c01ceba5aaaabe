//! What can be typed: clap types only, one file per command.

mod addon;
mod completions;
mod doctor;
mod init;
mod instrument;
mod instrument_choice;
mod key;
mod listen;
mod ports;
mod provider;
mod query;
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
pub use init::InitArgs;
pub use instrument::{InstrumentArgs, InstrumentCommand, SpanArgs};
pub use instrument_choice::{InstrumentChoice, InstrumentMode, SentSignal};
pub use key::{KeyAction, KeyArgs, KeyForgetArgs, KeySetArgs, KeyStatusArgs, KeyWhoamiArgs};
pub use listen::ListenArgs;
pub use ports::PortsArgs;
pub use provider::{ProviderArgs, ProviderName};
pub use query::{QueryArgs, QueryFilters, QueryKind};
pub use run::RunArgs;
pub use status::StatusArgs;
pub use store::StoreName;
pub use target::TargetArgs;
pub use r#try::TryArgs;
pub use undo::UndoArgs;
pub use verify::{Require, VerifyArgs};

/// Trace every backend service of a docker-compose project, and prove it
#[derive(Debug, Parser)]
#[command(
    name = "cruddur-ops",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Example:
  cruddur-ops try     the whole job on a bundled sample, offline"
)]
pub struct Cli {
    /// What holds for every command
    #[command(flatten)]
    pub global: Global,
    /// The command
    #[command(subcommand)]
    pub command: Command,
}

/// The heading they have in help.
const EVERYWHERE: &str = "Options on every command";

/// Options on every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Project folder [default: the nearest parent that has a compose file]
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    pub directory: Option<PathBuf>,
    /// Compose file to read in place of those docker compose finds; repeat it to lay one over another
    #[arg(short = 'f', value_name = "FILE", global = true, help_heading = EVERYWHERE)]
    pub files: Vec<PathBuf>,
    /// Print one JSON document on stdout
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true, help_heading = EVERYWHERE)]
    pub color: Colour,
    /// Say only results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Say more: evidence and timings
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
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
    /// Answer yes to every question, with the defaults
    #[arg(long)]
    pub yes: bool,
    /// Show the diff and write nothing
    #[arg(long, conflicts_with = "check")]
    pub dry_run: bool,
    /// Show the diff, write nothing, exit 1 if there is one
    #[arg(long)]
    pub check: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Wire every backend service to a provider: key, compose variables, ports; then verify
    Init(InitArgs),
    /// Send a test trace for each service and prove its delivery
    Verify(VerifyArgs),
    /// List ports, or write and apply their visibility
    Ports(PortsArgs),
    /// Store, show, check or forget the key
    Key(KeyArgs),
    /// Run a command with the stored keys in its environment
    Run(RunArgs),
    /// Add packages and initialisation to Flask services, or one span
    Instrument(InstrumentArgs),
    /// Find mistakes in the setup, and mend the safe ones
    Doctor(DoctorArgs),
    /// Receive spans here, draw each trace as a waterfall, and sum up
    Listen(ListenArgs),
    /// Ask Honeycomb, or a running `listen`, the queries of the setup guide
    Query(QueryArgs),
    /// Show provider, key, services, ports and the last verdict
    Status(StatusArgs),
    /// Do the whole job on a bundled sample project, offline, in a temporary folder
    Try(TryArgs),
    /// Take a change back: the last, or one that `--list` names
    Undo(UndoArgs),
    /// Print the script that completes arguments in a shell
    Completions(CompletionsArgs),
}

/// A time as it is typed: `4s`.
fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "a time like 4s, 500ms or 1m is needed".to_owned())?;
    if time.is_zero() {
        return Err("no time at all is too little".to_owned());
    }
    Ok(time)
}
