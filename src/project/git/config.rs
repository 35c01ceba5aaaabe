//! Parses git's configuration format: sections, variables, quotes and comments.
//!
//! No I/O. Includes are not followed; [`GitConfig::includes`] returns whether there are any.

/// The variables of a configuration file, in source order.
#[derive(Debug, Default)]
pub(super) struct GitConfig {
    variables: Vec<ConfigVariable>,
}

#[derive(Debug)]
struct ConfigVariable {
    /// In lower case.
    section: String,
    subsection: Option<String>,
    /// In lower case.
    name: String,
    value: String,
}

impl GitConfig {
    /// Parses `text`, skipping lines that git would reject.
    pub(super) fn parse(text: &str) -> Self {
        let mut variables = Vec::new();
        let (mut section, mut subsection) = (String::new(), None);
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let mut rest = text.as_str();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return Self { variables };
            }
            if let Some(header) = rest.strip_prefix('[') {
                let (inside, after) = split_header(header);
                (section, subsection) = parse_header(inside);
                rest = after;
            } else if rest.starts_with(['#', ';']) {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
            } else {
                let end = rest.find(['=', '\n', '#', ';']).unwrap_or(rest.len());
                let name = rest[..end].trim().to_lowercase();
                let (value, after) = match rest[end..].strip_prefix('=') {
                    Some(value) => parse_value(value),
                    None => ("true".to_owned(), skip_line(&rest[end..])),
                };
                rest = after;
                let (section, subsection) = (section.clone(), subsection.clone());
                variables.push(ConfigVariable { section, subsection, name, value });
            }
        }
    }

    /// Returns the last value of a variable in a section without a subsection.
    pub(super) fn value(&self, section: &str, name: &str) -> Option<&str> {
        let is_named = |variable: &&ConfigVariable| {
            variable.section == section && variable.subsection.is_none() && variable.name == name
        };
        self.variables.iter().rfind(is_named).map(|variable| variable.value.as_str())
    }

    /// Returns whether the last value of a variable is true.
    pub(super) fn is_set(&self, section: &str, name: &str) -> bool {
        let value = self.value(section, name).map(str::to_lowercase);
        value.is_some_and(|value| matches!(value.as_str(), "true" | "yes" | "on" | "1"))
    }

    /// Returns whether the file includes other files, which are not read.
    pub(super) fn includes(&self) -> bool {
        let mut variables = self.variables.iter();
        variables.any(|variable| matches!(variable.section.as_str(), "include" | "includeif"))
            || self.is_set("extensions", "worktreeconfig")
    }

    /// Returns the names and addresses of the remotes, in source order.
    pub(super) fn remotes(&self) -> impl Iterator<Item = (&str, &str)> {
        let urls = self
            .variables
            .iter()
            .filter(|variable| variable.section == "remote" && variable.name == "url");
        urls.filter_map(|variable| Some((variable.subsection.as_deref()?, variable.value.as_str())))
    }
}

/// Splits the text after a `[` at the closing `]`, which may also occur in a quoted subsection.
fn split_header(text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            ']' if !quoted => return (&text[..at], &text[at + 1..]),
            '\n' => return (&text[..at], &text[at..]),
            _ => {}
        }
    }
    (text, "")
}

fn parse_header(inside: &str) -> (String, Option<String>) {
    match inside.split_once('"') {
        Some((section, rest)) => {
            let mut subsection = String::new();
            let mut characters = rest.strip_suffix('"').unwrap_or(rest).chars();
            while let Some(character) = characters.next() {
                match character {
                    '\\' => subsection.extend(characters.next()),
                    other => subsection.push(other),
                }
            }
            (section.trim().to_lowercase(), Some(subsection))
        }
        None => match inside.split_once('.') {
            Some((section, subsection)) => {
                (section.trim().to_lowercase(), Some(subsection.to_lowercase()))
            }
            None => (inside.trim().to_lowercase(), None),
        },
    }
}

/// Reads a value up to the end of its line, and returns it with the remaining text.
fn parse_value(text: &str) -> (String, &str) {
    let (mut value, mut quoted, mut kept_length) = (String::new(), false, 0);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\n' => return finish_value(value, kept_length, &text[at..]),
            '#' | ';' if !quoted => {
                return finish_value(value, kept_length, skip_line(&text[at..]));
            }
            '"' => quoted = !quoted,
            '\\' => match characters.next() {
                Some((_, '\n')) | None => continue,
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'b')) => value.push('\u{8}'),
                Some((_, other)) => value.push(other),
            },
            space if space.is_whitespace() && !quoted => {
                if !value.is_empty() {
                    value.push(space);
                }
                continue;
            }
            other => value.push(other),
        }
        kept_length = value.len();
    }
    finish_value(value, kept_length, "")
}

/// Removes the spaces before a comment or the end of the line.
fn finish_value(mut value: String, kept_length: usize, rest: &str) -> (String, &str) {
    value.truncate(kept_length);
    (value, rest)
}

fn skip_line(text: &str) -> &str {
    text.find('\n').map_or("", |end| &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        for (text, section, name, value) in [
            ("[core]\n\tbare = false\n", "core", "bare", Some("false")),
            ("[core] bare = false", "core", "bare", Some("false")),
            ("[CORE]\nExcludesFile=~/x # why\n", "core", "excludesfile", Some("~/x")),
            ("[core]\na = \" b # c \" ; d\n", "core", "a", Some(" b # c ")),
            ("[core]\na = b\\\n c\nd = e\n", "core", "a", Some("b c")),
            ("[core]\na = b\\\n c\nd = e\n", "core", "d", Some("e")),
            ("[core]\na = one\na = two\n", "core", "a", Some("two")),
            ("[core]\r\na = one\r\nb = x\r\n", "core", "a", Some("one")),
            ("[core]\na\n", "core", "a", Some("true")),
            ("[core]\na ; b = c\n", "core", "a", Some("true")),
            ("[core \"x\"]\na = b\n", "core", "a", None),
            ("# [core]\n#a = b\n[other]\na = c\n", "core", "a", None),
            ("[core]\na = \\\"b\\\\\n", "core", "a", Some("\"b\\")),
        ] {
            assert_eq!(GitConfig::parse(text).value(section, name), value, "{text:?}");
        }
    }

    #[test]
    fn remotes_includes_and_broken_lines_are_seen() {
        let text = "[remote \"a]b\"]\nurl = x\n[remote.LOW]\nurl = y\n[remote]\nurl = z\n";
        let config = GitConfig::parse(text);
        assert_eq!(config.remotes().collect::<Vec<_>>(), [("a]b", "x"), ("low", "y")]);
        assert!(!config.includes());
        for text in [
            "[include]\npath = x\n",
            "[includeIf \"gitdir:/\"]\npath = x\n",
            "[extensions]\nworktreeConfig\n",
        ] {
            assert!(GitConfig::parse(text).includes(), "{text}");
        }
        for broken in ["[", "[core", "=", "[core]\n=\n=", "\"", "[core]\na = \"b\n[c]\nd=e", "\\"] {
            GitConfig::parse(broken);
        }
    }
}
