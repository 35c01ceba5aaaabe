//! `--tasks`: has the workspace install, at each start, the packages of folders that are mounted over an image's own.

use std::path::Path;
use std::sync::Arc;

use super::context::ProjectContext;
use crate::compose::ServiceModel;
use crate::edit::jsonc::devcontainer::{add_create, read_create};
use crate::edit::refusal::{EditRefusal, EditedText};
use crate::edit::yaml::gitpod::GitpodFile;
use crate::edit::yaml::tasks::{self, WantedTask};
use crate::error::Result;
use crate::plan::{FileChange, Note, Plan, WriteMethod, devcontainer};
use crate::workspace::Workspace;

/// Each package list, the command that installs it, and words that show that a command already does.
const INSTALLERS: [(&str, &str, &[&str]); 2] = [
    ("package.json", "npm install --prefix", &["npm", "yarn", "pnpm"]),
    ("requirements.txt", "pip install -r", &["pip", "pip3", "uv"]),
];

/// A folder whose packages must be installed, and the command for it.
struct FolderNeed {
    /// The path, relative to the top of the repository.
    folder: String,
    service: String,
    command: String,
    words: &'static [&'static str],
}

/// Adds the missing install commands to `.gitpod.yml` or devcontainer.json.
///
/// # Errors
/// `unsafe-edit`; if the compose project cannot be read.
pub(crate) fn extend(plan: &mut Plan, context: &ProjectContext) -> Result<()> {
    let needs = list_needs(context)?;
    let project = &context.project;
    let in_gitpod = project.gitpod.is_some() || context.in_gitpod();
    let in_codespace = matches!(Workspace::detect(context.shell), Workspace::Codespaces(_));
    if needs.is_empty() {
        plan.notes.push(Note::fact(
            "no service needs packages in a folder that is mounted over its image",
        ));
    } else if in_gitpod {
        let file = project.gitpod.as_ref().map(|file| Arc::clone(&file.text));
        edit_file(plan, &project.gitpod_path(), file, "", WriteMethod::InPlace, |text| {
            let read = GitpodFile::parse(text).unwrap_or_default();
            let lines: Vec<String> = read.shell_lines.into_iter().map(|(_, line)| line).collect();
            let missing = needs.iter().filter(|need| !is_met(need, &lines.join("\n")));
            let wanted = missing.map(|need| WantedTask {
                name: need.service.clone(),
                command: need.command.clone(),
            });
            tasks::add(text, &wanted.collect::<Vec<_>>())
        })?;
    } else if project.devcontainer.is_some() || in_codespace {
        let file = project.devcontainer.as_ref().map(|file| Arc::clone(&file.text));
        let path = project.devcontainer_path();
        edit_file(
            plan,
            &path,
            file,
            devcontainer::NEW_DEVCONTAINER,
            WriteMethod::Replace,
            |text| {
                let existing = read_create(text);
                let missing = needs.iter().filter(|need| !is_met(need, &existing));
                let commands: Vec<&str> = missing.map(|need| need.command.as_str()).collect();
                if commands.is_empty() {
                    Ok(EditedText { text: text.into(), tree: None, warnings: Vec::new() })
                } else {
                    add_create(text, &commands.join(" && "))
                }
            },
        )?;
    } else {
        let note =
            Note::warning("there is neither .gitpod.yml nor devcontainer.json for `--tasks`");
        plan.notes.push(note.hint("run it in the workspace, or create one of the two files first"));
    }
    Ok(())
}

/// Edits a file on top of the changes already planned for it.
fn edit_file(
    plan: &mut Plan,
    path: &Path,
    before: Option<Arc<str>>,
    fresh: &str,
    writing: WriteMethod,
    edit: impl Fn(&str) -> std::result::Result<EditedText, EditRefusal>,
) -> Result<()> {
    let known = plan.changes.iter().position(|change| change.path == path);
    let text = match known {
        Some(at) => plan.changes[at].after.clone(),
        None => before.clone(),
    };
    let text = text.unwrap_or_else(|| fresh.into());
    let edit = edit(&text).map_err(|refusal| refusal.into_error(path))?;
    match known {
        Some(at) => plan.changes[at].after = Some(edit.text),
        None if edit.text == text => {}
        None => plan.change(FileChange {
            path: path.to_owned(),
            before,
            after: Some(edit.text),
            writing,
        }),
    }
    Ok(())
}

/// Returns whether existing commands install the packages of the folder.
fn is_met(need: &FolderNeed, commands: &str) -> bool {
    let has_word = |text: &str, word: &str| {
        text.split(|c: char| c.is_whitespace() || "\"';&|".contains(c)).any(|one| one == word)
    };
    let is_named =
        commands.split(|c: char| c.is_whitespace() || "\"';&|=".contains(c)).any(|word| {
            let word = word.trim_start_matches("./").trim_end_matches('/');
            word == need.folder || word.starts_with(&format!("{}/", need.folder))
        });
    is_named && need.words.iter().any(|word| has_word(commands, word))
}

/// Returns the folders that are mounted over their images' code, with the commands that install their packages.
fn list_needs(context: &ProjectContext) -> Result<Vec<FolderNeed>> {
    let top = context.project.git_root.as_deref().unwrap_or(context.root());
    let sources = context.project.sources();
    let mut needs: Vec<FolderNeed> = Vec::new();
    for service in &context.project.model()?.services {
        let Some(code) = mounted_code(service) else { continue };
        let Ok(folder) = code.strip_prefix(top) else { continue };
        let folder = folder.display().to_string();
        if folder.is_empty() || !is_plain(&folder) || needs.iter().any(|need| need.folder == folder)
        {
            continue;
        }
        let found = INSTALLERS.iter().find(|(list, ..)| sources.exists(&code.join(list)));
        if let Some((list, installer, words)) = found {
            let argument = match *list {
                "package.json" => folder.clone(),
                list => format!("{folder}/{list}"),
            };
            let command = format!("{installer} {argument}");
            needs.push(FolderNeed { folder, service: service.name.clone(), command, words });
        }
    }
    Ok(needs)
}

/// Returns whether no shell treats any character of `folder` specially.
fn is_plain(folder: &str) -> bool {
    folder.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !folder.starts_with('-')
}

fn mounted_code(service: &ServiceModel) -> Option<&Path> {
    let context = service.build.as_ref()?.context.as_path();
    service.mounts.iter().any(|mount| mount.source == context).then_some(context)
}
