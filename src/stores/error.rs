//! Errors of stores, with remedies.

use super::StoreKind;
use crate::error::{Error, ErrorCode};

/// A failed request to a store. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The store does not exist here: no keyring service, not a Gitpod workspace.
    NotAvailable {
        /// The store.
        store: StoreKind,
        /// Lower case, without a full stop.
        reason: String,
    },
    /// The store exists and does not answer in time.
    Silent {
        /// The store.
        store: StoreKind,
        /// Lower case, without a full stop.
        reason: String,
    },
    /// The store is locked.
    Locked {
        /// The store.
        store: StoreKind,
        /// Lower case, without a full stop.
        reason: String,
    },
    /// The store would damage or publish this value.
    Refused {
        /// The store.
        store: StoreKind,
        /// Lower case, without a full stop.
        reason: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// The store failed or timed out.
    Failed {
        /// The store.
        store: StoreKind,
        /// Lower case, without a full stop.
        reason: String,
        /// The store's own message.
        cause: Option<String>,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl StoreError {
    pub(super) fn failed(store: StoreKind, reason: impl Into<String>) -> Self {
        Self::Failed { store, reason: reason.into(), cause: None, hint: None }
    }

    /// Returns the store.
    pub fn store(&self) -> StoreKind {
        match self {
            Self::NotAvailable { store, .. }
            | Self::Silent { store, .. }
            | Self::Locked { store, .. }
            | Self::Refused { store, .. }
            | Self::Failed { store, .. } => *store,
        }
    }

    /// Returns only the reason, for a line of `key status`.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotAvailable { reason, .. }
            | Self::Silent { reason, .. }
            | Self::Locked { reason, .. }
            | Self::Refused { reason, .. }
            | Self::Failed { reason, .. } => reason,
        }
    }

    /// Returns the error without suggesting another store.
    pub fn into_plain_error(self) -> Error {
        let text = self.reason().to_owned();
        match self {
            Self::NotAvailable { .. } | Self::Silent { .. } => {
                Error::new(ErrorCode::StoreUnavailable, text)
            }
            Self::Locked { .. } => {
                Error::new(ErrorCode::StoreLocked, text).hint("unlock it and try again")
            }
            Self::Refused { hint, .. } => add_hint(Error::new(ErrorCode::StoreRefused, text), hint),
            Self::Failed { cause, hint, .. } => {
                let error = Error::new(ErrorCode::StoreFailed, text);
                let explained = match cause {
                    Some(cause) => error.cause(cause),
                    None => error,
                };
                add_hint(explained, hint)
            }
        }
    }
}

/// The hint to use the store that every machine has.
const DOTENV_HINT: &str = "`--store dotenv` keeps it in a git-ignored .env";

impl From<StoreError> for Error {
    /// Converts to the error of storing a secret, with a suggestion for another store.
    fn from(error: StoreError) -> Self {
        let instead = match &error {
            StoreError::NotAvailable { store, .. } => *store != StoreKind::Dotenv,
            StoreError::Silent { .. } | StoreError::Locked { .. } => true,
            StoreError::Refused { .. } | StoreError::Failed { .. } => false,
        };
        let error = error.into_plain_error();
        if instead { error.hint(DOTENV_HINT) } else { error }
    }
}

fn add_hint(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
