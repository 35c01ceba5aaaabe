//! Hides the secrets that a line of a file assigns to a name.
//!
//! A password that only a project's file has looks like any word; the name in front of it shows what it is.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;

use super::literals::{SecretLiteral, find_secret_literals};
use super::secrecy::{Secrecy, classify_secrecy, is_key_of_any_name, is_password, is_secret_name};
use super::shapes::is_reference;
use super::stated::hide_stated_secrets;

/// Whether an unquoted word in a file is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentSyntax {
    /// Settings: an unquoted word is a value.
    Settings,
    /// Program code: an unquoted word is a name or a call.
    Code,
}

impl AssignmentSyntax {
    /// Endings of files with program code.
    const CODE: [&str; 6] = ["py", "js", "mjs", "cjs", "ts", "rb"];

    /// Returns the syntax of the file at `path`.
    pub fn of_file(path: &Path) -> Self {
        let is_code = |ending: &OsStr| Self::CODE.iter().any(|code| ending == *code);
        if path.extension().is_some_and(is_code) { Self::Code } else { Self::Settings }
    }
}

/// A name and the value behind it in a line.
struct Assignment<'l> {
    name: &'l str,
    /// Byte offset of the name.
    name_at: usize,
    /// Byte offset of the value, or of its quote.
    value_at: usize,
    sign: AssignmentSign,
    /// Whether only spaces, dashes and quotes are in front of the name.
    is_first_in_line: bool,
}

/// The text between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AssignmentSign {
    Equals,
    Colon,
    /// The value is the default of a variable: `${NAME:-value}`, `${NAME:=value}`, `${NAME+value}`.
    Default,
    /// The value is the next word: `--name value`, `"--name", "value"`.
    Flag,
}

/// Returns `line` with the name in angle brackets in place of each secret that is assigned to a name:
/// `DB_PASSWORD: hunter2`, `- "DB_PASSWORD=hunter2"`, `--token …`, or a header in the value of another variable; and of
/// each value that looks like a key, whatever its name is.
pub fn hide_assigned_secrets(line: &str, syntax: AssignmentSyntax) -> Cow<'_, str> {
    let assigned = match syntax {
        AssignmentSyntax::Settings => hide_found(line, syntax, find_assignment),
        AssignmentSyntax::Code => hide_literals(line),
    };
    let assigned = match hide_found(&assigned, syntax, find_flag) {
        Cow::Owned(hidden) => Cow::Owned(hidden),
        Cow::Borrowed(_) => assigned,
    };
    hide_stated_secrets(assigned)
}

/// Hides the secrets among the literals of a line of code, and those that its comment assigns.
fn hide_literals(line: &str) -> Cow<'_, str> {
    let (literals, comment) = find_secret_literals(line, is_assigned_secret);
    let hidden = hide_found(&line[comment..], AssignmentSyntax::Settings, find_assignment);
    if literals.is_empty() && matches!(hidden, Cow::Borrowed(_)) {
        return Cow::Borrowed(line);
    }
    let (mut out, mut done) = (String::new(), 0);
    for SecretLiteral { name, range } in literals {
        out.push_str(&line[done..range.start]);
        out.push_str(&format!("<{name}>"));
        done = range.end;
    }
    out.push_str(&line[done..comment]);
    Cow::Owned(out + &hidden)
}

/// Hides the secrets among the assignments that `find` returns; each call searches from a byte offset on.
fn hide_found<'l>(
    line: &'l str,
    syntax: AssignmentSyntax,
    find: impl Fn(&'l str, usize) -> Option<Assignment<'l>>,
) -> Cow<'l, str> {
    let mut out = String::new();
    let (mut done, mut at, mut outer) = (0, 0, None);
    while let Some(found) = find(line, at) {
        let behind_outer = line.get(at..found.name_at).unwrap_or_default();
        let is_outers = found.sign == AssignmentSign::Default
            && behind_outer.trim_start_matches(['"', '\'']) == "${";
        let own = is_secret_name(found.name).then_some(found.name);
        let secret_name = own.or(outer.filter(|_| is_outers));
        (at, outer) = (found.value_at, secret_name);
        let value = found.value_range(line, syntax);
        let text = start_of(&line[value.clone()]);
        let is_value =
            syntax == AssignmentSyntax::Settings || line[..value.start].ends_with(['"', '\'']);
        let is_secret = match secret_name {
            Some(name) => is_assigned_secret(name, text),
            None => is_key_of_any_name(found.name, text),
        };
        if is_value && is_secret {
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

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.-".contains(character)
}

/// Returns the first assignment whose sign is at `from` or later. A colon without a space is none, as in
/// `image: valkey:8`, except behind a quoted name.
fn find_assignment(line: &str, from: usize) -> Option<Assignment<'_>> {
    memchr::memchr3_iter(b':', b'=', b'{', &line.as_bytes()[from..]).find_map(|sign| {
        let sign = from + sign;
        if line.as_bytes()[sign] == b'{' {
            return default_of_variable(line, sign);
        }
        let before = line[..sign].trim_end_matches([' ', '\t']);
        let unquoted = before.strip_suffix("\\\"").or(before.strip_suffix(['"', '\'']));
        let text = unquoted.unwrap_or(before);
        let name = &text[text.trim_end_matches(is_name).len()..];
        let name = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic() && c != '_');
        let name_at = text.len() - name.len();
        let (is_mapping, after) = (line.as_bytes()[sign] == b':', &line[sign + 1..]);
        let is_assignment = !is_mapping || unquoted.is_some() || after.starts_with([' ', '\t']);
        (is_assignment && !name.is_empty()).then_some(Assignment {
            name,
            name_at,
            value_at: line.len() - after.trim_start_matches([' ', '\t']).len(),
            sign: if is_mapping { AssignmentSign::Colon } else { AssignmentSign::Equals },
            is_first_in_line: from == 0 && line[..name_at].chars().all(|c| " \t-\"'".contains(c)),
        })
    })
}

/// Returns the variable and its default, given the byte offset of the brace in `${NAME:-value}`.
fn default_of_variable(line: &str, brace: usize) -> Option<Assignment<'_>> {
    let inside = line[..brace].ends_with('$').then(|| &line[brace + 1..])?;
    let is_sign = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let (name, rest) = inside.split_at(inside.find(is_sign)?);
    let value = rest.strip_prefix(':').unwrap_or(rest).strip_prefix(['-', '+', '='])?;
    (!name.is_empty()).then_some(Assignment {
        name,
        name_at: brace + 1,
        value_at: line.len() - value.len(),
        sign: AssignmentSign::Default,
        is_first_in_line: false,
    })
}

/// Maximum number of bytes in which the end of a flag's name is searched.
const MAX_FLAG_BYTES: usize = 64;

/// Returns the first `--name` at `from` or later that the next word is a value of.
fn find_flag(line: &str, from: usize) -> Option<Assignment<'_>> {
    memchr::memmem::find_iter(&line.as_bytes()[from..], "--").find_map(|at| {
        let name_at = from + at + 2;
        let rest = &line[name_at..];
        let start = rest.get(..MAX_FLAG_BYTES).unwrap_or(rest);
        let (name, behind) = rest.split_at(start.find(|c| !is_name(c))?);
        let value = behind.trim_start_matches(['"', '\'', ',', ' ']);
        let is_flag = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.len() < behind.len()
            && !value.starts_with('-');
        is_flag.then(|| {
            let quote = usize::from(line[..line.len() - value.len()].ends_with(['"', '\'']));
            let value_at = line.len() - value.len() - quote;
            let sign = AssignmentSign::Flag;
            Assignment { name, name_at, value_at, sign, is_first_in_line: false }
        })
    })
}

/// Returns whether `value` is a secret, given a name that indicates one.
fn is_assigned_secret(name: &str, value: &str) -> bool {
    !name.eq_ignore_ascii_case("key")
        && !is_written_elsewhere(value)
        && (classify_secrecy(name, value) == Secrecy::Secret || is_password(name, value))
}

/// Returns whether `value` refers to values that are written elsewhere, and holds nothing else: `${KEY}`,
/// `Bearer $KEY`, `<your key>`, `%(key)s`, `|`.
pub(super) fn is_written_elsewhere(value: &str) -> bool {
    // The header of a block scalar, whose lines follow.
    if value.starts_with(['|', '>']) && value.len() <= 3 {
        return true;
    }
    if !is_reference(value) && !value.contains('$') {
        return false;
    }
    let enclosed = [("<", ">"), ("{", "}"), ("$(", ")"), ("%(", ")s")];
    let is_enclosed =
        |(begin, end): &(&str, &str)| value.starts_with(begin) && value.ends_with(end);
    match value.chars().next() {
        Some('<' | '{' | '%') => value == "%s" || enclosed.iter().any(is_enclosed),
        Some('*') => value.bytes().all(|byte| byte == b'*'),
        _ if value.contains('$') => {
            enclosed[2..3].iter().any(is_enclosed) || has_only_variables(value)
        }
        _ => true,
    }
}

/// Returns whether `value` consists of variables, with at most signs or a scheme between them. Only the first may have a
/// default, which is an assignment of its own.
fn has_only_variables(value: &str) -> bool {
    let is_sign = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let scheme = find_scheme(value);
    let mut rest = &value[scheme.map_or(0, str::len)..];
    let mut is_first = scheme.is_none();
    loop {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '$');
        if rest.is_empty() {
            return true;
        }
        let Some(variable) = rest.strip_prefix('$') else { return false };
        let (name, behind) = match variable.strip_prefix('{') {
            Some(inside) => {
                let Some(end) = find_closing_brace(inside) else { return false };
                rest = &inside[end + 1..];
                inside[..end].split_at(inside[..end].find(is_sign).unwrap_or(end))
            }
            None => {
                let end = variable.find(is_sign).unwrap_or(variable.len());
                rest = &variable[end..];
                (&variable[..end], "")
            }
        };
        let has_message = behind.trim_start_matches(':').starts_with('?');
        if name.is_empty() || !(behind.is_empty() || has_message || is_first) {
            return false;
        }
        is_first = false;
    }
}

/// Maximum number of bytes in which the end of a value is searched; a longer value ends with its line.
const MAX_VALUE_BYTES: usize = 1024;

/// Words in front of the secret in the value of an authorization header.
const SCHEMES: [&str; 6] = ["Bearer", "Basic", "Token", "Api-Token", "ApiKey", "Digest"];

/// Returns the scheme that `value` begins with, if a blank follows it.
fn find_scheme(value: &str) -> Option<&'static str> {
    SCHEMES.into_iter().find(|scheme| {
        let word = value.get(..scheme.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(scheme))
            && value[scheme.len()..].starts_with(' ')
    })
}

impl Assignment<'_> {
    /// Returns the byte range of the value, without quotes.
    fn value_range(&self, line: &str, syntax: AssignmentSyntax) -> Range<usize> {
        let before = &line[..self.name_at];
        let is_first = self.is_first_in_line || follows_keyword(before);
        let rest = &line[self.value_at..];
        let (start, quote) = match rest.chars().next() {
            Some('\\') if rest.starts_with("\\\"") => (self.value_at + 2, Some('\\')),
            Some(quote @ ('"' | '\'')) => (self.value_at + 1, Some(quote)),
            _ if is_first => (self.value_at, before.chars().next_back()),
            _ => (self.value_at, None),
        };
        let value = start_of(&line[start..]);
        // Blanks of a variable's default, or in `<your key>`, do not end the value.
        let head = match value.as_bytes() {
            [b'$', b'{', ..] => find_closing_brace(&value[2..]).map_or(0, |end| end + 2),
            [b'<', ..] => value.find('>').unwrap_or(0),
            _ => find_scheme(value).map_or(0, |scheme| scheme.len() + 1),
        };
        let find_from_head = |is_end: fn(char) -> bool| Some(head + value[head..].find(is_end)?);
        let end = match quote {
            Some('\\') => value.find("\\\""),
            Some(quote @ ('"' | '\'')) => find_closing_quote(value, quote, syntax),
            _ if self.sign == AssignmentSign::Default => find_closing_brace(value),
            _ if is_first && self.sign == AssignmentSign::Colon => value.find(" #"),
            _ if is_first => find_from_head(char::is_whitespace),
            _ => find_from_head(|c| c.is_whitespace() || ",;&\"'}])".contains(c)),
        };
        let end = end.map_or(line.len(), |length| start + length);
        start..start + line[start..end].trim_end().len()
    }
}

/// Returns the byte offset of the quote that ends a value; in YAML a doubled `'` does not, nor does an escaped `"`.
fn find_closing_quote(value: &str, quote: char, syntax: AssignmentSyntax) -> Option<usize> {
    let has_escapes = quote == '"' || syntax == AssignmentSyntax::Code;
    let mut characters = value.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let is_doubled = || quote == '\'' && value[at + 1..].starts_with(quote);
        if character == '\\' && has_escapes || character == quote && is_doubled() {
            characters.next();
        } else if character == quote {
            return Some(at);
        }
    }
    None
}

/// Returns the byte offset of the brace that ends the default of a variable.
fn find_closing_brace(value: &str) -> Option<usize> {
    let mut depth = 0_usize;
    value.bytes().position(|byte| {
        let is_end = byte == b'}' && depth == 0;
        depth = match byte {
            b'{' => depth + 1,
            b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        is_end
    })
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
            (
                "  A: \"{\\\"password\\\": \\\"a b\\\"}\"",
                "  A: \"{\\\"password\\\": \\\"<password>\\\"}\"",
            ),
            ("  DB_PASSWORD: \"ab\\\"hunter2\" # c", "  DB_PASSWORD: \"<DB_PASSWORD>\" # c"),
            ("  DB_PASSWORD: 'ab''hunter2'", "  DB_PASSWORD: '<DB_PASSWORD>'"),
            (
                "  A: \"Authorization: Basic aHVudGVyMg==\"",
                "  A: \"Authorization: <Authorization>\"",
            ),
            ("  DBPASS: hunter2", "  DBPASS: <DBPASS>"),
            ("  MYSQL_PASS1: hunter2", "  MYSQL_PASS1: <MYSQL_PASS1>"),
            ("PW=hunter2", "PW=<PW>"),
            ("  DB_PASSWORD: /hunt/er2", "  DB_PASSWORD: <DB_PASSWORD>"),
            ("  DB_PASSWORD: zebra-hunt-1", "  DB_PASSWORD: <DB_PASSWORD>"),
            ("  DB_PASSWORD: 48213", "  DB_PASSWORD: <DB_PASSWORD>"),
            ("  DB_PASSWORT: hunter2", "  DB_PASSWORT: <DB_PASSWORT>"),
            ("  APP_SALT: hunter2", "  APP_SALT: <APP_SALT>"),
            ("  SIG: q83vEjRWeJq83vEjRWeJq83vEjRWeA==", "  SIG: <SIG>"),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), shown);
        }
    }

    #[test]
    fn a_secret_beside_variables_is_hidden() {
        for (line, shown) in [
            ("DB_PASSWORD=${PW-hunter2}", "DB_PASSWORD=${PW-<PW>}"),
            ("DB_PASSWORD=${PW:+a b}", "DB_PASSWORD=${PW:+<PW>}"),
            ("A: ${DB_PASSWORD:=hunter2}", "A: ${DB_PASSWORD:=<DB_PASSWORD>}"),
            ("DB_PASSWORD: ${A:-${B-hunter2}}", "DB_PASSWORD: ${A:-${B-<B>}}"),
            ("A: ${DB_PASSWORD-hunter2}", "A: ${DB_PASSWORD-<DB_PASSWORD>}"),
            ("DB_PASSWORD: ${A}${B:-hunter2}", "DB_PASSWORD: <DB_PASSWORD>"),
            ("DB_PASSWORD: ${A}hunter2", "DB_PASSWORD: <DB_PASSWORD>"),
            ("DB_PASSWORD: \"${A:-b}hunter2\"", "DB_PASSWORD: \"<DB_PASSWORD>\""),
            ("DB_PASSWORD: $$hunter2", "DB_PASSWORD: <DB_PASSWORD>"),
            ("DB_PASSWORD: \"*hunter2\"", "DB_PASSWORD: \"<DB_PASSWORD>\""),
            ("DB_PASSWORD: \"<hunter2\"", "DB_PASSWORD: \"<DB_PASSWORD>\""),
            ("DB_PASSWORD: \"%(hunter2\"", "DB_PASSWORD: \"<DB_PASSWORD>\""),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), shown);
        }
    }

    #[test]
    fn the_value_of_a_flag_is_hidden() {
        for (line, shown) in [
            (
                "command: redis-server --requirepass hunter2 --port 1",
                "command: redis-server --requirepass <requirepass> --port 1",
            ),
            (
                "command: [\"x\", \"--password\", \"a b\"]",
                "command: [\"x\", \"--password\", \"<password>\"]",
            ),
            ("run --api-token 'hunter2' --user app", "run --api-token '<api-token>' --user app"),
            ("run --password --user app", "run --password --user app"),
            ("run --password $PW --name token", "run --password $PW --name token"),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), shown);
        }
    }

    #[test]
    fn a_key_is_hidden_under_any_name() {
        for (line, shown) in [
            ("  GITHUB: ghp_0123456789abcdefghijklmnopqrstuvwxyz", "  GITHUB: <GITHUB>"),
            ("  - STRIPE=\"rk_live_0123456789abcdefghij\"", "  - STRIPE=\"<STRIPE>\""),
            ("  A: eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2lnbmVk", "  A: <A>"),
            (
                "  GIT_COMMIT: c669955c669955c669955c669955c669955c6699",
                "  GIT_COMMIT: c669955c669955c669955c669955c669955c6699",
            ),
            (
                "  NAME: 3000-owner-repository-0a1b2c3d4e5",
                "  NAME: 3000-owner-repository-0a1b2c3d4e5",
            ),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Settings), shown);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "      DB_AUTH: \"${USER}:${PASS}\"",
            "      DB_PASSWORD: ${PASS:?set a password}",
            "      AUTHORIZATION: Bearer $TOKEN",
            "      BYPASS: somewhere",
            "      POSTGRES_PASSWORD: /run/secrets/db",
            "      MIN_PASSWORD: 8",
            "      USE_PASSWORD: true",
            "      PWD: /home/app",
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
        for part in [
            "PASSWORD=",
            "PASSWORD=$x",
            "PASSWORD=/a/b/",
            "${PASSWORD:-",
            "'\"",
            "PASSWORD='$",
            "--password ",
            "${A-",
            "Bearer ",
            "-----",
            "--a",
        ] {
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
