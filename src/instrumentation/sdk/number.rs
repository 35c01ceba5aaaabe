//! Parses numbers as the languages of the SDKs do.

/// Parses a number as Python's `float(text)` does.
pub(super) fn python_float(text: &str) -> Option<f64> {
    without_underscores(text)?.parse().ok()
}

/// Parses a number as Python's `int(text)` does.
pub(super) fn python_int(text: &str) -> Option<i64> {
    without_underscores(text)?.parse().ok()
}

/// Removes the blanks around a Python number, and the underscores between its digits.
fn without_underscores(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let is_misplaced = bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'_' && !(at > 0 && is_digit(bytes.get(at - 1)) && is_digit(bytes.get(at + 1)))
    });
    (!is_misplaced).then(|| text.replace('_', ""))
}

/// Parses a number as JavaScript's `Number(text)` does; `None` stands for `NaN`.
pub(super) fn javascript_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let radix = |prefix: [&str; 2], radix| {
        let digits = prefix.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        u32::from_str_radix(digits, radix).ok().filter(|_| is_plain).map(f64::from)
    };
    let other = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2));
    match text {
        "" => Some(0.0),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => other.or_else(|| {
            let is_decimal = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            text.bytes().all(is_decimal).then(|| text.parse().ok())?
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_each_language_does() {
        let python = [
            (" 0.5 ", Some(0.5)),
            ("1_0", Some(10.0)),
            ("_1", None),
            ("0x1", None),
            ("inf", Some(f64::INFINITY)),
        ];
        for (text, expected) in python {
            assert_eq!(python_float(text), expected, "{text}");
        }
        let javascript = [
            (" 0.5 ", Some(0.5)),
            ("1_0", None),
            ("0x10", Some(16.0)),
            ("inf", None),
            (".5", Some(0.5)),
            ("0b11", Some(3.0)),
        ];
        for (text, expected) in javascript {
            assert_eq!(javascript_number(text), expected, "{text}");
        }
        assert_eq!(python_int("+1_000 "), Some(1000));
        assert_eq!(python_int("1.0"), None);
    }
}
