//! Classifies what a start command does: serve, show pages, watch, test, or finish.

use crate::compose::dockerfile::ShellCommand;
use crate::compose::startup::unwrap_program;

use super::words::WordList;

/// The activity that a start command leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandActivity {
    /// Serves requests, or works in the background, until it is stopped.
    Serves(String),
    /// Runs one of the user's scripts, which may serve or finish.
    Works(String),
    /// Renders pages on the server.
    Renders(String),
    /// Delivers pages to browsers.
    Shows(String),
    /// Rebuilds files whenever others change.
    Watches(String),
    /// Runs tests.
    Tests(String),
    /// Finishes when its work is done.
    Ends(String),
    /// Runs a program of which only the name is known.
    Runs(String),
}

impl CommandActivity {
    /// Classifies a whole start command: the activity that runs longest decides.
    pub(super) fn of(commands: &[ShellCommand]) -> Option<Self> {
        let mut found: Vec<Self> =
            commands.iter().filter_map(|command| read_activity(&command.words)).collect();
        // If several rank equally, the first counts.
        found.reverse();
        found.into_iter().max_by_key(Self::rank)
    }

    fn rank(&self) -> usize {
        match self {
            Self::Ends(_) => 0,
            Self::Tests(_) => 1,
            Self::Watches(_) => 2,
            Self::Runs(_) => 3,
            Self::Works(_) => 4,
            Self::Shows(_) => 5,
            Self::Renders(_) => 6,
            Self::Serves(_) => 7,
        }
    }
}

/// Classifies one command; `None` if it starts nothing, as `cd` does.
fn read_activity(words: &[String]) -> Option<CommandActivity> {
    let words: Vec<&str> = unwrap_program(words).iter().map(String::as_str).collect();
    let (first, rest) = words.split_first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    if WordList::Nothing.has(program) {
        return match (program, rest) {
            ("sleep", ["infinity" | "inf"]) => Some(CommandActivity::Runs("sleep".to_owned())),
            _ => None,
        };
    }
    Some(judge_program(program, rest))
}

fn judge_program(program: &str, rest: &[&str]) -> CommandActivity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    // Behind an option, a word may be its value, such as a password.
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let is_subcommand = rest.first() == Some(&verb) && verb.chars().all(is_part);
    let shown = || match verb {
        verb if is_subcommand => format!("{program} {verb}"),
        _ => program.to_owned(),
    };
    let versioned = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match versioned {
        "python" | "pypy" => return judge_python(rest),
        "node" | "nodejs" | "bun" | "deno" => return judge_node(program, rest),
        "npm" | "yarn" | "pnpm" => return package_manager(program, rest),
        "php" => return judge_php(rest),
        "ruby" | "rake" => return judge_ruby(program, rest),
        "mvn" | "mvnw" | "gradle" | "gradlew" | "go" | "cargo" => {
            return judge_build_tool(program, rest);
        }
        _ => {}
    }
    let watches = rest.iter().any(|word| {
        matches!(*word, "--watch" | "-w" | "watch" | "--watch-poll") || word.starts_with("--watch=")
    });
    match program {
        "manage.py" => judge_django(rest),
        "artisan" => judge_artisan(rest),
        "flask" if verb == "db" || matches!(verb, "shell" | "routes" | "seed") => {
            CommandActivity::Ends(shown())
        }
        "flask" if verb == "test" => CommandActivity::Tests(shown()),
        "rails" if !matches!(verb, "s" | "server" | "") => CommandActivity::Ends(shown()),
        "dotnet" if verb == "test" => CommandActivity::Tests(shown()),
        "dotnet" if matches!(verb, "build" | "restore" | "publish" | "ef") => {
            CommandActivity::Ends(shown())
        }
        // Elixir's; Laravel's program of that name bundles.
        "mix" if serves_elixir(rest) => CommandActivity::Serves(shown()),
        "mix" if verb == "test" => CommandActivity::Tests(shown()),
        "nest" if verb == "build" => CommandActivity::Ends(shown()),
        "celery" if rest.contains(&"flower") => CommandActivity::Serves(shown()),
        _ if WordList::Renders.has(program) => match verb {
            "build" | "export" | "generate" | "lint" | "prepare" => CommandActivity::Ends(shown()),
            _ => CommandActivity::Renders(shown()),
        },
        _ if WordList::Shows.has(program) => match verb {
            "build" if watches => CommandActivity::Watches(shown()),
            "build" | "lint" => CommandActivity::Ends(shown()),
            "test" | "e2e" => CommandActivity::Tests(shown()),
            _ => CommandActivity::Shows(shown()),
        },
        _ if WordList::Bundles.has(program) => match verb {
            _ if watches => CommandActivity::Watches(shown()),
            "serve" | "server" | "dev" | "dev-server" | "preview" => {
                CommandActivity::Shows(shown())
            }
            "watch" => CommandActivity::Watches(shown()),
            _ => CommandActivity::Ends(shown()),
        },
        _ if WordList::Tests.has(program) => CommandActivity::Tests(shown()),
        _ if WordList::Ends.has(program) => CommandActivity::Ends(shown()),
        _ if WordList::Serves.has(program) => CommandActivity::Serves(shown()),
        _ => {
            judge_script_name(program).unwrap_or_else(|| CommandActivity::Runs(program.to_owned()))
        }
    }
}

/// Returns whether Elixir's `mix` starts a server of Phoenix, or an application that goes on running.
fn serves_elixir(rest: &[&str]) -> bool {
    rest.contains(&"phx.server") || rest.contains(&"run") && rest.contains(&"--no-halt")
}

/// Classifies by the name of a script or target.
fn judge_script_name(name: &str) -> Option<CommandActivity> {
    let file_name = name.rsplit('/').next().unwrap_or(name);
    let stem = ["py", "js", "ts", "mjs", "cjs", "sh", "rb", "php"]
        .iter()
        .find_map(|end| file_name.strip_suffix(end)?.strip_suffix('.'))
        .unwrap_or(file_name)
        .to_ascii_lowercase();
    let mut parts = stem.split(['-', '_', ':', '.']);
    let has = |words: &[&str]| parts.clone().any(|part| words.contains(&part));
    if has(&["test", "tests", "e2e", "cypress", "playwright"]) {
        return Some(CommandActivity::Tests(name.to_owned()));
    }
    if has(&["watch"]) {
        return Some(CommandActivity::Watches(name.to_owned()));
    }
    parts.any(|part| WordList::TaskWords.has(part)).then(|| CommandActivity::Ends(name.to_owned()))
}

fn judge_python(rest: &[&str]) -> CommandActivity {
    let mut words = rest.iter().copied();
    let first = loop {
        match words.next() {
            Some("-W" | "-X") => {
                words.next();
            }
            Some(word) if word.starts_with('-') && word != "-c" && !word.starts_with("-m") => {}
            word => break word,
        }
    };
    match first {
        Some("-m") => {
            let module = words.next().unwrap_or_default();
            let inner: Vec<&str> = words.collect();
            match module {
                "http.server" => CommandActivity::Shows("python -m http.server".to_owned()),
                "unittest" => CommandActivity::Tests("python -m unittest".to_owned()),
                "debugpy" | "pdb" | "cProfile" | "coverage" => {
                    let at = inner.iter().position(|word| *word == "-m" || word.ends_with(".py"));
                    judge_python(&inner[at.unwrap_or(inner.len())..])
                }
                "flask" | "pytest" | "pip" | "celery" | "alembic" | "gunicorn" | "uvicorn" => {
                    judge_program(module, &inner)
                }
                module => judge_script_name(module)
                    .unwrap_or_else(|| CommandActivity::Works(format!("python -m {module}"))),
            }
        }
        Some("-c") | None => CommandActivity::Runs("python".to_owned()),
        Some(script) => {
            let inner: Vec<&str> = words.collect();
            let name = script.rsplit('/').next().unwrap_or(script);
            if name == "manage.py" {
                return judge_django(&inner);
            }
            judge_script_name(script)
                .unwrap_or_else(|| CommandActivity::Works(format!("python {script}")))
        }
    }
}

fn judge_django(rest: &[&str]) -> CommandActivity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = format!("manage.py {verb}");
    match verb {
        "test" => CommandActivity::Tests(shown),
        "migrate" | "makemigrations" | "collectstatic" | "loaddata" | "createsuperuser"
        | "shell" | "check" | "flush" | "dbshell" | "compilemessages" => {
            CommandActivity::Ends(shown)
        }
        verb => judge_script_name(verb).unwrap_or(CommandActivity::Serves(shown)),
    }
}

fn judge_node(program: &str, rest: &[&str]) -> CommandActivity {
    let mut words = rest.iter().copied();
    let script = loop {
        match words.next() {
            // `bun run`, `deno run`, `deno task`
            Some("run" | "task" | "x") if program == "bun" || program == "deno" => {}
            Some(
                "-r"
                | "--require"
                | "--import"
                | "--loader"
                | "--experimental-loader"
                | "--env-file",
            ) => {
                words.next();
            }
            Some(word) if word.starts_with('-') => {}
            word => break word,
        }
    };
    let inner: Vec<&str> = words.collect();
    let Some(script) = script else { return CommandActivity::Runs(program.to_owned()) };
    if let Some((_, module)) = script.rsplit_once("node_modules/") {
        let tool = module.trim_start_matches(".bin/").split('/').next().unwrap_or(module);
        return judge_program(tool, &inner);
    }
    if script.rsplit('/').next() == Some("ace") {
        return match inner.first() {
            Some(&"serve") => CommandActivity::Serves("node ace serve".to_owned()),
            _ => CommandActivity::Ends("node ace".to_owned()),
        };
    }
    match (program, script) {
        ("bun", "install") => CommandActivity::Ends("bun install".to_owned()),
        ("bun" | "deno", "test") => CommandActivity::Tests(format!("{program} test")),
        _ => judge_script_name(script)
            .unwrap_or_else(|| CommandActivity::Works(format!("{program} {script}"))),
    }
}

/// Classifies a package manager's script that could not be read, by its name.
fn package_manager(program: &str, rest: &[&str]) -> CommandActivity {
    let mut words = rest.iter().filter(|word| !word.starts_with('-'));
    let verb = words.next().copied();
    let (verb, inner) = match verb {
        Some("run" | "run-script" | "exec" | "dlx" | "x") => (words.next().copied(), true),
        verb => (verb, false),
    };
    let Some(verb) = verb else { return CommandActivity::Ends(format!("{program} install")) };
    let shown = format!("{program} {verb}");
    match verb {
        "install" | "i" | "ci" | "add" | "build" | "init" | "update" => {
            CommandActivity::Ends(shown)
        }
        "t" => CommandActivity::Tests(shown),
        "start" | "dev" | "serve" => CommandActivity::Runs(shown),
        verb => match judge_script_name(verb) {
            Some(activity) => activity,
            // `yarn vite`, `npm exec next start`
            None if inner || program != "npm" => {
                judge_program(verb, &words.copied().collect::<Vec<_>>())
            }
            None => CommandActivity::Runs(shown),
        },
    }
}

fn judge_php(rest: &[&str]) -> CommandActivity {
    let at = rest.iter().position(|word| !word.starts_with('-') || *word == "-S");
    let Some(at) = at else { return CommandActivity::Runs("php".to_owned()) };
    let inner = &rest[at + 1..];
    match rest[at].rsplit('/').next().unwrap_or_default() {
        "-S" => CommandActivity::Serves("php -S".to_owned()),
        "artisan" => judge_artisan(inner),
        "console" | "yii" | "spark" => match inner.first().copied().unwrap_or_default() {
            verb if verb.contains("consume")
                || verb.contains("serve")
                || verb.contains("listen") =>
            {
                CommandActivity::Serves(format!("php console {verb}"))
            }
            verb => CommandActivity::Ends(format!("php console {verb}").trim_end().to_owned()),
        },
        "composer" | "composer.phar" => CommandActivity::Ends("composer".to_owned()),
        "phpunit" | "pest" => CommandActivity::Tests("phpunit".to_owned()),
        script => judge_script_name(script)
            .unwrap_or_else(|| CommandActivity::Works(format!("php {script}"))),
    }
}

fn judge_artisan(rest: &[&str]) -> CommandActivity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = format!("artisan {verb}").trim_end().to_owned();
    let serves = [
        "serve",
        "queue:",
        "horizon",
        "schedule:work",
        "octane:",
        "reverb:",
        "websockets:",
        "pulse:",
    ];
    match verb {
        "queue:table" | "queue:flush" | "queue:restart" => CommandActivity::Ends(shown),
        "test" | "dusk" => CommandActivity::Tests(shown),
        verb if serves.iter().any(|serves| verb.starts_with(serves)) => {
            CommandActivity::Serves(shown)
        }
        _ => CommandActivity::Ends(shown),
    }
}

fn judge_ruby(program: &str, rest: &[&str]) -> CommandActivity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = format!("{program} {verb}").trim_end().to_owned();
    match (program, verb.rsplit('/').next().unwrap_or_default()) {
        ("rake", "spec" | "test") => CommandActivity::Tests(shown),
        ("rake", _) => CommandActivity::Ends(shown),
        (_, "rails" | "rake") => {
            let at = rest.iter().position(|word| *word == verb).unwrap_or_default();
            judge_program(verb.rsplit('/').next().unwrap_or_default(), &rest[at + 1..])
        }
        (_, "") => CommandActivity::Runs(shown),
        (_, script) => judge_script_name(script).unwrap_or(CommandActivity::Works(shown)),
    }
}

/// Classifies a tool that builds, tests or runs the program in its folder.
fn judge_build_tool(program: &str, rest: &[&str]) -> CommandActivity {
    let verbs: Vec<&str> = rest.iter().filter(|word| !word.starts_with('-')).copied().collect();
    let shown =
        format!("{program} {}", verbs.first().copied().unwrap_or_default()).trim_end().to_owned();
    let runs = |verb: &&&str| {
        let verb = verb.rsplit(':').next().unwrap_or(verb);
        matches!(
            verb,
            "run" | "bootRun" | "dev" | "watch" | "quarkusDev" | "jettyRun" | "leptos" | "shuttle"
        )
    };
    if verbs.iter().find(runs).is_some() {
        return CommandActivity::Serves(shown);
    }
    if verbs
        .iter()
        .any(|verb| matches!(*verb, "test" | "check" | "verify" | "nextest" | "integrationTest"))
    {
        CommandActivity::Tests(shown)
    } else {
        CommandActivity::Ends(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_shows_builds_watches_or_tests_by_its_verb_and_flags() {
        let of = |line: &str| {
            let words = line.split(' ').map(str::to_owned).collect();
            CommandActivity::of(&[ShellCommand { words, ..ShellCommand::default() }])
        };
        for (line, activity, shown) in [
            ("vite", CommandActivity::Shows as fn(String) -> CommandActivity, "vite"),
            ("vite build", CommandActivity::Ends, "vite build"),
            ("vite build --watch", CommandActivity::Watches, "vite build"),
            ("ng build -w", CommandActivity::Watches, "ng build"),
            ("ng lint", CommandActivity::Ends, "ng lint"),
            ("ng test --watch", CommandActivity::Tests, "ng test"),
            ("next build", CommandActivity::Ends, "next build"),
            ("next dev", CommandActivity::Renders, "next dev"),
            ("webpack", CommandActivity::Ends, "webpack"),
            ("webpack serve", CommandActivity::Shows, "webpack serve"),
            ("webpack --watch", CommandActivity::Watches, "webpack"),
            ("mix", CommandActivity::Ends, "mix"),
            ("mix watch", CommandActivity::Watches, "mix watch"),
            ("mix test", CommandActivity::Tests, "mix test"),
            ("mix ecto.migrate", CommandActivity::Ends, "mix ecto.migrate"),
            ("mix run priv/repo/seeds.exs", CommandActivity::Ends, "mix run"),
            ("mix run --no-halt", CommandActivity::Serves, "mix run"),
            ("mix phx.server", CommandActivity::Serves, "mix phx.server"),
            ("mix do ecto.migrate, phx.server", CommandActivity::Serves, "mix do"),
            ("flask run", CommandActivity::Serves, "flask run"),
            ("flask routes", CommandActivity::Ends, "flask routes"),
            ("dotnet test", CommandActivity::Tests, "dotnet test"),
            ("dotnet publish", CommandActivity::Ends, "dotnet publish"),
        ] {
            assert_eq!(of(line), Some(activity(shown.to_owned())), "{line}");
        }
    }
}
