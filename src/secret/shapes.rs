//! What keys look like wherever they stand, so that one nobody told us of is hidden as well.
//!
//! Finds and replaces; knows no secret by its value.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex_lite::Regex;

use super::owners::{KeyOwner, KeyPattern, OWNERS};
use super::secrecy::is_secret_name;

/// Stands for a key that nobody told us of.
pub(super) const SHAPED: &str = "a secret";

/// The shapes of keys, and which of them may begin with a byte.
pub(super) struct Shapes {
    all: Vec<Shape>,
    /// By the classes of two bytes: which shapes may begin with them where a word begins, one bit each. Every line of every
    /// diff passes through here, and most pairs begin none.
    pairs: Vec<u32>,
    /// Which shapes may begin inside a word.
    inside: u32,
    /// Which shapes are of what is not shown.
    hidden: u32,
    /// By byte: its class, and whether a word goes on with it.
    classes: [ByteClass; 256],
}

/// What a byte counts as where pairs are looked up.
#[derive(Clone, Copy, Default)]
struct ByteClass {
    number: u8,
    is_word: bool,
}

/// How many classes of bytes are told apart: letters in either case, digits, and marks.
const CLASSES: usize = 64;

impl ByteClass {
    fn of(byte: u8) -> Self {
        let number = match byte {
            b'a'..=b'z' => byte - b'a',
            b'A'..=b'Z' => byte - b'A',
            b'0'..=b'9' => 26 + byte - b'0',
            // What is left of ASCII shares classes; no mark has a byte of what is not ASCII.
            _ if byte.is_ascii() => 36 + byte % 27,
            _ => 63,
        };
        Self { number, is_word: is_word(byte) }
    }
}

/// A key that was found by what it looks like, or by the name it is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapedKey {
    /// The bytes of the key.
    pub range: Range<usize>,
    /// Who gave it out: `Honeycomb`; `None` where its place alone gives it away, as behind `Bearer`.
    pub owner: Option<&'static str>,
    /// It is known by its own looks, rather than by a name before it.
    pub has_own_shape: bool,
}

/// What one sort of key looks like.
struct Shape {
    sort: ShapeSort,
    mark: Mark,
    /// The whole of it, from its beginning; behind a name, what follows the name.
    whole: String,
    /// That, once a text was compared with it: most runs of the program meet no mark.
    compiled: OnceLock<Option<Regex>>,
    instead: Instead,
}

/// What a shape is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShapeSort {
    /// A key.
    Key,
    /// What names a key, and may be seen.
    Identifier,
    /// The password or the token of an address.
    Password,
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
    Anywhere(Vec<MarkingText>),
    /// A word that begins with one of these, in whatever case.
    Word(Vec<MarkingText>),
    /// One of these names, in whatever case, with a value behind it; a header's stands inside a word too.
    Header(Vec<MarkingText>),
    Variable(Vec<MarkingText>),
    /// Hexadecimal digits that this follows.
    Hexadecimal(MarkingText),
    /// `://` of an address that has an `@` before its path.
    UserInformation,
}

/// A text that marks a key, and whose key it marks.
#[derive(Clone, Copy)]
struct MarkingText {
    text: &'static str,
    owner: Option<&'static str>,
}

impl Shapes {
    fn new(all: Vec<Shape>) -> Self {
        let classes = std::array::from_fn(|byte| ByteClass::of(byte as u8));
        let (mut pairs, mut inside) = (vec![0; CLASSES * CLASSES], 0);
        for (number, shape) in all.iter().enumerate() {
            for (first, second) in shape.mark.beginnings() {
                pairs[Self::pair(ByteClass::of(first), ByteClass::of(second))] |= 1 << number;
            }
            inside |= u32::from(shape.mark.is_found_inside_words()) << number;
        }
        let mut shapes = Self { all, pairs, inside, hidden: 0, classes };
        shapes.hidden = shapes.of_sort(|sort| sort != ShapeSort::Identifier);
        shapes
    }

    #[inline(always)]
    fn pair(first: ByteClass, second: ByteClass) -> usize {
        usize::from(first.number) * CLASSES + usize::from(second.number)
    }

    /// Which shapes are of a sort, one bit each.
    fn of_sort(&self, is_wanted: impl Fn(ShapeSort) -> bool) -> u32 {
        let bits = self.all.iter().enumerate();
        bits.map(|(at, shape)| u32::from(is_wanted(shape.sort)) << at).sum()
    }

    /// Returns where the keys in `text` are, and the passwords in its addresses.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let found = self.find_among(self.hidden, text).into_iter();
        found.map(|key| key.range).collect()
    }

    /// Returns where the keys in `text` are.
    pub(super) fn find_keys(&self, text: &str) -> Vec<Range<usize>> {
        let wanted = self.of_sort(|sort| sort == ShapeSort::Key);
        let found = self.find_among(wanted, text).into_iter();
        found.map(|key| key.range).collect()
    }

    fn find_among(&self, wanted: u32, text: &str) -> Vec<ShapedKey> {
        let mut keys = Vec::new();
        let Some((first, rest)) = text.as_bytes().split_first() else { return keys };
        let mut first = self.classes[usize::from(*first)];
        let (mut done, mut allowed) = (0, wanted);
        for (at, byte) in rest.iter().enumerate() {
            let second = self.classes[usize::from(*byte)];
            let may = self.pairs[Self::pair(first, second)] & allowed;
            allowed = if first.is_word { wanted & self.inside } else { wanted };
            first = second;
            if may == 0 || at < done {
                continue;
            }
            let shapes = self.all.iter().enumerate();
            let mut shapes = shapes.filter(|(number, _)| may >> number & 1 == 1);
            if let Some(key) = shapes.find_map(|(_, shape)| shape.key(&text[at..])) {
                done = at + key.range.end;
                keys.push(ShapedKey { range: at + key.range.start..done, ..key });
            }
        }
        keys
    }
}

/// Returns the keys in `text`, and what names one, with their owners.
pub fn find_keys(text: &str) -> Vec<ShapedKey> {
    SHAPES.find_among(SHAPES.of_sort(|sort| sort != ShapeSort::Password), text)
}

impl Shape {
    /// Returns where the key is in the mark and the key that `text` begins with.
    fn key(&self, text: &str) -> Option<ShapedKey> {
        let (from, owner) = self.mark.searched_from(text)?;
        let found = self.expression()?.captures(&text[from..])?;
        let key = (1..found.len()).find_map(|group| found.get(group)).or(found.get(0))?;
        let (start, end) = (from + key.start(), from + key.end());
        let is_quoted = text[..start].ends_with(['"', '\'']);
        let is_other = match self.instead {
            Instead::Nothing => false,
            Instead::Code if !is_quoted => {
                is_reference(key.as_str()) || is_code(key.as_str(), &text[end..])
            }
            Instead::Code | Instead::Reference => is_reference(key.as_str()),
        };
        let has_own_shape = self.instead == Instead::Nothing;
        (!is_other).then_some(ShapedKey { range: start..end, owner, has_own_shape })
    }

    fn expression(&self) -> Option<&Regex> {
        let compile = || Regex::new(&format!("^(?:{})", self.whole)).ok();
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl Mark {
    /// The first two bytes of what it marks, in whatever case.
    fn beginnings(&self) -> Vec<(u8, u8)> {
        let digits = || *b"0123456789abcdef";
        match self {
            Self::Hexadecimal(_) => {
                let pairs = digits().into_iter().map(|one| digits().map(|other| (one, other)));
                pairs.flatten().collect()
            }
            Self::UserInformation => vec![(b':', b'/')],
            Self::Anywhere(with) | Self::Word(with) | Self::Header(with) | Self::Variable(with) => {
                let begins = with.iter().filter_map(|with| with.text.as_bytes().first_chunk());
                begins.map(|[one, other]| (*one, *other)).collect()
            }
        }
    }

    fn is_found_inside_words(&self) -> bool {
        matches!(self, Self::Anywhere(_) | Self::Header(_) | Self::UserInformation)
    }

    /// Returns from where on the shape's expression is compared with a `text` that begins with this mark, and whose key
    /// the mark is of. An expression costs far more than a look at a few bytes, and nearly every line of a compose file has a
    /// name or an address.
    fn searched_from(&self, text: &str) -> Option<(usize, Option<&'static str>)> {
        let bytes = text.as_bytes();
        let begins = |with: &&MarkingText| {
            let begin = bytes.get(..with.text.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with.text.as_bytes()))
        };
        match self {
            Self::Anywhere(with) | Self::Word(with) => Some((0, with.iter().find(begins)?.owner)),
            Self::Header(names) | Self::Variable(names) => {
                let name = names.iter().find(begins)?;
                let next = bytes.get(name.text.len())?;
                // What the expression may begin with.
                let is_wanted = b"\\\"'=: \t\n\r\x0b\x0c".contains(next);
                is_wanted.then_some((name.text.len(), name.owner))
            }
            Self::Hexadecimal(with) => {
                let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                bytes[digits..].starts_with(with.text.as_bytes()).then_some((0, with.owner))
            }
            Self::UserInformation => {
                let rest = bytes.strip_prefix(b"://")?;
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/\"'`<>".contains(byte);
                let end = rest.iter().position(ends).unwrap_or(rest.len());
                memchr::memchr(b'@', &rest[..end]).map(|_| (0, None))
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    const SCHEMES: [&str; 4] = ["Bearer", "Basic", "Api-Token", "ApiKey"];
    // Between quotes that are escaped themselves, between quotes with escapes, or without a blank.
    const ESCAPED: &str = r#"\\["']([^\s"'\\$<>{}]{8,})"#;
    const QUOTED: &str = r#""((?:\\.|[^\s"\\$<>{}]){8,})|'((?:\\.|[^\s'\\$<>{}]){8,})"#;
    const BARE: &str = r#"([^\s"'$,<>{}]{8,})"#;
    let value = format!(r#"\\?["']?\s*[=:]\s*(?:{ESCAPED}|{QUOTED}|{BARE})"#);
    let scheme = format!(r#"(?i)(?:{})(?:%20| )([^\s"'$,<>{{}}`]{{20,}})"#, SCHEMES.join("|"));
    let schemes = SCHEMES.map(|text| MarkingText { text, owner: None }).to_vec();
    let texts = |of: fn(&KeyOwner) -> &Vec<String>| -> Vec<MarkingText> {
        OWNERS.iter().flat_map(|one| of(one).iter().map(|text| one.marking(text))).collect()
    };
    let (headers, variables) = (texts(|one| &one.headers), texts(|one| &one.variables));
    let own = OWNERS.iter().flat_map(|one| one.shapes.iter().map(|shape| one.shape(shape)));
    let general = [
        (ShapeSort::Key, Mark::Header(headers), value.as_str(), Instead::Code),
        (ShapeSort::Key, Mark::Word(schemes), &scheme, Instead::Code),
        (ShapeSort::Key, Mark::Variable(variables), &value, Instead::Code),
        // The password of an address, up to the last `@` of its host's part; a digest behind an image is none.
        (
            ShapeSort::Password,
            Mark::UserInformation,
            r#"://[^\s/@:"'`<>]*:([^\s/"'`<>]+)@[^\s/@:]"#,
            Instead::Reference,
        ),
        (
            ShapeSort::Password,
            Mark::UserInformation,
            r#"://([^\s/@:"'`<>]{20,})@[^\s/@:]"#,
            Instead::Reference,
        ),
    ];
    let shapes = own.chain(general).map(|(sort, mark, whole, instead)| Shape {
        sort,
        mark,
        whole: whole.to_owned(),
        compiled: OnceLock::new(),
        instead,
    });
    Shapes::new(shapes.collect())
});

impl KeyOwner {
    fn marking(&'static self, text: &'static str) -> MarkingText {
        MarkingText { text, owner: Some(&self.owner) }
    }

    fn shape(
        &'static self,
        pattern: &'static KeyPattern,
    ) -> (ShapeSort, Mark, &'static str, Instead) {
        let texts = |of: &'static [String]| of.iter().map(|text| self.marking(text)).collect();
        let sort = if pattern.identifier { ShapeSort::Identifier } else { ShapeSort::Key };
        let mark = match (pattern.begins.as_slice(), pattern.anywhere.as_slice()) {
            ([], []) => Mark::Hexadecimal(self.marking(&pattern.ends)),
            ([], anywhere) => Mark::Anywhere(texts(anywhere)),
            (begins, _) => Mark::Word(texts(begins)),
        };
        (sort, mark, &pattern.whole, Instead::Nothing)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles() {
        for shape in &SHAPES.all {
            assert!(shape.expression().is_some(), "{}", shape.whole);
        }
    }
}
