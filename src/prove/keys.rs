//! Whose each key is: asked once at each host, however many services send with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::net::honeycomb::{self, WhoamiFailure};
use crate::net::route::Route;
use crate::otlp::whoami::Whoami;
use crate::secret::Secret;

/// What a host says of a key, and how long it took to say so.
pub(super) type Said = (Result<Whoami, WhoamiFailure>, Duration);

/// The keys of one run; clones share what they know.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Arc<Mutex<Vec<Asked>>>);

/// A key, the way to the host that is asked, and its answer once that is there.
#[derive(Debug)]
struct Asked {
    route: Route,
    key: Secret,
    said: Arc<OnceCell<Said>>,
}

impl Keys {
    /// Whose `key` is, at the host of `route`.
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
