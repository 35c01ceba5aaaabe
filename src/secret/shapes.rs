//! What keys look like wherever they stand, so that one nobody told us of is hidden as well.
//!
//! Finds and replaces; knows no secret by its value.

use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::secrecy::is_secret_name;

/// Stands for a key that nobody told us of.
pub(super) const SHAPED: &str = "a secret";

/// The shapes of keys, and which of them may begin with a byte.
pub(super) struct Shapes {
    all: Vec<Shape>,
    /// By byte: which shapes may begin with it, one bit each; inside a word, and where a word begins.
    inside: [u16; 256],
    beginning: [u16; 256],
    /// By byte: whether a word goes on with it. Every line of every diff passes through here.
    word: [bool; 256],
}

/// What one sort of key looks like.
struct Shape {
    mark: Mark,
    /// The whole of it, from its beginning.
    whole: Regex,
    instead: Instead,
}

/// What can be in a key's place and is none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instead {
    /// Nothing: the key is known by its own looks.
    Nothing,
    /// A reference to what is elsewhere.
    Reference,
    /// That, and outside of quotes a piece of a program.
    Code,
}

/// What a long text is searched for before anything is looked at more closely.
enum Mark {
    /// One of these, in whatever case, inside a word too.
    Anywhere(&'static [&'static str]),
    /// A word that begins with one of these, in whatever case.
    Word(&'static [&'static str]),
    /// A word that begins with a hexadecimal digit and ends with this.
    Hexadecimal(&'static str),
}

impl Shapes {
    fn new(all: Vec<Shape>) -> Self {
        let (mut inside, mut beginning) = ([0; 256], [0; 256]);
        for (number, shape) in all.iter().enumerate() {
            for byte in shape.mark.first() {
                beginning[usize::from(byte)] |= 1 << number;
                if let Mark::Anywhere(_) = shape.mark {
                    inside[usize::from(byte)] |= 1 << number;
                }
            }
        }
        let mut word = [false; 256];
        for byte in 0..=u8::MAX {
            word[usize::from(byte)] = is_word(byte);
        }
        Self { all, inside, beginning, word }
    }

    /// Returns where the keys in `text` are, and the passwords in its addresses.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        self.find_among(u16::MAX, text)
    }

    /// Returns where the keys in `text` are.
    pub(super) fn find_keys(&self, text: &str) -> Vec<Range<usize>> {
        let is_key = |shape: &Shape| shape.instead != Instead::Reference;
        let bits = self.all.iter().enumerate().map(|(at, shape)| u16::from(is_key(shape)) << at);
        self.find_among(bits.sum(), text)
    }

    fn find_among(&self, wanted: u16, text: &str) -> Vec<Range<usize>> {
        let mut keys = Vec::new();
        let (mut done, mut within) = (0, false);
        for (at, byte) in text.bytes().enumerate() {
            let byte = usize::from(byte);
            let table = if within { &self.inside } else { &self.beginning };
            within = self.word[byte];
            let may = table[byte] & wanted;
            if may == 0 || at < done {
                continue;
            }
            let shapes = self.all.iter().enumerate();
            let mut shapes = shapes.filter(|(number, _)| may >> number & 1 == 1);
            if let Some(key) = shapes.find_map(|(_, shape)| shape.key(&text[at..])) {
                done = at + key.end;
                keys.push(at + key.start..done);
            }
        }
        keys
    }
}

impl Shape {
    /// Returns where the key is in the mark and the key that `text` begins with.
    fn key(&self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let begins = |with: &&str| {
            let begin = bytes.get(..with.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
        };
        let marked = match self.mark {
            Mark::Anywhere(with) | Mark::Word(with) => with.iter().any(begins),
            Mark::Hexadecimal(with) => {
                let word = bytes.iter().position(|byte| !is_word(*byte));
                bytes[..word.unwrap_or(bytes.len())].ends_with(with.as_bytes())
            }
        };
        let found = marked.then(|| self.whole.captures(text))??;
        let key = (1..found.len()).find_map(|group| found.get(group)).or(found.get(0))?;
        let is_quoted = text[..key.start()].ends_with(['"', '\'']);
        let is_other = match self.instead {
            Instead::Nothing => false,
            Instead::Code if !is_quoted => {
                is_reference(key.as_str()) || is_code(key.as_str(), &text[key.end()..])
            }
            Instead::Code | Instead::Reference => is_reference(key.as_str()),
        };
        (!is_other).then(|| key.range())
    }
}

impl Mark {
    /// The bytes that what it marks may begin with.
    fn first(&self) -> Vec<u8> {
        let either = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
        match self {
            Self::Hexadecimal(_) => b"0123456789abcdef".to_vec(),
            Self::Anywhere(with) | Self::Word(with) => {
                let first = with.iter().filter_map(|with| with.bytes().next());
                first.flat_map(either).collect()
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    const HEADERS: &[&str] =
        &["x-honeycomb-team", "dd-api-key", "signoz-ingestion-key", "uptrace-dsn"];
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
    // Between quotes that are escaped themselves, between quotes with escapes, or without a blank.
    const ESCAPED: &str = r#"\\["']([^\s"'\\$<>{}]{8,})"#;
    const QUOTED: &str = r#""((?:\\.|[^\s"\\$<>{}]){8,})|'((?:\\.|[^\s'\\$<>{}]){8,})"#;
    const BARE: &str = r#"([^\s"'$,<>{}]{8,})"#;
    let value = |names: &[&str]| {
        let names = names.join("|");
        format!(r#"(?i)(?:{names})\\?["']?\s*[=:]\s*(?:{ESCAPED}|{QUOTED}|{BARE})"#)
    };
    let scheme = format!(r#"(?i)(?:{})(?:%20| )([^\s"'$,<>{{}}`]{{20,}})"#, SCHEMES.join("|"));
    let (header, variable) = (value(HEADERS), value(VARIABLES));
    let all = [
        (Mark::Anywhere(&["hc"]), r"(?i)hc[a-z](?:ik|ic)_[0-9a-z]{8,}", Instead::Nothing),
        (Mark::Anywhere(&["hc"]), r"hc[a-z]mk_[0-9a-z]{8,}(?::[0-9a-zA-Z]*)?", Instead::Nothing),
        (Mark::Word(&["dt0"]), r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b", Instead::Nothing),
        (
            Mark::Word(&["xaat-", "xapt-"]),
            r"(?:xaat|xapt)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
            Instead::Nothing,
        ),
        (Mark::Hexadecimal("NRAL"), r"[0-9a-f]{32,36}(?:FFFF)?NRAL\b", Instead::Nothing),
        (Mark::Word(&["glc_"]), r"glc_[A-Za-z0-9+/]{20,}={0,2}", Instead::Nothing),
        (Mark::Anywhere(HEADERS), &header, Instead::Code),
        (Mark::Word(SCHEMES), &scheme, Instead::Code),
        (Mark::Word(VARIABLES), &variable, Instead::Code),
        // The password of an address, up to the last `@` of its host's part; a digest behind an image is none.
        (
            Mark::Anywhere(&["://"]),
            r#"://[^\s/@:"'`<>]*:([^\s/"'`<>]+)@[^\s/@:]"#,
            Instead::Reference,
        ),
        (Mark::Anywhere(&["://"]), r#"://([^\s/@:"'`<>]{20,})@[^\s/@:]"#, Instead::Reference),
    ];
    let shapes = all.into_iter().filter_map(|(mark, whole, instead)| {
        let whole = Regex::new(&format!("^(?:{whole})")).ok()?;
        Some(Shape { mark, whole, instead })
    });
    Shapes::new(shapes.collect())
});

/// Returns whether `value` says where the value is, and is none itself: `HONEYCOMB_API_KEY` where it could be names the
/// variable that holds it.
fn is_reference(value: &str) -> bool {
    const LONGEST: usize = 40;
    let value = value.trim_end_matches(['`', '.', ')', ';']);
    let is_sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_variable = value.len() <= LONGEST && value.contains('_') && value.chars().all(is_sign);
    ["$", "{", "<", "*", "%s", "%("].iter().any(|begin| value.starts_with(begin))
        || is_variable && is_secret_name(value)
}

/// Returns whether `value`, which `rest` follows, is a name, names with dots between, or a call of one.
fn is_code(value: &str, rest: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let end = value.find(|c: char| !is_name(c)).unwrap_or(value.len());
    let (names, behind) = value.split_at(end);
    match behind.chars().next().or(rest.chars().next()) {
        Some('(' | '[') => names.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'),
        _ if !behind.trim_end_matches([')', ']', ';']).is_empty() => false,
        _ if names.contains(['_', '.']) => names.split(['_', '.']).all(is_word_of_a_name),
        _ => names.len() < LONGEST_WORD && is_word_of_a_name(names),
    }
}

/// No word is as long as a key.
const LONGEST_WORD: usize = 20;

/// Returns whether `word` is of letters, in one case or with humps, as names are, and not of any letters and digits.
fn is_word_of_a_name(word: &str) -> bool {
    let is_upper = |c: char| c.is_ascii_uppercase();
    let mut humps = word.split(is_upper).skip(1);
    word.chars().all(|c| c.is_ascii_alphabetic())
        && (word.chars().all(is_upper) || humps.all(|hump| hump.len() >= 2))
}
