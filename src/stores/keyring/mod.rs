//! The keyring of the operating system: one entry per project and variable.
//!
//! Every call runs on a separate thread with a time limit, because a keyring may wait for the user to unlock it.

mod backend;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use super::scope::ProjectScope;
use super::{PreparedStore, SecretStore, SecretVisibility, StoreError, StoreKind, StoreProfile};
use crate::secret::Secret;
use crate::workspace::waiting;

use backend::{KeyringBackend, KeyringEntry, KeyringTrouble};

/// The properties of this store.
pub(super) const PROFILE: StoreProfile = StoreProfile {
    name: "keyring",
    title: "the keyring",
    summary: "The operating system's keyring",
    sight: SecretVisibility::Store,
    notice: None,
};

/// The time limit for a first answer.
const PROBE: Duration = Duration::from_secs(5);
/// The time limit for the user to unlock the keyring.
const UNLOCK: Duration = Duration::from_secs(60);

/// The keyring entries of one project.
#[derive(Debug)]
pub(super) struct KeyringStore {
    scope: ProjectScope,
    /// The keyring that answers, tried once, so that a hanging bus costs its time limit only once.
    reachable: OnceLock<Result<KeyringBackend, StoreError>>,
    /// The answers for each variable, until it is changed.
    answers: Mutex<BTreeMap<String, Result<Option<Secret>, StoreError>>>,
    /// Set when it stopped answering, so that it is not waited for again.
    silent: OnceLock<StoreError>,
}

impl KeyringStore {
    pub(super) fn new(scope: ProjectScope) -> Self {
        Self {
            scope,
            reachable: OnceLock::new(),
            answers: Mutex::default(),
            silent: OnceLock::new(),
        }
    }

    /// Checks that a keyring that survives a restart accepts, returns and removes a value.
    pub(super) fn probe_lasting(&self) -> Result<(), StoreError> {
        let backend = self.reachable()?;
        if !backend.lasts() {
            return Err(keyring_unavailable_error(format!(
                "only {} is here, which forgets everything when the machine restarts",
                backend.name()
            )));
        }
        self.probe(backend)
    }

    fn reachable(&self) -> Result<KeyringBackend, StoreError> {
        match self.silent.get() {
            Some(error) => Err(error.clone()),
            None => self.reachable.get_or_init(first_that_answers).clone(),
        }
    }

    fn probe(&self, backend: KeyringBackend) -> Result<(), StoreError> {
        let entry = KeyringEntry::new(backend, self.scope.entry("probe"));
        self.wait_for(backend, move || {
            entry.replace(&Secret::new("probe"))?;
            entry.forget().map(|_| ())
        })
    }

    /// Returns the keyring's answer, allowing time for the user to unlock it.
    fn wait_for<T: Send + 'static>(
        &self,
        backend: KeyringBackend,
        work: impl FnOnce() -> Result<T, KeyringTrouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        run_within(UNLOCK, work).map_err(|trouble| {
            let is_silent = matches!(trouble, KeyringTrouble::Silent(_));
            let error = trouble.into_error(backend);
            if is_silent {
                let _ = self.silent.set(error.clone());
            }
            error
        })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Result<Option<Secret>, StoreError>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, backend: KeyringBackend, name: &str) -> KeyringEntry {
        KeyringEntry::new(backend, self.scope.entry(name))
    }
}

impl SecretStore for KeyringStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Keyring
    }

    fn place(&self) -> String {
        match self.reachable() {
            Ok(backend) if backend.lasts() => format!("keyring ({})", backend.name()),
            Ok(backend) => format!("keyring ({}, until this machine restarts)", backend.name()),
            Err(_) => "keyring".to_owned(),
        }
    }

    /// Checks that the keyring that answers accepts and returns a value.
    fn check_ready(&self, _: &str) -> Result<(), StoreError> {
        self.probe(self.reachable()?)
    }

    /// Checks that a keyring answers, so that nothing is shown or asked that could not be done.
    fn prepare(&self, _: &[(&str, &Secret)]) -> Result<PreparedStore, StoreError> {
        self.reachable().map(|_| PreparedStore::default())
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        if let Some(answer) = self.known().get(name) {
            return answer.clone();
        }
        let backend = self.reachable()?;
        let entry = self.entry(backend, name);
        let answer = self.wait_for(backend, move || entry.get());
        self.known().insert(name.to_owned(), answer.clone());
        answer
    }

    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        let backend = self.reachable()?;
        self.probe(backend)?;
        self.known().remove(name);
        let (entry, secret) = (self.entry(backend, name), value.clone());
        self.wait_for(backend, move || entry.replace(&secret))
    }

    fn forget(&self, name: &str) -> Result<bool, StoreError> {
        let backend = self.reachable()?;
        self.known().remove(name);
        let entry = self.entry(backend, name);
        self.wait_for(backend, move || entry.forget())
    }
}

/// Returns the best keyring that answers.
fn first_that_answers() -> Result<KeyringBackend, StoreError> {
    let mut reasons = Vec::new();
    let mut is_silent = false;
    for backend in KeyringBackend::ALL {
        match run_within(PROBE, move || backend.answers()) {
            Ok(()) => return Ok(*backend),
            Err(trouble) => {
                is_silent |= matches!(trouble, KeyringTrouble::Silent(_));
                reasons.push(format!("{}: {}", backend.name(), trouble.reason()));
            }
        }
    }
    let reason = if reasons.is_empty() {
        "there is no keyring for this system".to_owned()
    } else {
        format!("no keyring answers ({})", reasons.join("; "))
    };
    Err(if is_silent {
        StoreError::Silent { store: StoreKind::Keyring, reason }
    } else {
        keyring_unavailable_error(reason)
    })
}

/// Returns the result of `work` if it ends in time; otherwise its thread continues until the process ends.
fn run_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, KeyringTrouble> + Send + 'static,
) -> Result<T, KeyringTrouble> {
    let (answer, answered) = mpsc::channel();
    std::thread::spawn(move || answer.send(work()));
    let soon = waiting::PATIENCE.min(limit);
    answered
        .recv_timeout(soon)
        .or_else(|_| {
            waiting::report_slow("the keyring");
            answered.recv_timeout(limit - soon)
        })
        .unwrap_or(Err(KeyringTrouble::Silent(limit)))
}

fn keyring_unavailable_error(reason: String) -> StoreError {
    StoreError::NotAvailable { store: StoreKind::Keyring, reason }
}
