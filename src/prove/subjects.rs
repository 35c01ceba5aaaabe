//! Determines the services to prove, and the values of the variables in their environments.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::compose::{ComposeModel, ProjectVariables, RunDifference, ServiceModel};
use crate::error::{Error, ErrorCode, Result};
use crate::instrumentation::read_headers;
use crate::otlp::ExportHeader;
use crate::provider;
use crate::secret::Secret;
use crate::session::context::{ProjectContext, unknown_service};
use crate::session::instrumentation::read_instrumentation;
use crate::stores::Stores;
use crate::ui::Ui;

use super::collector;
use super::request::ProofRequest;
use super::subject::{EffectiveSettings, ServiceUnderTest};

/// The placeholder for a key when nothing leaves this machine.
const PLACEHOLDER: &str = "placeholder-key";

/// The treatment of a key that has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingKeyPolicy {
    /// Report it in the service's verdict.
    Reported,
    /// Replace it by a placeholder, as nothing leaves this machine.
    Replaced,
}

/// Returns every requested service, or every service with an OTLP endpoint; `stored` holds the values that `run`
/// would pass on.
///
/// # Errors
/// `unknown-service`; when the project cannot be read.
pub(super) fn find(
    request: &ProofRequest,
    missing_keys: MissingKeyPolicy,
    context: &ProjectContext,
    stored: &BTreeMap<String, Secret>,
    ui: &Ui,
) -> Result<Vec<ServiceUnderTest>> {
    let project = &context.project;
    let model = project.model()?;
    for name in &request.services {
        if model.service(name).is_none() {
            return Err(unknown_service(name, model));
        }
    }
    let variables = model.under_run(stored.clone());
    let placeholders = match missing_keys {
        MissingKeyPolicy::Replaced => placeholder_variables(model, &variables),
        MissingKeyPolicy::Reported => BTreeSet::new(),
    };
    let placeholder_values =
        placeholders.iter().cloned().map(|name| (name, Secret::new(PLACEHOLDER)));
    let variables = model.under_run(stored.clone().into_iter().chain(placeholder_values).collect());
    let names: Vec<&str> = stored.keys().map(String::as_str).collect();
    let differing = model.differences(&variables, &names);
    let mut subjects = Vec::new();
    let refusals = model.refusals(&variables);
    for service in &model.services {
        let effective = EffectiveSettings::new(model, service, &variables, &placeholders);
        if is_named(request, model, service).unwrap_or_else(|| effective.is_traced()) {
            let instrumentation = read_instrumentation(project, service, &variables);
            let effective = effective.read_by(instrumentation);
            effective.teach(ui.redactor());
            let subject = effective.subject(project, refusals.first());
            let mut subject = collector::follow(subject, &effective, project, ui.redactor());
            for difference in
                differing.iter().filter(|difference| difference.service == service.name)
            {
                warn_about(difference, &mut subject, context.stores(ui.redactor()), ui);
            }
            subjects.push(subject);
        }
    }
    Ok(subjects)
}

/// Returns the error when there is nothing to prove.
pub(super) fn nothing_to_prove_error(context: &ProjectContext) -> Error {
    Error::new(
        ErrorCode::NotConfigured,
        format!("no service of {} sends traces", context.root().display()),
    )
    .hint("`cruddur-ops init` sets them up")
}

/// Returns whether the command line names `service`; `None` if it names no service.
pub(super) fn is_named(
    request: &ProofRequest,
    model: &ComposeModel,
    service: &ServiceModel,
) -> Option<bool> {
    let address = request.application.as_ref().and_then(|app| app.url.as_ref());
    let published = address.and_then(|url| service_behind_url(url, model));
    match (request.services.as_slice(), published) {
        ([], None) => None,
        ([], Some(name)) => Some(name == service.name),
        (names, _) => Some(names.contains(&service.name)),
    }
}

/// Returns the service that publishes the port of `url`.
fn service_behind_url<'a>(url: &Url, model: &'a ComposeModel) -> Option<&'a str> {
    let port = url.port_or_known_default()?;
    let mut services = model.services.iter();
    let service = services.find(|service| {
        let mut hosts = service.ports.iter().filter_map(|published| published.host.as_ref());
        hosts.any(|range| range.contains(&port))
    })?;
    Some(&service.name)
}

/// Warns that docker compose without `run` would send another value.
fn warn_about(
    difference: &RunDifference,
    subject: &mut ServiceUnderTest,
    stores: &Stores,
    ui: &Ui,
) {
    let uses = difference.plain.uses.iter().chain(&difference.under_run.uses);
    let mut notes = uses.flat_map(|variable_use| stores.survey(&variable_use.name).disagreements());
    if let Some(note) = notes.next() {
        subject.warn(&note.text, note.hint);
        return;
    }
    let name = &difference.plain.name;
    let value = difference.plain.value.known().unwrap_or_default();
    let headers = read_headers(value);
    for ExportHeader { name, value } in &headers {
        ui.redactor().learn(name, value);
    }
    let text = if headers.iter().any(|header| header.value.is_empty()) {
        "with plain `docker compose` it would send no key".to_owned()
    } else {
        format!("with plain `docker compose` it would have another {name}")
    };
    let hint = "`cruddur-ops run -- docker compose up --build` uses the stored key";
    subject.warn(&text, Some(hint.to_owned()));
}

/// Returns every variable that a header needs and that has no value.
fn placeholder_variables(model: &ComposeModel, variables: &ProjectVariables) -> BTreeSet<String> {
    let none = BTreeSet::new();
    let lacks = |name: &&str| variables.get(name).is_none_or(str::is_empty);
    let secrets = provider::secret_variables();
    let mut names: BTreeSet<String> =
        secrets.into_iter().filter(lacks).map(str::to_owned).collect();
    for service in &model.services {
        names.extend(EffectiveSettings::new(model, service, variables, &none).lacking());
    }
    names
}
