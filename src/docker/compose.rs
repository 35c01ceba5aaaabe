//! Runs `docker compose` in the project's folder, with the user's engine, configuration and switches and never the
//! project's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;
use crate::shell::Shell;

/// The inputs of docker compose for a project.
#[derive(Debug, Clone, Default)]
pub struct ComposeProject {
    /// The absolute folder where docker compose looks for its files and its `.env`.
    pub folder: PathBuf,
    /// Secrets that its files refer to.
    pub stored: BTreeMap<String, Secret>,
    /// The names of variables in its `.env` files.
    pub assigned: Vec<String>,
    /// Places in the files that would make docker compose fetch or run something else. If there are any, it is not
    /// started.
    pub reaches: Vec<String>,
}

/// Variables in a `.env` that name the project and its files. We read them too.
const PROJECT_VARIABLES: [&str; 4] =
    ["COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"];

/// Variables that determine docker's engine, its connection, and the programs started for that. Releases before v2.36
/// read them from a `.env`.
const ENGINE_VARIABLES: [&str; 10] = [
    "DOCKER_API_VERSION",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_CLI_OTEL_EXPORTER_OTLP_ENDPOINT",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CUSTOM_HEADERS",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
];

/// Switches that let docker compose fetch parts of a project; the last one is from its first releases with `include`.
const REMOTE_SWITCHES: [&str; 3] = [
    "COMPOSE_EXPERIMENTAL_GIT_REMOTE",
    "COMPOSE_EXPERIMENTAL_OCI_REMOTE",
    "COMPOSE_EXPERIMENTAL_INCLUDE_REMOTE",
];

/// Returns `docker` with these arguments, set up for the project.
///
/// # Errors
/// `remote-resource` for a project that would make docker compose fetch or run something else.
pub(super) fn command(
    program: &Path,
    arguments: &[&str],
    shell: &Shell,
    project: &ComposeProject,
) -> Result<Command> {
    if let Some(first) = project.reaches.first() {
        let message = "docker compose is not started for this project";
        return Err(Error::new(ErrorCode::RemoteResource, message)
            .cause(format!("{first} would have it fetch or run something that is not here")));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&project.folder)
        .env_clear()
        .envs(compose_environment(shell, project));
    Ok(command)
}

/// Makes a command read exactly these compose files, whatever the project and the shell name.
pub(super) fn set_files<'a>(command: &mut Command, files: impl Iterator<Item = &'a Path>) {
    // A separator that no ordinary path contains.
    const SEPARATOR: &str = "\n";
    let files: Vec<&OsStr> = files.map(Path::as_os_str).collect();
    command
        .env("COMPOSE_FILE", files.join(OsStr::new(SEPARATOR)))
        .env("COMPOSE_PATH_SEPARATOR", SEPARATOR);
}

/// Returns the environment of docker compose. A variable in `.env` counts only if the environment does not have it,
/// so those that must not come from the project get a value without effect.
fn compose_environment(shell: &Shell, project: &ComposeProject) -> BTreeMap<String, String> {
    let mut variables = shell.child_variables();
    let of_compose = project
        .assigned
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("COMPOSE_") && !PROJECT_VARIABLES.contains(name));
    for name in of_compose.chain(ENGINE_VARIABLES) {
        variables.entry(name.to_owned()).or_insert_with(|| without_effect(name).to_owned());
    }
    for name in REMOTE_SWITCHES {
        variables.insert(name.to_owned(), "false".to_owned());
    }
    let stored = project.stored.iter();
    variables.extend(stored.map(|(name, secret)| (name.clone(), secret.expose().to_owned())));
    variables
}

/// Returns the value that disables a variable.
fn without_effect(name: &str) -> &'static str {
    match name {
        "COMPOSE_PARALLEL_LIMIT" => "-1",
        "COMPOSE_ANSI" | "COMPOSE_PROGRESS" => "auto",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_and_switches_are_those_of_the_user() {
        let of_the_user =
            [("DOCKER_HOST", "tcp://mine"), ("COMPOSE_BAKE", "1"), ("PATH", "/bin:.")];
        let shell = of_the_user.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shell = Shell::new(shell, "/".into());
        let assigned = [
            "DOCKER_HOST",
            "COMPOSE_BAKE",
            "COMPOSE_REMOVE_ORPHANS",
            "COMPOSE_PARALLEL_LIMIT",
            "COMPOSE_EXPERIMENTAL_GIT_REMOTE",
            "COMPOSE_FILE",
            "COMPOSE_OF_TOMORROW",
            "DOCKER_REGISTRY",
        ];
        let project = ComposeProject {
            assigned: assigned.map(str::to_owned).into(),
            stored: [("KEY".to_owned(), Secret::new("k"))].into(),
            ..ComposeProject::default()
        };
        let found = compose_environment(&shell, &project);
        for (name, value) in [
            ("DOCKER_HOST", Some("tcp://mine")),
            ("COMPOSE_BAKE", Some("1")),
            ("PATH", Some("/bin")),
            ("DOCKER_CONTEXT", Some("")),
            ("DOCKER_CONFIG", Some("")),
            ("COMPOSE_REMOVE_ORPHANS", Some("")),
            ("COMPOSE_OF_TOMORROW", Some("")),
            ("COMPOSE_PARALLEL_LIMIT", Some("-1")),
            ("COMPOSE_EXPERIMENTAL_GIT_REMOTE", Some("false")),
            ("COMPOSE_EXPERIMENTAL_OCI_REMOTE", Some("false")),
            ("COMPOSE_FILE", None),
            ("DOCKER_REGISTRY", None),
            ("KEY", Some("k")),
        ] {
            assert_eq!(found.get(name).map(String::as_str), value, "{name}");
        }
    }
}
