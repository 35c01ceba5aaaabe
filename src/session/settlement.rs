//! Plans to complete or revert a journal entry, with secrets from the stores.

use crate::apply::{EntryDirection, Journal, JournalEntry};
use crate::error::{ErrorCode, Result};
use crate::plan::{Note, Plan};
use crate::provider;
use crate::session::collect::learn_written_keys;
use crate::session::context::{HONEYCOMB_KEY, ProjectContext};
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

/// Plans to bring the files of `entry` to their state before or after the command. A change that would make git stop
/// ignoring a `.env` with that command's secret is left out, with a note.
///
/// # Errors
/// As [`Journal::settle`].
pub(crate) fn plan(
    journal: &Journal,
    entry: &JournalEntry,
    direction: EntryDirection,
    context: &ProjectContext,
    ui: &Ui,
) -> Result<Plan> {
    let stores = context.stores(ui.redactor());
    let mut plan = match journal.settle(entry, direction) {
        // The journal has only the name of a secret; a store or the new line may have its value.
        Err(error) if error.code == ErrorCode::SecretNotKept => {
            let names = entry.secrets.iter().map(String::as_str);
            for name in names.chain(provider::secret_variables()) {
                stores.find(name);
            }
            learn_written_keys(context, ui);
            journal.settle(entry, direction)?
        }
        settled => settled?,
    };
    if direction == EntryDirection::Back {
        keep_hidden(&mut plan, entry, stores);
    }
    Ok(plan)
}

fn keep_hidden(plan: &mut Plan, entry: &JournalEntry, stores: &Stores) {
    let names: Vec<&str> = entry.secrets.iter().map(String::as_str).collect();
    let mut held = Vec::new();
    plan.changes.retain(|change| {
        let exposed = stores.exposed_by(change, &names);
        let stays = exposed.is_empty();
        held.extend(exposed);
        stays
    });
    if !held.is_empty() {
        let text = format!(".gitignore still ignores .env, which holds {}", held.join(", "));
        let hint =
            format!("{}, then `cruddur-ops undo` restores .gitignore", forget_commands(&held));
        plan.notes.push(Note::warning(text).hint(hint));
    }
}

/// Returns the commands that remove these variables from `.env`.
pub(crate) fn forget_commands(names: &[String]) -> String {
    let command = |name: &String| forgetting_in(StoreKind::Dotenv, name);
    names.iter().map(command).collect::<Vec<_>>().join(" and ")
}

/// Returns the command that removes this variable from one store.
pub(crate) fn forgetting_in(store: StoreKind, name: &str) -> String {
    match name {
        HONEYCOMB_KEY => format!("`cruddur-ops key forget --store {}`", store.name()),
        name => format!("`cruddur-ops key forget --store {} --variable {name}`", store.name()),
    }
}
