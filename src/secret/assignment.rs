//! Hides the secrets that a line of a file assigns to a name.
//!
//! A password that only a project's file has looks like any word; the name in front of it shows what it is.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::secrecy::{Secrecy, classify_secrecy, is_secret_name};
use super::shapes::is_reference;

/// Whether an unquoted word in a file is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentSyntax {
    /// Settings: an unquoted word is a value.
    Settings,
    /// Program code: an unquoted word is a name or a call.
    Code,
}

/// A name, its closing quote, and the sign before its value.
static ASSIGNMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"[A-Za-z_][A-Za-z0-9_.-]*["']?\s*[:=]\s*"#).ok());

/// Returns `line` with the name in angle brackets in place of each secret that is assigned to a name:
/// `DB_PASSWORD: hunter2`, `- "DB_PASSWORD=hunter2"`, `--token=…`, or a header in the value of another variable.
pub fn hide_assigned_secrets(line: &str, syntax: AssignmentSyntax) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = ASSIGNMENT.as_ref().and_then(|regex| regex.find_at(line, at)) {
        let name = found.as_str().trim_end_matches(['"', '\'', ':', '=', ' ', '\t']);
        let value = value_range(line, found.range());
        at = found.end();
        let is_value =
            syntax == AssignmentSyntax::Settings || line[..value.start].ends_with(['"', '\'']);
        if is_value && is_assigned_secret(name, &line[value.clone()]) {
            out.push_str(&line[done..value.start]);
            out.push_str(&format!("<{name}>"));
            (done, at) = (value.end, value.end);
        }
    }
    if done == 0 {
        return Cow::Borrowed(line);
    }
    out.push_str(&line[done..]);
    Cow::Owned(out)
}

fn is_assigned_secret(name: &str, value: &str) -> bool {
    is_secret_name(name)
        && !name.eq_ignore_ascii_case("key")
        && !is_reference(value)
        && classify_secrecy(name, value) == Secrecy::Secret
}

/// Returns the byte range of the value behind `assignment`, without quotes.
fn value_range(line: &str, assignment: Range<usize>) -> Range<usize> {
    let before = line[..assignment.start].trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_first = line[..assignment.start].chars().all(|c| " \t-\"'".contains(c))
        || matches!(line[before.len()..assignment.start].trim(), "ENV" | "ARG" | "export");
    let rest = &line[assignment.end..];
    let opening = |text: &str| text.chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let (start, quote) = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => (assignment.end + 1, Some(quote)),
        _ => (assignment.end, opening(&line[..assignment.start])),
    };
    let value = &line[start..];
    let length = match quote {
        Some(quote) if is_first || start > assignment.end => {
            value.find(quote).unwrap_or(value.len())
        }
        _ if is_first && line[assignment].contains(':') => {
            let value = value.split(" #").next().unwrap_or(value);
            value.trim_end().len()
        }
        _ if is_first => value.find(char::is_whitespace).unwrap_or(value.len()),
        _ => {
            let ends = |c: char| c.is_whitespace() || ",;&\"'}])".contains(c);
            value.find(ends).unwrap_or(value.len())
        }
    };
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_behind_the_name_of_a_secret_is_hidden() {
        for (line, shown) in [
            ("      POSTGRES_PASSWORD: hunter2", "      POSTGRES_PASSWORD: <POSTGRES_PASSWORD>"),
            ("  DB_PASSWORD: correct horse, battery # old", "  DB_PASSWORD: <DB_PASSWORD> # old"),
            ("DB_PASSWORD='a b, c'", "DB_PASSWORD='<DB_PASSWORD>'"),
            ("DB_PASSWORD=ab,cd", "DB_PASSWORD=<DB_PASSWORD>"),
            ("      - \"SMTP_PASSWORD=a b\"", "      - \"SMTP_PASSWORD=<SMTP_PASSWORD>\""),
            ("      - STRIPE_SECRET=whs-ec-99 ", "      - STRIPE_SECRET=<STRIPE_SECRET> "),
            ("  H: \"x-custom-auth=s3cr3t,y=2\"", "  H: \"x-custom-auth=<x-custom-auth>,y=2\""),
            ("  e: {DB_PASSWORD: hunter2, A: b}", "  e: {DB_PASSWORD: <DB_PASSWORD>, A: b}"),
            ("    command: run --api-token=tok-99 x", "    command: run --api-token=<api-token> x"),
            ("ENV A=b DB_PASSWORD=hunter2", "ENV A=b DB_PASSWORD=<DB_PASSWORD>"),
            ("export SECRET_KEY=not-so-long", "export SECRET_KEY=<SECRET_KEY>"),
            ("  \"password\": \"hunter2\",", "  \"password\": \"<password>\","),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), shown);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}",
            "      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${HONEYCOMB_API_KEY}\"",
            "      POSTGRES_PASSWORD_FILE: /run/secrets/password",
            "      SECRET_KEY:",
            "      TOKEN_ENABLED: true",
            "    key: node-modules",
            "    image: registry.example.com/token-service:1",
            "  ports: [\"4567:4567\"]",
            "HONEYCOMB_API_KEY=<your key>",
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), line);
        }
    }

    #[test]
    fn in_code_only_literals_are_values() {
        let hide = |line| hide_assigned_secrets(line, AssignmentSyntax::Code);
        assert_eq!(hide("app.secret_key = 'hunter2'"), "app.secret_key = '<app.secret_key>'");
        for line in [
            "app.secret_key = os.environ['SECRET_KEY']",
            "rollbar.init(access_token, environment=name)",
            "token = settings.token",
        ] {
            assert_eq!(hide(line), line);
        }
    }
}
