//! Identifies the owner of each key, with one request per host and key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::net::honeycomb::{self, WhoamiFailure};
use crate::net::route::Route;
use crate::otlp::whoami::Whoami;
use crate::secret::Secret;

/// The answer about a key, and the time it took.
pub(super) type Said = (Result<Whoami, WhoamiFailure>, Duration);

/// The keys of one run; clones share the answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Arc<Mutex<Vec<Asked>>>);

/// A key, the route to its host, and the answer, once received.
#[derive(Debug)]
struct Asked {
    route: Route,
    key: Secret,
    said: Arc<OnceCell<Said>>,
}

impl Keys {
    /// Returns the owner of `key` at the host of `route`.
    pub(super) async fn whose(&self, route: &Route, key: &Secret, deadline: Instant) -> Said {
        let said = self.cell(route.at_path("/"), key);
        let ask = || async {
            let started = Instant::now();
            let answer = honeycomb::whoami_over(route, key, deadline).await;
            (answer, started.elapsed())
        };
        said.get_or_init(ask).await.clone()
    }

    fn cell(&self, route: Route, key: &Secret) -> Arc<OnceCell<Said>> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.iter().find(|one| one.key == *key && one.route == route);
        if let Some(known) = known {
            return Arc::clone(&known.said);
        }
        let said = Arc::default();
        asked.push(Asked { route, key: key.clone(), said: Arc::clone(&said) });
        said
    }
}
