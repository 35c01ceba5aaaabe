//! The operating systems' keyrings behind one interface. Their errors may contain bytes of a secret: they are reduced
//! to [`KeyringTrouble`] here and never printed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring::CredentialStore;

use crate::secret::Secret;
use crate::stores::{StoreError, StoreKind};

/// The service name of all our entries.
const SERVICE: &str = "cruddur-ops";

/// A keyring this build supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyringBackend {
    #[cfg(target_os = "linux")]
    SecretService,
    #[cfg(target_os = "linux")]
    Keyutils,
    #[cfg(target_os = "macos")]
    Keychain,
}

/// The reason why a keyring request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyringTrouble {
    /// No keyring answers.
    Absent(String),
    /// The keyring is locked, or none of it is accessible.
    Locked(String),
    /// The keyring failed.
    Broken(String),
    /// The keyring did not answer in time.
    Silent(Duration),
    /// The keyring accepted a value and did not return it.
    Lost,
}

impl KeyringTrouble {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Absent(reason) | Self::Locked(reason) | Self::Broken(reason) => reason.clone(),
            Self::Silent(limit) => format!("no answer within {} seconds", limit.as_secs()),
            Self::Lost => "it does not return what was stored".to_owned(),
        }
    }

    pub(super) fn into_error(self, backend: KeyringBackend) -> StoreError {
        let store = StoreKind::Keyring;
        let reason = format!("{}: {}", backend.name(), self.reason());
        match self {
            Self::Absent(_) => StoreError::NotAvailable { store, reason },
            Self::Locked(_) => StoreError::Locked { store, reason },
            Self::Broken(_) | Self::Silent(_) | Self::Lost => StoreError::failed(store, reason),
        }
    }
}

impl KeyringBackend {
    /// All keyrings, best first.
    #[cfg(target_os = "linux")]
    pub(super) const ALL: &'static [Self] = &[Self::SecretService, Self::Keyutils];
    #[cfg(target_os = "macos")]
    pub(super) const ALL: &'static [Self] = &[Self::Keychain];

    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Self::SecretService => "Secret Service",
            #[cfg(target_os = "linux")]
            Self::Keyutils => "kernel keyring",
            #[cfg(target_os = "macos")]
            Self::Keychain => "macOS Keychain",
        }
    }

    /// Returns whether it survives a restart of the machine.
    pub(super) fn lasts(self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Keyutils => false,
            #[allow(unreachable_patterns)]
            _ => true,
        }
    }

    /// Checks that it answers and would accept a value.
    pub(super) fn answers(self) -> Result<(), KeyringTrouble> {
        #[cfg(target_os = "linux")]
        if self == Self::Keyutils {
            return own_session();
        }
        self.open().map(|_| ())
    }

    fn open(self) -> Result<Arc<CredentialStore>, KeyringTrouble> {
        let opened: keyring::Result<Arc<CredentialStore>> = match self {
            #[cfg(target_os = "linux")]
            Self::SecretService => {
                dbus_secret_service_keyring_store::Store::new().map(|store| store as _)
            }
            #[cfg(target_os = "linux")]
            Self::Keyutils => linux_keyutils_keyring_store::Store::new().map(|store| store as _),
            #[cfg(target_os = "macos")]
            Self::Keychain => {
                apple_native_keyring_store::keychain::Store::new().map(|store| store as _)
            }
        };
        opened.map_err(|error| match keyring_trouble(error) {
            KeyringTrouble::Broken(reason) => KeyringTrouble::Absent(reason),
            other => other,
        })
    }
}

/// An entry of a keyring.
#[derive(Debug, Clone)]
pub(super) struct KeyringEntry {
    backend: KeyringBackend,
    user: String,
}

impl KeyringEntry {
    pub(super) fn new(backend: KeyringBackend, user: String) -> Self {
        Self { backend, user }
    }

    pub(super) fn get(&self) -> Result<Option<Secret>, KeyringTrouble> {
        match self.open()?.get_password() {
            Ok(value) => Ok(Some(Secret::new(value)).filter(|secret| !secret.is_empty())),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(keyring_trouble(error)),
        }
    }

    fn set(&self, value: &Secret) -> Result<(), KeyringTrouble> {
        self.open()?.set_password(value.expose()).map_err(keyring_trouble)
    }

    /// Sets the value and reads it back. On failure, restores the previous value, and removes one that cannot be read
    /// back.
    pub(super) fn replace(&self, value: &Secret) -> Result<(), KeyringTrouble> {
        let before = self.get()?;
        let trouble = match self.set(value).and_then(|()| self.get()) {
            Ok(Some(back)) if back == *value => return Ok(()),
            Ok(_) => KeyringTrouble::Lost,
            Err(trouble) => trouble,
        };
        // Only the first failure shows what is wrong.
        let _ = match before {
            Some(before) => self.set(&before),
            None => self.forget().map(|_| ()),
        };
        Err(trouble)
    }

    pub(super) fn forget(&self) -> Result<bool, KeyringTrouble> {
        match self.open()?.delete_credential() {
            Ok(()) => Ok(true),
            Err(keyring::Error::NoEntry) => Ok(false),
            Err(error) => Err(keyring_trouble(error)),
        }
    }

    fn open(&self) -> Result<keyring::Entry, KeyringTrouble> {
        let label = format!("{SERVICE}: {}", self.user);
        let modifiers =
            self.backend.takes_labels().then(|| HashMap::from([("label", label.as_str())]));
        self.backend.open()?.build(SERVICE, &self.user, modifiers.as_ref()).map_err(keyring_trouble)
    }
}

impl KeyringBackend {
    /// Returns whether entries have labels, for people who look through the keyring.
    fn takes_labels(self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::SecretService => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}

/// Checks that the shell has its own session, without which the kernel does not keep keys: it accepts a value, fails,
/// and leaves it where we cannot remove it. So nothing may be written in that case, not even as a trial.
#[cfg(target_os = "linux")]
fn own_session() -> Result<(), KeyringTrouble> {
    const SHARED_SESSION_KEYRING: &str = "_uid_ses";
    let absent = || KeyringTrouble::Absent("this shell has no session keyring".to_owned());
    let entry = KeyringEntry::new(KeyringBackend::Keyutils, "probe".to_owned()).open()?;
    let session = entry
        .as_any()
        .downcast_ref::<linux_keyutils_keyring_store::Cred>()
        .and_then(|cred| cred.session.metadata().ok())
        .ok_or_else(absent)?;
    if session.get_description().starts_with(SHARED_SESSION_KEYRING) {
        return Err(absent());
    }
    Ok(())
}

/// Passes on only messages that cannot contain the secret.
fn keyring_trouble(error: keyring::Error) -> KeyringTrouble {
    match error {
        keyring::Error::NoStorageAccess(error) => {
            KeyringTrouble::Locked(plain_keyring_message(&error.to_string()))
        }
        keyring::Error::PlatformFailure(error) => {
            KeyringTrouble::Broken(plain_keyring_message(&error.to_string()))
        }
        keyring::Error::NoEntry => KeyringTrouble::Lost,
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => {
            KeyringTrouble::Broken("what it holds is not text".to_owned())
        }
        keyring::Error::TooLong(_, most) => {
            KeyringTrouble::Broken(format!("the value is longer than {most} characters"))
        }
        keyring::Error::Ambiguous(entries) => {
            KeyringTrouble::Broken(format!("{} entries have this name", entries.len()))
        }
        keyring::Error::NotSupportedByStore(_) | keyring::Error::NoDefaultStore => {
            KeyringTrouble::Broken("it cannot do this".to_owned())
        }
        _ => KeyringTrouble::Broken("it failed".to_owned()),
    }
}

/// Replaces libdbus's message about X11, which means that there is no session bus.
fn plain_keyring_message(message: &str) -> String {
    if message.contains("X11") || message.contains("autolaunch") {
        return "there is no D-Bus session".to_owned();
    }
    if message.contains("ServiceUnknown") || message.contains("was not provided by any .service") {
        return "no keyring service runs on the D-Bus session".to_owned();
    }
    if message.contains("no result found") {
        return "it has no unlocked collection".to_owned();
    }
    message.lines().next().unwrap_or_default().trim().to_owned()
}
