//! Fits text to lines: cuts and pads [`RedactedText`] to columns, and formats numbers with units.

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::StreamLook;
use crate::secret::{RedactedText, Redactor};

/// The style and redactor for lines of one stream.
#[derive(Debug, Clone)]
pub struct LineStyle {
    /// The style of the stream.
    pub look: StreamLook,
    pub(super) redactor: Redactor,
}

impl LineStyle {
    /// Returns the pen for a stream.
    pub fn new(look: StreamLook, redactor: &Redactor) -> Self {
        Self { look, redactor: redactor.clone() }
    }

    /// Returns `text` redacted and printable, with a question mark for characters the terminal cannot show.
    pub fn show(&self, text: &str) -> RedactedText {
        let shown = self.redactor.show(text);
        if self.look.unicode { shown } else { shown.in_ascii() }
    }

    /// Returns `text` cut to at most `width` columns.
    pub fn cut(&self, text: &RedactedText, width: usize) -> RedactedText {
        let tail = if self.look.unicode { "…" } else { ".." };
        match text.columns() {
            columns if columns <= width => text.clone(),
            _ if width < count_columns(tail) => RedactedText::default(),
            _ => text.map(|text| truncate_str(text, width, tail).into_owned()),
        }
    }

    /// Returns `text` left-aligned in exactly `width` columns.
    pub fn left(&self, text: &RedactedText, width: usize) -> RedactedText {
        let text = self.cut(text, width);
        let missing = width.saturating_sub(text.columns());
        text.map(|text| format!("{text}{}", " ".repeat(missing)))
    }

    /// Returns `text` right-aligned in exactly `width` columns.
    pub fn right(&self, text: &RedactedText, width: usize) -> RedactedText {
        let text = self.cut(text, width);
        let missing = width.saturating_sub(text.columns());
        text.map(|text| format!("{}{text}", " ".repeat(missing)))
    }
}

impl RedactedText {
    /// Returns the width in columns.
    pub fn columns(&self) -> usize {
        count_columns(self.as_str())
    }
}

/// Returns the width in columns of text that needs no redaction.
pub(crate) fn count_columns(text: &str) -> usize {
    measure_text_width(text)
}

/// The characters shown around a place in a long line.
const EXCERPT_MARGIN: usize = 100;

/// Returns a line as shown, and the text before the caret below it. A long line is cut around the column; tabs are
/// kept so that the caret is aligned.
pub(crate) fn excerpt(line: &RedactedText, column: usize) -> (String, String) {
    let line = line.as_str();
    let at = column.saturating_sub(1);
    let from = at.saturating_sub(EXCERPT_MARGIN);
    let mut rest = line.chars().skip(from);
    let mut shown: String = rest.by_ref().take(2 * EXCERPT_MARGIN).collect();
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

/// Formats nanoseconds with three digits and a unit: `1.23 ms`. At most eight columns.
pub(crate) fn format_nanoseconds(ns: u64, look: &StreamLook) -> String {
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

/// Formats a count: `1 span`, `2 spans`; adds an s to `one` unless the number is one.
pub(crate) fn format_count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Wraps `text` to lines of at most `width` columns, at spaces. A longer word gets its own line; text in backticks
/// counts as one word, so that it can be copied.
pub(crate) fn wrap_text(text: &RedactedText, width: usize) -> Vec<String> {
    let text = text.as_str();
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

/// Describes how long ago something was, in its largest unit.
pub(crate) fn describe_age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0 => return "just now".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// Joins the first names of a list and counts the rest.
pub(crate) fn join_first_names(names: &[String]) -> String {
    const MAX_SHOWN_NAMES: usize = 12;
    let shown =
        names.iter().take(MAX_SHOWN_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_SHOWN_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(unicode: bool) -> LineStyle {
        LineStyle::new(StreamLook { unicode, ..StreamLook::plain() }, &Redactor::default())
    }

    #[test]
    fn text_to_copy_is_never_wrapped() {
        let wrap = |text: &'static str, width| wrap_text(&RedactedText::from(text), width);
        assert_eq!(
            wrap("`a b c d e f` does it, or so it is said", 12),
            ["`a b c d e f`", "does it, or", "so it is", "said"]
        );
        assert_eq!(wrap("run `a b c` now", 8), ["run", "`a b c`", "now"]);
        assert_eq!(wrap("one `left open here", 5), ["one", "`left open here"]);
        assert_eq!(wrap("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let show = |text: &str| Redactor::default().show_line(text);
        assert_eq!(excerpt(&show("\tab"), 3), ("\tab".to_owned(), "\t ".to_owned()));
        let (shown, before) = excerpt(&show(&"x".repeat(1000)), 500);
        assert_eq!(shown.chars().count(), 2 * EXCERPT_MARGIN + 2);
        assert_eq!(before.len(), EXCERPT_MARGIN + 1);
        assert_eq!(excerpt(&show(""), 9), (String::new(), String::new()));
    }

    #[test]
    fn invisible_characters_are_escaped_and_counted() {
        let ascii = pen(false);
        assert_eq!(ascii.show("GET /\u{1b}[2Jx\ny").as_str(), "GET /\\u{1b}[2Jx\\ny");
        assert_eq!(ascii.show("caf\u{e9}").as_str(), "caf?");
        assert_eq!(pen(true).show("caf\u{e9} \u{202e}x").as_str(), "caf\u{e9} \\u{202e}x");
        assert_eq!(pen(true).show("a\nb").columns(), 4);
    }

    #[test]
    fn wide_characters_count_twice() {
        let (pen, ascii) = (pen(true), pen(false));
        assert_eq!(pen.left(&pen.show("\u{65e5}\u{672c}\u{8a9e}"), 5).columns(), 5);
        assert_eq!(pen.right(&"ab".into(), 4).as_str(), "  ab");
        assert_eq!(ascii.cut(&"abcdef".into(), 4).as_str(), "ab..");
        assert_eq!(ascii.cut(&"abc".into(), 1).as_str(), "");
    }

    #[test]
    fn a_key_is_hidden_before_it_is_cut() {
        let redactor = Redactor::default();
        redactor.learn("KEY", &crate::secret::Secret::new("0123456789abcdefghij"));
        let pen = LineStyle::new(StreamLook::plain(), &redactor);
        let shown = pen.show("xxxxx0123456789abcdefghij tail");
        for width in 0..40 {
            let cut = pen.cut(&shown, width);
            assert!(!cut.as_str().contains("01"), "{cut}");
        }
    }

    #[test]
    fn durations_have_three_digits() {
        let shown = |ns| format_nanoseconds(ns, &StreamLook::plain());
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

    #[test]
    fn an_age_is_shown_in_its_largest_unit() {
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (2_592_000, "30 days ago"),
        ] {
            assert_eq!(describe_age(Duration::from_secs(seconds)), text);
        }
    }
}
