//! Skips programs that only start another program, given in their arguments.

/// How a wrapper's own arguments end and the wrapped command begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapper {
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
const WRAPPERS: [(&str, Wrapper); 33] = [
    ("tini", Wrapper::Options),
    ("dumb-init", Wrapper::Options),
    ("catatonit", Wrapper::Options),
    ("init", Wrapper::Options),
    ("nohup", Wrapper::Options),
    ("nice", Wrapper::Options),
    ("opentelemetry-instrument", Wrapper::Options),
    ("ddtrace-run", Wrapper::Options),
    ("newrelic-admin", Wrapper::Words(1)),
    ("npx", Wrapper::Options),
    ("bunx", Wrapper::Options),
    ("pnpx", Wrapper::Options),
    ("xvfb-run", Wrapper::Options),
    ("gosu", Wrapper::Words(1)),
    ("su-exec", Wrapper::Words(1)),
    ("uv", Wrapper::Words(1)),
    ("poetry", Wrapper::Words(1)),
    ("pipenv", Wrapper::Words(1)),
    ("pdm", Wrapper::Words(1)),
    ("hatch", Wrapper::Words(1)),
    ("rye", Wrapper::Words(1)),
    ("bundle", Wrapper::Words(1)),
    ("conda", Wrapper::Words(1)),
    ("doppler", Wrapper::Dashes),
    ("infisical", Wrapper::Dashes),
    ("dotenv", Wrapper::Dashes),
    ("watchmedo", Wrapper::Dashes),
    ("dockerize", Wrapper::Options),
    ("wait-for-it", Wrapper::Dashes),
    ("env", Wrapper::Assignments),
    ("cross-env", Wrapper::Assignments),
    ("timeout", Wrapper::Words(1)),
    ("sudo", Wrapper::Options),
];

/// Options of these programs that take the next word as their value.
const VALUED: [&str; 12] = [
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

/// Returns the program that a command runs and its arguments, without wrappers in front.
pub fn unwrap_program(words: &[String]) -> &[String] {
    let mut words = words;
    while let [first, rest @ ..] = words {
        let name = base_name(first);
        let known = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == name);
        let inner = match known {
            None => return words,
            Some((_, Wrapper::Options)) => without_options(rest),
            Some((_, Wrapper::Words(count))) => {
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
            Some((_, Wrapper::Dashes)) => match rest.iter().position(|word| word == "--") {
                Some(at) => &rest[at + 1..],
                None => return words,
            },
            Some((_, Wrapper::Assignments)) => {
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
        at += 1 + usize::from(VALUED.contains(&word.as_str()));
    }
    words.get(at..).unwrap_or_default()
}
