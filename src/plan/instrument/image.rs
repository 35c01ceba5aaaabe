//! What an image installs and how it starts, as its Dockerfile says.

use super::Start;
use crate::compose::{BuildAction, CopiedPath, CopyOrigin, ImageStage};

/// The part of a Dockerfile that matters for a Python service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Requirements files given to pip, each as the places in the build context it may come from, likeliest first.
    pub lists: Vec<Vec<String>>,
    /// How the service starts.
    pub start: Start,
}

/// Reads what a service's image is made by: its stages, the lowest first.
pub fn read(image: &[&ImageStage]) -> Recipe {
    let mut recipe = Recipe::default();
    let mut copies: Vec<(String, String)> = Vec::new();
    for step in image.iter().flat_map(|stage| &stage.steps) {
        match &step.action {
            BuildAction::Copy(paths) => copies.extend(copied(paths)),
            BuildAction::Run { commands, mounts } => {
                copies.extend(copied(mounts));
                let named = commands.iter().flat_map(|command| installed(&command.words));
                recipe.lists.extend(named.map(|path| sources(path, &step.folder, &copies)));
            }
            BuildAction::Command(commands) | BuildAction::Entrypoint(commands) => {
                let lines = commands.iter().map(|command| command.words.join(" "));
                recipe.start = start(&lines.collect::<Vec<_>>().join(" "));
            }
        }
    }
    recipe
}

/// How a command line starts a service.
pub fn start(command: &str) -> Start {
    if command.contains("opentelemetry-instrument") { Start::ZeroCode } else { Start::InCode }
}

/// The version a Python image is tagged with: `3.10-slim-buster` of `python:3.10-slim-buster`.
pub fn python_version(base: &str) -> Option<String> {
    let (name, tag) = base.split('@').next()?.rsplit_once(':')?;
    let named = name == "python" || name.ends_with("/python");
    (named && tag.starts_with(|first: char| first.is_ascii_digit())).then(|| tag.to_owned())
}

/// The files that `pip install -r` is given by this command.
fn installed(words: &[String]) -> Vec<&str> {
    let installs = words.iter().any(|word| word == "install" || word == "sync");
    if !installs || !words.iter().any(|word| word.contains("pip")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let path = match word.as_str() {
            "-r" | "--requirement" => words.get(index + 1).map(String::as_str),
            _ => word
                .strip_prefix("--requirement=")
                .or_else(|| word.strip_prefix("-r").filter(|path| path.ends_with(".txt"))),
        };
        found.extend(path);
    }
    found
}

/// Pairs of a path in the context and a path in the image.
fn copied(paths: &[CopiedPath]) -> impl Iterator<Item = (String, String)> {
    let own = paths.iter().filter(|path| path.origin == CopyOrigin::Context);
    own.map(|path| (path.source.clone(), path.target.clone()))
}

/// Where in the context a file of the image may come from.
fn sources(path: &str, folder: &str, copies: &[(String, String)]) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let inside = trimmed(path);
    let inside = inside.strip_prefix(&trimmed(folder)).map(trimmed).unwrap_or(inside);
    let mut found: Vec<String> = copies
        .iter()
        .filter(|(from, _)| from.rsplit('/').next() == Some(name))
        .map(|(from, _)| from.clone())
        .collect();
    found.push(inside);
    found.push(name.to_owned());
    found.dedup();
    found
}

fn trimmed(path: &str) -> String {
    path.trim_start_matches("./").trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Dockerfile;

    fn read(text: &str) -> Recipe {
        let file = Dockerfile::parse(&format!("FROM python\n{text}"), &[]).unwrap();
        super::read(&file.image(None).unwrap())
    }

    #[test]
    fn the_guides_dockerfile_is_read() {
        let recipe = read(
            "WORKDIR /backend-flask\nCOPY requirements.txt requirements.txt\nRUN pip3 install -r requirements.txt\n\
             COPY . .\nENV FLASK_ENV=development\nCMD [ \"python3\", \"-m\" , \"flask\", \"run\", \"--host=0.0.0.0\"]\n",
        );
        assert_eq!(recipe.lists, [["requirements.txt"]]);
        assert_eq!(recipe.start, Start::InCode);
    }

    #[test]
    fn lists_are_followed_back_to_the_context() {
        let lists = |text: &str| read(text).lists;
        assert_eq!(
            lists(
                "WORKDIR /app\nCOPY ./requirements /app/requirements\nRUN pip install --no-cache-dir \\\n  -r /app/requirements/prod.txt\n"
            ),
            [["requirements/prod.txt", "prod.txt"]]
        );
        assert_eq!(
            lists(
                "COPY --chown=a deps/base.txt /tmp/\nRUN python -m pip install -r /tmp/base.txt --requirement=x.txt\n"
            ),
            [vec!["deps/base.txt", "tmp/base.txt", "base.txt"], vec!["x.txt"]]
        );
        assert!(lists("# RUN pip install -r x.txt\nRUN rm -r pip\n").is_empty());
    }

    #[test]
    fn a_start_without_code_and_a_version_are_seen() {
        let recipe = read("CMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n");
        assert_eq!(recipe.start, Start::ZeroCode);
        assert_eq!(python_version("docker.io/library/python:3.9@sha256:0").as_deref(), Some("3.9"));
        assert_eq!(python_version("python:slim"), None);
        assert_eq!(python_version("node:18"), None);
    }
}
