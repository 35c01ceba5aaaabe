use super::*;
use crate::otlp::fixture::{fixture_span, fixture_trace, trace_id};
use crate::secret::Redactor;
use crate::ui::text::count_columns;

fn test_look(width: usize, unicode: bool) -> StreamLook {
    StreamLook { unicode, width, wraps: false, ..StreamLook::plain() }
}

fn test_pen(look: StreamLook) -> LineStyle {
    LineStyle::new(look, &Redactor::default())
}

fn draw_waterfall(trace: &Trace, look: StreamLook, verbosity: Verbosity) -> String {
    let lines: Vec<String> =
        draw(trace, &test_pen(look), verbosity).iter().map(PaintedLine::text).collect();
    for line in &lines {
        assert!(count_columns(line) <= look.width, "too wide: {line:?}");
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

#[test]
fn eighty_columns() {
    insta::assert_snapshot!(draw_waterfall(&fixture_trace(), test_look(80, true), Verbosity::Normal), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001  6 spans, 2 services, 123 ms, 1 error
    GET /api/activities/home      backend-flask  ███████████████████████████  123 ms
    ├ home-activities-mock-data   backend-flask   █████████████              60.0 ms
    │ └ SELECT cruddur.activities backend-flask    ██████▌                   30.0 ms
    └ ✗ GET notifications         backend-flask                 ██████████▌  48.0 ms
      │ error: ConnectionError: refused by notifications:4568
      └ GET /                     notifications                  █████████   40.0 ms
        └ redis GET               notifications                   ▐           400 µs
    "#);
}

#[test]
fn a_hundred_and_twenty_columns() {
    insta::assert_snapshot!(draw_waterfall(&fixture_trace(), test_look(120, true), Verbosity::Normal), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001  6 spans, 2 services, 123 ms, 1 error
    GET /api/activities/home      backend-flask  ███████████████████████████████████████████████████████████████████  123 ms
    ├ home-activities-mock-data   backend-flask    ▐████████████████████████████████                                 60.0 ms
    │ └ SELECT cruddur.activities backend-flask       ████████████████▌                                              30.0 ms
    └ ✗ GET notifications         backend-flask                                        ██████████████████████████    48.0 ms
      │ error: ConnectionError: refused by notifications:4568
      └ GET /                     notifications                                          ██████████████████████      40.0 ms
        └ redis GET               notifications                                             ▐                         400 µs
    "#);
}

#[test]
fn draws_a_trace_in_ascii() {
    insta::assert_snapshot!(draw_waterfall(&fixture_trace(), test_look(80, false), Verbosity::Normal), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001  6 spans, 2 services, 123 ms, 1 error
    GET /api/activities/home      backend-flask  ===========================  123 ms
    |-home-activities-mock-data   backend-flask   =============              60.0 ms
    | `-SELECT cruddur.activities backend-flask    ======                    30.0 ms
    `-! GET notifications         backend-flask                 ==========   48.0 ms
      | error: ConnectionError: refused by notifications:4568
      `-GET /                     notifications                  =========   40.0 ms
        `-redis GET               notifications                   |           400 us
    "#);
}

#[test]
fn attributes_and_events_when_asked_for() {
    insta::assert_snapshot!(draw_waterfall(&fixture_trace(), test_look(80, true), Verbosity::Verbose), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001  6 spans, 2 services, 123 ms, 1 error
    GET /api/activities/home      backend-flask  ███████████████████████████  123 ms
    │ server span b000000000000001 by opentelemetry.instrumentation.flask 0.66b1
    │ http.route = /api/activities/home
    │ http.response.status_code = 200
    ├ home-activities-mock-data   backend-flask   █████████████              60.0 ms
    │ │ internal span b000000000000002 by opentelemetry.instrumentation.flask 0.66b1
    │ │ app.result_length = 3
    │ └ SELECT cruddur.activities backend-flask    ██████▌                   30.0 ms
    │     internal span b000000000000003 by opentelemetry.instrumentation.flask 0.6…
    └ ✗ GET notifications         backend-flask                 ██████████▌  48.0 ms
      │ error: ConnectionError: refused by notifications:4568
      │ internal span b000000000000004 by opentelemetry.instrumentation.flask 0.66b1
      │ after 40.0 ms: exception
      │   exception.type = ConnectionError
      │   exception.message = refused by notifications:4568
      └ GET /                     notifications                  █████████   40.0 ms
        │ internal span b000000000000005 by opentelemetry.instrumentation.flask 0.6…
        └ redis GET               notifications                   ▐           400 µs
            internal span b000000000000006 by opentelemetry.instrumentation.flask 0…
    "#);
}

#[test]
fn a_narrow_terminal_cuts_names() {
    insta::assert_snapshot!(draw_waterfall(&fixture_trace(), test_look(40, true), Verbosity::Normal), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001 …
    GET /api/activi… backend…  █████  123 ms
    ├ home-activiti… backend…  ██▌   60.0 ms
    │ └ SELECT crud… backend…  █▌    30.0 ms
    └ ✗ GET notific… backend…    ▐█▌ 48.0 ms
      │ error: ConnectionError: refused by …
      └ GET /        notific…     █▌ 40.0 ms
        └ redis GET  notific…     ▌   400 µs
    "#);
}

#[test]
fn a_single_service_is_in_the_title_and_a_missing_parent_is_named() {
    insta::assert_snapshot!(draw_waterfall(&handler_trace(), test_look(80, true), Verbosity::Normal), @r#"
    trace a0a0a0a0a0a0a0a0a0a0a0a0a0a0a001  1 span, backend-flask, 12.0 ms, 1 error
    ✗ GET /\u{1b}[31m 日本  ████████████████████████████████████████████████ 12.0 ms
      error: line one\nline two
      its parent b000000000000001 did not arrive
    "#);
}

fn handler_trace() -> Trace {
    let mut only = fixture_span(2, Some(1), "GET /\u{1b}[31m \u{65e5}\u{672c}", 0.0, 12.0);
    only.status = crate::otlp::span::SpanStatus::Error("line one\nline two".to_owned());
    Trace { id: trace_id(1), spans: vec![only] }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let colour = StreamLook { colour: true, ..test_look(80, true) };
    let lines = draw(&fixture_trace(), &test_pen(colour), Verbosity::Verbose);
    let rendered = |look| -> Vec<String> {
        lines.iter().map(|line| line.render(&look, &Redactor::default())).collect()
    };
    let painted = rendered(colour).join("\n");
    assert!(painted.contains("\u{1b}[31m"));
    let plain = rendered(test_look(80, true)).join("\n");
    assert_eq!(console::strip_ansi_codes(&painted), plain);
}

#[test]
fn deep_and_numerous_spans_fit_the_width() {
    let deep = Trace {
        id: trace_id(1),
        spans: (0..60)
            .map(|id| fixture_span(id + 1, (id > 0).then_some(id), "nested", f64::from(id), 100.0))
            .collect(),
    };
    draw_waterfall(&deep, test_look(40, true), Verbosity::Verbose);
    let many = Trace {
        id: trace_id(1),
        spans: (0..250)
            .map(|id| fixture_span(id, (id > 0).then_some(0), "sibling", f64::from(id), 1.0))
            .collect(),
    };
    let lines = draw(&many, &test_pen(test_look(80, false)), Verbosity::Normal);
    assert_eq!(lines.len(), 102);
    assert_eq!(lines[101].text(), "and 150 more spans; -v draws all");
}
