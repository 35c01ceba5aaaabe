//! `remove`: takes the setup out again, of one service or of the whole project.

use serde_json::json;

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use crate::apply::{Journal, JournalEntry, PortChangeEntry};
use crate::cli::{RemoveArgs, WriteArgs};
use crate::error::Result;
use crate::plan::Note;
use crate::provider;
use crate::session::context::{ProjectContext, unknown_service};
use crate::session::removal::{self, RemovalScope};
use crate::session::{ports, settlement};
use crate::ui::Ui;
use crate::ui::interrupt::{InterruptMode, set_interrupt_mode};

/// Runs `remove`.
///
/// # Errors
/// `unknown-service`; `unsafe-edit`; a file or the journal that cannot be read or written.
pub(super) fn run(args: &RemoveArgs, context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    let journal = context.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, context, &args.write, ui)?;
    let context = fresh.as_ref().unwrap_or(context);
    let model = context.project.model()?;
    if let Some(name) = args.service.iter().find(|name| model.service(name).is_none()) {
        return Err(unknown_service(name, model));
    }
    let scope = if args.service.is_empty() {
        RemovalScope::All
    } else {
        RemovalScope::Services(args.service.iter().cloned().collect())
    };
    let mut plan = removal::plan(context, &scope, &journal)?;
    plan.notes.splice(0..0, context.project.passed_over().map(Note::warning));
    let (command, question) = match scope {
        RemovalScope::All => (removal::WHOLE, "Remove the setup like this?"),
        RemovalScope::Services(_) => (removal::SERVICES, "Remove these lines?"),
    };
    let decision = flow::decide(&journal, &plan, question, context.root(), &args.write, ui)?;
    let mut next = Vec::new();
    match decision {
        PlanDecision::Write => {
            let _interrupts = set_interrupt_mode(InterruptMode::Remember);
            let entries = journal.entries()?;
            journal.apply(&plan, command)?;
            flow::show_written_files(&plan, context.root(), ui);
            if matches!(scope, RemovalScope::All) {
                close_ports(context, &journal, &entries, ui)?;
                next = list_stored(context, ui);
            }
        }
        PlanDecision::Nothing => ui.say("nothing to remove: no line here matches what init writes"),
        PlanDecision::Declined => ui.say("nothing was written"),
        PlanDecision::Shown | PlanDecision::Pending => {}
    }
    flow::show_next(&next, ui);
    let mut document = flow::document(&plan, context.root(), ui);
    document["removed"] = json!(decision == PlanDecision::Write);
    document["services"] = json!(args.service);
    document["next"] = json!(next);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}

/// Offers to remove the lines of services that are no longer traced. If they were removed, returns the project read
/// again.
///
/// # Errors
/// As [`run`].
pub(super) fn offer<'a>(
    services: &[String],
    context: &ProjectContext<'a>,
    journal: &Journal,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<Option<ProjectContext<'a>>> {
    if services.is_empty() {
        return Ok(None);
    }
    let scope = RemovalScope::Services(services.iter().cloned().collect());
    let plan = removal::plan(context, &scope, journal)?;
    let question = format!("{} no longer sends: remove its lines?", services.join(", "));
    let decision = flow::decide(journal, &plan, &question, context.root(), write, ui)?;
    if decision != PlanDecision::Write {
        return Ok(None);
    }
    let _interrupts = set_interrupt_mode(InterruptMode::Remember);
    journal.apply(&plan, removal::SERVICES)?;
    flow::show_written_files(&plan, context.root(), ui);
    context.again().map(Some)
}

/// Gives live ports the visibility back that they had before the setup; `undo` gives them the other one again.
fn close_ports(
    context: &ProjectContext,
    journal: &Journal,
    entries: &[JournalEntry],
    ui: &mut Ui,
) -> Result<()> {
    let own_entries =
        entries.iter().filter(|entry| removal::COMMANDS.contains(&entry.command.as_str()));
    // Of a port that was changed twice the first change knows how it was.
    let mut known: Vec<PortChangeEntry> = Vec::new();
    for port in own_entries.flat_map(|entry| &entry.ports) {
        match known.iter_mut().find(|known_port| known_port.port == port.port) {
            Some(known_port) => known_port.before = port.before.clone(),
            None => known.push(port.clone()),
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    let failed = ports::undo_live_visibility(context, &known, ui);
    let left: Vec<u16> = failed.iter().flat_map(|(left, _)| left).map(|port| port.port).collect();
    let back = known
        .into_iter()
        .filter(|port| !left.contains(&port.port))
        .map(|port| PortChangeEntry { before: port.after, after: port.before, ..port });
    journal.remember_ports(removal::WHOLE, back.collect())?;
    match failed {
        Some((_, error)) => {
            Err(error.hint("the files are changed; `cruddur-ops undo` reverts that"))
        }
        None => Ok(()),
    }
}

/// Returns the commands that remove the secrets still in stores.
fn list_stored(context: &ProjectContext, ui: &Ui) -> Vec<String> {
    let stores = context.stores(ui.redactor());
    let mut next = Vec::new();
    for name in provider::secret_variables() {
        let held = stores.find(name).into_iter().filter(|found| !found.store.is_shell_only());
        next.extend(held.map(|found| {
            let command = settlement::forgetting_in(found.store, name);
            format!("{}  # {name} is in {}", command.trim_matches('`'), found.place)
        }));
    }
    next
}
