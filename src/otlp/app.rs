//! An application's own spans under a trace id that we gave it: what they should be, and what they are.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::answer::Group;
use super::query::Query;

/// The columns that every span has.
const COLUMNS: [&str; 5] =
    ["trace.span_id", "trace.parent_id", "service.name", "name", "span.kind"];

/// The column of the library that made a span.
const LIBRARY: &str = "library.name";

/// The columns of a request's route and status, by the conventions of today and of yesterday.
const ROUTE: &str = "http.route";
const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];

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
    library: Option<String>,
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
    asking(trace_id, last, &[LIBRARY, ROUTE, STATUS[0], STATUS[1]])
}

/// [`question`], and the same with less and less of what a receiver may never have heard of.
pub fn questions(trace_id: &str, last: Duration) -> [Query; 7] {
    let [now, before] = STATUS;
    [
        &[LIBRARY, ROUTE, now, before][..],
        &[LIBRARY, ROUTE, now],
        &[LIBRARY, ROUTE, before],
        &[ROUTE, now, before],
        &[ROUTE, now],
        &[ROUTE, before],
        &[],
    ]
    .map(|more| asking(trace_id, last, more))
}

fn asking(trace_id: &str, last: Duration, more: &[&str]) -> Query {
    let columns = COLUMNS.iter().chain(more);
    Query {
        breakdowns: columns.map(|column| (*column).to_owned()).collect(),
        ..Query::spans_of(trace_id, last)
    }
}

impl AppSpan {
    /// The spans in the answer to `question`.
    pub fn read(question: &Query, groups: &[Group]) -> Vec<Self> {
        let rows = groups.iter().map(|group| {
            let columns = question.breakdowns.iter().cloned();
            columns.zip(group.by.iter().cloned()).collect()
        });
        rows.filter_map(|row: Map<String, Json>| Self::of(&row)).collect()
    }

    /// The span of a row, by the names of its columns.
    pub fn of(row: &Map<String, Json>) -> Option<Self> {
        let text = |column: &str| match row.get(column)? {
            Json::Null => None,
            Json::String(text) if text.is_empty() => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Some(Self {
            id: text("trace.span_id")?,
            parent: text("trace.parent_id"),
            service: text("service.name")?,
            name: text("name")?,
            kind: text("span.kind").unwrap_or_default(),
            route: text(ROUTE),
            status: STATUS.into_iter().find_map(text),
            library: text(LIBRARY),
        })
    }

    /// The libraries that made these spans, each once; `None` where no span says.
    pub fn libraries(spans: &[Self]) -> Option<Vec<String>> {
        let mut named: Vec<String> = spans.iter().filter_map(|span| span.library.clone()).collect();
        named.sort();
        named.dedup();
        (!named.is_empty()).then_some(named)
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
    Judgement { evidence: evidence(spans, server), faults, remarks }
}

fn evidence(spans: &[AppSpan], server: &AppSpan) -> String {
    let nested = spans
        .iter()
        .filter(|span| {
            span.parent.as_ref().is_some_and(|parent| spans.iter().any(|one| one.id == *parent))
        })
        .count();
    let mut said = vec![format!("{} span", server.kind)];
    said.extend(server.route.iter().map(|route| format!("http.route {route}")));
    said.extend(server.status.iter().map(|status| format!("status {status}")));
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
            library: Some("opentelemetry.instrumentation.flask".to_owned()),
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
        assert_eq!(judge(&[span("b", "z", "unknown_service")], "a", "api").faults.len(), 2);
        let mut inner = span("b", "z", "api");
        inner.kind = "internal".to_owned();
        assert_eq!(judge(&[inner], "a", "api").faults, ["none of them answers our request"]);
    }

    #[test]
    fn groups_are_read_by_the_names_of_the_columns() {
        let by = serde_json::json!(["b", "a", "api", "GET", "server", "flask", "/x", null, 200]);
        let group = Group { by: by.as_array().unwrap().clone(), count: 1, p90_ms: 1.0 };
        let all = questions("ab", Duration::from_secs(9));
        assert_eq!(all[0], question("ab", Duration::from_secs(9)));
        let spans = AppSpan::read(&all[0], std::slice::from_ref(&group));
        assert_eq!(spans[0].status.as_deref(), Some("200"));
        let bare = AppSpan::read(&all[6], &[group]);
        assert_eq!((&bare[0].route, &bare[0].status), (&None, &None));
    }
}
