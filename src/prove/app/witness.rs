//! Chooses, before any request, who can see an application's spans.

use tokio::time::Instant;

use crate::net::failure::RequestFailure;
use crate::net::honeycomb::{self, KEY_HEADER, QueryFailure};
use crate::net::listen;
use crate::net::route::EndpointRoute;
use crate::otlp::query::Query;
use crate::otlp::whoami::{HoneycombKeyType, Whoami};
use crate::otlp::{Exporter, TestTrace, WitnessKind};
use crate::prove::keys::{KeyOwners, TimedWhoami};
use crate::prove::listening;
use crate::prove::tap::TapSession;
use crate::secret::Secret;

use std::sync::Arc;
use std::time::Duration;

/// An observer of an application's spans.
#[derive(Debug, Clone)]
pub(super) enum AppWitness {
    /// Honeycomb's query API, with this key.
    Query { route: Box<EndpointRoute>, key: Secret },
    /// A `listen` on this machine, answering on this port.
    Listen { port: u16 },
    /// Our relay, through which the application sends.
    Tap(Arc<TapSession>),
    /// No witness, for this reason.
    Missing(String),
}

impl AppWitness {
    /// Returns the witness's kind for the verdict.
    pub(super) fn kind(&self) -> WitnessKind {
        match self {
            Self::Query { .. } => WitnessKind::Query,
            Self::Listen { .. } => WitnessKind::Listen,
            Self::Tap(_) => WitnessKind::Tap,
            Self::Missing(_) => WitnessKind::Missing,
        }
    }

    /// Returns whether both give the same answers.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Query { route, key }, Self::Query { route: way, key: other }) => {
                key == other && route.at_path("/") == way.at_path("/")
            }
            (Self::Listen { port }, Self::Listen { port: other }) => port == other,
            (Self::Tap(tap), Self::Tap(other)) => Arc::ptr_eq(tap, other),
            _ => false,
        }
    }
}

/// A witness, and the facts learnt about the key.
#[derive(Debug, Clone)]
pub(super) struct ChosenWitness {
    pub(super) witness: AppWitness,
    /// The route to the exporter's endpoint, if known.
    pub(super) route: Option<EndpointRoute>,
    pub(super) owner: Option<TimedWhoami>,
}

impl ChosenWitness {
    /// Returns the absence of a witness, for this reason.
    pub(super) fn none(why: impl Into<String>) -> Self {
        Self { witness: AppWitness::Missing(why.into()), route: None, owner: None }
    }

    /// Finds a witness for the spans of `exporter`: a `listen` at its endpoint, else Honeycomb, if the key may query.
    pub(super) async fn make(
        exporter: &Exporter,
        route: Result<EndpointRoute, RequestFailure>,
        trace: &TestTrace,
        keys: &KeyOwners,
        deadline: Instant,
    ) -> Self {
        let route = match route {
            Ok(route) => route,
            Err(failure) => return Self::none(failure.evidence),
        };
        let question = Query::spans_of(&trace.id(), Duration::from_secs(600));
        if route.is_loopback() {
            let port = listening::listen_port(exporter, &route);
            if listen::ask_before(&question, port, deadline).await.is_some() {
                let witness = AppWitness::Listen { port };
                return Self { witness, route: Some(route), owner: None };
            }
        }
        let Some(key) = exporter.header(KEY_HEADER) else {
            let text = format!(
                "no `listen` answers at {}, and nothing else can be asked",
                route.describe()
            );
            return Self { route: Some(route), ..Self::none(text) };
        };
        let lookup = keys.owner_of(&route, &key.value, deadline).await;
        let refusal = match &lookup.0 {
            Err(failure) => Some(format!("nothing is known about the key: {}", failure.words())),
            Ok(Whoami { kind: HoneycombKeyType::Ingest, .. }) => {
                Some("an ingest key may not query".to_owned())
            }
            Ok(_) => {
                match honeycomb::create_honeycomb_query(&route, &question, &key.value, deadline)
                    .await
                {
                    // A column that no span has had yet is an error; the next query leaves it out.
                    Ok(_) | Err(QueryFailure::Malformed(_)) => None,
                    Err(QueryFailure::Refused(words) | QueryFailure::Unanswered(words)) => {
                        Some(format!("Query Data is not available: {words}"))
                    }
                }
            }
        };
        let witness = match refusal {
            Some(why) => AppWitness::Missing(why),
            None => AppWitness::Query { route: Box::new(route.clone()), key: key.value.clone() },
        };
        Self { witness, route: Some(route), owner: Some(lookup) }
    }
}

/// The ways without a tap to prove an application whose spans cannot be searched.
pub(super) const OTHER_WITNESSES: &str = "a configuration key of an environment with Query Data, or `cruddur-ops listen --containers` with `cruddur-ops init --provider local`, proves it";

/// The way to prove an application whose endpoint has no address here.
pub(super) const LOCAL_WITNESS: &str =
    "`cruddur-ops listen --containers` with `cruddur-ops init --provider local` proves it";
