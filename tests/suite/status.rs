//! `status`: the screen shows the same as the other commands.

use crate::closed::Closed;
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox};

#[test]
fn a_project_is_shown_before_and_after_it_is_wired() {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let before = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(before["providers"], serde_json::json!([]));
    assert!(before["services"].as_array().unwrap().iter().all(|one| one["wired"] == false));
    sandbox.run(&["init", "--yes", "--store", "env", "--no-verify"]).expect(0);
    let after = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(after["providers"], serde_json::json!(["Honeycomb"]));
    let service = |name: &str| {
        let services = after["services"].as_array().unwrap();
        services.iter().find(|one| one["service"] == name).unwrap().clone()
    };
    assert_eq!(service("backend-flask")["wired"], true);
    assert_eq!(service("backend-flask")["name"], "backend-flask");
    assert_eq!(service("db")["wired"], false);
    let key = &after["keys"][0];
    assert_eq!(
        (&key["variable"], &key["store"], &key["compose_takes_it"]),
        (&"HONEYCOMB_API_KEY".into(), &"env".into(), &true.into())
    );
    assert!(!after.to_string().contains(KEY));
    assert_eq!(after["verified"], serde_json::Value::Null);
}

#[test]
fn the_last_verdict_is_kept_and_replaced() {
    let closed = Closed::new();
    let sandbox = crate::verify::project(&closed.url());
    for _ in 0..2 {
        sandbox.run(&["verify", "--json"]).expect(1);
        let status = sandbox.run(&["status", "--json"]).expect(0).json();
        let verified = &status["verified"];
        assert_eq!(verified["passed"], false);
        assert_eq!(verified["services"].as_array().unwrap().len(), 1);
        assert_eq!(verified["services"][0]["code"], "connect");
        assert!(verified["age_seconds"].as_u64().unwrap() < 600);
    }
    // What the embedded receiver proves says nothing of the provider.
    sandbox.run(&["verify", "--local", "--json"]).expect(0);
    let status = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["verified"]["passed"], false);
}

#[test]
fn the_verdict_of_init_is_the_last_one() {
    let closed = Closed::new();
    let sandbox = crate::verify::project(&closed.url());
    sandbox.run(&["init", "--yes", "--no-instrument", "--endpoint", &closed.url()]).expect(1);
    let status = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["verified"]["passed"], false);
    assert_eq!(status["verified"]["services"][0]["code"], "connect");
}

#[test]
fn each_missing_key_has_the_command_that_stores_it() {
    let compose = "services:\n  api:\n    build: .\n    environment:\n      A: ${AWS_ACCESS_KEY_ID}\n      B: ${ROLLBAR_ACCESS_TOKEN}\n      C: ${HONEYCOMB_API_KEY}\n";
    let sandbox = Sandbox::new(&[("docker-compose.yml", compose)]);
    let shown = sandbox.run(&["status"]).expect(0).stdout;
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for command in [
        "`cruddur-ops key set --variable AWS_ACCESS_KEY_ID`",
        "`cruddur-ops key set --variable ROLLBAR_ACCESS_TOKEN`",
        "`cruddur-ops key set`",
    ] {
        assert!(words.contains(command), "{command} is not in: {shown}");
    }
}

#[test]
fn what_stays_on_this_machine_needs_no_key() {
    let sandbox = Sandbox::new(&cruddur());
    let keys = || sandbox.run(&["status", "--json"]).expect(0).json()["keys"].clone();
    assert_eq!(keys()[0]["variable"], "HONEYCOMB_API_KEY");
    sandbox.run(&["init", "--yes", "--provider", "local", "--no-instrument"]).expect(0);
    assert_eq!(keys(), serde_json::json!([]));
}
