//! Asks the user whether secrets may be sent, if consent alone does not allow it, and explains what was withheld.

use crate::consent::{ClearedDestination, Consent, Objection, OutgoingRequest, TrustedSecrets};
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::FailureCode;
use crate::otlp::hint::hint_for_code;
use crate::secret::KnownSecrets;
use crate::ui::Ui;
use crate::ui::prompt::DefaultAnswer;

/// Consent extended by the user's answers; each question is asked once.
#[derive(Debug)]
pub(crate) struct AskedConsent {
    consent: Consent,
    refused: Vec<(String, TrustedSecrets)>,
}

impl AskedConsent {
    /// Returns consent with the known secrets and the hosts of `--trust-host`.
    pub(crate) fn new(secrets: KnownSecrets, trusted: &[String]) -> Self {
        Self { consent: Consent::new(secrets, trusted), refused: Vec::new() }
    }

    /// Decides whether the request may be sent, asking if there is a terminal; `sender` names what sends it.
    ///
    /// # Errors
    /// When the question is interrupted.
    pub(crate) fn clear(
        &mut self,
        outgoing: &OutgoingRequest<'_>,
        sender: &str,
        ui: &mut Ui,
    ) -> Result<std::result::Result<ClearedDestination, Objection>> {
        let objection = match self.consent.review(outgoing) {
            Ok(cleared) => return Ok(Ok(cleared)),
            Err(objection) => objection,
        };
        let refused = (objection.host.clone(), objection.kinds());
        if objection.is_in_host() || !ui.interactive() || self.refused.contains(&refused) {
            return Ok(Err(objection));
        }
        let question = format!("{sender}: {}. Send it?", objection.describe());
        if !ui.confirm(&question, &trust_flag(&objection), DefaultAnswer::No)? {
            self.refused.push(refused);
            return Ok(Err(objection));
        }
        self.consent.allow(&objection);
        Ok(self.consent.review(outgoing))
    }
}

/// Returns the flag that trusts the host of an objection.
fn trust_flag(objection: &Objection) -> String {
    format!("--trust-host {}", objection.host)
}

/// Returns what can be done about an objection.
pub(crate) fn objection_advice(objection: &Objection) -> Option<String> {
    if objection.is_in_host() {
        Some(format!(
            "remove {} from the address: looking up the name would reveal it",
            objection.names().join(" and ")
        ))
    } else {
        hint_for_code(FailureCode::UntrustedHost, &objection.host)
    }
}

/// Returns the error when a command cannot continue without sending.
pub(crate) fn withheld_error(objection: &Objection) -> Error {
    let error =
        Error::new(ErrorCode::UntrustedHost, format!("{}; nothing was sent", objection.describe()));
    if objection.is_in_host() {
        error.hint(objection_advice(objection).unwrap_or_default())
    } else {
        error.hint(format!("`{}` sends it there", trust_flag(objection)))
    }
}
