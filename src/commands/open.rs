//! `open`: the project's traces, in the browser.

use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::query::build_link;
use super::{RunOutcome, browser};
use crate::cli::{GlobalOptions, OpenArgs, TargetArgs};
use crate::compose::{ComposeModel, ServiceModel};
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::query::Query;
use crate::provider::{Destination, RecognisedProvider, is_same_address};
use crate::session::context::{ProjectContext, unknown_service};
use crate::session::current_destination::{
    CurrentDestination, find_current_destinations, find_endpoint, list_accounts,
};
use crate::session::instrumentation::read_instrumentation;
use crate::shell::Shell;
use crate::ui::{PaintedLine, Ui};

/// The whole result under `--json`.
#[derive(Serialize)]
struct OpenedDocument<'a> {
    schema_version: u32,
    provider: &'a str,
    url: &'a str,
    /// Whether a browser was started with it.
    opened: bool,
}

/// The time range of the traces that are shown.
const SHOWN_TIME_RANGE: Duration = Duration::from_secs(2 * 60 * 60);

/// Runs `open`.
///
/// # Errors
/// `not-configured` if no service sends to a provider with web pages; `unknown-service`; `no-browser`.
pub(super) fn run(
    args: &OpenArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let context = ProjectContext::find(shell, global.directory.as_deref())?;
    let model = context.project.model()?;
    if let Some(name) = args.service.as_ref().filter(|name| model.service(name).is_none()) {
        return Err(unknown_service(name, model));
    }
    let known = find_provider(args, &context, model)?;
    let destination = find_account(model, &known);
    let pages = destination.and_then(|destination| destination.ui).ok_or_else(|| {
        let text = format!("this program knows no web pages of {}", known.provider.title);
        Error::new(ErrorCode::NotConfigured, text)
            .hint("`cruddur-ops status` shows where each service sends")
    })?;
    let url = match known.provider.name.as_str() {
        "honeycomb" => {
            let names = list_names(args, &context, model);
            let target =
                TargetArgs { region: find_region(args, model, &known), ..args.target.clone() };
            match build_link(&Query::roots(SHOWN_TIME_RANGE, names), &target, global, shell, ui)? {
                Ok(link) => link,
                Err(missing) => {
                    let text = format!("no link to the traces: {}", missing.why);
                    ui.warn(&text, missing.remedy);
                    pages.clone()
                }
            }
        }
        _ => pages.clone(),
    };
    let url = check_link(&url, &pages)?;
    let may_open = ui.interactive() && ui.is_result_on_terminal() && !args.print && !ui.is_json();
    let opened = may_open
        && browser::open(url.as_str(), shell)
            .inspect_err(|error| ui.warn(&error.message, None))
            .is_ok();
    if opened {
        ui.say(PaintedLine::from("opened ") + PaintedLine::link(url.as_str()))
    } else {
        ui.result(PaintedLine::link(url.as_str()))
    }
    ui.document(&OpenedDocument {
        schema_version: 1,
        provider: &known.provider.title,
        url: url.as_str(),
        opened,
    })?;
    Ok(RunOutcome::Yes)
}

/// Returns the provider of the chosen service, else of the first service that sends to a known one.
fn find_provider(
    args: &OpenArgs,
    context: &ProjectContext,
    model: &ComposeModel,
) -> Result<RecognisedProvider> {
    let found = find_current_destinations(context, model);
    let is_meant = |name: &str| args.service.as_ref().is_none_or(|service| service == name);
    let mut known = found.iter().filter(|(name, _)| is_meant(name));
    if let Some(provider) = known.clone().find_map(|(_, used)| used.provider()) {
        return Ok(provider.clone());
    }
    let error = |text: String| Error::new(ErrorCode::NotConfigured, text);
    Err(match (known.next(), &args.service) {
        (Some((name, CurrentDestination::Local)), _) => {
            error(format!("{name} sends to `listen` on this machine, not to a provider"))
                .hint("`cruddur-ops listen --web` shows what arrives there as a page")
        }
        (Some((name, used)), _) => error(format!(
            "this program knows no web pages of {}, where {name} sends",
            used.describe()
        ))
        .hint("`cruddur-ops status` shows where each service sends"),
        (None, Some(name)) => error(format!("{name} is told nowhere to send traces"))
            .hint(format!("`cruddur-ops init --service {name}` sets it up")),
        (None, None) => error("no service is told where to send traces".to_owned())
            .hint("`cruddur-ops init` sets them up"),
    })
}

/// Returns the provider's destination that a service sends to, else its first one.
fn find_account(model: &ComposeModel, known: &RecognisedProvider) -> Option<Destination> {
    let mut accounts = list_accounts(known);
    let endpoints: Vec<String> =
        model.services.iter().filter_map(|service| find_endpoint(model, service)).collect();
    let is_used = |destination: &Destination| {
        endpoints.iter().any(|endpoint| is_same_address(endpoint, &destination.endpoint))
    };
    match accounts.iter().position(is_used) {
        Some(at) => Some(accounts.swap_remove(at)),
        None => accounts.into_iter().next(),
    }
}

/// Returns the region to ask for the owner of the key: that of the flag, else the current destination's.
fn find_region(
    args: &OpenArgs,
    model: &ComposeModel,
    known: &RecognisedProvider,
) -> Option<String> {
    if args.target.region.is_some() || args.target.endpoint.is_some() {
        return args.target.region.clone();
    }
    let used = find_account(model, known)?;
    let mut regions = known.provider.regions.iter();
    regions.find(|region| region.endpoint == used.endpoint).map(|region| region.name.clone())
}

/// Returns the names under which the selected services are traced.
fn list_names(args: &OpenArgs, context: &ProjectContext, model: &ComposeModel) -> Vec<String> {
    let is_meant = |service: &&ServiceModel| match &args.service {
        Some(name) => service.name == *name,
        None => find_endpoint(model, service).is_some(),
    };
    let names = model.services.iter().filter(is_meant).map(|service| {
        let read = read_instrumentation(&context.project, service, model.plain());
        let name = read.environment.get("OTEL_SERVICE_NAME");
        name.map_or_else(|| service.name.clone(), |name| name.expose().to_owned())
    });
    names.collect()
}

/// Checks that a link uses TLS and leads to the host of the provider's pages.
fn check_link(link: &str, pages: &str) -> Result<Url> {
    let parse = |text: &str| Url::parse(text).ok();
    let is_right = |link: &Url, pages: &Url| {
        link.scheme() == "https"
            && link.host_str() == pages.host_str()
            && link.port().is_none()
            && link.username().is_empty()
            && link.password().is_none()
    };
    let checked = parse(link).zip(parse(pages)).filter(|(link, pages)| is_right(link, pages));
    checked.map(|(link, _)| link).ok_or_else(|| {
        Error::new(ErrorCode::Internal, "the link does not lead to the provider's own pages")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_providers_own_pages_are_opened() {
        let pages = "https://ui.honeycomb.io";
        for link in ["https://ui.honeycomb.io/t/environments/e?query=%7B%7D", pages] {
            assert!(check_link(link, pages).is_ok(), "{link}");
        }
        for link in [
            "http://ui.honeycomb.io/",
            "https://ui.honeycomb.io.example/",
            "https://me@ui.honeycomb.io/",
            "https://ui.honeycomb.io:8443/",
            "javascript:alert(1)",
            "--help",
        ] {
            assert!(check_link(link, pages).is_err(), "{link}");
        }
    }
}
