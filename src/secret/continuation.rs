//! Finds secrets of several lines in a YAML text: block scalars, and values that continue on the next line.

use std::ops::Range;

use super::secrecy::is_secret_name;
use super::stated::pair_name;

/// Lines that belong to the value of a name above them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinuedSecret<'t> {
    /// The name.
    pub name: &'t str,
    /// The numbers of the lines below the name, starting at 0.
    pub lines: Range<usize>,
}

/// Returns the values of several lines that the names above them show to be secrets, and private keys.
pub fn find_continued_secrets<'t>(lines: &[&'t str]) -> Vec<ContinuedSecret<'t>> {
    let ends = find_value_ends(lines);
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < lines.len() {
        if let Some(name) = name_of_next(lines[at], lines[at + 1]) {
            found.push(ContinuedSecret { name, lines: at + 1..ends[at + 1] });
            at = ends[at + 1];
            continue;
        }
        let end = ends[at];
        at += 1;
        if at == end {
            continue;
        }
        let Some((name, value)) = split_key(lines[at - 1]) else { continue };
        let is_secret = || is_secret_name(name);
        let is_hidden = match value.chars().next() {
            Some('|' | '>') => {
                let is_private = |line: &&str| line.contains("PRIVATE KEY-----");
                let is_hidden = is_secret() || lines[at..end].iter().any(is_private);
                // Lines in a block scalar are no keys.
                at = if is_hidden { at } else { end };
                is_hidden
            }
            Some('{' | '[' | '#') => false,
            Some(_) => is_secret() || ends_within_secret(value),
            None => split_key(lines[at]).is_none() && !is_item(lines[at]) && is_secret(),
        };
        if is_hidden {
            found.push(ContinuedSecret { name, lines: at..end });
            at = end;
        }
    }
    found
}

/// Returns for each line the number of the first line below it that is not indented more; for an empty line, the next.
fn find_value_ends(lines: &[&str]) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=lines.len()).collect();
    // The lines whose end is not known yet, with their growing indents.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(indent) = count_indent(line) else { continue };
        while let Some((above, _)) = open.pop_if(|(_, above)| *above >= indent) {
            ends[above] = at;
        }
        open.push((at, indent));
    }
    for (above, _) in open {
        ends[above] = lines.len();
    }
    ends
}

/// Returns the name of a secret in `line` whose value is on the `next` line: of a complex key (`? NAME`), of an option
/// in a list (`- --password`), or of a pair (`- name: DB_PASSWORD`).
fn name_of_next<'t>(line: &'t str, next: &str) -> Option<&'t str> {
    let (line, next) = (line.trim(), next.trim_start());
    let is_quote = |c: char| c == '"' || c == '\'';
    if let Some(key) = line.strip_prefix("? ") {
        let name = key.trim().trim_matches(is_quote);
        return (next.starts_with(": ") && is_secret_name(name)).then_some(name);
    }
    let word = line.rsplit([' ', '[']).next().unwrap_or(line).trim_end_matches(',');
    if let Some(name) = word.trim_matches(is_quote).strip_prefix("--") {
        let value = next.strip_prefix("- ").unwrap_or(next).trim_start_matches(is_quote);
        let is_value = next.starts_with(['-', '"', '\'']) && !value.starts_with(['-', '$']);
        let is_list = line.starts_with("- ") || line.ends_with(',');
        return (is_list && is_value && is_secret_name(name)).then_some(name);
    }
    let value = next.strip_prefix("value:").or(next.strip_prefix("Value:"))?.trim();
    (!value.is_empty() && !value.starts_with('$')).then_some(())?;
    pair_name(line)
}

/// Returns the number of spaces in front of a line; `None` if there is nothing else.
fn count_indent(line: &str) -> Option<usize> {
    line.bytes().position(|byte| byte != b' ').filter(|at| !line[*at..].trim_end().is_empty())
}

/// Returns whether a quoted value that continues on the next line ends in a secret of its own: `"x-api-key=hunt\`.
fn ends_within_secret(value: &str) -> bool {
    let is_open = |quote: &char| value.starts_with(*quote) && !value[1..].contains(*quote);
    let last = value.rsplit([',', ';', '&', ' ', '"', '\'']).next().unwrap_or_default();
    let name = last.split_once('=').map_or("", |(name, _)| name);
    ['"', '\''].iter().any(is_open) && is_secret_name(name)
}

fn is_item(line: &str) -> bool {
    let line = line.trim();
    line == "-" || line.starts_with("- ")
}

/// Returns the key of a line, and its value without anchor and tag.
fn split_key(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line);
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.split_once(": ").or(line.strip_suffix(':').map(|name| (name, "")))?;
    let mut value = value.trim_start();
    while value.starts_with(['&', '!']) {
        value = value.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    }
    Some((name.trim().trim_matches(['"', '\'']), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<(&str, Range<usize>)> {
        let lines: Vec<&str> = text.lines().collect();
        find_continued_secrets(&lines)
            .into_iter()
            .map(|found| (&text[text.find(found.name).unwrap()..][..found.name.len()], found.lines))
            .collect()
    }

    #[test]
    fn the_lines_of_a_secret_are_found() {
        for text in [
            "a:\n  DB_PASSWORD: |\n    hunter2\n\n      b\n  c: d\n",
            "a:\n  DB_PASSWORD: &x >-\n    hunter2\n\n    b\n  c: d\n",
            "a:\n  DB_PASSWORD:\n    hunter2\n\n    b\n  c: d\n",
            "a:\n  'DB_PASSWORD': \"a \\\n    hunter2\n\n    b\"\n  c: d\n",
            "a:\n  - DB_PASSWORD: a\n      hunter2\n\n      b\n  - c: d\n",
        ] {
            assert_eq!(hidden(text), [("DB_PASSWORD", 2..5)], "{text}");
        }
        let header = "a:\n  HEADERS: \"x=1,x-api-key=hunt\\\n    er2\"\n  c: d\n";
        assert_eq!(hidden(header), [("HEADERS", 2..3)]);
        let key = "a: |\n  -----BEGIN PRIVATE KEY-----\n  MIIB\nb: c\n";
        assert_eq!(hidden(key), [("a", 1..3)]);
        assert_eq!(hidden("TOKEN: |\n  a"), [("TOKEN", 1..2)]);
    }

    #[test]
    fn a_value_on_the_next_line_is_found() {
        for text in [
            "a:\n  ? API_TOKEN\n  : hunter2\n  c: d\n",
            "a:\n  - --api-token\n  - hunter2\n  - --port\n",
            "a: [\"x\", \"--api-token\",\n  \"hunter2\"]\nc: d\n",
            "a:\n  - name: API_TOKEN\n    value: hunter2\n  - name: B\n",
        ] {
            let found = hidden(text);
            assert_eq!(found.len(), 1, "{text}");
            let line = found[0].1.start;
            assert_eq!(found[0].1.len(), 1, "{text}");
            assert!(text.lines().nth(line).unwrap().contains("hunter2"), "{text}");
        }
        for text in [
            "a:\n  - --api-token\n  - --port\n",
            "a:\n  ? API_TOKEN\n  c: d\n",
            "- name: backend\n  value: x\n",
            "- name: API_TOKEN\n  value: ${API_TOKEN}\n",
        ] {
            assert_eq!(hidden(text), [], "{text}");
        }
    }

    #[test]
    fn lines_of_growing_indent_and_empty_ones_take_time_in_proportion_to_their_length() {
        for part in ["a", "a: b", "A_TOKEN: b"] {
            let lines: Vec<String> =
                (0..4_000).map(|number| format!("{}{part}", " ".repeat(number))).collect();
            let empty = std::iter::repeat_n("", 2_000_000);
            let lines: Vec<&str> = lines.iter().map(String::as_str).chain(empty).collect();
            let began = std::time::Instant::now();
            find_continued_secrets(&lines);
            assert!(began.elapsed().as_secs() < 20, "{part}");
        }
    }

    #[test]
    fn other_lines_are_not() {
        for text in [
            "secrets:\n  db:\n    file: x\n",
            "secrets:\n  - db\n",
            "secrets: &all\n  db: x\n",
            "tokens: {\n  a: b}\n",
            "tokens: # all\n  a: b\n",
            "a: |\n  password:\n    x\nb: c\n",
            "# password: |\n  a: b\n",
            "A: \"x-api-key=b,c=d\\\n    e\"\n",
            "- A: \"x-api-key=b\"\n  c: d\n",
            "services:\n  a:\n    build: .\n",
            "a: b\n\n\n",
            "",
        ] {
            assert_eq!(hidden(text), [], "{text}");
        }
    }
}
