//! `undo`: takes the last change back, files and live ports, unless somebody edited them since.

use serde_json::json;

use super::Outcome;
use super::flow::{self, Decision};
use crate::apply::Direction;
use crate::cli::UndoArgs;
use crate::error::Result;
use crate::provider;
use crate::session::context::ProjectContext;
use crate::session::ports;
use crate::session::settlement;
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

/// Runs `undo`.
///
/// # Errors
/// `edited-since`, `secret-not-kept`, `write-failed`.
pub(super) fn run(args: &UndoArgs, place: &ProjectContext, ui: &mut Ui) -> Result<Outcome> {
    let journal = place.journal(ui.redactor())?;
    if !args.write.dry_run && !args.write.check {
        journal.tidy();
    }
    let Some(entry) = journal.last()? else {
        ui.say("nothing to take back: only the last change is remembered");
        ui.document(&json!({"schema_version": 1, "undone": false, "command": null, "changes": [], "notes": []}))?;
        return Ok(Outcome::Yes);
    };
    let stores = place.stores(ui.redactor());
    let plan = settlement::plan(&journal, &entry, Direction::Back, stores)?;
    let is_all_kept = plan.is_empty() && !plan.notes.is_empty() && entry.ports.is_empty();
    ui.say(format!("the last change was made by `cruddur-ops {}`", entry.command));
    let mut decision = flow::decide(
        &journal,
        &plan,
        None,
        "Take these changes back?",
        place.root(),
        &args.write,
        ui,
    )?;
    if decision == Decision::Nothing && !is_all_kept && !args.write.dry_run && !args.write.check {
        decision = Decision::Write;
    }
    if decision == Decision::Write {
        let _whole = during(Mode::Remember);
        let names = provider::secret_variables();
        let exposed = plan.changes.iter().flat_map(|change| stores.exposed_by(change, &names));
        let exposed: Vec<String> = exposed.collect();
        journal.settled(&entry, &plan, Direction::Back)?;
        if let Some((left, error)) = ports::undo_live(place, &entry.ports, ui) {
            journal.remember_ports(&entry.command, left)?;
            return Err(error.hint("the files are back; `cruddur-ops undo` tries the ports again"));
        }
        ui.say("taken back");
        for name in &names {
            let held = stores.find(name).into_iter().filter(|found| !found.store.is_the_shells());
            for found in held {
                let command = settlement::forgetting_in(found.store, name);
                ui.say(format!("{name} stays in {}: {command} removes it", found.place));
            }
        }
        if !exposed.is_empty() {
            let text = format!("git no longer ignores .env, which holds {}", exposed.join(", "));
            ui.warn(&text, Some(&settlement::forgetting(&exposed)));
        }
    }
    let mut document = flow::document(&plan, place.root(), ui);
    document["schema_version"] = json!(1);
    document["undone"] = json!(decision == Decision::Write);
    document["command"] = json!(entry.command);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}
