//! Beyond "accepted": for each kind of key and plan, the rung that was proven and none above it.

use std::time::Duration;

use crate::fake_honeycomb::{Canned, Honeycomb, Key, Plan};
use crate::listening::Listening;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project, project_with};

const CLASSIC: &str = "0123456789abcdef0123456789abcdef";

/// A scenario, the required rung, and the expected result.
struct Row {
    key: Key,
    plan: Plan,
    lag: Duration,
    require: &'static str,
    proven: &'static str,
    code: Option<&'static str>,
    /// The states of the rungs `dataset-written` and `queryable`.
    states: [&'static str; 2],
}

fn row(key: Key, plan: Plan, require: &'static str) -> Row {
    Row {
        key,
        plan,
        lag: Duration::ZERO,
        require,
        proven: "accepted",
        code: None,
        states: ["skip", "skip"],
    }
}

impl Row {
    fn late(self) -> Self {
        let lag = Duration::from_secs(3600);
        Self { lag, ..self }
    }

    fn ends(
        self,
        proven: &'static str,
        code: Option<&'static str>,
        states: [&'static str; 2],
    ) -> Self {
        Self { proven, code, states, ..self }
    }
}

#[test]
fn no_scenario_ends_in_a_rung_that_was_not_reached() {
    let (free, paid) = (Plan::Free, Plan::Enterprise);
    let not = Some("not-proven");
    let table = [
        row(Key::Ingest, free, "accepted"),
        row(Key::Ingest, paid, "dataset-written").ends("accepted", not, ["skip", "skip"]),
        row(Key::Configuration, free, "accepted").ends("dataset-written", None, ["pass", "skip"]),
        row(Key::Configuration, free, "dataset-written").ends(
            "dataset-written",
            None,
            ["pass", "skip"],
        ),
        row(Key::Configuration, free, "queryable").ends("dataset-written", not, ["pass", "skip"]),
        row(Key::Configuration, paid, "queryable").ends("queryable", None, ["pass", "pass"]),
        row(Key::Configuration, free, "accepted").late().ends("accepted", None, ["warn", "skip"]),
        row(Key::Configuration, free, "dataset-written").late().ends(
            "accepted",
            not,
            ["fail", "skip"],
        ),
        row(Key::Configuration, paid, "queryable").late().ends("accepted", not, ["warn", "fail"]),
    ];
    for row in table {
        let honeycomb = Honeycomb::start(&[(KEY, row.key)]).on_plan(row.plan).lagging(row.lag);
        let arguments = ["--require", row.require, "--timeout", "3s"];
        let service = expect(&project(&honeycomb.url()), &arguments, row.proven, row.code);
        let state = |rung| check(&service, rung)["status"].as_str().unwrap().to_owned();
        assert_eq!(state("queryable"), row.states[1], "{service:#}");
        // Found first, the trace itself makes the dataset's time pointless.
        if row.proven != "queryable" {
            assert_eq!(state("dataset-written"), row.states[0], "{service:#}");
        }
    }
}

#[test]
fn late_spans_are_awaited_within_the_time_limit() {
    let honeycomb =
        Honeycomb::start(&[(KEY, Key::Configuration)]).lagging(Duration::from_millis(1500));
    let arguments = ["--require", "dataset-written", "--timeout", "8s"];
    expect(&project(&honeycomb.url()), &arguments, "dataset-written", None);
    assert!(honeycomb.seen_at("/1/datasets").len() > 1);
}

#[test]
fn the_link_leads_to_the_trace_with_whatever_key() {
    for key in [Key::Ingest, Key::Configuration] {
        let honeycomb = Honeycomb::start(&[(KEY, key)]);
        let service = expect(
            &project(&honeycomb.url()),
            &["--timeout", "2s"],
            match key {
                Key::Ingest => "accepted",
                _ => "dataset-written",
            },
            None,
        );
        let link = service["link"].as_str().unwrap();
        let start = "https://ui.honeycomb.io/cruddur/environments/bootcamp/";
        assert!(link.starts_with(start), "{link}");
        assert!(link.contains(service["trace_id"].as_str().unwrap()), "{link}");
    }
    let honeycomb = Honeycomb::start(&[(CLASSIC, Key::Classic)]);
    let headers = "x-honeycomb-team=${HONEYCOMB_API_KEY},x-honeycomb-dataset=Old%20Set";
    let more = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", headers)];
    let sandbox = project_with(&honeycomb.url(), &more).with("HONEYCOMB_API_KEY", CLASSIC);
    let service = expect(&sandbox, &[], "dataset-written", None);
    let link = service["link"].as_str().unwrap();
    assert!(link.starts_with("https://ui.honeycomb.io/cruddur/datasets/old-set/trace?"), "{link}");
}

#[test]
fn without_an_answer_of_auth_nothing_more_is_claimed() {
    let mute = Canned::new(500, "text/plain", b"");
    let honeycomb = Honeycomb::start(&[(KEY, Key::Configuration)]).answering_auth(mute);
    let arguments = ["--require", "queryable"];
    let service = expect(&project(&honeycomb.url()), &arguments, "accepted", Some("not-proven"));
    assert!(service["link"].is_null());
    assert_eq!(check(&service, "queryable")["status"], "skip");
    assert!(honeycomb.seen_at("/1/datasets").is_empty());
}

#[test]
fn an_accepted_trace_is_not_called_delivered() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let run = project(&honeycomb.url()).run(&["verify"]).expect(0);
    assert!(run.stdout.contains("accepted, not yet seen"), "{}", run.stdout);
    assert!(run.stdout.contains("https://ui.honeycomb.io/cruddur/"), "{}", run.stdout);
    assert!(!run.stdout.contains("delivered"), "{}", run.stdout);
}

#[test]
fn a_trace_that_listen_has_is_delivered() {
    let listen = Listening::start(&Sandbox::new(&[]), &[]);
    let keyless = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=1")];
    let at = |host: &str| {
        let endpoint = format!("http://{host}:{}", listen.http.port());
        project_with(&endpoint, &keyless)
    };
    // What a container calls localhost is the container.
    expect(&at("localhost"), &[], "accepted", None);
    let sandbox = at("host.docker.internal");
    let service = expect(&sandbox, &["--require", "queryable"], "queryable", None);
    let evidence = &check(&service, "queryable")["evidence"];
    assert_eq!(evidence, "our own trace was found in `listen`: 2 spans");
    listen.interrupt();
    let run = listen.end();
    assert!(run.stdout.contains(service["trace_id"].as_str().unwrap()));
}
