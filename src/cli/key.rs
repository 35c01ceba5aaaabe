//! `key`: what can be typed.

use clap::{Args, Subcommand};

use super::{TargetArgs, WriteArgs, store};
use crate::stores::StoreKind;

/// What `key` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key status")]
pub struct KeyArgs {
    /// What to do with the key
    #[command(subcommand)]
    pub action: KeyAction,
}

/// What can be done with a key.
#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Store the key, from a hidden prompt or from stdin
    Set(KeySetArgs),
    /// Show every place that holds the key, and which one wins
    Status(KeyStatusArgs),
    /// Ask Honeycomb whose key it is and what it may do
    Whoami(KeyWhoamiArgs),
    /// Remove the key from the stores
    Forget(KeyForgetArgs),
}

/// Which variable holds the key.
#[derive(Debug, Clone, Args)]
pub struct VariableArgs {
    /// The variable the compose file names
    #[arg(long, value_name = "NAME", default_value = "HONEYCOMB_API_KEY", value_parser = variable_name)]
    pub variable: String,
}

/// What `key set` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cruddur-ops key set\n  cruddur-ops key set --store dotenv --stdin --yes < key.txt\n  cruddur-ops key set --store codespaces"
)]
pub struct KeySetArgs {
    /// Where to keep it [default: where it is; a new one: gp in Gitpod, dotenv in a codespace, else the keyring]
    #[arg(long, value_parser = store::store())]
    pub store: Option<StoreKind>,
    /// Read the key from stdin
    #[arg(long)]
    pub stdin: bool,
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
    /// Options on commands that write
    #[command(flatten)]
    pub write: WriteArgs,
}

/// What `key status` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key status")]
pub struct KeyStatusArgs {
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
}

/// What `key whoami` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key whoami --region eu")]
pub struct KeyWhoamiArgs {
    /// Which Honeycomb is meant
    #[command(flatten)]
    pub target: TargetArgs,
    /// Which variable holds the key
    #[command(flatten)]
    pub variable: VariableArgs,
}

/// What `key forget` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cruddur-ops key forget --store dotenv --yes")]
pub struct KeyForgetArgs {
    /// Only from this store [default: from every store that holds it]
    #[arg(long, value_parser = store::store())]
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
    Err("a variable has letters, digits and underscores, and no digit first".to_owned())
}
