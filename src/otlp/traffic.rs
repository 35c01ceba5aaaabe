//! Simulated requests to the bundled sample, for `try --web`: ten minutes with a slow minute and some failures.

use std::sync::Arc;

use super::span::{
    AttributeValue, BatchSource, OtlpSpan, ReceivedSpanKind, SpanEvent, SpanId, SpanStatus, TraceId,
};

/// The number of requests, one every five seconds.
const REQUESTS: u64 = 120;
const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// Returns the spans of requests that `service` handled in the ten minutes before `now_ns` (nanoseconds since 1970).
pub(crate) fn make(service: &str, now_ns: u64) -> Vec<OtlpSpan> {
    let source = Arc::new(BatchSource {
        service: service.into(),
        resource: [("service.name".to_owned(), AttributeValue::Text(service.to_owned()))].into(),
        scope: "simulated by cruddur-ops try".to_owned(),
        scope_version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let begin = now_ns.saturating_sub(REQUESTS * 5 * SECOND);
    let requests = (1..=REQUESTS)
        .filter_map(|number| request(number, begin + (number - 1) * 5 * SECOND, &source));
    requests.flatten().collect()
}

/// Returns a number less than `below` that looks random and is always the same.
fn vary(number: u64, below: u64) -> u64 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % below
}

fn request(number: u64, start_ns: u64, source: &Arc<BatchSource>) -> Option<[OtlpSpan; 3]> {
    let (route, inner, table) = match number % 3 {
        0 => ("/api/activities/notifications", "notifications-activities", "notifications"),
        _ => ("/api/activities/home", "home-activities-mock-data", "activities"),
    };
    let has_failed = number % 17 == 11;
    let is_slow = (70..82).contains(&number);
    let total = (18 + vary(number, 70)) * if is_slow { 9 } else { 1 } * MILLISECOND;
    let trace_id =
        TraceId::from_bytes(&(u128::from(number) << 64 | u128::from(number)).to_be_bytes())?;
    let ids = [1_u64, 2, 3].map(|index| SpanId::from_bytes(&(number * 8 + index).to_be_bytes()));
    let span = |index: usize, name: String, kind: ReceivedSpanKind, part: [u64; 2]| {
        let [from, to] = part.map(|percent| start_ns + total / 100 * percent);
        Some(OtlpSpan {
            trace_id,
            span_id: ids[index]?,
            parent_id: index.checked_sub(1).and_then(|above| ids[above]),
            name,
            kind,
            source: Arc::clone(source),
            start_ns: from,
            end_ns: to,
            status: SpanStatus::Unset,
            attributes: Vec::new(),
            events: Vec::new(),
            copies: 1,
        })
    };
    let text = |name: &str, text: &str| (name.to_owned(), AttributeValue::Text(text.to_owned()));
    let mut root = span(0, format!("GET {route}"), ReceivedSpanKind::Server, [0, 100])?;
    let mut handler = span(1, inner.to_owned(), ReceivedSpanKind::Internal, [6, 88])?;
    let mut select =
        span(2, format!("SELECT {table}"), ReceivedSpanKind::Client, [14, 60 + vary(number, 20)])?;
    root.attributes = vec![
        text("http.request.method", "GET"),
        text("http.route", route),
        (
            "http.response.status_code".to_owned(),
            AttributeValue::Int(if has_failed { 500 } else { 200 }),
        ),
    ];
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(handler.start_ns);
    handler.attributes = vec![
        text("app.now", &humantime::format_rfc3339_micros(now).to_string()),
        (
            "app.result_length".to_owned(),
            AttributeValue::Int(i64::try_from(vary(number, 12)).ok()?),
        ),
    ];
    select.attributes =
        vec![text("db.system.name", "postgresql"), text("db.collection.name", table)];
    if has_failed {
        root.status = SpanStatus::Error(String::new());
        select.status = SpanStatus::Error(String::new());
        select.events = vec![SpanEvent {
            at_ns: select.end_ns,
            name: "exception".to_owned(),
            attributes: vec![
                text("exception.type", "psycopg.OperationalError"),
                text("exception.message", "server closed the connection unexpectedly"),
            ],
        }];
    }
    Some([root, handler, select])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::answer::answer;
    use crate::otlp::query::Query;

    #[test]
    fn the_guides_queries_find_something_in_it() {
        let now = 1_700_000_000 * SECOND;
        let spans = make("backend-flask", now);
        let last = std::time::Duration::from_secs(600);
        assert_eq!(spans.len() as u64, 3 * REQUESTS);
        assert_eq!(answer(&Query::latency(last), spans.iter(), now).spans, 3 * REQUESTS);
        assert_eq!(answer(&Query::traces(last), spans.iter(), now).groups.len(), 100);
        assert!(spans.iter().any(|span| span.failure().is_some_and(|reason| !reason.is_empty())));
        assert!(spans.iter().all(|span| span.end_ns > span.start_ns && span.end_ns < now + SECOND));
    }
}
