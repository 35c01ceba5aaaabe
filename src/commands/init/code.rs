//! `init`: plans the packages and code of applications, and asks the one question about everything that is written.

use std::collections::BTreeSet;
use std::path::Path;

use super::InitAnswers;
use super::agents::may_add_code;
use crate::cli::{InitArgs, WriteArgs};
use crate::commands::flow::{self, PlanDecision};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::instrument::{self, MistakePolicy};
use crate::plan::{FileChange, Note, Plan, diff};
use crate::session::code;
use crate::session::context::ProjectContext;
use crate::ui::Ui;
use crate::ui::prompt::PromptChoice;

/// The note after a no.
pub(super) const UNCHANGED_CODE_NOTE: &str = "packages and code are not changed, and send no spans until you run `cruddur-ops instrument` or change them yourself";

/// Plans the code that traces the Flask applications of the selected services. A file that cannot be read or edited
/// safely leads to a warning, and the rest continues.
pub(super) fn plan(args: &InitArgs, context: &ProjectContext, answers: &InitAnswers) -> CodePlan {
    let (plan, planned) = flask_plan(args, context, answers);
    CodePlan { plan, planned }
}

/// The changes to packages and code.
#[derive(Debug, Default)]
pub(super) struct CodePlan {
    pub(super) plan: Plan,
    /// The services whose code changes.
    pub(super) planned: BTreeSet<String>,
}

fn flask_plan(
    args: &InitArgs,
    context: &ProjectContext,
    answers: &InitAnswers,
) -> (Plan, BTreeSet<String>) {
    let mut names = answers.names();
    names.retain(|name| may_add_code(args, name));
    if names.is_empty() {
        return (Plan::default(), BTreeSet::new());
    }
    let addons = &answers.addons.request.addons;
    let found = match code::find_flask_services(&context.project, &names, addons) {
        Ok(found) => found,
        Err(error) => return (left_alone(&error), BTreeSet::new()),
    };
    let mut plan = Plan::default();
    let mut changed = Vec::new();
    for service in found {
        let service_plan =
            instrument::plan_services(std::slice::from_ref(&service), MistakePolicy::Start)
                .unwrap_or_else(|error| left_alone(&error));
        if !service_plan.changes.is_empty() {
            changed.push(service);
        }
        plan.extend(service_plan);
    }
    let planned = code::with_code_of(&context.project, &names, &changed).unwrap_or_default();
    (plan, planned)
}

/// Returns a plan with only a note: why a service's code stays unchanged and, if the error has a hint, what to do.
fn left_alone(error: &Error) -> Plan {
    let text = format!("the application is not instrumented: {}", error.message);
    let lines = error.paste.as_ref().map(|lines| lines.replace('\n', ", "));
    let step = lines.map(|lines| format!("{}: {lines}", error.hints.join(" ")));
    Plan {
        notes: vec![Note::warning(text).hint("`cruddur-ops instrument` explains it")],
        steps: step.into_iter().collect(),
        ..Plan::default()
    }
}

/// The decision about everything that was shown, and whether it includes the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlanAgreement {
    pub(super) decision: PlanDecision,
    pub(super) with_code: bool,
}

/// Asks once for everything that would be written: the files of `plan`, the files that `code` changes, and the
/// store's own file.
///
/// # Errors
/// `answer-missing` without a terminal and without `--yes`.
pub(super) fn agree(
    (plan, code): (&Plan, &Plan),
    store: Option<&FileChange>,
    context: &ProjectContext,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<PlanAgreement> {
    if let Some(decision) = flow::decision_from_flags(write) {
        return Ok(PlanAgreement { decision, with_code: true });
    }
    let name = |change: &FileChange| {
        diff::relative_path(&change.path, context.root()).display().to_string()
    };
    let coded = |path: &Path| code.changes.iter().any(|change| change.path == path);
    let (code, others): (Vec<&FileChange>, Vec<&FileChange>) =
        plan.changes.iter().chain(store).partition(|change| coded(&change.path));
    let named = |changes: &[&FileChange]| {
        changes.iter().map(|change| name(change)).collect::<Vec<_>>().join(", ")
    };
    ui.say("");
    for (content, changes) in [("configuration", &others), ("packages and code", &code)] {
        if !changes.is_empty() {
            ui.say(format!("{content}: {}", named(changes)));
        }
    }
    let question = code_question(others.len(), code.len());
    let mut choices = vec![YES, NO];
    let mixed = !code.is_empty() && !others.is_empty();
    if mixed {
        choices.push(WITHOUT_CODE);
    }
    let picked = ui.pick(&question, "--yes", &choices).map_err(|error| {
        if mixed && error.code == ErrorCode::AnswerMissing {
            error.hint("`--yes --no-instrument` leaves the code out")
        } else {
            error
        }
    })?;
    let picked = choices[picked];
    let decision = if picked == NO { PlanDecision::Declined } else { PlanDecision::Write };
    Ok(PlanAgreement { decision, with_code: picked == YES })
}

const YES: PromptChoice = PromptChoice { word: "yes", meaning: None };
const NO: PromptChoice = PromptChoice { word: "no", meaning: None };
const WITHOUT_CODE: PromptChoice =
    PromptChoice { word: "without", meaning: Some("without the code") };

/// Returns the question, with the number of files and how many of them are code.
fn code_question(others: usize, code: usize) -> String {
    let files = |number: usize| match number {
        1 => "this file".to_owned(),
        _ => format!("these {number} files"),
    };
    let all = files(others + code);
    match (others, code) {
        (_, 0) => format!("Write {all}?"),
        (0, _) => format!("Write {all} of code?"),
        _ => format!("Write {all}, {code} of them code?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_counts_the_files_and_the_code_among_them() {
        for (others, code, question) in [
            (1, 0, "Write this file?"),
            (3, 0, "Write these 3 files?"),
            (0, 1, "Write this file of code?"),
            (0, 2, "Write these 2 files of code?"),
            (2, 2, "Write these 4 files, 2 of them code?"),
        ] {
            assert_eq!(code_question(others, code), question);
        }
    }
}
