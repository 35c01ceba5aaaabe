//! `run`: runs one command with the stored keys that the compose files refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::cli::RunArgs;
use crate::commands::RunOutcome;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::session::context::{ProjectContext, how_to_store};
use crate::session::secrets;
use crate::shell::Shell;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

pub(super) fn run(
    args: &RunArgs,
    files: &[PathBuf],
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::new(ErrorCode::Usage, "no command to run"));
    };
    let (shell, stores) = (context.shell, context.stores(ui.redactor()));
    let model = context.project.model()?;
    let mut command = Command::new(program);
    command.args(arguments);
    if !files.is_empty() {
        let compose_variables = ["COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"];
        command
            .envs(compose_variables.into_iter().filter_map(|name| Some((name, shell.raw(name)?))));
    }
    let mut stored = BTreeMap::new();
    for name in secrets::asked_for(model) {
        if let Some(secret) = find_run_value(stores, &name, shell, ui) {
            command.env(&name, secret.expose());
            stored.insert(name, secret);
        }
    }
    let refusals = model.refusals(&model.under_run(stored));
    let messages: BTreeSet<String> = refusals.into_iter().map(|refusal| refusal.message).collect();
    for message in messages {
        ui.warn(format!("docker compose will not load this project: {message}"), None);
    }
    Err(hand_over(command, program))
}

/// Returns the stored value of `name`, and prints a note about anything surprising.
fn find_run_value(stores: &Stores, name: &str, shell: &Shell, ui: &mut Ui) -> Option<Secret> {
    let survey = stores.survey(name);
    let Some(found) = survey.handed_over() else {
        if survey.under_run().is_none() {
            let hint = how_to_store(name);
            ui.warn(survey.absence(), Some(&hint));
            secrets::show_codespace_delay(shell, ui);
        }
        return None;
    };
    for failure in survey.failures() {
        ui.warn(failure.reason(), None);
    }
    let older = shell.raw(name).is_some_and(|value| value != found.secret.expose());
    if found.store != StoreKind::Env && older {
        let place = &found.place;
        let text =
            format!("{name} is taken from {place}, not from this shell, which has a different one");
        ui.warn(text, None);
    }
    Some(found.secret)
}

/// Replaces this process by the command, so that signals, terminal and exit status are the command's; returns only on
/// failure.
fn hand_over(mut command: Command, program: &OsString) -> Error {
    use std::os::unix::process::CommandExt;
    not_started(program, &command.exec())
}

fn not_started(program: &OsString, error: &std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorCode::CommandNotStarted,
        _ => ErrorCode::CommandNotExecutable,
    };
    Error::new(code, format!("`{}` could not be started", program.display())).cause(error)
}
