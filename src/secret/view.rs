//! Alternative readings of a text: without invisible characters, and with its escapes decoded.
//!
//! Each byte of a view is mapped to the bytes of the text it was decoded from.

use std::borrow::Cow;
use std::ops::Range;

use super::redacted_text::is_invisible;

/// A text as it is, or as another program would decode it.
pub(super) struct DecodedView<'t> {
    pub(super) text: Cow<'t, str>,
    /// For each byte of `text`, its byte range in the original; `None` if the view is the original.
    sources: Option<Vec<Range<usize>>>,
}

/// Maximum number of nested escapes that are decoded.
const MAX_NESTING: usize = 3;

/// Decodes the beginning of a text: returns the character, if any, and the number of bytes it replaces; `None` if it is
/// not escaped.
type EscapeDecoder = fn(&str) -> Option<(Option<char>, usize)>;

/// The first character of each kind of escape, and its decoder.
const DECODERS: [(char, EscapeDecoder); 3] =
    [('%', percent_decoded), ('\\', decode_escape), ('&', decode_entity)];

impl<'t> DecodedView<'t> {
    /// Returns every reading of `text` in which a secret could be recognised, the text itself first.
    pub(super) fn all(text: &'t str) -> Vec<Self> {
        let mut views = vec![Self { text: Cow::Borrowed(text), sources: None }];
        let may_differ = |byte: u8| {
            !byte.is_ascii() || byte.is_ascii_control() || matches!(byte, b'%' | b'\\' | b'&')
        };
        if !text.bytes().any(may_differ) {
            return views;
        }
        views.extend(views[0].read(skip_invisible));
        // A literal escape of one kind may be written with the other kind, so each kind is decoded separately.
        let mut level = views.len() - 1..views.len();
        for _ in 0..MAX_NESTING {
            let end = views.len();
            for at in level {
                for (sign, way) in DECODERS {
                    if !views[at].text.contains(sign) {
                        continue;
                    }
                    let next = views[at].read(way);
                    let is_new =
                        |next: &DecodedView<'_>| views.iter().all(|view| view.text != next.text);
                    views.extend(next.filter(is_new));
                }
            }
            level = end..views.len();
        }
        views
    }

    /// Returns the byte range of the original that corresponds to `range` of this view.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let Some(sources) = &self.sources else { return range };
        match (sources.get(range.start), sources.get(range.end.saturating_sub(1))) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Decodes this view once more with `next`. `None` if the text does not change.
    fn read(
        &self,
        next: impl Fn(&str) -> Option<(Option<char>, usize)>,
    ) -> Option<DecodedView<'t>> {
        let (mut text, mut sources) = (String::with_capacity(self.text.len()), Vec::new());
        let (mut at, mut differs) = (0, false);
        while let Some(character) = self.text[at..].chars().next() {
            let (read, length) = match next(&self.text[at..]) {
                Some(found) => {
                    differs = true;
                    found
                }
                None => (Some(character), character.len_utf8()),
            };
            if let Some(read) = read {
                text.push(read);
                sources.resize(text.len(), self.original(at..at + length));
            }
            at += length;
        }
        differs.then_some(DecodedView { text: Cow::Owned(text), sources: Some(sources) })
    }
}

/// Skips an invisible character.
fn skip_invisible(rest: &str) -> Option<(Option<char>, usize)> {
    let character = rest.chars().next()?;
    match visible_char(character) {
        Some(_) => None,
        None => Some((None, colour_sequence_length(rest).unwrap_or(character.len_utf8()))),
    }
}

/// Returns `character` unless it is invisible; line breaks and tabs become word separators.
fn visible_char(character: char) -> Option<char> {
    (matches!(character, '\n' | '\r' | '\t') || !is_invisible(character)).then_some(character)
}

/// Returns `text` without the terminal control sequences that colour it.
pub(crate) fn without_colours(text: &str) -> Cow<'_, str> {
    let view = DecodedView { text: Cow::Borrowed(text), sources: None };
    let plain = view.read(|rest| Some((None, colour_sequence_length(rest)?)));
    plain.map_or(Cow::Borrowed(text), |plain| plain.text)
}

/// Returns the length of a terminal control sequence (`ESC [ … letter`).
fn colour_sequence_length(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix("\u{1b}[")?;
    let length = inside.bytes().take_while(|byte| matches!(byte, b'0'..=b'?')).count();
    inside.as_bytes().get(length).filter(|last| matches!(last, b'@'..=b'~')).map(|_| length + 3)
}

/// Decodes `%41`.
fn percent_decoded(rest: &str) -> Option<(Option<char>, usize)> {
    if !rest.starts_with('%') {
        return None;
    }
    let read: Vec<u8> =
        rest.as_bytes().chunks_exact(3).map_while(decode_percent_byte).take(4).collect();
    let first = read.utf8_chunks().next()?.valid().chars().next()?;
    Some((visible_char(first), 3 * first.len_utf8()))
}

/// Decodes `&#65;`, `&#x41;` and `&amp;`.
fn decode_entity(rest: &str) -> Option<(Option<char>, usize)> {
    const MAX_NAME_BYTES: usize = 8;
    let inside = rest.strip_prefix('&')?;
    let length = inside.bytes().take(MAX_NAME_BYTES).position(|byte| byte == b';')?;
    let character = match &inside[..length] {
        "amp" => '&',
        "apos" => '\'',
        "gt" => '>',
        "lt" => '<',
        "quot" => '"',
        name => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((visible_char(character), length + 2))
}

/// Decodes `\"`, `\n`, `\x41` and `\u0041`.
fn decode_escape(rest: &str) -> Option<(Option<char>, usize)> {
    let [b'\\', sign, ..] = rest.as_bytes() else { return None };
    match sign {
        b'"' | b'\'' | b'\\' | b'/' => Some((Some(char::from(*sign)), 2)),
        b'n' => Some((Some('\n'), 2)),
        b'r' => Some((Some('\r'), 2)),
        b't' => Some((Some('\t'), 2)),
        b'x' => Some((visible_char(decode_digits(rest.get(2..4)?)?), 4)),
        b'u' => Some((visible_char(decode_digits(rest.get(2..6)?)?), 6)),
        _ => None,
    }
}

/// Decodes the hexadecimal number of a character.
fn decode_digits(digits: &str) -> Option<char> {
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    char::from_u32(is_number.then(|| u32::from_str_radix(digits, 16).ok())??)
}

fn decode_percent_byte(three: &[u8]) -> Option<u8> {
    let [b'%', high, low] = three else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_maps_back_to_the_original() {
        let text = "x%41\u{200b}b\\\"c%c3%a9\\u0064\u{1b}[1;31me%2541";
        let views = DecodedView::all(text);
        let last = views.last().unwrap();
        assert_eq!(last.text, "xAb\"c\u{e9}deA");
        for (part, source) in [
            ("A", "%41"),
            ("b\"", "b\\\""),
            ("\u{e9}", "%c3%a9"),
            ("d", "\\u0064"),
            ("eA", "e%2541"),
        ] {
            let at = last.text.find(part).unwrap();
            assert_eq!(&text[last.original(at..at + part.len())], source);
        }
        let text = "&#104;&#x63;&amp;&lt;\\x41\\\\x42";
        assert_eq!(DecodedView::all(text).last().unwrap().text, "hc&<AB");
        assert_eq!(without_colours("a\u{1b}[1;31mb"), "ab");
        for text in ["a & b;", "&anchor;", "&#xzz;", "\\xyz", "&#99999999;"] {
            assert_eq!(DecodedView::all(text).len(), 1, "{text}");
        }
        assert_eq!(DecodedView::all("plain text").len(), 1);
        assert_eq!(DecodedView::all("100 % of \\w").len(), 1);
    }
}
