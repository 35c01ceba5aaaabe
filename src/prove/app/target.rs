//! Where each application is asked: at the address that was given, or at the one that its files name.

use crate::consent::{Cleared, Outgoing};
use crate::error::Result;
use crate::session::application::find_address;
use crate::session::trust::{AskedConsent, withheld};
use crate::ui::Ui;

use super::AppProof;
use crate::prove::Climb;

/// Where an application is asked.
#[derive(Debug, Clone)]
pub(super) enum AppTarget {
    /// At this address.
    Asked(Box<Cleared>),
    /// Nowhere: nothing of it answers HTTP on this machine.
    Behind,
}

/// Finds where each application is asked.
///
/// # Errors
/// `untrusted-host` for an address that tells a secret; an interrupted question.
pub(super) fn find_targets(
    proof: &AppProof<'_>,
    climbs: &[Climb],
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Vec<AppTarget>> {
    let place = proof.place;
    let model = place.project.model()?;
    let mut targets = Vec::new();
    for climb in climbs {
        let url = match &proof.app.url {
            Some(url) => Some(url.clone()),
            None => model
                .service(&climb.subject.service)
                .and_then(|service| find_address(place, service)?.url().parse().ok()),
        };
        targets.push(match url {
            Some(url) => {
                let cleared = consent.clear(&Outgoing::to(&url), "--app", ui)?;
                AppTarget::Asked(Box::new(cleared.map_err(|objection| withheld(&objection))?))
            }
            None => AppTarget::Behind,
        });
    }
    Ok(targets)
}
