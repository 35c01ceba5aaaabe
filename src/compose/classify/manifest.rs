//! What the files of a build context say of the program in it.

use serde_json::Value;

/// What a context is evidence for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A program that serves, and the words that say so.
    Backend(String),
    /// Pages for a browser, and the words that say so.
    Frontend(String),
}

/// Files that say "a program is built here", in the order in which they are believed.
pub(super) const PROGRAMS: [(&str, &str); 13] = [
    ("pyproject.toml", "Python"),
    ("Pipfile", "Python"),
    ("setup.py", "Python"),
    ("manage.py", "Django"),
    ("go.mod", "Go"),
    ("Gemfile", "Ruby"),
    ("pom.xml", "Java"),
    ("build.gradle", "Java"),
    ("build.gradle.kts", "Kotlin"),
    ("Cargo.toml", "Rust"),
    ("composer.json", "PHP"),
    ("mix.exs", "Elixir"),
    ("app.py", "Python"),
];

const PYTHON: [(&str, &str); 12] = [
    ("flask", "Flask"),
    ("django", "Django"),
    ("fastapi", "FastAPI"),
    ("aiohttp", "aiohttp"),
    ("tornado", "Tornado"),
    ("sanic", "Sanic"),
    ("bottle", "Bottle"),
    ("quart", "Quart"),
    ("falcon", "Falcon"),
    ("starlette", "Starlette"),
    ("gunicorn", "Gunicorn"),
    ("celery", "Celery"),
];

/// Libraries whose place is a browser.
const BROWSER: [&str; 17] = [
    "next",
    "nuxt",
    "gatsby",
    "astro",
    "react",
    "react-dom",
    "react-scripts",
    "vue",
    "@angular/core",
    "svelte",
    "@sveltejs/kit",
    "solid-js",
    "preact",
    "lit",
    "ember-source",
    "@remix-run/react",
    "vite",
];

/// Build tools and frameworks that stand among the development dependencies of frontends.
const BUNDLERS: [&str; 9] = [
    "vite",
    "svelte",
    "@sveltejs/kit",
    "react-scripts",
    "@angular/cli",
    "@vue/cli-service",
    "parcel",
    "ember-source",
    "elm",
];

const SERVERS: [&str; 8] =
    ["express", "fastify", "koa", "@nestjs/core", "@hapi/hapi", "restify", "apollo-server", "hono"];

/// What a requirements.txt says.
pub(super) fn requirements(text: &str) -> Evidence {
    let names: Vec<String> = text
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .map(|line| {
            let end =
                line.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'));
            line[..end.unwrap_or(line.len())].to_ascii_lowercase()
        })
        .collect();
    let known = PYTHON.iter().find(|(name, _)| names.iter().any(|have| have == name));
    Evidence::Backend(match known {
        Some((_, title)) => format!("{title} in requirements.txt"),
        None => "requirements.txt".to_owned(),
    })
}

/// What a package.json says; nothing if it is no JSON object.
pub(super) fn package(text: &str) -> Option<Evidence> {
    let package: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    package.as_object()?;
    let has = |table: &str, name: &&&str| {
        let table = package.get(table).and_then(Value::as_object);
        table.is_some_and(|table| table.contains_key(**name))
    };
    let mut browser = BROWSER.iter();
    if let Some(name) = browser.find(|name| has("dependencies", name)) {
        return Some(Evidence::Frontend(format!("{name} in package.json")));
    }
    let mut servers = SERVERS.iter();
    if let Some(name) = servers.find(|name| has("dependencies", name)) {
        return Some(Evidence::Backend(format!("{name} in package.json")));
    }
    let mut bundlers = BUNDLERS.iter();
    Some(match bundlers.find(|name| has("devDependencies", name)) {
        Some(name) => Evidence::Frontend(format!("{name} in package.json")),
        None => Evidence::Backend("package.json".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn frontend(text: &str, expected: bool) {
        let frontend = matches!(package(text), Some(Evidence::Frontend(_)));
        assert_eq!(frontend, expected, "{text}");
    }

    #[test]
    fn packages_for_a_browser_are_told_from_servers() {
        frontend(r#"{"dependencies":{"react":"18","express":"4"}}"#, true);
        frontend("\u{feff}{\"dependencies\":{\"next\":\"14\"}}", true);
        frontend(r#"{"devDependencies":{"vite":"5"}}"#, true);
        frontend(r#"{"dependencies":{"express":"4"},"devDependencies":{"vite":"5"}}"#, false);
        frontend(r#"{"name":"worker"}"#, false);
        assert_eq!(package("not json"), None);
    }

    #[test]
    fn requirements_name_their_framework() {
        let of = |text| requirements(text);
        let backend = |text: &str| Evidence::Backend(text.to_owned());
        assert_eq!(of("flask-cors\nFlask==2.0\n"), backend("Flask in requirements.txt"));
        assert_eq!(of("flask-cors\n"), backend("requirements.txt"));
    }
}
