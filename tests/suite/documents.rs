//! `--json`: exactly one document on stdout, however a run ends.

use crate::sandbox::{AWS_SECRET, KEY, Sandbox, TOKEN};

const COMPOSE: &str = "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n";

#[test]
fn every_run_prints_one_document_and_a_failed_one_says_why() {
    let sandbox = Sandbox::new(&[("compose.yaml", COMPOSE)]);
    for (arguments, status, code) in [
        (&["init", "--yes"][..], 2, Some("key-missing")),
        (&["init", "--nonsense"], 2, Some("usage")),
        (&["init", "--yes", "--service", "x", "--store", "none"], 2, Some("unknown-service")),
        (&["verify"], 2, Some("not-configured")),
        (&["verify", "--timeout", "never"], 2, Some("usage")),
        (&["ports"], 0, None),
        (&["ports", "99999"], 2, Some("port-invalid")),
        (&["ports", "--public", "--gitpod", "--check"], 1, None),
        (&["ports", "--public", "--gitpod"], 2, Some("answer-missing")),
        (&["key", "status"], 1, None),
        (&["key", "whoami"], 2, Some("key-missing")),
        (&["doctor"], 0, None),
        (&["doctor", "--explain", "x"], 2, Some("unknown-rule")),
        (&["undo", "--yes"], 0, None),
        (&["-C", "nowhere", "doctor"], 2, Some("no-compose-file")),
    ] {
        let run = sandbox.run(&[arguments, &["--json"]].concat());
        let run = run.expect(status);
        assert_eq!(run.stdout.lines().count(), 1, "{arguments:?} {run:?}");
        let document = run.json();
        assert_eq!(document["schema_version"], 1, "{arguments:?} {document:#}");
        let said = document["error"]["code"].as_str();
        assert_eq!(said, code, "{arguments:?} {document:#}");
    }
    sandbox.write("compose.yaml", "services: [\n");
    let run = sandbox.run(&["verify", "--json"]).expect(2);
    let error = &run.json()["error"];
    assert_eq!(error["code"], "invalid-yaml", "{error:#}");
    assert_eq!(error["place"]["line"], 1, "{error:#}");
}

#[test]
fn a_secret_that_is_typed_as_an_argument_is_not_repeated() {
    let sandbox = Sandbox::new(&[("compose.yaml", COMPOSE)]);
    for arguments in [
        &["key", "set", KEY][..],
        &["init", "--store", KEY],
        &["init", TOKEN],
        &["key", "set", AWS_SECRET],
        &["ports", KEY],
        &["verify", "--app", KEY],
    ] {
        for more in [&[][..], &["--json"]] {
            // That no stream has it is looked at by every run.
            let run = sandbox.run(&[arguments, more].concat()).expect(2);
            assert!(run.stderr.starts_with("error"), "{}", run.stderr);
        }
    }
}
