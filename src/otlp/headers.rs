//! `OTEL_EXPORTER_OTLP_HEADERS`: a list in the syntax of W3C baggage, read as liberally as the SDKs do.

use percent_encoding::percent_decode_str;

use crate::secret::Secret;

/// A header of the export request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Lower case.
    pub name: String,
    /// Decoded; empty where the list says `name=`.
    pub value: Secret,
}

/// The headers of a list, and what an SDK would stumble over. No warning repeats a value.
pub fn parse(list: &str) -> (Vec<Header>, Vec<String>) {
    let mut headers: Vec<Header> = Vec::new();
    let mut warnings = Vec::new();
    for (at, pair) in list.split(',').enumerate() {
        if pair.trim().is_empty() {
            continue;
        }
        let Some((name, value)) = pair.split_once('=') else {
            warnings.push(format!("entry {} has no `=` and is left out", at + 1));
            continue;
        };
        let name = decode(name.trim()).to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            warnings.push(format!("entry {} has no usable name and is left out", at + 1));
            continue;
        }
        let value = value.trim();
        if value.contains([' ', '\t']) {
            warnings.push(format!("{name} holds a space; `%20` is understood everywhere"));
        }
        let decoded = decode(value);
        if decoded.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            warnings.push(format!("{name} holds a control character and is left out"));
            continue;
        }
        if let Some(quote) = quoted(&decoded) {
            warnings.push(format!("{name} stands in {quote} quotes, which are sent along"));
        }
        headers.retain(|header| header.name != name);
        headers.push(Header { name, value: Secret::new(decoded) });
    }
    (headers, warnings)
}

/// What `%XX` stands for; text that is no UTF-8 afterwards stays as it was.
fn decode(text: &str) -> String {
    percent_decode_str(text)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// A character of a header's name (RFC 9110, `tchar`).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn quoted(value: &str) -> Option<&'static str> {
    match value.chars().next()? {
        '"' | '\'' => Some("straight"),
        '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' => Some("curly"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, expected: &[(&str, &str)], warnings: usize) {
        let (headers, found) = parse(list);
        let pairs: Vec<(&str, &str)> =
            headers.iter().map(|header| (header.name.as_str(), header.value.expose())).collect();
        assert_eq!(pairs, expected);
        assert_eq!(found.len(), warnings, "{found:?}");
    }

    #[test]
    fn a_list_is_split_trimmed_and_decoded() {
        check("x-honeycomb-team=abc", &[("x-honeycomb-team", "abc")], 0);
        check(" A=1 , b = two%2Cthree ,", &[("a", "1"), ("b", "two,three")], 0);
        check("authorization=Basic%20dXNlcjpw==", &[("authorization", "Basic dXNlcjpw==")], 0);
        check("x-honeycomb-team=", &[("x-honeycomb-team", "")], 0);
        check("a=1,A=2", &[("a", "2")], 0);
    }

    #[test]
    fn what_an_sdk_stumbles_over_is_said_without_the_value() {
        check("no-equals-sign,a=1", &[("a", "1")], 1);
        check("auth=Bearer s3cret", &[("auth", "Bearer s3cret")], 1);
        check("na me=1", &[], 1);
        check("a=x%0Ay", &[], 1);
        let (_, warnings) = parse("key=\u{201c}s3cret\u{201d}");
        assert!(warnings[0].contains("curly") && !warnings[0].contains("s3cret"));
    }
}
