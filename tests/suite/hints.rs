//! Every command that the program, its README and its help tell a user to run is valid.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use cruddur_ops::cli::Cli;
use regex_lite::Regex;

/// The width of a narrow terminal, at which no example may wrap.
const WIDTH: usize = 60;

#[test]
fn every_command_we_name_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_ticks = Regex::new(r"`(cruddur-ops [^`]+)`").unwrap();
    let in_examples = Regex::new(r"(?m)^\s*(?:\$ )?(cruddur-ops [^#\n\\]+)").unwrap();
    let mut texts =
        vec![(root.join("README.md"), std::fs::read_to_string(root.join("README.md")).unwrap())];
    texts.extend(sources(&root.join("src")));
    let goes_on = Regex::new(r"\\\\\n\s*").unwrap();
    let mut seen = 0;
    for (path, text) in texts {
        // A line that goes on in the next.
        let text = goes_on.replace_all(&text, " ");
        let is_help = path.ends_with("README.md") || path.starts_with(root.join("src/cli"));
        let ticked = in_ticks.captures_iter(&text);
        let examples = in_examples.captures_iter(&text).filter(|_| is_help);
        for found in ticked.chain(examples) {
            let command = found[1]
                .split("   ")
                .next()
                .unwrap()
                .split(['|', '>', '<'])
                .next()
                .unwrap()
                .trim_end_matches(['"', ')', ',', ';'])
                .trim();
            if let Some(words) = words(command) {
                let parsed = Cli::try_parse_from(&words);
                let shown = parsed.as_ref().is_err_and(|error| !error.use_stderr());
                assert!(
                    parsed.is_ok() || shown,
                    "{}: `{command}`: {}",
                    path.display(),
                    parsed.unwrap_err()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} commands were found");
}

#[test]
fn every_page_of_help_has_an_example_that_no_wrapping_breaks() {
    let mut waiting = vec![Cli::command()];
    let mut seen = 0;
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        let name = command.get_name();
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let mut lines = help.lines();
        assert!(lines.any(|line| line.starts_with("Example")), "{name}: {help}");
        // A manual page breaks no line below this heading, so sentences belong above it.
        assert!(lines.all(|line| line.starts_with("  ")), "{name}: {help}");
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.len() <= WIDTH, "{name}: {line}");
        }
        seen += 1;
    }
    assert!(seen > 15, "only {seen} pages were found");
}

/// Returns the words of a command with placeholders replaced by a value; nothing if no command is named.
fn words(command: &str) -> Option<Vec<String>> {
    let values = [
        ("{}=", "3000="),
        ("--region {}", "--region eu"),
        ("--store {}", "--store dotenv"),
        ("key set {}", "key set --yes"),
        ("--with {}", "--with xray"),
    ];
    let mut text = command.to_owned();
    for (placeholder, value) in values {
        text = text.replace(placeholder, value);
    }
    if text.contains("ops {}") || text.contains('…') {
        return None;
    }
    let text =
        Regex::new(r"\{[a-z_.]*\}").unwrap().replace_all(&text, "word").replace("\\\"", "\"");
    shell_words::split(&text).ok()
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((path, code.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}
