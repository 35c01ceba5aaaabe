//! Second containers of services. A record in the user's state folder exists while one runs, so that the next command
//! removes what a killed run left.
//!
//! The record is the copy's override file, locked by the process that owns the container.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::apply::{state_folder, write_private};
use crate::docker::{Container, Engine, ServiceCopy, engine_of};
use crate::error::{Error, ErrorCode, Result};
use crate::session::containers::Containers;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;

/// The folder of records, below the state folder.
const FOLDER: &str = "copies";

/// The file extension of a record.
const ENDING: &str = "yml";

/// The longest time to keep a record whose engine does not answer.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The settings of a copy, apart from the service's own container.
#[derive(Debug)]
pub(crate) struct CopyRequest<'a> {
    /// The service in the compose file.
    pub(crate) service: &'a str,
    /// Variables that replace the service's own.
    pub(crate) environment: BTreeMap<String, String>,
    /// An additional host name for the engine's machine.
    pub(crate) machine_name: Option<String>,
    /// The port that requests go to.
    pub(crate) port: u16,
}

/// A running copy; dropping it removes it.
#[derive(Debug)]
pub(crate) struct RunningCopy {
    container: Container,
    removal: Removal,
}

/// Removes a copy and its record when dropped.
#[derive(Debug)]
struct Removal {
    engine: Engine,
    record: CopyRecord,
}

/// The locked record of a copy.
#[derive(Debug)]
struct CopyRecord {
    id: String,
    path: PathBuf,
    file: File,
}

impl Containers {
    /// Starts a second container of a service that has one, on the same networks, from the same image.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`; `no-home`; `write-failed`.
    pub(crate) fn start_copy(
        &self,
        request: CopyRequest<'_>,
        place: &ProjectContext,
    ) -> Result<RunningCopy> {
        let failed = |message: String| Error::new(ErrorCode::DockerFailed, message);
        let own = self.running(request.service).next();
        let own = own.ok_or_else(|| failed(format!("{} does not run", request.service)))?;
        let copy = ServiceCopy {
            id: format!("{:016x}", rand::random::<u64>()),
            service: request.service.to_owned(),
            image: own.image.clone(),
            environment: request.environment,
            machine_name: request.machine_name,
            port: request.port,
        };
        let text = copy.override_file(self.resource_names()?, &self.engine.variables())?;
        let record = CopyRecord::create(&state_folder(place.shell)?, &copy.id, &text)?;
        let removal = Removal { engine: self.engine.clone(), record };
        let held = removal.record.file.try_clone().map_err(|error| {
            failed("the record of a second container cannot be held".to_owned()).cause(error)
        })?;
        let files = place.project.compose_files();
        self.engine.start_copy(&copy, &self.project, files, &removal.record.path, held.into())?;
        let container = self.engine.find_copy(&copy.id)?;
        let container = container
            .ok_or_else(|| failed(format!("the second container of {} ended", copy.service)))?;
        Ok(RunningCopy { container, removal })
    }

    /// Returns the addresses of the engine's machine on the networks of a running service.
    pub(crate) fn gateways(&self, service: &str) -> Vec<IpAddr> {
        let networks = self.running(service).flat_map(|one| &one.networks);
        networks.map(|network| network.gateway).collect()
    }

    /// Returns the container port that `published` on this machine maps to, else the first published one.
    pub(crate) fn port_behind(&self, service: &str, published: Option<u16>) -> Option<u16> {
        let ports: Vec<_> = self.running(service).flat_map(|one| &one.published).collect();
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
        networks.find(|one| one.gateway == gateway).map(|one| one.address)
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
            let message = "another command took the record of a second container for a dead one";
            Error::new(ErrorCode::Busy, message)
        })
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

impl Drop for Removal {
    fn drop(&mut self) {
        // On another thread, because waiting for docker starts a runtime, which fails inside another one.
        let work = || remove(&self.engine, &self.record).map(drop);
        let _ = std::thread::scope(|scope| scope.spawn(work).join());
    }
}

/// Removes a copy, then its record. Returns whether there was a container.
///
/// # Errors
/// `docker-failed`; the record is then kept for a later command.
fn remove(engine: &Engine, record: &CopyRecord) -> Result<bool> {
    let removed = engine.remove_copy(&record.id)?;
    let _ = std::fs::remove_file(&record.path);
    Ok(removed)
}

/// Removes copies that earlier runs left. Calls docker only if there is a record.
pub(crate) fn sweep(shell: &Shell, ui: &mut Ui) {
    let Ok(state) = state_folder(shell) else { return };
    let entries = std::fs::read_dir(state.join(FOLDER)).into_iter().flatten().flatten();
    for record in entries.filter_map(|entry| CopyRecord::hold(entry.path())) {
        match sweep_one(shell, &record) {
            Ok(true) => ui.say("removed the second container that an earlier run left"),
            Ok(false) => {}
            Err(error) => ui.detail(error.cause.unwrap_or(error.message)),
        }
    }
}

fn sweep_one(shell: &Shell, record: &CopyRecord) -> Result<bool> {
    let text = std::fs::read_to_string(&record.path).unwrap_or_default();
    // An incomplete record means that nothing was started.
    let engine = engine_of(&text).map(|variables| {
        let shell = variables
            .into_iter()
            .fold(shell.clone(), |shell, (name, value)| shell.with(&name, value));
        Engine::find(&shell, PathBuf::new())
    });
    match engine {
        Some(Some(engine)) => {
            remove(&engine, record).or_else(|error| match is_past(&record.path) {
                true => Ok(discard(record)),
                false => Err(error),
            })
        }
        Some(None) if !is_past(&record.path) => Ok(false),
        _ => Ok(discard(record)),
    }
}

/// Removes only the record.
fn discard(record: &CopyRecord) -> bool {
    let _ = std::fs::remove_file(&record.path);
    false
}

fn is_past(path: &Path) -> bool {
    let written = path.symlink_metadata().and_then(|about| about.modified());
    let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age > LONGEST)
}
