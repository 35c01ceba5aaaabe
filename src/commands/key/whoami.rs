//! `key whoami`: asks Honeycomb who owns the key and what it may do.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::SCHEMA_VERSION;
use crate::cli::KeyWhoamiArgs;
use crate::commands::RunOutcome;
use crate::commands::target::HoneycombTarget;
use crate::error::{Error, ErrorCode, Result};
use crate::net;
use crate::net::honeycomb::{self, WhoamiAnswer, WhoamiFailure};
use crate::otlp::whoami::{HoneycombKeyType, Whoami};
use crate::provider::{self, key_shape};
use crate::session::context::{ProjectContext, how_to_store, slip_in_shell};
use crate::stores::{StoredSecret, Stores};
use crate::ui::Ui;

/// The longest wait for the answer.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(10);

/// The document under `--json`.
#[derive(Serialize)]
struct WhoamiDocument<'a> {
    schema_version: u32,
    /// Honeycomb knows the key.
    known: bool,
    store: &'static str,
    endpoint: &'a str,
    region: Option<&'a str>,
    team: Option<&'a str>,
    /// Null for a Classic key as well.
    environment: Option<&'a str>,
    /// `ingest` or `configuration`.
    kind: Option<&'static str>,
    permissions: Vec<&'a str>,
    may_send: Option<bool>,
}

pub(super) fn run(
    args: &KeyWhoamiArgs,
    context: &ProjectContext,
    stores: &Stores,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let name = args.variable.variable.as_str();
    let mut target = HoneycombTarget::of(&args.target)?;
    if let Some(other) = provider::of_variable(name).filter(|provider| provider.name != "honeycomb")
    {
        let text =
            format!("{name} holds a key of {}: Honeycomb is not asked about it", other.title);
        return Err(Error::new(ErrorCode::NotHoneycombs, text)
            .hint("`cruddur-ops verify` sends a test trace with it"));
    }
    let survey = stores.survey(name);
    let Some(found) = survey.under_run() else {
        let mut error =
            Error::new(ErrorCode::KeyMissing, survey.absence()).hint(how_to_store(name));
        error.hints.extend(slip_in_shell(context.shell, name));
        return Err(error);
    };
    if let Some(mistake) = key_shape::never_sends(found.secret.expose()) {
        let text = format!("{name} from {}: {}", found.place, mistake.message());
        return Err(Error::new(ErrorCode::KeyShape, text).hint(mistake.hint()));
    }
    let mut answer = ask_key_owner(&target, name, &found, ui)?;
    let is_open = args.target.region.is_none() && args.target.endpoint.is_none();
    let mut refused = Vec::new();
    // A key does not show its region: all are tried unless one was named.
    if let (Err(WhoamiFailure::Rejected(_)), true) = (&answer, is_open)
        && let Some(other_target) = target.in_other_region()
    {
        match ask_key_owner(&other_target, name, &found, ui)? {
            Ok(whoami) => {
                target = other_target;
                answer = Ok(whoami);
            }
            Err(WhoamiFailure::Rejected(_)) => refused.push(other_target.address()),
            Err(WhoamiFailure::Unanswered(_)) => {}
        }
    }
    match answer {
        Ok(whoami) => {
            print_key_owner(&whoami, &target, &found, ui);
            ui.document(&whoami_document(Some(&whoami), &target, &found))?;
            Ok(RunOutcome::Yes)
        }
        Err(WhoamiFailure::Rejected(words)) => {
            ui.error(&rejected_key_error(&target, &refused, &words));
            ui.document(&whoami_document(None, &target, &found))?;
            Ok(RunOutcome::No)
        }
        Err(WhoamiFailure::Unanswered(words)) => Err(Error::new(
            ErrorCode::NoAnswer,
            format!("{} did not say who owns the key", target.host()),
        )
        .cause(words)),
    }
}

/// Asks the target, if the key may go there; nothing is looked up before that is decided.
fn ask_key_owner(
    target: &HoneycombTarget,
    variable: &str,
    found: &StoredSecret,
    ui: &mut Ui,
) -> Result<WhoamiAnswer> {
    let cleared = target.clear(variable, &found.secret, ui)?;
    let deadline = Instant::now() + ANSWER_TIME_LIMIT;
    net::block_on(honeycomb::ask_honeycomb_whoami(&cleared, &found.secret, deadline))
}

/// Returns the error for a key that neither the target nor the other regions know.
fn rejected_key_error(target: &HoneycombTarget, others: &[String], words: &str) -> Error {
    let (status, message) = words.split_once(": ").unwrap_or((words, words));
    let places = std::iter::once(target.address()).chain(others.iter().cloned());
    let places_text = places.collect::<Vec<_>>().join(" and ");
    let text = format!("Honeycomb does not know this key ({status} from {places_text})");
    let error = Error::new(ErrorCode::KeyRejected, text).cause(message);
    match target.other_region() {
        Some(_) if !others.is_empty() => {
            error.hint("`cruddur-ops key status` shows every place that holds a key")
        }
        Some(other) => error.hint(format!(
            "`cruddur-ops key whoami --region {}` tries the {} region",
            other.name,
            other.name.to_uppercase()
        )),
        None => error,
    }
}

fn print_key_owner(whoami: &Whoami, target: &HoneycombTarget, found: &StoredSecret, ui: &mut Ui) {
    ui.result_text(&whoami.describe());
    let region = target
        .region
        .map_or_else(String::new, |region| format!("region {}, ", region.name.to_uppercase()));
    ui.result(format!("{region}{}", target.address()));
    ui.result_text(&format!("{} in {}", found.secret.masked(), found.place));
    if !whoami.may_send() {
        ui.warn(
            "this key may not send events",
            Some("create an ingest key, or give this one the permission to send"),
        );
    }
}

fn whoami_document<'a>(
    whoami: Option<&'a Whoami>,
    target: &'a HoneycombTarget,
    found: &StoredSecret,
) -> WhoamiDocument<'a> {
    WhoamiDocument {
        schema_version: SCHEMA_VERSION,
        known: whoami.is_some(),
        store: found.store.name(),
        endpoint: target.base.as_str(),
        region: target.region.map(|region| region.name.as_str()),
        team: whoami.map(|whoami| whoami.team.as_str()),
        environment: whoami
            .map(|whoami| whoami.environment.as_str())
            .filter(|environment| !environment.is_empty()),
        kind: whoami.map(|whoami| match whoami.kind {
            HoneycombKeyType::Ingest => "ingest",
            HoneycombKeyType::Configuration => "configuration",
        }),
        permissions: whoami
            .map(|whoami| whoami.permissions.iter().map(String::as_str).collect())
            .unwrap_or_default(),
        may_send: whoami.map(Whoami::may_send),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TargetArgs;

    #[test]
    fn a_key_of_the_other_region_gets_a_hint_to_ask_there() {
        for (region_name, endpoint, hint) in [
            ("us", "https://api.honeycomb.io", "whoami --region eu`"),
            ("eu", "https://api.eu1.honeycomb.io", "whoami --region us`"),
        ] {
            let args = TargetArgs {
                region: Some(region_name.to_owned()),
                endpoint: None,
                trust_host: Vec::new(),
            };
            let error = rejected_key_error(
                &HoneycombTarget::of(&args).unwrap(),
                &[],
                "401: unknown API key",
            );
            assert_eq!(error.cause.as_deref(), Some("unknown API key"));
            assert!(error.message.contains(endpoint), "{error}");
            assert!(error.hints[0].contains(hint), "{error:?}");
        }
    }
}
