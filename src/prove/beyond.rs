//! Proves more than acceptance: what Honeycomb shows of the trace, as far as the key and the plan allow.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::honeycomb::{self, KEY_HEADER, QueryFailure};
use crate::net::route::EndpointRoute;
use crate::otlp::Exporter;
use crate::otlp::dataset::{self, Dataset};
use crate::otlp::query::Query;
use crate::otlp::whoami::{HoneycombKeyType, Whoami};
use crate::otlp::{Check, CheckStatus, ProvenRung, Rung, ServiceVerdict, TestTrace, link};
use crate::provider::{self, key_shape::DATASET_HEADER};
use crate::secret::Secret;

/// The first and the longest pause between two requests to Honeycomb.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];

/// The rate limit of Query Data, in results per minute.
pub(super) const RESULTS: u32 = 10;

/// A trace to look up, and the key for it.
pub(super) struct HoneycombLookup<'a> {
    route: &'a EndpointRoute,
    key: &'a Secret,
    whoami: &'a Whoami,
    trace: &'a TestTrace,
    /// `x-honeycomb-dataset`, which a Classic key needs.
    dataset: Option<&'a str>,
    deadline: Instant,
}

impl<'a> HoneycombLookup<'a> {
    /// Returns the lookup for `trace` with the key of `exporter`, if it sends one.
    pub(super) fn new(
        exporter: &'a Exporter,
        route: &'a EndpointRoute,
        whoami: &'a Whoami,
        trace: &'a TestTrace,
        deadline: Instant,
    ) -> Option<Self> {
        let dataset = exporter.header(DATASET_HEADER).map(|header| header.value.expose());
        Some(Self {
            route,
            key: &exporter.header(KEY_HEADER)?.value,
            whoami,
            trace,
            dataset: dataset.filter(|_| whoami.is_classic()),
            deadline,
        })
    }
}

impl HoneycombLookup<'_> {
    /// Returns whether the key may read datasets.
    pub(super) fn may_read_datasets(&self) -> bool {
        self.whoami.kind == HoneycombKeyType::Configuration
    }
}

/// Returns the rung `dataset-written`, once it is proven or the time is up.
pub(super) async fn look_at_dataset(lookup: &HoneycombLookup<'_>) -> Check {
    await_dataset_write(lookup).await.check
}

/// The result of a rung, and what it proves.
struct LookupResult {
    check: Check,
    proven: Option<ProvenRung>,
    slug: Option<String>,
}

impl LookupResult {
    fn proven(rung: Rung, proven: ProvenRung, evidence: String) -> Self {
        Self {
            check: Check::new(rung, CheckStatus::Pass, evidence),
            proven: Some(proven),
            slug: None,
        }
    }

    fn open(rung: Rung, status: CheckStatus, evidence: impl Into<String>) -> Self {
        Self { check: Check::new(rung, status, evidence), proven: None, slug: None }
    }
}

/// Continues from `accepted` with both rungs concurrently, and adds the link.
pub(super) async fn climb(lookup: &HoneycombLookup<'_>, verdict: &mut ServiceVerdict) {
    let (written, found) = match lookup.whoami.kind {
        HoneycombKeyType::Ingest => (
            skipped_lookup(Rung::DatasetWritten, "an ingest key may not read datasets"),
            skipped_lookup(Rung::Queryable, "an ingest key may not query"),
        ),
        HoneycombKeyType::Configuration => look_up_both(lookup).await,
    };
    verdict.link = trace_link(lookup, written.slug.as_deref());
    for result in [written, found] {
        if let Some(rung) = result.proven {
            verdict.prove(rung);
        }
        verdict.check(result.check);
    }
}

/// Checks both rungs; a trace that was found ends the wait for its dataset.
async fn look_up_both(lookup: &HoneycombLookup<'_>) -> (LookupResult, LookupResult) {
    let written = await_dataset_write(lookup);
    let found = await_span_count(lookup);
    tokio::pin!(written, found);
    tokio::select! {
        written = &mut written => (written, found.await),
        found = &mut found => match found.proven {
            None => (written.await, found),
            Some(_) => (skipped_lookup(Rung::DatasetWritten, "not needed: the trace itself was found"), found),
        },
    }
}

fn skipped_lookup(rung: Rung, why: &str) -> LookupResult {
    LookupResult::open(rung, CheckStatus::Skip, why)
}

/// Waits until the service's dataset was written to after the trace was sent.
async fn await_dataset_write(lookup: &HoneycombLookup<'_>) -> LookupResult {
    let started = Instant::now();
    let name = dataset::of_service(&lookup.trace.service, lookup.dataset);
    let mut pause = PAUSES[0];
    let mut slug = None;
    loop {
        let evidence = match honeycomb::fetch_datasets(lookup.route, lookup.key, lookup.deadline)
            .await
        {
            Err(QueryFailure::Refused(words) | QueryFailure::Malformed(words)) => {
                return skipped_lookup(Rung::DatasetWritten, &words);
            }
            Err(QueryFailure::Unanswered(words)) => format!("the datasets are not known: {words}"),
            Ok(datasets) => {
                let ours = find_dataset(&datasets, name);
                slug = ours.map(|dataset| dataset.slug.clone()).or(slug);
                match ours {
                    Some(dataset) if dataset.written_since(lookup.trace.sent) => {
                        let text = format!(
                            "something arrived in {} since the trace was sent",
                            dataset.name
                        );
                        let mut found = LookupResult::proven(
                            Rung::DatasetWritten,
                            ProvenRung::DatasetWritten,
                            text,
                        );
                        found.check = found.check.took(started.elapsed());
                        found.slug = slug;
                        return found;
                    }
                    Some(dataset) => {
                        format!("nothing arrived in {} since the trace was sent", dataset.name)
                    }
                    None => format!("there is no dataset {name} yet"),
                }
            }
        };
        if !wait_before_retry(&mut pause, lookup.deadline).await {
            let mut open = LookupResult::open(Rung::DatasetWritten, CheckStatus::Warn, evidence);
            open.check = open.check.took(started.elapsed());
            open.slug = slug;
            return open;
        }
    }
}

/// Waits until a query finds spans of the trace.
async fn await_span_count(lookup: &HoneycombLookup<'_>) -> LookupResult {
    let started = Instant::now();
    let query = Query::spans_of(&lookup.trace.id(), Duration::from_secs(600));
    let open = |status, words: &str| {
        let mut open = LookupResult::open(Rung::Queryable, status, words);
        open.check = open.check.took(started.elapsed());
        open
    };
    let id =
        match honeycomb::create_honeycomb_query(lookup.route, &query, lookup.key, lookup.deadline)
            .await
        {
            Ok(id) => id,
            Err(silence) => {
                let text = format!("Query Data is not available: {}", silence.words());
                return open(CheckStatus::Skip, &text);
            }
        };
    let mut pause = PAUSES[0];
    for _ in 0..RESULTS {
        let words = match honeycomb::fetch_query_count(
            lookup.route,
            &id,
            lookup.key,
            lookup.deadline,
        )
        .await
        {
            Ok(0) => "no span of the trace can be queried yet".to_owned(),
            Ok(spans) => {
                let text = format!("our own trace was found: {spans} spans");
                let mut found = LookupResult::proven(Rung::Queryable, ProvenRung::Queryable, text);
                found.check = found.check.took(started.elapsed());
                return found;
            }
            Err(QueryFailure::Refused(words) | QueryFailure::Malformed(words)) => {
                return open(CheckStatus::Skip, &format!("Query Data is not available: {words}"));
            }
            Err(QueryFailure::Unanswered(words)) => words,
        };
        if !wait_before_retry(&mut pause, lookup.deadline).await {
            return open(CheckStatus::Warn, &words);
        }
    }
    open(CheckStatus::Warn, "no span of the trace could be queried")
}

/// Waits, longer each time; returns `false` when there is no time left.
async fn wait_before_retry(pause: &mut Duration, deadline: Instant) -> bool {
    if Instant::now() + *pause >= deadline {
        return false;
    }
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSES[1]);
    true
}

fn find_dataset<'a>(datasets: &'a [Dataset], name: &str) -> Option<&'a Dataset> {
    let mut all = datasets.iter();
    all.find(|dataset| dataset.name.eq_ignore_ascii_case(name))
}

/// Returns the link to the trace: at the web interface of the host, or Honeycomb's first if a proxy or collector
/// forwards traces.
pub(super) fn trace_link(lookup: &HoneycombLookup<'_>, slug: Option<&str>) -> Option<String> {
    let host = lookup.route.url.host_str().unwrap_or_default();
    let region = provider::of_host(host)
        .map(|(_, region)| region)
        .or_else(|| provider::find_provider("honeycomb")?.regions.first())?;
    let slug = slug.or(lookup.dataset);
    let (id, sent) = (lookup.trace.id(), lookup.trace.sent);
    link::trace(region.ui.as_deref()?, lookup.whoami, slug, &id, sent)
}
