//! `key status`: lists every place that holds the key, which one wins, and what is wrong with that.

use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::cli::KeyStatusArgs;
use crate::commands::RunOutcome;
use crate::error::Result;
use crate::plan::Note;
use crate::provider::key_shape;
use crate::secret::Secret;
use crate::session::context::{ProjectContext, how_to_store};
use crate::session::current_destination::find_current_destinations;
use crate::session::secrets;
use crate::shell::Shell;
use crate::stores::{SecretSurvey, StoreAnswer, StoreKind, Stores, UnderCompose};
use crate::ui::Ui;

/// The document under `--json`.
#[derive(Serialize)]
struct KeyStatusDocument<'a> {
    schema_version: u32,
    variable: &'a str,
    stores: Vec<StoreAnswerRow>,
    /// The store whose value `docker compose` uses without `run`, `empty`, or null.
    compose_takes: Option<&'static str>,
    /// The store whose value `run` passes to the child, or null.
    run_takes: Option<&'static str>,
    warnings: Vec<KeyWarning>,
}

#[derive(Serialize)]
struct StoreAnswerRow {
    store: &'static str,
    place: String,
    /// `held`, `missing`, `unavailable` or `failed`.
    state: &'static str,
    /// The last characters of the key.
    masked: Option<String>,
    key: Option<&'static str>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct KeyWarning {
    text: String,
    hint: Option<String>,
}

pub(super) fn run(
    args: &KeyStatusArgs,
    context: &ProjectContext,
    stores: &Stores,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let name = args.variable.variable.as_str();
    let survey = stores.survey(name);
    let mut warnings = survey.warnings();
    warnings.extend(stores.shared_names());

    let rows: Vec<StoreAnswerRow> = survey.answers.iter().map(store_row).collect();
    ui.result(name);
    for row in &rows {
        let head = format!("  {:<12}", row.store);
        ui.result_after(&head, &format_store_row(row, &survey), head.len());
    }
    for warning in &warnings {
        ui.note(warning);
    }
    // `key status` works without a readable project.
    let model = context.project.model();
    let is_named = model.map_or(true, |model| secrets::asked_for(model).contains(name));
    if !is_named && survey.under_run().is_some() {
        let is_set_up = context
            .project
            .model()
            .is_ok_and(|model| !find_current_destinations(context, model).is_empty());
        let advice = if is_set_up { "" } else { ": `cruddur-ops init` adds it" };
        ui.say(format!(
            "no compose file names {}, so `run` passes it to no service{advice}",
            survey.variable
        ));
    } else {
        print_key_advice(&survey, context.shell, ui);
    }
    if let Some(note) = context.key_advice(name) {
        ui.note(&note);
    }
    let held = survey.under_run();
    ui.document(&KeyStatusDocument {
        schema_version: SCHEMA_VERSION,
        variable: name,
        stores: rows,
        compose_takes: compose_takes(&survey),
        run_takes: survey.handed_over().filter(|_| is_named).map(|found| found.store.name()),
        warnings: warnings.into_iter().map(KeyWarning::from).collect(),
    })?;
    Ok(if held.is_some() { RunOutcome::Yes } else { RunOutcome::No })
}

fn store_row(answer: &StoreAnswer) -> StoreAnswerRow {
    let (state, secret, reason) = match &answer.held {
        Ok(Some(secret)) => ("held", Some(secret), None),
        Ok(None) => ("missing", None, None),
        Err(error @ crate::stores::StoreError::NotAvailable { .. }) => {
            ("unavailable", None, Some(error.reason().to_owned()))
        }
        Err(error) => ("failed", None, Some(error.reason().to_owned())),
    };
    StoreAnswerRow {
        store: answer.store.name(),
        place: answer.place.clone(),
        state,
        masked: secret.map(Secret::masked),
        key: secret
            .and_then(|secret| key_shape::read_key(secret.expose()).ok())
            .map(|reading| reading.name()),
        reason,
    }
}

fn format_store_row(row: &StoreAnswerRow, survey: &SecretSurvey) -> String {
    let state = match (&row.masked, &row.reason) {
        (Some(masked), _) => format!("{masked}  {}", row.place),
        (None, Some(reason)) => format!("-         {reason}"),
        (None, None) => format!("-         nothing in {}", row.place),
    };
    if compose_takes(survey) == Some(row.store) {
        format!("{state}  <- used by docker compose")
    } else {
        state
    }
}

fn compose_takes(survey: &SecretSurvey) -> Option<&'static str> {
    match survey.under_compose() {
        UnderCompose::Store(kind) => Some(kind.name()),
        UnderCompose::Empty => Some("empty"),
        UnderCompose::Nothing => None,
    }
}

/// Prints how the services get the key.
fn print_key_advice(survey: &SecretSurvey, shell: &Shell, ui: &mut Ui) {
    match (survey.under_run(), survey.under_compose()) {
        (None, _) => {
            ui.say(format!("{}: {}", survey.absence(), how_to_store(&survey.variable)));
            secrets::show_codespace_delay(shell, ui);
        }
        (Some(found), UnderCompose::Nothing) => ui.say(format!(
            "docker compose does not look into {} by itself: `cruddur-ops run -- docker compose up --build`",
            found.store.title()
        )),
        (Some(found), _) if found.store == StoreKind::Env => {}
        (Some(found), _) => ui.detail(format!("`run` uses the one in {}", found.place)),
    }
}

impl From<Note> for KeyWarning {
    fn from(note: Note) -> Self {
        Self { text: note.text, hint: note.hint }
    }
}
