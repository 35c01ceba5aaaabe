//! Replaces the scripts in a start command with their commands: shell scripts and those of package.json.

use serde_json::Value;

use super::Startup;
use crate::compose::dockerfile::{Dockerfile, ShellCommand, resolve_image_path};
use crate::compose::source::ProjectSources;

/// Maximum number of commands; real start commands have fewer.
const MAX_COMMANDS: usize = 256;
/// Maximum number of scripts read; real start commands use fewer.
const MAX_SCRIPTS: usize = 64;
/// Maximum nesting of scripts that start scripts.
const MAX_SCRIPT_NESTING: usize = 4;

/// Returns `commands` with each readable script replaced by its commands.
pub(super) fn expand_scripts(
    startup: &Startup,
    sources: &dyn ProjectSources,
    commands: &[ShellCommand],
) -> Vec<ShellCommand> {
    let mut found = Vec::new();
    let mut expansion = ScriptExpansion { startup, sources, opened: 0 };
    expansion.expand(commands, startup.folder.clone(), MAX_SCRIPT_NESTING, &mut found);
    found
}

/// The files that scripts are read from, and the number read so far.
struct ScriptExpansion<'a> {
    startup: &'a Startup,
    sources: &'a dyn ProjectSources,
    opened: usize,
}

impl ScriptExpansion<'_> {
    fn expand(
        &mut self,
        commands: &[ShellCommand],
        mut folder: String,
        left: usize,
        found: &mut Vec<ShellCommand>,
    ) {
        for command in commands {
            if found.len() >= MAX_COMMANDS {
                return;
            }
            if let [cd, to] = command.words.as_slice()
                && cd == "cd"
            {
                folder = resolve_image_path(&folder, to);
            }
            let may_open = left > 0 && self.opened < MAX_SCRIPTS;
            let inner = if may_open { self.inner(&command.words, &folder) } else { None };
            match inner {
                Some((folder, mut inner)) => {
                    self.opened += 1;
                    if let Some(shell_command) = inner.last_mut() {
                        shell_command.variables.extend(command.variables.iter().cloned());
                    }
                    self.expand(&inner, folder, left - 1, found);
                }
                None => found.push(command.clone()),
            }
        }
    }

    /// Returns the commands that a script runs, and the folder it runs them in.
    fn inner(&self, words: &[String], folder: &str) -> Option<(String, Vec<ShellCommand>)> {
        let (first, rest) = words.split_first()?;
        let program = first.rsplit('/').next().unwrap_or(first);
        let named = |name: &String| format!("npm run {}", name.trim_start_matches("npm:"));
        let plain = rest.iter().filter(|word| !word.starts_with('-'));
        let texts: Vec<String> = match program {
            "npm" | "yarn" | "pnpm" | "bun" => {
                let (folder, script) = self.package_script(program, rest, folder)?;
                return Some((folder, Dockerfile::commands_in(&script)));
            }
            "concurrently" => plain
                .map(|text| if text.starts_with("npm:") { named(text) } else { text.clone() })
                .collect(),
            "run-p" | "run-s" | "npm-run-all" => plain.map(named).collect(),
            _ => return self.shell_script(program, words, folder),
        };
        Some((folder.to_owned(), Dockerfile::commands_in(&texts.join("\n"))))
    }

    fn shell_script(
        &self,
        program: &str,
        words: &[String],
        folder: &str,
    ) -> Option<(String, Vec<ShellCommand>)> {
        let (script, arguments) = match program {
            "sh" | "bash" | "ash" | "dash" | "." | "source" => {
                let at = 1 + words[1..].iter().position(|word| !word.starts_with('-'))?;
                (&words[at], &words[at + 1..])
            }
            _ if program.ends_with(".sh") || program.ends_with("entrypoint") => {
                (&words[0], &words[1..])
            }
            _ => return None,
        };
        // `wait-for-it.sh db:5432 -- flask run`
        let behind = arguments.iter().position(|word| word == "--");
        let given = &arguments[behind.map_or(0, |at| at + 1)..];
        let text = self.text(&resolve_image_path(folder, script)).filter(|_| behind.is_none());
        let Some(text) = text else {
            // A script of the image itself runs its arguments.
            let given = Dockerfile::unwrapped(given);
            return (!given.is_empty()).then(|| (folder.to_owned(), given));
        };
        let mut commands = Vec::new();
        for command in Dockerfile::commands_in(&text) {
            match command.words.iter().position(|word| matches!(word.as_str(), "$@" | "$*")) {
                Some(at) => {
                    let whole = [&command.words[..at], given, &command.words[at + 1..]].concat();
                    commands.extend(Dockerfile::unwrapped(&whole));
                }
                None => commands.push(command),
            }
        }
        Some((folder.to_owned(), commands))
    }

    /// Returns the script of a package.json that a package manager is told to run, and its folder.
    fn package_script(
        &self,
        program: &str,
        arguments: &[String],
        folder: &str,
    ) -> Option<(String, String)> {
        let mut folders = vec![folder.to_owned()];
        let mut words = arguments.iter().map(String::as_str);
        let mut name = None;
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) if option.starts_with('-') => (option, Some(value)),
                _ => (word, None),
            };
            match option {
                "--prefix" | "--cwd" | "--dir" | "-C" => {
                    let to = value.or_else(|| words.next())?;
                    folders = vec![resolve_image_path(folder, to)];
                }
                "--workspace" | "-w" | "--filter" | "-F" | "workspace" => {
                    let package = value.or_else(|| words.next())?;
                    let member = package.rsplit('/').next().unwrap_or(package);
                    let places = ["", "packages/", "apps/", "services/"];
                    folders = places
                        .map(|place| resolve_image_path(folder, &format!("{place}{member}")))
                        .to_vec();
                }
                "run" | "run-script" => {}
                _ if option.starts_with('-') => {}
                _ if name.is_none() => name = Some(word),
                _ => {}
            }
        }
        let name = match name? {
            "t" => "test",
            name => name,
        };
        let is_short = matches!(name, "start" | "test" | "stop" | "restart");
        if program == "npm" && !is_short && !arguments.iter().any(|word| word.starts_with("run")) {
            return None;
        }
        folders.into_iter().find_map(|folder| {
            let text = self.text(&resolve_image_path(&folder, "package.json"))?;
            let package: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
            let script = package.get("scripts")?.get(name)?.as_str()?.to_owned();
            Some((folder, script))
        })
    }

    /// Returns the text of a project file at an absolute path of the container.
    fn text(&self, path: &str) -> Option<String> {
        let origin = self.startup.origin(path, self.sources)?;
        self.sources.text(&origin).found().map(|text| text.to_string())
    }
}
