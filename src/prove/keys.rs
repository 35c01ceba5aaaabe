//! Identifies the owner of each key, with one request per host and key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::net::honeycomb::{self, WhoamiAnswer};
use crate::net::route::EndpointRoute;
use crate::secret::Secret;

/// The answer about a key, and the time it took.
pub(super) type TimedWhoami = (WhoamiAnswer, Duration);

/// The keys of one run; clones share the answers.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyOwners(Arc<Mutex<Vec<KeyLookup>>>);

/// A key, the route to its host, and the answer, once received.
#[derive(Debug)]
struct KeyLookup {
    route: EndpointRoute,
    key: Secret,
    whoami: Arc<OnceCell<TimedWhoami>>,
}

impl KeyOwners {
    /// Returns the owner of `key` at the host of `route`.
    pub(super) async fn owner_of(
        &self,
        route: &EndpointRoute,
        key: &Secret,
        deadline: Instant,
    ) -> TimedWhoami {
        let whoami = self.cell(route.at_path("/"), key);
        let ask = || async {
            let started = Instant::now();
            let answer = honeycomb::whoami_over(route, key, deadline).await;
            (answer, started.elapsed())
        };
        whoami.get_or_init(ask).await.clone()
    }

    fn cell(&self, route: EndpointRoute, key: &Secret) -> Arc<OnceCell<TimedWhoami>> {
        let mut lookups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lookups.iter().find(|lookup| lookup.key == *key && lookup.route == route);
        if let Some(known) = known {
            return Arc::clone(&known.whoami);
        }
        let whoami = Arc::default();
        lookups.push(KeyLookup { route, key: key.clone(), whoami: Arc::clone(&whoami) });
        whoami
    }
}
