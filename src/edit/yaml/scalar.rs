//! Writes scalars so that every YAML parser reads the same string.

use super::tree::{CollectionLayout, ScalarQuoting};

/// Returns `text` in double quotes.
pub(super) fn quote_double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            plain if is_printable(plain) => out.push(plain),
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
pub(super) fn quote_in_style(text: &str, style: ScalarQuoting, layout: CollectionLayout) -> String {
    match style {
        ScalarQuoting::Plain if is_plain_string(text, layout) => text.to_owned(),
        ScalarQuoting::Single if text.chars().all(is_printable) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        _ => quote_double(text),
    }
}

/// Returns whether `text` without quotes parses as exactly this string in YAML 1.1 and 1.2.
pub(super) fn is_plain_string(text: &str, layout: CollectionLayout) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let leads = |character: char| character.is_alphabetic() || matches!(character, '/' | '_' | '$');
    text.starts_with(leads)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(is_printable)
        && (layout == CollectionLayout::Block || !text.contains([',', '[', ']', '{', '}']))
}

fn is_printable(character: char) -> bool {
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
            let read: String = serde_yaml::from_str(&quote_double(text)).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_plain_string_is_no_other_type_and_no_syntax() {
        for text in [
            "", "yes", "Null", "1", "1.5", "0x1f", ".inf", "-a", "- a", "a: b", "a:", "a #b", "*a",
            "&a", "!a", "~", "<<", "=", "a\tb", " a", "a ",
        ] {
            assert!(!is_plain_string(text, CollectionLayout::Block), "{text:?}");
        }
        for text in [
            "a",
            "backend-flask",
            "A=x-honeycomb-team=${KEY}",
            "https://api.honeycomb.io",
            "/v1",
            "a#b",
        ] {
            assert!(is_plain_string(text, CollectionLayout::Block), "{text:?}");
        }
        assert!(!is_plain_string("A=${KEY}", CollectionLayout::Flow));
    }

    #[test]
    fn a_style_is_kept_where_it_can_hold_the_text() {
        assert_eq!(
            quote_in_style("it's", ScalarQuoting::Single, CollectionLayout::Block),
            "'it''s'"
        );
        assert_eq!(
            quote_in_style("a\nb", ScalarQuoting::Single, CollectionLayout::Block),
            "\"a\\nb\""
        );
        assert_eq!(quote_in_style("a", ScalarQuoting::Plain, CollectionLayout::Flow), "a");
        assert_eq!(quote_in_style("1", ScalarQuoting::Plain, CollectionLayout::Flow), "\"1\"");
    }
}
