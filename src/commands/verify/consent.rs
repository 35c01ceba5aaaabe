//! May this host see the key? Those that were vouched for, and whoever is asked.

use crate::commands::trust::{host, is_in, is_safe};
use crate::error::Result;
use crate::net::route::Route;
use crate::otlp::hint::hint;
use crate::otlp::{Check, Code, Rung, ServiceVerdict, Status};
use crate::provider;
use crate::ui::Ui;

use super::ladder;
use super::subject::Subject;

/// What is wrong with the host of a route.
pub(super) fn stranger(route: &Route) -> &'static str {
    match provider::owner(&host(route)) {
        Some(_) => "belongs to another provider than the key",
        None => "belongs to no provider known here",
    }
}

/// The hosts that were vouched for, on the command line or at the prompt.
#[derive(Debug)]
pub(super) struct Consent {
    trusted: Vec<String>,
    refused: Vec<String>,
}

impl Consent {
    /// Vouched for by `--trust-host`.
    pub(super) fn new(hosts: &[String]) -> Self {
        Self { trusted: hosts.to_vec(), refused: Vec::new() }
    }

    /// Whether `subject` may send what it carries over `route`; asks where somebody can answer, once for each host.
    ///
    /// # Errors
    /// When the question is interrupted.
    pub(super) fn given(&mut self, subject: &Subject, route: &Route, ui: &mut Ui) -> Result<bool> {
        let safe = !subject.carries_secret || is_safe(route, &subject.secrets);
        Ok(safe || self.vouched(&subject.service, route, stranger(route), ui)?)
    }

    /// Whether somebody vouches for the host of `route`, to which `service` sends a secret; `stranger` says what is wrong
    /// with it.
    ///
    /// # Errors
    /// When the question is interrupted.
    pub(super) fn vouched(
        &mut self,
        service: &str,
        route: &Route,
        stranger: &str,
        ui: &mut Ui,
    ) -> Result<bool> {
        let host = host(route);
        if is_in(&self.trusted, &host) {
            return Ok(true);
        }
        if is_in(&self.refused, &host) || !ui.interactive() {
            return Ok(false);
        }
        let plain = match route.url.scheme() {
            "http" => ", unencrypted",
            _ => "",
        };
        let question =
            format!("{service} sends its key to {host}{plain}, which {stranger}. Send it?");
        let flag = format!("--trust-host {host}");
        let yes = ui.confirm(&question, &flag, false)?;
        let list = match yes {
            true => &mut self.trusted,
            false => &mut self.refused,
        };
        list.push(host);
        Ok(yes)
    }
}

/// Ends a verdict because the host, a `stranger`, may not see the key.
pub(super) fn withhold(verdict: &mut ServiceVerdict, route: &Route, stranger: &str) {
    let host = host(route);
    let why = match route.url.scheme() {
        "http" => format!("the key would go to {host} unencrypted; nothing was sent"),
        _ => format!("{host} {stranger}; nothing was sent"),
    };
    verdict.code = Some(Code::UntrustedHost);
    verdict.check(
        Check::new(Rung::Reachable, Status::Fail, why).hint(hint(Code::UntrustedHost, &host)),
    );
    ladder::skip(verdict, Rung::Accepted, "not sent");
}
