//! `undo`: takes the last change back, files and live ports, unless somebody edited them since.

use serde_json::json;

use super::flow::{self, Decision};
use super::place::{HONEYCOMB_KEY, Place};
use super::{Outcome, ports};
use crate::apply::Direction;
use crate::cli::UndoArgs;
use crate::error::Result;
use crate::plan::Change;
use crate::provider;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

/// Runs `undo`.
///
/// # Errors
/// `edited-since`, `secret-not-kept`, `write-failed`.
pub(super) fn run(args: &UndoArgs, place: &Place, ui: &mut Ui) -> Result<Outcome> {
    let journal = place.journal(ui.redactor())?;
    let Some(entry) = journal.last()? else {
        ui.say("nothing to take back: only the last change is remembered");
        ui.document(&json!({"schema_version": 1, "undone": false, "command": null, "changes": [], "notes": []}))?;
        return Ok(Outcome::Yes);
    };
    let plan = journal.settle(&entry, Direction::Back)?;
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
        let stores = place.stores(ui.redactor());
        let is_ignoring = |change: &Change| change.path.ends_with(".gitignore");
        if plan.changes.iter().any(is_ignoring) && stores.env_file_exposure().is_some() {
            ui.warn(
                "git no longer ignores .env, which may still hold the key",
                Some(&forgetting(&stores)),
            );
        }
    }
    let mut document = flow::document(&plan, place.root(), ui);
    document["schema_version"] = json!(1);
    document["undone"] = json!(decision == Decision::Write);
    document["command"] = json!(entry.command);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}

/// The commands that take out of `.env` what it holds of secrets.
fn forgetting(stores: &Stores) -> String {
    let dotenv = stores.store(StoreKind::Dotenv);
    let held = |name: &&str| matches!(dotenv.get(name), Ok(Some(_)));
    let commands: Vec<String> = provider::secret_variables()
        .into_iter()
        .filter(held)
        .map(|name| match name {
            HONEYCOMB_KEY => "`cruddur-ops key forget --store dotenv`".to_owned(),
            name => format!("`cruddur-ops key forget --store dotenv --variable {name}`"),
        })
        .collect();
    match commands.as_slice() {
        [] => "look into it before the next `git add`".to_owned(),
        [command] => format!("{command} takes it out"),
        commands => format!("{} take them out", commands.join(" and ")),
    }
}
