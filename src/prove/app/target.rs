//! Determines the address of each application: the one on the command line, or the one in its files.

use crate::compose::{ComposeModel, ServiceModel};
use crate::consent::{ClearedDestination, OutgoingRequest};
use crate::error::Result;
use crate::session::application::{AppAddress, find_address, find_live_address};
use crate::session::trust::{AskedConsent, withheld_error};
use crate::ui::Ui;

use super::AppProof;
use crate::prove::LadderClimb;

/// The address of an application.
#[derive(Debug, Clone)]
pub(super) enum AppTarget {
    /// This address.
    Asked(Box<ClearedDestination>),
    /// No address to request, for this reason.
    Unreachable(&'static str),
}

/// Determines the address of each application.
///
/// # Errors
/// `untrusted-host` for an address that contains a secret; when a question is interrupted.
pub(super) fn find_targets(
    proof: &AppProof<'_>,
    climbs: &[LadderClimb],
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Vec<AppTarget>> {
    let context = proof.context;
    let model = context.project.model()?;
    let mut targets = Vec::new();
    for climb in climbs {
        let url = match &proof.app.url {
            Some(url) => Some(url.clone()),
            None => match model.service(&climb.subject.service) {
                Some(service) if !is_enabled(proof, model, service) => {
                    targets.push(AppTarget::Unreachable("its profile is not enabled"));
                    continue;
                }
                Some(service) => address(proof, service).and_then(|found| found.url().parse().ok()),
                None => None,
            },
        };
        targets.push(match url {
            Some(url) => {
                let cleared = consent.clear(&OutgoingRequest::to(&url), "--app", ui)?;
                AppTarget::Asked(Box::new(cleared.map_err(|objection| withheld_error(&objection))?))
            }
            None => AppTarget::Unreachable("it publishes no known port that speaks HTTP"),
        });
    }
    Ok(targets)
}

/// Returns the address of a service: where docker published its port, or where its files say.
fn address(proof: &AppProof<'_>, service: &ServiceModel) -> Option<AppAddress> {
    let live = proof.containers.and_then(|containers| {
        find_live_address(proof.context, service, &containers.published(&service.name))
    });
    live.or_else(|| find_address(proof.context, service))
}

/// Returns whether docker compose starts a service by default, or it runs.
fn is_enabled(proof: &AppProof<'_>, model: &ComposeModel, service: &ServiceModel) -> bool {
    let mut enabled =
        model.plain().get("COMPOSE_PROFILES").unwrap_or_default().split(',').map(str::trim);
    service.profiles.is_empty()
        || enabled.any(|name| name == "*" || service.profiles.iter().any(|profile| profile == name))
        || proof.containers.is_some_and(|all| all.is_running(&service.name))
}
