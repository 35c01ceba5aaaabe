//! `key forget`: remove the key from the stores that hold it.

use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::cli::KeyForgetArgs;
use crate::commands::Outcome;
use crate::error::Result;
use crate::stores::{Found, SecretStore, StoreKind, Stores};
use crate::ui::Ui;

/// What happened, under `--json`.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    variable: &'a str,
    /// The stores that held the key.
    held: Vec<&'static str>,
    /// Those that hold it no more.
    forgotten: Vec<&'static str>,
}

pub(super) fn run(args: &KeyForgetArgs, stores: &Stores, ui: &mut Ui) -> Result<Outcome> {
    let name = args.variable.variable.as_str();
    if let Some(choice) = args.store
        && !stores.store(choice.into()).reads_back()
    {
        return unseen(args, stores.store(choice.into()), ui);
    }
    let meant = meant(args, stores, name)?;
    for found in &meant {
        ui.say(format!("  {}  {}", found.secret.masked(), found.place));
    }
    let mut document = Document {
        schema_version: SCHEMA_VERSION,
        variable: name,
        held: meant.iter().map(|found| found.store.name()).collect(),
        forgotten: Vec::new(),
    };
    if meant.is_empty() {
        ui.result(format!("{name} is not stored"));
        if stores.find(name).iter().any(|found| found.store == StoreKind::Codespaces) {
            ui.say("this shell has it; if it is a Codespaces secret, `cruddur-ops key forget --store codespaces` removes it");
        }
        ui.document(&document)?;
        return Ok(Outcome::Yes);
    }
    if args.write.dry_run || args.write.check {
        ui.result(format!("{name} would be forgotten"));
        ui.document(&document)?;
        return Ok(if args.write.check { Outcome::No } else { Outcome::Yes });
    }
    let question = format!("Forget {name}? Honeycomb shows the secret of an ingest key only once");
    if !args.write.yes && !ui.confirm(&question, "--yes", false)? {
        ui.result(format!("{name} stays"));
        ui.document(&document)?;
        return Ok(Outcome::No);
    }
    for found in &meant {
        stores.store(found.store).forget(name)?;
        document.forgotten.push(found.store.name());
        ui.result(format!("{name} is no longer in {}", found.place));
    }
    for warning in stores.survey(name).warnings() {
        ui.note(&warning);
    }
    ui.document(&document)?;
    Ok(Outcome::Yes)
}

/// Forgets it where it cannot be seen.
fn unseen(args: &KeyForgetArgs, store: &dyn SecretStore, ui: &mut Ui) -> Result<Outcome> {
    let name = args.variable.variable.as_str();
    let place = store.kind().name();
    let mut document = Document {
        schema_version: SCHEMA_VERSION,
        variable: name,
        held: Vec::new(),
        forgotten: Vec::new(),
    };
    let shown = args.write.dry_run || args.write.check;
    let question = format!("Forget {name} in `{place}`?");
    if shown || (!args.write.yes && !ui.confirm(&question, "--yes", false)?) {
        ui.result(format!("{name} stays"));
        ui.document(&document)?;
        return Ok(match args.write.dry_run {
            true => Outcome::Yes,
            false => Outcome::No,
        });
    }
    if store.forget(name)? {
        document.held.push(place);
        document.forgotten.push(place);
        ui.result(format!("{name} is no longer in `{place}`"));
        ui.say("a codespace that runs has it until it is stopped");
    } else {
        ui.result(format!("{name} is not stored in `{place}`"));
    }
    ui.document(&document)?;
    Ok(Outcome::Yes)
}

/// The places to forget it in. The shell's own is meant only by name: nobody but the shell can forget it.
fn meant(args: &KeyForgetArgs, stores: &Stores, name: &str) -> Result<Vec<Found>> {
    let Some(choice) = args.store else {
        return Ok(stores
            .find(name)
            .into_iter()
            .filter(|found| !found.store.is_the_shells())
            .collect());
    };
    let kind = StoreKind::from(choice);
    let store = stores.store(kind);
    if kind == StoreKind::Env {
        store.forget(name)?;
    }
    Ok(store
        .get(name)?
        .map(|secret| Found { store: kind, place: store.place(), secret })
        .into_iter()
        .collect())
}
