//! `init`: commands of the project that start services without the ones that copy their agents.

use std::path::Path;

use crate::plan::Note;
use crate::project::ProjectFile;

/// A way to start services that leaves dependencies out.
struct PartialStart {
    /// Words that a line has, each with white space or quotes around it.
    words: &'static [&'static str],
    /// One of these is on the line as well.
    beside: &'static [&'static str],
    /// The consequence for the agents, as a clause.
    effect: &'static str,
    hint: &'static str,
}

const PARTIAL_STARTS: [PartialStart; 2] = [
    PartialStart {
        words: &["--no-deps"],
        beside: &["up", "run", "create", "compose", "docker-compose"],
        effect: "starts services without the ones that copy their agents (`--no-deps`)",
        hint: "start them once without `--no-deps`: the agents then stay in their volumes until `docker compose down -v`",
    },
    PartialStart {
        words: &["stack", "deploy"],
        beside: &["docker"],
        effect: "deploys to a swarm, which waits for no service: the first start may come before the agents are copied",
        hint: "deploy a second time, or leave the agents out with `--no-instrument`",
    },
];

/// Returns one note for each file with a command that starts services without the ones that copy agents.
pub(super) fn find_partial_starts(
    files: &[ProjectFile],
    shown: impl Fn(&Path) -> String,
) -> Vec<Note> {
    let notes = files.iter().flat_map(|file| {
        let path = shown(&file.path);
        PARTIAL_STARTS.iter().filter_map(move |start| {
            let at = file.text.lines().position(|line| start.is_on(line))?;
            let text = format!("{path}:{}: this {}", at + 1, start.effect);
            Some(Note::warning(text).hint(start.hint))
        })
    });
    notes.collect()
}

impl PartialStart {
    fn is_on(&self, line: &str) -> bool {
        let line = line.trim_start();
        let is_comment = ["#", "//", "@#"].iter().any(|mark| line.starts_with(mark));
        let split =
            |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '`' | '(' | ')' | ';');
        let words: Vec<&str> = line.split(split).collect();
        !is_comment
            && self.words.iter().all(|word| words.contains(word))
            && self.beside.iter().any(|word| words.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_leave_dependencies_out_are_found() {
        let found = |text: &str| {
            let file = ProjectFile { path: "/p/Makefile".into(), text: text.into() };
            let notes = find_partial_starts(&[file], |path| path.display().to_string());
            notes.first().and_then(|note| Some(note.text.split(": ").next()?.to_owned()))
        };
        for (text, line) in [
            ("up:\n\tdocker compose up -d --no-deps api\n", 2),
            ("\t@$(COMPOSE) run --rm --no-deps api sh\n", 1),
            ("{\"scripts\": {\"dev\": \"docker-compose up --no-deps web\"}}\n", 1),
            ("      - run: docker compose run --no-deps api pytest\n", 1),
            ("set -e\n\ndocker stack deploy -c compose.yml shop\n", 3),
        ] {
            assert_eq!(found(text), Some(format!("/p/Makefile:{line}")), "{text}");
        }
        for text in [
            "pip install --no-deps .\n",
            "# docker compose up --no-deps api\n",
            "docker compose up --no-depsx\n",
            "docker compose up -d\n",
            "docker stack ls\n",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
