//! `verify` of X-Ray's daemon and Rollbar, with real sockets.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::closed::Closed;
use crate::fake_rollbar::{First, Rollbar};
use crate::fake_xray::Daemon;
use crate::gp::run_with_input;
use crate::rude::Rude;
use crate::sandbox::{AWS_SECRET, Run, Sandbox, TOKEN};
use crate::verify::check;
use crate::verify_trust::outer_address;

/// Creates a project with one service with this environment and no OpenTelemetry; no `aws` is on the path.
fn project(environment: &[(&str, &str)]) -> Sandbox {
    let mut text = "services:\n  backend-flask:\n    build: .\n    environment:\n".to_owned();
    for (name, value) in environment {
        text += &format!("      {name}: \"{value}\"\n");
    }
    Sandbox::new(&[("compose.yaml", &text)]).with("PATH", "/usr/bin:/bin")
}

fn one(run: &Run) -> Value {
    let document = run.json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["addons"].as_array().unwrap().len(), 1);
    assert_eq!(document["delivered"], false);
    document["addons"][0].clone()
}

/// Runs `verify --json` and compares rung, code and exit status of the one addon.
#[track_caller]
fn expect(sandbox: &Sandbox, arguments: &[&str], proven: &str, code: Option<&str>) -> Value {
    let run = sandbox.run(&[&["verify", "--json"], arguments].concat());
    let addon = one(&run);
    assert_eq!(addon["proven"], proven, "{addon:#}");
    assert_eq!(addon["code"].as_str(), code, "{addon:#}");
    assert_eq!(run.status, i32::from(code.is_some()), "{addon:#}");
    assert_eq!(run.json()["passed"], code.is_none());
    assert!(sandbox.files_with_the_key().is_empty());
    addon
}

fn xray(address: &str) -> Sandbox {
    project(&[("AWS_XRAY_DAEMON_ADDRESS", address)])
}

#[test]
fn a_segment_is_sent_and_only_keys_and_region_are_proven() {
    let daemon = Daemon::start();
    let sandbox = xray(&daemon.address());
    let addon = expect(&sandbox, &[], "reachable", None);
    let segment = daemon.segment();
    assert_eq!(addon["addon"], "xray");
    assert_eq!(addon["title"], "AWS X-Ray");
    assert_eq!(addon["trace_id"], segment["trace_id"]);
    assert_eq!(segment["name"], "backend-flask");
    // In a container it would be the container itself.
    assert_eq!(check(&addon, "configured")["status"], "warn");
    assert_eq!(check(&addon, "accepted")["status"], "skip");
    assert_eq!(check(&addon, "whose")["status"], "pass");
    assert_eq!(check(&addon, "queryable")["status"], "skip");
    let epoch = segment["trace_id"].as_str().unwrap();
    let epoch = u64::from_str_radix(&epoch[2..10], 16).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    assert!(now.unwrap().as_secs() - epoch < 600);

    let text = sandbox.run(&["verify"]).expect(0).stdout;
    assert!(text.contains("backend-flask to AWS X-Ray"), "{text}");
    assert!(text.contains("nothing more is known"), "{text}");
    assert!(!text.contains("delivered"), "{text}");
}

#[test]
fn an_sdk_that_is_turned_off_is_said() {
    let daemon = Daemon::start();
    let sandbox = project(&[
        ("AWS_XRAY_DAEMON_ADDRESS", &daemon.address()),
        ("AWS_XRAY_SDK_ENABLED", "False"),
    ]);
    let addon = expect(&sandbox, &[], "reachable", None);
    let configured = check(&addon, "configured").to_string();
    assert!(configured.contains("sends nothing"), "{configured}");
}

#[test]
fn an_answer_of_aws_about_the_daemon_is_shown() {
    for (status, body, code) in [
        (
            403,
            r#"{"message":"The security token included in the request is invalid."}"#,
            "key-rejected",
        ),
        (400, r#"{"message":"UnrecognizedClientException"}"#, "key-rejected"),
        (502, "", "server-error"),
        (200, "<html>hello</html>", "unknown-answer"),
    ] {
        let daemon = Daemon::answering(status, body);
        let addon = expect(&xray(&daemon.address()), &[], "reachable", Some(code));
        let failed = check(&addon, "whose");
        assert_eq!(failed["status"], "fail");
        if status == 403 {
            let evidence = failed["evidence"].as_str().unwrap();
            assert!(evidence.contains("The security token"), "{evidence}");
            let hint = failed["hint"].as_str().unwrap();
            assert!(hint.contains("key set --variable AWS_SECRET_ACCESS_KEY"), "{hint}");
        }
    }
}

#[test]
fn a_daemon_that_does_not_run_is_a_refused_connection() {
    let closed = Closed::new();
    let nobody = closed.address.to_string();
    let addon = expect(&xray(&nobody), &[], "none", Some("connect"));
    assert_eq!(check(&addon, "reachable")["status"], "fail");
    let (_, port) = nobody.rsplit_once(':').unwrap();
    let sandbox =
        with_daemon(&format!("[\"127.0.0.1:{port}:2000/udp\", \"127.0.0.1:{port}:2000\"]"));
    let addon = expect(&sandbox, &[], "none", Some("connect"));
    let hint = check(&addon, "reachable")["hint"].as_str().unwrap();
    assert!(hint.contains("`cruddur-ops run -- docker compose up xray-daemon`"), "{hint}");
}

/// Returns a service that reports to a daemon of the same project, which publishes these ports.
fn with_daemon(ports: &str) -> Sandbox {
    let text = format!(
        "services:\n  backend-flask:\n    build: .\n    environment:\n      AWS_XRAY_DAEMON_ADDRESS: xray-daemon:2000\n  \
         xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_REGION: ca-central-1\n      \
         AWS_ACCESS_KEY_ID: ${{AWS_ACCESS_KEY_ID}}\n      AWS_SECRET_ACCESS_KEY: ${{AWS_SECRET_ACCESS_KEY}}\n    ports: {ports}\n"
    );
    Sandbox::new(&[("compose.yaml", &text)]).with("PATH", "/usr/bin:/bin")
}

#[test]
fn a_daemon_of_the_project_is_found_by_its_published_ports() {
    let daemon = Daemon::start();
    let (udp, tcp) = (daemon.udp.port(), daemon.tcp.port());
    let both = with_daemon(&format!("[\"127.0.0.1:{udp}:2000/udp\", \"127.0.0.1:{tcp}:2000\"]"));
    let addon = expect(&both, &[], "reachable", None);
    assert_eq!(check(&addon, "whose")["status"], "pass");
    daemon.segment();

    // As the setup guide publishes it: nobody gets to the TCP side from here.
    let addon = expect(&with_daemon(&format!("[\"{udp}:2000/udp\"]")), &[], "reachable", None);
    let open = check(&addon, "whose");
    assert_eq!(open["status"], "skip");
    assert!(open["hint"].as_str().unwrap().contains("127.0.0.1:2000:2000\""), "{open}");
    daemon.segment();

    let addon = expect(&with_daemon("[]"), &[], "none", None);
    assert_eq!(check(&addon, "reachable")["status"], "skip");
    assert!(daemon.is_idle());
}

#[test]
fn an_address_is_read_before_anything_is_sent() {
    expect(&xray("http://xray-daemon:2000"), &[], "none", Some("not-configured"));
    let leaking =
        xray("${AWS_SECRET_ACCESS_KEY}.example.com:2000").with("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
    let addon = expect(&leaking, &[], "none", Some("untrusted-host"));
    let evidence = check(&addon, "reachable")["evidence"].as_str().unwrap();
    assert!(evidence.contains("AWS_SECRET_ACCESS_KEY"), "{evidence}");
}

/// Puts a program `aws` that runs this script first on the path.
fn with_aws(sandbox: Sandbox, script: &str) -> Sandbox {
    let folder = sandbox.home().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("aws");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    sandbox.with("PATH", &path)
}

#[test]
fn a_trace_that_aws_gives_back_is_delivered() {
    let daemon = Daemon::start();
    let (udp, tcp) = (daemon.udp.port(), daemon.tcp.port());
    let ports = format!("[\"127.0.0.1:{udp}:2000/udp\", \"127.0.0.1:{tcp}:2000\"]");
    let script = format!(
        "test \"$AWS_SECRET_ACCESS_KEY\" = {} || {{ echo no credentials >&2; exit 255; }}\n\
         test \"$7 $8\" = '--region ca-central-1' || exit 254\n\
         test \"$1 $2 $3 $4 $5\" = 'xray batch-get-traces --output json --trace-ids' || exit 253\n\
         if test -e {seen}; then printf '{{\"Traces\":[{{\"Id\":\"%s\"}}]}}' \"$6\"; else touch {seen}; printf '{{\"Traces\":[]}}'; fi",
        "$(printf %s \"$EXPECTED\")",
        seen = "\"$HOME/seen\"",
    );
    let sandbox = with_aws(with_daemon(&ports), &script)
        .with("EXPECTED", AWS_SECRET)
        .with("AWS_ACCESS_KEY_ID", "AKIAQWERTYUIOPASDFGH")
        .with("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
    let addon = expect(&sandbox, &[], "queryable", None);
    assert_eq!(check(&addon, "queryable")["status"], "pass");
}

#[test]
fn no_secret_is_handed_to_aws_in_place_of_a_region() {
    let daemon = Daemon::start();
    let (udp, tcp) = (daemon.udp.port(), daemon.tcp.port());
    let ports = format!("[\"127.0.0.1:{udp}:2000/udp\", \"127.0.0.1:{tcp}:2000\"]");
    for region in ["${AWS_SECRET_ACCESS_KEY}", "x.evil.example/", "us-east-1.evil.example"] {
        let sandbox = with_aws(with_daemon(&ports), "echo \"$@\" > \"$HOME/arguments\"; exit 1");
        let compose = sandbox.read("compose.yaml").replace("ca-central-1", region);
        sandbox.write("compose.yaml", &compose);
        let sandbox = sandbox.with("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
        sandbox.run(&["verify", "--json"]);
        let arguments = std::fs::read_to_string(sandbox.home().join("arguments")).unwrap();
        assert!(arguments.starts_with("xray batch-get-traces"), "{arguments}");
        assert!(!arguments.contains("--region"), "{region}: {arguments}");
    }
}

#[test]
fn an_aws_that_refuses_changes_nothing() {
    let daemon = Daemon::start();
    for (script, words) in [
        ("echo \"AccessDenied for $AWS_SECRET_ACCESS_KEY\" >&2; exit 255", "AccessDenied"),
        ("exec sleep 60", "no answer within"),
        ("echo hello", "no traces"),
    ] {
        let sandbox =
            with_aws(xray(&daemon.address()), script).with("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
        let addon = expect(&sandbox, &["--timeout", "2s"], "reachable", None);
        let open = check(&addon, "queryable");
        assert_eq!(open["status"], "skip");
        assert!(open["evidence"].as_str().unwrap().contains(words), "{open}");
    }
}

fn rollbar(endpoint: &str) -> Sandbox {
    project(&[("ROLLBAR_ACCESS_TOKEN", "${ROLLBAR_ACCESS_TOKEN}"), ("ROLLBAR_ENDPOINT", endpoint)])
        .with("ROLLBAR_ACCESS_TOKEN", TOKEN)
}

#[test]
fn one_item_is_taken_whatever_rollbar_looks_at_first() {
    for first in [First::Token, First::Body] {
        let server = Rollbar::start(TOKEN).looking_first_at(first);
        let addon = expect(&rollbar(&server.endpoint()), &[], "accepted", None);
        let items = server.items();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["environment"], "cruddur-ops-verify");
        assert_eq!(items[0]["level"], "debug");
        assert_eq!(items[0]["fingerprint"], "cruddur-ops-verify");
        let evidence = check(&addon, "accepted")["evidence"].as_str().unwrap();
        assert!(evidence.contains(items[0]["uuid"].as_str().unwrap()), "{evidence}");
        assert!(evidence.contains("one occurrence"), "{evidence}");
    }
}

#[test]
fn a_token_that_rollbar_repeats_is_redacted() {
    for first in [First::Token, First::Body] {
        let server = Rollbar::start("another").looking_first_at(first);
        let sandbox = rollbar(&server.endpoint());
        let addon = expect(&sandbox, &[], "reachable", Some("key-rejected"));
        let evidence = check(&addon, "accepted")["evidence"].as_str().unwrap();
        assert_eq!(evidence, "403: access token not found: <ROLLBAR_ACCESS_TOKEN>");
        let hint = check(&addon, "accepted")["hint"].as_str().unwrap();
        assert!(hint.contains("key set --variable ROLLBAR_ACCESS_TOKEN"), "{hint}");
        let text = sandbox.run(&["verify"]).expect(1).stdout;
        assert!(text.contains("key-rejected: not delivered"), "{text}");
    }
    let client = Rollbar::start(TOKEN).scoped("post_client_item");
    let addon = expect(&rollbar(&client.endpoint()), &[], "reachable", Some("key-rejected"));
    let evidence = check(&addon, "accepted")["evidence"].as_str().unwrap();
    assert!(evidence.contains("post_server_item"), "{evidence}");
}

#[test]
fn answers_of_rollbar_lead_to_their_codes() {
    let (json, html) = ("application/json", "text/html");
    for (status, kind, body, code) in [
        (200, json, r#"{"err":0,"result":{"uuid":"another"}}"#, "unknown-answer"),
        (200, json, r#"{"err":1,"message":"no"}"#, "request-rejected"),
        (200, html, "<html>hello</html>", "unknown-answer"),
        (302, html, "", "redirected"),
        (400, json, "{}", "request-rejected"),
        (401, json, r#"{"err":1,"message":"no token"}"#, "key-rejected"),
        (404, json, "{}", "unknown-answer"),
        (413, json, "{}", "request-rejected"),
        (422, json, "{}", "request-rejected"),
        (429, json, r#"{"err":1,"message":"over quota"}"#, "throttled"),
        (502, html, "<html></html>", "server-error"),
    ] {
        let server = Rollbar::start(TOKEN).answering(status, kind, body);
        expect(&rollbar(&server.endpoint()), &[], "reachable", Some(code));
    }
    let closed = Closed::new();
    let nobody = format!("{}/api/1/", closed.url());
    expect(&rollbar(&nobody), &[], "none", Some("connect"));
}

#[test]
fn a_token_comes_from_the_store_and_a_missing_one_is_said() {
    let server = Rollbar::start(TOKEN);
    let sandbox = project(&[
        ("ROLLBAR_ACCESS_TOKEN", "${ROLLBAR_ACCESS_TOKEN}"),
        ("ROLLBAR_ENDPOINT", &server.endpoint()),
    ]);
    let addon = expect(&sandbox, &[], "none", Some("key-missing"));
    let hint = check(&addon, "configured")["hint"].as_str().unwrap();
    assert!(hint.contains("`cruddur-ops key set --variable ROLLBAR_ACCESS_TOKEN`"), "{hint}");
    let set = [
        "key",
        "set",
        "--variable",
        "ROLLBAR_ACCESS_TOKEN",
        "--store",
        "dotenv",
        "--stdin",
        "--yes",
    ];
    run_with_input(&sandbox, &set, TOKEN).expect(0);
    let run = sandbox.run(&["verify", "--json"]).expect(0);
    assert_eq!(one(&run)["proven"], "accepted");
    assert_eq!(server.items().len(), 1);
}

#[test]
fn the_token_goes_only_to_rollbar_or_a_trusted_host() {
    // A host of another provider is none of Rollbar's.
    for endpoint in ["http://api.rollbar.com/api/1/", "https://api.honeycomb.io/api/1/"] {
        let run = rollbar(endpoint).run(&["verify", "--json", "--timeout", "3s"]).expect(1);
        let code = one(&run)["code"].as_str().unwrap().to_owned();
        assert!(["untrusted-host", "dns", "timeout"].contains(&code.as_str()), "{code}");
    }
    let Some(address) = outer_address() else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    let server = Rude::on(address, "application/json", b"{}");
    let sandbox = rollbar(&format!("{}/api/1/", server.url()));
    expect(&sandbox, &[], "none", Some("untrusted-host"));
    assert_eq!(server.connections(), 0);
    let vouched = address.to_string();
    expect(&sandbox, &["--trust-host", &vouched], "reachable", Some("unknown-answer"));
    assert!(String::from_utf8_lossy(&server.received()).contains(TOKEN));
}

#[test]
fn addons_are_skipped_unless_requested() {
    let (daemon, server) = (Daemon::start(), Rollbar::start(TOKEN));
    let sandbox = project(&[
        ("OTEL_SERVICE_NAME", "backend-flask"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("AWS_XRAY_DAEMON_ADDRESS", &daemon.address()),
        ("ROLLBAR_ACCESS_TOKEN", "${ROLLBAR_ACCESS_TOKEN}"),
        ("ROLLBAR_ENDPOINT", &server.endpoint()),
    ])
    .with("ROLLBAR_ACCESS_TOKEN", TOKEN);
    let local = sandbox.run(&["verify", "--local", "--json"]).expect(0).json();
    assert_eq!(local["addons"], serde_json::json!([]));
    let without = sandbox.run(&["verify", "--no-addons", "--json"]).json();
    assert_eq!(without["addons"], serde_json::json!([]));
    assert!(daemon.is_idle() && server.items().is_empty());
    let whole = sandbox.run(&["verify", "--json"]).expect(1).json();
    let found: Vec<_> =
        whole["addons"].as_array().unwrap().iter().map(|one| &one["proven"]).collect();
    assert_eq!(found, ["reachable", "accepted"]);
}
