//! `Secret`, which cannot be printed by accident, and the redactor that stands on every way out.
//!
//! Knows nothing of where secrets come from or where text goes.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex_lite::{Captures, Regex};
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
        match SHAPES.hide(&out) {
            Some(hidden) => Cow::Owned(hidden),
            None => out,
        }
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

/// What keys look like wherever they stand, so that one nobody told us of is hidden as well.
struct Shapes {
    all: Vec<Shape>,
    /// By byte: some shape may begin with it.
    first: [bool; 256],
}

/// What one sort of key looks like.
struct Shape {
    mark: Mark,
    /// The whole of it, from its beginning.
    whole: Regex,
    replacement: &'static str,
}

/// What a long text is searched for before anything is looked at more closely.
enum Mark {
    /// One of these, in whatever case, inside a word too.
    Anywhere(&'static [&'static str]),
    /// A word that begins with one of these, in whatever case.
    Word(&'static [&'static str]),
    /// A word that ends with this.
    Ending(&'static str),
}

impl Shapes {
    /// `text` with every key replaced; `None` where there is none.
    fn hide(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for (at, byte) in text.bytes().enumerate() {
            if at < done || !self.first[usize::from(byte)] {
                continue;
            }
            let found = |shape: &'_ Shape| Some((shape.at(text, at)?, shape.replacement));
            if let Some((key, replacement)) = self.all.iter().find_map(found) {
                out.push_str(&text[done..at]);
                key.expand(replacement, &mut out);
                done = at + key[0].len();
            }
        }
        out.push_str(&text[done..]);
        (done > 0).then_some(out)
    }
}

impl Shape {
    /// The key that begins at the byte `at`.
    fn at<'t>(&self, text: &'t str, at: usize) -> Option<Captures<'t>> {
        let inside = at > 0 && is_word(&text.as_bytes()[at - 1]);
        let rest = &text.as_bytes()[at..];
        let begins = |with: &[&str]| {
            with.iter().any(|with| {
                let begin = rest.get(..with.len());
                begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
            })
        };
        let marked = match self.mark {
            Mark::Anywhere(with) => begins(with),
            Mark::Word(with) => !inside && begins(with),
            Mark::Ending(with) => {
                let word = rest.iter().position(|byte| !is_word(byte));
                !inside && rest[..word.unwrap_or(rest.len())].ends_with(with.as_bytes())
            }
        };
        marked.then(|| self.whole.captures(&text[at..]))?
    }

    /// The bytes it may begin with.
    fn first(&self) -> Vec<u8> {
        match self.mark {
            Mark::Anywhere(with) | Mark::Word(with) => {
                let first = with.iter().filter_map(|with| with.bytes().next());
                first
                    .flat_map(|byte| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()])
                    .collect()
            }
            Mark::Ending(_) => (0..=u8::MAX).filter(is_word).collect(),
        }
    }
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    const HEADERS: &[&str] = &[
        "x-honeycomb-team",
        "dd-api-key",
        "signoz-ingestion-key",
        "uptrace-dsn",
    ];
    const SCHEMES: &[&str] = &["Bearer", "Basic", "Api-Token", "ApiKey"];
    const VARIABLES: &[&str] = &[
        "HONEYCOMB_API_KEY",
        "ROLLBAR_ACCESS_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "GRAFANA_CLOUD_OTLP_CREDENTIALS",
        "NEW_RELIC_LICENSE_KEY",
        "DD_API_KEY",
        "DYNATRACE_API_TOKEN",
        "DASH0_AUTH_TOKEN",
        "AXIOM_TOKEN",
        "SIGNOZ_INGESTION_KEY",
        "UPTRACE_DSN",
        "ELASTIC_API_KEY",
    ];
    const BEHIND: &str = "${1}<a secret>";
    let value = |names: &[&str]| {
        let names = names.join("|");
        format!(r#"(?i)((?:{names})["']?\s*[=:]\s*["']?)[^\s"'$,<>{{}}]{{8,}}"#)
    };
    let scheme = format!(
        r#"(?i)((?:{})(?:%20| ))[^\s"'$,<>{{}}`]{{20,}}"#,
        SCHEMES.join("|")
    );
    let (header, variable) = (value(HEADERS), value(VARIABLES));
    let all: Vec<Shape> = [
        (
            Mark::Word(&["hc"]),
            r"hc[a-z](?:ik|ic)_[0-9a-z]{58}\b",
            SHAPED,
        ),
        (
            Mark::Word(&["hc"]),
            r"hc[a-z]mk_[0-9a-z]{26}:[0-9a-zA-Z]{32}\b",
            SHAPED,
        ),
        (
            Mark::Word(&["dt0"]),
            r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b",
            SHAPED,
        ),
        (
            Mark::Word(&["xaat-", "xapt-"]),
            r"(?:xaat|xapt)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
            SHAPED,
        ),
        (
            Mark::Ending("NRAL"),
            r"[0-9a-f]{32,36}(?:FFFF)?NRAL\b",
            SHAPED,
        ),
        (
            Mark::Word(&["glc_"]),
            r"glc_[A-Za-z0-9+/]{20,}={0,2}",
            SHAPED,
        ),
        (Mark::Anywhere(HEADERS), &header, BEHIND),
        (Mark::Word(SCHEMES), &scheme, BEHIND),
        (Mark::Word(VARIABLES), &variable, BEHIND),
    ]
    .into_iter()
    .filter_map(|(mark, whole, replacement)| {
        let whole = Regex::new(&format!("^(?:{whole})")).ok()?;
        Some(Shape {
            mark,
            whole,
            replacement,
        })
    })
    .collect();
    let mut first = [false; 256];
    for byte in all.iter().flat_map(Shape::first) {
        first[usize::from(byte)] = true;
    }
    Shapes { all, first }
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
    fn a_key_is_hidden_in_whatever_stands_around_it_and_nothing_else_is() {
        let key = format!("hcaik_{}", "0a".repeat(29));
        let license = format!("{}NRAL", "0a".repeat(18));
        let redactor = Redactor::default();
        for (text, hidden) in [
            (
                format!("{key} é {license}/{key}"),
                "<a secret> é <a secret>/<a secret>",
            ),
            (
                "aws_secret_access_key: 'abcd1234efgh'".into(),
                "aws_secret_access_key: '<a secret>'",
            ),
            (
                "my-Dd-Api-Key = abcd1234efgh é".into(),
                "my-Dd-Api-Key = <a secret> é",
            ),
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
