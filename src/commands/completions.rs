//! `completions`: the script that completes this program's arguments in a shell.

use clap::CommandFactory;
use serde::Serialize;

use super::Outcome;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::Result;
use crate::ui::Ui;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    shell: String,
    script: &'a str,
}

const NAME: &str = env!("CARGO_PKG_NAME");

/// The script for bash takes a dash in the program's name for the one before a command, in half of its places.
fn mended(script: &str) -> String {
    script.replace(
        &format!("{}__subcmd__", NAME.replace('-', "__subcmd__")),
        &format!("{}__subcmd__", NAME.replace('-', "__")),
    )
}

/// Writes the script to stdout.
///
/// # Errors
/// When the document cannot be written as JSON.
pub(super) fn run(args: &CompletionsArgs, ui: &mut Ui) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    let script = mended(&String::from_utf8_lossy(&script));
    for line in script.trim_end().lines() {
        ui.result(line);
    }
    ui.document(&Document { schema_version: 1, shell: args.shell.to_string(), script: &script })?;
    Ok(Outcome::Yes)
}
