//! Finds known secrets in a text: verbatim, in another case, in base64 or hexadecimal, or truncated.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Secret;

/// Shorter values are not searched for: hiding every `a` would make a text unreadable.
const MIN_SEARCHED_BYTES: usize = 8;

/// A value of this length cannot be an ordinary word that occurs in another case.
const MIN_BYTES_IN_ANY_CASE: usize = 16;

/// Marks of a truncated text or the end of a line.
const TRUNCATION_MARKS: [&str; 3] = ["\u{2026}", "..", "\n"];

/// The first byte of the ellipsis, the first of [`TRUNCATION_MARKS`].
const FIRST_OF_ELLIPSIS: u8 = 0xe2;

/// The known secrets by name, and the forms to search for.
#[derive(Default)]
pub(super) struct SecretNeedles {
    secrets: Vec<(String, Secret)>,
    needles: Vec<SecretNeedle>,
    /// The first two bytes of each needle, and pairs of bytes that the remainder of a truncated one may begin with.
    /// Each byte of each text is looked up here, so this must be cheap; most bytes begin no needle.
    first: FirstBytes,
    begins: BytePairs,
    rests: BytePairs,
}

/// One form of a secret.
struct SecretNeedle {
    /// Index of the secret.
    secret: usize,
    text: Secret,
    form: NeedleMatching,
    /// Whether it is a single long word and not an address or sentence: then its first half identifies it, wherever it
    /// is truncated.
    is_word: bool,
}

/// How a form is compared with a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NeedleMatching {
    /// Byte by byte.
    Exact,
    /// Ignoring ASCII case.
    AnyCase,
    /// In the standard or the URL-safe alphabet.
    Base64,
}

/// A secret found in a text: its byte range and its name.
pub(super) struct SecretRange<'k> {
    pub(super) range: Range<usize>,
    pub(super) name: &'k str,
}

impl SecretNeedles {
    /// Adds a secret, unless it is too short or already known.
    pub(super) fn learn(&mut self, name: &str, secret: &Secret) {
        let value = secret.expose();
        if value.len() < MIN_SEARCHED_BYTES || self.secrets.iter().any(|(_, have)| have == secret) {
            return;
        }
        self.secrets.push((name.to_owned(), secret.clone()));
        let form = if value.len() < MIN_BYTES_IN_ANY_CASE {
            NeedleMatching::Exact
        } else {
            NeedleMatching::AnyCase
        };
        self.look_for(value.to_owned(), form);
        // Text shown line by line is searched line by line.
        let lines = value.lines().map(str::trim).filter(|line| *line != value);
        for line in
            lines.filter(|line| line.len() >= MIN_BYTES_IN_ANY_CASE && !line.starts_with("-----"))
        {
            self.look_for(line.to_owned(), NeedleMatching::AnyCase);
        }
        for before in 0..3 {
            self.look_for(base64_behind(before, value), NeedleMatching::Base64);
        }
        let hexadecimal = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.look_for(hexadecimal, NeedleMatching::AnyCase);
    }

    fn look_for(&mut self, text: String, form: NeedleMatching) {
        let bytes = text.as_bytes();
        self.first.add(bytes[0]);
        self.begins.add(bytes[0], bytes[1]);
        for at in 1..=bytes.len() - MIN_SEARCHED_BYTES {
            self.rests.add(bytes[at], bytes[at + 1]);
        }
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+=~".contains(&byte);
        let is_word =
            bytes.len() > MIN_BYTES_IN_ANY_CASE && bytes.iter().all(|byte| is_sign(*byte));
        let secret = self.secrets.len() - 1;
        self.needles.push(SecretNeedle { secret, text: Secret::new(text), form, is_word });
    }

    /// Returns every secret with its name, longest first, so that a secret comes before those it contains.
    pub(super) fn by_length(&self) -> Vec<&(String, Secret)> {
        let mut secrets: Vec<_> = self.secrets.iter().collect();
        secrets.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.expose().len()));
        secrets
    }

    /// Returns every secret in `text`, complete or truncated.
    pub(super) fn find(&self, text: &str) -> Vec<SecretRange<'_>> {
        let mut found = Vec::new();
        if self.needles.is_empty() {
            return found;
        }
        let bytes = text.as_bytes();
        let mut done = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if !self.first.has(*byte) || at < done {
                continue;
            }
            if bytes.get(at + 1).is_none_or(|next| !self.begins.has(*byte, *next)) {
                continue;
            }
            let longest =
                self.needles.iter().filter_map(|needle| Some((needle.found(text, at)?, needle)));
            if let Some((end, needle)) = longest.max_by_key(|(end, _)| *end) {
                found.push(self.named(at..end, needle));
                done = end;
            }
        }
        found.extend(self.rest(text, 0));
        let mut end = 0;
        for at in memchr::memchr3_iter(b'\n', b'.', FIRST_OF_ELLIPSIS, bytes) {
            if at < end {
                continue;
            }
            if let Some(cut) =
                TRUNCATION_MARKS.iter().find(|cut| bytes[at..].starts_with(cut.as_bytes()))
            {
                let dots = bytes[at + cut.len()..].iter().take_while(|byte| **byte == b'.');
                end = at + cut.len() + dots.count();
                found.extend(self.rest(text, end));
            }
        }
        found
    }

    /// Returns the remainder of a secret whose beginning was truncated before `at`.
    fn rest(&self, text: &str, at: usize) -> Option<SecretRange<'_>> {
        let bytes = &text.as_bytes()[at..];
        if bytes.len() < MIN_SEARCHED_BYTES || !self.rests.has(bytes[0], bytes[1]) {
            return None;
        }
        let rests = self.needles.iter().filter_map(|needle| Some((needle.rest(bytes)?, needle)));
        let (length, needle) = rests.max_by_key(|(length, _)| *length)?;
        Some(self.named(at..at + length, needle))
    }

    fn named(&self, range: Range<usize>, needle: &SecretNeedle) -> SecretRange<'_> {
        SecretRange { range, name: &self.secrets[needle.secret].0 }
    }
}

impl SecretNeedle {
    fn bytes(&self) -> &[u8] {
        self.text.expose().as_bytes()
    }

    fn is_same(&self, one: u8, other: u8) -> bool {
        one == other
            || match self.form {
                NeedleMatching::Exact => false,
                NeedleMatching::AnyCase => one.eq_ignore_ascii_case(&other),
                NeedleMatching::Base64 => one == in_standard_alphabet(other),
            }
    }

    /// Returns the end of this form in `text`, if it begins at `at`: complete, or truncated with a mark that shows it.
    fn found(&self, text: &str, at: usize) -> Option<usize> {
        let pairs = self.bytes().iter().zip(&text.as_bytes()[at..]);
        let mut same = pairs.take_while(|(one, other)| self.is_same(**one, **other)).count();
        while !text.is_char_boundary(at + same) {
            same -= 1;
        }
        let rest = &text[at + same..];
        let is_whole = same == self.bytes().len();
        let is_cut = same >= MIN_SEARCHED_BYTES
            && (rest.is_empty() || TRUNCATION_MARKS.iter().any(|cut| rest.starts_with(cut)));
        let is_most = same >= MIN_BYTES_IN_ANY_CASE && self.is_word;
        (is_whole || is_cut || is_most).then_some(at + same)
    }

    /// Returns the length of the suffix of this form that `text` begins with.
    fn rest(&self, text: &[u8]) -> Option<usize> {
        let form = self.bytes();
        (1..=form.len() - MIN_SEARCHED_BYTES).map(|from| &form[from..]).find_map(|rest| {
            let start = text.get(..rest.len())?;
            let is_same = rest.iter().zip(start).all(|(one, other)| self.is_same(*one, *other));
            is_same.then_some(rest.len())
        })
    }
}

/// Returns the base64 form of `value` after `before` bytes (modulo three), without the characters at either end that
/// depend on neighbouring bytes.
fn base64_behind(before: usize, value: &str) -> String {
    let mut bytes = vec![0; before];
    bytes.extend(value.as_bytes());
    let whole = STANDARD_NO_PAD.encode(&bytes);
    let from = (before * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    whole[from..to].to_owned()
}

#[inline(always)]
fn in_standard_alphabet(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// A set of bytes, each in all spellings.
struct FirstBytes([bool; 256]);

impl Default for FirstBytes {
    fn default() -> Self {
        Self([false; 256])
    }
}

impl FirstBytes {
    fn add(&mut self, byte: u8) {
        let has_same_place = |other: &u8| BytePairs::folded(*other) == BytePairs::folded(byte);
        for other in (0..=u8::MAX).filter(has_same_place) {
            self.0[usize::from(other)] = true;
        }
    }

    #[inline(always)]
    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// A set of pairs of bytes, each in all spellings.
struct BytePairs(Vec<u64>);

impl Default for BytePairs {
    fn default() -> Self {
        Self(vec![0; 1 << 10])
    }
}

impl BytePairs {
    #[inline(always)]
    fn folded(byte: u8) -> usize {
        usize::from(in_standard_alphabet(byte.to_ascii_lowercase()))
    }

    #[inline(always)]
    fn place(first: u8, second: u8) -> usize {
        Self::folded(first) << 8 | Self::folded(second)
    }

    fn add(&mut self, first: u8, second: u8) {
        let place = Self::place(first, second);
        self.0[place >> 6] |= 1 << (place & 63);
    }

    #[inline(always)]
    fn has(&self, first: u8, second: u8) -> bool {
        let place = Self::place(first, second);
        self.0[place >> 6] >> (place & 63) & 1 == 1
    }
}
