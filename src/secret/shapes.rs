//! Recognises keys by their format, so that unknown ones are hidden as well.
//!
//! Finds and replaces; knows no secret values.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex_lite::Regex;

use super::owners::{KeyOwner, KeyPattern, OWNERS};
use super::secrecy::is_secret_name;
use super::tokens::{token_at_start, token_prefixes};

/// Replacement for a key found by its format.
pub(super) const SHAPED: &str = "a secret";

/// The formats of keys, indexed by the bytes they may begin with.
pub(super) struct SecretShapes {
    all: Vec<SecretShape>,
    /// For each pair of byte classes, the shapes that may begin with it at the start of a word, one bit each. Every
    /// line of every diff is looked up here, and most pairs begin none.
    pairs: Vec<u32>,
    /// The shapes that may begin inside a word.
    inside: u32,
    /// The shapes of secret values.
    hidden: u32,
    /// The bit of the vendors' tokens, which have no expressions.
    tokens: u32,
    /// For each byte, its class and whether it continues a word.
    classes: [ByteClass; 256],
}

/// The class of a byte for the lookup of pairs.
#[derive(Clone, Copy, Default)]
struct ByteClass {
    number: u8,
    is_word: bool,
}

/// Number of byte classes: letters regardless of case, digits, and marks.
const CLASSES: usize = 64;

impl ByteClass {
    fn of(byte: u8) -> Self {
        let number = match byte {
            b'a'..=b'z' => byte - b'a',
            b'A'..=b'Z' => byte - b'A',
            b'0'..=b'9' => 26 + byte - b'0',
            // The other ASCII bytes share classes; no mark contains non-ASCII bytes.
            _ if byte.is_ascii() => 36 + byte % 27,
            _ => 63,
        };
        Self { number, is_word: is_word(byte) }
    }
}

/// A key found by its format, or by the name it is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapedKey {
    /// Byte range of the key.
    pub range: Range<usize>,
    /// The issuer: `Honeycomb`; `None` if only its position identifies it, as after `Bearer`.
    pub owner: Option<&'static str>,
    /// Whether its own format identifies it, rather than a preceding name.
    pub has_own_shape: bool,
}

/// The format of one kind of key.
struct SecretShape {
    kind: SecretShapeKind,
    mark: SecretMark,
    /// Regular expression for the complete key; after a name, for the text that follows the name.
    whole: String,
    /// The compiled expression; compiled on first use, because most runs never need it.
    compiled: OnceLock<Option<Regex>>,
    placeholder: KeyPlaceholder,
}

/// The kind of value that a shape matches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SecretShapeKind {
    /// A key.
    Key,
    /// An identifier of a key, which may be shown.
    Identifier,
    /// The password or token of an address.
    Password,
}

/// Values that can be in a key's place without being a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyPlaceholder {
    /// None: the key's own format identifies it.
    Nothing,
    /// A reference to a value stored elsewhere.
    Reference,
    /// A reference, or unquoted program code.
    Code,
}

/// The mark that a long text is searched for first, before the regular expression.
enum SecretMark {
    /// One of these texts, in any case, also inside a word.
    Anywhere(Vec<MarkingText>),
    /// A word that begins with one of these texts, in any case.
    Word(Vec<MarkingText>),
    /// One of these names, in any case, followed by a value; a header name may also be inside a word.
    Header(Vec<MarkingText>),
    Variable(Vec<MarkingText>),
    /// Hexadecimal digits followed by this text.
    Hexadecimal(MarkingText),
    /// `://` of an address with an `@` in it.
    UserInformation,
}

/// A text that marks a key, and the issuer of the key.
#[derive(Clone, Copy)]
struct MarkingText {
    text: &'static str,
    owner: Option<&'static str>,
}

impl SecretShapes {
    fn new(all: Vec<SecretShape>) -> Self {
        let classes = std::array::from_fn(|byte| ByteClass::of(byte as u8));
        let (mut pairs, mut inside) = (vec![0; CLASSES * CLASSES], 0);
        for (number, shape) in all.iter().enumerate() {
            for (first, second) in shape.mark.beginnings() {
                pairs[Self::pair(ByteClass::of(first), ByteClass::of(second))] |= 1 << number;
            }
            inside |= u32::from(shape.mark.is_found_inside_words()) << number;
        }
        let tokens = 1 << all.len();
        for begin in token_prefixes().filter_map(|prefix| prefix.as_bytes().first_chunk::<2>()) {
            pairs[Self::pair(ByteClass::of(begin[0]), ByteClass::of(begin[1]))] |= tokens;
        }
        let mut shapes = Self { all, pairs, inside, hidden: 0, tokens, classes };
        shapes.hidden = shapes.of_kind(|kind| kind != SecretShapeKind::Identifier) | tokens;
        shapes
    }

    #[inline(always)]
    fn pair(first: ByteClass, second: ByteClass) -> usize {
        usize::from(first.number) * CLASSES + usize::from(second.number)
    }

    /// Returns the shapes of a kind, one bit each.
    fn of_kind(&self, is_wanted: impl Fn(SecretShapeKind) -> bool) -> u32 {
        let bits = self.all.iter().enumerate();
        bits.map(|(at, shape)| u32::from(is_wanted(shape.kind)) << at).sum()
    }

    /// Returns the byte ranges of the keys in `text`, and of the passwords in its addresses.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let found = self.find_among(self.hidden, text).into_iter();
        found.map(|key| key.range).collect()
    }

    /// Returns the byte ranges of the keys in `text`.
    pub(super) fn find_keys(&self, text: &str) -> Vec<Range<usize>> {
        let wanted = self.of_kind(|kind| kind == SecretShapeKind::Key);
        let found = self.find_among(wanted, text).into_iter();
        found.map(|key| key.range).collect()
    }

    /// Returns whether `text` contains a key or a vendor's token.
    pub(super) fn has_key_or_token(&self, text: &str) -> bool {
        let wanted = self.of_kind(|kind| kind == SecretShapeKind::Key) | self.tokens;
        !self.find_among(wanted, text).is_empty()
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
            let mut shapes =
                self.all.iter().enumerate().filter(|(number, _)| may >> number & 1 == 1);
            if let Some(key) = shapes.find_map(|(_, shape)| shape.key(&text[at..])) {
                done = at + key.range.end;
                keys.push(ShapedKey { range: at + key.range.start..done, ..key });
            } else if may & self.tokens != 0
                && let Some(token) = text.get(at..).and_then(token_at_start)
            {
                done = at + token.end;
                let (range, owner) = (at + token.start..done, None);
                keys.push(ShapedKey { range, owner, has_own_shape: true });
            }
        }
        keys
    }
}

/// Returns the keys and key identifiers in `text`, with their owners.
pub fn find_keys(text: &str) -> Vec<ShapedKey> {
    SHAPES.find_among(SHAPES.of_kind(|kind| kind != SecretShapeKind::Password), text)
}

impl SecretShape {
    /// Finds the key in a `text` that begins with the mark; its range is relative to `text`.
    fn key(&self, text: &str) -> Option<ShapedKey> {
        let (from, owner) = self.mark.searched_from(text)?;
        let found = self.expression()?.captures(&text[from..])?;
        let key = (1..found.len()).find_map(|group| found.get(group)).or(found.get(0))?;
        let (start, end) = (from + key.start(), from + key.end());
        let is_quoted = text[..start].ends_with(['"', '\'']);
        let is_other = match self.placeholder {
            KeyPlaceholder::Nothing => false,
            KeyPlaceholder::Code if !is_quoted => {
                is_reference(key.as_str()) || is_code(key.as_str(), &text[end..])
            }
            KeyPlaceholder::Code | KeyPlaceholder::Reference => is_reference(key.as_str()),
        };
        let has_own_shape = self.placeholder == KeyPlaceholder::Nothing;
        (!is_other).then_some(ShapedKey { range: start..end, owner, has_own_shape })
    }

    fn expression(&self) -> Option<&Regex> {
        let compile = || Regex::new(&format!("^(?:{})", self.whole)).ok();
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl SecretMark {
    /// Returns the possible first two bytes, in any case.
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

    /// Returns the offset from which the regular expression is compared with a `text` that begins with this mark, and
    /// the mark's owner. The expression costs far more than a look at a few bytes, and nearly every line of a compose
    /// file has a name or an address.
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
                // The bytes that the expression may begin with.
                let is_wanted = b"\\\"'=: \t\n\r\x0b\x0c".contains(next);
                is_wanted.then_some((name.text.len(), name.owner))
            }
            Self::Hexadecimal(with) => {
                let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                bytes[digits..].starts_with(with.text.as_bytes()).then_some((0, with.owner))
            }
            Self::UserInformation => {
                let rest = bytes.strip_prefix(b"://")?;
                let rest = rest.get(..MAX_USER_BYTES).unwrap_or(rest);
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>".contains(byte);
                let end = rest.iter().position(ends).unwrap_or(rest.len());
                memchr::memchr(b'@', &rest[..end]).map(|_| (0, None))
            }
        }
    }
}

/// Maximum number of bytes of an address in which its `@` is searched.
const MAX_USER_BYTES: usize = 1024;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) static SHAPES: LazyLock<SecretShapes> = LazyLock::new(|| {
    const SCHEMES: [&str; 4] = ["Bearer", "Basic", "Api-Token", "ApiKey"];
    // A value in escaped quotes, in quotes with escapes, or without blanks.
    const ESCAPED: &str = r#"\\["']([^\s"'\\$<>{}]{8,})"#;
    const QUOTED: &str = r#""((?:\\.|[^\s"\\$<>{}]){8,})|'((?:\\.|[^\s'\\$<>{}]){8,})"#;
    const BARE: &str = r#"([^\s"'$,<>{}]{8,})"#;
    let value = format!(r#"\\?["']?\s*[=:]\s*(?:{ESCAPED}|{QUOTED}|{BARE})"#);
    let scheme = format!(r#"(?i)(?:{})(?:%20| )([^\s"'$,<>{{}}`]{{20,}})"#, SCHEMES.join("|"));
    let schemes = SCHEMES.map(|text| MarkingText { text, owner: None }).to_vec();
    let texts = |of: fn(&KeyOwner) -> &Vec<String>| -> Vec<MarkingText> {
        OWNERS.iter().flat_map(|owner| of(owner).iter().map(|text| owner.marking(text))).collect()
    };
    let (headers, variables) = (texts(|owner| &owner.headers), texts(|owner| &owner.variables));
    let owner_shapes =
        OWNERS.iter().flat_map(|owner| owner.shapes.iter().map(|shape| owner.shape(shape)));
    let general = [
        (SecretShapeKind::Key, SecretMark::Header(headers), value.as_str(), KeyPlaceholder::Code),
        (SecretShapeKind::Key, SecretMark::Word(schemes), &scheme, KeyPlaceholder::Code),
        (SecretShapeKind::Key, SecretMark::Variable(variables), &value, KeyPlaceholder::Code),
        // The password of an address, up to the last `@` before its path; the digest of an image is not one.
        (
            SecretShapeKind::Password,
            SecretMark::UserInformation,
            r#"://[^\s/@:"'`<>]*:([^\s/"'`<>]+)@[^\s/@:]"#,
            KeyPlaceholder::Reference,
        ),
        (
            SecretShapeKind::Password,
            SecretMark::UserInformation,
            r#"://([^\s/@:"'`<>]{20,})@[^\s/@:]"#,
            KeyPlaceholder::Reference,
        ),
        // A password with an unescaped slash; what begins with digits before the slash is a port.
        (
            SecretShapeKind::Password,
            SecretMark::UserInformation,
            r#"://[^\s/@:"'`<>]+:([^\s/"'`<>$]*[^\s/"'`<>$0-9][^\s/"'`<>$]*/[^\s"'`<>@]*)@[^\s/@:]"#,
            KeyPlaceholder::Reference,
        ),
    ];
    let shapes = owner_shapes.chain(general).map(|(kind, mark, whole, placeholder)| SecretShape {
        kind,
        mark,
        whole: whole.to_owned(),
        compiled: OnceLock::new(),
        placeholder,
    });
    SecretShapes::new(shapes.collect())
});

impl KeyOwner {
    fn marking(&'static self, text: &'static str) -> MarkingText {
        MarkingText { text, owner: Some(&self.owner) }
    }

    fn shape(
        &'static self,
        pattern: &'static KeyPattern,
    ) -> (SecretShapeKind, SecretMark, &'static str, KeyPlaceholder) {
        let texts = |of: &'static [String]| of.iter().map(|text| self.marking(text)).collect();
        let kind =
            if pattern.identifier { SecretShapeKind::Identifier } else { SecretShapeKind::Key };
        let mark = match (pattern.begins.as_slice(), pattern.anywhere.as_slice()) {
            ([], []) => SecretMark::Hexadecimal(self.marking(&pattern.ends)),
            ([], anywhere) => SecretMark::Anywhere(texts(anywhere)),
            (begins, _) => SecretMark::Word(texts(begins)),
        };
        (kind, mark, &pattern.whole, KeyPlaceholder::Nothing)
    }
}

/// Returns whether `value` refers to a key rather than being one: `$KEY`, `<your-key>`, `HONEYCOMB_API_KEY`.
pub(super) fn is_reference(value: &str) -> bool {
    const MAX_CHARS: usize = 40;
    let value = value.trim_end_matches(['`', '.', ')', ';']);
    let is_sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_variable = value.len() <= MAX_CHARS && value.contains('_') && value.chars().all(is_sign);
    ["$", "{", "<", "*", "%s", "%("].iter().any(|begin| value.starts_with(begin))
        || is_variable && is_secret_name(value)
}

/// Returns whether `value`, followed by `rest`, is a name, a dotted name, or a call of one.
fn is_code(value: &str, rest: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let end = value.find(|c: char| !is_name(c)).unwrap_or(value.len());
    let (names, behind) = value.split_at(end);
    match behind.chars().next().or(rest.chars().next()) {
        Some('(' | '[') => names.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'),
        _ if !behind.trim_end_matches([')', ']', ';']).is_empty() => false,
        _ if names.contains(['_', '.']) => names.split(['_', '.']).all(is_word_of_a_name),
        _ => names.len() < MAX_WORD_BYTES && is_word_of_a_name(names),
    }
}

/// Maximum length of an ordinary word in bytes; keys are longer.
const MAX_WORD_BYTES: usize = 20;

/// Returns whether `word` consists of letters in one case or in camel case, as names do, rather than of random letters
/// and digits.
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
