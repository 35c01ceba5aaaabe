//! `init --provider`: this machine, a collector, and every provider of the catalogue.

use std::path::Path;
use std::process::Command;

use cruddur_ops::provider::{known_providers, secret_variables};
use cruddur_ops::secret::Redactor;

use crate::compose_oracle::docker_compose;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::fixtures::{COMPOSE, cruddur};
use crate::sandbox::{KEY, Run, Sandbox};
use crate::verify::{check, service};

/// Creates a project with a key for every provider that needs one.
fn sandbox() -> Sandbox {
    let names = secret_variables().into_iter();
    names.fold(Sandbox::new(&cruddur()), |sandbox, name| sandbox.with(name, KEY))
}

fn init(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let start = ["init", "--yes", "--no-instrument", "--store", "env"];
    sandbox.run(&[&start[..], arguments].concat())
}

/// Checks that Docker Compose accepts the project.
fn accepted_by_compose(folder: &Path) {
    let Some(program) = docker_compose() else {
        return;
    };
    let output = Command::new(program).args(["config", "-q"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs `init`, runs it again without a change, and undoes it.
fn wired(arguments: &[&str]) -> (String, Run) {
    let sandbox = sandbox();
    let gitpod = sandbox.read(".gitpod.yml");
    let arguments = [arguments, &["--no-verify"]].concat();
    let run = init(&sandbox, &arguments).expect(0);
    let text = sandbox.read("docker-compose.yml");
    accepted_by_compose(&sandbox.project());
    assert!(sandbox.files_with_the_key().is_empty());
    let again = init(&sandbox, &arguments).expect(0);
    again.shows_no_diff();
    let bare = init(&sandbox, &["--no-verify"]).expect(0);
    bare.shows_no_diff();
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(sandbox.read(".gitpod.yml"), gitpod);
    assert!(!sandbox.path("otel-collector.yaml").exists());
    (text, run)
}

/// Returns the lines that `init` adds to the backend, without the service's name.
fn lines(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| line.starts_with("OTEL_EXPORTER")).collect()
}

#[test]
fn every_provider_is_wired_as_its_file_says() {
    for provider in known_providers() {
        let settings = provider.settings.iter();
        let settings: Vec<String> =
            settings.map(|setting| format!("{}=word", setting.name)).collect();
        let mut arguments = vec!["--provider", provider.name.as_str()];
        for setting in &settings {
            arguments.extend(["--set", setting]);
        }
        if provider.regions.is_empty() && provider.refused.is_none() {
            arguments.extend(["--endpoint", "https://x.eu.aws.cloud.es.io"]);
        }
        if provider.refused.is_some() {
            let run = init(&sandbox(), &arguments).expect(2);
            assert!(run.stderr.contains("error[provider-refused]"), "{}", run.stderr);
            assert!(run.stderr.contains("hint:"), "{}", run.stderr);
            continue;
        }
        let (text, run) = wired(&arguments);
        for header in &provider.headers {
            assert!(text.contains(&format!("{}=", header.name)), "{text}");
        }
        let exact = text.contains("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        assert_eq!(exact, provider.traces_only, "{text}");
        assert_eq!(text.contains("_PROTOCOL:"), provider.protocol.is_some(), "{text}");
        assert_eq!(run.stderr.contains("untested"), !provider.confirmed, "{}", run.stderr);
        let (text, _) = wired(&[&["--provider", "collector", "--to"], &arguments[1..]].concat());
        assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT: \"http://otel-collector:4318\""));
        assert!(!text.contains("OTLP_HEADERS"), "{text}");
        let variables = provider.variables();
        for variable in variables {
            assert_eq!(text.matches(variable).count(), 2, "{text}");
        }
    }
}

#[test]
fn every_providers_key_is_hidden_by_the_name_of_its_variable() {
    for name in known_providers().iter().flat_map(|provider| provider.variables()) {
        let text = format!("{name}=abcdefgh12345678");
        let hidden = Redactor::default().redact(&text).into_owned();
        assert!(!hidden.contains("abcdefgh"), "{hidden}");
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    init(&sandbox(), &["--provider", "honycomb"]).expect(2).shows("provider_unknown");
    let run = init(&sandbox(), &["--provider", "axiom"]).expect(2);
    assert!(run.stderr.contains("error[setting-missing]"), "{}", run.stderr);
    run.shows("provider_setting_missing");
    let run = init(&sandbox(), &["--to", "axiom"]).expect(2);
    assert!(run.stderr.contains("error[usage]"), "{}", run.stderr);
}

#[test]
fn a_service_that_leaves_its_provider_keeps_nothing_of_it() {
    let sandbox = sandbox();
    let mut seen = Vec::new();
    for arguments in [
        &["--provider", "honeycomb"][..],
        &["--provider", "datadog", "--region", "datadoghq.eu"],
        &["--provider", "local"],
        &["--provider", "datadog"],
        &["--provider", "collector"],
        &["--provider", "honeycomb"],
    ] {
        init(&sandbox, &[arguments, &["--no-verify"]].concat()).expect(0);
        let text = sandbox.read("docker-compose.yml");
        let backend = text.split("frontend-react-js:\n").next().unwrap();
        seen.push(lines(backend).join("\n"));
    }
    let honeycomb = "OTEL_EXPORTER_OTLP_ENDPOINT: \"https://api.honeycomb.io\"\nOTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=${HONEYCOMB_API_KEY}\"";
    let datadog = |site: &str| {
        format!(
            "OTEL_EXPORTER_OTLP_HEADERS: \"dd-api-key=${{DD_API_KEY}}\"\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"https://otlp.{site}/v1/traces\"\nOTEL_EXPORTER_OTLP_PROTOCOL: \"http/protobuf\""
        )
    };
    assert_eq!(seen[0], honeycomb);
    assert_eq!(seen[1], datadog("datadoghq.eu"));
    assert!(seen[2].contains("http://host.docker.internal:4318"), "{}", seen[2]);
    assert!(!seen[2].contains("HEADERS") && !seen[2].contains("TRACES"), "{}", seen[2]);
    assert!(seen[3].contains("https://otlp.datadoghq.com/v1/traces"), "{}", seen[3]);
    assert!(!seen[3].contains("host.docker.internal"), "{}", seen[3]);
    assert!(seen[4].contains("http://otel-collector:4318"), "{}", seen[4]);
    assert!(!seen[4].contains("HEADERS"), "{}", seen[4]);
    assert!(seen[5].contains("https://api.honeycomb.io"), "{}", seen[5]);
    assert!(seen[5].contains("x-honeycomb-team"), "{}", seen[5]);
}

#[test]
fn local_tells_containers_where_this_machine_is_where_they_do_not_know() {
    let sandbox = Sandbox::new(&[(
        "compose.yaml",
        "services:\n  a:\n    build: .\n  b:\n    build: .\n    network_mode: host\n  c:\n    build: .\n    extra_hosts: {host.docker.internal: 172.17.0.1}\n  d:\n    build: .\n    network_mode: \"service:a\"\n",
    )]);
    init(&sandbox, &["--provider", "local", "--all-services"]).expect(0);
    assert_eq!(
        sandbox.read("compose.yaml"),
        "services:\n  a:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: \"a\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://host.docker.internal:4318\"\n    extra_hosts:\n      - host.docker.internal:host-gateway\n  b:\n    build: .\n    network_mode: host\n    environment:\n      OTEL_SERVICE_NAME: \"b\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://localhost:4318\"\n  c:\n    build: .\n    extra_hosts: {host.docker.internal: 172.17.0.1}\n    environment:\n      OTEL_SERVICE_NAME: \"c\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://host.docker.internal:4318\"\n  d:\n    build: .\n    network_mode: \"service:a\"\n    environment:\n      OTEL_SERVICE_NAME: \"d\"\n      OTEL_EXPORTER_OTLP_ENDPOINT: \"http://host.docker.internal:4318\"\n"
    );
    accepted_by_compose(&sandbox.project());
    let again = init(&sandbox, &["--provider", "local", "--all-services"]).expect(0);
    again.shows_no_diff();
    again.shows("provider_local_again");
}

#[test]
fn a_variable_of_an_env_file_is_covered_by_an_empty_one() {
    let sandbox = Sandbox::new(&[
        ("compose.yaml", "services:\n  a:\n    build: .\n    env_file: a.env\n"),
        ("a.env", "OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=abc\n"),
    ]);
    for _ in 0..2 {
        init(&sandbox, &["--provider", "local"]).expect(0);
        let text = sandbox.read("compose.yaml");
        assert_eq!(text.matches("      OTEL_EXPORTER_OTLP_HEADERS: \"\"\n").count(), 1, "{text}");
    }
}

#[test]
fn an_unknown_address_is_kept_with_a_warning_that_names_it() {
    let sandbox = sandbox();
    let otlp = [
        "--provider",
        "otlp",
        "--endpoint",
        "http://tempo:4318",
        "--header",
        "x-tenant=HONEYCOMB_API_KEY",
    ];
    init(&sandbox, &[&otlp[..], &["--no-verify"]].concat()).expect(0);
    let run = init(&sandbox, &["--no-verify"]).expect(0);
    run.shows("provider_left");
    assert!(lines(&sandbox.read("docker-compose.yml"))[0].contains("api.honeycomb.io"));
    let named = init(&sandbox, &["--no-verify", "--provider", "honeycomb"]).expect(0);
    named.shows("provider_left_by_name");
}

#[test]
fn remains_of_an_earlier_provider_are_reported() {
    let sandbox = sandbox();
    let collector = ["--no-verify", "--provider", "collector"];
    init(&sandbox, &collector).expect(0);
    let away = init(&sandbox, &["--no-verify", "--provider", "local"]).expect(0);
    away.shows("provider_collector_stays");
    let back = init(&sandbox, &["--no-verify", "--provider", "honeycomb"]).expect(0);
    back.shows("provider_extra_hosts_stay");
}

#[test]
fn a_frontend_may_be_traced_through_the_collector() {
    let services = ["--service", "backend-flask", "--service", "frontend-react-js"];
    let (text, run) = wired(&[&["--provider", "collector"][..], &services].concat());
    assert!(text.contains("      - \"127.0.0.1:4318:4318\"\n"), "{text}");
    run.shows("provider_frontend_collector");
    let sandbox = sandbox()
        .with("GITPOD_WORKSPACE_ID", "me-app-1")
        .with("GITPOD_WORKSPACE_URL", "https://me-app-1.ws-eu11.gitpod.io");
    let arguments = [&["--provider", "collector", "--no-verify"][..], &services].concat();
    let run = init(&sandbox, &arguments).expect(0);
    let config = sandbox.read("otel-collector.yaml");
    for origin in ["http://localhost:3000", "http://127.0.0.1:3000", "https://3000-*.gitpod.io"] {
        assert!(config.contains(&format!("            - \"{origin}\"\n")), "{config}");
    }
    run.shows("provider_frontend_in_gitpod");
    let again = init(&sandbox, &arguments).expect(0);
    again.shows_no_diff();
}

#[test]
fn the_collector_is_on_the_networks_of_the_services() {
    let sandbox = sandbox();
    sandbox.write(
        "docker-compose.yml",
        "services:\n  a:\n    build: .\n    networks: [inner]\nnetworks:\n  inner:\n    internal: true\n",
    );
    init(&sandbox, &["--provider", "collector", "--no-verify"]).expect(0);
    let text = sandbox.read("docker-compose.yml");
    assert!(text.contains("    networks:\n      - \"default\"\n      - \"inner\"\n"), "{text}");
    accepted_by_compose(&sandbox.project());
}

#[test]
fn a_collector_that_was_there_is_used_and_stays() {
    let sandbox = Sandbox::new(&[(
        "compose.yaml",
        "services:\n  a:\n    build: .\n  gateway:\n    image: otel/opentelemetry-collector-contrib:0.99.0\n",
    )]);
    let run = sandbox
        .run(&["init", "--yes", "--no-instrument", "--no-verify", "--provider", "collector"])
        .expect(0);
    let text = sandbox.read("compose.yaml");
    assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT: \"http://gateway:4318\""), "{text}");
    assert!(text.ends_with("  gateway:\n    image: otel/opentelemetry-collector-contrib:0.99.0\n"));
    assert!(!sandbox.path("otel-collector.yaml").exists());
    run.shows("provider_own_collector");
}

#[test]
fn a_configuration_that_is_there_is_never_overwritten() {
    let sandbox = sandbox();
    init(&sandbox, &["--provider", "collector", "--no-verify"]).expect(0);
    let mine = format!("{}# mine\n", sandbox.read("otel-collector.yaml"));
    sandbox.write("otel-collector.yaml", &mine);
    let more = ["--provider", "collector", "--to", "newrelic", "--no-verify"];
    let run = init(&sandbox, &more).expect(0);
    assert_eq!(sandbox.read("otel-collector.yaml"), mine);
    run.shows("provider_own_configuration");
}

#[test]
fn verify_sends_what_the_collector_would_send() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let url = honeycomb.url();
    let run = init(
        &sandbox,
        &[
            "--provider",
            "collector",
            "--endpoint",
            &url,
            "--header",
            "x-honeycomb-team=HONEYCOMB_API_KEY",
        ],
    )
    .expect(0);
    assert!(run.stdout.contains("accepted"), "{}", run.stdout);
    let run = sandbox.run(&["verify", "--json"]).expect(0);
    let found = service(&run);
    assert_eq!(found["service"], "backend-flask");
    assert_eq!(found["proven"], "accepted");
    let evidence = check(&found, "configured")["evidence"].as_str().unwrap();
    assert!(
        evidence.contains(&format!("otel-collector sends to {url} (otel-collector.yaml)")),
        "{evidence}"
    );
    assert!(evidence.contains("the step from backend-flask to it"), "{evidence}");
    sandbox.run(&["doctor", "--strict"]).expect(0);

    let without = Sandbox::new(&cruddur());
    for file in ["docker-compose.yml", "otel-collector.yaml"] {
        without.write(file, &sandbox.read(file));
    }
    let found = service(&without.run(&["verify", "--json"]).expect(1));
    assert_eq!(found["code"], "key-missing");
}

#[test]
fn honeycomb_is_not_asked_about_another_providers_key() {
    let run = sandbox().run(&["key", "whoami", "--variable", "DD_API_KEY"]).expect(2);
    assert!(run.stderr.contains("error[not-honeycombs]"), "{}", run.stderr);
}
