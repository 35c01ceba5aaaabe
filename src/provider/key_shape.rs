//! Classifies a pasted text by its shape alone: the kind of Honeycomb key, or the mistake.
//!
//! Pure. Results never contain the text.

use std::sync::LazyLock;

use regex_lite::Regex;

use crate::error::{Error, ErrorCode};

/// The header with the dataset for traces sent with a Classic key.
pub(crate) const DATASET_HEADER: &str = "x-honeycomb-dataset";

/// The kind of a key, by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoneycombKeyKind {
    /// An ingest key of an environment, which can only send.
    Ingest,
    /// A configuration key of an environment.
    Configuration,
    /// An ingest key of Honeycomb Classic.
    ClassicIngest,
    /// 32 hexadecimal characters: a Honeycomb Classic key, or a Rollbar token.
    ClassicOrRollbar,
    /// An unknown shape; new ones may be introduced.
    Unknown,
}

/// The facts that a plausible key shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyReading {
    /// The kind of key.
    pub kind: HoneycombKeyKind,
    /// The letter that seems to name the region (`a` US, `b` EU): only a hint for which host to try first.
    pub region_letter: Option<char>,
}

impl KeyReading {
    /// Describes the kind.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            HoneycombKeyKind::Ingest => "ingest key",
            HoneycombKeyKind::Configuration => "configuration key",
            HoneycombKeyKind::ClassicIngest => "Classic ingest key",
            HoneycombKeyKind::ClassicOrRollbar => "Classic key",
            HoneycombKeyKind::Unknown => "unknown kind of key",
        }
    }

    /// Returns a warning about a text that may still be correct.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        match self.kind {
            HoneycombKeyKind::ClassicOrRollbar => Some(
                "32 hexadecimal characters: a key of Honeycomb Classic, or a Rollbar token by mistake",
            ),
            HoneycombKeyKind::Unknown => Some("this does not look like any Honeycomb key"),
            HoneycombKeyKind::Ingest
            | HoneycombKeyKind::Configuration
            | HoneycombKeyKind::ClassicIngest => None,
        }
    }
}

/// The reason why a text cannot be a key for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMistake {
    /// The text is empty.
    Empty,
    /// It contains quotes.
    Quotes,
    /// It contains typographic quotes, as in many tutorials.
    CurlyQuotes,
    /// It contains white space or invisible characters.
    Space,
    /// It is a whole assignment or header.
    Assignment,
    /// It is a tutorial's placeholder, or a reference to a variable.
    Placeholder,
    /// It is a management key, which cannot send.
    Management,
    /// It is a key's ID, which is shown next to the key.
    KeyId,
    /// It is too short or too long for a key.
    Length(usize),
    /// It contains a character that no key has.
    Character,
}

impl KeyMistake {
    /// Returns the mistake in one line.
    pub fn message(self) -> String {
        self.words().0
    }

    /// Returns what to do instead.
    pub fn hint(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (String, &'static str) {
        let (message, hint) = match self {
            Self::Empty => ("the key is empty", "paste the key itself"),
            Self::Quotes => {
                ("quotes were pasted along with the key", "paste the key without \" and '")
            }
            Self::CurlyQuotes => (
                "curly quotes were pasted along with the key, as many tutorials print them",
                "paste the key without quotes",
            ),
            Self::Space => (
                "there is white space or an invisible character in the key",
                "copy the key again, without line breaks",
            ),
            Self::Assignment => (
                "this is an assignment or a header, not the key alone",
                "paste only what comes after the `=` or `:`",
            ),
            Self::Placeholder => (
                "this is a placeholder, not a key",
                "create a key in your environment's settings (Environment settings, API keys) and paste it",
            ),
            Self::Management => (
                "this is a management key, which cannot send telemetry",
                "create an ingest key for your environment and paste that",
            ),
            Self::KeyId => (
                "this is the ID of a key, not the key",
                "paste the key itself: the secret of an ingest key is shown only once, when it is created",
            ),
            Self::Length(_) => ("an ingest key has 64 characters", "copy the whole key again"),
            Self::Character => ("it has a character that no key has", "copy the key again"),
        };
        match self {
            Self::Length(length) => (format!("{message}, this has {length}"), hint),
            _ => (message.to_owned(), hint),
        }
    }
}

impl From<KeyMistake> for Error {
    fn from(mistake: KeyMistake) -> Self {
        let (message, hint) = mistake.words();
        Self::new(ErrorCode::KeyShape, message).hint(hint)
    }
}

/// Returns the secret of `variable` without surrounding quotes, its assignment, or Honeycomb's header.
pub(crate) fn bare_secret<'a>(text: &'a str, variable: &str) -> &'a str {
    const PAIRS: [(char, char); 5] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')];
    let text = text.trim();
    let quoted = PAIRS.iter().find_map(|(open, close)| {
        text.strip_prefix(*open)?.strip_suffix(*close).filter(|inner| !inner.is_empty())
    });
    let assigned = || {
        let assignment = text.strip_prefix("export ").unwrap_or(text).trim_start();
        assignment.strip_prefix(variable)?.strip_prefix('=')
    };
    let sent = || {
        let (head, value) = text.split_once(['=', ':'])?;
        (variable == HONEYCOMB && head.eq_ignore_ascii_case(HEADER)).then_some(value)
    };
    match quoted.or_else(assigned).or_else(sent) {
        Some(inner) => bare_secret(inner, variable),
        None => text,
    }
}

/// The variable with Honeycomb's key, and the header that sends it.
const HONEYCOMB: &str = "HONEYCOMB_API_KEY";
const HEADER: &str = "x-honeycomb-team";

/// Classifies `text` as a Honeycomb key.
///
/// # Errors
/// The mistake, if it cannot be one.
pub(crate) fn read_key(text: &str) -> Result<KeyReading, KeyMistake> {
    check_secret_text(text)?;
    for (shape, verdict) in SHAPES.iter() {
        if shape.is_match(text) {
            let region_letter = text.starts_with("hc").then(|| text.chars().nth(2)).flatten();
            return (*verdict)(text.len()).map(|kind| KeyReading { kind, region_letter });
        }
    }
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(KeyMistake::Character);
    }
    Ok(KeyReading { kind: HoneycombKeyKind::Unknown, region_letter: None })
}

/// Returns the mistake if Honeycomb is certain to refuse the text in every region: a key's ID, or a management key.
pub(crate) fn never_sends(text: &str) -> Option<KeyMistake> {
    read_key(text)
        .err()
        .filter(|mistake| matches!(mistake, KeyMistake::KeyId | KeyMistake::Management))
}

/// Checks the text of a secret of any provider.
///
/// # Errors
/// The mistake.
pub(crate) fn check_secret_text(text: &str) -> Result<(), KeyMistake> {
    const CURLY: [char; 6] =
        ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}'];
    const INVISIBLE: [char; 5] = ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'];
    const PASTED_PREFIXES: [&str; 4] =
        ["export ", "x-honeycomb-team", "honeycomb_api_key", "authorization"];
    let lower = text.to_lowercase();
    if text.is_empty() {
        return Err(KeyMistake::Empty);
    }
    if PASTED_PREFIXES.iter().any(|head| lower.starts_with(head)) {
        return Err(KeyMistake::Assignment);
    }
    if text.contains(CURLY) {
        return Err(KeyMistake::CurlyQuotes);
    }
    if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`']) {
        return Err(KeyMistake::Quotes);
    }
    if text.contains("${")
        || text.starts_with(['<', '$'])
        || lower.contains("your-")
        || lower.contains("your_")
    {
        return Err(KeyMistake::Placeholder);
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || INVISIBLE.contains(&c)) {
        return Err(KeyMistake::Space);
    }
    Ok(())
}

type KeyReadingResult = fn(usize) -> Result<HoneycombKeyKind, KeyMistake>;

/// The first match decides.
static SHAPES: LazyLock<Vec<(Regex, KeyReadingResult)>> = LazyLock::new(|| {
    let shapes: [(&str, KeyReadingResult); 10] = [
        (r"^hc[a-z]ik_[0-9a-z]{58}$", |_| Ok(HoneycombKeyKind::Ingest)),
        (r"^hc[a-z]ic_[0-9a-z]{58}$", |_| Ok(HoneycombKeyKind::ClassicIngest)),
        (r"^hc[a-z]lk_", |_| Err(KeyMistake::KeyId)),
        (r"^hc[a-z]mk_[0-9a-z]{26}$", |_| Err(KeyMistake::KeyId)),
        (r"^hc[a-z]mk_", |_| Err(KeyMistake::Management)),
        (r"^hc[a-z]i[kc]_[0-9a-z]{26}$", |_| Err(KeyMistake::KeyId)),
        (r"^hc[a-z]i[kc]_[0-9a-zA-Z_]*$", |length| {
            Err(if length == 64 { KeyMistake::Character } else { KeyMistake::Length(length) })
        }),
        (r"^hc[a-z]i[kc]_", |_| Err(KeyMistake::Character)),
        (r"^[0-9a-f]{32}$", |_| Ok(HoneycombKeyKind::ClassicOrRollbar)),
        (r"^[A-Za-z0-9]{20,23}$", |_| Ok(HoneycombKeyKind::Configuration)),
    ];
    shapes
        .into_iter()
        .filter_map(|(shape, verdict)| Some((Regex::new(shape).ok()?, verdict)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn ingest() -> String {
        format!("hcaik_{}", "0a".repeat(29))
    }

    #[test]
    fn every_kind_of_key_is_known_by_its_shape() {
        for (text, kind, letter) in [
            (ingest(), HoneycombKeyKind::Ingest, Some('a')),
            (ingest().replace("hcaik", "hcbik"), HoneycombKeyKind::Ingest, Some('b')),
            (ingest().replace("hcaik", "hcaic"), HoneycombKeyKind::ClassicIngest, Some('a')),
            ("aB3".repeat(7) + "x", HoneycombKeyKind::Configuration, None),
            ("0f".repeat(16), HoneycombKeyKind::ClassicOrRollbar, None),
            ("some-other-token-1".to_owned(), HoneycombKeyKind::Unknown, None),
        ] {
            let reading = read_key(&text).unwrap();
            assert_eq!((reading.kind, reading.region_letter), (kind, letter), "{text}");
        }
    }

    #[test]
    fn every_mistake_is_named() {
        let key = ingest();
        for (text, mistake) in [
            (String::new(), KeyMistake::Empty),
            (format!("\"{key}\""), KeyMistake::Quotes),
            (format!("{key}'"), KeyMistake::Quotes),
            (format!("\u{201c}{key}\u{201d}"), KeyMistake::CurlyQuotes),
            (format!("{} {}", &key[..30], &key[30..]), KeyMistake::Space),
            (format!("\u{200b}{key}"), KeyMistake::Space),
            (format!("HONEYCOMB_API_KEY={key}"), KeyMistake::Assignment),
            (format!("export HONEYCOMB_API_KEY=\"{key}\""), KeyMistake::Assignment),
            (format!("x-honeycomb-team={key}"), KeyMistake::Assignment),
            ("${HONEYCOMB_API_KEY}".to_owned(), KeyMistake::Placeholder),
            ("<your-api-key>".to_owned(), KeyMistake::Placeholder),
            (format!("hcamk_{}:{}", "0".repeat(26), "a".repeat(32)), KeyMistake::Management),
            (format!("hcbmk_{}", "0a".repeat(13)), KeyMistake::KeyId),
            (format!("hcalk_{}", "0".repeat(26)), KeyMistake::KeyId),
            (format!("hcaik_{}", "0".repeat(26)), KeyMistake::KeyId),
            (key[..60].to_owned(), KeyMistake::Length(60)),
            (format!("{key}{key}"), KeyMistake::Length(128)),
            (key.replace("0a0a", "0A0a"), KeyMistake::Character),
            ("sch\u{fc}ssel-1234567890".to_owned(), KeyMistake::Character),
        ] {
            assert_eq!(read_key(&text), Err(mistake), "{text}");
        }
    }

    #[test]
    fn text_pasted_around_a_key_is_removed() {
        let key = ingest();
        for text in [
            key.clone(),
            format!(" '{key}'\n"),
            format!("\u{201c}{key}\u{201d}"),
            format!("export HONEYCOMB_API_KEY=\"{key}\""),
            format!("\"HONEYCOMB_API_KEY={key}\""),
            format!("x-honeycomb-team={key}"),
            format!("X-Honeycomb-Team: {key}"),
        ] {
            assert_eq!(bare_secret(&text, HONEYCOMB), key, "{text}");
        }
        for text in ["\"", "''", "a'", "'a\"", "export OTHER=a", "OTHER=a", "export a"] {
            assert_eq!(bare_secret(text, HONEYCOMB), text);
        }
        assert_eq!(bare_secret("x-honeycomb-team=a", "OTHER"), "x-honeycomb-team=a");
        assert_eq!(bare_secret("export OTHER='a'", "OTHER"), "a");
    }

    #[test]
    fn messages_never_contain_the_text() {
        let error = Error::from(read_key(&format!("{}x", ingest())).unwrap_err());
        assert!(!format!("{error:?}").contains("0a0a"), "{error:?}");
    }
}
