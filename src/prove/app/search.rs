//! Searches for spans at one witness, for all applications that it can see.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::witness::AppWitness;
use super::{AppTarget, AppUnderTest};
use crate::net::honeycomb::{self, QueryFailure};
use crate::net::listen;
use crate::net::route::EndpointRoute;
use crate::otlp::app::{AppSearch, AppSpan};
use crate::otlp::query::Query;
use crate::prove::beyond::{PAUSES, RESULTS};
use crate::secret::Secret;

/// The number of empty results after which columns that were unknown are requested again.
const LOOKS_BEFORE_AGAIN: u32 = 3;

/// Looks at Honeycomb that are kept for the spans of our requests.
const LOOKS_BY_TRACE: u32 = 3;

/// The pause between two requests to a witness on this machine.
const SHORT: Duration = Duration::from_millis(200);

/// A search at one witness.
#[derive(Debug)]
pub(super) struct SpanSearch {
    witness: AppWitness,
    /// The indexes of the applications that it can see.
    pub(super) members: Vec<usize>,
    /// The names of applications that get no request.
    names: Vec<String>,
    search: AppSearch,
    began: Instant,
    next: Instant,
    pause: Duration,
    results: u32,
    /// The spans of our requests.
    pub(super) spans: Vec<AppSpan>,
    /// Spans of applications that get no request, from any trace.
    pub(super) named: Vec<AppSpan>,
    /// The reason why there was no answer, until there is one.
    pub(super) unanswered: Option<String>,
    /// The query with its id, once Honeycomb accepted it.
    prepared: Option<String>,
    /// Whether the columns were requested again after the first spans.
    is_complete: bool,
    /// The looks that were left when they were last asked for again.
    asked_again_at: u32,
}

impl SpanSearch {
    /// Returns a search for each witness, with its applications.
    pub(super) fn of(apps: &[AppUnderTest]) -> Vec<Self> {
        let mut searches: Vec<Self> = Vec::new();
        for (at, app) in apps.iter().enumerate() {
            let witness = &app.choice.witness;
            if app.is_decided() || matches!(witness, AppWitness::Missing(_)) {
                continue;
            }
            let known = searches.iter().position(|search| search.witness.is_same(witness));
            let search = known.unwrap_or_else(|| {
                searches.push(Self::new(witness.clone(), app));
                searches.len() - 1
            });
            let search = &mut searches[search];
            search.members.push(at);
            match app.target {
                AppTarget::Asked(_) => search.search.traces.push(app.probe.trace.id()),
                AppTarget::Unreachable(_) => search.names.push(app.verdict.name.clone()),
            }
        }
        // A service that another one calls appears in the caller's trace.
        let traces: Vec<String> =
            searches.iter().flat_map(|search| search.search.traces.clone()).collect();
        for search in &mut searches {
            search.search.traces.clone_from(&traces);
        }
        searches
    }

    fn new(witness: AppWitness, app: &AppUnderTest) -> Self {
        let mark = app.probe.mark.rsplitn(3, '-').last().unwrap_or_default().to_owned();
        let now = Instant::now();
        Self {
            witness,
            members: Vec::new(),
            names: Vec::new(),
            search: AppSearch { traces: Vec::new(), mark, unheard: BTreeSet::new() },
            began: now,
            next: now,
            pause: PAUSES[0],
            results: RESULTS,
            spans: Vec::new(),
            named: Vec::new(),
            unanswered: Some("it was not asked".to_owned()),
            prepared: None,
            is_complete: false,
            asked_again_at: RESULTS,
        }
    }

    /// Returns when the next request is due.
    pub(super) fn next_look(&self) -> Instant {
        self.next
    }

    /// Returns whether each request counts against a limit.
    pub(super) fn is_limited(&self) -> bool {
        matches!(self.witness, AppWitness::Query { .. })
    }

    /// Searches once for the spans of our requests, and of applications without requests.
    pub(super) async fn look(&mut self, deadline: Instant) {
        match self.witness.clone() {
            AppWitness::Listen { port } => {
                self.look_in_listen(port, deadline).await;
                self.next = Instant::now() + SHORT;
            }
            AppWitness::Query { route, key } => match self.results.checked_sub(1) {
                Some(left) => {
                    self.results = left;
                    self.look_in_honeycomb(&route, &key, deadline).await;
                    if self.results > LOOKS_BY_TRACE && self.misses_a_name() {
                        self.look_by_name(deadline).await;
                    }
                    self.next = Instant::now() + self.pause;
                    self.pause = (self.pause * 2).min(PAUSES[1]);
                }
                None => self.next = deadline,
            },
            AppWitness::Tap(tap) => {
                let exports = tap.settled();
                self.spans = AppSpan::read_arrived(exports.iter().flat_map(|export| &export.spans));
                let named = self
                    .spans
                    .iter()
                    .filter(|span| self.names.iter().any(|name| span.is_named(name)));
                self.named = named.cloned().collect();
                self.unanswered = None;
                self.next = Instant::now() + SHORT;
            }
            AppWitness::Missing(_) => self.next = deadline,
        }
    }

    /// Returns the time since shortly before the search began.
    fn lately(&self) -> Duration {
        self.began.elapsed() + Duration::from_secs(2)
    }

    async fn look_in_listen(&mut self, port: u16, deadline: Instant) {
        let question = self.question();
        match listen::ask_before(&question, port, deadline).await {
            // After an earlier answer, a missing one only means that the time ran out.
            None => {
                self.unanswered =
                    self.unanswered.take().map(|_| "`listen` does not answer".to_owned());
                return;
            }
            Some(answer) => self.spans = AppSpan::read_groups(&question, &answer.groups),
        }
        self.unanswered = None;
        if !self.names.is_empty() {
            self.look_by_name(deadline).await;
        }
    }

    /// Returns true if a service that is not asked has no span under the traces of our requests so far.
    fn misses_a_name(&self) -> bool {
        self.names.iter().any(|name| !self.spans.iter().any(|span| span.is_named(name)))
    }

    /// Looks once for spans of the services that no request reaches, in any trace.
    async fn look_by_name(&mut self, deadline: Instant) {
        match self.witness.clone() {
            AppWitness::Listen { port } => {
                let question = self.question_by_name();
                if let Some(answer) = listen::ask_before(&question, port, deadline).await {
                    self.named = AppSpan::read_groups(&question, &answer.groups);
                }
            }
            AppWitness::Query { route, key } => {
                let Some(left) = self.results.checked_sub(1) else { return };
                self.results = left;
                // Its span of time begins with this run, so each look is another query.
                if let Ok(Some(id)) =
                    self.prepare(&route, &key, deadline, Self::question_by_name).await
                    && let Ok(rows) = honeycomb::fetch_query_rows(&route, &id, &key, deadline).await
                {
                    self.named = rows.iter().filter_map(AppSpan::read).collect();
                }
            }
            AppWitness::Tap(_) | AppWitness::Missing(_) => {}
        }
    }

    fn question_by_name(&self) -> Query {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.search.question_by_name(&names, self.lately())
    }

    async fn look_in_honeycomb(&mut self, route: &EndpointRoute, key: &Secret, deadline: Instant) {
        match self.rows(route, key, deadline).await {
            Ok(spans) => {
                self.unanswered = None;
                if !spans.is_empty() {
                    self.spans = spans;
                }
            }
            Err(words) => self.unanswered = self.unanswered.take().map(|_| words),
        }
        // These spans may have brought new columns, or columns that identify further spans.
        let is_due = if self.spans.is_empty() {
            self.results + LOOKS_BEFORE_AGAIN <= self.asked_again_at
        } else {
            !self.is_complete
        };
        if is_due && !self.search.unheard.is_empty() {
            self.is_complete = !self.spans.is_empty();
            self.asked_again_at = self.results;
            self.search.unheard.clear();
            self.prepared = None;
            if let Ok(spans) = self.rows(route, key, deadline).await
                && !spans.is_empty()
            {
                self.spans = spans;
            }
        }
    }

    async fn rows(
        &mut self,
        route: &EndpointRoute,
        key: &Secret,
        deadline: Instant,
    ) -> Result<Vec<AppSpan>, String> {
        let id = match &self.prepared {
            Some(id) => id.clone(),
            None => match self.prepare(route, key, deadline, Self::question).await? {
                Some(id) => id,
                // Even the standard columns are missing: no span was ever sent there.
                None => return Ok(Vec::new()),
            },
        };
        let rows = honeycomb::fetch_query_rows(route, &id, key, deadline)
            .await
            .map_err(|failure| failure.words().to_owned())?;
        self.prepared = Some(id);
        Ok(rows.iter().filter_map(AppSpan::read).collect())
    }

    fn question(&self) -> Query {
        self.search.question(Duration::from_secs(600))
    }

    /// Makes a question known to Honeycomb, without the columns that it has never heard of.
    async fn prepare(
        &mut self,
        route: &EndpointRoute,
        key: &Secret,
        deadline: Instant,
        question: impl Fn(&Self) -> Query,
    ) -> Result<Option<String>, String> {
        loop {
            let question = question(self);
            match honeycomb::create_honeycomb_query(route, &question, key, deadline).await {
                Ok(id) => return Ok(Some(id)),
                Err(QueryFailure::Malformed(words)) => {
                    if !self.search.leave_out(&words) {
                        return Ok(None);
                    }
                }
                Err(failure) => return Err(failure.words().to_owned()),
            }
        }
    }
}
