//! `init`: the application's packages and code, with a yes of their own.

use super::Answers;
use crate::cli::InitArgs;
use crate::commands::instrument;
use crate::commands::place::Place;
use crate::error::Result;
use crate::plan::instrument::Mistakes;
use crate::plan::{Note, Plan};
use crate::ui::Ui;

/// The question about them.
pub(super) const QUESTION: &str = "Change the application's packages and code like this?";

/// What is said where the answer was no.
pub(super) const LEFT: &str = "packages and code stay as they are, and send no spans until `cruddur-ops instrument` or your own hand changes them";

/// What traces the Python of the selected services; nothing under `--no-instrument`. Where a file cannot be read or edited
/// safely, a warning says so and everything else goes on.
pub(super) fn plan(args: &InitArgs, place: &Place, answers: &Answers) -> Plan {
    let names: Vec<String> =
        answers.selected.iter().map(|selected| selected.service.clone()).collect();
    if args.no_instrument || names.is_empty() {
        return Plan::default();
    }
    let addons = &answers.addons.wish.addons;
    let found = instrument::services(&place.project, &names, addons);
    let others = found.as_ref().map_err(Clone::clone);
    let others = others.and_then(|found| instrument::others(&place.project, &names, found));
    let plan = found.and_then(|found| instrument::plan(&found, Mistakes::Say));
    let mut plan = plan.unwrap_or_else(|error| {
        let text = format!("the application is not instrumented: {}", error.message);
        Plan {
            changes: Vec::new(),
            notes: vec![Note::warning(text).hint("`cruddur-ops instrument` says more")],
        }
    });
    let others = others.unwrap_or_default();
    if !others.is_empty() {
        plan.notes.push(Note::fact(format!(
            "{}: no Flask code was found, so an OpenTelemetry SDK of its own must send its spans",
            others.join(", ")
        )));
    }
    plan
}

/// Whether the code may be changed too, once the rest may be written.
///
/// # Errors
/// Where nobody can answer and `--yes` was not given.
pub(super) fn agreed(args: &InitArgs, ui: &mut Ui) -> Result<bool> {
    Ok(args.write.yes || ui.confirm(QUESTION, "--yes or --no-instrument", true)?)
}
