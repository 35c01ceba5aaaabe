//! The Docker engine, through `docker`: a project's containers, their start and logs, and, through `docker compose`,
//! the digests of its services, restarts, and second containers.
//!
//! Independent of the project's files. Docker's output may contain secrets: it is parsed, and never shown unchanged.

mod compose;
mod container;
mod copy;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;
use crate::workspace::program::{self, ProgramFailure, ProgramOutput};

pub use compose::ComposeProject;
pub(crate) use container::Container;
pub(crate) use copy::{CopyPlace, ReplacedContainer, ResourceNames, ServiceCopy, read_override};

/// The time limit of a docker command; loading a project with many services can take a while.
const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(10);

/// The number of recent log lines to read.
const TAIL: &str = "200";

/// The label with the folder that a container's project was started from.
const FOLDER_LABEL: &str = "com.docker.compose.project.working_dir";

/// The engine of the user's `docker`.
#[derive(Debug, Clone)]
pub struct Engine {
    program: PathBuf,
    shell: Shell,
    /// The folder of the project's first compose file.
    root: PathBuf,
}

impl Engine {
    /// Returns the engine as `shell` reaches it, for the project in `root`; `None` without docker on PATH.
    pub fn find(shell: &Shell, root: PathBuf) -> Option<Self> {
        Some(Self { program: shell.which("docker")?, shell: shell.clone(), root })
    }

    /// Returns the variables of this shell that determine the engine and the project.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let named = ["DOCKER_HOST", "DOCKER_CONTEXT", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"]
            .into_iter();
        let set =
            named.filter_map(|name| Some((name.to_owned(), self.shell.var(name)?.to_owned())));
        set.collect()
    }

    /// Returns the containers of the project, running or not, excluding projects of the same name in other folders.
    /// Reads no file of the project.
    ///
    /// # Errors
    /// `docker-failed` when no engine answers.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let filter = format!("label={FOLDER_LABEL}");
        let format = format!("{{{{.ID}}}} {{{{.Label \"{FOLDER_LABEL}\"}}}}");
        let listing = ["ps", "--all", "--no-trunc", "--filter", &filter, "--format", &format];
        let listed = self.docker(&listing)?.stdout;
        let ids = container::read_ids(&listed, &self.root);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let inspection = [&["inspect", "--format", container::FORMAT], ids.as_slice()].concat();
        Ok(container::read_service_containers(&self.docker(&inspection)?.stdout))
    }

    /// Returns the digest of each service's configuration as its files and variables are now.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`.
    pub fn digests(&self, project: &ComposeProject) -> Result<BTreeMap<String, String>> {
        const DIGESTS: [&str; 4] = ["compose", "config", "--hash", "*"];
        let listed = self.compose(&DIGESTS, project)?;
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(service, digest)| (service.to_owned(), digest.trim().to_owned())).collect())
    }

    /// Returns the end of a container's log, or everything since `since`: its stdout, then its stderr.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn log(&self, container: &Container, since: Option<SystemTime>) -> Result<String> {
        let since = since.map(|time| humantime::format_rfc3339_millis(time).to_string());
        let mut arguments = vec!["logs", "--tail", TAIL];
        if let Some(since) = &since {
            arguments.extend(["--since", since]);
        }
        arguments.push(&container.id);
        let ProgramOutput { stdout, stderr, .. } = self.docker(&arguments)?;
        Ok(stdout + &stderr)
    }

    /// Rebuilds `services` that are built here, and recreates their containers; `report` gets each line of docker's
    /// output.
    ///
    /// # Errors
    /// `docker-failed` with docker's last lines; `remote-resource`.
    pub async fn restart(
        &self,
        project: &ComposeProject,
        services: &[String],
        scope: RestartScope,
        mut report: impl FnMut(&str),
    ) -> Result<()> {
        const MAX_SHOWN_LINES: usize = 6;
        let arguments = scope.arguments();
        let mut command = compose::command(&self.program, arguments, &self.shell, project)?;
        command
            .arg("--")
            .args(services)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| docker_error(arguments, &error.to_string()))?;
        let mut last: Vec<String> = Vec::new();
        if let Some(stream) = child.stderr.take() {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                report(line.trim());
                last.push(line);
                if last.len() > MAX_SHOWN_LINES {
                    last.remove(0);
                }
            }
        }
        let status = child.wait().await;
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err(docker_error(arguments, last.join("\n").trim())),
        }
    }

    /// Runs `docker` outside the project's folder.
    fn docker(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        require_success(
            arguments,
            program::capture(&self.program, arguments, &self.shell, COMMAND_TIME_LIMIT),
        )
    }

    /// Runs `docker compose` for the project and returns its output.
    fn compose(&self, arguments: &[&str], project: &ComposeProject) -> Result<String> {
        let command = compose::command(&self.program, arguments, &self.shell, project)?;
        Ok(require_success(arguments, program::capture_command(command, "", COMMAND_TIME_LIMIT))?
            .stdout)
    }
}

fn require_success(
    arguments: &[&str],
    ended: Result<ProgramOutput, ProgramFailure>,
) -> Result<ProgramOutput> {
    let captured = ended.map_err(|failure| docker_error(arguments, &failure.to_string()))?;
    match captured.status {
        Some(0) => Ok(captured),
        _ => Err(docker_error(arguments, captured.stderr.trim())),
    }
}

/// The containers a restart of services may start in addition to theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartScope {
    /// None.
    Alone,
    /// Those they depend on that are not running, or run with another configuration.
    WithDependencies,
}

impl RestartScope {
    /// Returns docker's arguments to recreate the containers of some services.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Alone => {
                &["compose", "up", "--detach", "--build", "--no-deps", "--force-recreate"]
            }
            Self::WithDependencies => &["compose", "up", "--detach", "--build", "--force-recreate"],
        }
    }
}

/// Returns the command that does the same as [`Engine::restart`].
pub fn restart_command(services: &[String], scope: RestartScope) -> String {
    format!("docker {} {}", scope.arguments().join(" "), services.join(" "))
}

fn docker_error(arguments: &[&str], message: &str) -> Error {
    let verb = arguments.iter().take(2).copied().collect::<Vec<_>>();
    Error::new(ErrorCode::DockerFailed, format!("`docker {}` failed", verb.join(" ")))
        .cause(message)
}
