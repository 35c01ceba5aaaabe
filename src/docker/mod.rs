//! The Docker engine, by way of `docker compose`: which containers of a project there are, what they were started with, what
//! their logs say, and a restart.
//!
//! Knows nothing of the project's files. Whatever docker writes may hold secrets: it is read, never shown as it is.

mod container;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::shell::Shell;
use crate::workspace::program::{self, Captured};

pub use container::Container;

/// Docker answers at once or not at all; a project of many services takes a while to load.
const LIMIT: Duration = Duration::from_secs(10);

/// What a log is read for happened lately.
const TAIL: &str = "200";

/// `docker compose` in the folder of one project.
#[derive(Debug, Clone)]
pub struct Engine {
    program: PathBuf,
    shell: Shell,
}

impl Engine {
    /// The engine as `shell` reaches it, with `stored` in docker's environment besides; `None` where no docker is on PATH.
    pub fn find(shell: &Shell, root: &Path, stored: &BTreeMap<String, Secret>) -> Option<Self> {
        let program = shell.which("docker")?;
        let own = shell.variables().iter();
        let own = own.map(|(name, value)| (name.clone(), value.clone()));
        let stored = stored.iter();
        let stored = stored.map(|(name, secret)| (name.clone(), secret.expose().to_owned()));
        Some(Self { program, shell: Shell::new(own.chain(stored), root.to_owned()) })
    }

    /// The containers of the project in this folder, running or not; another folder's project may have the same name.
    ///
    /// # Errors
    /// `docker-failed` where no engine answers, or `docker` knows no `compose`.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let listed = self.compose(&["ps", "--all", "--format", "json"])?;
        let root = self.shell.folder();
        let mut containers = container::read(&listed, root);
        if containers.is_empty() {
            return Ok(containers);
        }
        let ids: Vec<&str> = containers.iter().map(|one| one.id.as_str()).collect();
        let arguments =
            [&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}"], ids.as_slice()].concat();
        let started = container::starts(&self.docker(&arguments)?);
        for one in &mut containers {
            let own = started.iter().find(|(id, _)| id.starts_with(&one.id));
            one.started = own.map(|(_, time)| *time);
        }
        Ok(containers)
    }

    /// The digest of each service's configuration as its files and variables are now.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn digests(&self) -> Result<BTreeMap<String, String>> {
        let listed = self.compose(&["config", "--hash", "*"])?;
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(service, digest)| (service.to_owned(), digest.trim().to_owned())).collect())
    }

    /// The end of a service's log, or what it wrote from `since` on.
    ///
    /// # Errors
    /// `docker-failed`.
    pub fn log(&self, service: &str, since: Option<SystemTime>) -> Result<String> {
        let since = since.map(|time| humantime::format_rfc3339_millis(time).to_string());
        let mut arguments = vec!["logs", "--no-color", "--no-log-prefix", "--tail", TAIL];
        if let Some(since) = &since {
            arguments.extend(["--since", since]);
        }
        arguments.push(service);
        self.compose(&arguments)
    }

    /// Builds `services` again where they are built here and puts new containers in the place of theirs alone; `said` gets
    /// each line that docker writes meanwhile.
    ///
    /// # Errors
    /// `docker-failed` with docker's last lines.
    pub async fn restart(&self, services: &[String], mut said: impl FnMut(&str)) -> Result<()> {
        const KEPT: usize = 6;
        let mut child = tokio::process::Command::new(&self.program)
            .args(RESTART)
            .args(services)
            .current_dir(self.shell.folder())
            .env_clear()
            .envs(self.shell.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&RESTART, &error.to_string()))?;
        let mut last: Vec<String> = Vec::new();
        if let Some(stream) = child.stderr.take() {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                said(line.trim());
                last.push(line);
                if last.len() > KEPT {
                    last.remove(0);
                }
            }
        }
        let status = child.wait().await;
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err(failed(&RESTART, last.join("\n").trim())),
        }
    }

    fn compose(&self, arguments: &[&str]) -> Result<String> {
        self.docker(&[&["compose"], arguments].concat())
    }

    fn docker(&self, arguments: &[&str]) -> Result<String> {
        let Captured { status, stdout, stderr } =
            program::capture(&self.program, arguments, &self.shell, LIMIT)
                .map_err(|failure| failed(arguments, &failure.to_string()))?;
        match status {
            Some(0) => Ok(stdout),
            _ => Err(failed(arguments, stderr.trim())),
        }
    }
}

/// What puts new containers in the place of a few.
const RESTART: [&str; 6] =
    ["compose", "up", "--detach", "--build", "--no-deps", "--force-recreate"];

/// The command that does by hand what [`Engine::restart`] does.
pub fn restart_command(services: &[String]) -> String {
    format!("docker {} {}", RESTART.join(" "), services.join(" "))
}

fn failed(arguments: &[&str], said: &str) -> Error {
    let verb = arguments.iter().take(2).copied().collect::<Vec<_>>();
    Error::new("docker-failed", format!("`docker {}` failed", verb.join(" "))).cause(said)
}
