//! `init`: finds the keys and decides where to store them.

use super::InitAnswers;
use crate::apply::Journal;
use crate::cli::{InitArgs, StoreName};
use crate::commands::flow;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Note, Plan};
use crate::provider::key_shape;
use crate::provider::{Destination, ProviderHeader};
use crate::secret::{Secret, key_owner};
use crate::session::context::{ProjectContext, how_to_store, slip_in_shell};
use crate::session::secrets;
use crate::session::typed;
use crate::stores::{PreparedStore, StoreKind, StoredSecret};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Why a key goes to `.env` without a question.
const CODESPACE_REASON: [&str; 2] = [
    "In a codespace the key is stored in .env, which git ignores and only this codespace has.",
    "`--store codespaces` makes it a secret for every codespace of this repository.",
];

const WITHOUT_A_KEYRING: [&str; 2] = [
    "There is no keyring here: the key is stored in .env, which git ignores and only you can read.",
    "`--store` chooses another place.",
];

/// A key and where it is stored.
#[derive(Debug)]
pub(super) struct KeyChoice {
    /// `HONEYCOMB_API_KEY`
    pub(super) variable: String,
    /// The key, known to the redactor.
    pub(super) secret: Secret,
    /// The store it goes to after confirmation; `None` if it stays where it is.
    pub(super) store: Option<StoreKind>,
    /// The store that already holds it.
    pub(super) found_in: Option<StoreKind>,
}

/// Finds the key, or asks for it; `None` if it is provided from elsewhere.
///
/// # Errors
/// `key-missing` when there is none and no terminal; `key-shape` when the given text is not a key.
pub(super) fn choose(
    args: &InitArgs,
    destination: &Destination,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<(Option<KeyChoice>, Vec<Note>)> {
    let Some((header, variable)) = destination.secret() else {
        return Ok((None, Vec::new()));
    };
    if args.store == Some(StoreName::None) {
        if args.key_stdin {
            let text = "`--key-stdin` gives a key that `--store none` would drop";
            return Err(Error::new(ErrorCode::Usage, text).hint("leave out one of the two"));
        }
        let text = format!("key: none is stored; set {variable} where docker compose runs");
        return Ok((None, vec![Note::fact(text)]));
    }
    let wanted = args.store.and_then(StoreName::kind);
    if args.key_stdin {
        let store = store_for(variable, wanted, context, ui)?;
        let secret = ui.read_secret()?;
        let (key, notes) = accept_given_key(destination, variable, secret, store, ui)?;
        return Ok((Some(key), notes));
    }
    let survey = context.stores(ui.redactor()).survey(variable);
    let found = survey.found();
    if let Some((choice, note)) = keep_found_key(("key", variable), &found, wanted)? {
        return Ok((Some(choice), vec![note]));
    }
    if args.write.check || args.write.dry_run {
        return Ok((None, vec![Note::warning(survey.absence()).hint(how_to_store(variable))]));
    }
    if args.write.yes || !ui.interactive() {
        let mut error = Error::new(ErrorCode::KeyMissing, survey.absence())
            .hint("`--key-stdin` reads it from standard input")
            .hint("`--store none` if you set it yourself");
        error.hints.extend(slip_in_shell(context.shell, variable));
        let later = secrets::codespace_delay(context.shell);
        error.hints.extend(later.map(str::to_owned));
        return Err(error);
    }
    let store = store_for(variable, wanted, context, ui)?;
    let question = key_question(destination, header, ui);
    let (key, notes) = typed::ask(&question, "--key-stdin", ui, |secret, ui| {
        accept_given_key(destination, variable, secret, store, ui)
    })?;
    Ok((Some(key), notes))
}

/// Asks for another key after one was rejected; it goes to the same store.
///
/// # Errors
/// As [`choose`].
pub(super) fn ask_again(
    rejected: &KeyChoice,
    destination: &Destination,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<(KeyChoice, Vec<Note>)> {
    let variable = &rejected.variable;
    let usual_store = rejected.store.or(rejected.found_in).filter(|kind| !kind.is_shell_only());
    let store = store_for(variable, usual_store, context, ui)?;
    let question = format!("Another {} key (hidden)", destination.title);
    typed::ask(&question, "--key-stdin", ui, |secret, ui| {
        accept_given_key(destination, variable, secret, store, ui)
    })
}

/// Chooses the store before a key is pasted, so that the question is only asked if a store accepts the answer.
pub(super) fn store_for(
    variable: &str,
    wanted: Option<StoreKind>,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<StoreKind> {
    let stores = context.stores(ui.redactor());
    let store = match wanted {
        Some(store) => {
            stores.check_ready(store, variable)?;
            store
        }
        None => {
            let store = stores.default_for_new_key(flow::user_presence(ui))?;
            if store == StoreKind::Dotenv {
                let why = match Workspace::detect(context.shell) {
                    Workspace::Codespaces(_) => CODESPACE_REASON,
                    _ => WITHOUT_A_KEYRING,
                };
                why.iter().for_each(|line| ui.say(*line));
            }
            store
        }
    };
    if let Some(notice) = store.profile().notice {
        ui.say(notice);
    }
    Ok(store)
}

/// Prints where to create a key, and returns the question.
fn key_question(destination: &Destination, header: &ProviderHeader, ui: &mut Ui) -> String {
    let Some(provider) = crate::provider::find_provider(&destination.provider) else {
        return format!("Value of the header {} (hidden)", header.name);
    };
    let selects = match provider.name.as_str() {
        "honeycomb" => "; it selects the environment",
        _ => "",
    };
    ui.say(format!(
        "Create a key in {}, at {}{selects}.",
        provider.keys,
        destination.ui.as_deref().unwrap_or(&destination.endpoint)
    ));
    format!("{} key (hidden)", destination.title)
}

/// Keeps a stored key where it is, or copies it to the store that was named.
pub(super) fn keep_found_key(
    (what, variable): (&str, &str),
    found: &[StoredSecret],
    wanted: Option<StoreKind>,
) -> Result<Option<(KeyChoice, Note)>> {
    let in_wanted_store =
        wanted.and_then(|wanted| found.iter().find(|found| found.store == wanted));
    let Some(key) = in_wanted_store.or_else(|| found.first()) else {
        return Ok(None);
    };
    let is_honeycombs = key_owner(variable) == Some("Honeycomb");
    if let Some(mistake) = key_shape::never_sends(key.secret.expose()).filter(|_| is_honeycombs) {
        let text = format!("{variable} from {}: {}", key.place, mistake.message());
        return Err(Error::new(ErrorCode::KeyShape, text).hint(mistake.hint()));
    }
    let store = wanted.filter(|wanted| key.store != *wanted);
    if store == Some(StoreKind::Env) {
        return Err(Error::new(
            ErrorCode::StoreUnavailable,
            format!("{variable} is not set in this shell"),
        )
        .cause("a program cannot change the shell that started it")
        .hint(format!("`--store {}` keeps the key in {}", key.store.name(), key.place)));
    }
    let note = Note::fact(match store {
        None => format!("{what}: {} from {}", key.secret.masked(), key.place),
        Some(store) => format!(
            "{what}: {} from {}, to be stored in {}",
            key.secret.masked(),
            key.place,
            store.title()
        ),
    });
    let choice = KeyChoice {
        variable: variable.to_owned(),
        secret: key.secret.clone(),
        store,
        found_in: Some(key.store),
    };
    Ok(Some((choice, note)))
}

/// Accepts a key that was just given, after checking its shape.
fn accept_given_key(
    destination: &Destination,
    variable: &str,
    secret: Secret,
    store: StoreKind,
    ui: &mut Ui,
) -> Result<(KeyChoice, Vec<Note>)> {
    let secret = typed::strip_pasted_text(variable, secret, ui);
    if secret.is_empty() {
        return Err(Error::new(ErrorCode::KeyMissing, "no key was entered")
            .hint("`cruddur-ops init` asks again"));
    }
    let mut notes = Vec::new();
    if destination.provider == "honeycomb" {
        let reading = key_shape::read_key(secret.expose())?;
        notes.extend(reading.doubt().map(Note::warning));
    }
    notes.push(Note::fact(format!("key: {} goes to {}", secret.masked(), store.title())));
    let key =
        KeyChoice { variable: variable.to_owned(), secret, store: Some(store), found_in: None };
    Ok((key, notes))
}

/// Prepares the stores for the keys. All stored keys go to one place.
///
/// # Errors
/// When the store is known to refuse.
pub(super) fn prepare(
    answers: &InitAnswers,
    context: &ProjectContext,
    ui: &Ui,
) -> Result<PreparedStore> {
    let stored: Vec<&KeyChoice> = answers.keys().filter(|key| key.store.is_some()).collect();
    let secrets: Vec<(&str, &Secret)> =
        stored.iter().map(|key| (key.variable.as_str(), &key.secret)).collect();
    let stores = context.stores(ui.redactor());
    if let Some(store) = stored.iter().find_map(|key| key.store) {
        return Ok(stores.prepare(store, &secrets)?);
    }
    let mut prepared = PreparedStore::default();
    if answers.keys().any(|key| key.found_in == Some(StoreKind::Dotenv)) {
        prepared.plan = stores.hide(StoreKind::Dotenv).unwrap_or_else(|error| Plan {
            notes: vec![Note::warning(error.reason())],
            ..Plan::default()
        });
    }
    Ok(prepared)
}

/// Writes the plan and stores the keys: all of it or nothing. Returns a line about each key.
///
/// # Errors
/// As [`Journal::apply_then`], and when the store refuses or fails; says where the keys are if they were stored
/// nevertheless.
pub(super) fn write(
    plan: &Plan,
    journal: &Journal,
    answers: &InitAnswers,
    context: &ProjectContext,
    ui: &Ui,
) -> Result<Vec<String>> {
    let stored: Vec<&KeyChoice> = answers.keys().filter(|key| key.store.is_some()).collect();
    let secrets: Vec<(&str, &Secret)> =
        stored.iter().map(|key| (key.variable.as_str(), &key.secret)).collect();
    let in_file = answers.keys().filter(|key| key.is_in(StoreKind::Dotenv));
    let hidden: Vec<&str> = in_file.map(|key| key.variable.as_str()).collect();
    let Some(kind) = stored.iter().find_map(|key| key.store) else {
        return journal.apply_then(plan, "init", &hidden, || Ok(())).map(|()| Vec::new());
    };
    let mut is_stored = false;
    let written = journal.apply_then(plan, "init", &hidden, || {
        context.stores(ui.redactor()).set_all(kind, &secrets)?;
        is_stored = true;
        Ok(())
    });
    let names = secrets.iter().map(|(name, _)| *name);
    let place = kind.title();
    match written {
        Ok(()) => Ok(names.map(|name| format!("{name} stored in {place}")).collect()),
        Err(error) if is_stored => Err(names.fold(error, |error, name| {
            error.hint(format!(
                "{name} is stored in {place}: `cruddur-ops key forget --variable {name}` removes it"
            ))
        })),
        Err(error) => Err(error),
    }
}

impl KeyChoice {
    /// Returns whether this store holds the key once everything is written.
    fn is_in(&self, kind: StoreKind) -> bool {
        self.store.or(self.found_in) == Some(kind)
    }

    /// Returns whether the target store still lacks the key. A store that does not answer now is asked again when
    /// storing.
    pub(super) fn is_due(&self, context: &ProjectContext, ui: &Ui) -> bool {
        let stores = context.stores(ui.redactor());
        let lacks = |kind| stores.store(kind).lacks(&self.variable, &self.secret);
        self.store.is_some_and(|kind| lacks(kind).unwrap_or(true))
    }

    /// Returns whether the key was stored where it can be read only after the next start of the workspace.
    pub(super) fn comes_later(&self, context: &ProjectContext, ui: &Ui) -> bool {
        let stores = context.stores(ui.redactor());
        self.store.is_some_and(|store| !stores.store(store).reads_back())
            && stores.survey(&self.variable).under_run().is_none()
    }
}
