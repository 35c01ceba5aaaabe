//! `run`: the stored keys the compose files ask for, in the environment of one command.

use std::ffi::OsString;
use std::process::Command;

use crate::cli::{Global, RunArgs};
use crate::commands::{Outcome, place};
use crate::error::{Error, Result};
use crate::provider;
use crate::secret::Secret;
use crate::shell::Shell;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

pub(super) fn run(args: &RunArgs, global: &Global, shell: &Shell, ui: &mut Ui) -> Result<Outcome> {
    let place = place::find(global, shell, ui)?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::new("usage", "no command to run"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for name in provider::secret_variables() {
        if let Some(secret) = value(&place.stores, name, shell, ui) {
            command.env(name, secret.expose());
        }
    }
    hand_over(command, program)
}

/// What the stores have for `name`, and a word about everything the person may not expect.
fn value(stores: &Stores, name: &str, shell: &Shell, ui: &mut Ui) -> Option<Secret> {
    let survey = stores.survey(name);
    for failure in survey.failures() {
        ui.warn(
            format!("store `{}`: {}", failure.store(), failure.reason()),
            None,
        );
    }
    let Some(found) = survey.under_run() else {
        ui.warn(
            format!("{name} is in no store"),
            Some("`cruddur-ops key set` stores it"),
        );
        return None;
    };
    let older = shell
        .raw(name)
        .is_some_and(|value| value != found.secret.expose());
    if found.store != StoreKind::Env && older {
        ui.warn(
            format!(
                "{name} is taken from {}, not from this shell, which has another",
                found.place
            ),
            None,
        );
    }
    Some(found.secret)
}

/// The child takes our place, so that its signals, its terminal and its exit status are its own.
#[cfg(unix)]
fn hand_over(mut command: Command, program: &OsString) -> Result<Outcome> {
    use std::os::unix::process::CommandExt;
    Err(not_started(program, &command.exec()))
}

/// Here nobody can take our place: wait, and end as the child did.
#[cfg(not(unix))]
fn hand_over(mut command: Command, program: &OsString) -> Result<Outcome> {
    let _guard = crate::ui::interrupt::during(crate::ui::interrupt::Mode::Remember);
    let status = command
        .status()
        .map_err(|error| not_started(program, &error))?;
    Ok(Outcome::Child(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

fn not_started(program: &OsString, error: &std::io::Error) -> Error {
    Error::new(
        "command-not-started",
        format!("{} could not be started", program.display()),
    )
    .cause(error)
}
