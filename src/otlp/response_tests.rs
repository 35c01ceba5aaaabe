use super::*;

fn test_http_answer(status: u16, kind: Option<&str>, body: &[u8]) -> HttpAnswer {
    HttpAnswer {
        status,
        content_type: kind.map(str::to_owned),
        location: None,
        body: body.to_vec(),
        oversized: false,
    }
}

/// Returns `ok`, `warn: …` or `code: …`.
fn describe_reading(status: u16, kind: Option<&str>, body: &[u8]) -> String {
    match read(&test_http_answer(status, kind, body)) {
        ExportMeaning::Accepted { warning: None } => "ok".to_owned(),
        ExportMeaning::Accepted { warning: Some(text) } => format!("warn: {text}"),
        ExportMeaning::Refused { code, evidence } => format!("{}: {evidence}", code.as_str()),
    }
}

#[track_caller]
fn check_reading(status: u16, kind: &str, body: &[u8], expected: &str) {
    let kind = (kind != "-").then_some(kind);
    let words = describe_reading(status, kind, body);
    assert!(words.starts_with(expected), "{words}");
}

const PROTO: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[test]
fn success_is_decoded_by_its_own_type() {
    check_reading(200, PROTO, b"", "ok");
    check_reading(202, "application/protobuf", b"", "ok");
    check_reading(200, "application/json; charset=utf-8", b"{}", "ok");
    check_reading(200, JSON, br#"{"partialSuccess":{}}"#, "ok");
    check_reading(200, "-", b"", "ok");
    check_reading(200, "-", b"OK", "not-otlp: 200 with a body of no stated type");
    check_reading(200, "text/html", b"<html></html>", "not-otlp: 200 with a web page");
    check_reading(200, "text/html; charset=utf-8", b"", "not-otlp: 200 with a web page");
    check_reading(200, "text/plain", b"", "not-otlp: 200 with text/plain");
    check_reading(200, "application/grpc", b"", "not-otlp: 200 with application/grpc");
    check_reading(200, JSON, b"", "not-otlp");
    check_reading(200, JSON, br#"{"status":"ok"}"#, "not-otlp");
    check_reading(200, JSON, b"[]", "not-otlp");
    check_reading(200, PROTO, b"\xff\xff\xff", "not-otlp");
}

#[test]
fn another_message_is_not_taken_for_an_empty_answer() {
    check_reading(200, PROTO, b"\x12\x04oops", "not-otlp");
    check_reading(200, PROTO, b"{}", "not-otlp");
}

#[test]
fn rejected_spans_count_whether_number_or_string() {
    let both = [
        br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#.as_slice(),
        br#"{"partialSuccess":{"rejectedSpans":2,"errorMessage":"too old"}}"#,
    ];
    for body in both {
        check_reading(200, JSON, body, "spans-rejected: 2 spans rejected: too old");
    }
    check_reading(200, PROTO, b"\x0a\x02\x08\x02", "spans-rejected: 2 spans");
    check_reading(200, PROTO, b"\x0a\x04\x12\x02hm", "warn: hm");
    check_reading(200, JSON, br#"{"partialSuccess":{"rejectedSpans":"x"}}"#, "not-otlp");
}

#[test]
fn refusals_carry_the_words_of_the_receiver() {
    let missing = b"\x12\x21missing 'x-honeycomb-team' header";
    check_reading(401, PROTO, missing, "key-rejected: 401: missing 'x-honeycomb-team' header");
    check_reading(403, JSON, br#"{"message":"no"}"#, "key-rejected: 403: no");
    check_reading(400, PROTO, b"\x12\x03bad", "request-rejected: 400: bad");
    check_reading(
        415,
        "text/plain",
        b"unsupported content-type",
        "request-rejected: 415: unsupported",
    );
    check_reading(413, "-", b"", "request-rejected: 413");
    check_reading(429, JSON, br#"{"error":"Rate Limited"}"#, "throttled: 429: Rate Limited");
    check_reading(503, "text/html", b"<!doctype html><p>x", "server-error: 503: a web page");
    check_reading(302, "-", b"", "redirected: 302");
}

#[test]
fn a_missing_path_is_judged_by_the_server_that_answers() {
    check_reading(404, "text/html", b"<html>", "not-otlp: 404: a web page");
    check_reading(404, JSON, br#"{"message":"unknown signal"}"#, "request-rejected");
    check_reading(405, "-", b"", "not-otlp");
}

#[test]
fn a_redirect_is_named_without_its_query() {
    let mut answer = test_http_answer(307, None, b"");
    answer.location = Some("https://other.example/x?token=1".to_owned());
    let ExportMeaning::Refused { evidence, .. } = read(&answer) else { panic!("accepted") };
    assert!(evidence.contains("https://other.example/x;"), "{evidence}");
}

#[test]
fn an_excerpt_is_one_short_line() {
    assert_eq!(excerpt_line(" a\n\tb\u{1b}[31m "), "a b");
    assert_eq!(excerpt_line(&"x".repeat(500)).chars().count(), 201);
}

#[test]
fn only_temporary_failures_are_retried() {
    for status in [429, 502, 503, 504] {
        assert!(may_retry(status), "{status}");
    }
    for status in [200, 302, 400, 401, 404, 408, 500, 501, 505] {
        assert!(!may_retry(status), "{status}");
    }
}
