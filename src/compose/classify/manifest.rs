//! Classifies the program in a folder by the files in it.

use std::path::Path;

use serde_json::Value;

use crate::compose::source::ProjectSources;

/// The role that the files of a folder indicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FolderEvidence {
    /// A server program, with the evidence in words.
    Backend(String),
    /// Pages for a browser, with the evidence in words.
    Frontend(String),
    /// Pages rendered by their own server, with the evidence in words.
    Rendered(String),
}

/// Files that show a program is built here, most reliable first.
const PROGRAMS: [(&str, &str); 21] = [
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
    ("deno.json", "Deno"),
    ("build.sbt", "Scala"),
    ("Package.swift", "Swift"),
    ("config.ru", "Ruby"),
    ("index.php", "PHP"),
    ("app.py", "Python"),
    ("main.py", "Python"),
    ("wsgi.py", "Python"),
    ("main.go", "Go"),
];

/// Packages of frameworks. Programs of the first two often list Flask too, for a tool such as Locust.
const PYTHON: [(&str, &str); 12] = [
    ("django", "Django"),
    ("fastapi", "FastAPI"),
    ("flask", "Flask"),
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

/// Packages that make a frontend framework render pages on its own server.
const RENDERERS: [&str; 12] = [
    "next",
    "nuxt",
    "@sveltejs/adapter-node",
    "@remix-run/node",
    "@remix-run/serve",
    "@remix-run/express",
    "@react-router/node",
    "@react-router/serve",
    "@astrojs/node",
    "@angular/ssr",
    "@nguniversal/express-engine",
    "@analogjs/platform",
];

/// Configuration files of such frameworks, and the settings in them that disable the server.
const STATIC: [(&str, &[&str]); 7] = [
    ("next.config.js", &["output:'export'"]),
    ("next.config.mjs", &["output:'export'"]),
    ("next.config.ts", &["output:'export'"]),
    ("nuxt.config.js", &["ssr:false", "target:'static'"]),
    ("nuxt.config.ts", &["ssr:false"]),
    ("react-router.config.ts", &["ssr:false"]),
    ("vite.config.ts", &["ssr:false"]),
];

/// Libraries that run in a browser.
const BROWSER: [&str; 15] = [
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

/// Build tools and frameworks among the development dependencies of frontends.
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

/// Classifies by the files directly in a folder; `None` if none of them is known.
pub(super) fn read_folder(folder: &Path, sources: &dyn ProjectSources) -> Option<FolderEvidence> {
    if !sources.exists(folder) {
        return None;
    }
    let text = |name: &str| sources.text(&folder.join(name)).found();
    if let Some(text) = text("requirements.txt") {
        return Some(judge_requirements(&text));
    }
    let mut programs = PROGRAMS.iter();
    if let Some((file, language)) = programs.find(|(file, _)| sources.exists(&folder.join(file))) {
        return Some(FolderEvidence::Backend(format!("{language}: {file}")));
    }
    match judge_package_json(&text("package.json")?)? {
        FolderEvidence::Rendered(words) => {
            let is_static = STATIC.iter().any(|(file, marks)| {
                text(file).is_some_and(|text| {
                    let packed: String = text.replace('"', "'").split_whitespace().collect();
                    marks.iter().any(|mark| packed.contains(mark))
                })
            });
            Some(if is_static {
                FolderEvidence::Frontend(words)
            } else {
                FolderEvidence::Rendered(words)
            })
        }
        found => Some(found),
    }
}

/// Classifies by a requirements.txt.
fn judge_requirements(text: &str) -> FolderEvidence {
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
    FolderEvidence::Backend(match known {
        Some((_, title)) => format!("{title} in requirements.txt"),
        None => "requirements.txt".to_owned(),
    })
}

/// Classifies by a package.json; `None` if it is not a JSON object.
fn judge_package_json(text: &str) -> Option<FolderEvidence> {
    let package: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    package.as_object()?;
    let has = |table: &str, name: &&&str| {
        let table = package.get(table).and_then(Value::as_object);
        table.is_some_and(|table| table.contains_key(**name))
    };
    let mut renderers = RENDERERS.iter();
    let in_either = |name: &&&str| has("dependencies", name) || has("devDependencies", name);
    if let Some(name) = renderers.find(in_either) {
        return Some(FolderEvidence::Rendered(format!("{name} in package.json")));
    }
    let mut browser = BROWSER.iter();
    if let Some(name) = browser.find(|name| has("dependencies", name)) {
        return Some(FolderEvidence::Frontend(format!("{name} in package.json")));
    }
    let mut servers = SERVERS.iter();
    if let Some(name) = servers.find(|name| has("dependencies", name)) {
        return Some(FolderEvidence::Backend(format!("{name} in package.json")));
    }
    let mut bundlers = BUNDLERS.iter();
    Some(match bundlers.find(|name| has("devDependencies", name)) {
        Some(name) => FolderEvidence::Frontend(format!("{name} in package.json")),
        None => FolderEvidence::Backend("package.json".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn frontend(text: &str, expected: bool) {
        let frontend = matches!(judge_package_json(text), Some(FolderEvidence::Frontend(_)));
        assert_eq!(frontend, expected, "{text}");
    }

    #[test]
    fn packages_for_a_browser_are_told_from_servers() {
        frontend(r#"{"dependencies":{"react":"18","express":"4"}}"#, true);
        frontend("\u{feff}{\"dependencies\":{\"vue\":\"3\"}}", true);
        frontend(r#"{"devDependencies":{"vite":"5"}}"#, true);
        frontend(r#"{"dependencies":{"express":"4"},"devDependencies":{"vite":"5"}}"#, false);
        frontend(r#"{"name":"worker"}"#, false);
        assert_eq!(judge_package_json("not json"), None);
    }

    #[test]
    fn pages_that_a_server_renders_are_told_from_pages() {
        let rendered =
            |text: &str| matches!(judge_package_json(text), Some(FolderEvidence::Rendered(_)));
        assert!(rendered(r#"{"dependencies":{"next":"14","react":"18"}}"#));
        assert!(rendered(r#"{"devDependencies":{"nuxt":"3"}}"#));
        assert!(rendered(
            r#"{"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-node":"5"}}"#
        ));
        assert!(rendered(r#"{"dependencies":{"@remix-run/node":"2","@remix-run/react":"2"}}"#));
        assert!(!rendered(
            r#"{"devDependencies":{"@sveltejs/kit":"2","@sveltejs/adapter-static":"3"}}"#
        ));
        assert!(!rendered(r#"{"dependencies":{"react":"18"},"devDependencies":{"vite":"5"}}"#));
    }

    #[test]
    fn requirements_name_their_framework() {
        let of = |text| judge_requirements(text);
        let backend = |text: &str| FolderEvidence::Backend(text.to_owned());
        assert_eq!(of("flask-cors\nFlask==2.0\n"), backend("Flask in requirements.txt"));
        assert_eq!(of("flask-cors\n"), backend("requirements.txt"));
    }
}
