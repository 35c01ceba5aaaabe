//! The interface of all stores: [`SecretStore`].

use super::{PreparedStore, StoreError, StoreKind};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::secret::Secret;

/// A store of secrets by the names of their variables.
pub trait SecretStore {
    /// Returns its kind.
    fn kind(&self) -> StoreKind;

    /// Returns the place for people: a path, or the keyring's own name.
    fn place(&self) -> String;

    /// Returns the place where [`SecretStore::get`] looks, for people.
    fn seen_in(&self) -> String {
        self.place()
    }

    /// Returns whether a stored secret can be read at once.
    fn reads_back(&self) -> bool {
        true
    }

    /// Checks that the store can accept a secret, before the user types one.
    ///
    /// # Errors
    /// The reason why not.
    fn check_ready(&self, name: &str) -> Result<(), StoreError>;

    /// Returns the changes that storing these secrets makes in addition to them.
    ///
    /// # Errors
    /// When the store is known to refuse.
    fn prepare(&self, secrets: &[(&str, &Secret)]) -> Result<PreparedStore, StoreError> {
        let _ = secrets;
        Ok(PreparedStore::default())
    }

    /// Returns the changes that keep a stored secret out of commits.
    ///
    /// # Errors
    /// When git already tracks it.
    fn hide(&self) -> Result<Plan, StoreError> {
        Ok(Plan::default())
    }

    /// Returns the secret, if there is one; an empty one counts as missing.
    ///
    /// # Errors
    /// [`StoreError::NotAvailable`] when this store cannot exist here; other kinds when it should have answered.
    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError>;

    /// Returns whether storing the secret would change anything, as far as visible.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn lacks(&self, name: &str, secret: &Secret) -> Result<bool, StoreError> {
        Ok(!self.reads_back() || self.get(name)?.as_ref() != Some(secret))
    }

    /// Stores the secret and, if possible, reads it back.
    ///
    /// # Errors
    /// As [`SecretStore::get`], and [`StoreError::Refused`] for a value the store would damage.
    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError>;

    /// Stores every secret under its name, or none.
    ///
    /// # Errors
    /// As [`SecretStore::set`]; names a secret that was stored and could not be removed again.
    fn set_all(&self, secrets: &[(&str, &Secret)]) -> Result<()> {
        let mut earlier: Vec<(&str, Option<Secret>)> = Vec::new();
        for (name, secret) in secrets {
            let held = self.get(name).ok().flatten();
            if let Err(error) = self.set(name, secret) {
                return Err(put_back(self, earlier, error.into()));
            }
            earlier.push((name, held));
        }
        Ok(())
    }

    /// Removes the secret; returns `false` if there was none.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn forget(&self, name: &str) -> Result<bool, StoreError>;
}

/// Restores a store after `error`, and adds to it each secret that could not be removed.
fn put_back<S: SecretStore + ?Sized>(
    store: &S,
    earlier: Vec<(&str, Option<Secret>)>,
    error: Error,
) -> Error {
    earlier.into_iter().rev().fold(error, |error, (name, held)| {
        let back = match held {
            Some(held) => store.set(name, &held),
            None => store.forget(name).map(|_| ()),
        };
        match back {
            Ok(()) => error,
            Err(_) => error.hint(format!(
                "{name} stays in {}: `cruddur-ops key forget --variable {name}` removes it",
                store.kind().title()
            )),
        }
    })
}
