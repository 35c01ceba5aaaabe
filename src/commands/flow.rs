//! What every writing command does with its plan: settle what an earlier run left, show, ask, write.

use std::path::Path;

use serde_json::{Value, json};

use super::Outcome;
use crate::apply::{Direction, Entry, Journal, Standing};
use crate::cli::WriteArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Change, Level, Plan, diff};
use crate::session::context::ProjectContext;
use crate::session::settlement;
use crate::ui::{Ui, Verbosity};

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It may be written.
    Write,
    /// No file would change.
    Nothing,
    /// It was only shown: `--dry-run`.
    Shown,
    /// It was only shown, and changes are pending: `--check`.
    Pending,
    /// The person said no.
    Declined,
}

/// Shows the notes and the diff and asks for the yes. `shown` is a change that is made elsewhere, a store's own file,
/// and only drawn here.
///
/// # Errors
/// What can be said against the plan beforehand, before anything of it is shown; `answer-missing` where nobody can
/// answer and `--yes` was not given.
pub(super) fn decide(
    journal: &Journal,
    plan: &Plan,
    shown: Option<&Change>,
    question: &str,
    base: &Path,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<Decision> {
    match show(journal, plan, shown, base, write, ui)? {
        true => agree(question, write, ui),
        false => Ok(Decision::Nothing),
    }
}

/// Shows the notes and the diff; answers whether there is a diff.
///
/// # Errors
/// What can be said against the plan beforehand, before anything of it is shown.
pub(super) fn show(
    journal: &Journal,
    plan: &Plan,
    shown: Option<&Change>,
    base: &Path,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<bool> {
    journal.check(plan)?;
    for note in &plan.notes {
        ui.note(note);
    }
    if plan.is_empty() && shown.is_none() {
        return Ok(false);
    }
    let mut lines = diff::render(plan, base);
    lines.extend(shown.iter().flat_map(|one| diff::render_change(one, base)));
    if write.check || write.dry_run {
        ui.diff_alone(&lines);
    } else if !write.yes || ui.verbosity() > Verbosity::Quiet {
        ui.section("changes:");
        ui.diff(&lines);
    }
    Ok(true)
}

/// Asks for the yes to what was shown.
///
/// # Errors
/// `answer-missing` where nobody can answer and `--yes` was not given.
pub(super) fn agree(question: &str, write: &WriteArgs, ui: &mut Ui) -> Result<Decision> {
    if let Some(decided) = decided(write) {
        return Ok(decided);
    }
    match ui.confirm(question, "--yes", true)? {
        true => Ok(Decision::Write),
        false => Ok(Decision::Declined),
    }
}

/// What a flag decides beforehand.
pub(super) fn decided(write: &WriteArgs) -> Option<Decision> {
    match write {
        WriteArgs { check: true, .. } => Some(Decision::Pending),
        WriteArgs { dry_run: true, .. } => Some(Decision::Shown),
        WriteArgs { yes: true, .. } => Some(Decision::Write),
        _ => None,
    }
}

/// Somebody is there to answer, and was not told to keep out of it.
pub(super) fn may_ask(write: &WriteArgs, ui: &Ui) -> bool {
    ui.interactive() && !write.yes && !write.check && !write.dry_run
}

/// Finishes or takes back what a run that was cut short left behind, before anything new is planned. Answers with the place
/// read again if files were written.
///
/// # Errors
/// `interrupted-run` where nobody can answer and `--yes` was not given.
pub(super) fn settle<'a>(
    journal: &Journal,
    place: &ProjectContext<'a>,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<Option<ProjectContext<'a>>> {
    if !write.dry_run && !write.check {
        journal.tidy();
    }
    let Some(entry) = journal.interrupted()? else {
        return Ok(None);
    };
    let standings = journal.standing(&entry)?;
    let written = standings.iter().filter(|standing| **standing == Standing::New).count();
    let state = format!(
        "an earlier `{}` was cut short: {written} of {} files written",
        entry.command,
        standings.len()
    );
    if write.dry_run || write.check {
        ui.warn(&state, Some("`cruddur-ops undo --yes` takes it back"));
        return Ok(None);
    }
    if !write.yes && !ui.interactive() {
        return Err(Error::new(ErrorCode::InterruptedRun, state)
            .hint("`cruddur-ops undo --yes` takes it back")
            .hint("the same command with `--yes` finishes it first"));
    }
    ui.warn(&state, None);
    let direction = match write.yes || ui.confirm("Finish it? (no takes it back)", "--yes", true)? {
        true => Direction::Forward,
        false => Direction::Back,
    };
    bring(journal, &entry, direction, place, ui)?;
    place.again().map(Some)
}

/// Brings every file of `entry` to one side.
fn bring(
    journal: &Journal,
    entry: &Entry,
    direction: Direction,
    place: &ProjectContext,
    ui: &mut Ui,
) -> Result<()> {
    let stores = place.stores(ui.redactor());
    let plan = settlement::plan(journal, entry, direction, stores)?;
    plan.notes.iter().for_each(|note| ui.note(note));
    ui.diff(&diff::render(&plan, place.root()));
    journal.settled(entry, &plan, direction)?;
    ui.say(match direction {
        Direction::Forward => "finished",
        Direction::Back => "taken back",
    });
    Ok(())
}

/// Names the files that were written.
pub(super) fn written(plan: &Plan, base: &Path, ui: &mut Ui) {
    if !plan.changes.is_empty() {
        ui.section("written:");
    }
    for change in &plan.changes {
        let path = diff::shown(&change.path, base);
        let path = path.display();
        ui.say(match (&change.before, &change.after) {
            (None, _) => format!("  created {path}"),
            (_, None) => format!("  removed {path}"),
            _ => format!("  changed {path}"),
        });
    }
}

/// Prints what to run next, if there is anything.
pub(super) fn show_next(lines: &[String], ui: &mut Ui) {
    if lines.is_empty() {
        return;
    }
    ui.section("next:");
    for line in lines {
        ui.say(format!("  {line}"));
    }
}

/// The plan as data, for `--json`; empty where nobody asked for it.
pub(super) fn document(plan: &Plan, base: &Path, ui: &Ui) -> Value {
    if !ui.is_json() {
        return json!({});
    }
    let changes: Vec<Value> = plan
        .changes
        .iter()
        .map(|change| {
            let lines: Vec<String> =
                diff::render_change(change, base).into_iter().map(|line| line.text).collect();
            json!({
                "path": change.path.strip_prefix(base).unwrap_or(&change.path),
                "created": change.before.is_none(),
                "removed": change.after.is_none(),
                "diff": lines,
            })
        })
        .collect();
    let notes: Vec<Value> = plan
        .notes
        .iter()
        .map(|note| {
            let level = match note.level {
                Level::Fact => "fact",
                Level::Warning => "warning",
            };
            json!({"level": level, "text": note.text, "hint": note.hint})
        })
        .collect();
    json!({"changes": changes, "notes": notes})
}

/// The exit status a decision leads to.
pub(super) fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Write | Decision::Nothing | Decision::Shown => Outcome::Yes,
        Decision::Pending | Decision::Declined => Outcome::No,
    }
}
