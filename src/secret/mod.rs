//! `Secret`, which cannot be printed by accident, and the redactor that stands on every way out.
//!
//! Knows nothing of where secrets come from or where text goes.

mod known;
mod secrecy;
mod shapes;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use shapes::{SHAPED, SHAPES};

pub use known::{FoundSecret, KnownSecrets};
pub use secrecy::{Secrecy, is_secret, is_secret_name, looks_like_key, secrecy};

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

/// Values shorter than this are not replaced: hiding every `a` of a text would hide the text.
const SHORTEST: usize = 8;

/// What stands where a text was cut.
const ELLIPSES: [&str; 2] = ["\u{2026}", "..."];

/// `text` without the beginnings of secrets before each `mark`, and without their ends behind it.
fn without_remains(text: &str, mark: &str, known: &[(String, Secret)]) -> String {
    let mut parts: Vec<String> = text.split(mark).map(str::to_owned).collect();
    let last = parts.len() - 1;
    for (number, part) in parts.iter_mut().enumerate() {
        for (name, secret) in known {
            let name = format!("<{name}>");
            let cuts = secret.expose().char_indices().map(|(at, _)| at).rev();
            let begin = |at: &usize| part.ends_with(&secret.expose()[..*at]);
            if let Some(at) =
                cuts.filter(|at| *at >= SHORTEST).find(begin).filter(|_| number < last)
            {
                part.replace_range(part.len() - at.., &name);
            }
            let cuts = secret.expose().char_indices().map(|(at, _)| at);
            let rest = |at: &usize| secret.expose().len() - at;
            let end = |at: &usize| part.starts_with(&secret.expose()[*at..]);
            if let Some(at) =
                cuts.filter(|at| rest(at) >= SHORTEST).find(end).filter(|_| number > 0)
            {
                part.replace_range(..rest(&at), &name);
            }
        }
    }
    parts.join(mark)
}

impl Redactor {
    /// From now on `secret` appears as `<name>`. Its percent-encoded form is hidden too.
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

    /// `text` without any secret in it, nor what an ellipsis left of one. A secret with blanks in it is known only as long
    /// as nobody has broken the text at them.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, secret) in known.iter() {
                if out.contains(secret.expose()) {
                    out = Cow::Owned(out.replace(secret.expose(), &format!("<{name}>")));
                }
            }
            for mark in ELLIPSES.iter().filter(|_| !known.is_empty()) {
                if out.contains(mark) {
                    out = Cow::Owned(without_remains(&out, mark, &known));
                }
            }
        }
        match SHAPES.hide(&out) {
            Some(hidden) => Cow::Owned(hidden),
            None => out,
        }
    }
}

impl Redactor {
    /// Every secret it was told of, under its name.
    fn known(&self) -> Vec<(String, Secret)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_replaced_by_its_name_in_every_form() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("p@ss word/1"));
        assert_eq!(redactor.redact("a p@ss word/1 b p%40ss%20word%2F1"), "a <KEY> b <KEY>");
    }

    #[test]
    fn what_was_cut_off_a_secret_is_hidden_too() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &Secret::new("0123456789 abcdefgh"));
        for (text, hidden) in [
            ("a 0123456789 abc… b", "a <KEY>… b"),
            ("a 01234567... b", "a <KEY>... b"),
            ("…bcdefgh, …9 abcdefgh, …", "…bcdefgh, …<KEY>, …"),
            ("0123456… 0123456789", "0123456… 0123456789"),
        ] {
            assert_eq!(redactor.redact(text), hidden);
        }
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
        for reference in [
            "x-honeycomb-team=${HONEYCOMB_API_KEY}",
            "`cruddur-ops init --header x-honeycomb-team=HONEYCOMB_API_KEY`",
        ] {
            assert_eq!(redactor.redact(reference), reference);
        }
        let upper = format!("dd-api-key={}", key.to_uppercase());
        assert_eq!(redactor.redact(&upper), "dd-api-key=<a secret>");
    }

    #[test]
    fn a_key_is_hidden_in_whatever_stands_around_it_and_nothing_else_is() {
        let key = format!("hcaik_{}", "0a".repeat(29));
        let license = format!("{}NRAL", "0a".repeat(18));
        let redactor = Redactor::default();
        for (text, hidden) in [
            (format!("{key} é {license}/{key}"), "<a secret> é <a secret>/<a secret>"),
            ("aws_secret_access_key: 'abcd1234efgh'".into(), "aws_secret_access_key: '<a secret>'"),
            ("my-Dd-Api-Key = abcd1234efgh é".into(), "my-Dd-Api-Key = <a secret> é"),
            (
                "authorization=bearer%20abcdefghijklmnopqrst,x=1".into(),
                "authorization=bearer%20<a secret>,x=1",
            ),
        ] {
            assert_eq!(redactor.redact(&text), hidden);
        }
        for harmless in [
            format!("a{key} {key}0 0{license} {license}0"),
            "MY_AWS_SECRET_ACCESS_KEY=abcd1234efgh".into(),
            "hc dd-api-key é Basic".into(),
            String::new(),
        ] {
            assert_eq!(redactor.redact(&harmless), harmless);
        }
    }

    #[test]
    fn a_redacted_text_can_be_revealed_by_whoever_knows_the_secret() {
        let (text, redactor) = ("x-honeycomb-team=abcdEFGH1234567890abcd", Redactor::default());
        let hidden = redactor.redact(text).into_owned();
        redactor.learn("KEY", &Secret::new("abcdEFGH1234567890abcd"));
        assert!(redactor.reveal(&hidden).iter().any(|candidate| candidate == text));
    }

    #[test]
    fn debug_and_mask_do_not_give_it_away() {
        let secret = Secret::new("abcdefghijklmnopqrstuv");
        assert_eq!(format!("{secret:?}"), "Secret(****)");
        assert_eq!(secret.masked(), "****stuv");
        assert_eq!(Secret::new("short").masked(), "****");
    }
}
