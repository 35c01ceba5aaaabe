//! Draws a trace as a waterfall: calls, times, durations and failures.
//!
//! Text only, never wider than the terminal, and readable without colour or Unicode.

use super::painted::PaintedLine;
use super::text::{LineStyle, count_columns, format_count, format_nanoseconds};
use super::{StreamLook, TextRole, Verbosity};
use crate::otlp::assembly::{Trace, TraceNode};
use crate::otlp::span::{AttributeValue, OtlpSpan, SpanAttribute};
use crate::secret::RedactedText;

/// The default number of spans drawn of a trace.
const DEFAULT_SPAN_LIMIT: usize = 100;

/// The most levels of nesting; deeper spans are drawn at the last.
const MAX_NESTING: usize = 8;

/// The width of the durations on the right.
const DURATION: usize = 7;

/// The narrowest supported terminal, in columns.
const MIN_COLUMNS: usize = 40;

/// Returns the lines of `trace`, with attributes and events if `verbosity` includes them.
pub fn draw(trace: &Trace, pen: &LineStyle, verbosity: Verbosity) -> Vec<PaintedLine> {
    let nodes = trace.tree();
    let shown = match verbosity {
        Verbosity::Verbose => nodes.len(),
        Verbosity::Quiet | Verbosity::Normal => nodes.len().min(DEFAULT_SPAN_LIMIT),
    };
    let sheet = WaterfallLayout::new(trace, &nodes[..shown], pen);
    let mut lines = vec![sheet.title()];
    let mut rails: Vec<bool> = Vec::new();
    for (index, node) in nodes[..shown].iter().enumerate() {
        rails.truncate(node.depth.saturating_sub(1));
        if node.depth > 0 {
            rails.push(!node.last);
        }
        lines.push(sheet.row(node, &rails));
        let has_children = nodes.get(index + 1).is_some_and(|next| next.depth > node.depth);
        let margin = sheet.margin(&rails, has_children);
        lines.extend(sheet.remarks(node, &margin, verbosity));
    }
    if shown < nodes.len() {
        let more = format_count((nodes.len() - shown) as u64, "more span");
        lines.push(TextRole::Faint.paint(format!("and {more}; -v draws all")));
    }
    lines
}

/// The deepest tree line of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastRail {
    /// It forks to the row's span.
    Fork,
    /// It passes a remark on the span.
    PassBy,
}

/// The layout shared by all lines of a drawing.
struct WaterfallLayout<'a> {
    trace: &'a Trace,
    pen: &'a LineStyle,
    services: Vec<&'a str>,
    start: u64,
    total: u64,
    width: usize,
    name: usize,
    service: usize,
    bar: usize,
}

impl<'a> WaterfallLayout<'a> {
    fn new(trace: &'a Trace, nodes: &[TraceNode<'_>], pen: &'a LineStyle) -> Self {
        let services = trace.services();
        let width = pen.look.width.max(MIN_COLUMNS);
        let widest = nodes
            .iter()
            .map(|node| 2 * node.depth.min(MAX_NESTING) + span_label(node.span, pen).columns())
            .max();
        let name = widest.unwrap_or(0).min(width * 2 / 5);
        let service = if services.len() > 1 {
            let widest = services.iter().map(|name| pen.show(name).columns()).max();
            widest.unwrap_or(0).min(width / 5)
        } else {
            0
        };
        let gaps = if service > 0 { 4 } else { 3 };
        Self {
            trace,
            pen,
            services,
            start: trace.start_ns(),
            total: trace.end_ns().saturating_sub(trace.start_ns()).max(1),
            width,
            name,
            service,
            bar: width.saturating_sub(name + service + DURATION + gaps),
        }
    }

    fn title(&self) -> PaintedLine {
        let spans = format_count(self.trace.spans.len() as u64, "span");
        let of = match self.services.as_slice() {
            [only] => (*only).to_owned(),
            several => format_count(several.len() as u64, "service"),
        };
        let took = format_nanoseconds(self.trace.end_ns() - self.start, &self.pen.look);
        let failed = self.trace.spans.iter().filter(|span| span.is_error());
        let mut rest = format!("  {spans}, {of}, {took}");
        let id = self.trace.id.to_string();
        match failed.count() as u64 {
            0 => {}
            errors => rest = format!("{rest}, {}", format_count(errors, "error")),
        }
        let columns = self.width.saturating_sub(6 + id.len());
        let rest = self.pen.cut(&self.pen.show(&rest), columns);
        TextRole::Strong.paint(format!("trace {id}")) + rest
    }

    fn row(&self, node: &TraceNode<'_>, rails: &[bool]) -> PaintedLine {
        let span = node.span;
        let pen = self.pen;
        let prefix = self.prefix(rails, LastRail::Fork);
        let columns = self.name.saturating_sub(count_columns(&prefix));
        let name = pen.left(&span_label(span, pen), columns);
        let (named, drawn) = if span.is_error() {
            (TextRole::Error, TextRole::Error)
        } else {
            (TextRole::Plain, self.hue(span))
        };
        let mut line = TextRole::Faint.paint(prefix) + named.paint(name) + " ";
        if self.service > 0 {
            let service = pen.left(&pen.show(span.service()), self.service);
            line = line + self.hue(span).paint(service) + " ";
        }
        let took = pen.show(&format_nanoseconds(span.duration_ns(), &pen.look));
        line + " " + drawn.paint(self.bar(span)) + " " + pen.right(&took, DURATION)
    }

    /// Returns the tree lines from a span to its parent.
    fn prefix(&self, rails: &[bool], last_rail: LastRail) -> String {
        let (through, fork, end) =
            if self.pen.look.unicode { ("│ ", "├ ", "└ ") } else { ("| ", "|-", "`-") };
        let hidden = rails.len().saturating_sub(MAX_NESTING);
        let last = rails.len().saturating_sub(1);
        let step = |(level, goes_on): (usize, &bool)| match (
            last_rail == LastRail::Fork && level == last,
            *goes_on,
        ) {
            (true, true) => fork,
            (true, false) => end,
            (false, true) => through,
            (false, false) => "  ",
        };
        rails.iter().enumerate().skip(hidden).map(step).collect()
    }

    /// Returns the tree lines before a remark: those that continue, and the one to the span's children.
    fn margin(&self, rails: &[bool], has_children: bool) -> String {
        let own_rail = match (has_children, self.pen.look.unicode) {
            (true, true) => "│ ",
            (true, false) => "| ",
            (false, _) => "  ",
        };
        self.prefix(rails, LastRail::PassBy) + own_rail
    }

    /// Returns the service's colour.
    fn hue(&self, span: &OtlpSpan) -> TextRole {
        let index = self.services.iter().position(|name| *name == span.service());
        TextRole::Hue(index.unwrap_or(0))
    }

    /// Returns the span's bar within the trace: in half columns if the terminal supports them, and never empty.
    fn bar(&self, span: &OtlpSpan) -> String {
        let fine = if self.pen.look.unicode { 2 } else { 1 };
        let units = self.bar * fine;
        let scale = |ns: u64| {
            let index = u128::from(ns) * units as u128 / u128::from(self.total);
            usize::try_from(index).unwrap_or(units).min(units)
        };
        let from = scale(span.start_ns - self.start).min(units.saturating_sub(1));
        let to = scale(span.end_ns.saturating_sub(self.start)).max(from + 1);
        let filled = |unit: usize| (from..to).contains(&unit);
        (0..self.bar)
            .map(|column| {
                let (left, right) = (column * fine, column * fine + fine - 1);
                match (self.pen.look.unicode, filled(left), filled(right)) {
                    (true, true, true) => '█',
                    (true, true, false) => '▌',
                    (true, false, true) => '▐',
                    (false, true, _) if to - from == 1 => '|',
                    (false, true, _) => '=',
                    _ => ' ',
                }
            })
            .collect()
    }

    /// Returns the lines below a span: its failure, a missing parent, and requested attributes.
    fn remarks(
        &self,
        node: &TraceNode<'_>,
        margin: &str,
        verbosity: Verbosity,
    ) -> Vec<PaintedLine> {
        let span = node.span;
        let mut remarks = Vec::new();
        if let Some(reason) = span.failure() {
            remarks.push((TextRole::Error, format!("error: {reason}")));
        }
        if let Some(parent) = span.parent_id
            && node.depth == 0
        {
            let text = if span.answers_our_request() {
                "asked by `cruddur-ops verify --app`".to_owned()
            } else {
                format!("its parent {parent} did not arrive")
            };
            remarks.push((TextRole::Faint, text));
        }
        if verbosity == Verbosity::Verbose {
            remarks.extend(
                span_details(span, &self.pen.look).into_iter().map(|text| (TextRole::Faint, text)),
            );
        }
        let columns = self.width.saturating_sub(count_columns(margin));
        remarks
            .into_iter()
            .map(|(role, text)| {
                let text = self.pen.cut(&self.pen.show(&text), columns);
                TextRole::Faint.paint(margin) + role.paint(text)
            })
            .collect()
    }
}

/// Returns a span's name, with a mark if it failed.
fn span_label(span: &OtlpSpan, pen: &LineStyle) -> RedactedText {
    let name = pen.show(&span.name);
    match (span.is_error(), pen.look.unicode) {
        (true, true) => name.map(|name| format!("✗ {name}")),
        (true, false) => name.map(|name| format!("! {name}")),
        (false, _) => name,
    }
}

fn span_details(span: &OtlpSpan, look: &StreamLook) -> Vec<String> {
    let mut lines = Vec::new();
    let source = &span.source;
    let scope = [source.scope.as_str(), source.scope_version.as_str()].join(" ");
    lines.push(match scope.trim() {
        "" => format!("{} span {}", span.kind, span.span_id),
        scope => format!("{} span {} by {scope}", span.kind, span.span_id),
    });
    lines.extend(span.attributes.iter().map(format_attribute));
    for event in &span.events {
        let after = format_nanoseconds(event.at_ns.saturating_sub(span.start_ns), look);
        lines.push(format!("after {after}: {}", event.name));
        lines.extend(
            event.attributes.iter().map(|attribute| format!("  {}", format_attribute(attribute))),
        );
    }
    lines
}

fn format_attribute((name, value): &SpanAttribute) -> String {
    match value {
        AttributeValue::Empty => format!("{name} ="),
        value => format!("{name} = {value}"),
    }
}

#[cfg(test)]
#[path = "waterfall_tests.rs"]
mod tests;
