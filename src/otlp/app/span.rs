//! An application's span as a witness reports it, and the query that finds it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::otlp::answer::{self, SpanGroup};
use crate::otlp::query::{Filter, FilterCombination, FilterOp, Query};
use crate::otlp::span::OtlpSpan;

/// Columns that every span has, except the parent: a dataset of root spans alone has no column for it.
const COLUMNS: [&str; 6] =
    ["trace.trace_id", "trace.span_id", PARENT, "service.name", "name", "span.kind"];

/// The column of a span's parent.
const PARENT: &str = "trace.parent_id";

/// The column with the instrumentation library of a span.
const LIBRARY: &str = "library.name";

/// Columns with a request's route and status, by the current and the former conventions.
const ROUTE: &str = "http.route";
const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];

/// Columns that may contain a request's mark: User-Agent and query, by the current and the former conventions.
const MARKS: [&str; 6] =
    ["user_agent.original", "http.user_agent", "url.query", "http.target", "url.full", "http.url"];

/// The most spans in one answer.
const MAX_SPANS: usize = 1000;

/// The examined part of an application's span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AppSpan {
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) route: Option<String>,
    pub(super) status: Option<String>,
    pub(super) library: Option<String>,
    /// The User-Agent and the query.
    pub(super) marks: Vec<String>,
    /// The number of times it arrived.
    pub(super) copies: u64,
}

impl AppSpan {
    /// Reads the spans from the answer to `question`.
    pub(crate) fn read_groups(question: &Query, groups: &[SpanGroup]) -> Vec<Self> {
        let rows = groups.iter().map(|group| {
            let columns = question.breakdowns.iter().cloned();
            let row: Map<String, Json> = columns.zip(group.by.iter().cloned()).collect();
            (row, group.count)
        });
        rows.filter_map(|(row, copies)| Some(Self { copies, ..Self::read(&row)? })).collect()
    }

    /// Reads a span from a row, by column name.
    pub(crate) fn read(row: &Map<String, Json>) -> Option<Self> {
        Self::from_columns(|column| row.get(column).cloned())
    }

    /// Converts spans that were received here, each once, with the number of times that it was received.
    pub(crate) fn read_arrived<'a>(spans: impl Iterator<Item = &'a OtlpSpan>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut places: HashMap<_, usize> = HashMap::new();
        for span in spans {
            let read = Self::from_columns(|column| answer::span_column(span, column));
            let Some(read) = read else { continue };
            match places.entry((read.trace.clone(), read.id.clone())) {
                Entry::Occupied(entry) => all[*entry.get()].copies += 1,
                Entry::Vacant(entry) => {
                    entry.insert(all.len());
                    all.push(read);
                }
            }
        }
        all
    }

    fn from_columns(value: impl Fn(&str) -> Option<Json>) -> Option<Self> {
        let text = |column: &str| match value(column)? {
            Json::Null => None,
            Json::String(text) if text.is_empty() => None,
            Json::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Some(Self {
            trace: text(COLUMNS[0])?,
            id: text(COLUMNS[1])?,
            parent: text(COLUMNS[2]),
            service: text(COLUMNS[3])?,
            name: text(COLUMNS[4])?,
            kind: text(COLUMNS[5]).unwrap_or_default(),
            route: text(ROUTE),
            status: STATUS.into_iter().find_map(&text),
            library: text(LIBRARY),
            marks: MARKS.into_iter().filter_map(&text).collect(),
            copies: value("COUNT").and_then(|count| count.as_u64()).unwrap_or(1),
        })
    }

    /// Returns whether its request carried this mark.
    pub(crate) fn is_marked(&self, mark: &str) -> bool {
        self.marks.iter().any(|text| text.contains(mark))
    }

    /// Returns whether it belongs to the trace with this id.
    pub(crate) fn is_of(&self, trace: &str) -> bool {
        self.trace == trace
    }

    /// Returns whether a service of this name sent it.
    pub(crate) fn is_named(&self, service: &str) -> bool {
        self.service == service
    }

    /// Returns the instrumentation libraries of these spans, each once; `None` if no span names one.
    pub(crate) fn libraries<'a>(spans: impl Iterator<Item = &'a Self>) -> Option<Vec<String>> {
        let mut named: Vec<String> = spans.filter_map(|span| span.library.clone()).collect();
        named.sort();
        named.dedup();
        (!named.is_empty()).then_some(named)
    }
}

/// The criteria for the spans of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppSearch {
    /// The trace ids of our requests.
    pub traces: Vec<String>,
    /// The common part of all marks.
    pub mark: String,
    /// Columns that the receiver does not know.
    pub unheard: BTreeSet<&'static str>,
}

impl AppSearch {
    /// Returns a query for every span with one of the trace ids or the mark, each in a separate group.
    pub(crate) fn question(&self, last: Duration) -> Query {
        let is_known = |column: &&str| !self.unheard.contains(column);
        let filter =
            |column: &str, op, value| Filter { column: column.to_owned(), op, value: Some(value) };
        let mut filters = vec![filter(COLUMNS[0], FilterOp::In, Json::from(self.traces.clone()))];
        let marks = MARKS.into_iter().filter(is_known);
        filters.extend(
            marks.map(|column| filter(column, FilterOp::Contains, self.mark.as_str().into())),
        );
        Query { filters, filter_combination: FilterCombination::Or, ..self.base(last) }
    }

    /// Returns a query for every span of these services, each in a separate group.
    pub(crate) fn question_by_name(&self, services: &[&str], last: Duration) -> Query {
        let value = Some(Json::from(services.to_vec()));
        let named = Filter { column: COLUMNS[3].to_owned(), op: FilterOp::In, value };
        Query { filters: vec![named], ..self.base(last) }
    }

    fn base(&self, last: Duration) -> Query {
        let more = [LIBRARY, ROUTE].into_iter().chain(STATUS).chain(MARKS);
        let all = COLUMNS.into_iter().chain(more);
        let columns = all.filter(|column| !self.unheard.contains(column)).map(str::to_owned);
        Query { breakdowns: columns.collect(), limit: MAX_SPANS, ..Query::spans_of("", last) }
    }

    /// Excludes from further queries the column that an error message names, else the last optional one; returns
    /// `false` if none is left.
    pub(crate) fn leave_out(&mut self, words: &str) -> bool {
        let more = MARKS.into_iter().chain(STATUS).chain([ROUTE, LIBRARY, PARENT]);
        let left: Vec<&'static str> =
            more.filter(|column| !self.unheard.contains(column)).collect();
        let named = left.iter().find(|column| words.contains(**column));
        match named.or(left.first()) {
            Some(column) => self.unheard.insert(column),
            None => false,
        }
    }
}
