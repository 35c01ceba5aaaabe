//! The steps that every writing command takes with its plan: finish an interrupted run, show, confirm, write.

use std::path::Path;

use serde_json::{Value, json};

use super::RunOutcome;
use crate::apply::{EntryDirection, EntryFileState, Journal, JournalEntry};
use crate::cli::WriteArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, NoteLevel, Plan, diff};
use crate::session::context::ProjectContext;
use crate::session::settlement;
use crate::stores::UserPresence;
use crate::ui::prompt::DefaultAnswer;
use crate::ui::{Ui, Verbosity};

/// The decision about a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanDecision {
    /// Write it.
    Write,
    /// There is nothing to write.
    Nothing,
    /// Only show it: `--dry-run`.
    Shown,
    /// Only show it, and exit with 1: `--check` found pending changes.
    Pending,
    /// The user said no.
    Declined,
}

/// Shows the notes and the diff and asks for confirmation.
///
/// # Errors
/// An objection to the plan, before anything is shown; `answer-missing` without a terminal and without `--yes`.
pub(super) fn decide(
    journal: &Journal,
    plan: &Plan,
    question: &str,
    base: &Path,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<PlanDecision> {
    if show_plan(journal, plan, None, base, write, ui)? {
        ask_agreement(question, write, ui)
    } else {
        Ok(PlanDecision::Nothing)
    }
}

/// Shows the notes and the diff; returns whether there is a diff. `store_file` is a change to a store's own file, which
/// is only displayed here and written by the store.
///
/// # Errors
/// An objection to the plan, before anything is shown.
pub(super) fn show_plan(
    journal: &Journal,
    plan: &Plan,
    store_file: Option<&FileChange>,
    base: &Path,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<bool> {
    journal.check(plan)?;
    for note in &plan.notes {
        ui.note(note);
    }
    if plan.is_empty() && store_file.is_none() {
        return Ok(false);
    }
    let mut lines = diff::render(plan, base);
    let above = diff::find_base(plan, base);
    lines.extend(store_file.iter().flat_map(|change| diff::render_change(change, above)));
    if write.check || write.dry_run {
        ui.diff_alone(&lines);
    } else if !write.yes || ui.verbosity() > Verbosity::Quiet {
        ui.section("changes:");
        ui.diff(&lines);
    }
    Ok(true)
}

/// Asks the user to confirm what was shown.
///
/// # Errors
/// `answer-missing` without a terminal and without `--yes`.
pub(super) fn ask_agreement(
    question: &str,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<PlanDecision> {
    if let Some(decided) = decision_from_flags(write) {
        return Ok(decided);
    }
    if ui.confirm(question, "--yes", DefaultAnswer::Yes)? {
        Ok(PlanDecision::Write)
    } else {
        Ok(PlanDecision::Declined)
    }
}

/// Returns the decision that a flag makes without a question.
pub(super) fn decision_from_flags(write: &WriteArgs) -> Option<PlanDecision> {
    match write {
        WriteArgs { check: true, .. } => Some(PlanDecision::Pending),
        WriteArgs { dry_run: true, .. } => Some(PlanDecision::Shown),
        WriteArgs { yes: true, .. } => Some(PlanDecision::Write),
        _ => None,
    }
}

/// Returns whether questions are possible: there is a terminal, and no flag forbids them.
pub(super) fn may_ask(write: &WriteArgs, ui: &Ui) -> bool {
    ui.interactive() && !write.yes && !write.check && !write.dry_run
}

/// Returns the presence of a user for choices of a store.
pub(super) fn user_presence(ui: &Ui) -> UserPresence {
    if ui.interactive() { UserPresence::AtTerminal } else { UserPresence::Absent }
}

/// Completes or reverts what an interrupted run left behind, before anything new is planned. Returns the project,
/// read again, if files were written.
///
/// # Errors
/// `interrupted-run` without a terminal and without `--yes`.
pub(super) fn settle<'a>(
    journal: &Journal,
    context: &ProjectContext<'a>,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<Option<ProjectContext<'a>>> {
    if !write.dry_run && !write.check {
        journal.tidy();
    }
    let Some(entry) = journal.interrupted()? else {
        return Ok(None);
    };
    let states = journal.file_states(&entry)?;
    let written = states.iter().filter(|state| **state == EntryFileState::New).count();
    let state = format!(
        "an earlier `{}` was interrupted: {written} of {} files written",
        entry.command,
        states.len()
    );
    if write.dry_run || write.check {
        ui.warn(&state, Some("`cruddur-ops undo --yes` reverts it"));
        return Ok(None);
    }
    if !write.yes && !ui.interactive() {
        return Err(Error::new(ErrorCode::InterruptedRun, state)
            .hint("`cruddur-ops undo --yes` reverts it")
            .hint("the same command with `--yes` finishes it first"));
    }
    ui.warn(&state, None);
    let direction =
        if write.yes || ui.confirm("Finish it? (no reverts it)", "--yes", DefaultAnswer::Yes)? {
            EntryDirection::Forward
        } else {
            EntryDirection::Back
        };
    restore_entry(journal, &entry, direction, context, ui)?;
    context.again().map(Some)
}

/// Brings every file of `entry` to its state before or after the change.
fn restore_entry(
    journal: &Journal,
    entry: &JournalEntry,
    direction: EntryDirection,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<()> {
    let plan = settlement::plan(journal, entry, direction, context, ui)?;
    plan.notes.iter().for_each(|note| ui.note(note));
    ui.diff(&diff::render(&plan, context.root()));
    journal.settled(entry, &plan, direction)?;
    ui.say(match direction {
        EntryDirection::Forward => "finished",
        EntryDirection::Back => "reverted",
    });
    Ok(())
}

/// Names the files that were written.
pub(super) fn show_written_files(plan: &Plan, base: &Path, ui: &mut Ui) {
    if !plan.changes.is_empty() {
        ui.section("written:");
    }
    for change in &plan.changes {
        let relative = diff::relative_path(&change.path, base);
        let path = relative.display();
        ui.say(match (&change.before, &change.after) {
            (None, _) => format!("  created {path}"),
            (_, None) => format!("  removed {path}"),
            _ => format!("  changed {path}"),
        });
    }
}

/// Prints the next steps, if there are any.
pub(super) fn show_next(lines: &[String], ui: &mut Ui) {
    if lines.is_empty() {
        return;
    }
    ui.section("next:");
    for line in lines {
        ui.say(format!("  {line}"));
    }
}

/// Returns the plan as JSON; null unless `--json` was given.
pub(super) fn document(plan: &Plan, base: &Path, ui: &Ui) -> Value {
    if !ui.is_json() {
        return json!({});
    }
    let changes: Vec<Value> = plan
        .changes
        .iter()
        .map(|change| {
            let lines: Vec<String> = diff::render_change(change, diff::find_base(plan, base))
                .into_iter()
                .map(|line| line.text)
                .collect();
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
                NoteLevel::Fact => "fact",
                NoteLevel::Warning => "warning",
            };
            json!({"level": level, "text": note.text, "hint": note.hint})
        })
        .collect();
    json!({"schema_version": 1, "changes": changes, "notes": notes})
}

/// Returns the outcome that a decision leads to.
pub(super) fn outcome(decision: PlanDecision) -> RunOutcome {
    match decision {
        PlanDecision::Write | PlanDecision::Nothing | PlanDecision::Shown => RunOutcome::Yes,
        PlanDecision::Pending | PlanDecision::Declined => RunOutcome::No,
    }
}
