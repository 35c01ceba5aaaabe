//! `key whoami`: ask Honeycomb whose key it is and what it may do.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::SCHEMA_VERSION;
use crate::cli::KeyWhoamiArgs;
use crate::commands::Outcome;
use crate::error::{Error, Result};
use crate::net::honeycomb::{self, WhoamiFailure};
use crate::net::{self, route::Route};
use crate::otlp::whoami::{KeyKind, Whoami};
use crate::provider::{self, Provider};
use crate::stores::{Found, Stores};
use crate::ui::Ui;

/// How long to wait for the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The whole answer under `--json`.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    /// Honeycomb knows the key.
    known: bool,
    store: &'static str,
    endpoint: &'a str,
    region: Option<&'a str>,
    team: Option<&'a str>,
    /// Null for a Classic key too.
    environment: Option<&'a str>,
    /// `ingest` or `configuration`.
    kind: Option<&'static str>,
    permissions: Vec<&'a str>,
    may_send: Option<bool>,
}

/// Where to ask.
struct Target {
    base: Url,
    region: Option<&'static str>,
}

pub(super) fn run(args: &KeyWhoamiArgs, stores: &Stores, ui: &mut Ui) -> Result<Outcome> {
    let name = args.variable.variable.as_str();
    let target = target(args)?;
    let Some(found) = stores.survey(name).under_run() else {
        return Err(Error::new(
            "key-missing",
            format!("{name} is in no store and not in this shell"),
        )
        .hint("`cruddur-ops key set` stores it"));
    };
    match ask(&target, &found, &args.trust_host, ui)? {
        Ok(whoami) => {
            tell(&whoami, &target, &found, ui);
            ui.document(&document(Some(&whoami), &target, &found))?;
            Ok(Outcome::Yes)
        }
        Err(WhoamiFailure::Rejected(words)) => {
            ui.error(&rejected(&target, &words));
            ui.document(&document(None, &target, &found))?;
            Ok(Outcome::No)
        }
        Err(WhoamiFailure::Unanswered(words)) => Err(Error::new(
            "no-answer",
            format!("{} did not say whose the key is", host(&target.base)),
        )
        .cause(words)),
    }
}

fn target(args: &KeyWhoamiArgs) -> Result<Target> {
    if let Some(text) = &args.endpoint {
        let base = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                Error::new(
                    "endpoint-invalid",
                    format!("{text} is no address of a server"),
                )
                .hint("an address begins with https://")
            })?;
        let region = provider::of_host(&host(&base)).map(|(_, region)| region.name.as_str());
        return Ok(Target { base, region });
    }
    let honeycomb = honeycomb()?;
    let wanted = args.region.as_deref();
    let region = honeycomb
        .regions
        .iter()
        .find(|region| wanted.is_none_or(|wanted| region.name.eq_ignore_ascii_case(wanted)))
        .ok_or_else(|| {
            let names: Vec<&str> = honeycomb
                .regions
                .iter()
                .map(|region| region.name.as_str())
                .collect();
            Error::new(
                "unknown-region",
                format!("Honeycomb has no region {}", wanted.unwrap_or_default()),
            )
            .hint(format!("its regions are {}", names.join(" and ")))
        })?;
    let base = Url::parse(&region.endpoint)
        .map_err(|error| Error::new("internal", "the catalogue holds no address").cause(error))?;
    Ok(Target {
        base,
        region: Some(&region.name),
    })
}

fn honeycomb() -> Result<&'static Provider> {
    provider::find("honeycomb")
        .ok_or_else(|| Error::new("internal", "Honeycomb is not in the catalogue"))
}

/// Looks the host up first and sends the key only where it may go.
fn ask(
    target: &Target,
    found: &Found,
    trusted: &[String],
    ui: &mut Ui,
) -> Result<Result<Whoami, WhoamiFailure>> {
    let deadline = Instant::now() + LIMIT;
    let route = match net::block_on(Route::look_up(&target.base, deadline))? {
        Ok(route) => route,
        Err(failure) => return Ok(Err(WhoamiFailure::Unanswered(failure.evidence))),
    };
    trust(target, &route, trusted, ui)?;
    let deadline = Instant::now() + LIMIT;
    net::block_on(honeycomb::whoami_over(&route, &found.secret, deadline))
}

/// A key goes to Honeycomb over TLS, to this machine, or where the person says so.
fn trust(target: &Target, route: &Route, trusted: &[String], ui: &mut Ui) -> Result<()> {
    let host = host(&target.base);
    let own = target.region.is_some() && target.base.scheme() == "https";
    if own || route.is_loopback() || trusted.iter().any(|one| one.eq_ignore_ascii_case(&host)) {
        return Ok(());
    }
    let refused = Error::new(
        "untrusted-host",
        format!("{host} is not Honeycomb's: the key was not sent"),
    )
    .hint(format!("`--trust-host {host}` sends it there"));
    if !ui.interactive() {
        return Err(refused);
    }
    let question = format!("Send the key to {} ({})?", target.base, route.describe());
    if ui.confirm(&question, &format!("--trust-host {host}"), false)? {
        return Ok(());
    }
    Err(refused)
}

fn rejected(target: &Target, words: &str) -> Error {
    let error = Error::new(
        "key-rejected",
        format!(
            "Honeycomb does not know this key ({} from {})",
            words.split(':').next().unwrap_or_default(),
            address(&target.base)
        ),
    )
    .cause(words);
    let other = honeycomb()
        .ok()
        .zip(target.region)
        .and_then(|(honeycomb, asked)| {
            honeycomb.regions.iter().find(|region| region.name != asked)
        });
    match other {
        Some(other) => error.hint(format!(
            "`cruddur-ops key whoami --region {}` tries the {} region",
            other.name,
            other.name.to_uppercase()
        )),
        None => error,
    }
}

fn tell(whoami: &Whoami, target: &Target, found: &Found, ui: &mut Ui) {
    ui.result(whoami.describe());
    let region = target.region.map_or_else(String::new, |region| {
        format!("region {}, ", region.to_uppercase())
    });
    ui.result(format!("{region}{}", address(&target.base)));
    ui.result(format!("{} in {}", found.secret.masked(), found.place));
    if !whoami.may_send() {
        ui.warn(
            "this key may not send events",
            Some("make an ingest key, or give this one the permission to send"),
        );
    }
}

fn document<'a>(whoami: Option<&'a Whoami>, target: &'a Target, found: &Found) -> Document<'a> {
    Document {
        schema_version: SCHEMA_VERSION,
        known: whoami.is_some(),
        store: found.store.name(),
        endpoint: target.base.as_str(),
        region: target.region,
        team: whoami.map(|whoami| whoami.team.as_str()),
        environment: whoami
            .map(|whoami| whoami.environment.as_str())
            .filter(|environment| !environment.is_empty()),
        kind: whoami.map(|whoami| match whoami.kind {
            KeyKind::Ingest => "ingest",
            KeyKind::Configuration => "configuration",
        }),
        permissions: whoami
            .map(|whoami| whoami.permissions.iter().map(String::as_str).collect())
            .unwrap_or_default(),
        may_send: whoami.map(Whoami::may_send),
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Scheme, host and port, without a slash at the end.
fn address(url: &Url) -> String {
    url.origin().ascii_serialization()
}
