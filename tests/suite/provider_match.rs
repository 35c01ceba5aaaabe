//! What a service sends, compared with what its provider accepts: `init`, `verify` and `key whoami` report the same.

use crate::fake_honeycomb::{Honeycomb, Key};
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project};

const CLASSIC: &str = "0123456789abcdef0123456789abcdef";

fn identifier() -> String {
    format!("hcaik_{}", "01".repeat(13))
}

fn sending(endpoint: &str, headers: &str) -> Sandbox {
    let text = format!(
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      OTEL_EXPORTER_OTLP_HEADERS: '{headers}'\n"
    );
    Sandbox::new(&[("compose.yaml", &text)]).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn settings_the_provider_rejects_are_reported_before_sending() {
    let key = "${HONEYCOMB_API_KEY}";
    for (endpoint, headers, code, part) in [
        (
            "https://api.honeycomb.io",
            format!("X-HONEYCOMB-TEAMS={key}"),
            "key-missing",
            "x-honeycomb-team",
        ),
        (
            "https://api.honeycomb.io",
            "x-tenant=a".to_owned(),
            "key-missing",
            "no header x-honeycomb-team",
        ),
        (
            "https://ui.honeycomb.io",
            format!("x-honeycomb-team={key}"),
            "not-configured",
            "web pages",
        ),
        (
            "https://one.eu.newrelic.com",
            "api-key=${HONEYCOMB_API_KEY}".to_owned(),
            "not-configured",
            "web pages",
        ),
        (
            "https://api.honeycomb.io",
            "x-honeycomb-team=$(HONEYCOMB_API_KEY)".replace('$', "$$"),
            "key-missing",
            "refers to it",
        ),
    ] {
        let service = expect(&sending(endpoint, &headers), &[], "none", Some(code));
        let configured = check(&service, "configured");
        let evidence = configured["evidence"].as_str().unwrap();
        assert!(evidence.contains(part), "{headers}: {evidence}");
        assert!(configured["hint"].is_string(), "{configured:#}");
    }
}

#[test]
fn the_id_of_a_key_is_no_key_for_any_command() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    for wrong in [
        identifier(),
        format!("hcalk_{}", "01".repeat(13)),
        format!("hcamk_{}:{}", "01".repeat(13), "a".repeat(32)),
    ] {
        let sandbox = project(&honeycomb.url()).with("HONEYCOMB_API_KEY", &wrong);
        let service = expect(&sandbox, &[], "none", Some("key-missing"));
        let hint = check(&service, "configured")["hint"].as_str().unwrap().to_owned();
        assert!(!hint.contains("eu"), "{hint}");
        for arguments in [
            vec!["key", "whoami", "--endpoint", &honeycomb.url()],
            vec!["init", "--yes", "--no-verify", "--no-instrument"],
        ] {
            let run = sandbox.run(&arguments).expect(2);
            assert!(run.stderr.contains("error[key-shape]"), "{arguments:?}: {}", run.stderr);
            assert!(!run.stderr.contains(&wrong), "{}", run.stderr);
        }
    }
    assert!(honeycomb.seen_at("/1/auth").is_empty(), "nobody was asked");
}

#[test]
fn a_classic_key_is_wired_with_its_dataset_or_not_at_all() {
    let honeycomb = Honeycomb::start(&[(CLASSIC, Key::Classic)]);
    let url = honeycomb.url();
    let text = "services:\n  api:\n    build: .\n";
    let files = [("compose.yaml", text), ("requirements.txt", "flask\n")];
    let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", CLASSIC);
    let init = ["init", "--yes", "--no-instrument", "--provider", "honeycomb"];
    let init = [&init[..], &["--endpoint", &url]].concat();
    let run = sandbox.run(&init).expect(2);
    assert!(run.stderr.contains("error[setting-missing]"), "{}", run.stderr);
    assert!(run.stderr.contains("--set dataset="), "{}", run.stderr);
    assert_eq!(sandbox.read("compose.yaml"), text);

    sandbox.run(&[&init[..], &["--set", "dataset=shop"]].concat()).expect(0);
    let written = sandbox.read("compose.yaml");
    assert!(written.contains("x-honeycomb-dataset=shop"), "{written}");
    expect(&sandbox, &[], "dataset-written", None);
}

/// Checks that `init` plans nothing, whatever already exists.
#[track_caller]
fn stays(files: &[(&str, &str)], more: &[&str]) {
    let sandbox = Sandbox::new(files).with("HONEYCOMB_API_KEY", KEY);
    let arguments = ["init", "--check", "--yes", "--store", "none", "--no-instrument"];
    let run = sandbox.run(&[&arguments[..], more].concat());
    assert_eq!(run.status, 0, "{}\n{}", run.stdout, run.stderr);
}

#[test]
fn an_address_that_is_the_same_is_left_as_it_is() {
    for endpoint in [
        "https://api.honeycomb.io:443/",
        "https://API.Honeycomb.IO",
        "https://api.honeycomb.io//",
        "${TO:-https://api.honeycomb.io:443}",
    ] {
        let text = format!(
            "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      \
             OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n"
        );
        stays(&[("compose.yaml", &text)], &[]);
    }
    let text = "services:\n  api:\n    build: .\n    env_file: otel.env\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY}\n";
    let env = "OTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io:443/\n";
    stays(&[("compose.yaml", text), ("otel.env", env)], &[]);
}

#[test]
fn a_collector_that_is_there_keeps_port_and_protocol_and_is_known_behind_variables() {
    const COLLECTOR: &str = "  otel:\n    image: otel/opentelemetry-collector\n";
    let project = |variables: &[&str]| {
        let mut text = "services:\n".to_owned();
        for (number, variables) in variables.iter().enumerate() {
            text += &format!(
                "  api{number}:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME=api{number}\n{variables}"
            );
        }
        text + COLLECTOR
    };
    let http = "      - OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318\n";
    let grpc = "      - OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4317\n      - OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n";
    stays(&[("compose.yaml", &project(&[grpc]))], &["--provider", "collector"]);
    stays(&[("compose.yaml", &project(&[grpc, http]))], &["--provider", "collector"]);
    stays(&[("compose.yaml", &project(&[grpc, http]))], &[]);

    let env = (".env", "COLLECTOR_HOST=otel\nOTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318\n");
    for variables in [
        "      - OTEL_EXPORTER_OTLP_ENDPOINT=http://${COLLECTOR_HOST}:4318\n",
        "      - OTEL_EXPORTER_OTLP_ENDPOINT\n",
        "      - OTEL_EXPORTER_OTLP_ENDPOINT=${UNSET:-http://otel:4318}\n",
    ] {
        let text = project(&[variables, http]);
        stays(&[("compose.yaml", &text), env], &[]);
    }
}
