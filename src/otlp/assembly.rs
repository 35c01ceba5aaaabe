//! Assembles spans into traces. A trace is complete when its root was seen and nothing has come for a while.
//!
//! Memory is limited: when it is full, the oldest traces are evicted. The caller supplies the time.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::span::{BatchSource, OtlpSpan, SpanId, TraceId};

/// The received part of a trace; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, in order of arrival.
    pub spans: Vec<OtlpSpan>,
}

/// A span with its position in the tree.
#[derive(Debug, Clone, Copy)]
pub struct TraceNode<'a> {
    /// The span.
    pub span: &'a OtlpSpan,
    /// The depth in the tree, 0 at the top.
    pub depth: usize,
    /// Whether it is the last of its siblings.
    pub last: bool,
}

impl Trace {
    /// Returns the start of the first span, in nanoseconds since 1970.
    pub fn start_ns(&self) -> u64 {
        self.spans.iter().map(|span| span.start_ns).min().unwrap_or(0)
    }

    /// Returns the end of the last span, in nanoseconds since 1970.
    pub fn end_ns(&self) -> u64 {
        let ends = self.spans.iter().map(|span| span.end_ns.max(span.start_ns));
        ends.max().unwrap_or(0)
    }

    /// Returns the span without a parent, if it has arrived.
    pub fn root(&self) -> Option<&OtlpSpan> {
        self.spans.iter().find(|span| span.parent_id.is_none())
    }

    /// Returns the span with this id.
    pub fn span(&self, id: SpanId) -> Option<&OtlpSpan> {
        self.spans.iter().find(|span| span.span_id == id)
    }

    /// Returns every service, ordered by the start of its first span.
    pub fn services(&self) -> Vec<&str> {
        let mut spans: Vec<&OtlpSpan> = self.spans.iter().collect();
        spans.sort_by_key(|span| span.start_ns);
        let mut services = Vec::new();
        for span in spans {
            if !services.contains(&span.service()) {
                services.push(span.service());
            }
        }
        services
    }

    /// Returns every span once, parents before children, siblings by start. A span is at the top if its parent has
    /// not arrived or it is among its own ancestors.
    pub fn tree(&self) -> Vec<TraceNode<'_>> {
        let known: HashMap<SpanId, usize> =
            (0..self.spans.len()).rev().map(|index| (self.spans[index].span_id, index)).collect();
        let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for (index, span) in self.spans.iter().enumerate() {
            let parent = span.parent_id.and_then(|id| known.get(&id)).copied();
            children.entry(parent.filter(|parent| *parent != index)).or_default().push(index);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|index| (self.spans[*index].start_ns, *index));
        }

        let mut nodes = Vec::with_capacity(self.spans.len());
        let mut placed = vec![false; self.spans.len()];
        let tops = children.get(&None).cloned().unwrap_or_default();
        self.descend(&tops, &children, &mut placed, &mut nodes);
        // Spans that are not reachable from the top form a cycle, which is broken at its first span.
        for index in 0..self.spans.len() {
            if !placed[index] {
                self.descend(&[index], &children, &mut placed, &mut nodes);
            }
        }
        nodes
    }

    fn descend<'a>(
        &'a self,
        tops: &[usize],
        children: &BTreeMap<Option<usize>, Vec<usize>>,
        placed: &mut [bool],
        nodes: &mut Vec<TraceNode<'a>>,
    ) {
        let stacked = |siblings: &[usize], depth: usize| {
            let last = siblings.len().saturating_sub(1);
            let mut steps: Vec<(usize, usize, bool)> = siblings
                .iter()
                .enumerate()
                .map(|(index, place)| (*place, depth, index == last))
                .collect();
            steps.reverse();
            steps
        };
        let mut stack = stacked(tops, 0);
        while let Some((index, depth, last)) = stack.pop() {
            if std::mem::replace(&mut placed[index], true) {
                continue;
            }
            nodes.push(TraceNode { span: &self.spans[index], depth, last });
            if let Some(below) = children.get(&Some(index)) {
                stack.extend(stacked(below, depth + 1));
            }
        }
    }
}

/// The approximate memory of a trace in addition to its spans, in bytes: spare capacity and table entries.
const TRACE_BYTES: usize = 1500;

/// The rules for completeness and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssemblyRules {
    /// The time without new spans after which a trace with a root is complete.
    pub quiet: Duration,
    /// The same time for a trace without a root, whose parent may never send spans.
    pub rootless: Duration,
    /// The approximate bytes of spans to keep.
    pub keep: usize,
}

impl Default for AssemblyRules {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(2), rootless: Duration::from_secs(10), keep: 64 << 20 }
    }
}

/// The traces in memory, open and complete.
#[derive(Debug)]
pub struct TraceAssembly {
    rules: AssemblyRules,
    traces: HashMap<TraceId, OpenTrace>,
    by_age: BTreeMap<u64, TraceId>,
    due: BTreeMap<(Instant, u64), TraceId>,
    arrivals: u64,
    weight: usize,
    /// The number of spans that share each source, so that it is counted once.
    sources: HashMap<*const BatchSource, usize>,
    left: EvictionCounts,
}

/// Evicted traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EvictionCounts {
    /// The number of traces.
    pub traces: u64,
    /// The number of their spans.
    pub spans: u64,
    /// The number of traces evicted before they were complete.
    pub open: u64,
}

#[derive(Debug)]
struct OpenTrace {
    trace: Trace,
    /// The index of each span, because a sender that missed our answer sends it again.
    seen: HashMap<(SpanId, u64), usize>,
    age: u64,
    weight: usize,
    rooted: bool,
    /// When it will be complete if no more spans come; `None` once reported.
    due: Option<Instant>,
    /// The number of spans when it was reported.
    shown: usize,
}

/// A reported trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedTrace {
    /// The trace.
    pub id: TraceId,
    /// The number of spans in the earlier report; later ones arrived late.
    pub before: usize,
}

impl TraceAssembly {
    /// Returns an empty assembly.
    pub fn new(rules: AssemblyRules) -> Self {
        Self {
            rules,
            traces: HashMap::new(),
            by_age: BTreeMap::new(),
            due: BTreeMap::new(),
            arrivals: 0,
            weight: 0,
            sources: HashMap::new(),
            left: EvictionCounts::default(),
        }
    }

    /// Adds spans that arrived at `now`, counting duplicates.
    pub fn add(&mut self, spans: Vec<OtlpSpan>, now: Instant) {
        for span in spans {
            self.add_one(span, now);
        }
        while self.weight > self.rules.keep {
            let Some((_, id)) = self.by_age.pop_first() else {
                break;
            };
            self.forget(id);
        }
    }

    fn add_one(&mut self, span: OtlpSpan, now: Instant) {
        let id = span.trace_id;
        let weight = span.weight();
        let building = self.traces.entry(id).or_insert_with(|| {
            self.arrivals += 1;
            self.by_age.insert(self.arrivals, id);
            self.weight += TRACE_BYTES;
            OpenTrace {
                trace: Trace { id, spans: Vec::new() },
                seen: HashMap::new(),
                age: self.arrivals,
                weight: TRACE_BYTES,
                rooted: false,
                due: None,
                shown: 0,
            }
        });
        match building.seen.entry((span.span_id, span.start_ns)) {
            Entry::Occupied(index) => {
                let known = &mut building.trace.spans[*index.get()];
                known.copies = known.copies.saturating_add(span.copies);
                return;
            }
            Entry::Vacant(index) => drop(index.insert(building.trace.spans.len())),
        }
        let holders = self.sources.entry(Arc::as_ptr(&span.source)).or_insert(0);
        if *holders == 0 {
            self.weight += span.source.weight();
        }
        *holders += 1;
        building.rooted |= span.parent_id.is_none() || span.answers_our_request();
        building.weight += weight;
        building.trace.spans.push(span);
        self.weight += weight;
        let wait = if building.rooted { self.rules.quiet } else { self.rules.rootless };
        if let Some(due) = building.due.replace(now + wait) {
            self.due.remove(&(due, building.age));
        }
        self.due.insert((now + wait, building.age), id);
    }

    fn forget(&mut self, id: TraceId) {
        let Some(building) = self.traces.remove(&id) else {
            return;
        };
        self.weight -= building.weight;
        for span in &building.trace.spans {
            if let Entry::Occupied(mut holders) = self.sources.entry(Arc::as_ptr(&span.source)) {
                *holders.get_mut() -= 1;
                if *holders.get() == 0 {
                    holders.remove();
                    self.weight -= span.source.weight();
                }
            }
        }
        self.left.traces += 1;
        self.left.spans += building.trace.spans.len() as u64;
        if let Some(due) = building.due {
            self.due.remove(&(due, building.age));
            self.left.open += 1;
        }
    }

    /// Returns the traces that are complete at `now` and were not reported since their last span.
    pub fn complete(&mut self, now: Instant) -> Vec<CompletedTrace> {
        let mut complete = Vec::new();
        while let Some(((due, _), id)) = self.due.first_key_value() {
            if *due > now {
                break;
            }
            let id = *id;
            self.due.pop_first();
            complete.extend(self.name(id));
        }
        complete
    }

    /// Returns every trace that was not reported since its last span, complete or not, oldest first.
    pub fn rest(&mut self) -> Vec<CompletedTrace> {
        self.due.clear();
        let waiting: Vec<TraceId> = self.by_age.values().copied().collect();
        waiting.into_iter().filter_map(|id| self.name(id)).collect()
    }

    fn name(&mut self, id: TraceId) -> Option<CompletedTrace> {
        let building = self.traces.get_mut(&id)?;
        building.due.take()?;
        let before = std::mem::replace(&mut building.shown, building.trace.spans.len());
        Some(CompletedTrace { id, before })
    }

    /// Returns when the next trace will be complete if no more spans come.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.keys().next().map(|(due, _)| *due)
    }

    /// Returns the traces in memory, oldest first.
    pub fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.by_age.values().filter_map(|id| self.traces.get(id)).map(|building| &building.trace)
    }

    /// Returns the trace with this id, if it is in memory.
    pub fn trace(&self, id: TraceId) -> Option<&Trace> {
        self.traces.get(&id).map(|building| &building.trace)
    }

    /// Returns the approximate bytes of spans in memory.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Returns the evictions so far.
    pub fn left(&self) -> EvictionCounts {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::otlp::fixture::{self, fixture_span, trace_id};

    fn in_trace(mut span: OtlpSpan, number: u8) -> OtlpSpan {
        span.trace_id = trace_id(number);
        span
    }

    fn seconds(number: f64) -> Duration {
        Duration::from_secs_f64(number)
    }

    #[test]
    fn a_trace_is_complete_when_its_root_was_seen_and_nothing_came_for_two_seconds() {
        let start = Instant::now();
        let mut assembly = TraceAssembly::new(AssemblyRules::default());
        assembly.add(vec![fixture_span(2, Some(1), "child", 1.0, 1.0)], start);
        assert_eq!(assembly.complete(start + seconds(3.0)), []);
        assembly.add(vec![fixture_span(1, None, "root", 0.0, 2.0)], start + seconds(3.0));
        assert_eq!(assembly.next_due(), Some(start + seconds(5.0)));
        assert_eq!(assembly.complete(start + seconds(4.9)), []);
        let complete = CompletedTrace { id: trace_id(1), before: 0 };
        assert_eq!(assembly.complete(start + seconds(5.0)), [complete]);
        assert_eq!(assembly.complete(start + seconds(60.0)), [], "once");
        assert_eq!(assembly.next_due(), None);
    }

    #[test]
    fn a_trace_reaches_from_its_first_start_to_its_last_end() {
        let begin = fixture_span(1, None, "root", 0.0, 0.0).start_ns;
        let mut reversed = fixture_span(4, Some(1), "a clock that went back", 9.0, 0.0);
        reversed.end_ns = 0;
        let child = || fixture_span(2, Some(1), "child", 3.0, 2.0);
        let root = || fixture_span(1, None, "root", 5.0, 1.0);
        for (spans, start_ms, end_ms) in [
            (vec![child(), root()], 3, 6),
            (vec![root(), child()], 3, 6),
            (vec![root()], 5, 6),
            (vec![root(), reversed], 5, 9),
        ] {
            let trace = Trace { id: trace_id(1), spans };
            let found = (trace.start_ns() - begin, trace.end_ns() - begin);
            assert_eq!(found, (start_ms * 1_000_000, end_ms * 1_000_000));
        }
    }

    #[test]
    fn late_spans_report_a_trace_again_and_duplicates_do_not() {
        let start = Instant::now();
        let mut assembly = TraceAssembly::new(AssemblyRules::default());
        assembly.add(vec![fixture_span(1, None, "root", 0.0, 2.0)], start);
        assert_eq!(assembly.complete(start + seconds(2.0)).len(), 1);
        assembly.add(vec![fixture_span(1, None, "root", 0.0, 2.0)], start + seconds(3.0));
        assert_eq!(assembly.complete(start + seconds(9.0)), []);
        assert_eq!(assembly.trace(trace_id(1)).unwrap().spans[0].copies, 2);
        assembly.add(vec![fixture_span(2, Some(1), "late", 0.0, 2.0)], start + seconds(9.0));
        let again = assembly.complete(start + seconds(11.0));
        assert_eq!(again[0].before, 1);
        assert_eq!(assembly.trace(again[0].id).unwrap().spans.len(), 2);
    }

    #[test]
    fn a_trace_without_a_root_completes_later() {
        let start = Instant::now();
        let mut assembly = TraceAssembly::new(AssemblyRules::default());
        assembly.add(vec![fixture_span(2, Some(1), "child of nobody here", 0.0, 1.0)], start);
        assert_eq!(assembly.complete(start + seconds(9.9)), []);
        assert_eq!(assembly.complete(start + seconds(10.0)).len(), 1);
        assembly.add(vec![in_trace(fixture_span(3, Some(1), "x", 0.0, 1.0), 2)], start);
        assert_eq!(assembly.rest().len(), 1, "at the end it is named anyway");
        assert_eq!(assembly.rest(), []);
    }

    #[test]
    fn the_tree_shows_every_span_once_even_in_a_cycle() {
        let circle = Trace {
            id: trace_id(1),
            spans: vec![
                fixture_span(1, Some(3), "a", 0.0, 1.0),
                fixture_span(2, Some(1), "b", 1.0, 1.0),
                fixture_span(3, Some(2), "c", 2.0, 1.0),
                fixture_span(4, Some(4), "own parent", 3.0, 1.0),
                fixture_span(5, Some(9), "orphan", 4.0, 1.0),
            ],
        };
        let names: Vec<(&str, usize)> =
            circle.tree().iter().map(|node| (node.span.name.as_str(), node.depth)).collect();
        assert_eq!(names, [("own parent", 0), ("orphan", 0), ("a", 0), ("b", 1), ("c", 2)]);
    }

    #[test]
    fn parents_stand_before_children_and_siblings_by_their_start() {
        let names: Vec<String> = fixture::fixture_trace()
            .tree()
            .iter()
            .map(|node| {
                format!("{}{}{}", node.depth, if node.last { "." } else { " " }, node.span.name)
            })
            .collect();
        assert_eq!(
            names,
            [
                "0.GET /api/activities/home",
                "1 home-activities-mock-data",
                "2.SELECT cruddur.activities",
                "1.GET notifications",
                "2.GET /",
                "3.redis GET",
            ]
        );
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_nothing_is_lost_below_the_bound(
            arrivals in prop::collection::vec((0_u8..20, 0_u8..30, 0_usize..2000, 0_u64..4000), 0..120),
            keep in 1_000_usize..60_000,
        ) {
            let start = Instant::now();
            let mut assembly = TraceAssembly::new(AssemblyRules { keep, ..AssemblyRules::default() });
            let mut sent = std::collections::HashSet::new();
            let mut named = 0;
            let mut now = start;
            for (trace, id, length, wait) in arrivals {
                now += Duration::from_millis(wait);
                named += assembly.complete(now).len() as u64;
                let parent = (id > 0).then_some(id / 2);
                let span = in_trace(fixture_span(id, parent, &"n".repeat(length), 0.0, 1.0), trace);
                let known = assembly.trace(span.trace_id).is_some_and(|trace| trace.span(span.span_id).is_some());
                if !known {
                    sent.insert((trace, id, now));
                }
                assembly.add(vec![span], now);
                prop_assert!(assembly.weight() <= keep);
                let weight: usize = assembly.traces().flat_map(|trace| &trace.spans).map(OtlpSpan::weight).sum();
                let traces = assembly.traces().count();
                let held: HashMap<*const BatchSource, usize> = assembly
                    .traces()
                    .flat_map(|trace| &trace.spans)
                    .map(|span| (Arc::as_ptr(&span.source), span.source.weight()))
                    .collect();
                let sources: usize = held.values().sum();
                prop_assert_eq!(assembly.weight(), weight + traces * TRACE_BYTES + sources);
            }
            let span_count: u64 = assembly.traces().map(|trace| trace.spans.len() as u64).sum();
            let left = assembly.left();
            prop_assert_eq!(span_count + left.spans, sent.len() as u64);
            named += assembly.rest().len() as u64;
            let traces = assembly.traces().count() as u64 + left.traces;
            prop_assert!(named + left.open >= traces, "every trace is named, or counted as having left open");
        }

        #[test]
        fn the_tree_has_every_span_once(parents in prop::collection::vec(prop::option::of(0_u8..12), 1..12)) {
            let spans = parents.iter().enumerate().map(|(id, parent)| fixture_span(id as u8, *parent, "s", id as f64, 1.0));
            let trace = Trace { id: trace_id(1), spans: spans.collect() };
            let mut seen: Vec<SpanId> = trace.tree().iter().map(|node| node.span.span_id).collect();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), parents.len());
            prop_assert_eq!(trace.tree().len(), parents.len());
        }
    }
}
