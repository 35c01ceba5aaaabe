//! Finds the literals of program code that are secrets: assigned, compared, passed by name, or a default.

use std::ops::Range;

use super::secrecy::{is_key_of_any_name, is_secret_name};

/// The number of open brackets after which a scan ends.
const MAX_DEPTH: usize = 64;

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

/// A scan of a line of code, up to the byte offset `at`.
struct LiteralScan<'l> {
    line: &'l str,
    at: usize,
    /// One for the line itself, one more for each open bracket.
    frames: Vec<ExpressionFrame<'l>>,
    /// The last name or literal, also in brackets that have been closed.
    last: Option<&'l str>,
    found: Vec<SecretLiteral<'l>>,
}

/// Returns the literals of a line of code for which `is_secret` holds, given their names and texts, and the byte offset
/// of the comment that ends the line.
pub(super) fn find_secret_literals<'l>(
    line: &'l str,
    is_secret: impl Fn(&str, &str) -> bool,
) -> (Vec<SecretLiteral<'l>>, usize) {
    let frames = vec![ExpressionFrame::default()];
    let mut scan = LiteralScan { line, at: 0, frames, last: None, found: Vec::new() };
    let comment = scan.run(is_secret);
    (scan.found, comment)
}

impl<'l> LiteralScan<'l> {
    /// Reads the line up to its comment, whose byte offset it returns.
    fn run(&mut self, is_secret: impl Fn(&str, &str) -> bool) -> usize {
        while let Some(c) = self.line[self.at..].chars().next() {
            let start = self.at;
            self.at += c.len_utf8();
            match c {
                '"' | '\'' | '`' => self.literal(c, &is_secret),
                '(' | '[' | '{' if self.frames.len() == MAX_DEPTH => break,
                '(' | '[' | '{' => self.open(c, start),
                ')' | ']' | '}' if self.frames.len() > 1 => drop(self.frames.pop()),
                ',' | ';' => self.separate(start),
                '=' | ':' => self.assign(c),
                '|' | '?' if self.rest().starts_with(c) => self.fall_back(),
                '#' => return start,
                '/' if self.rest().starts_with('/') => return start,
                'a'..='z' | 'A'..='Z' | '_' => self.word(start),
                _ => {}
            }
        }
        self.line.len()
    }

    fn rest(&self) -> &'l str {
        &self.line[self.at..]
    }

    /// Applies `change` to the innermost frame.
    fn with_frame(&mut self, change: impl FnOnce(&mut ExpressionFrame<'l>)) {
        if let Some(frame) = self.frames.last_mut() {
            change(frame);
        }
    }

    fn frame(&self) -> ExpressionFrame<'l> {
        self.frames.last().copied().unwrap_or_default()
    }

    /// Reads a literal whose opening quote precedes.
    fn literal(&mut self, quote: char, is_secret: impl Fn(&str, &str) -> bool) {
        let length = find_quote(self.rest(), quote).unwrap_or(self.rest().len());
        let range = self.at..self.at + length;
        let value = &self.line[range.clone()];
        self.at = (range.end + 1).min(self.line.len());
        let frame = self.frame();
        let is_key = self.frames.len() > 1 && self.rest().trim_start().starts_with(':');
        let is_looked_up = frame.is_lookup && frame.is_first || is_key;
        let is_hidden = |name: &&str| {
            !is_looked_up && is_secret_name(name) && is_secret(name, value)
                || is_key_of_any_name(name, value)
        };
        if let Some(name) = frame.name.filter(is_hidden) {
            self.found.push(SecretLiteral { name, range });
        }
        self.last = Some(value);
        self.with_frame(|frame| frame.is_first = false);
    }

    /// Enters the bracket at `start`.
    fn open(&mut self, bracket: char, start: usize) {
        const PASSWORD_CALLS: [&str; 3] = ["Auth", "Credentials", "Credential"];
        let callee = self.last.filter(|_| is_name_end(self.line, start));
        let takes_password = |name: &str| PASSWORD_CALLS.iter().any(|end| name.ends_with(end));
        self.frames.push(ExpressionFrame {
            name: self.frame().name,
            is_lookup: bracket != '{' && callee.is_some(),
            takes_password: callee.is_some_and(takes_password),
            is_first: true,
            is_first_argument: true,
            is_annotated: false,
        });
    }

    /// Passes the comma or semicolon at `start`.
    fn separate(&mut self, start: usize) {
        let frame = self.frame();
        let is_literal = self.line[..start].ends_with(['"', '\'']);
        let takes_default = frame.is_lookup && frame.is_first_argument && is_literal;
        let default = self
            .last
            .filter(|name| takes_default && name.bytes().all(is_name_byte) && is_secret_name(name));
        let pair = frame.takes_password.then_some("password");
        let outer = self.frames.iter().rev().nth(1).and_then(|outer| outer.name);
        self.with_frame(|frame| {
            frame.name = default.or(pair).or(outer);
            frame.is_annotated = false;
            frame.is_first = false;
            frame.is_first_argument = false;
        });
    }

    /// Passes a `=` or a `:`: what precedes is the name of what follows.
    fn assign(&mut self, sign: char) {
        let Some(name) = self.last.take() else { return };
        self.with_frame(|frame| {
            let is_type = sign == '=' && frame.is_annotated;
            if !is_type {
                frame.name = Some(name);
                frame.is_annotated = sign == ':';
            }
        });
    }

    /// Passes an operator whose right side replaces a missing left side.
    fn fall_back(&mut self) {
        if let Some(name) = self.last.filter(|name| is_secret_name(name)) {
            self.with_frame(|frame| frame.name = Some(name));
        }
    }

    /// Reads the word that begins at `start`.
    fn word(&mut self, start: usize) {
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
        self.at = self.line[start..].find(is_end).map_or(self.line.len(), |length| start + length);
        let word = &self.line[start..self.at];
        let is_prefix = word.len() <= 2 && self.rest().starts_with(['"', '\'']);
        match word {
            "or" => self.fall_back(),
            _ if is_prefix => {}
            "if" | "and" | "not" | "return" | "const" | "let" | "var" | "else" => {}
            _ => {
                self.last = Some(word);
                self.with_frame(|frame| frame.is_first = false);
            }
        }
    }
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
fn find_quote(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            _ if character == quote => return Some(at),
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
