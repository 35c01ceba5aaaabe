//! Finds the files of a project: docker compose's own search, `COMPOSE_FILE`, overrides, `.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};
use crate::limits;

use super::dotenv;
use super::read::clean_path;
use super::source::{ProjectSources, SourceText};

/// Names of compose files, in docker compose's search order.
pub const NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Names of override files, in docker compose's search order; independent of the base file's name.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// The files of a project, found from the current folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposeLocation {
    /// The user's current folder. Absolute.
    pub current_folder: PathBuf,
    /// The folder of the first compose file, the base of relative paths. Absolute.
    pub folder: PathBuf,
    /// The compose files; later ones override earlier ones.
    pub files: Vec<PathBuf>,
    /// `.env` files of the current folder, or those that `COMPOSE_ENV_FILES` names.
    pub env_here: Vec<PathBuf>,
    /// The project's own `.env`, if it is a different one.
    pub env_project: Vec<PathBuf>,
    /// Other compose files in the folder, which are not used.
    pub passed_over: Vec<PathBuf>,
    /// The place where `COMPOSE_FILE` is set.
    pub named: ComposeFileSource,
}

/// The place where `COMPOSE_FILE` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComposeFileSource {
    /// It is not set: the files were searched for.
    Nowhere,
    /// In the shell, by the user.
    InTheShell,
    /// In a `.env` file, by the author of the project.
    InAFile,
}

/// Returns whether docker compose finds a compose file in this folder itself.
pub fn is_project(sources: &dyn ProjectSources, folder: &Path) -> bool {
    NAMES.iter().any(|name| sources.exists(&folder.join(name)))
}

/// Finds the project that the absolute path `current_folder` belongs to.
///
/// # Errors
/// `no-compose-file` if neither this folder nor one above has a compose file.
pub fn find_compose_project(
    sources: &dyn ProjectSources,
    shell: &BTreeMap<String, String>,
    current_folder: &Path,
) -> Result<ComposeLocation> {
    let disabled = shell
        .get("COMPOSE_DISABLE_ENV_FILE")
        .is_some_and(|value| matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
    let named: Vec<PathBuf> = shell
        .get("COMPOSE_ENV_FILES")
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter(|name| !name.is_empty())
        .map(|name| clean_path(&current_folder.join(name)))
        .collect();
    let find_in = |folder: &Path| match (named.is_empty(), disabled) {
        (true, false) => vec![folder.join(".env")],
        _ => Vec::new(),
    };
    let env_here = if named.is_empty() { find_in(current_folder) } else { named.clone() };
    let mut start = match list_configured_files(sources, shell, current_folder, &env_here) {
        Some(files) if shell.contains_key("COMPOSE_FILE") => {
            from_list(files, current_folder, ComposeFileSource::InTheShell)
        }
        Some(files) => from_list(files, current_folder, ComposeFileSource::InAFile),
        None => search_upwards(sources, current_folder)?,
    };
    if start.folder != current_folder {
        start.env_project = find_in(&start.folder);
    }
    start.env_here = env_here;
    Ok(start)
}

/// Returns the files that `COMPOSE_FILE` names, in the shell or in `.env`.
fn list_configured_files(
    sources: &dyn ProjectSources,
    shell: &BTreeMap<String, String>,
    current_folder: &Path,
    env_files: &[PathBuf],
) -> Option<Vec<PathBuf>> {
    let written = |name: &str| -> Option<String> {
        if let Some(value) = shell.get(name) {
            return Some(value.clone());
        }
        env_files.iter().rev().find_map(|path| {
            let SourceText::Found(text) = sources.text(path) else {
                return None;
            };
            let statements = dotenv::parse_dotenv(&text).ok()?;
            let outside = |name: &str| shell.get(name).cloned();
            let mut room = limits::VALUES_BYTES;
            let resolved = dotenv::resolve(&statements, &outside, Default::default(), &mut room);
            let assignment =
                resolved.into_iter().rfind(|resolved| resolved.statement.name == name)?;
            Some(assignment.value.ok()?.text)
        })
    };
    let list = written("COMPOSE_FILE")?;
    let written_separator =
        written("COMPOSE_PATH_SEPARATOR").filter(|separator| !separator.is_empty());
    let separator = written_separator.as_deref().unwrap_or(":");
    let files = list.split(separator).map(|name| clean_path(&current_folder.join(name)));
    Some(files.collect())
}

fn from_list(
    files: Vec<PathBuf>,
    current_folder: &Path,
    named: ComposeFileSource,
) -> ComposeLocation {
    let folder = files.first().and_then(|first| first.parent());
    ComposeLocation {
        current_folder: current_folder.to_owned(),
        folder: folder.unwrap_or(current_folder).to_owned(),
        files,
        env_here: Vec::new(),
        env_project: Vec::new(),
        passed_over: Vec::new(),
        named,
    }
}

fn search_upwards(sources: &dyn ProjectSources, current_folder: &Path) -> Result<ComposeLocation> {
    for folder in current_folder.ancestors() {
        let present = |names: [&str; 4]| -> Vec<PathBuf> {
            let paths = names.iter().map(|name| folder.join(name));
            paths.filter(|path| sources.exists(path)).collect()
        };
        let mut bases = present(NAMES).into_iter();
        let Some(base) = bases.next() else { continue };
        let mut overrides = present(OVERRIDES).into_iter();
        let files = std::iter::once(base).chain(overrides.next()).collect();
        return Ok(ComposeLocation {
            current_folder: current_folder.to_owned(),
            folder: folder.to_owned(),
            files,
            env_here: Vec::new(),
            env_project: Vec::new(),
            passed_over: bases.chain(overrides).collect(),
            named: ComposeFileSource::Nowhere,
        });
    }
    Err(no_compose_file(current_folder))
}

/// Returns the error for a folder without a compose file in it or above it.
pub fn no_compose_file(current_folder: &Path) -> Error {
    let message = format!("no compose file in {} or above it", current_folder.display());
    Error::new(ErrorCode::NoComposeFile, message)
        .hint("`-C DIR` names the folder that has one")
        .hint("`cruddur-ops try` shows the whole job on a bundled sample")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::texts::TestSources;

    fn start(files: &[(&str, &str)], shell: &[(&str, &str)]) -> ComposeLocation {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let shell = shell.iter().map(owned).collect();
        find_compose_project(&TestSources::new(files), &shell, Path::new("/p")).unwrap()
    }

    #[test]
    fn empty_names_among_the_env_files_are_left_out() {
        let files = [("compose.yaml", "")];
        for (list, expected) in [
            ("a.env", &["/p/a.env"][..]),
            ("a.env,sub/b.env", &["/p/a.env", "/p/sub/b.env"]),
            (",a.env,", &["/p/a.env"]),
            ("", &["/p/.env"]),
        ] {
            let found = start(&files, &[("COMPOSE_ENV_FILES", list)]).env_here;
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{list}");
        }
    }

    #[test]
    fn a_list_of_files_is_split_at_its_separator_which_is_a_colon_where_none_is_set() {
        for (list, separator, expected) in [
            ("a.yml:b.yml", None, &["/p/a.yml", "/p/b.yml"][..]),
            ("a.yml:b.yml", Some(""), &["/p/a.yml", "/p/b.yml"]),
            ("a.yml;b.yml", Some(";"), &["/p/a.yml", "/p/b.yml"]),
            ("a.yml:b.yml", Some(";"), &["/p/a.yml:b.yml"]),
        ] {
            let mut shell = vec![("COMPOSE_FILE", list)];
            shell.extend(separator.map(|separator| ("COMPOSE_PATH_SEPARATOR", separator)));
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(start(&[], &shell).files, expected, "{list} {separator:?}");
            // A `.env` sets it in the same way.
            let lines: String =
                shell.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
            assert_eq!(start(&[(".env", &lines)], &[]).files, expected, "{lines}");
        }
    }
}
