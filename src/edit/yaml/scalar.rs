//! Writes scalars so that every YAML parser reads the same string.

use super::tree::{Layout, Style};

/// Returns `text` in double quotes.
pub(super) fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            plain if printable(plain) => out.push(plain),
            other if u32::from(other) > 0xffff => {
                out.push_str(&format!("\\U{:08x}", u32::from(other)));
            }
            other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
    }
    out.push('"');
    out
}

/// Returns `text` in a neighbour's style, or in double quotes if that style cannot represent it.
pub(super) fn styled(text: &str, style: Style, layout: Layout) -> String {
    match style {
        Style::Plain if is_plain_string(text, layout) => text.to_owned(),
        Style::Single if text.chars().all(printable) => format!("'{}'", text.replace('\'', "''")),
        _ => double(text),
    }
}

/// Returns whether `text` without quotes parses as exactly this string in YAML 1.1 and 1.2.
pub(super) fn is_plain_string(text: &str, layout: Layout) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let leads = |character: char| character.is_alphabetic() || matches!(character, '/' | '_' | '$');
    text.starts_with(leads)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(printable)
        && (layout == Layout::Block || !text.contains([',', '[', ']', '{', '}']))
}

fn printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_quotes_hold_any_text() {
        for text in [
            "",
            "a",
            "a\"b\\c",
            "\t\r\n\u{0}\u{7f}\u{85}\u{feff}\u{2028}",
            "é🎉",
            "\u{10ffff}",
            "null",
        ] {
            let read: String = serde_yaml::from_str(&double(text)).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_plain_string_is_no_other_type_and_no_syntax() {
        for text in [
            "", "yes", "Null", "1", "1.5", "0x1f", ".inf", "-a", "- a", "a: b", "a:", "a #b", "*a",
            "&a", "!a", "~", "<<", "=", "a\tb", " a", "a ",
        ] {
            assert!(!is_plain_string(text, Layout::Block), "{text:?}");
        }
        for text in [
            "a",
            "backend-flask",
            "A=x-honeycomb-team=${KEY}",
            "https://api.honeycomb.io",
            "/v1",
            "a#b",
        ] {
            assert!(is_plain_string(text, Layout::Block), "{text:?}");
        }
        assert!(!is_plain_string("A=${KEY}", Layout::Flow));
    }

    #[test]
    fn a_style_is_kept_where_it_can_hold_the_text() {
        assert_eq!(styled("it's", Style::Single, Layout::Block), "'it''s'");
        assert_eq!(styled("a\nb", Style::Single, Layout::Block), "\"a\\nb\"");
        assert_eq!(styled("a", Style::Plain, Layout::Flow), "a");
        assert_eq!(styled("1", Style::Plain, Layout::Flow), "\"1\"");
    }
}
