//! `undo`: reverts a change to files and live ports, unless the same lines were edited since.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use crate::apply::{EntryDirection, Journal, JournalEntry};
use crate::cli::UndoArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Plan;
use crate::provider;
use crate::session::context::ProjectContext;
use crate::session::ports;
use crate::session::settlement;
use crate::ui::Ui;
use crate::ui::interrupt::{InterruptMode, set_interrupt_mode};
use crate::ui::text::describe_age;

/// Runs `undo`.
///
/// # Errors
/// `edited-since`, `secret-not-kept`, `write-failed`.
pub(super) fn run(args: &UndoArgs, context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    let journal = context.journal(ui.redactor())?;
    if !args.write.dry_run && !args.write.check {
        journal.tidy();
    }
    let entries = journal.entries()?;
    if args.list {
        return list_changes(&entries, context, ui);
    }
    let Some(entry) = entries.get(args.number as usize - 1) else {
        if let Some(error) = missing_change_error(args.number, entries.len()) {
            return Err(error);
        }
        ui.say("nothing to undo");
        ui.document(&json!({"schema_version": 1, "undone": false, "command": null, "changes": [], "notes": []}))?;
        return Ok(RunOutcome::Yes);
    };
    let plan = settlement::plan(&journal, entry, EntryDirection::Back, context, ui)?;
    let is_all_kept = plan.is_empty() && !plan.notes.is_empty() && entry.ports.is_empty();
    ui.say(match args.number {
        1 => format!("the last change was made by `cruddur-ops {}`", entry.command),
        number => format!("change {number} was made by `cruddur-ops {}`", entry.command),
    });
    let mut decision =
        flow::decide(&journal, &plan, "Undo these changes?", context.root(), &args.write, ui)?;
    if decision == PlanDecision::Nothing && !is_all_kept && !args.write.dry_run && !args.write.check
    {
        decision = PlanDecision::Write;
    }
    if decision == PlanDecision::Write {
        undo_entry(&journal, entry, &plan, context, ui)?;
    }
    let mut document = flow::document(&plan, context.root(), ui);
    document["undone"] = json!(decision == PlanDecision::Write);
    document["command"] = json!(entry.command);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}

/// Takes the change of an entry back, in files and at live ports, and names the keys that stay.
fn undo_entry(
    journal: &Journal,
    entry: &JournalEntry,
    plan: &Plan,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<()> {
    let _interrupts = set_interrupt_mode(InterruptMode::Remember);
    let stores = context.stores(ui.redactor());
    let names = provider::secret_variables();
    let exposed: Vec<String> =
        plan.changes.iter().flat_map(|change| stores.exposed_by(change, &names)).collect();
    journal.settled(entry, plan, EntryDirection::Back)?;
    if let Some((left, error)) = ports::undo_live_visibility(context, &entry.ports, ui) {
        journal.remember_ports(&entry.command, left)?;
        return Err(error.hint("the files are restored; `cruddur-ops undo` tries the ports again"));
    }
    ui.say("undone");
    for name in &names {
        let held = stores.find(name).into_iter().filter(|found| !found.store.is_shell_only());
        for found in held {
            let command = settlement::forgetting_in(found.store, name);
            ui.say(format!("{name} stays in {}: {command} removes it", found.place));
        }
    }
    if !exposed.is_empty() {
        let text = format!("git no longer ignores .env, which holds {}", exposed.join(", "));
        ui.warn(&text, Some(&settlement::forget_commands(&exposed)));
    }
    Ok(())
}

/// Returns the error for a number that no change has; `None` if there is no change at all.
fn missing_change_error(number: u32, count: usize) -> Option<Error> {
    (count > 0).then(|| {
        let text = format!("there is no change {number}: {count} can be undone");
        Error::new(ErrorCode::Usage, text).hint("`cruddur-ops undo --list` shows them")
    })
}

/// Lists the changes that can be undone, the latest first.
fn list_changes(
    entries: &[JournalEntry],
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    if entries.is_empty() {
        ui.say("nothing to undo");
    }
    let width = entries.iter().map(|entry| entry.command.len()).max().unwrap_or(0);
    let mut changes: Vec<Value> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let number = at + 1;
        let files: Vec<String> = entry
            .files
            .iter()
            .map(|file| context.project.shown(&file.path))
            .map(|path| path.display().to_string())
            .collect();
        let ports: Vec<u16> = entry.ports.iter().map(|port| port.port).collect();
        let touched: Vec<String> =
            files.iter().cloned().chain(ports.iter().map(|port| format!("port {port}"))).collect();
        let age = entry.written.and_then(|written| SystemTime::now().duration_since(written).ok());
        let head = format!(
            "{number:>3}  {:<width$}  {:<14}  ",
            entry.command,
            age.map_or(String::new(), describe_age)
        );
        ui.result_after(&head, &touched.join(", "), head.len());
        changes.push(json!({
            "number": number,
            "command": entry.command,
            "age_seconds": age.map(|age| age.as_secs()),
            "files": files,
            "ports": ports,
        }));
    }
    ui.document(&json!({"schema_version": 1, "changes": changes}))?;
    Ok(RunOutcome::Yes)
}
