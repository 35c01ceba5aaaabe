//! `key set`: asks for or reads the key, checks its shape, shows the change, stores it and reads it back.

use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::cli::{KeySetArgs, WriteArgs};
use crate::commands::RunOutcome;
use crate::commands::flow::{self, PlanDecision};
use crate::error::Result;
use crate::provider::key_shape;
use crate::secret::Secret;
use crate::session::context::{HONEYCOMB_KEY, ProjectContext};
use crate::session::typed;
use crate::stores::{PreparedStore, StoreKind, Stores, UnderCompose};
use crate::ui::Ui;

/// The result, under `--json`.
#[derive(Serialize)]
struct KeySetDocument<'a> {
    schema_version: u32,
    variable: &'a str,
    store: &'static str,
    place: String,
    key: Option<&'static str>,
    /// The store would hold another value than before.
    changes: bool,
    /// The store now holds the key.
    stored: bool,
}

pub(super) fn run(
    args: &KeySetArgs,
    context: &ProjectContext,
    stores: &Stores,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let name = args.variable.variable.as_str();
    let kind = match args.store {
        Some(kind) => kind,
        None => usual_store(stores, name, ui)?,
    };
    if kind == StoreKind::Dotenv {
        flow::settle(&context.journal(ui.redactor())?, context, &args.write, ui)?;
    }
    stores.check_ready(kind, name)?;
    let (secret, key) = read_given_secret(args, name, kind, ui)?;

    let prepared = stores.prepare(kind, &[(name, &secret)])?;
    let store = stores.store(kind);
    let changes = store.lacks(name, &secret)? || !prepared.plan.is_empty();
    let decision = if changes {
        decide_storing(&prepared, context, &args.write, ui)?
    } else {
        PlanDecision::Nothing
    };
    if decision == PlanDecision::Write {
        let journal = context.journal(ui.redactor())?;
        let store = || Ok(store.set(name, &secret)?);
        journal.apply_then(&prepared.plan, "key set", &[name], store)?;
        flow::show_written_files(&prepared.plan, context.root(), ui);
    }
    let (action, stored) = match decision {
        PlanDecision::Nothing => ("was already stored in", true),
        PlanDecision::Write => ("is stored in", true),
        PlanDecision::Shown | PlanDecision::Pending | PlanDecision::Declined => {
            ("was not stored in", false)
        }
    };
    ui.result_text(&format!("{name} {action} {}", store.place()));
    if stored && store.reads_back() {
        next_steps(stores, name, ui);
    } else if stored {
        ui.say(describe_codespaces_delay(stores, name, &secret));
    }
    ui.document(&KeySetDocument {
        schema_version: SCHEMA_VERSION,
        variable: name,
        store: kind.name(),
        place: store.place(),
        key,
        changes,
        stored,
    })?;
    Ok(flow::outcome(decision))
}

/// Returns the store that holds the key, else the default for a new one.
fn usual_store(stores: &Stores, name: &str, ui: &Ui) -> Result<StoreKind> {
    let held = stores.find(name).into_iter().find(|found| !found.store.is_shell_only());
    match held {
        Some(found) => Ok(found.store),
        None => Ok(stores.default_for_new_key(flow::user_presence(ui))?),
    }
}

/// Returns the secret, and its kind of key.
fn read_given_secret(
    args: &KeySetArgs,
    name: &str,
    kind: StoreKind,
    ui: &mut Ui,
) -> Result<(Secret, Option<&'static str>)> {
    if let Some(notice) = kind.profile().notice {
        ui.say(notice);
    }
    let judged = |secret: Secret, ui: &mut Ui| {
        let secret = typed::strip_pasted_text(name, secret, ui);
        let key = check_key_shape(name, &secret, ui)?;
        Ok((secret, key))
    };
    if args.stdin {
        let secret = ui.read_secret()?;
        return judged(secret, ui);
    }
    typed::ask(&format!("{name} (hidden)"), "--stdin", ui, judged)
}

/// Prints the mistake if there is one; returns the kind of key if it is Honeycomb's.
fn check_key_shape(name: &str, secret: &Secret, ui: &mut Ui) -> Result<Option<&'static str>> {
    if name != HONEYCOMB_KEY {
        key_shape::check_secret_text(secret.expose())?;
        return Ok(None);
    }
    let reading = key_shape::read_key(secret.expose())?;
    if let Some(doubt) = reading.doubt() {
        ui.warn(doubt, None);
    }
    Ok(Some(reading.name()))
}

/// Asks before changing a file. A store outside the project needs no confirmation, as the user just gave the key for
/// it.
fn decide_storing(
    prepared: &PreparedStore,
    context: &ProjectContext,
    write: &WriteArgs,
    ui: &mut Ui,
) -> Result<PlanDecision> {
    let journal = context.journal(ui.redactor())?;
    let store_file = prepared.shown.as_ref();
    if flow::show_plan(&journal, &prepared.plan, store_file, context.root(), write, ui)? {
        return flow::ask_agreement("Write this?", write, ui);
    }
    Ok(flow::decision_from_flags(write).unwrap_or(PlanDecision::Write))
}

/// Says when a Codespaces secret takes effect, and what this shell has until then.
fn describe_codespaces_delay(stores: &Stores, name: &str, secret: &Secret) -> String {
    let held = stores.store(StoreKind::Env).get(name).ok().flatten();
    let where_held = match held {
        None => "this shell has none",
        Some(held) if held == *secret => "this shell has this value already",
        Some(_) => "this shell has another value",
    };
    format!("a codespace gets it as a variable when it is created or next started; {where_held}")
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
