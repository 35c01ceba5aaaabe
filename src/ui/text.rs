//! Text made fit for a line: without control characters, cut and padded to columns, numbers with units.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};

use super::Look;

/// Two columns, and what stands in them when text was cut.
fn ellipsis(look: &Look) -> &'static str {
    if look.unicode { "…" } else { ".." }
}

/// `text` without anything that could move the cursor, colour the screen or turn the writing around; what the
/// terminal cannot show becomes a question mark.
pub fn printable<'a>(text: &'a str, look: &Look) -> Cow<'a, str> {
    let shows = |character: char| {
        !character.is_control()
            && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
            && (look.unicode || character.is_ascii())
    };
    if text.chars().all(shows) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|character| match character {
        '\n' | '\r' | '\t' => ' ',
        character if shows(character) => character,
        _ => '?',
    });
    Cow::Owned(replaced.collect())
}

/// `text` with no other control character than line breaks, tabs and, where the stream has them, colours and links: the
/// last gate of every way out.
pub fn tamed<'t>(text: &'t str, look: &Look) -> Cow<'t, str> {
    let foreign = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if !text.contains(foreign) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(foreign) {
        out.push_str(&rest[..at]);
        let length = sequence(&rest[at..], look);
        match length {
            0 => out.push('?'),
            _ => out.push_str(&rest[at..at + length]),
        }
        let character = rest[at..].chars().next().map_or(1, char::len_utf8);
        rest = &rest[at + length.max(character)..];
    }
    Cow::Owned(out + rest)
}

/// How long the colour (`ESC [ … m`) or the link (`ESC ] 8 ; ; … ESC \\`) is that `text` begins with; nothing for anything
/// else.
fn sequence(text: &str, look: &Look) -> usize {
    let link = text.strip_prefix("\u{1b}]8;;").filter(|_| look.links);
    if let Some((address, _)) = link.and_then(|inside| inside.split_once("\u{1b}\\"))
        && !address.contains(char::is_control)
    {
        return 5 + address.len() + 2;
    }
    if look.colour { colour(text) } else { 0 }
}

fn colour(text: &str) -> usize {
    let Some(inside) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let length = inside.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    match inside.as_bytes().get(length) {
        Some(b'm') => length + 3,
        _ => 0,
    }
}

/// The characters of a line that are shown around a place in it.
const AROUND: usize = 100;

/// A line as it is shown, and what stands before the caret below it. Of a long line only what lies around the column;
/// tabs stay tabs, so that the caret does too.
pub fn excerpt(line: &str, column: usize) -> (String, String) {
    let at = column.saturating_sub(1);
    let from = match at > AROUND {
        true => at - AROUND,
        false => 0,
    };
    let mut rest = line.chars().skip(from);
    let mut shown: String = rest.by_ref().take(2 * AROUND).collect();
    let blank = |character: char| if character == '\t' { '\t' } else { ' ' };
    let mut before: String = shown.chars().take(at - from).map(blank).collect();
    if from > 0 {
        shown.insert(0, '…');
        before.insert(0, ' ');
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    (shown, before)
}

/// Columns that printable `text` takes.
pub fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// Printable `text` cut to at most `width` columns.
pub fn cut(text: &str, width: usize, look: &Look) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let tail = ellipsis(look);
    if width < columns(tail) {
        return String::new();
    }
    truncate_str(text, width, tail).into_owned()
}

/// Printable `text` in exactly `width` columns, at their left.
pub fn left(text: &str, width: usize, look: &Look) -> String {
    let text = cut(text, width, look);
    let missing = width.saturating_sub(columns(&text));
    text + &" ".repeat(missing)
}

/// Printable `text` in exactly `width` columns, at their right.
pub fn right(text: &str, width: usize, look: &Look) -> String {
    let text = cut(text, width, look);
    let missing = width.saturating_sub(columns(&text));
    " ".repeat(missing) + &text
}

/// Nanoseconds with three digits and a unit: `1.23 ms`. At most eight columns.
pub fn duration(ns: u64, look: &Look) -> String {
    let micro = if look.unicode { "µs" } else { "us" };
    let (unit, per) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..999_500 => (micro, 1e3),
        999_500..999_500_000 => ("ms", 1e6),
        999_500_000..600_000_000_000 => ("s", 1e9),
        600_000_000_000..36_000_000_000_000 => return format!("{} min", ns / 60_000_000_000),
        36_000_000_000_000..864_000_000_000_000 => return format!("{} h", ns / 3_600_000_000_000),
        _ => return format!("{} d", ns / 86_400_000_000_000),
    };
    let value = ns as f64 / per;
    if value < 9.995 {
        format!("{value:.2} {unit}")
    } else if value < 99.95 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// `1 span`, `2 spans`: `one` with an s where it is not one.
pub fn count(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// `text` in lines of at most `width` columns, broken at spaces; a longer word stands alone, and what stands in backticks
/// counts as a word, since it can be copied only from one line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut start = 0;
    for end in text.match_indices(' ').map(|(at, _)| at).chain([text.len()]) {
        let word = &text[start..end];
        let is_open = word.matches('`').count() % 2 == 1;
        if is_open && end < text.len() {
            continue;
        }
        start = end + 1;
        let Some(line) = lines.last_mut() else {
            continue;
        };
        let together = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if together <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_pasted_is_never_broken() {
        assert_eq!(
            wrap("`a b c d e f` does it, or so it is said", 12),
            ["`a b c d e f`", "does it, or", "so it is", "said"]
        );
        assert_eq!(wrap("run `a b c` now", 8), ["run", "`a b c`", "now"]);
        assert_eq!(wrap("one `left open here", 5), ["one", "`left open here"]);
    }

    #[test]
    fn nothing_but_colours_leaves_the_gate() {
        for (text, shown) in [
            ("a\tb\nc", "a\tb\nc"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}", "?[2J?]0;title?"),
            ("\u{9b}31m\r\u{8}\u{1b}[31", "?31m???[31"),
            (
                "\u{1b}]8;;http://a\u{1b}\\b\u{1b}]8;;\u{1b}\\",
                "\u{1b}]8;;http://a\u{1b}\\b\u{1b}]8;;\u{1b}\\",
            ),
            ("\u{1b}]8;;a\rb\u{1b}\\", "?]8;;a?b?\\"),
        ] {
            let look = Look { colour: true, links: true, ..UTF8 };
            assert_eq!(tamed(text, &look), shown);
        }
        assert_eq!(tamed("\u{1b}[1mx", &UTF8), "?[1mx");
    }

    #[test]
    fn of_a_long_line_the_place_is_shown() {
        assert_eq!(excerpt("\tab", 3), ("\tab".to_owned(), "\t ".to_owned()));
        let (shown, before) = excerpt(&"x".repeat(1000), 500);
        assert_eq!(shown.chars().count(), 2 * AROUND + 2);
        assert_eq!(before.len(), AROUND + 1);
        assert_eq!(excerpt("", 9), (String::new(), String::new()));
    }

    const UTF8: Look = Look { colour: false, unicode: true, links: false, width: 80, wraps: false };

    #[test]
    fn what_moves_the_cursor_is_taken_out() {
        let look = Look::plain();
        assert_eq!(printable("GET /\u{1b}[2J\u{7}x\ny", &look), "GET /?[2J?x y");
        assert_eq!(printable("caf\u{e9}", &look), "caf?");
        assert_eq!(printable("caf\u{e9} \u{202e}x", &UTF8), "caf\u{e9} ?x");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(columns(&left("\u{65e5}\u{672c}\u{8a9e}", 5, &UTF8)), 5);
        assert_eq!(right("ab", 4, &UTF8), "  ab");
        assert_eq!(cut("abcdef", 4, &Look::plain()), "ab..");
        assert_eq!(cut("abc", 1, &Look::plain()), "");
    }

    #[test]
    fn durations_have_three_digits() {
        let shown = |ns| duration(ns, &Look::plain());
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(999), "999 ns");
        assert_eq!(shown(1_000), "1.00 us");
        assert_eq!(shown(999_499), "999 us");
        assert_eq!(shown(999_500), "1.00 ms");
        assert_eq!(shown(12_345_678), "12.3 ms");
        assert_eq!(shown(999_400_000), "999 ms");
        assert_eq!(shown(1_500_000_000), "1.50 s");
        assert_eq!(shown(599_000_000_000), "599 s");
        assert_eq!(shown(600_000_000_000), "10 min");
        assert_eq!(shown(36_000_000_000_000), "10 h");
        assert_eq!(shown(u64::MAX), "213503 d");
    }
}
