//! A key that exists and is not used: expanded, in a file that is not read, under a misspelt name, temporary.

use crate::doctor::codes;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::sandbox::{KEY, Sandbox};
use crate::verify::{check, expect};

/// Returns a project with a service that sends to `endpoint`, with `more` lines, and these `files`.
fn project(endpoint: &str, more: &str, files: &[(&str, &str)]) -> Sandbox {
    let text = format!(
        "services:\n  api:\n    build: .\n{more}    environment:\n      OTEL_SERVICE_NAME: api\n      \
         OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n      \
         OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${{HONEYCOMB_API_KEY}}\n"
    );
    Sandbox::new(&[&[("compose.yaml", text.as_str())], files].concat())
}

#[test]
fn a_dollar_that_docker_compose_expands_is_said() {
    let honeycomb = Honeycomb::start(&[(KEY, Key::Ingest)]);
    for value in ["abcdEFGH12$cd34ijklMN", "\"abcdEFGH12$cd34\"", "abcdEFGH12$c$d3$e"] {
        let dotenv = format!("# keys\nHONEYCOMB_API_KEY={value}\n");
        let sandbox = project(&honeycomb.url(), "", &[(".env", &dotenv)]);
        let run = sandbox.run(&["key", "status", "--json"]);
        let document = run.json();
        let rows = document["stores"].as_array().unwrap();
        let row = rows.iter().find(|row| row["store"] == "dotenv").unwrap();
        assert_eq!(row["state"], "failed", "{value}: {}", run.stdout);
        assert!(row["reason"].as_str().unwrap().contains(".env:2"), "{row:#}");
        let service = expect(&sandbox, &[], "reachable", Some("key-rejected"));
        let configured = check(&service, "configured");
        assert_eq!(configured["status"], "warn", "{configured:#}");
        assert!(configured["evidence"].as_str().unwrap().contains("single quotes"));
    }
    let quoted = format!("HONEYCOMB_API_KEY='{KEY}'\n");
    let sandbox = project(&honeycomb.url(), "", &[(".env", &quoted)]);
    let run = sandbox.run(&["verify", "--json"]).expect(0);
    let service = crate::verify::service(&run);
    let evidence = check(&service, "configured")["evidence"].as_str().unwrap();
    assert!(!evidence.contains("single quotes"), "{evidence}");
}

#[test]
fn a_key_in_a_file_of_the_service_is_not_one_of_the_compose_file() {
    let own = format!("LEVEL=debug\nHONEYCOMB_API_KEY={KEY}\n");
    for more in [
        "    env_file: api.env\n",
        "    env_file: [api.env]\n",
        "    env_file:\n      - path: ./api.env\n        required: false\n",
    ] {
        let sandbox = project("https://api.honeycomb.io", more, &[("api.env", &own)]);
        let run = sandbox.run(&["verify", "--json"]).expect(1);
        let service = crate::verify::service(&run);
        assert_eq!(service["code"], "key-missing");
        let evidence = check(&service, "configured")["evidence"].as_str().unwrap().to_owned();
        assert!(evidence.contains("api.env:2"), "{evidence}");
    }
}

#[test]
fn a_misspelt_variable_of_the_shell_is_named() {
    for slip in ["HONEYCOMB_API_KEYS", "HONEYCOMB_API_KYE", "HONEYCOM_API_KEY"] {
        let sandbox = project("https://api.honeycomb.io", "", &[]).with(slip, KEY);
        let service = expect(&sandbox, &[], "none", Some("key-missing"));
        let evidence = check(&service, "configured")["evidence"].as_str().unwrap();
        assert!(evidence.contains(slip), "{evidence}");
        for arguments in [vec!["init", "--yes", "--no-verify"], vec!["key", "whoami"]] {
            let run = sandbox.run(&arguments).expect(2);
            assert!(run.stderr.contains("error[key-missing]"), "{}", run.stderr);
            assert!(run.stderr.contains(slip), "{arguments:?}: {}", run.stderr);
        }
    }
}

#[test]
fn the_id_of_a_key_in_the_shell_is_a_finding() {
    for wrong in [
        format!("hcaik_{}", "01".repeat(13)),
        format!("hcblk_{}", "01".repeat(13)),
        format!("hcamk_{}:{}", "01".repeat(13), "a".repeat(32)),
    ] {
        let sandbox =
            project("https://api.honeycomb.io", "", &[]).with("HONEYCOMB_API_KEY", &wrong);
        let run = sandbox.run(&["doctor", "--json"]).expect(1);
        assert!(codes(&run).contains(&"key-unset".to_owned()), "{}", run.stdout);
    }
    let sandbox = project("https://api.honeycomb.io", "", &[]).with("HONEYCOMB_API_KEY", KEY);
    assert!(!codes(&sandbox.run(&["doctor", "--json"])).contains(&"key-unset".to_owned()));
}

#[test]
fn temporary_keys_of_aws_go_with_their_token() {
    let secret = "0123456789abcdef0123456789abcdef01234567";
    for (id, token, is_temporary) in [
        ("ASIAQWERTYUIOPASDFGH", Some("planted-session-token-1"), true),
        ("ASIAQWERTYUIOPASDFGH", None, true),
        ("AKIAQWERTYUIOPASDFGH", Some("planted-session-token-1"), true),
        ("AKIAQWERTYUIOPASDFGH", None, false),
    ] {
        let mut sandbox = Sandbox::new(&[
            ("compose.yaml", "services:\n  api:\n    build: .\n"),
            ("requirements.txt", "flask\n"),
        ])
        .with("HONEYCOMB_API_KEY", KEY)
        .with("AWS_ACCESS_KEY_ID", id)
        .with("AWS_SECRET_ACCESS_KEY", secret);
        if let Some(token) = token {
            sandbox = sandbox.with("AWS_SESSION_TOKEN", token);
        }
        let init = ["init", "--yes", "--no-verify", "--no-instrument", "--with", "xray"];
        sandbox.run(&[&init[..], &["--aws-region", "us-east-1"]].concat()).expect(0);
        let written = sandbox.read("compose.yaml");
        assert_eq!(written.contains("AWS_SESSION_TOKEN"), is_temporary, "{id}: {written}");
        assert!(!written.contains("planted-session-token-1"));
    }
}
