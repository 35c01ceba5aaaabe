//! `completions`: prints a shell's completion script, and answers the completion requests that the script makes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, CommandFactory};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use serde::Serialize;

use super::{RunOutcome, with_compose_files};
use crate::cli::{Cli, CompletionsArgs};
use crate::error::{Error, ErrorCode, Result};
use crate::lint;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;

#[derive(Serialize)]
struct CompletionsDocument<'a> {
    schema_version: u32,
    shell: String,
    script: &'a str,
}

const NAME: &str = env!("CARGO_PKG_NAME");

/// The variable in which a completion script passes the shell's name.
const SHELL_VARIABLE: &str = "COMPLETE";

/// Writes the script to stdout.
///
/// # Errors
/// When the document cannot be written as JSON.
pub(super) fn run(args: &CompletionsArgs, ui: &mut Ui) -> Result<RunOutcome> {
    let shell = args.shell.to_string();
    let unwritten = |error: std::io::Error| {
        Error::new(ErrorCode::Internal, format!("there is no script for {shell}")).cause(error)
    };
    let mut script = Vec::new();
    let shells = Shells::builtins();
    if let Some(completer) = shells.completer(&shell) {
        completer
            .write_registration(SHELL_VARIABLE, NAME, NAME, NAME, &mut script)
            .map_err(unwritten)?;
    }
    let script = format!("{}\n", String::from_utf8_lossy(&script).trim());
    for line in script.lines() {
        ui.result(line);
    }
    ui.document(&CompletionsDocument { schema_version: 1, shell, script: &script })?;
    Ok(RunOutcome::Yes)
}

/// Returns the candidates for a completion script, in its shell's format; `None` when no script is asking. Starts no
/// program and reads only the project's files.
pub fn answer_completion(shell: &Shell, arguments: &[OsString]) -> Option<Vec<u8>> {
    let shells = Shells::builtins();
    let completer = shells.completer(shell.var(SHELL_VARIABLE)?)?;
    let words = arguments.get(1..)?.strip_prefix(&[OsString::from("--")])?;
    let mut command = with_candidates(Cli::command(), shell, words);
    command.build();
    let mut answer = Vec::new();
    completer
        .write_complete(&mut command, words.to_vec(), Some(shell.folder()), &mut answer)
        .ok()?;
    Some(answer)
}

/// Adds to the command's arguments the services, ports and rules that can be completed.
fn with_candidates(command: clap::Command, shell: &Shell, words: &[OsString]) -> clap::Command {
    let values_of = |flag: &'static str| {
        let pairs = words.windows(2).filter(move |pair| pair[0] == flag);
        pairs.map(|pair| PathBuf::from(&pair[1]))
    };
    let folder = values_of("-C").next();
    let start = shell.folder().join(folder.as_deref().unwrap_or(Path::new("")));
    let files: Vec<PathBuf> = values_of("-f").collect();
    let shell = &with_compose_files(shell.clone(), &start, &files);
    let with_candidates = |argument: Arg| {
        let (shell, folder) = (shell.clone(), folder.clone());
        let find: fn(&ProjectContext) -> Vec<String> = match argument.get_id().as_str() {
            "service" => list_services,
            "ports" => list_ports,
            "explain" | "ignore" => {
                let codes = || lint::RULES.iter().map(|rule| CompletionCandidate::new(rule.code));
                return argument.add(ArgValueCandidates::new(move || codes().collect()));
            }
            _ => return argument,
        };
        argument.add(ArgValueCandidates::new(move || {
            let found =
                ProjectContext::find(&shell, folder.as_deref()).map(|context| find(&context));
            found.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
        }))
    };
    command.mut_subcommands(|below| below.mut_args(&with_candidates))
}

/// Lists the services whose names docker compose accepts. A shell prints candidates unescaped, so others are left
/// out.
fn list_services(context: &ProjectContext) -> Vec<String> {
    let is_plain = |name: &&str| {
        name.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character))
    };
    let services =
        context.project.model().map(|model| model.services.as_slice()).unwrap_or_default();
    let names = services.iter().map(|service| service.name.as_str()).filter(is_plain);
    names.map(str::to_owned).collect()
}

fn list_ports(context: &ProjectContext) -> Vec<String> {
    let published = context.project.model().map(|model| context.published(model));
    published.unwrap_or_default().into_iter().map(|port| port.port.to_string()).collect()
}
