//! An application's own spans under a trace id that we gave it: what they should be, and what they are.

use std::time::Duration;

use serde_json::Value as Json;

use super::answer::Group;
use super::query::Query;

/// The columns of [`question`], in the order in which [`AppSpan::read`] takes them.
const COLUMNS: [&str; 8] = [
    "trace.span_id",
    "trace.parent_id",
    "service.name",
    "name",
    "span.kind",
    "http.route",
    "http.status_code",
    "http.response.status_code",
];

/// A span of the application, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpan {
    id: String,
    parent: Option<String>,
    service: String,
    name: String,
    kind: String,
    route: Option<String>,
    status: Option<String>,
}

/// What the spans come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What was found, in one line.
    pub evidence: String,
    /// What keeps them from being the proof.
    pub faults: Vec<String>,
    /// What they lack besides.
    pub remarks: Vec<String>,
}

/// Asks for every span of a trace, each in a group of its own.
pub fn question(trace_id: &str, last: Duration) -> Query {
    Query {
        breakdowns: COLUMNS.map(str::to_owned).to_vec(),
        ..Query::spans_of(trace_id, last)
    }
}

impl AppSpan {
    /// The spans in the answer to [`question`].
    pub fn read(groups: &[Group]) -> Vec<Self> {
        groups
            .iter()
            .filter_map(|group| Self::of(&group.by))
            .collect()
    }

    fn of(by: &[Json]) -> Option<Self> {
        let text = |at: usize| match by.get(at)? {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Some(Self {
            id: text(0)?,
            parent: text(1),
            service: text(2)?,
            name: text(3)?,
            kind: text(4).unwrap_or_default(),
            route: text(5),
            status: text(6).or_else(|| text(7)),
        })
    }
}

/// Compares what arrived with what the request with the span `ours` should have led to in `service`.
pub fn judge(spans: &[AppSpan], ours: &str, service: &str) -> Judgement {
    let server = spans
        .iter()
        .find(|span| span.parent.as_deref() == Some(ours))
        .or_else(|| spans.iter().find(|span| span.kind == "server"));
    let Some(server) = server else {
        return Judgement {
            evidence: format!("{} spans arrived", spans.len()),
            faults: vec!["none of them answers our request".to_owned()],
            remarks: Vec::new(),
        };
    };
    let mut faults = Vec::new();
    if server.service.starts_with("unknown_service") {
        faults.push(format!(
            "they are named {}: OTEL_SERVICE_NAME did not reach the application",
            server.service
        ));
    } else if server.service != service {
        faults.push(format!("they are named {}, not {service}", server.service));
    }
    if server.parent.as_deref() != Some(ours) {
        faults.push("the server span is no child of ours: `traceparent` is not read".to_owned());
    }
    let mut remarks = Vec::new();
    if server.route.is_none() {
        remarks.push("it has no http.route".to_owned());
    }
    if server.status.is_none() {
        remarks.push("it has no http.status_code".to_owned());
    }
    Judgement {
        evidence: evidence(spans, server),
        faults,
        remarks,
    }
}

fn evidence(spans: &[AppSpan], server: &AppSpan) -> String {
    let nested = spans
        .iter()
        .filter(|span| {
            span.parent
                .as_ref()
                .is_some_and(|parent| spans.iter().any(|one| one.id == *parent))
        })
        .count();
    let mut said = vec![format!("{} span", server.kind)];
    said.extend(
        server
            .route
            .iter()
            .map(|route| format!("http.route {route}")),
    );
    said.extend(
        server
            .status
            .iter()
            .map(|status| format!("status {status}")),
    );
    format!(
        "{} of {}'s own spans under our trace id: {} ({}), {nested} nested below",
        spans.len(),
        server.service,
        server.name,
        said.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: &str, service: &str) -> AppSpan {
        AppSpan {
            id: id.to_owned(),
            parent: Some(parent.to_owned()),
            service: service.to_owned(),
            name: "GET /x".to_owned(),
            kind: "server".to_owned(),
            route: Some("/x".to_owned()),
            status: Some("200".to_owned()),
        }
    }

    #[test]
    fn a_server_span_below_ours_under_the_right_name_is_the_proof() {
        let spans = [span("b", "a", "api"), span("c", "b", "api")];
        let found = judge(&spans, "a", "api");
        assert_eq!((found.faults.len(), found.remarks.len()), (0, 0));
        assert_eq!(
            found.evidence,
            "2 of api's own spans under our trace id: GET /x (server span, http.route /x, status 200), 1 nested below"
        );
    }

    #[test]
    fn another_name_or_another_parent_is_no_proof() {
        assert_eq!(judge(&[span("b", "a", "web")], "a", "api").faults.len(), 1);
        assert_eq!(
            judge(&[span("b", "z", "unknown_service")], "a", "api")
                .faults
                .len(),
            2
        );
        let mut inner = span("b", "z", "api");
        inner.kind = "internal".to_owned();
        assert_eq!(
            judge(&[inner], "a", "api").faults,
            ["none of them answers our request"]
        );
    }

    #[test]
    fn groups_are_read_by_the_order_of_the_columns() {
        let by = serde_json::json!(["b", "a", "api", "GET", "server", "/x", null, 200]);
        let group = Group {
            by: by.as_array().unwrap().clone(),
            count: 1,
            p90_ms: 1.0,
        };
        let spans = AppSpan::read(&[group]);
        assert_eq!(spans[0].status.as_deref(), Some("200"));
        assert_eq!(question("ab", Duration::from_secs(9)).breakdowns.len(), 8);
    }
}
