//! Finds the module that a service's command starts.

/// A file or module named by a start command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartEntry {
    /// A file that is run or imported by path: `app.py`.
    File(String),
    /// A module that is imported by name: `api.wsgi`.
    Module(String),
}

impl StartEntry {
    /// Parses `app.py`, `api.wsgi`, `api.wsgi:app`, `shop:create_app()`.
    fn read(word: &str) -> Self {
        let name = word.split(':').next().unwrap_or(word);
        if name.ends_with(".py") || name.contains('/') {
            let name = name.strip_suffix(".py").unwrap_or(name);
            Self::File(format!("{name}.py"))
        } else {
            Self::Module(name.to_owned())
        }
    }
}

/// An object that the start command serves, and the module that binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedObject {
    /// The module that binds it.
    pub module: StartEntry,
    /// Its name.
    pub name: String,
}

/// Returns the objects that `flask run` or a WSGI server is told to serve, the likeliest first. Asynchronous servers
/// do not serve Flask directly.
pub fn served_objects(command: &str, flask_app: Option<&str>) -> Vec<ServedObject> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = |word: &&str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let names: &[&str] =
        match words.iter().map(program).find(|word| SERVERS.contains(&word.as_str())) {
            Some(server) if server == "flask" => &["app", "application"],
            Some(server) if server == "uvicorn" && !words.contains(&"wsgi") => return Vec::new(),
            Some(server) if server == "hypercorn" || server == "debugpy" => return Vec::new(),
            Some(_) => &["application", "app"],
            None => return Vec::new(),
        };
    let named = words.iter().copied().chain(flask_app).find_map(|word| {
        let (_, object) = word.split_once(':')?;
        let is_name = object.chars().all(|c| c.is_alphanumeric() || c == '_');
        (is_name && object.starts_with(|c: char| c.is_alphabetic() || c == '_')).then_some(object)
    });
    let names: Vec<&str> = named.map_or_else(|| names.to_vec(), |named| vec![named]);
    let modules = parse_start_entries(command, flask_app).into_iter();
    let object = |module: &StartEntry, name: &&str| ServedObject {
        module: module.clone(),
        name: (*name).to_owned(),
    };
    modules
        .flat_map(|module| names.iter().map(|name| object(&module, name)).collect::<Vec<_>>())
        .collect()
}

/// Returns what a command starts, the likeliest first; `flask_app` is the value of `FLASK_APP`.
pub fn parse_start_entries(command: &str, flask_app: Option<&str>) -> Vec<StartEntry> {
    let quotes = |c: char| matches!(c, '"' | '\'' | ',' | '[' | ']');
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(quotes))
        .filter(|word| !word.is_empty())
        .collect();
    for (at, word) in words.iter().enumerate() {
        let rest = &words[at + 1..];
        match word.rsplit('/').next().unwrap_or(word) {
            "gunicorn" => {
                let named = served_entries(rest);
                return if named.is_empty() { module_alone(rest) } else { named };
            }
            "uvicorn" | "hypercorn" | "waitress-serve" | "uwsgi" => return served_entries(rest),
            "flask" => return flask_run_entries(rest, flask_app),
            program if program.starts_with("python") => match rest {
                ["-m", module, ..] if !SERVERS.contains(module) => {
                    return vec![StartEntry::Module((*module).to_owned())];
                }
                rest => {
                    let script = rest.iter().find(|word| !word.starts_with('-'));
                    if let Some(script) = script.filter(|word| word.ends_with(".py")) {
                        return vec![StartEntry::File((*script).to_owned())];
                    }
                }
            },
            _ => {}
        }
    }
    Vec::new()
}

/// Programs that start the module named by their arguments.
const SERVERS: [&str; 7] =
    ["flask", "gunicorn", "uvicorn", "hypercorn", "waitress", "uwsgi", "debugpy"];

/// Returns `module:object` from a server's arguments, or from uWSGI's options.
fn served_entries(words: &[&str]) -> Vec<StartEntry> {
    let named = words.iter().enumerate().find_map(|(at, word)| match *word {
        "--wsgi-file" | "--module" | "-w"
            if word.starts_with("--") || words[at + 1..].first()?.contains(':') =>
        {
            words.get(at + 1).copied()
        }
        word => {
            let (module, object) = word.split_once(':')?;
            let is_name = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
            (is_name(module) && is_name(object) && !module.starts_with("unix")).then_some(word)
        }
    });
    named.map(StartEntry::read).into_iter().collect()
}

/// Returns the first word that is neither an option nor its value: `gunicorn -w 4 shop.wsgi`.
fn module_alone(words: &[&str]) -> Vec<StartEntry> {
    const FLAGS: [&str; 5] = ["--reload", "--preload", "--daemon", "-D", "--spew"];
    let is_value = |at: usize| {
        let before = at.checked_sub(1).map(|before| words[before]);
        before.is_some_and(|before| {
            before.starts_with('-') && !before.contains('=') && !FLAGS.contains(&before)
        })
    };
    let is_name = |word: &str| {
        word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
    };
    let found = (0..words.len()).find(|at| is_name(words[*at]) && !is_value(*at));
    found.map(|at| StartEntry::Module(words[at].to_owned())).into_iter().collect()
}

/// Returns what `flask run` loads.
fn flask_run_entries(words: &[&str], variable: Option<&str>) -> Vec<StartEntry> {
    let option = words.iter().enumerate().find_map(|(at, word)| match *word {
        "--app" | "-A" => words.get(at + 1).copied(),
        word => word.strip_prefix("--app="),
    });
    match option.or(variable) {
        Some(named) => vec![StartEntry::read(named)],
        None => ["wsgi.py", "app.py"].map(|name| StartEntry::File(name.to_owned())).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: &[&str]) {
        let read = parse_start_entries(command, None).into_iter().map(|entry| match entry {
            StartEntry::File(name) | StartEntry::Module(name) => name,
        });
        assert_eq!(read.collect::<Vec<_>>(), expected, "{command}");
    }

    #[test]
    fn the_served_object_is_read_from_the_command() {
        let named = |command: &str, variable: Option<&str>| {
            let found = served_objects(command, variable).into_iter().map(|object| object.name);
            found.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(named("gunicorn -b 0.0.0.0:80 api.wsgi:server", None), "server");
        assert_eq!(named("gunicorn api.wsgi", None), "application app");
        assert_eq!(named("flask --app shop:web run", None), "web");
        assert_eq!(named("flask run", Some("shop.py:web")), "web");
        assert_eq!(named("flask run", Some("shop.py")), "app application");
        assert_eq!(named("uvicorn --interface wsgi main:app", None), "app");
        for command in
            ["uvicorn main:app", "hypercorn main:app", "python main.py", "gunicorn main:make()"]
        {
            assert_eq!(named(command, None).replace("application app", ""), "", "{command}");
        }
    }

    #[test]
    fn the_started_module_is_read_from_the_command() {
        check(
            "CMD [ \"python3\", \"-m\" , \"flask\", \"run\", \"--host=0.0.0.0\"]",
            &["wsgi.py", "app.py"],
        );
        check("flask --app backend.main run --port 80", &["backend.main"]);
        check("gunicorn -w 4 -b 0.0.0.0:8000 --bind localhost:80 api.wsgi:app", &["api.wsgi"]);
        check("CMD [\"gunicorn\", \"shop:create_app()\"]", &["shop"]);
        check("uwsgi --http :80 --wsgi-file src/run.py", &["src/run.py"]);
        check("gunicorn -w 4 --reload shop.wsgi --log-level debug", &["shop.wsgi"]);
        check("python -u manage.py", &["manage.py"]);
        check("python -m api.server", &["api.server"]);
        check("python -m debugpy --listen 0.0.0.0:5678 -m gunicorn main:app", &["main"]);
        check("./start.sh", &[]);
        let entry = parse_start_entries("flask run", Some("lib/app.py:make"));
        assert_eq!(entry, [StartEntry::File("lib/app.py".to_owned())]);
    }
}
