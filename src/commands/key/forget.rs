//! `key forget`: removes every copy of the key, and says which ones are left.

use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::cli::KeyForgetArgs;
use crate::commands::RunOutcome;
use crate::error::{Error, ErrorCode, Result};
use crate::session::context::{HONEYCOMB_KEY, ProjectContext};
use crate::stores::{StoreError, StoreKind, StoredSecret, Stores};
use crate::ui::Ui;
use crate::ui::prompt::DefaultAnswer;

/// The result, under `--json`.
#[derive(Serialize)]
struct KeyForgetDocument<'a> {
    schema_version: u32,
    variable: &'a str,
    /// The stores that held the key.
    held: Vec<&'static str>,
    /// The stores that no longer hold it.
    forgotten: Vec<&'static str>,
    /// The stores that may still hold it, because they did not answer or failed to remove it.
    failed: Vec<FailedStore>,
}

#[derive(Serialize)]
struct FailedStore {
    store: &'static str,
    reason: String,
}

/// The copies to remove.
struct CopiesToForget {
    /// Copies that were found.
    seen: Vec<StoredSecret>,
    /// A copy at GitHub, whose presence cannot be checked.
    at_github: bool,
    /// Stores that did not say whether they hold a copy.
    unanswered: Vec<StoreError>,
}

pub(super) fn run(
    args: &KeyForgetArgs,
    project: &ProjectContext,
    stores: &Stores,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let name = args.variable.variable.as_str();
    let copies = CopiesToForget::new(args, stores, name)?;
    let mut document = KeyForgetDocument {
        schema_version: SCHEMA_VERSION,
        variable: name,
        held: copies.seen.iter().map(|found| found.store.name()).collect(),
        forgotten: Vec::new(),
        failed: Vec::new(),
    };
    for found in &copies.seen {
        ui.say(format!("  {}  {}", found.secret.masked(), found.place));
    }
    if copies.at_github {
        ui.say(format!(
            "  {name} may be among {}, too",
            describe_store_place(stores, StoreKind::Codespaces)
        ));
    }
    let agreed = copies.ask(args, ui)?;
    let mut failures = copies.unanswered.clone();
    let seen = copies.seen.iter().filter(|_| agreed.seen).map(|found| found.store);
    for store in seen {
        failures.extend(forget_copy(store, stores, &mut document, ui).err());
    }
    if document.forgotten.contains(&StoreKind::Dotenv.name()) && !names_env_file(project) {
        failures.extend(stores.remove_empty_env_file().err());
    }
    if agreed.at_github {
        failures.extend(forget_copy(StoreKind::Codespaces, stores, &mut document, ui).err());
    }
    let is_shown = args.write.dry_run || args.write.check;
    let nothing = copies.seen.is_empty() && !copies.at_github;
    if nothing {
        let absence = match args.store {
            Some(kind) => {
                format!("{name} is not in {}", kind.title())
            }
            None if failures.is_empty() => format!("{name} is not stored"),
            None => stores.survey(name).absence(),
        };
        ui.result_text(&absence);
    } else if is_shown {
        ui.result(format!("{name} would be forgotten"));
    } else if !agreed.seen && !agreed.at_github {
        ui.result(format!("{name} stays"));
    }
    if !is_shown {
        print_remaining_copies(args, &agreed, stores, ui);
    }
    document.failed.extend(failures.iter().map(|failure| FailedStore {
        store: failure.store().name(),
        reason: failure.reason().to_owned(),
    }));
    ui.document(&document)?;
    match combine_store_errors(name, failures) {
        Some(error) => Err(error),
        None if nothing || args.write.dry_run => Ok(RunOutcome::Yes),
        None if copies.is_covered(&agreed) => Ok(RunOutcome::Yes),
        None => Ok(RunOutcome::No),
    }
}

/// Returns whether a service reads `.env` by `env_file`, so that docker compose would refuse the project without it.
fn names_env_file(project: &ProjectContext) -> bool {
    let path = project.root().join(".env");
    project.project.model().map_or(true, |model| {
        let mut files = model.services.iter().flat_map(|service| &service.env_files);
        files.any(|file| file.path == path)
    })
}

/// The copies that the user agreed to remove.
struct AgreedRemoval {
    seen: bool,
    at_github: bool,
}

impl CopiesToForget {
    /// Collects the copies. A variable of the shell is included only if the shell store is named, as only the shell
    /// can remove it.
    fn new(args: &KeyForgetArgs, stores: &Stores, name: &str) -> Result<Self> {
        let Some(kind) = args.store else {
            let survey = stores.survey(name);
            let (shells, seen): (Vec<_>, Vec<_>) =
                survey.found().into_iter().partition(|found| found.store.is_shell_only());
            return Ok(Self {
                seen,
                at_github: shells.iter().any(|found| found.store == StoreKind::Codespaces),
                unanswered: survey.failures().cloned().collect(),
            });
        };
        let store = stores.store(kind);
        let at_github = !store.reads_back();
        if kind == StoreKind::Env {
            store.forget(name)?;
        }
        let seen = if at_github { None } else { store.get(name)? };
        let found = |secret| StoredSecret { store: kind, place: store.place(), secret };
        Ok(Self { seen: seen.map(found).into_iter().collect(), at_github, unanswered: Vec::new() })
    }

    /// Asks for confirmation of what was found, and again for the copy at GitHub, which other codespaces use too.
    fn ask(&self, args: &KeyForgetArgs, ui: &mut Ui) -> Result<AgreedRemoval> {
        let (name, write) = (&args.variable.variable, &args.write);
        let mut ask = |wanted: bool, question: String| -> Result<bool> {
            let is_shown = write.dry_run || write.check;
            Ok(wanted
                && !is_shown
                && (write.yes || ui.confirm(&question, "--yes", DefaultAnswer::No)?))
        };
        let seen = ask(
            !self.seen.is_empty(),
            format!("Forget {name}? Honeycomb shows the secret of an ingest key only once"),
        )?;
        let at_github = ask(
            self.at_github,
            format!("Remove {name} at GitHub too, from your Codespaces secrets?"),
        )?;
        if at_github && write.yes && args.store.is_none() {
            ui.say("`--yes` covers the copy at GitHub too");
        }
        Ok(AgreedRemoval { seen, at_github })
    }

    fn is_covered(&self, agreed: &AgreedRemoval) -> bool {
        (self.seen.is_empty() || agreed.seen) && (!self.at_github || agreed.at_github)
    }
}

/// Removes one copy.
fn forget_copy(
    kind: StoreKind,
    stores: &Stores,
    document: &mut KeyForgetDocument,
    ui: &mut Ui,
) -> Result<(), StoreError> {
    let (name, place) = (document.variable, describe_store_place(stores, kind));
    let is_unseen = !stores.store(kind).reads_back();
    if stores.store(kind).forget(name)? {
        if is_unseen {
            document.held.push(kind.name());
        }
        document.forgotten.push(kind.name());
        ui.result_text(&format!("{name} is no longer in {place}"));
        if is_unseen {
            ui.say("a running codespace has it until it is stopped");
        }
    } else if is_unseen {
        ui.result_text(&format!("{name} is not in {place}"));
    } else {
        document.forgotten.push(kind.name());
        ui.result_text(&format!("{name} was already gone from {place}"));
    }
    Ok(())
}

fn describe_store_place(stores: &Stores, kind: StoreKind) -> String {
    stores.store(kind).place()
}

/// Prints where copies may remain.
fn print_remaining_copies(
    args: &KeyForgetArgs,
    agreed: &AgreedRemoval,
    stores: &Stores,
    ui: &mut Ui,
) {
    let name = args.variable.variable.as_str();
    if args.store.is_none()
        && !agreed.at_github
        && stores.check_ready(StoreKind::Codespaces, name).is_ok()
    {
        let command = match name {
            HONEYCOMB_KEY => "`cruddur-ops key forget --store codespaces`".to_owned(),
            name => format!("`cruddur-ops key forget --store codespaces --variable {name}`"),
        };
        ui.say(format!(
            "your Codespaces secrets cannot be listed from here: if they hold one, {command} removes it"
        ));
    }
    let survey = stores.survey(name);
    for warning in survey.disagreements() {
        ui.note(&warning);
    }
    if let Some(note) = survey.left_in_shell() {
        ui.note(&note);
    }
}

/// Combines the failures into one error.
fn combine_store_errors(name: &str, failures: Vec<StoreError>) -> Option<Error> {
    if failures.len() < 2 {
        return failures.into_iter().next().map(StoreError::into_plain_error);
    }
    let stores: Vec<&str> = failures.iter().map(|failure| failure.store().title()).collect();
    let error = Error::new(
        ErrorCode::StoreFailed,
        format!("{name} may still be in {}", stores.join(" and ")),
    );
    let single: Vec<Error> = failures.into_iter().map(StoreError::into_plain_error).collect();
    let causes: Vec<String> = single
        .iter()
        .map(|error| match &error.cause {
            Some(cause) => format!("{}: {cause}", error.message),
            None => error.message.clone(),
        })
        .collect();
    let hints = single.into_iter().flat_map(|error| error.hints);
    Some(hints.fold(error.cause(causes.join("; ")), Error::hint))
}
