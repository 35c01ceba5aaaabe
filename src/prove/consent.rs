//! Decides which of a service's traces may be sent, and ends the verdict of the others.

use crate::consent::{ClearedDestination, Objection, OutgoingRequest, RequestPart};
use crate::error::Result;
use crate::otlp::Exporter;
use crate::otlp::{Check, CheckStatus, FailureCode, Rung, ServiceVerdict};
use crate::session::trust::{AskedConsent, objection_advice};
use crate::ui::Ui;

use super::ladder;
use super::subject::ServiceUnderTest;

/// Checks that `subject` may send with `exporter`, or ends its verdict; before any lookup.
///
/// # Errors
/// When a question is interrupted.
pub(super) fn clear(
    subject: &ServiceUnderTest,
    exporter: &Exporter,
    verdict: &mut ServiceVerdict,
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Option<ClearedDestination>> {
    let texts: Vec<&[u8]> = subject.texts.iter().map(|text| text.expose().as_bytes()).collect();
    let outgoing = OutgoingRequest {
        url: &exporter.url,
        address: subject.at.clone().ok().flatten(),
        own_authority: exporter.certificate.is_some(),
        headers: &exporter.headers,
        supplied: &subject.supplied,
        texts: &texts,
    };
    Ok(match consent.clear(&outgoing, &subject.service, ui)? {
        Ok(cleared) => Some(cleared),
        Err(objection) => {
            withhold_verdict(verdict, &exporter.url, &objection);
            None
        }
    })
}

/// Ends a verdict because of `objection`; removes values that contain a secret in any form.
pub(super) fn withhold_verdict(
    verdict: &mut ServiceVerdict,
    url: &url::Url,
    objection: &Objection,
) {
    let origin = || url.origin().ascii_serialization();
    verdict.endpoint = if objection.is_in_host() {
        None
    } else if objection.parts.contains(&RequestPart::Path) {
        Some(origin())
    } else {
        verdict.endpoint.take()
    };
    if objection.parts.contains(&RequestPart::Body) {
        verdict.name = verdict.service.clone();
    }
    verdict.code = Some(FailureCode::UntrustedHost);
    let why = format!("{}; nothing was sent", objection.describe());
    verdict.check(
        Check::new(Rung::Reachable, CheckStatus::Fail, why).hint(objection_advice(objection)),
    );
    ladder::skip_rung(verdict, Rung::Accepted, "not sent");
}
