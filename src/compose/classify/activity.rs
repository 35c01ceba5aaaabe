//! Classifies what a start command does: serve, show pages, watch, test, or finish.

use crate::compose::dockerfile::ShellCommand;
use crate::compose::startup::unwrap_program;

use super::words::WordList;

/// The activity that a start command leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Activity {
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

impl Activity {
    /// Classifies a whole start command: the activity that runs longest decides.
    pub(super) fn of(commands: &[ShellCommand]) -> Option<Self> {
        let mut found: Vec<Self> = commands.iter().filter_map(|one| read(&one.words)).collect();
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
fn read(words: &[String]) -> Option<Activity> {
    let words: Vec<&str> = unwrap_program(words).iter().map(String::as_str).collect();
    let (first, rest) = words.split_first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    if WordList::Nothing.has(program) {
        return match (program, rest) {
            ("sleep", ["infinity" | "inf"]) => Some(Activity::Runs("sleep".to_owned())),
            _ => None,
        };
    }
    Some(judge(program, rest))
}

fn judge(program: &str, rest: &[&str]) -> Activity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = || match verb {
        "" => program.to_owned(),
        verb => format!("{program} {verb}"),
    };
    let versioned = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match versioned {
        "python" | "pypy" => return python(rest),
        "node" | "nodejs" | "bun" | "deno" => return node(program, rest),
        "npm" | "yarn" | "pnpm" => return package_manager(program, rest),
        "php" => return php(rest),
        "ruby" | "rake" => return ruby(program, rest),
        "mvn" | "mvnw" | "gradle" | "gradlew" | "go" | "cargo" => return builder(program, rest),
        _ => {}
    }
    let watches = rest.iter().any(|word| {
        matches!(*word, "--watch" | "-w" | "watch" | "--watch-poll") || word.starts_with("--watch=")
    });
    match program {
        "manage.py" => django(rest),
        "artisan" => artisan(rest),
        "flask" if verb == "db" || matches!(verb, "shell" | "routes" | "seed") => {
            Activity::Ends(shown())
        }
        "flask" if verb == "test" => Activity::Tests(shown()),
        "rails" if !matches!(verb, "s" | "server" | "") => Activity::Ends(shown()),
        "dotnet" if verb == "test" => Activity::Tests(shown()),
        "dotnet" if matches!(verb, "build" | "restore" | "publish" | "ef") => {
            Activity::Ends(shown())
        }
        "nest" if verb == "build" => Activity::Ends(shown()),
        "celery" if rest.contains(&"flower") => Activity::Serves(shown()),
        _ if WordList::Renders.has(program) => match verb {
            "build" | "export" | "generate" | "lint" | "prepare" => Activity::Ends(shown()),
            _ => Activity::Renders(shown()),
        },
        _ if WordList::Shows.has(program) => match verb {
            "build" if watches => Activity::Watches(shown()),
            "build" | "lint" => Activity::Ends(shown()),
            "test" | "e2e" => Activity::Tests(shown()),
            _ => Activity::Shows(shown()),
        },
        _ if WordList::Bundles.has(program) => match verb {
            _ if watches => Activity::Watches(shown()),
            "serve" | "server" | "dev" | "dev-server" | "preview" => Activity::Shows(shown()),
            "watch" => Activity::Watches(shown()),
            _ => Activity::Ends(shown()),
        },
        _ if WordList::Tests.has(program) => Activity::Tests(shown()),
        _ if WordList::Ends.has(program) => Activity::Ends(shown()),
        _ if WordList::Serves.has(program) => Activity::Serves(shown()),
        _ => named(program).unwrap_or_else(|| Activity::Runs(program.to_owned())),
    }
}

/// Classifies by the name of a script or target.
fn named(name: &str) -> Option<Activity> {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = ["py", "js", "ts", "mjs", "cjs", "sh", "rb", "php"]
        .iter()
        .find_map(|end| stem.strip_suffix(end)?.strip_suffix('.'))
        .unwrap_or(stem)
        .to_ascii_lowercase();
    let mut parts = stem.split(['-', '_', ':', '.']);
    let has = |words: &[&str]| parts.clone().any(|part| words.contains(&part));
    if has(&["test", "tests", "e2e", "cypress", "playwright"]) {
        return Some(Activity::Tests(name.to_owned()));
    }
    if has(&["watch"]) {
        return Some(Activity::Watches(name.to_owned()));
    }
    parts.any(|part| WordList::TaskWords.has(part)).then(|| Activity::Ends(name.to_owned()))
}

fn python(rest: &[&str]) -> Activity {
    let mut words = rest.iter().copied().skip_while(|word| {
        word.starts_with('-') && !matches!(*word, "-m" | "-c") && !word.starts_with("-m")
    });
    match words.next() {
        Some("-m") => {
            let module = words.next().unwrap_or_default();
            let inner: Vec<&str> = words.collect();
            match module {
                "http.server" => Activity::Shows("python -m http.server".to_owned()),
                "unittest" => Activity::Tests("python -m unittest".to_owned()),
                "debugpy" | "pdb" | "cProfile" | "coverage" => {
                    let at = inner.iter().position(|word| *word == "-m" || word.ends_with(".py"));
                    python(&inner[at.unwrap_or(inner.len())..])
                }
                "flask" | "pytest" | "pip" | "celery" | "alembic" | "gunicorn" | "uvicorn" => {
                    judge(module, &inner)
                }
                module => {
                    named(module).unwrap_or_else(|| Activity::Works(format!("python -m {module}")))
                }
            }
        }
        Some("-c") | None => Activity::Runs("python".to_owned()),
        Some(script) => {
            let inner: Vec<&str> = words.collect();
            let name = script.rsplit('/').next().unwrap_or(script);
            if name == "manage.py" {
                return django(&inner);
            }
            named(script).unwrap_or_else(|| Activity::Works(format!("python {script}")))
        }
    }
}

fn django(rest: &[&str]) -> Activity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = format!("manage.py {verb}");
    match verb {
        "test" => Activity::Tests(shown),
        "migrate" | "makemigrations" | "collectstatic" | "loaddata" | "createsuperuser"
        | "shell" | "check" | "flush" | "dbshell" | "compilemessages" => Activity::Ends(shown),
        verb => named(verb).unwrap_or(Activity::Serves(shown)),
    }
}

fn node(program: &str, rest: &[&str]) -> Activity {
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
    let Some(script) = script else { return Activity::Runs(program.to_owned()) };
    if let Some((_, module)) = script.rsplit_once("node_modules/") {
        let tool = module.trim_start_matches(".bin/").split('/').next().unwrap_or(module);
        return judge(tool, &inner);
    }
    if script.rsplit('/').next() == Some("ace") {
        return match inner.first() {
            Some(&"serve") => Activity::Serves("node ace serve".to_owned()),
            _ => Activity::Ends("node ace".to_owned()),
        };
    }
    match (program, script) {
        ("bun", "install") => Activity::Ends("bun install".to_owned()),
        ("bun" | "deno", "test") => Activity::Tests(format!("{program} test")),
        _ => named(script).unwrap_or_else(|| Activity::Works(format!("{program} {script}"))),
    }
}

/// Classifies a package manager's script that could not be read, by its name.
fn package_manager(program: &str, rest: &[&str]) -> Activity {
    let mut words = rest.iter().filter(|word| !word.starts_with('-'));
    let verb = words.next().copied();
    let (verb, inner) = match verb {
        Some("run" | "run-script" | "exec" | "dlx" | "x") => (words.next().copied(), true),
        verb => (verb, false),
    };
    let Some(verb) = verb else { return Activity::Ends(format!("{program} install")) };
    let shown = format!("{program} {verb}");
    match verb {
        "install" | "i" | "ci" | "add" | "build" | "init" | "update" => Activity::Ends(shown),
        "t" => Activity::Tests(shown),
        "start" | "dev" | "serve" => Activity::Runs(shown),
        verb => match named(verb) {
            Some(activity) => activity,
            // `yarn vite`, `npm exec next start`
            None if inner || program != "npm" => judge(verb, &words.copied().collect::<Vec<_>>()),
            None => Activity::Runs(shown),
        },
    }
}

fn php(rest: &[&str]) -> Activity {
    let at = rest.iter().position(|word| !word.starts_with('-') || *word == "-S");
    let Some(at) = at else { return Activity::Runs("php".to_owned()) };
    let inner = &rest[at + 1..];
    match rest[at].rsplit('/').next().unwrap_or_default() {
        "-S" => Activity::Serves("php -S".to_owned()),
        "artisan" => artisan(inner),
        "console" | "yii" | "spark" => match inner.first().copied().unwrap_or_default() {
            verb if verb.contains("consume")
                || verb.contains("serve")
                || verb.contains("listen") =>
            {
                Activity::Serves(format!("php console {verb}"))
            }
            verb => Activity::Ends(format!("php console {verb}").trim_end().to_owned()),
        },
        "composer" | "composer.phar" => Activity::Ends("composer".to_owned()),
        "phpunit" | "pest" => Activity::Tests("phpunit".to_owned()),
        script => named(script).unwrap_or_else(|| Activity::Works(format!("php {script}"))),
    }
}

fn artisan(rest: &[&str]) -> Activity {
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
        "queue:table" | "queue:flush" | "queue:restart" => Activity::Ends(shown),
        "test" | "dusk" => Activity::Tests(shown),
        verb if serves.iter().any(|serves| verb.starts_with(serves)) => Activity::Serves(shown),
        _ => Activity::Ends(shown),
    }
}

fn ruby(program: &str, rest: &[&str]) -> Activity {
    let verb = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default();
    let shown = format!("{program} {verb}").trim_end().to_owned();
    match (program, verb.rsplit('/').next().unwrap_or_default()) {
        ("rake", "spec" | "test") => Activity::Tests(shown),
        ("rake", _) => Activity::Ends(shown),
        (_, "rails" | "rake") => {
            let at = rest.iter().position(|word| *word == verb).unwrap_or_default();
            judge(verb.rsplit('/').next().unwrap_or_default(), &rest[at + 1..])
        }
        (_, "") => Activity::Runs(shown),
        (_, script) => named(script).unwrap_or(Activity::Works(shown)),
    }
}

/// Classifies a tool that builds, tests or runs the program in its folder.
fn builder(program: &str, rest: &[&str]) -> Activity {
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
        return Activity::Serves(shown);
    }
    match verbs
        .iter()
        .any(|verb| matches!(*verb, "test" | "check" | "verify" | "nextest" | "integrationTest"))
    {
        true => Activity::Tests(shown),
        false => Activity::Ends(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_shows_builds_watches_or_tests_by_its_verb_and_flags() {
        let of = |line: &str| {
            let words = line.split(' ').map(str::to_owned).collect();
            Activity::of(&[ShellCommand { words, ..ShellCommand::default() }])
        };
        for (line, activity, shown) in [
            ("vite", Activity::Shows as fn(String) -> Activity, "vite"),
            ("vite build", Activity::Ends, "vite build"),
            ("vite build --watch", Activity::Watches, "vite build"),
            ("ng build -w", Activity::Watches, "ng build"),
            ("ng lint", Activity::Ends, "ng lint"),
            ("ng test --watch", Activity::Tests, "ng test"),
            ("next build", Activity::Ends, "next build"),
            ("next dev", Activity::Renders, "next dev"),
            ("webpack", Activity::Ends, "webpack"),
            ("webpack serve", Activity::Shows, "webpack serve"),
            ("webpack --watch", Activity::Watches, "webpack"),
            ("flask run", Activity::Serves, "flask run"),
            ("flask routes", Activity::Ends, "flask routes"),
            ("dotnet test", Activity::Tests, "dotnet test"),
            ("dotnet publish", Activity::Ends, "dotnet publish"),
        ] {
            assert_eq!(of(line), Some(activity(shown.to_owned())), "{line}");
        }
    }
}
