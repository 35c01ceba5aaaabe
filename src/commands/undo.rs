//! `undo`: takes the last change back, files and live ports, unless somebody edited them since.

use serde_json::json;

use super::flow::{self, Decision};
use super::place::Place;
use super::{Outcome, ports};
use crate::apply::Direction;
use crate::cli::UndoArgs;
use crate::error::Result;
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

/// Runs `undo`.
///
/// # Errors
/// `edited-since`, `secret-not-kept`, `write-failed`.
pub(super) fn run(args: &UndoArgs, place: &Place, ui: &mut Ui) -> Result<Outcome> {
    let journal = place.journal(ui.redactor())?;
    let Some(entry) = journal.last()? else {
        ui.say("nothing to take back");
        ui.document(&json!({"schema_version": 1, "undone": false, "command": null, "changes": [], "notes": []}))?;
        return Ok(Outcome::Yes);
    };
    let plan = journal.settle(&entry, Direction::Back)?;
    ui.say(format!(
        "the last change was made by `cruddur-ops {}`",
        entry.command
    ));
    let mut decision = flow::decide(
        &plan,
        None,
        "Take these changes back?",
        place.root(),
        &args.write,
        ui,
    )?;
    if decision == Decision::Nothing && !args.write.dry_run && !args.write.check {
        decision = Decision::Write;
    }
    if decision == Decision::Write {
        let _whole = during(Mode::Remember);
        journal.settled(&entry, &plan, Direction::Back)?;
        if let Some((left, error)) = ports::undo_live(place, &entry.ports, ui) {
            journal.keep_ports(&entry.command, left)?;
            return Err(error.hint("the files are back; `cruddur-ops undo` tries the ports again"));
        }
        ui.say("taken back; a stored key stays where it is (`cruddur-ops key forget` removes it)");
        if place.stores(ui.redactor()).env_file_is_exposed() {
            ui.warn(
                "git no longer ignores .env, which may still hold the key",
                Some("`cruddur-ops key forget --store dotenv` removes it"),
            );
        }
    }
    let mut document = flow::document(&plan, place.root());
    document["schema_version"] = json!(1);
    document["undone"] = json!(decision == Decision::Write);
    document["command"] = json!(entry.command);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}
