//! Splits shell text into simple commands and replaces the variables whose values are known.
//!
//! Supports the POSIX quoting that build files use. Runs nothing: a command substitution stays as written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

/// A simple command of a shell text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellCommand {
    /// The program and its arguments, without quotes. A variable whose value is unknown stays as written.
    pub words: Vec<String>,
    /// The file that standard output is redirected to.
    pub output: Option<String>,
    /// Variables set in front of the command, for it alone.
    pub variables: Vec<(String, String)>,
}

/// Values of variables by name.
pub(super) type VariableValues = HashMap<String, String>;

/// Shells that take a script after `-c`.
pub(super) const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "zsh"];

/// Words that precede a command without changing what it runs.
const PREFIXES: [&str; 12] =
    ["if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "command"];

/// Maximum length of a value or word in bytes; a longer one stays as written.
const MAX_WORD_BYTES: usize = 1024;

/// Maximum nesting of default values.
const MAX_DEFAULT_NESTING: usize = 8;

/// Splits `text` into commands, including the scripts passed to shells with `-c`.
pub(super) fn split_commands(text: &str, values: &VariableValues) -> Vec<ShellCommand> {
    let mut values = Cow::Borrowed(values);
    let mut reader = ShellReader::new(text);
    let mut commands = Vec::new();
    while let Some(command) = reader.command(&values) {
        let words = &command.words;
        // An assignment alone applies to the rest of the text; before a command, to that command only.
        if let [word] = words.as_slice()
            && let Some((name, value)) = split_assignment(word)
        {
            values.to_mut().insert(name.to_owned(), value.to_owned());
        }
        commands.extend(unwrap_command(words, command.output, &values));
    }
    commands
}

/// Returns the commands that a word list runs: the list itself, or the script passed to a shell.
pub(super) fn unwrap_command(
    words: &[String],
    output: Option<String>,
    values: &VariableValues,
) -> Vec<ShellCommand> {
    let mut words = words;
    let mut variables = Vec::new();
    while let [first, rest @ ..] = words {
        match split_assignment(first) {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None if PREFIXES.contains(&first.as_str()) => {}
            None => break,
        }
        words = rest;
    }
    let Some((first, rest)) = words.split_first() else {
        return Vec::new();
    };
    let program = first.rsplit('/').next().unwrap_or(first);
    let flag =
        |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    if SHELLS.contains(&program)
        && let Some(at) = rest.iter().position(flag)
        && let Some(text) = rest.get(at + 1)
    {
        return split_commands(text, values);
    }
    vec![ShellCommand { words: words.to_vec(), output, variables }]
}

/// Splits `text` into the words of a single command.
pub(super) fn split_words(text: &str, values: &VariableValues) -> Vec<String> {
    let mut reader = ShellReader::new(text);
    let mut words = Vec::new();
    while let Some(command) = reader.command(values) {
        words.extend(command.words);
    }
    words
}

/// Replaces the variables with known values in one word.
pub(super) fn expand_word(text: &str, values: &VariableValues) -> String {
    let mut reader = ShellReader::new(text);
    let mut out = String::new();
    while let Some(character) = reader.rest.next() {
        match character {
            '$' => reader.variable(values, &mut out),
            '\\' if reader.rest.peek() == Some(&'$') => out.extend(reader.rest.next()),
            _ => out.push(character),
        }
    }
    out
}

/// Splits `NAME=value` into its two parts.
pub(super) fn split_assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    is_name.then_some((name, value))
}

struct ShellReader<'t> {
    rest: Peekable<Chars<'t>>,
}

/// The word being read.
#[derive(Default)]
struct ShellWord {
    text: String,
    /// Whether the word has begun, even if it is an empty pair of quotes.
    is_started: bool,
}

impl<'t> ShellReader<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text.chars().peekable() }
    }

    /// Reads the next command; `None` at the end of the text.
    fn command(&mut self, values: &VariableValues) -> Option<ShellCommand> {
        self.rest.peek()?;
        let mut command = ShellCommand::default();
        let mut word = ShellWord::default();
        let mut to_file = false;
        while let Some(character) = self.rest.next() {
            match character {
                '\n' | ';' | '&' | '|' | '(' | ')' => break,
                ' ' | '\t' | '\r' => command.take(&mut word, &mut to_file),
                '#' if !word.is_started => {
                    while self.rest.next_if(|next| *next != '\n').is_some() {}
                }
                '>' => {
                    let is_number = !word.text.is_empty() && word.text.parse::<u8>().is_ok();
                    let is_error = is_number && word.text != "1";
                    if is_number {
                        word = ShellWord::default();
                    }
                    command.take(&mut word, &mut to_file);
                    self.rest.next_if_eq(&'>');
                    match self.rest.next_if_eq(&'&') {
                        Some(_) => {
                            self.rest.next();
                        }
                        None if is_error => self.skip_word(),
                        None => to_file = true,
                    }
                }
                _ => {
                    word.is_started = true;
                    self.part(character, values, &mut word.text);
                }
            }
        }
        command.take(&mut word, &mut to_file);
        Some(command)
    }

    /// Reads the next part of a word: a character, a quoted text or a variable.
    fn part(&mut self, character: char, values: &VariableValues, out: &mut String) {
        match character {
            '\'' => out.extend(self.rest.by_ref().take_while(|next| *next != '\'')),
            '"' => self.quoted(values, out),
            '\\' => out.extend(self.rest.next().filter(|next| *next != '\n')),
            '$' => self.variable(values, out),
            '`' => {
                out.push('`');
                out.extend(self.rest.by_ref().take_while(|next| *next != '`'));
                out.push('`');
            }
            _ => out.push(character),
        }
    }

    fn quoted(&mut self, values: &VariableValues, out: &mut String) {
        while let Some(character) = self.rest.next() {
            match character {
                '"' => return,
                '$' => self.variable(values, out),
                '\\' => match self.rest.next() {
                    Some(next @ ('"' | '\\' | '$' | '`')) => out.push(next),
                    Some('\n') | None => {}
                    Some(next) => out.extend(['\\', next]),
                },
                _ => out.push(character),
            }
        }
    }

    /// Reads what follows a `$`: a name, a name in braces with an optional default, or a substitution.
    fn variable(&mut self, values: &VariableValues, out: &mut String) {
        match self.rest.peek() {
            Some('{') => {
                let inner = self.enclosed('{', '}');
                match replace_braced(&inner, values) {
                    Some(value) if out.len() + value.len() <= MAX_WORD_BYTES => {
                        out.push_str(&value)
                    }
                    _ => out.push_str(&format!("${{{inner}}}")),
                }
            }
            Some('(') => {
                let inner = self.enclosed('(', ')');
                out.push_str(&format!("$({inner})"));
            }
            _ => {
                let mut name = String::new();
                let is_part = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
                while let Some(next) = self.rest.next_if(is_part) {
                    name.push(next);
                }
                match values.get(&name) {
                    Some(value) if out.len() + value.len() <= MAX_WORD_BYTES => out.push_str(value),
                    _ => out.extend(["$", &name]),
                }
            }
        }
    }

    /// Returns the text between an opening character and its matching closing one.
    fn enclosed(&mut self, open: char, close: char) -> String {
        self.rest.next();
        let mut depth = 1;
        let mut inner = String::new();
        for next in self.rest.by_ref() {
            depth += usize::from(next == open);
            depth -= usize::from(next == close);
            if depth == 0 {
                break;
            }
            inner.push(next);
        }
        inner
    }

    fn skip_word(&mut self) {
        while self.rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
        let ends = |next: &char| !next.is_whitespace() && !matches!(next, ';' | '&' | '|');
        while self.rest.next_if(ends).is_some() {}
    }
}

impl ShellCommand {
    /// Ends the word being read.
    fn take(&mut self, word: &mut ShellWord, to_file: &mut bool) {
        let ShellWord { text, is_started } = std::mem::take(word);
        if is_started {
            if std::mem::take(to_file) { self.output = Some(text) } else { self.words.push(text) }
        }
    }
}

/// Returns the value of the inside of `${…}`; `None` if it is unknown.
fn replace_braced(inner: &str, values: &VariableValues) -> Option<String> {
    if inner.matches("${").count() > MAX_DEFAULT_NESTING {
        return None;
    }
    let end = inner.find(|next: char| !next.is_ascii_alphanumeric() && next != '_');
    let (name, operator) = inner.split_at(end.unwrap_or(inner.len()));
    let value = values.get(name);
    let full = value.filter(|value| !value.is_empty());
    let word = |at: usize| expand_word(&operator[at..], values);
    match operator.as_bytes() {
        [] => value.cloned(),
        [b':', b'-', ..] => Some(full.cloned().unwrap_or_else(|| word(2))),
        [b'-', ..] => Some(value.cloned().unwrap_or_else(|| word(1))),
        [b':', b'+', ..] => Some(full.map(|_| word(2)).unwrap_or_default()),
        [b'+', ..] => Some(value.map(|_| word(1)).unwrap_or_default()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&[&str]]) {
        let values = VariableValues::from([("A".to_owned(), "prod".to_owned())]);
        let got: Vec<Vec<String>> =
            split_commands(text, &values).into_iter().map(|command| command.words).collect();
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn commands_end_where_the_shell_ends_them() {
        check("a b&&c;d|e||f\ng # h; i\n", &[&["a", "b"], &["c"], &["d"], &["e"], &["f"], &["g"]]);
        check(
            "if [ -f x ]; then (pip install y); fi",
            &[&["[", "-f", "x", "]"], &["pip", "install", "y"], &["fi"]],
        );
        check("A=1 B=2 make all", &[&["make", "all"]]);
        let command = split_commands("A=1 B='x y' make all", &VariableValues::new()).remove(0);
        let set = [("A", "1"), ("B", "x y")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(command.variables, set);
    }

    #[test]
    fn quotes_are_removed_and_known_variables_replaced() {
        check(
            r#"x 'a $A' "b $A" c\ d "" $A-${A} ${A:+y}${Z:-z}"#,
            &[&["x", "a $A", "b prod", "c d", "", "prod-prod", "yz"]],
        );
        check("x $Z/${Z} $(echo ; b) `c d`", &[&["x", "$Z/${Z}", "$(echo ; b)", "`c d`"]]);
        check("F=$A.txt; pip -r $F", &[&["pip", "-r", "prod.txt"]]);
    }

    #[test]
    fn the_text_given_to_a_shell_is_split_too() {
        check(
            r#"/bin/bash -lc "cd /x && pip install y" "#,
            &[&["cd", "/x"], &["pip", "install", "y"]],
        );
        check("exec sh -c 'a; b'", &[&["a"], &["b"]]);
        check("sh start.sh", &[&["sh", "start.sh"]]);
    }

    #[test]
    fn outputs_are_kept_apart_from_words() {
        let read = |text: &str| split_commands(text, &VariableValues::new()).remove(0);
        let command = read("poetry export -f x 2>/dev/null > requirements.txt");
        assert_eq!(command.words, ["poetry", "export", "-f", "x"]);
        assert_eq!(command.output.as_deref(), Some("requirements.txt"));
        assert_eq!(read("a>b 2>&1").output.as_deref(), Some("b"));
        assert_eq!(
            read("a 2>err b"),
            ShellCommand { words: vec!["a".into(), "b".into()], ..ShellCommand::default() }
        );
    }

    #[test]
    fn a_backslash_keeps_a_dollar_sign_and_stands_for_itself_before_anything_else() {
        let values = VariableValues::from([("A".to_owned(), "prod".to_owned())]);
        for (text, expected) in [
            (r"\$A", "$A"),
            (r"a\b", r"a\b"),
            (r"C:\x\$A", r"C:\x$A"),
            (r"${Z:-a\b}", r"a\b"),
            ("end\\", "end\\"),
        ] {
            assert_eq!(expand_word(text, &values), expected, "{text}");
        }
    }

    #[test]
    fn defaults_in_defaults_are_followed_down_to_the_deepest() {
        let nested = |levels: usize| format!("{}x{}", "${Z:-".repeat(levels), "}".repeat(levels));
        // The outermost default is level 0.
        for levels in [1, 2, MAX_DEFAULT_NESTING + 1] {
            assert_eq!(expand_word(&nested(levels), &VariableValues::new()), "x", "{levels}");
        }
        let too_deep = nested(MAX_DEFAULT_NESTING + 2);
        assert_eq!(expand_word(&too_deep, &VariableValues::new()), too_deep);
    }

    #[test]
    fn an_incomplete_text_is_read_to_its_end() {
        for text in ["'", "\"a", "${", "$(", "`", "\\", "a >", "$", "${A:-${", "2>&"] {
            split_commands(text, &VariableValues::new());
            expand_word(text, &VariableValues::new());
        }
    }
}
