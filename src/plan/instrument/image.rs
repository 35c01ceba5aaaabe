//! What an image installs and how it starts, as its Dockerfile says.

use super::Start;

/// The part of a Dockerfile that matters for a Python service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Requirements files given to pip, each as the places in the build context it may come from, likeliest first.
    pub lists: Vec<Vec<String>>,
    /// How the service starts.
    pub start: Start,
}

/// Reads a Dockerfile.
pub fn read(dockerfile: &str) -> Recipe {
    let mut recipe = Recipe::default();
    let mut folder = String::new();
    let mut copies: Vec<(String, String)> = Vec::new();
    for line in instructions(dockerfile) {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
        let words: Vec<&str> = words.filter(|word| !word.starts_with("--from")).collect();
        match instruction.as_str() {
            "WORKDIR" => folder = words.first().map(|word| trimmed(word)).unwrap_or_default(),
            "COPY" | "ADD" => copies.extend(copied(&words)),
            "RUN" => recipe
                .lists
                .extend(installed(&line).iter().map(|path| sources(path, &folder, &copies))),
            "CMD" | "ENTRYPOINT" => recipe.start = start(&line),
            _ => {}
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

/// Lines with their continuations joined, comments left out.
fn instructions(dockerfile: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in dockerfile.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => {
                open.push_str(part);
                open.push(' ');
            }
            None => {
                open.push_str(line);
                lines.push(std::mem::take(&mut open));
            }
        }
    }
    lines.push(open);
    lines
}

/// The files that `pip install -r` is given on this line.
fn installed(line: &str) -> Vec<String> {
    if !line.contains("pip") || !line.contains("install") {
        return Vec::new();
    }
    let quotes = ['"', '\'', ',', '[', ']'];
    let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(quotes)).collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let path = match *word {
            "-r" | "--requirement" => words.get(index + 1).copied(),
            _ => word
                .strip_prefix("--requirement=")
                .or_else(|| word.strip_prefix("-r").filter(|path| path.ends_with(".txt"))),
        };
        found.extend(path.map(str::to_owned));
    }
    found
}

/// Pairs of a path in the context and a path in the image.
fn copied(words: &[&str]) -> Vec<(String, String)> {
    let quotes = ['"', '\'', ',', '[', ']'];
    let paths: Vec<&str> = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .map(|word| word.trim_matches(quotes))
        .collect();
    let Some((to, from)) = paths.split_last() else {
        return Vec::new();
    };
    from.iter().map(|from| (trimmed(from), (*to).to_owned())).collect()
}

/// Where in the context a file of the image may come from.
fn sources(path: &str, folder: &str, copies: &[(String, String)]) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let inside = trimmed(path);
    let inside = inside.strip_prefix(folder).map(trimmed).unwrap_or(inside);
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

    #[test]
    fn the_guides_dockerfile_is_read() {
        let recipe = read(
            "FROM python:3.10-slim-buster\nWORKDIR /backend-flask\nCOPY requirements.txt requirements.txt\nRUN pip3 install -r requirements.txt\n\
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
