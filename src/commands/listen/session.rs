//! The state of a running `listen`: traces, counters, and what was drawn.

use std::num::NonZeroU64;
use std::time::SystemTime;

use serde_json::json;
use tokio::time::Instant;

use super::forward::{self, ForwardQueue};
use crate::commands::page::since_1970;
use crate::error::Result;
use crate::net::receiver::{self, ReceivedExport, ReceivedQuestion, TelemetrySignal};
use crate::otlp::assembly::{AssemblyRules, CompletedTrace, TraceAssembly};
use crate::otlp::query::Query;
use crate::otlp::span::OtlpSpan;
use crate::otlp::summary::SpanSummary;
use crate::otlp::{answer, span};
use crate::ui::text::format_count;
use crate::ui::{Ui, Verbosity, heatmap, table, waterfall};

/// The most traces drawn per second: more is unreadable, and drawing must not delay receiving.
const DRAWN_PER_SECOND: u64 = 50;

pub(super) struct ListenSession {
    assembly: TraceAssembly,
    summary: SpanSummary,
    began: Instant,
    drawn: u64,
    /// The second since the start in which traces were last drawn, and how many.
    pace: (u64, u64),
    undrawn: u64,
    rejected: usize,
    metrics: u64,
    logs: u64,
    forwarding: Option<ForwardQueue>,
}

impl ListenSession {
    pub(super) fn new(keep: usize, forwarding: Option<ForwardQueue>) -> Self {
        Self {
            assembly: TraceAssembly::new(AssemblyRules { keep, ..AssemblyRules::default() }),
            summary: SpanSummary::default(),
            began: Instant::now(),
            drawn: 0,
            pace: (0, 0),
            undrawn: 0,
            rejected: 0,
            metrics: 0,
            logs: 0,
            forwarding,
        }
    }

    /// Returns the spans in memory.
    pub(super) fn assembly(&self) -> &TraceAssembly {
        &self.assembly
    }

    /// Returns the number of complete traces so far.
    pub(super) fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Returns when the next trace is due to be complete.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.assembly.next_due().map(Instant::from_std)
    }

    /// Counts and keeps the received spans; prints them under `--json`.
    pub(super) fn take(&mut self, mut arrival: ReceivedExport, ui: &mut Ui) -> Result<()> {
        match arrival.signal {
            TelemetrySignal::Metrics => self.metrics += 1,
            TelemetrySignal::Logs => self.logs += 1,
            TelemetrySignal::Traces => {}
        }
        self.rejected += arrival.rejected;
        let at = since_1970(arrival.at);
        for span in &arrival.spans {
            self.summary.add(span, at);
            if ui.is_json() {
                ui.document(&span_document(span))?;
            }
        }
        let spans = std::mem::take(&mut arrival.spans);
        self.assembly.add(spans, Instant::now().into_std());
        if let Some(forwarding) = &mut self.forwarding {
            forwarding.pass(arrival);
        }
        Ok(())
    }

    /// Waits for the outcome of the next forwarded request; forever, without `--forward`.
    pub(super) async fn forwarded(&mut self) -> forward::ForwardResult {
        match &mut self.forwarding {
            Some(forwarding) => forwarding.next().await,
            None => std::future::pending().await,
        }
    }

    /// Reports the outcome of a forwarded request.
    pub(super) fn report_forwarded(&mut self, outcome: forward::ForwardResult, ui: &mut Ui) {
        if let Some(forwarding) = &mut self.forwarding {
            forwarding.report(outcome, ui);
        }
    }

    /// Draws the complete traces, up to `enough` in all.
    pub(super) fn draw_complete(&mut self, enough: Option<NonZeroU64>, ui: &mut Ui) {
        for complete in self.assembly.complete(Instant::now().into_std()) {
            if enough.is_some_and(|enough| self.drawn >= enough.get()) {
                return;
            }
            self.draw(complete, ui);
        }
    }

    /// Draws the traces that were incomplete at the end.
    pub(super) fn draw_rest(&mut self, ui: &mut Ui) {
        for complete in self.assembly.rest() {
            self.draw(complete, ui);
        }
    }

    fn draw(&mut self, complete: CompletedTrace, ui: &mut Ui) {
        self.drawn += u64::from(complete.before == 0);
        let second = self.began.elapsed().as_secs();
        let so_far = if self.pace.0 == second { self.pace.1 } else { 0 };
        self.pace = (second, so_far + 1);
        if so_far >= DRAWN_PER_SECOND {
            self.undrawn += 1;
            return;
        }
        let Some(trace) = self.assembly.trace(complete.id) else {
            return;
        };
        let (pen, verbosity) = (ui.result_pen(), ui.verbosity());
        if complete.before > 0 {
            let late = format_count((trace.spans.len() - complete.before) as u64, "span");
            ui.say(format!("{late} came late; the trace again:"));
        }
        if ui.is_json() || verbosity == Verbosity::Quiet {
            return;
        }
        for line in waterfall::draw(trace, &pen, verbosity) {
            ui.result(line);
        }
        ui.result("");
    }

    /// Answers a request of `cruddur-ops query`.
    pub(super) fn answer(&self, question: ReceivedQuestion) {
        let query = percent_encoding::percent_decode_str(&question.text).decode_utf8_lossy();
        let answer = match serde_json::from_str::<Query>(&query) {
            Ok(query) => {
                let spans = self.assembly.traces().flat_map(|trace| &trace.spans);
                let found = answer::answer(&query, spans, since_1970(SystemTime::now()));
                receiver::QuestionAnswer {
                    status: 200,
                    document: json!({ "schema_version": 1, "answer": found }),
                }
            }
            Err(error) => receiver::QuestionAnswer {
                status: 400,
                document: json!({ "error": error.to_string() }),
            },
        };
        // The client may have disconnected.
        let _ = question.answer.send(answer);
    }

    /// Prints the totals.
    pub(super) async fn sum_up(mut self, ui: &mut Ui) {
        let pen = ui.result_pen();
        if self.summary.services().next().is_none() {
            ui.accompany("no spans arrived");
        } else {
            for line in table::services(&self.summary, &pen) {
                ui.accompany(line);
            }
            ui.accompany("");
            for line in heatmap::draw(self.summary.heat(), &pen) {
                ui.accompany(line);
            }
        }
        self.report_totals(ui);
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.finish(ui).await;
        }
    }

    fn report_totals(&self, ui: &mut Ui) {
        if self.undrawn > 0 {
            let traces = format_count(self.undrawn, "trace");
            ui.say(format!("{traces} came too fast to be drawn; they are counted above"));
        }
        let left = self.assembly.left();
        if left.traces > 0 {
            let traces = format_count(left.traces, "trace");
            let spans = format_count(left.spans, "span");
            ui.say(format!("{traces} of {spans} were dropped from memory (--keep), {} of them before they were complete; they are counted above", left.open));
        }
        if self.rejected > 0 {
            let spans = format_count(self.rejected as u64, "span");
            ui.warn(format!("{spans} rejected: {}", receiver::REJECTED), None);
        }
        for (number, signal) in [(self.metrics, "metrics"), (self.logs, "logs")] {
            if number > 0 {
                let requests = format_count(number, "request");
                ui.say(format!("{requests} with {signal} acknowledged and ignored"));
            }
        }
    }
}

/// Returns a span as one line of `listen --json`.
fn span_document(span: &OtlpSpan) -> serde_json::Value {
    let status = match &span.status {
        span::SpanStatus::Unset => json!({ "code": "unset" }),
        span::SpanStatus::Ok => json!({ "code": "ok" }),
        span::SpanStatus::Error(message) => json!({ "code": "error", "message": message }),
    };
    let events = span.events.iter().map(|event| {
        json!({
            "name": event.name,
            "time_unix_nano": event.at_ns.to_string(),
            "attributes": span::attributes_to_json(&event.attributes),
        })
    });
    json!({
        "schema_version": 1,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "service": span.service(),
        "scope": span.source.scope,
        "start_time_unix_nano": span.start_ns.to_string(),
        "end_time_unix_nano": span.end_ns.to_string(),
        "duration_ms": answer::span_column(span, "duration_ms"),
        "status": status,
        "attributes": span::attributes_to_json(&span.attributes),
        "resource": span::attributes_to_json(&span.source.resource),
        "events": events.collect::<Vec<_>>(),
    })
}
