//! Reads one logical line of a requirements file.

use std::ops::Range;

use super::{
    HashLocking, PastedCommand, RequirementEntry, Requirements, UnreadableLine, VersionBounds,
    normalize_package_name,
};

/// A logical line: its continuation lines are joined.
pub(super) struct LogicalLine<'a> {
    text: String,
    comment: Option<&'a str>,
    line: usize,
    range: Range<usize>,
    joined: JoinedLines,
}

/// How many lines backslashes join. A final backslash counts the missing next line as well.
#[derive(PartialEq, Eq)]
enum JoinedLines {
    One,
    Lines,
}

/// Splits a file into logical lines: a trailing backslash joins the next line, and `#` after a blank starts a comment.
pub(super) fn logical(source: &str) -> Vec<LogicalLine<'_>> {
    let mut lines = Vec::new();
    let mut open: Option<LogicalLine<'_>> = None;
    let mut start = 0;
    for (index, physical) in source.split_inclusive('\n').enumerate() {
        let written = physical.trim_end_matches(['\n', '\r']);
        let body = if index == 0 { written.trim_start_matches('\u{feff}') } else { written };
        let (code, comment) = split_comment(body);
        let (code, continues) = match code.strip_suffix('\\') {
            Some(code) if comment.is_none() => (code, true),
            _ => (code, false),
        };
        let end = start + written.len();
        let joined = match open.take() {
            Some(mut first) => {
                first.text.push_str(code);
                first.range.end = end;
                first
            }
            None => LogicalLine {
                text: code.to_owned(),
                comment,
                line: index + 1,
                range: start..end,
                joined: if continues { JoinedLines::Lines } else { JoinedLines::One },
            },
        };
        if continues {
            open = Some(joined);
        } else {
            lines.push(joined);
        }
        start += physical.len();
    }
    lines.extend(open);
    lines
}

fn split_comment(line: &str) -> (&str, Option<&str>) {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_whitespace() {
            return (&line[..at], Some(line[at + 1..].trim()));
        }
        before = character;
    }
    (line, None)
}

/// Reads a logical line into the matching part of `found`.
pub(super) fn read(logical: &LogicalLine<'_>, found: &mut Requirements) {
    if let Some(comment) = logical.comment {
        read_comment(comment, found);
    }
    let text = logical.text.trim();
    if text.is_empty() {
        return;
    }
    if text.contains("--hash") || text.contains("--require-hashes") {
        found.locking = HashLocking::Hashes;
    }
    if let Some(requirements) = parse_pasted_command(logical, text) {
        found.pasted.push(PastedCommand {
            requirements,
            line: logical.line,
            range: logical.range.clone(),
        });
    } else if text.starts_with('-') {
        read_option(text, logical.line, found);
    } else if is_address(text) {
        found.entries.extend(address_entry(text, logical.line));
    } else {
        match parse_requirement(text, logical.line) {
            Some(entry) => found.entries.push(entry),
            None => {
                found.unreadable.push(UnreadableLine { text: text.to_owned(), line: logical.line })
            }
        }
    }
}

/// Reads the comment in which pip-compile and uv record their command line.
fn read_comment(comment: &str, found: &mut Requirements) {
    let command = comment.trim();
    if found.compiled_from.is_none()
        && (command.starts_with("pip-compile ") || command.starts_with("uv pip compile "))
    {
        found.compiled_from = command
            .split_whitespace()
            .rfind(|word| !word.starts_with('-') && word.contains('.') && !word.ends_with(".txt"))
            .map(str::to_owned);
    }
}

fn read_option(text: &str, line: usize, found: &mut Requirements) {
    let (option, value) = match text.split_once([' ', '=', '\t']) {
        Some((option, value)) => (option, value.trim()),
        None if text.starts_with("-r") && !text.starts_with("--") => ("-r", &text[2..]),
        None => (text, ""),
    };
    match option {
        "-r" | "--requirement" => found.includes.push(value.to_owned()),
        "-e" | "--editable" => found.entries.extend(address_entry(value, line)),
        _ => {}
    }
}

fn is_address(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    first.contains("://") || first.starts_with(['.', '/']) || first.ends_with(".whl")
}

/// Reads the package name from an address: `#egg=NAME`, or the name of a wheel.
fn address_entry(text: &str, line: usize) -> Option<RequirementEntry> {
    let address = text.split_whitespace().next()?;
    let name = match address.split_once("#egg=") {
        Some((_, egg)) => egg.split(['&', '[']).next()?,
        None => address.rsplit('/').next()?.strip_suffix(".whl")?.split('-').next()?,
    };
    Some(RequirementEntry {
        name: normalize_package_name(name),
        pin: None,
        bounds: VersionBounds::Address,
        conditions: Vec::new(),
        line,
    })
}

/// Parses `name[extras] conditions ; marker --options`, or `name @ address`.
fn parse_requirement(text: &str, line: usize) -> Option<RequirementEntry> {
    let end = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || "-_.".contains(character)))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric())
        || !name.ends_with(|last: char| last.is_ascii_alphanumeric())
    {
        return None;
    }
    let mut rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    let entry = |pin, bounds, conditions| {
        Some(RequirementEntry { name: normalize_package_name(name), pin, bounds, conditions, line })
    };
    if rest.starts_with('@') {
        return entry(None, VersionBounds::Address, Vec::new());
    }
    let conditions = rest
        .split(';')
        .next()?
        .split(" --")
        .next()?
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')');
    if conditions.is_empty() {
        return entry(None, VersionBounds::Any, Vec::new());
    }
    let conditions: Vec<&str> = conditions.split(',').map(str::trim).collect();
    if !conditions.iter().all(|condition| is_condition(condition)) {
        return None;
    }
    let pin = match conditions.as_slice() {
        [only] => only.strip_prefix("==").map(|version| version.trim_start_matches('=').trim()),
        _ => None,
    };
    let pin = pin.filter(|version| !version.contains('*')).map(str::to_owned);
    let conditions = conditions.into_iter().map(str::to_owned).collect();
    entry(pin, VersionBounds::Version, conditions)
}

fn is_condition(condition: &str) -> bool {
    let version = condition.trim_start_matches(['=', '<', '>', '~', '!']);
    version.len() < condition.len()
        && !version.trim().is_empty()
        && !version.trim().contains(char::is_whitespace)
}

/// Returns the requirements of a pasted command, even if only its continuation lines were pasted.
fn parse_pasted_command(logical: &LogicalLine<'_>, text: &str) -> Option<Vec<String>> {
    if let Some(arguments) = pasted_command(text) {
        return Some(asked_for(&arguments));
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let several = words.len() > 1 && logical.joined == JoinedLines::Lines;
    let all_named = words.iter().all(|word| parse_requirement(word, 0).is_some());
    (several && parse_requirement(text, 0).is_none() && all_named).then_some(words)
}

/// Returns the arguments of `pip install …` in any of its spellings.
fn pasted_command(text: &str) -> Option<Vec<String>> {
    let words: Vec<String> = text
        .trim_start_matches(['$', ' '])
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']).to_owned())
        .collect();
    let at = words.iter().position(|word| word == "install")?;
    let caller = words[..at].join(" ");
    let known =
        ["pip", "pip3", "python -m pip", "python3 -m pip", "sudo pip", "sudo pip3", "uv pip"];
    known.contains(&caller.as_str()).then(|| words[at + 1..].to_vec())
}

/// Returns the requirements that a pasted command installs. Its options have no meaning in a file, nor does a backslash
/// followed by a blank.
fn asked_for(arguments: &[String]) -> Vec<String> {
    let mut wanted = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "-r" || word == "--requirement" {
            wanted.extend(words.next().map(|path| format!("-r {path}")));
        } else if !word.starts_with('-') && word != "\\" {
            wanted.push(word.clone());
        }
    }
    wanted
}
