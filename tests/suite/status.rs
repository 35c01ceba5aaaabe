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
fn an_application_that_did_not_answer_is_named() {
    let closed = Closed::new();
    let sandbox = crate::verify::project(&closed.url());
    let application = format!("{}/", closed.url());
    sandbox.run(&["verify", "--timeout", "2s", "--app", &application]).expect(1);
    let status = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["verified"]["services"][0]["silent_application"], application);
    let shown = sandbox.run(&["status"]).expect(0).stdout;
    let words: Vec<&str> = shown.split_whitespace().collect();
    let line = format!("the application did not answer at {application} (connect)");
    assert!(words.join(" ").contains(&line), "{shown}");
    sandbox.run(&["verify"]).expect(1);
    let shown = sandbox.run(&["status"]).expect(0).stdout;
    assert!(shown.contains("not reached (connect)"), "{shown}");
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
fn a_verdict_on_another_destination_is_marked() {
    let closed = Closed::new();
    let sandbox = crate::verify::project(&closed.url());
    sandbox.run(&["verify"]).expect(1);
    let outdated = || {
        let status = sandbox.run(&["status", "--json"]).expect(0).json();
        status["verified"]["outdated"].as_array().unwrap().len()
    };
    assert_eq!(outdated(), 0);
    let to_listen = ["init", "--yes", "--provider", "local", "--no-instrument", "--no-verify"];
    sandbox.run(&to_listen).expect(0);
    assert_eq!(outdated(), 1);
    assert!(sandbox.run(&["status"]).expect(0).stdout.contains("`cruddur-ops verify`"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(outdated(), 0);
    assert!(!sandbox.run(&["status"]).expect(0).stdout.contains("`cruddur-ops verify`"));
    // A service that sends nowhere now.
    let compose = "services:\n  api:\n    image: python\n";
    std::fs::write(sandbox.project().join("docker-compose.yml"), compose).unwrap();
    assert_eq!(outdated(), 1);
}

#[test]
fn a_project_that_docker_compose_refuses_is_named_as_by_run() {
    for (line, count) in [("ports: [\"80:80\"]", 0), ("prots: [\"80:80\"]", 1), ("ports: 80", 1)] {
        let compose = format!("services:\n  api:\n    image: python\n    {line}\n");
        let sandbox = Sandbox::new(&[("compose.yaml", &*compose)]);
        let refusals = |arguments: &[&str]| {
            let ended = sandbox.run(arguments).expect(0);
            let words = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            words.matches("docker compose will not load this project").count()
        };
        assert_eq!(refusals(&["status"]), count, "{line}");
        assert_eq!(refusals(&["run", "--", "true"]), count, "{line}");
    }
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
fn telemetry_that_stays_on_this_machine_needs_no_key() {
    let sandbox = Sandbox::new(&cruddur());
    let keys = || sandbox.run(&["status", "--json"]).expect(0).json()["keys"].clone();
    assert_eq!(keys()[0]["variable"], "HONEYCOMB_API_KEY");
    sandbox.run(&["init", "--yes", "--provider", "local", "--no-instrument"]).expect(0);
    assert_eq!(keys(), serde_json::json!([]));
}

/// A service whose variables are all in an env_file, which may be yet to be generated.
fn settings_in_a_file(name: &str, lines: &str) -> Sandbox {
    let compose = "services:\n  api:\n    build: api\n    env_file: [api.env]\n";
    let files = [
        ("compose.yaml", compose),
        ("api/requirements.txt", "fastapi\n"),
        ("api/Dockerfile", "FROM python:3.12\nCOPY . .\nCMD [\"python\", \"app.py\"]\n"),
        (name, lines),
    ];
    Sandbox::new(&files)
}

#[test]
fn a_destination_in_an_env_file_is_the_current_one() {
    const EU: &str = "https://api.eu1.honeycomb.io";
    const HONEYCOMB: &str = "x-honeycomb-team=${HONEYCOMB_API_KEY}";
    const TEMPLATE: &str = "x-honeycomb-team=<%= ENV['HONEYCOMB_API_KEY'] %>";
    for (file, endpoint, headers, provider) in [
        ("api.env", EU, HONEYCOMB, "Honeycomb"),
        ("erb/api.env.erb", EU, TEMPLATE, "Honeycomb"),
        ("api.env", "https://otlp.nr-data.net", "api-key=${NEW_RELIC_LICENSE_KEY}", "New Relic"),
        ("api.env", "https://api.honeycomb.io", HONEYCOMB, "Honeycomb"),
    ] {
        let lines = format!(
            "OTEL_SERVICE_NAME=api\nOTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nOTEL_EXPORTER_OTLP_HEADERS={headers}\n"
        );
        let sandbox = settings_in_a_file(file, &lines);
        let status = sandbox.run(&["status", "--json"]).expect(0).json();
        assert_eq!(status["providers"], serde_json::json!([provider]), "{file} {endpoint}");
        assert_eq!(status["services"][0]["wired"], true, "{file} {endpoint}");
        let init = ["init", "--yes", "--store", "none", "--no-instrument", "--no-verify"];
        sandbox.run(&init).expect(0);
        let compose = sandbox.read("compose.yaml");
        assert!(!compose.contains("OTEL_"), "{file} {endpoint}: {compose}");
        let key = status["keys"][0]["variable"].as_str().unwrap();
        assert!(headers.contains(key), "{file} {endpoint}: {key}");
    }
}

#[test]
fn the_key_of_a_template_is_handed_to_the_command_that_reads_it() {
    let template = "OTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io\nOTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=<%= ENV['HONEYCOMB_API_KEY'] %>\n";
    let sandbox = settings_in_a_file("erb/api.env.erb", template);
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY={KEY}\n"));
    let read = ["run", "--", "sh", "-c", "test \"$HONEYCOMB_API_KEY\""];
    sandbox.run(&read).expect(0);
    let status = sandbox.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["run_takes"], "dotenv", "{status:#}");
}

#[test]
fn a_long_name_keeps_the_second_column_in_its_place() {
    let names = ["db", "a-name-of-twenty-cha", "snuba-subscription-consumer-events"];
    let services: String =
        names.iter().map(|name| format!("  {name}: {{image: postgres}}\n")).collect();
    let sandbox = Sandbox::new(&[("compose.yaml", &format!("services:\n{services}"))]);
    let shown = sandbox.run(&["status"]).expect(0).stdout;
    let columns: Vec<_> = shown.lines().filter_map(|line| line.find("not traced")).collect();
    assert_eq!(columns, [22, 22, 22], "{shown}");
}

#[test]
fn the_local_receiver_is_called_by_its_command() {
    let sandbox = Sandbox::new(&cruddur());
    let init = ["init", "--yes", "--provider", "local", "--no-ports", "--no-verify"];
    sandbox.run(&init).expect(0);
    let status = sandbox.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["providers"], serde_json::json!(["local"]));
    for (arguments, expected) in
        [(&["status"][..], 0), (&["open", "--print"], 2), (&["init", "--dry-run"], 0)]
    {
        let run = sandbox.run(arguments).expect(expected);
        let text = run.stdout + &run.stderr;
        assert!(!text.contains("sends to local") && !text.contains(" local\n"), "{text}");
    }
    assert!(sandbox.run(&["status"]).expect(0).stdout.contains("`listen` on this machine"));
}
