//! Images that run or build the user's own programs: languages and operating systems.

use super::words::WordList;

/// Returns whether an image is a base for the user's own programs.
pub(super) fn is_runtime(image: &str) -> bool {
    let path = crate::compose::purpose::without_version(image).to_ascii_lowercase();
    // A variable whose value is unknown may name any image.
    if path.contains('$') || path == "scratch" || path.contains("distroless") {
        return true;
    }
    let mut names = path.split('/').flat_map(|part| {
        let words = part
            .split(['-', '_', '.'])
            .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
        std::iter::once(part).chain(words)
    });
    names.any(|name| WordList::Runtimes.has(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_systems_are_told_from_programs() {
        for image in [
            "python:3.12-slim",
            "docker.io/library/node:20",
            "eclipse-temurin:21-jre",
            "mcr.microsoft.com/dotnet/aspnet:8.0",
            "tiangolo/uwsgi-nginx-flask:python3.8",
            "scratch",
            "${BASE}",
            "gcr.io/distroless/nodejs20-debian12",
            "registry.access.redhat.com/ubi9/python-311",
        ] {
            assert!(is_runtime(image), "{image}");
        }
        for image in
            ["sonarsource/sonar-scanner-cli", "metabase/metabase", "wordpress", "quay.io/a/b"]
        {
            assert!(!is_runtime(image), "{image}");
        }
    }
}
