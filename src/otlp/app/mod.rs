//! Identifies an application's spans by a trace id that we chose: the search, the expectations, and the judgement.

mod judge;
mod span;

pub(crate) use judge::{AppSpanJudgement, find_linked, judge_app_spans};
pub(crate) use span::{AppSearch, AppSpan};

use super::TestTrace;

/// The query parameter that carries the mark of an ordinary request.
const PARAMETER: &str = "cruddur_ops";

/// The two requests to one application, and how their spans are identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppProbe {
    /// The trace of the first request.
    pub trace: TestTrace,
    /// The mark in the User-Agent of the first request only.
    pub mark: String,
    /// The mark in the User-Agent and query of the second request, which has no trace id.
    pub ordinary_mark: String,
}

impl AppProbe {
    /// Returns probe `number` of a run whose marks begin with `run`.
    pub(crate) fn new(trace: TestTrace, run: &str, number: usize) -> Self {
        Self {
            trace,
            mark: format!("{run}-{number}-traced"),
            ordinary_mark: format!("{run}-{number}-ordinary"),
        }
    }

    /// Returns the User-Agent of the first request.
    pub(crate) fn user_agent(&self) -> String {
        user_agent(&self.mark)
    }

    /// Returns the User-Agent of the second request.
    pub(crate) fn ordinary_user_agent(&self) -> String {
        user_agent(&self.ordinary_mark)
    }

    /// Returns the parameter added to the second request's query.
    pub(crate) fn ordinary_query(&self) -> String {
        format!("{PARAMETER}={}", self.ordinary_mark)
    }
}

fn user_agent(mark: &str) -> String {
    format!("{}/{} {mark}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::otlp::answer::SpanGroup;

    #[test]
    fn groups_are_read_by_the_names_of_the_columns() {
        let mut search = AppSearch {
            traces: vec!["t".to_owned()],
            mark: "run".to_owned(),
            unheard: Default::default(),
        };
        let question = search.question(Duration::from_secs(9));
        let by = serde_json::json!([
            "t",
            "b",
            "a",
            "api",
            "GET",
            "server",
            "flask",
            "/x",
            null,
            200,
            null,
            "curl run-1",
            null,
            "/x?q",
            null,
            null,
        ])
        .as_array()
        .unwrap()
        .clone();
        assert_eq!(by.len(), question.breakdowns.len());
        let group = SpanGroup { by, count: 2, p50_ms: 1.0, p90_ms: 1.0, p99_ms: 1.0 };
        let span = &AppSpan::read_groups(&question, &[group])[0];
        assert_eq!((span.status.as_deref(), span.copies), (Some("200"), 2));
        assert!(span.is_marked("run-1") && span.is_marked("?q") && !span.is_marked("run-2"));

        assert!(search.leave_out("422: there is no column http.route"));
        let next = search.question(Duration::from_secs(9));
        assert!(!next.breakdowns.contains(&"http.route".to_owned()));
        while search.leave_out("422") {}
        let last = search.question(Duration::from_secs(9));
        assert_eq!((last.breakdowns.len(), last.filters.len()), (5, 1));
    }
}
