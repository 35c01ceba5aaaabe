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

/// Writes the script to stdout.
///
/// # Errors
/// When the document cannot be written as JSON.
pub(super) fn run(args: &CompletionsArgs, ui: &mut Ui) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    ui.result(script.trim_end());
    ui.document(&Document {
        schema_version: 1,
        shell: args.shell.to_string(),
        script: &script,
    })?;
    Ok(Outcome::Yes)
}
