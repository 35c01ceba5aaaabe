//! Judges whether an application's spans are the proof, or what is wrong with them.

use super::{AppProbe, AppSpan};

/// The judgement on an application's spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AppSpanJudgement {
    /// The finding, in one line.
    pub evidence: String,
    /// Faults that keep the spans from being a proof.
    pub faults: Vec<String>,
    /// Remarks that do not affect the proof.
    pub remarks: Vec<String>,
    /// The number of the application's spans with our trace id.
    pub spans: usize,
    /// Whether its spans identify their request, so that the span of an ordinary request would be recognised.
    pub tells_requests: bool,
    /// Whether the request without a trace id led to a span too.
    pub ordinary: bool,
}

impl AppSpanJudgement {
    fn fault(evidence: String, fault: String) -> Self {
        Self { evidence, faults: vec![fault], ..Self::default() }
    }
}

/// Compares the received spans with those the requests of `probe` should create; `None` if there are none.
pub(crate) fn judge_app_spans(spans: &[AppSpan], probe: &AppProbe) -> Option<AppSpanJudgement> {
    let trace = probe.trace.id();
    let trace_spans: Vec<&AppSpan> = spans.iter().filter(|span| span.trace == trace).collect();
    let ordinary = spans.iter().any(|span| span.is_marked(&probe.ordinary_mark));
    if trace_spans.is_empty() {
        let stray = spans.iter().find(|span| span.is_marked(&probe.mark))?;
        let found = AppSpanJudgement::fault(
            format!("a span of {} ({}) answers our request", stray.service, stray.name),
            format!(
                "it came under another trace id, {}: `traceparent` is not read (OTEL_PROPAGATORS needs `tracecontext`)",
                stray.trace
            ),
        );
        return Some(AppSpanJudgement { tells_requests: true, ordinary, ..found });
    }
    let root = probe.trace.root_id();
    let is_child = |span: &&&AppSpan| span.parent.as_deref() == Some(root.as_str());
    let children: Vec<&&AppSpan> = trace_spans.iter().filter(is_child).collect();
    let is_server = |span: &&AppSpan| span.kind == "server";
    let server = children.iter().find(|span| is_server(span)).or(children.first()).copied();
    let Some(server) = server.or_else(|| trace_spans.iter().find(|span| is_server(span))) else {
        let evidence = format!("{} arrived", format_span_count(trace_spans.len()));
        let found =
            AppSpanJudgement::fault(evidence, "none of them answers our request".to_owned());
        return Some(AppSpanJudgement { spans: trace_spans.len(), ordinary, ..found });
    };
    let mut faults = faults_of_name(server, &probe.trace.service);
    if children.is_empty() {
        faults.push("the server span is not a child of ours: `traceparent` is not read".to_owned());
    }
    let own_spans = trace_spans.iter().filter(|span| span.service == server.service).count();
    Some(AppSpanJudgement {
        evidence: span_evidence(&trace_spans, server, own_spans),
        faults,
        remarks: span_remarks(&trace_spans, server, &children),
        spans: own_spans,
        tells_requests: server.is_marked(&probe.mark),
        ordinary,
    })
}

fn faults_of_name(server: &AppSpan, service: &str) -> Vec<String> {
    let name = &server.service;
    if name.starts_with("unknown_service") {
        return vec![format!(
            "they are named {name}: OTEL_SERVICE_NAME did not reach the application"
        )];
    }
    if name == service { Vec::new() } else { vec![format!("they are named {name}, not {service}")] }
}

/// Returns remarks on attributes or spans that are missing or duplicated.
fn span_remarks(trace_spans: &[&AppSpan], server: &AppSpan, children: &[&&AppSpan]) -> Vec<String> {
    let mut remarks = Vec::new();
    if server.route.is_none() {
        remarks.push("it has no http.route".to_owned());
    }
    if server.status.is_none() {
        remarks.push("it has no http.status_code".to_owned());
    }
    let copies = trace_spans.iter().map(|span| span.copies).max().unwrap_or(1);
    if copies > 1 {
        remarks.push(format!(
            "each came {copies} times: more than one span processor or exporter sends it"
        ));
    }
    let is_server = |span: &&&&AppSpan| span.kind == "server" && span.service == server.service;
    let servers = children.iter().filter(is_server).count();
    if servers > 1 {
        remarks.push(format!("{servers} server spans answer one request: it is traced twice"));
    }
    remarks
}

fn format_span_count(spans: usize) -> String {
    match spans {
        1 => "1 span".to_owned(),
        spans => format!("{spans} spans"),
    }
}

fn span_evidence(spans: &[&AppSpan], server: &AppSpan, own_spans: usize) -> String {
    let has_parent = |span: &&&&AppSpan| {
        let parent = span.parent.as_ref();
        parent.is_some_and(|parent| spans.iter().any(|span| span.id == *parent))
    };
    let mine: Vec<&&AppSpan> = spans.iter().filter(|span| span.service == server.service).collect();
    let nested = mine.iter().filter(has_parent).count();
    let mut parts = vec![format!("{} span", server.kind)];
    parts.extend(server.route.iter().map(|route| format!("http.route {route}")));
    parts.extend(server.status.iter().map(|status| format!("status {status}")));
    let mut others: Vec<&str> = spans.iter().map(|span| span.service.as_str()).collect();
    others.retain(|name| *name != server.service);
    others.sort_unstable();
    others.dedup();
    let more = match others.as_slice() {
        [] => String::new(),
        names => format!("; the trace goes on in {}", names.join(", ")),
    };
    format!(
        "{own_spans} of {}'s own spans under our trace id: {} ({}), {nested} nested below{more}",
        server.service,
        server.name,
        parts.join(", ")
    )
}

/// Returns the trace among `probes` that contains spans of `service`, and their number.
pub(crate) fn find_linked<'p>(
    spans: &[AppSpan],
    service: &str,
    probes: &[&'p AppProbe],
) -> Option<(&'p AppProbe, usize)> {
    probes.iter().find_map(|probe| {
        let trace = probe.trace.id();
        let own_spans = spans.iter().filter(|span| span.trace == trace && span.service == service);
        match own_spans.count() {
            0 => None,
            count => Some((*probe, count)),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::otlp::TestTrace;

    fn probe() -> AppProbe {
        let trace = TestTrace::new("api", Duration::from_secs(1_700_000_000), [1, 2, 3]);
        AppProbe::new(trace, "run", 0)
    }

    fn span(id: &str, parent: &str, service: &str) -> AppSpan {
        let parent = match parent {
            "ours" => probe().trace.root_id(),
            other => other.to_owned(),
        };
        AppSpan {
            trace: probe().trace.id(),
            id: id.to_owned(),
            parent: Some(parent),
            service: service.to_owned(),
            name: "GET /x".to_owned(),
            kind: "server".to_owned(),
            route: Some("/x".to_owned()),
            status: Some("200".to_owned()),
            library: Some("opentelemetry.instrumentation.flask".to_owned()),
            marks: vec![probe().user_agent()],
            copies: 1,
        }
    }

    fn judged(spans: &[AppSpan]) -> AppSpanJudgement {
        judge_app_spans(spans, &probe()).unwrap()
    }

    #[test]
    fn a_server_span_below_ours_under_the_right_name_is_the_proof() {
        let found = judged(&[span("b", "ours", "api"), span("c", "b", "api")]);
        assert_eq!((found.faults.len(), found.remarks.len(), found.spans), (0, 0, 2));
        assert!(found.tells_requests && !found.ordinary);
        assert_eq!(
            found.evidence,
            "2 of api's own spans under our trace id: GET /x (server span, http.route /x, status 200), 1 nested below"
        );
    }

    #[test]
    fn another_name_parent_or_trace_is_no_proof() {
        assert_eq!(judged(&[span("b", "ours", "web")]).faults.len(), 1);
        assert_eq!(judged(&[span("b", "z", "unknown_service")]).faults.len(), 2);
        let mut inner = span("b", "z", "api");
        inner.kind = "internal".to_owned();
        assert_eq!(judged(&[inner]).faults, ["none of them answers our request"]);
        let stray = AppSpan { trace: "77".to_owned(), ..span("b", "z", "api") };
        assert!(judged(std::slice::from_ref(&stray)).faults[0].contains("another trace id, 77"));
        let unmarked = AppSpan { marks: Vec::new(), ..stray };
        assert_eq!(judge_app_spans(&[unmarked], &probe()), None);
        assert_eq!(judge_app_spans(&[], &probe()), None);
    }

    #[test]
    fn duplicate_spans_are_reported() {
        let twice = AppSpan { copies: 2, ..span("b", "ours", "api") };
        assert!(judged(&[twice]).remarks[0].contains("2 times"));
        let found = judged(&[span("b", "ours", "api"), span("c", "ours", "api")]);
        assert!(found.remarks[0].contains("traced twice"), "{found:?}");
        let found = judged(&[span("b", "ours", "api"), span("c", "ours", "web")]);
        assert_eq!((found.remarks.len(), found.spans), (0, 1), "{found:?}");
    }

    #[test]
    fn an_ordinary_request_is_found_by_its_mark() {
        let mut other_span = span("d", "", "api");
        other_span.trace = "88".to_owned();
        other_span.marks = vec![format!("/x?{}", probe().ordinary_query())];
        assert!(judged(&[span("b", "ours", "api"), other_span]).ordinary);
    }

    #[test]
    fn a_service_behind_another_is_linked_to_its_trace() {
        let spans = [span("b", "ours", "api"), span("c", "b", "worker")];
        let probe = probe();
        let (found, count) = find_linked(&spans, "worker", &[&probe]).unwrap();
        assert_eq!((found.trace.service.as_str(), count), ("api", 1));
        assert!(find_linked(&spans, "mailer", &[&probe]).is_none());
    }
}
