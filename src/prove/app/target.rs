//! Determines the address of each application: the one on the command line, or the one in its files.

use crate::consent::{Cleared, Outgoing};
use crate::error::Result;
use crate::session::application::find_address;
use crate::session::trust::{AskedConsent, withheld};
use crate::ui::Ui;

use super::AppProof;
use crate::prove::Climb;

/// The address of an application.
#[derive(Debug, Clone)]
pub(super) enum AppTarget {
    /// This address.
    Asked(Box<Cleared>),
    /// None: it serves no HTTP on this machine.
    Behind,
}

/// Determines the address of each application.
///
/// # Errors
/// `untrusted-host` for an address that contains a secret; when a question is interrupted.
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
