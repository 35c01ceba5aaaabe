//! `Secret`, which cannot be printed by accident, and the redactor that all output passes through.
//!
//! Does not know where secrets come from or where text goes.

mod assignment;
mod continuation;
mod known;
mod literals;
mod needles;
mod owners;
mod redacted_text;
mod secrecy;
mod shapes;
mod stated;
mod tokens;
mod view;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

pub use assignment::{AssignmentSyntax, hide_assigned_secrets};
pub use continuation::{ContinuedSecret, find_continued_secrets};
pub use known::{FoundSecret, KnownSecrets};
use needles::{SecretNeedles, SecretRange};
pub use owners::{is_written_out, key_owner};
pub use redacted_text::RedactedText;
pub(crate) use redacted_text::printable_json;
pub use secrecy::{
    Secrecy, classify_secrecy, ends_like_secret_name, is_secret, is_secret_name, looks_like_key,
};
use shapes::{SHAPED, SHAPES};
pub use shapes::{ShapedKey, find_keys};
use view::DecodedView;
pub(crate) use view::without_colours;

/// A secret value: no `Display`, a redacted `Debug`, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// Returns the value itself: only for a store, a request header or a child's environment.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the value is empty; an empty secret counts as missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns dots followed by the last four characters, or only dots if the value is short.
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

/// Replaces every known secret, and everything that looks like a provider's key, with a name in angle brackets.
///
/// Clones share one list, so that a secret added by one module is hidden in all output.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<Mutex<SecretNeedles>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Adds a secret, which is replaced with `<name>` from now on, in whatever form it is written.
    pub fn learn(&self, name: &str, secret: &Secret) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(name, secret);
    }

    /// Returns `text` without any secret: verbatim, percent-encoded, escaped, in base64 or hexadecimal, in another
    /// case, with invisible characters in it, or truncated.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let views = DecodedView::all(text);
        let mut found: Vec<SecretRange<'_>> = Vec::new();
        for view in &views {
            let shaped = SHAPES
                .find(&view.text)
                .into_iter()
                .map(|range| SecretRange { range, name: SHAPED });
            for secret in known.find(&view.text).into_iter().chain(shaped) {
                found.push(SecretRange { range: view.original(secret.range), ..secret });
            }
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(replace_secrets(text, found))
    }

    /// Returns `text` as the journal stores it: each known secret that it contains verbatim, and key-shaped text, is
    /// replaced.
    pub fn conceal(&self, text: &str) -> ConcealedText {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<SecretRange<'_>> = Vec::new();
        let mut add = |range: Range<usize>, name| {
            let overlaps = |known: &SecretRange<'_>| {
                known.range.start < range.end && range.start < known.range.end
            };
            if !found.iter().any(overlaps) {
                found.push(SecretRange { range, name });
            }
        };
        for (name, secret) in known.by_length() {
            for (at, secret) in text.match_indices(secret.expose()) {
                add(at..at + secret.len(), name.as_str());
            }
        }
        SHAPES.find_keys(text).into_iter().for_each(|range| add(range, SHAPED));
        found.sort_by_key(|secret| secret.range.start);
        let mut concealed = ConcealedText::default();
        let mut done = 0;
        for SecretRange { range, name } in found {
            concealed.text.push_str(&text[done..range.start]);
            let start = concealed.text.len();
            concealed.text.push_str(&format!("<{name}>"));
            let secret = Secret::new(&text[range.clone()]);
            concealed.secrets.push((start..concealed.text.len(), secret));
            done = range.end;
        }
        concealed.text.push_str(&text[done..]);
        concealed
    }

    /// Returns every known secret with its name.
    fn known(&self) -> Vec<(String, Secret)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_length().into_iter().cloned().collect()
    }

    /// Returns every known secret.
    pub fn known_secrets(&self) -> Vec<Secret> {
        self.known().into_iter().map(|(_, secret)| secret).collect()
    }
}

/// A text without its secrets.
#[derive(Debug, Clone, Default)]
pub struct ConcealedText {
    /// The text, with a name in angle brackets in place of each secret.
    pub text: String,
    /// The byte range of each name in the text, and the secret it stands for, in order.
    pub secrets: Vec<(Range<usize>, Secret)>,
}

/// Replaces everything found in `text` with a name; of overlapping secrets, the longest one's name is used.
fn replace_secrets(text: &str, mut found: Vec<SecretRange<'_>>) -> String {
    found.sort_by_key(|secret| {
        (secret.range.start, std::cmp::Reverse(secret.range.end), secret.name == SHAPED)
    });
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut rest = found.into_iter().peekable();
    while let Some(mut secret) = rest.next() {
        while let Some(next) = rest.next_if(|next| next.range.start < secret.range.end) {
            if secret.name == SHAPED {
                secret.name = next.name;
            }
            secret.range.end = secret.range.end.max(next.range.end);
        }
        out.push_str(&text[done..secret.range.start]);
        out.push_str(&format!("<{}>", secret.name));
        done = secret.range.end;
    }
    out + &text[done..]
}

#[cfg(test)]
mod tests;
