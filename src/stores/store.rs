//! What every store can do: [`SecretStore`].

use super::{Prepared, StoreError, StoreKind};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::secret::Secret;

/// A place that can hold secrets by the name of their variable.
pub trait SecretStore {
    /// Which kind it is.
    fn kind(&self) -> StoreKind;

    /// The place in words a person knows: a path, the keyring's own name.
    fn place(&self) -> String;

    /// The place where [`SecretStore::get`] looks, in the same words.
    fn seen_in(&self) -> String {
        self.place()
    }

    /// Whether what is put here can be seen again at once.
    fn reads_back(&self) -> bool {
        true
    }

    /// Whether the store could take a secret at all, asked before a person types one.
    ///
    /// # Errors
    /// Why not.
    fn ready(&self, name: &str) -> Result<(), StoreError>;

    /// What storing these secrets, each under its name, would write besides them.
    ///
    /// # Errors
    /// Where the store is known to refuse.
    fn prepare(&self, secrets: &[(&str, &Secret)]) -> Result<Prepared, StoreError> {
        let _ = secrets;
        Ok(Prepared::default())
    }

    /// What a secret that stays here needs so that it is in no commit.
    ///
    /// # Errors
    /// Where git has it already.
    fn hide(&self) -> Result<Plan, StoreError> {
        Ok(Plan::default())
    }

    /// The secret, if one is here; an empty one counts as missing.
    ///
    /// # Errors
    /// [`StoreError::NotAvailable`] where this store cannot exist; other kinds where it should have answered.
    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError>;

    /// Whether putting the secret here would change anything, as far as that can be seen.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn lacks(&self, name: &str, secret: &Secret) -> Result<bool, StoreError> {
        Ok(!self.reads_back() || self.get(name)?.as_ref() != Some(secret))
    }

    /// Puts the secret here and reads it back, where that can be done.
    ///
    /// # Errors
    /// As [`SecretStore::get`], and [`StoreError::Refused`] for a value the store would damage.
    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError>;

    /// Stores every secret under its name, or none.
    ///
    /// # Errors
    /// As [`SecretStore::set`]; names a secret that was stored and could not be taken back.
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

    /// Removes the secret; `false` if none was here.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn forget(&self, name: &str) -> Result<bool, StoreError>;
}

/// Brings a store back to what it held before `error`, which tells of each secret that stays in it.
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
                "{name} stays in `{}`: `cruddur-ops key forget --variable {name}` removes it",
                store.kind()
            )),
        }
    })
}
