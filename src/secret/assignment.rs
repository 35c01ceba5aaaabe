//! Hides the secrets that a line of a file assigns to a name.
//!
//! A password that only a project's file has looks like any word; the name in front of it shows what it is.

use std::borrow::Cow;
use std::ops::Range;

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

/// A name and the value behind it in a line.
struct Assignment<'l> {
    name: &'l str,
    /// Byte offset of the name.
    name_at: usize,
    /// Byte offset of the value, or of its quote.
    value_at: usize,
    /// Whether the sign between them is a colon.
    is_mapping: bool,
    /// Whether the value is the default of a variable: `${NAME:-value}`.
    is_default: bool,
    /// Whether only spaces, dashes and quotes are in front of the name.
    is_first_in_line: bool,
}

/// Returns `line` with the name in angle brackets in place of each secret that is assigned to a name:
/// `DB_PASSWORD: hunter2`, `- "DB_PASSWORD=hunter2"`, `--token=…`, or a header in the value of another variable.
pub fn hide_assigned_secrets(line: &str, syntax: AssignmentSyntax) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut done, mut at, mut outer) = (0, 0, "");
    while let Some(found) = find_assignment(line, at) {
        let behind_outer = line.get(at..found.name_at).unwrap_or_default();
        let is_outers = found.is_default && behind_outer.trim_start_matches(['"', '\'']) == "${";
        let names = [Some(found.name), is_outers.then_some(outer)];
        (at, outer) = (found.value_at, found.name);
        let mut names = names.into_iter().flatten().filter(|name| is_secret_name(name)).peekable();
        if names.peek().is_none() {
            continue;
        }
        let value = found.value_range(line);
        let is_value =
            syntax == AssignmentSyntax::Settings || line[..value.start].ends_with(['"', '\'']);
        let text = start_of(&line[value.clone()]);
        if is_value && names.any(|name| is_assigned_secret(name, text)) {
            out.push_str(&line[done..value.start]);
            out.push_str(&format!("<{}>", found.name));
            (done, at) = (value.end, value.end);
        }
    }
    if done == 0 {
        return Cow::Borrowed(line);
    }
    out.push_str(&line[done..]);
    Cow::Owned(out)
}

/// Returns the first assignment whose sign is at `from` or later. A colon without a space is none, as in
/// `image: valkey:8`, except behind a quoted name or before the default of a variable.
fn find_assignment(line: &str, from: usize) -> Option<Assignment<'_>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    memchr::memchr2_iter(b':', b'=', &line.as_bytes()[from..]).find_map(|sign| {
        let sign = from + sign;
        let before = line[..sign].trim_end_matches([' ', '\t']);
        let unquoted = before.strip_suffix(['"', '\'']);
        let text = unquoted.unwrap_or(before);
        let name = &text[text.trim_end_matches(is_name).len()..];
        let name = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic() && c != '_');
        let name_at = text.len() - name.len();
        let (is_mapping, after) = (line.as_bytes()[sign] == b':', &line[sign + 1..]);
        let is_default = is_mapping && after.starts_with('-') && line[..name_at].ends_with("${");
        let is_assignment =
            !is_mapping || is_default || unquoted.is_some() || after.starts_with([' ', '\t']);
        let value_at = if is_default {
            sign + 2
        } else {
            line.len() - after.trim_start_matches([' ', '\t']).len()
        };
        (is_assignment && !name.is_empty()).then_some(Assignment {
            name,
            name_at,
            value_at,
            is_mapping,
            is_default,
            is_first_in_line: from == 0 && line[..name_at].chars().all(|c| " \t-\"'".contains(c)),
        })
    })
}

/// Returns whether `value` is a secret, given a name that indicates one.
fn is_assigned_secret(name: &str, value: &str) -> bool {
    !name.eq_ignore_ascii_case("key")
        && !is_reference(value)
        && classify_secrecy(name, value) == Secrecy::Secret
}

/// Maximum number of bytes in which the end of a value is searched; a longer value ends with its line.
const MAX_VALUE_BYTES: usize = 1024;

impl Assignment<'_> {
    /// Returns the byte range of the value, without quotes.
    fn value_range(&self, line: &str) -> Range<usize> {
        let before = &line[..self.name_at];
        let is_first = self.is_first_in_line || follows_keyword(before);
        let rest = &line[self.value_at..];
        let (start, quote) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => (self.value_at + 1, Some(quote)),
            _ if is_first => (self.value_at, before.chars().next_back()),
            _ => (self.value_at, None),
        };
        let value = start_of(&line[start..]);
        let end = match quote {
            Some(quote @ ('"' | '\'')) => value.find(quote),
            _ if is_first && self.is_mapping => value.find(" #"),
            _ if is_first => value.find(char::is_whitespace),
            _ => value.find(|c: char| c.is_whitespace() || ",;&\"'}])".contains(c)),
        };
        let end = end.map_or(line.len(), |length| start + length);
        start..start + line[start..end].trim_end().len()
    }
}

/// Returns at most [`MAX_VALUE_BYTES`] of a text.
fn start_of(text: &str) -> &str {
    (0..4).find_map(|less| text.get(..MAX_VALUE_BYTES - less)).unwrap_or(text)
}

fn follows_keyword(before: &str) -> bool {
    let before = before.trim_end();
    ["ENV", "ARG", "export"].iter().any(|word| {
        let rest = before.strip_suffix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
    })
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
            ("  A: ${DB_PASSWORD:-hunter2}/${B:-c}", "  A: ${DB_PASSWORD:-<DB_PASSWORD>}/${B:-c}"),
            ("  DB_PASSWORD: ${PW:-hunter2}", "  DB_PASSWORD: ${PW:-<PW>}"),
            (
                "PGPASSWORD='${PG_PASS:-a}' -U ${U:-app}",
                "PGPASSWORD='${PG_PASS:-<PG_PASS>}' -U ${U:-app}",
            ),
            ("  \"password\":\"hunter2\",", "  \"password\":\"<password>\","),
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
            "    image: valkey/valkey:8-alpine",
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

    #[test]
    fn a_long_line_takes_time_in_proportion_to_its_length() {
        let line = |part: &str| part.repeat(50_000);
        for part in
            ["PASSWORD=", "PASSWORD=$x", "PASSWORD=/a/b/", "${PASSWORD:-", "'\"", "PASSWORD='$"]
        {
            let began = std::time::Instant::now();
            let _ = hide_assigned_secrets(&line(part), AssignmentSyntax::Settings);
            assert!(began.elapsed().as_secs() < 20, "{part}");
        }
    }

    #[test]
    fn every_line_of_signs_and_quotes_is_read() {
        let signs = ["DB_PASSWORD", ":", "=", "\"", "'", " ", "${", "-", "}", "\u{e9}"];
        let lines = (0..signs.len().pow(5)).map(|number| {
            let digits = (0..5).map(|place| number / signs.len().pow(place) % signs.len());
            digits.map(|digit| signs[digit]).collect::<String>()
        });
        for line in lines {
            let hidden = hide_assigned_secrets(&line, AssignmentSyntax::Code);
            assert!(line.contains(['"', '\'']) || hidden == line, "{line}");
        }
    }
}
