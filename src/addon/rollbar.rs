//! Rollbar's test item, and the meaning of its response.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{AddonOutcome, describe_answer, refusal_code};
use crate::otlp::FailureCode;
use crate::otlp::response::HttpAnswer;
use crate::otlp::trace::encode_hex;
use crate::secret::Secret;

/// The environment of every test item, so that they can be filtered; Rollbar groups them into one item.
pub(crate) const ENVIRONMENT: &str = "cruddur-ops-verify";

/// An item of level `debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RollbarItem {
    /// The id: 32 lower-case hex digits.
    pub uuid: String,
    service: String,
    sent: Duration,
}

impl RollbarItem {
    /// Returns an item of `service` at `now` (since 1970), with an id from `random`.
    pub(crate) fn new(service: &str, now: Duration, random: [u64; 2]) -> Self {
        Self {
            uuid: random.map(|bits| encode_hex(&bits.to_be_bytes())).concat(),
            service: service.to_owned(),
            sent: now,
        }
    }

    /// Returns the request's body; the token goes in a header.
    pub(crate) fn text(&self) -> String {
        let data = json!({
            "environment": ENVIRONMENT,
            "level": "debug",
            "timestamp": self.sent.as_secs(),
            "uuid": self.uuid,
            "fingerprint": ENVIRONMENT,
            "title": "cruddur-ops verify",
            "body": {"message": {
                "body": "cruddur-ops verify: a test item, safe to resolve",
                "service": self.service,
            }},
            "notifier": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        });
        json!({ "data": data }).to_string()
    }

    /// Returns the meaning of a response. Rollbar repeats an unknown token, which is cut out before anything is
    /// quoted.
    pub(crate) fn read(&self, answer: &HttpAnswer, token: &Secret) -> AddonOutcome {
        let text = String::from_utf8_lossy(&answer.body);
        let body = if token.is_empty() {
            text.into_owned()
        } else {
            text.replace(token.expose(), "<ROLLBAR_ACCESS_TOKEN>")
        };
        let answer = HttpAnswer { body: body.into_bytes(), ..answer.clone() };
        if answer.status != 200 {
            return AddonOutcome::Refused(refusal_code(answer.status), describe_answer(&answer));
        }
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match json["err"].as_u64() {
            Some(0) => {}
            Some(_) => {
                return AddonOutcome::Refused(
                    FailureCode::RequestRejected,
                    describe_answer(&answer),
                );
            }
            None => {
                let text =
                    format!("{}, which is not an answer of Rollbar's", describe_answer(&answer));
                return AddonOutcome::Refused(FailureCode::UnknownAnswer, text);
            }
        }
        let known = json["result"]["uuid"].as_str().unwrap_or_default();
        if known.replace('-', "").eq_ignore_ascii_case(&self.uuid) {
            return AddonOutcome::Taken(format!(
                "item {} taken; it counts as one occurrence, in the environment {ENVIRONMENT}",
                self.uuid
            ));
        }
        let text = "200 for another item than ours".to_owned();
        AddonOutcome::Refused(FailureCode::UnknownAnswer, text)
    }
}

/// Returns the URL to which rollbar's package posts items if configured with `endpoint`: without a trailing slash,
/// the last path segment is replaced.
pub(crate) fn items_url(endpoint: &str) -> Option<Url> {
    let url = Url::parse(endpoint).ok()?.join("item/").ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status,
            content_type: Some("application/json".to_owned()),
            location: None,
            body: body.as_bytes().to_vec(),
            oversized: false,
        }
    }

    fn read(status: u16, body: &str) -> AddonOutcome {
        let item = RollbarItem::new("api", Duration::from_secs(1), [1, 2]);
        item.read(&answer(status, body), &Secret::new("0123456789abcdef"))
    }

    #[test]
    fn only_our_own_item_counts_as_taken() {
        let own_trace = "0000-000000000001-0000000000000002";
        let taken = |uuid: &str| format!(r#"{{"err":0,"result":{{"id":null,"uuid":"{uuid}"}}}}"#);
        assert!(matches!(read(200, &taken(own_trace)), AddonOutcome::Taken(_)));
        for (status, body, code) in [
            (200, taken("ff").as_str(), FailureCode::UnknownAnswer),
            (200, "<html>", FailureCode::UnknownAnswer),
            (200, r#"{"err":1,"message":"no"}"#, FailureCode::RequestRejected),
            (302, "", FailureCode::Redirected),
            (401, "{}", FailureCode::KeyRejected),
            (404, "{}", FailureCode::UnknownAnswer),
            (413, "{}", FailureCode::RequestRejected),
            (422, r#"{"err":1,"message":"Invalid format."}"#, FailureCode::RequestRejected),
            (429, "{}", FailureCode::Throttled),
            (502, "", FailureCode::ServerError),
        ] {
            let got = read(status, body);
            assert!(matches!(got, AddonOutcome::Refused(found, _) if found == code), "{got:?}");
        }
    }

    #[test]
    fn a_token_that_is_repeated_is_cut_out_even_where_the_text_is_shortened() {
        let long = "x".repeat(190);
        let body = format!(r#"{{"err":1,"message":"{long} 0123456789abcdef"}}"#);
        let AddonOutcome::Refused(_, text) = read(403, &body) else { panic!("taken") };
        assert!(!text.contains("0123"), "{text}");
    }

    #[test]
    fn items_go_where_the_package_sends_them() {
        for (endpoint, url) in [
            ("https://api.rollbar.com/api/1/", "https://api.rollbar.com/api/1/item/"),
            ("http://127.0.0.1:1/api/1", "http://127.0.0.1:1/api/item/"),
        ] {
            assert_eq!(items_url(endpoint).unwrap().as_str(), url);
        }
        assert!(items_url("rollbar").is_none() && items_url("ftp://rollbar/").is_none());
    }
}
