//! `init`: the application's packages and code, with a yes of their own.

use super::Answers;
use crate::cli::InitArgs;
use crate::commands::instrument;
use crate::commands::place::Place;
use crate::error::Result;
use crate::plan::Plan;
use crate::plan::instrument::Mistakes;
use crate::ui::Ui;

/// The question about them.
pub(super) const QUESTION: &str = "Change the application's packages and code like this?";

/// What traces the Python of the selected services; nothing under `--no-instrument`.
///
/// # Errors
/// A file that cannot be read or edited safely.
pub(super) fn plan(args: &InitArgs, place: &Place, answers: &Answers) -> Result<Plan> {
    let names: Vec<String> = answers
        .selected
        .iter()
        .map(|selected| selected.service.clone())
        .collect();
    if args.no_instrument || names.is_empty() {
        return Ok(Plan::default());
    }
    instrument::plan(&place.project, &names, Mistakes::Say)
}

/// Whether the code may be changed too, once the rest may be written.
///
/// # Errors
/// Where nobody can answer and `--yes` was not given.
pub(super) fn agreed(args: &InitArgs, ui: &mut Ui) -> Result<bool> {
    Ok(args.write.yes || ui.confirm(QUESTION, "--yes or --no-instrument", true)?)
}
