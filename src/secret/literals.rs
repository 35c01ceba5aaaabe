//! Finds the literals of program code that are secrets: assigned, compared, passed by name, or a default.

use std::ops::Range;

use super::secrecy::{is_key_of_any_name, is_secret_name};

/// A literal, and the name that shows it to be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SecretLiteral<'l> {
    /// The name to show instead.
    pub(super) name: &'l str,
    /// Byte range of the text between the quotes.
    pub(super) range: Range<usize>,
}

/// What is known between two brackets, up to the next comma.
#[derive(Clone, Copy, Default)]
struct ExpressionFrame<'l> {
    /// The name that the expression is assigned to.
    name: Option<&'l str>,
    /// Whether `name` may be the secret's name of an annotated variable, which a `=` follows.
    is_annotated: bool,
    /// Whether the brackets belong to a call or to a subscript, whose first literal is looked up.
    is_lookup: bool,
    /// Whether the call is for a user's name and password: `HTTPBasicAuth('app', 'hunter2')`.
    takes_password: bool,
    /// Whether nothing precedes in the brackets.
    is_first: bool,
    /// Whether no comma precedes in the brackets.
    is_first_argument: bool,
}

/// Returns the literals of a line of code for which `is_secret` holds, given their names and texts, and the byte offset
/// of the comment that ends the line.
pub(super) fn find_secret_literals<'l>(
    line: &'l str,
    is_secret: impl Fn(&str, &str) -> bool,
) -> (Vec<SecretLiteral<'l>>, usize) {
    const MAX_DEPTH: usize = 64;
    let mut found = Vec::new();
    let mut frames = vec![ExpressionFrame::default()];
    // The last name or literal, also in brackets that have been closed.
    let mut last: Option<&str> = None;
    let mut at = 0;
    while let Some(byte) = line.as_bytes().get(at).copied() {
        let depth = frames.len();
        let outer = frames.iter().rev().nth(1).and_then(|outer| outer.name);
        let Some(frame) = frames.last_mut() else { break };
        let start = at;
        at += 1;
        match byte {
            b'"' | b'\'' | b'`' => {
                let text = &line[at..];
                let end = find_quote(text, byte).unwrap_or(text.len());
                let value = &text[..end];
                let range = at..at + end;
                at = (at + end + 1).min(line.len());
                let is_key = depth > 1 && line[at..].trim_start().starts_with(':');
                let is_looked_up = frame.is_lookup && frame.is_first || is_key;
                let is_hidden = |name: &&str| {
                    !is_looked_up && is_secret_name(name) && is_secret(name, value)
                        || is_key_of_any_name(name, value)
                };
                if let Some(name) = frame.name.filter(is_hidden) {
                    found.push(SecretLiteral { name, range });
                }
                last = Some(value);
                frame.is_first = false;
            }
            b'(' | b'[' | b'{' => {
                let callee = last.filter(|_| is_name_end(line, start));
                let is_lookup = byte != b'{' && callee.is_some();
                let takes_password = callee.is_some_and(|name| {
                    ["Auth", "Credentials", "Credential"].iter().any(|end| name.ends_with(end))
                });
                let inner = ExpressionFrame {
                    name: frame.name,
                    is_lookup,
                    takes_password,
                    is_first: true,
                    is_first_argument: true,
                    is_annotated: false,
                };
                if depth == MAX_DEPTH {
                    break;
                }
                frames.push(inner);
            }
            b')' | b']' | b'}' if depth > 1 => drop(frames.pop()),
            b',' | b';' => {
                let takes_default = frame.is_lookup
                    && frame.is_first_argument
                    && line[..start].ends_with(['"', '\'']);
                let default = last.filter(|name| {
                    takes_default && name.bytes().all(is_name_byte) && is_secret_name(name)
                });
                let pair = frame.takes_password.then_some("password");
                frame.name = default.or(pair).or(outer);
                (frame.is_annotated, frame.is_first) = (false, false);
                frame.is_first_argument = false;
            }
            b'=' | b':' if last.is_some() => {
                let is_type = byte == b'=' && frame.is_annotated;
                if !is_type {
                    frame.name = last;
                    frame.is_annotated = byte == b':';
                }
                last = None;
            }
            b'|' | b'?' if line[at..].starts_with(char::from(byte)) => {
                frame.name = last.filter(|name| is_secret_name(name)).or(frame.name);
            }
            b'#' => return (found, start),
            b'/' if line[at..].starts_with('/') => return (found, start),
            _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
                at = line[start..].find(is_end).map_or(line.len(), |length| start + length);
                let word = &line[start..at];
                let is_prefix = word.len() <= 2 && line[at..].starts_with(['"', '\'']);
                match word {
                    "or" => frame.name = last.filter(|name| is_secret_name(name)).or(frame.name),
                    _ if is_prefix => {}
                    "if" | "and" | "not" | "return" | "const" | "let" | "var" | "else" => {}
                    _ => {
                        last = Some(word);
                        frame.is_first = false;
                    }
                }
            }
            _ => {
                while !line.is_char_boundary(at) {
                    at += 1;
                }
            }
        }
    }
    (found, line.len())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)
}

/// Returns whether a bracket at `at` directly follows a name, a literal or another bracket.
fn is_name_end(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    before.is_some_and(|c| c.is_ascii_alphanumeric() || "_)]".contains(c))
}

/// Returns the byte offset of the quote that ends a literal.
fn find_quote(text: &str, quote: u8) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == quote => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::secret::{AssignmentSyntax, hide_assigned_secrets};

    #[test]
    fn a_literal_of_a_secrets_name_is_hidden() {
        for (line, shown) in [
            ("app.config['SECRET_KEY'] = 'hunter2'", "app.config['SECRET_KEY'] = '<SECRET_KEY>'"),
            (
                "p = os.getenv('DB_PASSWORD', 'hunter2')",
                "p = os.getenv('DB_PASSWORD', '<DB_PASSWORD>')",
            ),
            (
                "os.environ.setdefault(\"PW\", \"hunter2\")",
                "os.environ.setdefault(\"PW\", \"<PW>\")",
            ),
            ("SECRET_KEY = b'hunter2'", "SECRET_KEY = b'<SECRET_KEY>'"),
            ("DB_PASSWORD: str = 'hunter2'", "DB_PASSWORD: str = '<DB_PASSWORD>'"),
            ("password = os.getenv('X') or 'hunter2'", "password = os.getenv('X') or '<password>'"),
            (
                "const p = process.env.DB_PASSWORD || 'hunter2'",
                "const p = process.env.DB_PASSWORD || '<process.env.DB_PASSWORD>'",
            ),
            ("if password == 'hunter2': pass", "if password == '<password>': pass"),
            ("a = HTTPBasicAuth('app', 'hunter2')", "a = HTTPBasicAuth('app', '<password>')"),
            (
                "x = connect(user='app', password='hunter2')",
                "x = connect(user='app', password='<password>')",
            ),
            ("x = 1  # password: hunter2", "x = 1  # password: <password>"),
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Code), shown);
        }
    }

    #[test]
    fn other_literals_are_shown() {
        for line in [
            "password = request.form['password']",
            "token = request.headers.get('Authorization')",
            "auth = Blueprint('auth', __name__)",
            "x = connect(token=token, name='backend', url='http://db')",
            "secret = connect(user='app')",
            "print('Password:', 'typed by the user')",
            "fields = ('password', 'email')",
            "key = 'backend'",
        ] {
            assert_eq!(hide_assigned_secrets(line, AssignmentSyntax::Code), line);
        }
    }
}
