//! Reads `.dockerignore`: the paths of a build context that docker leaves out.

use gix_ignore::glob::wildmatch;
use gix_ignore::glob::wildmatch::Mode;

/// The rules of a `.dockerignore` in source order; the last matching rule decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerignore {
    rules: Vec<IgnoreRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct IgnoreRule {
    pattern: String,
    /// `!`: includes paths that earlier rules leave out.
    keeps: bool,
}

impl Dockerignore {
    /// Parses a `.dockerignore`.
    pub fn parse(text: &str) -> Self {
        let lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rules = lines.map(|line| {
            let (pattern, keeps) = match line.strip_prefix('!') {
                Some(pattern) => (pattern.trim(), true),
                None => (line, false),
            };
            IgnoreRule { pattern: super::read::without_dots(pattern), keeps }
        });
        Self { rules: rules.collect() }
    }

    /// Returns whether a path below the context is left out, directly or through a folder above it.
    pub fn excludes(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let steps: Vec<&str> = ends.map(|end| &path[..end]).collect();
        let matches = |rule: &&IgnoreRule| {
            steps.iter().any(|step| matches_ignore_pattern(&rule.pattern, step))
        };
        self.rules.iter().rev().find(matches).is_some_and(|rule| !rule.keeps)
    }
}

/// Returns whether a docker pattern matches a whole path; `*` stops at a slash, `**` does not.
pub fn matches_ignore_pattern(pattern: &str, path: &str) -> bool {
    wildmatch(pattern.into(), path.into(), Mode::NO_MATCH_SLASH_LITERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_matches_counts() {
        let rules = Dockerignore::parse("# c\n*.txt\n!requirements.txt\n/docs/\n**/secret\n");
        for (path, excluded) in [
            ("notes.txt", true),
            ("requirements.txt", false),
            ("deps/notes.txt", false),
            ("docs/a/requirements.txt", true),
            ("a/b/secret", true),
            ("secret", true),
            ("app.py", false),
        ] {
            assert_eq!(rules.excludes(path), excluded, "{path}");
        }
        let all = Dockerignore::parse("*\n!app\n");
        assert!(all.excludes("uv.lock") && !all.excludes("app/main.py"));
    }
}
