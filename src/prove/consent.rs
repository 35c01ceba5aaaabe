//! Decides which of a service's traces may be sent, and ends the verdict of the others.

use crate::consent::{Cleared, Objection, Outgoing, Part};
use crate::error::Result;
use crate::otlp::Exporter;
use crate::otlp::{Check, Code, Rung, ServiceVerdict, Status};
use crate::session::trust::{AskedConsent, advice};
use crate::ui::Ui;

use super::ladder;
use super::subject::Subject;

/// Checks that `subject` may send with `exporter`, or ends its verdict; before any lookup.
///
/// # Errors
/// When a question is interrupted.
pub(super) fn clear(
    subject: &Subject,
    exporter: &Exporter,
    verdict: &mut ServiceVerdict,
    consent: &mut AskedConsent,
    ui: &mut Ui,
) -> Result<Option<Cleared>> {
    let texts: Vec<&[u8]> = subject.texts.iter().map(|text| text.expose().as_bytes()).collect();
    let outgoing = Outgoing {
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
            withhold(verdict, &exporter.url, &objection);
            None
        }
    })
}

/// Ends a verdict because of `objection`; removes values that contain a secret in any form.
pub(super) fn withhold(verdict: &mut ServiceVerdict, url: &url::Url, objection: &Objection) {
    let origin = || url.origin().ascii_serialization();
    verdict.endpoint = match objection.is_in_host() {
        true => None,
        false if objection.parts.contains(&Part::Path) => Some(origin()),
        false => verdict.endpoint.take(),
    };
    if objection.parts.contains(&Part::Body) {
        verdict.name = verdict.service.clone();
    }
    verdict.code = Some(Code::UntrustedHost);
    let why = format!("{}; nothing was sent", objection.describe());
    verdict.check(Check::new(Rung::Reachable, Status::Fail, why).hint(advice(objection)));
    ladder::skip(verdict, Rung::Accepted, "not sent");
}
