//! Why a store did not do what it was asked, and what to do about it.

use super::StoreKind;
use crate::error::Error;

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
            | Self::Locked { store, .. }
            | Self::Refused { store, .. }
            | Self::Failed { store, .. } => *store,
        }
    }

    /// The reason alone, for a line of `key status`.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotAvailable { reason, .. }
            | Self::Locked { reason, .. }
            | Self::Refused { reason, .. }
            | Self::Failed { reason, .. } => reason,
        }
    }
}

/// The store that every machine has, for whichever command asked.
const IN_A_FILE: &str = "`--store dotenv` keeps it in a git-ignored .env";

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotAvailable { store, reason } => {
                let error = Self::new("store-unavailable", format!("store `{store}`: {reason}"));
                match store {
                    StoreKind::Dotenv => error,
                    _ => error.hint(IN_A_FILE),
                }
            }
            StoreError::Locked { store, reason } => {
                Self::new("store-locked", format!("store `{store}`: {reason}"))
                    .hint("unlock it and try again")
                    .hint(IN_A_FILE)
            }
            StoreError::Refused { store, reason, hint } => {
                hinted(Self::new("store-refused", format!("store `{store}`: {reason}")), hint)
            }
            StoreError::Failed { store, reason, cause, hint } => {
                let error = Self::new("store-failed", format!("store `{store}`: {reason}"));
                hinted(
                    match cause {
                        Some(cause) => error.cause(cause),
                        None => error,
                    },
                    hint,
                )
            }
        }
    }
}

fn hinted(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
