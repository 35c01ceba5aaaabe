//! `run`: the stored keys the compose files ask for, in the environment of one command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use crate::cli::{Global, RunArgs};
use crate::commands::Outcome;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::session::context::{ProjectContext, how_to_store};
use crate::session::secrets;
use crate::shell::Shell;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

pub(super) fn run(args: &RunArgs, global: &Global, shell: &Shell, ui: &mut Ui) -> Result<Outcome> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::new(ErrorCode::Usage, "no command to run"));
    };
    let place = ProjectContext::find(shell, global.directory.as_deref())?;
    let stores = place.stores(ui.redactor());
    let model = place.project.model()?;
    let mut command = Command::new(program);
    command.args(arguments);
    if !global.files.is_empty() {
        let own = ["COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"];
        command.envs(own.into_iter().filter_map(|name| Some((name, shell.raw(name)?))));
    }
    let mut stored = BTreeMap::new();
    for name in secrets::asked_for(model) {
        if let Some(secret) = value(stores, &name, shell, ui) {
            command.env(&name, secret.expose());
            stored.insert(name, secret);
        }
    }
    for refusal in model.refusals(&model.under_run(stored)) {
        ui.warn(format!("docker compose will not load this project: {}", refusal.message), None);
    }
    Err(hand_over(command, program))
}

/// What the stores have for `name`, and a word about everything the person may not expect.
fn value(stores: &Stores, name: &str, shell: &Shell, ui: &mut Ui) -> Option<Secret> {
    let survey = stores.survey(name);
    let Some(found) = survey.under_run() else {
        let hint = how_to_store(name);
        ui.warn(survey.absence(), Some(&hint));
        secrets::say_when_one_comes(shell, ui);
        return None;
    };
    for failure in survey.failures() {
        let text = format!("store `{}`: {}", failure.store(), failure.reason());
        ui.warn(text, None);
    }
    let older = shell.raw(name).is_some_and(|value| value != found.secret.expose());
    if found.store != StoreKind::Env && older {
        let place = &found.place;
        let text = format!("{name} is taken from {place}, not from this shell, which has another");
        ui.warn(text, None);
    }
    Some(found.secret)
}

/// Gives our place to the child, so that its signals, its terminal and its exit status are its own; returns why it could not.
fn hand_over(mut command: Command, program: &OsString) -> Error {
    use std::os::unix::process::CommandExt;
    not_started(program, &command.exec())
}

fn not_started(program: &OsString, error: &std::io::Error) -> Error {
    let text = format!("{} could not be started", program.display());
    Error::new(ErrorCode::CommandNotStarted, text).cause(error)
}
