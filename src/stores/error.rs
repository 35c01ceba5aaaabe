//! Why a store did not do what it was asked, and what to do about it.

use super::StoreKind;
use crate::error::{Error, ErrorCode};

/// A store that did not answer as it should. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// This store does not exist here: no keyring service, not a Gitpod workspace.
    NotAvailable {
        /// The store.
        store: StoreKind,
        /// Lowercase, without a full stop.
        reason: String,
    },
    /// Somebody is there who does not answer in time.
    Silent {
        /// The store.
        store: StoreKind,
        /// Lowercase, without a full stop.
        reason: String,
    },
    /// It exists and is locked.
    Locked {
        /// The store.
        store: StoreKind,
        /// Lowercase, without a full stop.
        reason: String,
    },
    /// It would damage or publish this value.
    Refused {
        /// The store.
        store: StoreKind,
        /// Lowercase, without a full stop.
        reason: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// It tried and failed, or did not answer in time.
    Failed {
        /// The store.
        store: StoreKind,
        /// Lowercase, without a full stop.
        reason: String,
        /// What the store itself said.
        cause: Option<String>,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl StoreError {
    pub(super) fn failed(store: StoreKind, reason: impl Into<String>) -> Self {
        Self::Failed { store, reason: reason.into(), cause: None, hint: None }
    }

    /// The store it is about.
    pub fn store(&self) -> StoreKind {
        match self {
            Self::NotAvailable { store, .. }
            | Self::Silent { store, .. }
            | Self::Locked { store, .. }
            | Self::Refused { store, .. }
            | Self::Failed { store, .. } => *store,
        }
    }

    /// The reason alone, for a line of `key status`.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotAvailable { reason, .. }
            | Self::Silent { reason, .. }
            | Self::Locked { reason, .. }
            | Self::Refused { reason, .. }
            | Self::Failed { reason, .. } => reason,
        }
    }

    /// The failure alone, without another store to go to.
    pub fn told(self) -> Error {
        let text = format!("store `{}`: {}", self.store(), self.reason());
        match self {
            Self::NotAvailable { .. } | Self::Silent { .. } => {
                Error::new(ErrorCode::StoreUnavailable, text)
            }
            Self::Locked { .. } => {
                Error::new(ErrorCode::StoreLocked, text).hint("unlock it and try again")
            }
            Self::Refused { hint, .. } => hinted(Error::new(ErrorCode::StoreRefused, text), hint),
            Self::Failed { cause, hint, .. } => {
                let error = Error::new(ErrorCode::StoreFailed, text);
                let error = match cause {
                    Some(cause) => error.cause(cause),
                    None => error,
                };
                hinted(error, hint)
            }
        }
    }
}

/// The store that every machine has, for whichever command asked.
const IN_A_FILE: &str = "`--store dotenv` keeps it in a git-ignored .env";

impl From<StoreError> for Error {
    /// The failure to take a secret, with the store that takes it instead.
    fn from(error: StoreError) -> Self {
        let instead = match &error {
            StoreError::NotAvailable { store, .. } => *store != StoreKind::Dotenv,
            StoreError::Silent { .. } | StoreError::Locked { .. } => true,
            StoreError::Refused { .. } | StoreError::Failed { .. } => false,
        };
        let error = error.told();
        if instead { error.hint(IN_A_FILE) } else { error }
    }
}

fn hinted(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
