//! The questions of the page of `listen --web`, and their answers from the spans in memory.
//!
//! Each text in an answer is redacted and printable, because anyone can send spans. [`limits`] bounds each answer.

mod grid;
mod shown;
mod traces;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::answer::QuerySelection;
use super::assembly::{Trace, TraceAssembly};
use super::query::{Calculation, CalculationOp, Filter, FilterCombination, Query};
use super::span::{OtlpSpan, SpanAttribute, SpanId, SpanStatus, TraceId};
use crate::error::{Error, Result as Checked};
use crate::limits;
use crate::secret::Redactor;
use grid::{Axis, Grid, GridCell};
use shown::PageText;
use traces::TraceOrder;

/// A question of the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub(crate) enum PageQuestion {
    /// The list of traces.
    Traces(TraceListQuestion),
    /// The spans of one.
    Trace {
        /// Its id.
        trace: String,
    },
    /// All of one span.
    Span {
        /// The id of its trace.
        trace: String,
        /// Its own id.
        span: String,
    },
    /// A query's table, lines and heatmap.
    Query(FilterQuestion),
}

/// The traces that are asked for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TraceListQuestion {
    #[serde(default)]
    order: TraceOrder,
    /// Part of a name of a span or service, or the start of the trace's id.
    #[serde(default)]
    text: String,
    /// Conditions that one span of the trace has to meet.
    #[serde(default)]
    filter: Option<FilterQuestion>,
    /// A cell of the heatmap that this span is in.
    #[serde(default)]
    cell: Option<GridCell>,
}

/// Conditions, groups and time of a query, as they are typed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FilterQuestion {
    /// Each as after `--where`.
    #[serde(default, rename = "where")]
    conditions: Vec<String>,
    /// The columns to group by.
    #[serde(default)]
    by: Vec<String>,
    /// Seconds to look back.
    last: u64,
}

impl FilterQuestion {
    fn query(&self) -> Checked<Query> {
        let of_duration = |op| Calculation { op, column: Some("duration_ms".to_owned()) };
        let figures = [CalculationOp::P50, CalculationOp::P90, CalculationOp::P99].map(of_duration);
        let conditions = self.conditions.iter().map(|text| text.trim());
        let filters = conditions.filter(|text| !text.is_empty()).map(Filter::parse);
        Ok(Query {
            calculations: [Calculation { op: CalculationOp::Count, column: None }]
                .into_iter()
                .chain(figures)
                .collect(),
            filters: filters.collect::<Checked<_>>()?,
            filter_combination: FilterCombination::And,
            breakdowns: self.by.iter().filter(|column| !column.is_empty()).cloned().collect(),
            orders: Vec::new(),
            limit: 100,
            time_range: self.last,
        })
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone)]
pub(crate) enum PageFault {
    /// A condition is not one.
    Filter(Error),
    /// The trace or span is not in memory any more.
    Gone,
}

impl From<Error> for PageFault {
    fn from(error: Error) -> Self {
        Self::Filter(error)
    }
}

type Answered<T> = std::result::Result<T, PageFault>;

/// The spans and settings that answers are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSource<'a> {
    /// The spans.
    pub assembly: &'a TraceAssembly,
    /// Hides secrets in them.
    pub redactor: &'a Redactor,
    /// Nanoseconds since 1970.
    pub now_ns: u64,
}

impl PageSource<'_> {
    /// Answers a question.
    ///
    /// # Errors
    /// An invalid filter; a trace or span that is not in memory.
    pub(crate) fn answer(&self, question: &PageQuestion) -> Answered<Json> {
        let text = PageText::new(self.redactor);
        match question {
            PageQuestion::Traces(question) => self.list(question, &text),
            PageQuestion::Trace { trace } => Ok(traces::waterfall(self.trace(trace)?, &text)),
            PageQuestion::Span { trace, span } => {
                let found = SpanId::parse(span).and_then(|id| self.trace(trace).ok()?.span(id));
                found.map(|span| show_span(span, &text)).ok_or(PageFault::Gone)
            }
            PageQuestion::Query(question) => self.query(question, &text),
        }
    }

    fn trace(&self, id: &str) -> Answered<&Trace> {
        TraceId::parse(id).and_then(|id| self.assembly.trace(id)).ok_or(PageFault::Gone)
    }

    fn list(&self, question: &TraceListQuestion, text: &PageText<'_>) -> Answered<Json> {
        let query = question.filter.as_ref().map(FilterQuestion::query).transpose()?;
        let selection = query.as_ref().map(|query| QuerySelection::new(query, self.now_ns));
        let matches = |span: &OtlpSpan| {
            question.cell.as_ref().is_none_or(|cell| cell.holds(span))
                && selection.is_none_or(|selection| selection.counts(span))
        };
        let wanted = question.text.trim().to_lowercase();
        let has_text = |trace: &Trace| wanted.is_empty() || traces::mentions(trace, &wanted);
        let found = self.assembly.traces().filter(|trace| has_text(trace)).filter_map(|trace| {
            let span = trace.spans.iter().find(|span| matches(span))?;
            let is_narrowed = question.cell.is_some() || selection.is_some();
            Some((trace, is_narrowed.then_some(span)))
        });
        let mut list = traces::list(found.collect(), question.order, text);
        list["in_memory"] = self.assembly.traces().count().into();
        list["left"] = self.assembly.left().traces.into();
        Ok(list)
    }

    fn query(&self, question: &FilterQuestion, text: &PageText<'_>) -> Answered<Json> {
        let query = question.query()?;
        let spans = self.assembly.traces().flat_map(|trace| &trace.spans);
        let selection = QuerySelection::new(&query, self.now_ns);
        let chosen: Vec<&OtlpSpan> = spans.filter(|span| selection.counts(span)).collect();
        let groups = selection.answer(chosen.iter().copied()).groups;
        let axis = Axis::of(&chosen, self.now_ns);
        let drawn: Vec<&[Json]> =
            groups.iter().take(limits::PAGE_LINES).map(|group| group.by.as_slice()).collect();
        let lines = axis.lines(&chosen, &drawn, |span| selection.group(span));
        let rows = groups.iter().map(|group| {
            let by: Vec<Json> = group.by.iter().map(|value| text.json(value)).collect();
            json!({
                "by": by, "count": group.count,
                "p50_ms": group.p50_ms, "p90_ms": group.p90_ms, "p99_ms": group.p99_ms,
            })
        });
        Ok(json!({
            "spans": chosen.len(),
            "groups": rows.collect::<Vec<_>>(),
            "times": axis.edges(),
            "lines": lines,
            "grid": Grid::of(&chosen, &axis),
            "columns": columns(&chosen, text),
        }))
    }
}

/// Returns every column that has a value in the latest spans.
fn columns(spans: &[&OtlpSpan], text: &PageText<'_>) -> Vec<String> {
    const FIXED_COLUMNS: [&str; 8] = [
        "duration_ms",
        "error",
        "name",
        "service.name",
        "span.kind",
        "status_message",
        "trace.parent_id",
        "trace.trace_id",
    ];
    let recent = spans.iter().rev().take(limits::PAGE_ENTRIES);
    let attributes =
        recent.flat_map(|span| span.attributes.iter().chain(span.source.resource.iter()));
    let mut names: Vec<&str> =
        attributes.map(|(name, _)| name.as_str()).chain(FIXED_COLUMNS).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(limits::PAGE_ENTRIES);
    names.into_iter().map(|name| text.name(name)).collect()
}

fn show_span(span: &OtlpSpan, text: &PageText<'_>) -> Json {
    let pairs = |attributes: &[SpanAttribute]| -> Vec<Json> {
        let shown = attributes.iter().take(limits::PAGE_ENTRIES);
        shown
            .map(|(name, value)| json!([text.name(name), text.value(&value.to_string())]))
            .collect()
    };
    let events = span.events.iter().take(limits::PAGE_ENTRIES).map(|event| {
        json!({
            "name": text.name(&event.name),
            "after_ns": event.at_ns.saturating_sub(span.start_ns),
            "attributes": pairs(&event.attributes),
        })
    });
    let status = match span.status {
        SpanStatus::Unset => "unset",
        SpanStatus::Ok => "ok",
        SpanStatus::Error(_) => "error",
    };
    json!({
        "span": span.span_id,
        "trace": span.trace_id,
        "parent": span.parent_id,
        "asked_by_us": span.answers_our_request(),
        "name": text.value(&span.name),
        "service": text.name(span.service()),
        "kind": span.kind,
        "status": status,
        "failure": span.failure().map(|reason| text.value(&reason)),
        "start_ms": span.start_ns as f64 / 1e6,
        "duration_ns": span.duration_ns(),
        "scope": text.name([span.source.scope.as_str(), &span.source.scope_version].join(" ").trim()),
        "attributes": pairs(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "resource": pairs(&span.source.resource),
        "left_out": span.attributes.len().saturating_sub(limits::PAGE_ENTRIES)
            + span.events.len().saturating_sub(limits::PAGE_ENTRIES),
    })
}
