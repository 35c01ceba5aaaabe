//! A cached client: loading the system's certificate authorities can take longer than a request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;

/// The last client of a route with its connection timeout; clones share it.
#[derive(Clone, Default)]
pub struct ClientCache(Arc<Mutex<Option<(Duration, Client)>>>);

impl std::fmt::Debug for ClientCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientCache")
    }
}

impl PartialEq for ClientCache {
    /// Returns `true`: the cached client is not part of a route's identity.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ClientCache {}

impl ClientCache {
    /// Returns the cached client if its connection timeout is at most `left`; otherwise calls `make` with a timeout.
    ///
    /// # Errors
    /// As `make`.
    pub(super) fn client<E>(
        &self,
        left: Duration,
        make: impl FnOnce(Duration) -> Result<Client, E>,
    ) -> Result<Client, E> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((patience, client)) = &*cached
            && *patience < left
        {
            return Ok(client.clone());
        }
        // Slightly less than the total, so that this timeout means that there was no connection.
        let patience = left.mul_f32(0.95);
        let client = make(patience)?;
        *cached = Some((patience, client.clone()));
        Ok(client)
    }
}
