//! `yaml-syntax`: a YAML file with a syntax error, and its likely cause.

use crate::compose::ProjectTextFile;
use crate::edit::yaml::tree::YamlSyntaxError;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "yaml-syntax",
    severity: Severity::Error,
    why: "neither docker compose nor the workspace reads a file that is not valid YAML, and Gitpod does not even say so",
    explanation: "The reported line is where parsing stopped, or the likely cause: a committed merge conflict, a \
        command pasted from a shell, a tab in the indentation, an unclosed quote.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: .\n    environment:\n      A: b\n      export HONEYCOMB_API_KEY=\"x\" # <-\n      gp env HONEYCOMB_API_KEY=\"x\"\n      C: d\n",
        ),
        (
            ".gitpod.yml",
            "tasks:\n  - init: |\n      cd web\nports:\n  - port: 3000\n\t  visibility: public # <-\n",
        ),
    ],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    build: .\n    command: |\n      export X=1\n      =======\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    inspection
        .broken
        .iter()
        .map(|(file, error)| {
            let (offset, cause, advice) = guess_cause(file, error);
            RuleHit::new(file, offset, cause, advice)
        })
        .collect()
}

/// A likely cause: the test for a line, the description, and the advice.
type SyntaxErrorCause = (fn(&str) -> bool, &'static str, &'static str);

/// Returns the likely cause: its position, the description, and the advice.
fn guess_cause(file: &ProjectTextFile, error: &YamlSyntaxError) -> (usize, String, &'static str) {
    let lines: Vec<(usize, &str)> = file.lines().collect();
    let outside_lines = outside_of_scalars(&lines);
    let end = outside_lines.partition_point(|(at, _)| *at <= error.offset);
    let above = &outside_lines[..end];
    if let Some((at, _)) = lines.iter().find(|(_, line)| is_conflict(line)) {
        let message = "a merge conflict was left in the file".to_owned();
        return (*at, message, "keep one side and delete the markers");
    }
    let tab = above.last().filter(|(_, line)| indented_by_tab(line));
    if let Some((at, line)) = find_pasted_commands(above).filter(|_| tab.is_none()) {
        let message = format!("this looks like a shell command: `{line}`");
        return (at, message, "delete it; commands belong in a terminal or a task");
    }
    let causes: [SyntaxErrorCause; 4] = [
        (is_fence, "a Markdown code fence", "delete the line"),
        (indented_by_tab, "a tab in the indentation", "indent with spaces"),
        (lacks_space, "no space after the colon", "write `key: value`"),
        (has_open_quote, "an unclosed quote", "close the quote"),
    ];
    for (looks_like, message, advice) in causes {
        if let Some((at, _)) = above.iter().rev().take(4).find(|(_, line)| looks_like(line)) {
            return (*at, message.to_owned(), advice);
        }
    }
    let indentation = ["block mapping", "block collection", "not allowed in this context"];
    let message = if indentation.iter().any(|part| error.message.contains(part)) {
        "the indentation does not fit the lines above".to_owned()
    } else {
        format!("not valid YAML: {}", error.message)
    };
    (error.offset, message, "fix the line, or compare it with the last commit")
}

/// Returns the lines of YAML itself, without those of block scalars, which hold other languages.
fn outside_of_scalars<'a>(lines: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let opens = |line: &str| {
        let last = line.trim_end().rsplit([' ', ':']).next().unwrap_or_default();
        let sign = last.trim_start_matches(['|', '>']);
        sign.len() < last.len() && sign.chars().all(|c| "+-0123456789".contains(c))
    };
    let mut inside: Option<usize> = None;
    let mut outside = Vec::new();
    for (at, line) in lines {
        let deeper = inside.is_some_and(|outer| line.trim().is_empty() || indent(line) > outer);
        if deeper {
            continue;
        }
        inside = opens(line).then(|| indent(line));
        outside.push((*at, *line));
    }
    outside
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// Recognises `version:'2.1'`, `services:web`.
fn lacks_space(line: &str) -> bool {
    let Some((key, value)) = line.trim().split_once(':') else {
        return false;
    };
    let is_key = key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    is_key && !value.is_empty() && !value.starts_with([' ', '/']) && !value.contains(": ")
}

fn is_conflict(line: &str) -> bool {
    line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")
}

/// Returns the first line of the last block of shell commands before the position of the error.
fn find_pasted_commands<'a>(lines: &[(usize, &'a str)]) -> Option<(usize, &'a str)> {
    const COMMANDS: [&str; 14] = [
        "export ",
        "gp ",
        "docker ",
        "docker-compose ",
        "pip ",
        "pip3 ",
        "npm ",
        "cd ",
        "git ",
        "curl ",
        "source ",
        "sudo ",
        "$ ",
        "python3 ",
    ];
    let command = |line: &str| {
        let line = line.trim_start();
        COMMANDS.iter().any(|command| line.starts_with(command))
            && !line.contains(": ")
            && !line.ends_with(':')
    };
    let last = lines.iter().rposition(|(_, line)| command(line))?;
    // Far above the error it is not the cause, but the content of a task.
    if lines.len() - last > 8 {
        return None;
    }
    let first =
        lines[..=last].iter().rposition(|(_, line)| !command(line)).map_or(0, |before| before + 1);
    let (at, line) = lines[first];
    Some((at + line.len() - line.trim_start().len(), line.trim()))
}

/// Returns whether a tab precedes the first character of a line.
fn indented_by_tab(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with('\t')
}

fn has_open_quote(line: &str) -> bool {
    let code = line.split(" #").next().unwrap_or(line);
    let value = code.split_once([':', '-', '=']).map_or(code, |(_, value)| value).trim();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.matches(quote).count() % 2 == 1,
        _ => false,
    }
}
