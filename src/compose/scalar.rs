//! Converts plain YAML scalars as docker compose does when it parses and prints a number, boolean or date: `010`
//! becomes `8`, `1.0` becomes `1`, `yes` stays `yes`.

use std::borrow::Cow;

/// Returns a plain, untagged scalar as docker compose passes it on.
pub(super) fn printed(plain: &str) -> Cow<'_, str> {
    match plain {
        "True" | "TRUE" => return Cow::Borrowed("true"),
        "False" | "FALSE" => return Cow::Borrowed("false"),
        "-0" => return Cow::Borrowed("-0"),
        _ => {}
    }
    let numeric = plain
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.'));
    if !numeric {
        return Cow::Borrowed(plain);
    }
    if let Some(date) = format_date(plain) {
        return Cow::Owned(date);
    }
    let digits = without_underscores(plain);
    if let Some(whole) = parse_integer(&digits) {
        return Cow::Owned(whole.to_string());
    }
    match is_float(&digits).then(|| digits.parse::<f64>()) {
        Some(Ok(value)) if value.is_finite() => Cow::Owned(format_float(value)),
        _ => Cow::Borrowed(plain),
    }
}

/// Returns whether a plain scalar is a number.
pub(super) fn is_number(plain: &str) -> bool {
    let numeric = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    if !plain.as_bytes().first().is_some_and(numeric) {
        return false;
    }
    let digits = without_underscores(plain);
    parse_integer(&digits).is_some() || is_float(&digits)
}

fn without_underscores(plain: &str) -> Cow<'_, str> {
    if plain.contains('_') { Cow::Owned(plain.replace('_', "")) } else { Cow::Borrowed(plain) }
}

fn parse_integer(text: &str) -> Option<i128> {
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixed = |mark: u8| {
        let bytes = magnitude.as_bytes();
        bytes.len() > 1 && bytes[0] == b'0' && bytes[1].eq_ignore_ascii_case(&mark)
    };
    let (digits, radix) = if prefixed(b'x') {
        (&magnitude[2..], 16)
    } else if prefixed(b'b') {
        (&magnitude[2..], 2)
    } else if prefixed(b'o') {
        (&magnitude[2..], 8)
    } else if magnitude.len() > 1 && magnitude.starts_with('0') {
        (&magnitude[1..], 8)
    } else {
        (magnitude, 10)
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let absolute = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -absolute } else { absolute };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

/// Returns the shortest form that parses to the same value, with an exponent only for very small and very large values.
fn format_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&power) {
        return value.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

fn format_date(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let short = |text: &str| matches!(text.len(), 1 | 2) && digits(text);
    if parts.next().is_some() || year.len() != 4 || !digits(year) || !short(month) || !short(day) {
        return None;
    }
    let years: u16 = year.parse().ok()?;
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    let leap = years.is_multiple_of(4) && !years.is_multiple_of(100) || years.is_multiple_of(400);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| format!("{year}-{month:02}-{day:02} 00:00:00 +0000 UTC"))
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn numbers_are_read_and_printed_again() {
        for (plain, expected) in [
            ("010", "8"),
            ("08", "8"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("-5", "-5"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1e21", "1e+21"),
            ("1e+06", "1e+06"),
            ("100000.0", "100000"),
            ("1234567.5", "1.2345675e+06"),
            ("2024-02-29", "2024-02-29 00:00:00 +0000 UTC"),
            ("2001-02-29", "2001-02-29"),
            ("-0", "-0"),
            ("0.0000001", "1e-07"),
            ("123456789012345678901234567890", "1.2345678901234568e+29"),
            ("2020-01-01", "2020-01-01 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(printed(plain), expected, "{plain}");
        }
    }

    #[test]
    fn other_words_are_unchanged() {
        for plain in ["yes", "no", "on", "true", "22:22", "1.2.3", "127.0.0.1:80", "0x", "-", "."] {
            assert_eq!(printed(plain), plain);
        }
        assert_eq!(printed("True"), "true");
    }
}
