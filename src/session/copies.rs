//! Copies of services' containers. A record in the user's state folder exists while one runs, so that the next command
//! removes what a killed run left, or recreates what it had replaced.
//!
//! The record is the copy's override file, locked by the process that owns the container.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::apply::{state_folder, write_private};
use crate::docker::{
    ComposeProject, Container, CopyPlace, Engine, ReplacedContainer, ServiceCopy, read_override,
};
use crate::error::{Error, ErrorCode, Result};
use crate::session::containers::ProjectContainers;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;

/// The folder of records, below the state folder.
const FOLDER: &str = "copies";

/// The file extension of a record.
const ENDING: &str = "yml";

/// The longest time to keep a record whose engine does not answer.
const MAX_RECORD_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The settings of a copy, apart from the service's own container.
#[derive(Debug)]
pub(crate) struct CopyRequest<'a> {
    /// The service in the compose file.
    pub(crate) service: &'a str,
    /// Variables that replace the service's own.
    pub(crate) environment: BTreeMap<String, String>,
    /// An additional host name for the engine's machine.
    pub(crate) machine_name: Option<String>,
    /// The port that requests go to; without one, the copy replaces the service's own container.
    pub(crate) port: Option<u16>,
}

/// A running copy; dropping it removes it, or recreates the service's own container.
#[derive(Debug)]
pub(crate) struct RunningCopy {
    container: Container,
    removal: CopyRemoval,
}

/// Removes a copy and its record when dropped.
#[derive(Debug)]
struct CopyRemoval {
    engine: Engine,
    record: CopyRecord,
    /// The container that the copy replaces.
    replaced: Option<(ReplacedContainer, ComposeProject)>,
}

/// The locked record of a copy.
#[derive(Debug)]
struct CopyRecord {
    id: String,
    path: PathBuf,
    file: File,
}

impl ProjectContainers {
    /// Starts a copy of a service's container, on the same networks, from the same image: next to it, or in its
    /// place.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`; `no-home`; `write-failed`.
    pub(crate) fn start_copy(
        &self,
        request: CopyRequest<'_>,
        context: &ProjectContext,
    ) -> Result<RunningCopy> {
        let failed = |message: String| Error::new(ErrorCode::DockerFailed, message);
        let container = self
            .running(request.service)
            .next()
            .ok_or_else(|| failed(format!("{} does not run", request.service)))?;
        let copy_place = match request.port {
            Some(port) => CopyPlace::Beside { port },
            None => CopyPlace::InPlace(self.replaced(container, context).map_err(failed)?),
        };
        let replaced = match &copy_place {
            CopyPlace::InPlace(replaced) => Some((replaced.clone(), self.project.clone())),
            CopyPlace::Beside { .. } => None,
        };
        let copy = ServiceCopy {
            id: format!("{:016x}", rand::random::<u64>()),
            service: request.service.to_owned(),
            image: container.image.clone(),
            environment: request.environment,
            machine_name: request.machine_name,
            place: copy_place,
        };
        let text = copy.override_file(self.resource_names()?, &self.engine.variables())?;
        let record = CopyRecord::create(&state_folder(context.shell)?, &copy.id, &text)?;
        let removal = CopyRemoval { engine: self.engine.clone(), record, replaced };
        let held = removal.record.held()?;
        let files = context.project.compose_files();
        self.engine.start_copy(&copy, &self.project, files, &removal.record.path, held)?;
        let container = self
            .engine
            .find_copy(&copy.id)?
            .ok_or_else(|| failed(format!("the second container of {} ended", copy.service)))?;
        Ok(RunningCopy { container, removal })
    }

    /// Returns what recreates a service's container as it is, or why it would become a different one.
    fn replaced(
        &self,
        container: &Container,
        context: &ProjectContext<'_>,
    ) -> std::result::Result<ReplacedContainer, String> {
        let service = &container.service;
        if self.running(service).count() > 1 {
            return Err(format!("{service} runs more than once"));
        }
        let digest = self.digest(service).ok_or_else(|| {
            format!("docker compose does not list {service}: COMPOSE_PROFILES enables its profile")
        })?;
        if container.digest.as_deref() != Some(digest) {
            return Err(format!("{service} runs with another configuration than its files say"));
        }
        Ok(ReplacedContainer {
            service: service.clone(),
            folder: self.project.folder.clone(),
            files: context.project.compose_files().to_vec(),
            digest: digest.to_owned(),
        })
    }

    /// Returns the addresses of the engine's machine on the networks of a running service.
    pub(crate) fn gateways(&self, service: &str) -> Vec<IpAddr> {
        let networks = self.running(service).flat_map(|container| &container.networks);
        networks.map(|network| network.gateway).collect()
    }

    /// Returns the published TCP ports of a running service, each with the container's port.
    pub(crate) fn published(&self, service: &str) -> Vec<(u16, SocketAddr)> {
        self.running(service).flat_map(|container| container.published.iter().copied()).collect()
    }

    /// Returns the container port that `published` on this machine maps to, else the first published one.
    pub(crate) fn port_behind(&self, service: &str, published: Option<u16>) -> Option<u16> {
        let ports = self.published(service);
        let named = ports.iter().find(|(_, address)| Some(address.port()) == published);
        named.or(ports.first()).map(|(port, _)| *port)
    }
}

impl RunningCopy {
    /// Returns the address of its port on this machine.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.container.published.first().map(|(_, address)| *address)
    }

    /// Returns its log; `None` once it has ended.
    pub(crate) fn log(&self) -> Option<String> {
        self.removal.engine.log(&self.container, None).ok()
    }

    /// Returns its address on the network with this gateway.
    pub(crate) fn address_behind(&self, gateway: IpAddr) -> Option<IpAddr> {
        let mut networks = self.container.networks.iter();
        networks.find(|network| network.gateway == gateway).map(|network| network.address)
    }
}

impl CopyRecord {
    /// Writes and locks a record in the folder `state`.
    ///
    /// # Errors
    /// `write-failed`.
    fn create(state: &Path, id: &str, text: &str) -> Result<Self> {
        let path = state.join(FOLDER).join(format!("{id}.{ENDING}"));
        write_private(&path, None, text)?;
        Self::hold(path).ok_or_else(|| {
            let message = "another command treated the record of a second container as stale";
            Error::new(ErrorCode::Busy, message)
        })
    }

    /// Returns the lock for a child process, which holds it while it runs.
    fn held(&self) -> Result<File> {
        let message = "the record of a container cannot be locked";
        self.file
            .try_clone()
            .map_err(|error| Error::new(ErrorCode::DockerFailed, message).cause(error))
    }

    /// Locks a record; `None` if its copy may be running, or it is no record.
    fn hold(path: PathBuf) -> Option<Self> {
        let id = path.file_stem()?.to_str()?.to_owned();
        let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_record = path.extension().is_some_and(|ending| ending == ENDING) && is_id;
        let file = is_record.then(|| File::open(&path).ok())??;
        // On a file system without locks, no other run can hold it.
        let is_held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        (!is_held && path.exists()).then_some(Self { id, path, file })
    }
}

impl CopyRemoval {
    /// Undoes what the copy's start did.
    ///
    /// # Errors
    /// `docker-failed`; the record is then kept for a later command.
    fn finish(&self) -> Result<()> {
        let Some((replaced, project)) = &self.replaced else {
            return remove_recorded_copy(&self.engine, &self.record).map(drop);
        };
        let service = &replaced.service;
        let runs = |all: Vec<Container>| {
            all.iter().any(|container| container.running && container.service == *service)
        };
        // A start that failed may have left the service's own container where it was, or nothing at all.
        if self.engine.has_copy(&self.record.id)? || !self.engine.containers().is_ok_and(runs) {
            self.engine.put_back(replaced, project, self.record.held()?)?;
        }
        discard_record(&self.record);
        Ok(())
    }
}

impl Drop for CopyRemoval {
    fn drop(&mut self) {
        // On another thread, because waiting for docker starts a runtime, which fails inside another one.
        let _ = std::thread::scope(|scope| scope.spawn(|| self.finish()).join());
    }
}

/// Removes a copy, then its record. Returns whether there was a container.
///
/// # Errors
/// `docker-failed`; the record is then kept for a later command.
fn remove_recorded_copy(engine: &Engine, record: &CopyRecord) -> Result<bool> {
    let removed = engine.remove_copy(&record.id)?;
    discard_record(record);
    Ok(removed)
}

/// Removes copies that earlier runs left, and recreates what they replaced. Calls docker only if there is a record.
pub(crate) fn sweep(shell: &Shell, ui: &mut Ui) {
    let Ok(state) = state_folder(shell) else { return };
    let entries = std::fs::read_dir(state.join(FOLDER)).into_iter().flatten().flatten();
    for record in entries.filter_map(|entry| CopyRecord::hold(entry.path())) {
        let text = std::fs::read_to_string(&record.path).unwrap_or_default();
        // An incomplete record means that nothing was started.
        let Some((variables, replaced)) = read_override(&text) else {
            discard_record(&record);
            continue;
        };
        let mut shell = shell.clone();
        for (name, value) in variables {
            shell = shell.with(&name, value);
        }
        let engine = Engine::find(&shell, PathBuf::new());
        let done = match (&engine, &replaced) {
            (None, _) => Ok(None),
            (Some(engine), None) => remove_recorded_copy(engine, &record).map(|removed| {
                removed.then(|| "removed the second container that an earlier run left".to_owned())
            }),
            (Some(engine), Some(replaced)) => put_back(engine, &record, replaced, shell, ui),
        };
        let is_open = done.is_err() || engine.is_none();
        match done {
            Ok(note) => note.into_iter().for_each(|line| ui.say(line)),
            Err(error) if replaced.is_none() => ui.detail(error.cause.unwrap_or(error.message)),
            Err(error) => warn_left_copies(replaced.iter(), &error, ui),
        }
        if is_open && is_expired(&record.path) {
            discard_record(&record);
        }
    }
}

/// Recreates a service's own container in place of a copy that an earlier run left. Returns what was done.
///
/// # Errors
/// As [`Engine::put_back`]; `docker-failed` if the service's configuration has changed.
fn put_back(
    engine: &Engine,
    record: &CopyRecord,
    replaced: &ReplacedContainer,
    shell: Shell,
    ui: &mut Ui,
) -> Result<Option<String>> {
    if !engine.has_copy(&record.id)? {
        discard_record(record);
        return Ok(None);
    }
    let service = &replaced.service;
    ui.progress(&format!("putting the container of {service} back"));
    let files: Vec<String> = replaced.files.iter().map(|path| path.display().to_string()).collect();
    let separator = Shell::path_separator();
    let shell = shell
        .with("COMPOSE_FILE", files.join(separator))
        .with("COMPOSE_PATH_SEPARATOR", separator.to_owned());
    let context = ProjectContext::find(&shell, Some(&replaced.folder))?;
    let containers = ProjectContainers::find(&context, ui);
    let same = containers.filter(|all| all.digest(service) == Some(&replaced.digest)).ok_or_else(
        || {
            Error::new(
                ErrorCode::DockerFailed,
                format!("the configuration of {service} has changed since"),
            )
        },
    )?;
    engine.put_back(replaced, &same.project, record.held()?)?;
    discard_record(record);
    ui.progress_done();
    Ok(Some(format!("put the container of {service} back that an earlier run had replaced")))
}

/// Warns that a service still runs as a copy, with the command that restores it.
fn warn_left_copies<'a>(
    replaced: impl Iterator<Item = &'a ReplacedContainer>,
    error: &Error,
    ui: &mut Ui,
) {
    for one in replaced {
        let text = format!(
            "{} still sends through a tap that has ended: {}",
            one.service,
            error.cause.as_ref().unwrap_or(&error.message)
        );
        let hint = format!(
            "`cruddur-ops -C {} run -- {}` puts its own container back",
            one.folder.display(),
            one.command()
        );
        ui.warn(text, Some(&hint));
    }
}

/// Removes only the record.
fn discard_record(record: &CopyRecord) {
    let _ = std::fs::remove_file(&record.path);
}

fn is_expired(path: &Path) -> bool {
    let written = path.symlink_metadata().and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age > MAX_RECORD_AGE)
}
