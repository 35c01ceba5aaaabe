//! `key set`: ask or read, judge the shape, show, store and read back.

use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::cli::{KeySetArgs, WriteArgs};
use crate::commands::Outcome;
use crate::commands::place::Place;
use crate::error::Result;
use crate::plan::{Plan, diff};
use crate::secret::Secret;
use crate::stores::{PROCESS_LIST_NOTICE, Prepared, StoreKind, Stores, UnderCompose, shape};
use crate::ui::Ui;

/// The variable whose values have Honeycomb's shapes.
const HONEYCOMB: &str = "HONEYCOMB_API_KEY";

/// What happened, under `--json`.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    variable: &'a str,
    store: &'static str,
    place: String,
    key: Option<&'static str>,
    /// The store would hold something else than before.
    changes: bool,
    /// The store holds the key now.
    stored: bool,
}

pub(super) fn run(
    args: &KeySetArgs,
    place: &Place,
    stores: &Stores,
    ui: &mut Ui,
) -> Result<Outcome> {
    let name = args.variable.variable.as_str();
    let kind = match args.store {
        Some(choice) => choice.into(),
        None => usual_store(stores, name)?,
    };
    stores.ready(kind, name)?;
    let secret = read(args, name, kind, ui)?;
    let key = judge(name, &secret, ui)?;

    let prepared = stores.prepare(kind, name, &secret)?;
    let store = stores.store(kind);
    let changes = store.get(name)?.as_ref() != Some(&secret) || !prepared.plan.is_empty();
    show(&prepared, place, ui);
    let write = consent(&args.write, changes && prepared.shown.is_some(), ui)?;
    if write && changes {
        if !prepared.plan.is_empty() {
            place
                .journal(ui.redactor())?
                .apply(&prepared.plan, "key set")?;
        }
        store.set(name, &secret)?;
    }
    let said = match (write, changes) {
        (_, false) => "was already stored in",
        (true, true) => "is stored in",
        (false, true) => "was not stored in",
    };
    ui.result(format!("{name} {said} {}", store.place()));
    if write {
        next_steps(stores, name, ui);
    }
    ui.document(&Document {
        schema_version: SCHEMA_VERSION,
        variable: name,
        store: kind.name(),
        place: store.place(),
        key,
        changes,
        stored: write || !changes,
    })?;
    let refused = changes && !write && !args.write.dry_run;
    Ok(if refused { Outcome::No } else { Outcome::Yes })
}

/// Where the key lies already, else where a new one goes.
fn usual_store(stores: &Stores, name: &str) -> Result<StoreKind> {
    let held = stores
        .find(name)
        .into_iter()
        .find(|found| found.store != StoreKind::Env);
    match held {
        Some(found) => Ok(found.store),
        None => Ok(stores.default_for_new_key()?),
    }
}

fn read(args: &KeySetArgs, name: &str, kind: StoreKind, ui: &mut Ui) -> Result<Secret> {
    if kind == StoreKind::Gp {
        ui.say(PROCESS_LIST_NOTICE);
    }
    if args.stdin {
        return ui.read_secret();
    }
    ui.ask_secret(&format!("{name} (hidden)"), "--stdin")
}

/// Names the mistake if there is one, and the kind of key if it is Honeycomb's.
fn judge(name: &str, secret: &Secret, ui: &mut Ui) -> Result<Option<&'static str>> {
    ui.redactor().learn(name, secret);
    if name != HONEYCOMB {
        shape::blemish(secret.expose())?;
        return Ok(None);
    }
    let reading = shape::read(secret.expose())?;
    if let Some(doubt) = reading.doubt() {
        ui.warn(doubt, None);
    }
    Ok(Some(reading.name()))
}

fn show(prepared: &Prepared, place: &Place, ui: &mut Ui) {
    let mut plan = Plan::default();
    if let Some(shown) = prepared.shown.clone() {
        plan.change(shown);
    }
    plan.changes.extend(prepared.plan.changes.iter().cloned());
    ui.diff(&diff::render(&plan, place.root()));
    for note in &prepared.plan.notes {
        ui.note(note);
    }
}

/// Whether to write: a file is changed only after a yes to what was shown.
fn consent(args: &WriteArgs, asks: bool, ui: &mut Ui) -> Result<bool> {
    if args.dry_run || args.check {
        return Ok(false);
    }
    if args.yes || !asks {
        return Ok(true);
    }
    ui.confirm("Write this?", "--yes", true)
}

fn next_steps(stores: &Stores, name: &str, ui: &mut Ui) {
    let survey = stores.survey(name);
    for warning in survey.warnings() {
        ui.note(&warning);
    }
    if survey.under_compose() == UnderCompose::Nothing {
        ui.say("docker compose does not look there by itself: `cruddur-ops run -- docker compose up --build`");
    }
}
