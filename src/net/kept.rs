//! A client that is used again, for reading a machine's authorities takes longer than many a request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;

/// The client that a way was last gone with, and how long it waits for a connection; clones share it.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Option<(Duration, Client)>>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}

impl PartialEq for Kept {
    /// What is kept changes no way.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Kept {
    /// The client that is kept, if it waits for a connection no longer than `left`; else what `make` makes of a patience.
    ///
    /// # Errors
    /// As `make`.
    pub(super) fn client<E>(
        &self,
        left: Duration,
        make: impl FnOnce(Duration) -> Result<Client, E>,
    ) -> Result<Client, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((patience, client)) = &*kept
            && *patience < left
        {
            return Ok(client.clone());
        }
        // A little less than the whole: what ends here never had a connection.
        let patience = left.mul_f32(0.95);
        let client = make(patience)?;
        *kept = Some((patience, client.clone()));
        Ok(client)
    }
}
