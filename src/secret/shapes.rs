//! What keys look like wherever they stand, so that one nobody told us of is hidden as well.
//!
//! Finds and replaces; knows no secret by its value.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::secrecy::is_secret_name;

/// Stands for a key that nobody told us of.
pub(super) const SHAPED: &str = "<a secret>";

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
    replacement: &'static str,
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

    /// `text` with every key replaced; `None` where there is none.
    pub(super) fn hide(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let (mut done, mut within) = (0, false);
        for (at, byte) in text.bytes().enumerate() {
            let byte = usize::from(byte);
            let table = match within {
                true => &self.inside,
                false => &self.beginning,
            };
            within = self.word[byte];
            let may = table[byte];
            if may == 0 || at < done {
                continue;
            }
            let shapes = self.all.iter().enumerate();
            let mut shapes = shapes.filter(|(number, _)| may >> number & 1 == 1);
            let found = shapes.find_map(|(_, shape)| Some((shape.key(&text[at..])?, shape)));
            if let Some((key, shape)) = found {
                out.push_str(&text[done..at]);
                key.expand(shape.replacement, &mut out);
                done = at + key[0].len();
            }
        }
        (done > 0).then(|| out + &text[done..])
    }
}

impl Shape {
    /// The key that `text` begins with.
    fn key<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
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
        let head = found.get(1).map_or(0, |head| head.end());
        (head == 0 || !is_variable_name(&found[0][head..])).then_some(found)
    }
}

/// `HONEYCOMB_API_KEY`: where a value could stand, the name of the variable that holds it.
fn is_variable_name(text: &str) -> bool {
    const LONGEST: usize = 40;
    let text = text.trim_end_matches(['`', '.', ')', ';']);
    let is_sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.len() <= LONGEST && text.contains('_') && text.chars().all(is_sign) && is_secret_name(text)
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
    const BEHIND: &str = "${1}<a secret>";
    let value = |names: &[&str]| {
        let names = names.join("|");
        format!(r#"(?i)((?:{names})["']?\s*[=:]\s*["']?)[^\s"'$,<>{{}}]{{8,}}"#)
    };
    let scheme = format!(r#"(?i)((?:{})(?:%20| ))[^\s"'$,<>{{}}`]{{20,}}"#, SCHEMES.join("|"));
    let (header, variable) = (value(HEADERS), value(VARIABLES));
    let all: Vec<Shape> = [
        (Mark::Word(&["hc"]), r"hc[a-z](?:ik|ic)_[0-9a-z]{58}\b", SHAPED),
        (Mark::Word(&["hc"]), r"hc[a-z]mk_[0-9a-z]{26}:[0-9a-zA-Z]{32}\b", SHAPED),
        (Mark::Word(&["dt0"]), r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b", SHAPED),
        (
            Mark::Word(&["xaat-", "xapt-"]),
            r"(?:xaat|xapt)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
            SHAPED,
        ),
        (Mark::Hexadecimal("NRAL"), r"[0-9a-f]{32,36}(?:FFFF)?NRAL\b", SHAPED),
        (Mark::Word(&["glc_"]), r"glc_[A-Za-z0-9+/]{20,}={0,2}", SHAPED),
        (Mark::Anywhere(HEADERS), &header, BEHIND),
        (Mark::Word(SCHEMES), &scheme, BEHIND),
        (Mark::Word(VARIABLES), &variable, BEHIND),
    ]
    .into_iter()
    .filter_map(|(mark, whole, replacement)| {
        let whole = Regex::new(&format!("^(?:{whole})")).ok()?;
        Some(Shape { mark, whole, replacement })
    })
    .collect();
    Shapes::new(all)
});
