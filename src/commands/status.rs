//! `status`: shows provider, key, services, ports and the last verdict on one screen.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::RunOutcome;
use crate::compose::{Classification, ComposeModel, ServiceModel, classify_service};
use crate::error::Result;
use crate::instrumentation::{SdkProblem, SdkProblemKind, SpanSource};
use crate::plan::gitpod;
use crate::provider;
use crate::session::context::{HONEYCOMB_KEY, ProjectContext, how_to_store};
use crate::session::current_destination::{CurrentDestination, find_current_destinations};
use crate::session::instrumentation::read_instrumentation;
use crate::session::last_verdict::{LastVerdict, ServiceProgress, load_verdict, name_destinations};
use crate::stores::{StoreKind, Stores, UnderCompose};
use crate::ui::text::{count_columns, describe_age};
use crate::ui::{TextRole, Ui};
use crate::workspace::listening::{self, PortReach};

/// The document under `--json`.
#[derive(Serialize)]
struct StatusDocument {
    schema_version: u32,
    /// The destinations of the services: names of providers, or addresses of unknown owners.
    providers: Vec<String>,
    /// The same in a sentence.
    #[serde(skip)]
    shown_providers: Vec<String>,
    keys: Vec<KeyStatus>,
    services: Vec<ServiceStatus>,
    ports: Vec<PortStatus>,
    verified: Option<VerdictStatus>,
}

/// A secret that the project needs.
#[derive(Serialize)]
struct KeyStatus {
    variable: String,
    /// The store whose value `run` passes to the child, or null.
    #[serde(serialize_with = "serialize_store")]
    store: Option<StoreKind>,
    /// The last characters of the value.
    masked: Option<String>,
    /// Whether `docker compose` finds the value without `run`.
    compose_takes_it: bool,
}

fn serialize_store<S: Serializer>(
    store: &Option<StoreKind>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    store.map(StoreKind::name).serialize(to)
}

#[derive(Serialize)]
struct ServiceStatus {
    service: String,
    /// Whether the service has a destination.
    wired: bool,
    /// Whether `init` would set it up.
    #[serde(skip)]
    is_due: bool,
    /// `service.name` of its spans, if the compose files set it.
    name: Option<String>,
    /// Whether its spans have no name.
    #[serde(skip)]
    lacks_name: bool,
    /// Its instrumentation, as in `init --json`.
    instrumented: &'static str,
    /// The evidence for its role.
    evidence: String,
}

#[derive(Serialize)]
struct PortStatus {
    port: u16,
    service: String,
    /// The entry in `.gitpod.yml`: `public` or `private`; null without an entry.
    configured: Option<&'static str>,
    listening: bool,
}

#[derive(Serialize)]
struct VerdictStatus {
    age_seconds: u64,
    /// The services that send elsewhere now, so that the verdict does not hold for them.
    outdated: Vec<String>,
    #[serde(flatten)]
    verdict: LastVerdict,
}

/// Runs `status`.
///
/// # Errors
/// When the compose project cannot be read.
pub(super) fn run(context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    let model = context.project.model()?;
    let destinations = find_current_destinations(context, model);
    let wired: HashSet<&str> = destinations.iter().map(|(name, _)| *name).collect();
    let document = StatusDocument {
        schema_version: 1,
        providers: name_providers(&destinations, CurrentDestination::shown),
        shown_providers: name_providers(&destinations, CurrentDestination::describe),
        keys: find_keys(model, context.stores(ui.redactor()), &destinations),
        services: model
            .services
            .iter()
            .map(|service| {
                let wired = wired.contains(service.name.as_str());
                describe_service(context, model, service, wired)
            })
            .collect(),
        ports: describe_ports(context, model),
        verified: context.journal(ui.redactor()).ok().and_then(|journal| {
            let verdict = load_verdict(&journal)?;
            let outdated = find_outdated(&verdict, &destinations, ui);
            Some(VerdictStatus { age_seconds: verdict.age().as_secs(), outdated, verdict })
        }),
    };
    for refusal in model.lasting_refusals() {
        ui.warn(
            format!("docker compose will not load this project: {}", refusal.text),
            Some("`cruddur-ops doctor` shows the line"),
        );
    }
    show_status(&document, ui);
    ui.document(&document)?;
    Ok(RunOutcome::Yes)
}

/// Returns the services whose destination is not the one that was tried.
fn find_outdated(
    verdict: &LastVerdict,
    destinations: &[(&str, CurrentDestination)],
    ui: &Ui,
) -> Vec<String> {
    let current = name_destinations(destinations, ui.redactor());
    let is_outdated = |tried: &&ServiceProgress| {
        tried.destination.is_some()
            && tried.destination.as_ref() != current.get(tried.service.as_str())
    };
    verdict.services.iter().filter(is_outdated).map(|tried| tried.service.clone()).collect()
}

fn name_providers(
    destinations: &[(&str, CurrentDestination)],
    name: impl Fn(&CurrentDestination) -> &str,
) -> Vec<String> {
    let mut providers: Vec<String> = Vec::new();
    for (_, destination) in destinations {
        let provider = destination.provider().map(|known| known.provider.title.clone());
        let text = match (destination, provider) {
            (CurrentDestination::Collector(_), Some(title)) => {
                format!("{title}, through a collector")
            }
            (_, Some(title)) => title,
            (known, None) => name(known).to_owned(),
        };
        if !providers.contains(&text) {
            providers.push(text);
        }
    }
    providers
}

/// Returns the secrets that the compose files refer to. If there are none, it is Honeycomb's key, unless everything is
/// sent to `listen`, which takes no key.
fn find_keys(
    model: &ComposeModel,
    stores: &Stores,
    destinations: &[(&str, CurrentDestination)],
) -> Vec<KeyStatus> {
    let required = crate::session::secrets::asked_for(model);
    let named = provider::secret_variables();
    let mut names: Vec<&str> = named.into_iter().filter(|name| required.contains(*name)).collect();
    let is_local = |(_, to): &(&str, CurrentDestination)| *to == CurrentDestination::Local;
    let is_kept_here = !destinations.is_empty() && destinations.iter().all(is_local);
    if names.is_empty() && !is_kept_here {
        names.push(HONEYCOMB_KEY);
    }
    let status = |name: &str| {
        let survey = stores.survey(name);
        let found = survey.under_run();
        KeyStatus {
            variable: name.to_owned(),
            store: found.as_ref().map(|found| found.store),
            masked: found.map(|found| found.secret.masked()),
            compose_takes_it: matches!(survey.under_compose(), UnderCompose::Store(_)),
        }
    };
    names.into_iter().map(status).collect()
}

fn describe_service(
    context: &ProjectContext,
    model: &ComposeModel,
    service: &ServiceModel,
    wired: bool,
) -> ServiceStatus {
    let Classification { evidence, traced, .. } =
        classify_service(service, context.project.sources());
    let instrumentation = read_instrumentation(&context.project, service, model.plain());
    let settings = instrumentation.settings();
    let lacks_name = |problem: &SdkProblem| problem.kind == SdkProblemKind::NameMissing;
    ServiceStatus {
        service: service.name.clone(),
        wired,
        lacks_name: instrumentation.source != SpanSource::Unknown
            && settings.problems.iter().any(lacks_name),
        name: settings.service_name,
        is_due: traced && !wired,
        instrumented: instrumentation.source.as_str(),
        evidence,
    }
}

fn describe_ports(context: &ProjectContext, model: &ComposeModel) -> Vec<PortStatus> {
    let published = context.published(model);
    let configured = context.configured_ports();
    let ports: Vec<u16> = published.iter().map(|published| published.port).collect();
    let listening: BTreeMap<u16, PortReach> = listening::find_listening_ports(&ports);
    let status = |port: u16, service: String| PortStatus {
        port,
        service,
        configured: gitpod::entry_in_force(&configured, port)
            .map(|entry| entry.visibility.as_str()),
        listening: listening.contains_key(&port),
    };
    published.into_iter().map(|published| status(published.port, published.service)).collect()
}

fn show_status(document: &StatusDocument, ui: &mut Ui) {
    let providers = match document.shown_providers.as_slice() {
        [] => "no service is told where to send traces: `cruddur-ops init` sets them up".to_owned(),
        providers => providers.join("; "),
    };
    show_status_row("provider", &providers, ui);
    for key in &document.keys {
        show_status_row("key", &describe_key(key), ui);
    }
    show_status_heading("services", ui);
    for service in &document.services {
        show_status_row(&format!("  {}", service.service), &describe_wiring(service), ui);
    }
    if !document.ports.is_empty() {
        show_status_heading("ports", ui);
    }
    for port in &document.ports {
        let listening = if port.listening { "listening" } else { "nothing listens" };
        let visibility = port.configured.map(|word| format!(", {word} in .gitpod.yml"));
        let text = format!("{}, {listening}{}", port.service, visibility.unwrap_or_default());
        show_status_row(&format!("  {}", port.port), &text, ui);
    }
    show_status_heading("verified", ui);
    match &document.verified {
        None => show_status_row("  never", "`cruddur-ops verify` proves that spans arrive", ui),
        Some(VerdictStatus { verdict, outdated, .. }) => {
            for progress in &verdict.services {
                let is_outdated = outdated.contains(&progress.service);
                let text = describe_progress(progress, verdict.age(), is_outdated);
                show_status_row(&format!("  {}", progress.service), &text, ui);
            }
        }
    }
}

/// Describes the last result of a service, how old it is, and whether it holds for today's destination.
fn describe_progress(progress: &ServiceProgress, age: Duration, is_outdated: bool) -> String {
    let reached = match &progress.silent_application {
        Some(url) => format!("the application did not answer at {url}"),
        None => progress.proven.describe().to_owned(),
    };
    let code = progress.code.as_ref().map(|code| format!(" ({code})"));
    let before = progress
        .destination
        .as_ref()
        .filter(|_| is_outdated)
        .map(|tried| format!(", when it sent to {tried}: `cruddur-ops verify` proves it anew"));
    format!(
        "{reached}{}, {}{}",
        code.unwrap_or_default(),
        describe_age(age),
        before.unwrap_or_default()
    )
}

fn show_status_heading(text: &str, ui: &mut Ui) {
    ui.result(TextRole::Strong.paint(text));
}

/// The first character of the second column.
const COLUMN: usize = 22;

fn show_status_row(head: &str, text: &str, ui: &mut Ui) {
    if count_columns(head) < COLUMN - 1 {
        ui.result_after(format!("{head:<0$} ", COLUMN - 1), text, COLUMN);
    } else {
        ui.result(head);
        ui.result_after(" ".repeat(COLUMN), text, COLUMN);
    }
}

fn describe_key(key: &KeyStatus) -> String {
    match (&key.masked, key.store) {
        (Some(masked), Some(store)) => {
            let run = if key.compose_takes_it {
                ""
            } else {
                ", which `cruddur-ops run -- docker compose up` hands over"
            };
            format!("{} {masked} in {}{run}", key.variable, store.title())
        }
        _ => format!("{} is not stored: {}", key.variable, how_to_store(&key.variable)),
    }
}

fn describe_wiring(service: &ServiceStatus) -> String {
    if !service.wired {
        return match service.instrumented {
            "code" | "agent" => "sends spans, but its environment does not say where to".to_owned(),
            _ if service.is_due => format!("not set up yet ({})", service.evidence),
            _ => format!("not traced ({})", service.evidence),
        };
    }
    let name = match &service.name {
        Some(name) if *name != service.service => format!(" as {name}"),
        None if service.lacks_name => " without its own name".to_owned(),
        _ => String::new(),
    };
    match service.instrumented {
        "code" => format!("traced{name}, by its code"),
        "agent" => format!("traced{name}, by OpenTelemetry's agent"),
        "vendor" => format!("set up{name}, but it has another vendor's tracer"),
        "nothing" => format!("set up{name}, but nothing in it sends spans"),
        _ => format!("set up{name}; its files do not show what sends spans"),
    }
}
