//! Skips programs that only start another program, given in their arguments.

use crate::compose::dockerfile::ShellCommand;

/// How a wrapper's own arguments end and the wrapped command begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommandWrapper {
    /// After its options: `tini --`, `ddtrace-run`.
    Options,
    /// After this many words: `gosu USER`, `uv run`.
    Words(usize),
    /// After `--`.
    Dashes,
    /// After variable assignments: `env A=1`.
    Assignments,
}

/// Programs that start another, by name.
const WRAPPERS: [(&str, CommandWrapper); 33] = [
    ("tini", CommandWrapper::Options),
    ("dumb-init", CommandWrapper::Options),
    ("catatonit", CommandWrapper::Options),
    ("init", CommandWrapper::Options),
    ("nohup", CommandWrapper::Options),
    ("nice", CommandWrapper::Options),
    ("opentelemetry-instrument", CommandWrapper::Options),
    ("ddtrace-run", CommandWrapper::Options),
    ("newrelic-admin", CommandWrapper::Words(1)),
    ("npx", CommandWrapper::Options),
    ("bunx", CommandWrapper::Options),
    ("pnpx", CommandWrapper::Options),
    ("xvfb-run", CommandWrapper::Options),
    ("gosu", CommandWrapper::Words(1)),
    ("su-exec", CommandWrapper::Words(1)),
    ("uv", CommandWrapper::Words(1)),
    ("poetry", CommandWrapper::Words(1)),
    ("pipenv", CommandWrapper::Words(1)),
    ("pdm", CommandWrapper::Words(1)),
    ("hatch", CommandWrapper::Words(1)),
    ("rye", CommandWrapper::Words(1)),
    ("bundle", CommandWrapper::Words(1)),
    ("conda", CommandWrapper::Words(1)),
    ("doppler", CommandWrapper::Dashes),
    ("infisical", CommandWrapper::Dashes),
    ("dotenv", CommandWrapper::Dashes),
    ("watchmedo", CommandWrapper::Dashes),
    ("dockerize", CommandWrapper::Options),
    ("wait-for-it", CommandWrapper::Dashes),
    ("env", CommandWrapper::Assignments),
    ("cross-env", CommandWrapper::Assignments),
    ("timeout", CommandWrapper::Words(1)),
    ("sudo", CommandWrapper::Options),
];

/// Options of these programs that take the next word as their value.
const OPTIONS_WITH_VALUE: [&str; 12] = [
    "--traces_exporter",
    "--metrics_exporter",
    "--logs_exporter",
    "--exporter_otlp_endpoint",
    "--service_name",
    "--resource_attributes",
    "--exporter_otlp_protocol",
    "-wait",
    "-timeout",
    "-u",
    "-n",
    "--env-file",
];

/// Returns the last part of a program's path.
fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

impl ShellCommand {
    /// Returns the file name of the program that it runs, without wrappers in front.
    pub fn program(&self) -> Option<&str> {
        unwrap_program(&self.words).first().map(|program| base_name(program))
    }
}

/// Returns the program that a command runs and its arguments, without wrappers in front.
pub fn unwrap_program(words: &[String]) -> &[String] {
    let mut words = words;
    while let [first, rest @ ..] = words {
        let name = base_name(first);
        let known = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name);
        let inner = match known {
            None => return words,
            Some((_, CommandWrapper::Options)) => without_options(rest),
            Some((_, CommandWrapper::Words(count))) => {
                // Other subcommands of `uv` and `poetry` do not start a program: `uv pip install`, `poetry install`.
                let starts = rest.first().is_some_and(|verb| {
                    matches!(verb.as_str(), "run" | "exec" | "run-program")
                        || *count == 1 && is_user(name)
                });
                if !starts {
                    return words;
                }
                without_options(&rest[*count..])
            }
            Some((_, CommandWrapper::Dashes)) => match rest.iter().position(|word| word == "--") {
                Some(at) => &rest[at + 1..],
                None => return words,
            },
            Some((_, CommandWrapper::Assignments)) => {
                let at = rest.iter().position(|word| !word.contains('=') && !word.starts_with('-'));
                &rest[at.unwrap_or(rest.len())..]
            }
        };
        if inner.is_empty() {
            return words;
        }
        words = inner;
    }
    words
}

/// Returns whether the word after a wrapper is a user or a duration.
fn is_user(name: &str) -> bool {
    matches!(name, "gosu" | "su-exec" | "timeout")
}

fn without_options(words: &[String]) -> &[String] {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += 1 + usize::from(OPTIONS_WITH_VALUE.contains(&word.as_str()));
    }
    words.get(at..).unwrap_or_default()
}
