//! The module a service is started with, as its command says.

/// What a start command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file that is run or imported by its path: `app.py`.
    File(String),
    /// A module that is imported by its name: `api.wsgi`.
    Module(String),
}

impl Entry {
    /// Reads `app.py`, `api.wsgi`, `api.wsgi:app`, `shop:create_app()`.
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

/// What a command starts, the likeliest first; `flask_app` is the value of `FLASK_APP`.
pub fn entries(command: &str, flask_app: Option<&str>) -> Vec<Entry> {
    let quotes = |c: char| matches!(c, '"' | '\'' | ',' | '[' | ']');
    let words: Vec<&str> = command
        .split_whitespace()
        .map(|word| word.trim_matches(quotes))
        .filter(|word| !word.is_empty())
        .collect();
    for (at, word) in words.iter().enumerate() {
        let rest = &words[at + 1..];
        match word.rsplit('/').next().unwrap_or(word) {
            "gunicorn" | "uvicorn" | "hypercorn" | "waitress-serve" | "uwsgi" => {
                return served(rest);
            }
            "flask" => return flask(rest, flask_app),
            program if program.starts_with("python") => match rest {
                ["-m", module, ..] if !SERVERS.contains(module) => {
                    return vec![Entry::Module((*module).to_owned())];
                }
                rest => {
                    let script = rest.iter().find(|word| !word.starts_with('-'));
                    if let Some(script) = script.filter(|word| word.ends_with(".py")) {
                        return vec![Entry::File((*script).to_owned())];
                    }
                }
            },
            _ => {}
        }
    }
    Vec::new()
}

/// Modules that start what the words behind them name.
const SERVERS: [&str; 7] =
    ["flask", "gunicorn", "uvicorn", "hypercorn", "waitress", "uwsgi", "debugpy"];

/// `module:object` among a server's arguments, or what uWSGI's options name.
fn served(words: &[&str]) -> Vec<Entry> {
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
    named.map(Entry::read).into_iter().collect()
}

/// What `flask run` loads.
fn flask(words: &[&str], variable: Option<&str>) -> Vec<Entry> {
    let option = words.iter().enumerate().find_map(|(at, word)| match *word {
        "--app" | "-A" => words.get(at + 1).copied(),
        word => word.strip_prefix("--app="),
    });
    match option.or(variable) {
        Some(named) => vec![Entry::read(named)],
        None => ["wsgi.py", "app.py"].map(|name| Entry::File(name.to_owned())).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, expected: &[&str]) {
        let read = entries(command, None).into_iter().map(|entry| match entry {
            Entry::File(name) | Entry::Module(name) => name,
        });
        assert_eq!(read.collect::<Vec<_>>(), expected, "{command}");
    }

    #[test]
    fn a_command_names_what_it_starts() {
        check(
            "CMD [ \"python3\", \"-m\" , \"flask\", \"run\", \"--host=0.0.0.0\"]",
            &["wsgi.py", "app.py"],
        );
        check("flask --app backend.main run --port 80", &["backend.main"]);
        check("gunicorn -w 4 -b 0.0.0.0:8000 --bind localhost:80 api.wsgi:app", &["api.wsgi"]);
        check("CMD [\"gunicorn\", \"shop:create_app()\"]", &["shop"]);
        check("uwsgi --http :80 --wsgi-file src/run.py", &["src/run.py"]);
        check("python -u manage.py", &["manage.py"]);
        check("python -m api.server", &["api.server"]);
        check("python -m debugpy --listen 0.0.0.0:5678 -m gunicorn main:app", &["main"]);
        check("./start.sh", &[]);
        let entry = entries("flask run", Some("lib/app.py:make"));
        assert_eq!(entry, [Entry::File("lib/app.py".to_owned())]);
    }
}
