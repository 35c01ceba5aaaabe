//! Which hosts `verify` may reach, and which of them may see the key.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use crate::rude::Rude;
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect, project, project_with, service};

const JSON: &str = "application/json";

/// Returns an address of this machine that is not loopback; looking up the route sends nothing.
pub fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn an_unknown_host_gets_the_key_only_when_trusted() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let sandbox = project(&server.url());
    let service = expect(&sandbox, &[], "none", Some("untrusted-host"));
    let hint = check(&service, "reachable")["hint"].as_str().unwrap();
    assert_eq!(server.connections(), 0);
    assert!(hint.contains(&format!("--trust-host {address}")), "{hint}");
    let other = ["--trust-host", "other.example"];
    expect(&sandbox, &other, "none", Some("untrusted-host"));
    assert_eq!(server.connections(), 0);

    let vouched = address.to_string();
    expect(&sandbox, &["--trust-host", &vouched], "accepted", None);
    let received = String::from_utf8_lossy(&server.received()).into_owned();
    assert!(received.contains(KEY));
}

/// Runs `verify` in a terminal and answers its question with one key.
fn answered(sandbox: &Sandbox, answer: &str) -> (String, i32) {
    let mut command = sandbox.command(&["verify"]);
    command.env("TERM", "xterm").stdin(std::process::Stdio::inherit());
    let mut session = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
    let mut seen = session.exp_string("Send it?").unwrap();
    session.send(answer).unwrap();
    session.flush().unwrap();
    seen += &session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        rexpect::process::WaitStatus::Exited(_, status) => (seen, status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_is_asked_before_an_unknown_host_gets_the_key() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let sandbox = project(&server.url());
    let (seen, status) = answered(&sandbox, "n\r");
    assert!(seen.contains("untrusted-host"), "{seen}");
    assert_eq!((status, server.connections()), (1, 0));
    let (seen, status) = answered(&sandbox, "y\r");
    assert!(seen.contains("accepted") && !seen.contains(KEY), "{seen}");
    assert_eq!(status, 0);
    assert!(server.connections() > 0);
}

#[test]
fn the_name_of_a_trusted_host_does_not_lead_to_an_address_of_the_project() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let port = server.address.port();
    for name in ["collector.example", "api.honeycomb.io"] {
        let before = server.connections();
        let compose = format!(
            "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
             OTEL_EXPORTER_OTLP_ENDPOINT: http://{name}:4318\n      \
             OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n  \
             {name}:\n    image: x\n    ports: [\"{address}:{port}:4318\"]\n"
        );
        let sandbox = Sandbox::new(&[("compose.yaml", &compose)]).with("HONEYCOMB_API_KEY", KEY);
        let service = expect(&sandbox, &["--trust-host", name], "none", Some("untrusted-host"));
        let hint = check(&service, "reachable")["hint"].as_str().unwrap();
        assert!(hint.contains(&format!("--trust-host {address}")), "{hint}");
        assert_eq!(server.connections(), before);
        let trusted = address.to_string();
        expect(&sandbox, &["--trust-host", &trusted], "accepted", None);
    }
}

#[test]
fn a_secret_of_the_dot_env_file_stays_out_of_an_address_that_is_shown() {
    let compose = "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://127.0.0.1:1/${TENANT_TOKEN}/v1/traces\n";
    let env = "TENANT_TOKEN=s3cr3t-tenant-token\n";
    let sandbox = Sandbox::new(&[("compose.yaml", compose), (".env", env)]);
    for arguments in [&["verify"][..], &["verify", "--json"]] {
        let run = sandbox.run(arguments).expect(1);
        let said = run.stdout + &run.stderr;
        assert!(said.contains("<TENANT_TOKEN>"), "{said}");
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}

#[test]
fn values_in_the_compose_file_are_no_secrets() {
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, JSON, b"{}");
    let literal = [("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=public")];
    expect(&project_with(&server.url(), &literal), &[], "accepted", None);
    let nothing = server.connections();
    // The address itself would tell the key.
    let leaking = format!("{}/${{HONEYCOMB_API_KEY}}", server.url());
    let more = [literal[0], ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*leaking)];
    expect(&project_with(&server.url(), &more), &[], "none", Some("untrusted-host"));
    let named = [literal[0], ("OTEL_RESOURCE_ATTRIBUTES", "k=${HONEYCOMB_API_KEY}")];
    expect(&project_with(&server.url(), &named), &[], "none", Some("untrusted-host"));
    assert_eq!(server.connections(), nothing);
}

#[test]
fn a_header_from_an_env_file_is_asked_about_too() {
    let compose = "services:\n  api:\n    build: .\n    env_file: api.env\n";
    let env = format!(
        "OTEL_SERVICE_NAME=api\nOTEL_EXPORTER_OTLP_ENDPOINT=http://192.0.2.1:4318\nOTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team={KEY}\n"
    );
    let sandbox = Sandbox::new(&[("compose.yaml", compose), ("api.env", &env)]);
    let run = sandbox.run(&["verify", "--json"]).expect(1);
    assert_eq!(service(&run)["code"], "untrusted-host");
}

#[test]
fn a_providers_own_host_without_tls_is_not_trusted() {
    // Whether the name has an address here or not, nothing is sent.
    let run =
        project("http://api.honeycomb.io").run(&["verify", "--json", "--timeout", "3s"]).expect(1);
    let code = service(&run)["code"].as_str().unwrap().to_owned();
    assert!(["untrusted-host", "dns", "timeout"].contains(&code.as_str()), "{code}");
    assert_eq!(service(&run)["proven"], "none");
}

/// Returns a service that sends to another service of the project, which publishes `ports`.
fn behind_a_collector(endpoint: &str, ports: &str) -> Sandbox {
    let text = format!(
        "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      \
         OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n  \
         otel-collector:\n    image: otel/opentelemetry-collector\n    container_name: collector-1\n{ports}"
    );
    Sandbox::new(&[("compose.yaml", &text)]).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn a_service_of_the_project_is_reached_through_its_published_port() {
    let server = Rude::answering(JSON, b"{}");
    let port = server.address.port();
    for host in ["otel-collector", "collector-1"] {
        let ports = format!("    ports:\n      - \"{port}:4318\"\n");
        let sandbox = behind_a_collector(&format!("http://{host}:4318"), &ports);
        let service = expect(&sandbox, &[], "accepted", None);
        assert_eq!(service["endpoint"], format!("http://{host}:4318/v1/traces"));
        let evidence = check(&service, "reachable")["evidence"].as_str().unwrap();
        assert!(evidence.contains(&format!("port {port}")), "{evidence}");
    }
    let sandbox = behind_a_collector(&format!("http://host.docker.internal:{port}"), "");
    expect(&sandbox, &[], "accepted", None);
}

#[test]
fn a_service_of_the_project_without_a_published_port_cannot_be_reached_from_here() {
    for ports in [
        "",
        "    ports: [\"4317:4317\"]\n",
        "    ports: [\"4318:4318/udp\"]\n",
        "    ports: [\"4318\"]\n",
    ] {
        let sandbox = behind_a_collector("http://otel-collector:4318", ports);
        let service = expect(&sandbox, &[], "none", Some("connect"));
        let failed = check(&service, "reachable");
        let evidence = failed["evidence"].as_str().unwrap();
        assert!(evidence.contains("otel-collector"), "{evidence}");
        assert!(failed["hint"].as_str().unwrap().contains("127.0.0.1:4318:4318"));
    }
}

#[test]
fn every_service_gets_its_own_verdict_and_one_failure_fails_all() {
    let good =
        crate::fake_honeycomb::Honeycomb::start(&[(KEY, crate::fake_honeycomb::Key::Ingest)]);
    let silent = Rude::start(|mut stream| {
        let _ = std::io::Read::read(&mut stream, &mut [0]);
    });
    let service = |name: &str, url: &str| {
        format!(
            "  {name}:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME={name}-traced\n      \
             - OTEL_EXPORTER_OTLP_ENDPOINT={url}\n      - OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=$HONEYCOMB_API_KEY\n"
        )
    };
    let mut text = "services:\n  db:\n    image: postgres\n".to_owned();
    for name in ["one", "two", "three"] {
        text += &service(name, &silent.url());
    }
    text += &service("web", &good.url());
    let sandbox = Sandbox::new(&[("compose.yaml", &text)]).with("HONEYCOMB_API_KEY", KEY);
    let started = std::time::Instant::now();
    let run = sandbox.run(&["verify", "--json", "--timeout", "2s"]).expect(1);
    assert!(started.elapsed().as_secs() < 6, "one after the other");
    let document = run.json();
    let pairs: Vec<(&str, Option<&str>)> = document["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["code"].as_str()))
        .collect();
    let late = Some("timeout");
    assert_eq!(
        pairs,
        [("one-traced", late), ("two-traced", late), ("three-traced", late), ("web-traced", None)]
    );
    let only = sandbox.run(&["verify", "--json", "--service", "web"]).expect(0);
    assert_eq!(only.json()["passed"], true);
}
