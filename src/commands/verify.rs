//! `verify`: send a test trace for each service and say how far it was proven to get.

use super::Outcome;
use crate::cli::{Global, VerifyArgs};
use crate::error::Result;
use crate::prove::{self, Stage};
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;

pub(super) fn run(
    args: &VerifyArgs,
    global: &Global,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<Outcome> {
    let place = ProjectContext::find(shell, global.directory.as_deref())?;
    let report = match args.local {
        true => prove::prove_locally(args, &place, ui)?.0,
        false => prove::prove(args, Stage::Running, &place, ui)?,
    };
    ui.document(&report)?;
    Ok(match report.passed {
        true => Outcome::Yes,
        false => Outcome::No,
    })
}
