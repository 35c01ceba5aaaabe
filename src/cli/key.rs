//! Command-line arguments of `key`.

use clap::{Args, Subcommand};

use super::{TargetArgs, WriteArgs, store};
use crate::stores::StoreKind;

/// Arguments of `key`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key status")]
pub struct KeyArgs {
    /// What to do with the key
    #[command(subcommand)]
    pub action: KeyAction,
}

/// Subcommands of `key`.
#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Store a key, read from a hidden prompt or standard input
    Set(KeySetArgs),
    /// Show which places hold a key and which one is used
    Status(KeyStatusArgs),
    /// Ask Honeycomb for the team, environment and permissions of the key
    Whoami(KeyWhoamiArgs),
    /// Remove a key from the stores
    Forget(KeyForgetArgs),
}

/// The variable with the key.
#[derive(Debug, Clone, Args)]
pub struct VariableArgs {
    /// Variable of the key, as the compose file names it
    #[arg(long, value_name = "NAME", default_value = "HONEYCOMB_API_KEY", value_parser = variable_name)]
    pub variable: String,
}

/// Arguments of `key set`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cruddur-ops key set\n  cruddur-ops key set --store dotenv --stdin --yes <key.txt\n  cruddur-ops key set --store codespaces"
)]
pub struct KeySetArgs {
    /// Store to keep it in (see `cruddur-ops help stores`) [default: the store that has it; for a new key gp in Gitpod, dotenv in a codespace, keyring elsewhere]
    #[arg(long, value_parser = store::store(), hide_possible_values = true)]
    pub store: Option<StoreKind>,
    /// Read the key from standard input
    #[arg(long)]
    pub stdin: bool,
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of `key status`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key status")]
pub struct KeyStatusArgs {
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
}

/// Arguments of `key whoami`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key whoami --region eu")]
pub struct KeyWhoamiArgs {
    /// The Honeycomb API to use
    #[command(flatten)]
    pub target: TargetArgs,
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
}

/// Arguments of `key forget`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key forget --store dotenv --yes")]
pub struct KeyForgetArgs {
    /// Remove it only from this store [default: every store]
    #[arg(long, value_parser = store::store(), hide_possible_values = true)]
    pub store: Option<StoreKind>,
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

fn variable_name(text: &str) -> Result<String, String> {
    let mut characters = text.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if first && characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(text.to_owned());
    }
    Err("expected letters, digits and underscores, not starting with a digit".to_owned())
}
