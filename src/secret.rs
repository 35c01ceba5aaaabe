//! `Secret`, which cannot be printed by accident, and the redactor that stands on every way out.
//!
//! Knows nothing of where secrets come from or where text goes.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;
use zeroize::Zeroizing;

/// A value that must not be seen: no `Display`, a redacted `Debug`, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value into custody.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself: for a store, a request header or a child's environment, and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// No character at all; such a secret counts as missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last four characters behind dots, or only dots where four would give too much away.
    pub fn masked(&self) -> String {
        let characters = self.0.chars().count();
        if characters < 16 {
            return "****".to_owned();
        }
        let tail: String = self.0.chars().skip(characters - 4).collect();
        format!("****{tail}")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(****)")
    }
}

/// Replaces every secret it was told of, and everything that looks like a provider's key, by a name in angle brackets.
///
/// Clones share one list, so a secret learned in one room is hidden in all.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<Mutex<Vec<(String, Secret)>>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// The name of a variable says that it holds a secret.
pub fn named(name: &str) -> bool {
    const MARKS: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];
    let name = name.to_ascii_uppercase();
    MARKS.iter().any(|mark| name.contains(mark))
}

/// Values shorter than this are not replaced: hiding every `a` of a text would hide the text.
const SHORTEST: usize = 8;

impl Redactor {
    /// From now on `secret` appears as `<name>`. Its percent-encoded and base64 forms are hidden too.
    pub fn learn(&self, name: &str, secret: &Secret) {
        let value = secret.expose();
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded =
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        for form in [value.to_owned(), encoded] {
            if !known.iter().any(|(_, have)| have.expose() == form) {
                known.push((name.to_owned(), Secret::new(form)));
            }
        }
        // A value that contains another must be replaced first.
        known.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.expose().len()));
    }

    /// `text` without any secret in it.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, secret) in known.iter() {
                if out.contains(secret.expose()) {
                    out = Cow::Owned(out.replace(secret.expose(), &format!("<{name}>")));
                }
            }
        }
        for (shape, replacement) in SHAPES.iter() {
            if let Cow::Owned(replaced) = shape.replace_all(&out, *replacement) {
                out = Cow::Owned(replaced);
            }
        }
        out
    }
}

impl Redactor {
    /// What a redacted text may have been: itself, or with one known secret where its name stands and where only a shape
    /// was recognised.
    pub fn reveal(&self, text: &str) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut candidates = vec![text.to_owned()];
        for (name, secret) in known.iter() {
            let named = text.replace(&format!("<{name}>"), secret.expose());
            candidates.push(named.replace(SHAPED, secret.expose()));
        }
        candidates
    }
}

/// Stands for a key that nobody told us of.
const SHAPED: &str = "<a secret>";

/// What a key looks like wherever it stands, so that one nobody told us of is hidden as well.
static SHAPES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\bhc[a-z](?:ik|ic)_[0-9a-z]{58}\b", "<a secret>"),
        (r"\bhc[a-z]mk_[0-9a-z]{26}:[0-9a-zA-Z]{32}\b", "<a secret>"),
        (r"\bdt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b", "<a secret>"),
        (r"\b(?:xaat|xapt)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<a secret>"),
        (r"\b[0-9a-f]{32,36}(?:FFFF)?NRAL\b", "<a secret>"),
        (r"\bglc_[A-Za-z0-9+/]{20,}={0,2}", "<a secret>"),
        (r#"(?i)((?:x-honeycomb-team|dd-api-key|signoz-ingestion-key|uptrace-dsn)["']?\s*[=:]\s*["']?)[^\s"'$,<>{}]{8,}"#, "${1}<a secret>"),
        (r#"(?i)(\b(?:Bearer|Basic|Api-Token|ApiKey)(?:%20| ))[^\s"'$,<>{}`]{20,}"#, "${1}<a secret>"),
        (r#"(?i)\b((?:HONEYCOMB_API_KEY|ROLLBAR_ACCESS_TOKEN|AWS_SECRET_ACCESS_KEY|GRAFANA_CLOUD_OTLP_CREDENTIALS|NEW_RELIC_LICENSE_KEY|DD_API_KEY|DYNATRACE_API_TOKEN|DASH0_AUTH_TOKEN|AXIOM_TOKEN|SIGNOZ_INGESTION_KEY|UPTRACE_DSN|ELASTIC_API_KEY)["']?\s*[=:]\s*["']?)[^\s"'$,<>{}]{8,}"#, "${1}<a secret>"),
    ]
    .into_iter()
    .filter_map(|(shape, replacement)| Some((Regex::new(shape).ok()?, replacement)))
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_replaced_by_its_name_in_every_form() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("p@ss word/1"));
        assert_eq!(
            redactor.redact("a p@ss word/1 b p%40ss%20word%2F1"),
            "a <KEY> b <KEY>"
        );
    }

    #[test]
    fn a_key_nobody_told_us_of_is_hidden_by_its_shape() {
        let key = format!("hcaik_{}", "0a".repeat(29));
        let redactor = Redactor::default();
        assert_eq!(redactor.redact(&format!("k {key}.")), "k <a secret>.");
        assert_eq!(
            redactor.redact("x-honeycomb-team=abcdEFGH1234567890abcd"),
            "x-honeycomb-team=<a secret>"
        );
        let reference = "x-honeycomb-team=${HONEYCOMB_API_KEY}";
        assert_eq!(redactor.redact(reference), reference);
    }

    #[test]
    fn a_redacted_text_can_be_revealed_by_whoever_knows_the_secret() {
        let (text, redactor) = (
            "x-honeycomb-team=abcdEFGH1234567890abcd",
            Redactor::default(),
        );
        let hidden = redactor.redact(text).into_owned();
        redactor.learn("KEY", &Secret::new("abcdEFGH1234567890abcd"));
        assert!(
            redactor
                .reveal(&hidden)
                .iter()
                .any(|candidate| candidate == text)
        );
    }

    #[test]
    fn debug_and_mask_do_not_give_it_away() {
        let secret = Secret::new("abcdefghijklmnopqrstuv");
        assert_eq!(format!("{secret:?}"), "Secret(****)");
        assert_eq!(secret.masked(), "****stuv");
        assert_eq!(Secret::new("short").masked(), "****");
    }
}
