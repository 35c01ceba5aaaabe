//! `init` and `undo`, run as a program.

use std::process::Command;

use crate::fixtures::{COMPOSE, COMPOSE_WIRED, GITPOD, GITPOD_PUBLIC, cruddur};
use crate::sandbox::{KEY, Sandbox, TOKEN};

/// The arguments of an `init` without questions, network and Python.
pub const INIT: [&str; 6] = ["init", "--yes", "--store", "env", "--no-verify", "--no-instrument"];

const CODE_TOO: [&str; 5] = ["init", "--yes", "--store", "env", "--no-verify"];

fn sandbox() -> Sandbox {
    Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn init_wires_the_backend_and_leaves_every_other_byte() {
    let sandbox = sandbox();
    sandbox.run(&[&INIT[..], &["--public"]].concat()).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE_WIRED);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC);
    assert!(sandbox.files_with_the_key().is_empty());
}

#[test]
fn a_second_run_plans_nothing() {
    let sandbox = sandbox();
    sandbox.run(&INIT).expect(0);
    let run = sandbox.run(&INIT).expect(0);
    run.shows_no_diff();
    sandbox.run(&["init", "--store", "env", "--no-verify", "--no-instrument", "--check"]).expect(0);
}

#[test]
fn check_and_dry_run_show_the_diff_and_write_nothing() {
    let sandbox = sandbox();
    for (flag, status) in [("--check", 1), ("--dry-run", 0)] {
        let run = sandbox.run(&["init", "--no-verify", flag]).expect(status);
        assert!(!run.stderr.contains("+++ b/"), "{}", run.stderr);
        assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
        // What stdout has is a patch.
        let (patched, wired) = (self::sandbox(), self::sandbox());
        patched.write("shown.patch", &run.stdout);
        let mut git = Command::new("git");
        let git = git.args(["apply", "shown.patch"]);
        let status = git.current_dir(patched.project()).status();
        assert!(status.unwrap().success(), "{}", run.stdout);
        wired.run(&["init", "--no-verify", "--yes"]).expect(0);
        for (path, _) in cruddur() {
            assert_eq!(patched.read(path), wired.read(path), "{path}");
        }
    }
}

#[test]
fn undo_brings_the_bytes_back() {
    let sandbox = sandbox();
    sandbox.run(&[&INIT[..], &["--public"]].concat()).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
    sandbox.run(&["undo", "--yes"]).expect(0);
}

#[test]
fn undo_leaves_the_stored_key_ignored_until_it_is_forgotten() {
    let sandbox = sandbox();
    let made = std::process::Command::new("git")
        .args(["init", "-q"])
        .current_dir(sandbox.project())
        .status();
    assert!(made.unwrap().success());
    sandbox
        .run(&["init", "--yes", "--store", "dotenv", "--no-verify", "--no-instrument"])
        .expect(0);
    for undone in [true, false] {
        let run = sandbox.run(&["undo", "--yes", "--json"]).expect(0);
        assert_eq!(run.json()["undone"], undone);
        assert!(run.stdout.contains("`cruddur-ops key forget --store dotenv`"), "{}", run.stdout);
        assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
        assert_eq!(sandbox.read(".gitignore"), "/.env\n");
    }
    sandbox.run(&["key", "forget", "--store", "dotenv", "--yes"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert!(!sandbox.path(".gitignore").exists());
    let run = sandbox.run(&["undo", "--yes", "--json"]).expect(0);
    assert_eq!(run.json()["command"], serde_json::Value::Null);
}

#[test]
fn undo_takes_away_a_file_that_was_not_there() {
    let sandbox = sandbox();
    std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
    sandbox.run(&["ports", "--public", "--gitpod", "--yes"]).expect(0);
    assert!(sandbox.path(".gitpod.yml").exists());
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert!(!sandbox.path(".gitpod.yml").exists());
}

#[test]
fn undo_changes_nothing_when_its_lines_were_edited_since() {
    let sandbox = sandbox();
    sandbox.run(&[&INIT[..], &["--public"]].concat()).expect(0);
    let edited = COMPOSE_WIRED.replacen("OTEL_SERVICE_NAME: \"", "OTEL_SERVICE_NAME: \"my-", 1);
    assert_ne!(edited, COMPOSE_WIRED);
    sandbox.write("docker-compose.yml", &edited);
    let run = sandbox.run(&["undo", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[edited-since]"), "{}", run.stderr);
    assert_eq!(sandbox.read("docker-compose.yml"), edited);
    assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC);
}

#[test]
fn undo_keeps_what_was_edited_elsewhere_since() {
    let sandbox = sandbox();
    let gitpod = sandbox.read(".gitpod.yml");
    sandbox.run(&[&INIT[..], &["--public"]].concat()).expect(0);
    sandbox.write("docker-compose.yml", &format!("# mine\n{COMPOSE_WIRED}\n# mine\n"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), format!("# mine\n{COMPOSE}\n# mine\n"));
    assert_eq!(sandbox.read(".gitpod.yml"), gitpod);
}

#[test]
fn a_file_that_init_made_keeps_later_additions() {
    let sandbox = sandbox();
    std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
    sandbox.run(&["ports", "--public", "--gitpod", "--yes"]).expect(0);
    let made = sandbox.read(".gitpod.yml");
    sandbox.write(".gitpod.yml", &format!("{made}image: mine\n"));
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitpod.yml"), "image: mine\n");
}

#[test]
fn each_change_can_be_taken_back_by_its_number_and_leaves_the_others() {
    let sandbox = sandbox();
    std::fs::remove_file(sandbox.path(".gitpod.yml")).unwrap();
    sandbox.run(&INIT).expect(0);
    sandbox.run(&["ports", "--public", "--gitpod", "--yes"]).expect(0);
    let list = sandbox.run(&["undo", "--list", "--json"]).expect(0).json();
    let commands: Vec<&str> = list["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["command"].as_str().unwrap())
        .collect();
    assert_eq!(commands, ["ports", "init"]);
    sandbox.run(&["undo", "3", "--yes"]).expect(2);
    let public = sandbox.read(".gitpod.yml");
    sandbox.run(&["undo", "2", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(sandbox.read(".gitpod.yml"), public);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert!(!sandbox.path(".gitpod.yml").exists());
    let list = sandbox.run(&["undo", "--list", "--json"]).expect(0).json();
    assert_eq!(list["changes"], serde_json::json!([]));
}

#[test]
fn a_change_whose_lines_a_later_one_changed_waits_for_it() {
    let sandbox = sandbox();
    let gitpod = sandbox.read(".gitpod.yml");
    sandbox.run(&INIT).expect(0);
    sandbox.run(&["ports", "--public", "--yes"]).expect(0);
    let run = sandbox.run(&["undo", "2", "--yes"]).expect(2);
    assert!(run.stderr.contains("error[edited-since]"), "{}", run.stderr);
    sandbox.run(&["undo", "--yes"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
    assert_eq!(sandbox.read(".gitpod.yml"), gitpod);
}

#[test]
fn a_literal_key_is_replaced_shown_by_name_and_comes_back_with_undo() {
    let literal = COMPOSE.replace(
        "      BACKEND_URL: 'http://localhost:4567'\n",
        &format!("      BACKEND_URL: 'http://localhost:4567'\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team={KEY}\"\n"),
    );
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", &literal);
    let run = sandbox.run(&INIT).expect(0);
    run.shows("init_literal_key");
    assert!(sandbox.files_with_the_key().is_empty());
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), literal);
}

#[test]
fn without_a_terminal_a_missing_answer_names_its_flag() {
    let sandbox = Sandbox::new(&cruddur());
    let run = sandbox.run(&["init", "--no-verify"]).expect(2);
    assert!(run.stderr.contains("error[key-missing]"), "{}", run.stderr);
    let run = sandbox.run(&["init", "--no-verify", "--store", "none"]).expect(2);
    assert!(run.stderr.contains("error[answer-missing]"), "{}", run.stderr);
    assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
}

#[test]
fn the_plan_is_data_under_json() {
    let run = sandbox().run(&[&INIT[..], &["--json", "--public"]].concat()).expect(0);
    let document = run.json();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["applied"], true);
    assert_eq!(document["services"], serde_json::json!(["backend-flask"]));
    assert_eq!(document["changes"][0]["path"], "docker-compose.yml");
}

#[test]
fn a_name_from_a_variable_is_replaced_and_two_services_never_share_one() {
    let sandbox = sandbox();
    sandbox.write(
        "docker-compose.yml",
        "services:\n  api:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME=${HONEYCOMB_SERVICE_NAME}\n  worker:\n    build: .\n    environment:\n      - OTEL_SERVICE_NAME=api\n",
    );
    sandbox.run(&[&INIT[..], &["--all-services"]].concat()).expect(0);
    let text = sandbox.read("docker-compose.yml");
    assert!(text.contains("- OTEL_SERVICE_NAME=api\n"), "{text}");
    assert!(text.contains("- OTEL_SERVICE_NAME=worker\n"), "{text}");
    assert!(!text.contains("${HONEYCOMB_SERVICE_NAME}"), "{text}");
}

#[test]
fn variables_of_an_env_file_count_and_are_not_overridden_silently() {
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", "services:\n  api:\n    build: .\n    env_file: api.env\n");
    sandbox.write(
        "api.env",
        "OTEL_SERVICE_NAME=shop\nOTEL_EXPORTER_OTLP_ENDPOINT=https://elsewhere.example\n",
    );
    let run = sandbox.run(&[&INIT[..], &["--service", "api"]].concat()).expect(0);
    let text = sandbox.read("docker-compose.yml");
    assert!(!text.contains("OTEL_SERVICE_NAME"), "{text}");
    assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT: \"https://api.honeycomb.io\""), "{text}");
    run.shows("init_env_file");
}

#[test]
fn what_the_template_of_a_missing_env_file_says_counts_as_present() {
    let erb = "OTEL_SERVICE_NAME=shop\nOTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io\n\
               OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=<%= ENV['HONEYCOMB_API_KEY'] %>\n";
    let example = "OTEL_SERVICE_NAME=shop\nOTEL_EXPORTER_OTLP_ENDPOINT=https://api.honeycomb.io/\n\
                   OTEL_EXPORTER_OTLP_HEADERS=\"x-honeycomb-team=put-your-key-here\"\n";
    let fetched = erb.replace("ENV['HONEYCOMB_API_KEY']", "ENV.fetch(\"HONEYCOMB_API_KEY\")");
    for (path, text) in [
        ("erb/api.env.erb", erb),
        ("api.env.erb", &fetched),
        ("api.env.example", example),
        ("api.env.sample", example),
    ] {
        let sandbox = sandbox();
        let compose = "services:\n  api:\n    build: .\n    env_file: api.env\n";
        sandbox.write("docker-compose.yml", compose);
        sandbox.write(path, text);
        sandbox.run(&[&INIT[..], &["--service", "api"]].concat()).expect(0);
        assert_eq!(sandbox.read("docker-compose.yml"), compose, "{path}");
    }
    // What it lacks is added all the same, and its name is kept.
    let sandbox = sandbox();
    sandbox.write("docker-compose.yml", "services:\n  api:\n    build: .\n    env_file: api.env\n");
    sandbox.write("erb/api.env.erb", "<% if true %>\nOTEL_SERVICE_NAME=shop\n<% end %>\n");
    sandbox.run(&[&INIT[..], &["--service", "api"]].concat()).expect(0);
    let text = sandbox.read("docker-compose.yml");
    assert!(!text.contains("OTEL_SERVICE_NAME") && text.contains("_HEADERS"), "{text}");
}

#[test]
fn unsafe_edits_are_refused_with_lines_to_paste() {
    let sandbox = sandbox();
    let broken = "services:\n  api:\n    build: .\n    environment: FOO=1\n";
    sandbox.write("docker-compose.yml", broken);
    let run = sandbox.run(&[&INIT[..], &["--service", "api"]].concat()).expect(2);
    assert!(run.stderr.contains("error[unsafe-edit]"), "{}", run.stderr);
    assert_eq!(sandbox.read("docker-compose.yml"), broken);
}

#[test]
fn any_otlp_endpoint_takes_its_headers_from_variables() {
    let sandbox = Sandbox::new(&cruddur()).with("MY_API_KEY", KEY);
    let endpoint = [
        "--provider",
        "otlp",
        "--endpoint",
        "https://otlp.example.com",
        "--header",
        "x-api-key=MY_API_KEY",
    ];
    sandbox.run(&[&INIT[..], &endpoint].concat()).expect(0);
    let text = sandbox.read("docker-compose.yml");
    assert!(text.contains("OTEL_EXPORTER_OTLP_HEADERS: \"x-api-key=${MY_API_KEY}\""), "{text}");
}

#[test]
fn undo_names_every_secret_that_it_leaves_ignored() {
    let sandbox = Sandbox::new(&cruddur());
    let git = |arguments: &[&str]| {
        let status = std::process::Command::new("git")
            .args(arguments)
            .current_dir(sandbox.project())
            .status();
        assert!(status.unwrap().success());
    };
    git(&["init", "--quiet"]);
    let arguments = ["init", "--yes", "--no-verify", "--store", "dotenv"];
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", KEY).with("ROLLBAR_ACCESS_TOKEN", TOKEN);
    sandbox.run(&[&arguments[..], &["--with", "rollbar"]].concat()).expect(0);
    let undo = sandbox.run(&["undo", "--yes"]).expect(0);
    undo.shows("undo_two_secrets");
    assert_eq!(sandbox.read(".gitignore"), "/.env\n");
    for name in ["HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"] {
        assert!(sandbox.path(".gitignore").exists());
        sandbox.run(&["key", "forget", "--store", "dotenv", "--yes", "--variable", name]).expect(0);
        sandbox.run(&["undo", "--yes"]).expect(0);
    }
    assert!(!sandbox.path(".gitignore").exists());

    // A key that is found in the file is hidden with it, and stays so.
    sandbox.write(".env", &format!("HONEYCOMB_API_KEY={KEY}\n"));
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", "");
    sandbox.run(&["init", "--yes", "--no-verify"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitignore"), "/.env\n");
}

#[test]
fn the_next_step_asks_where_http_is_spoken_and_nothing_is_harmed() {
    let flask = "from flask import Flask\napp = Flask(__name__)\n";
    let reporting = "@app.route('/rollbar/test')\ndef report():\n    return ''\n@app.route('/logout')\ndef leave():\n    return ''\n";
    let home = "def load(app):\n    @app.route('/api/activities/home')\n    def home():\n        return []\n";
    let users = "from flask import Blueprint\nusers = Blueprint('users', __name__, url_prefix='/users')\n@users.get('/all')\ndef all():\n    return []\n";
    let app = |more: &str| format!("{flask}{more}");
    let health = "    healthcheck:\n      test: curl -f http://localhost:4567/health\n";
    let debugger = "\"5678:5678\", \"4567:4567\"";
    for (ports, more, code, other, address) in [
        ("\"4567:4567\"", "", app(reporting), home, "http://localhost:4567/api/activities/home"),
        (
            debugger,
            "",
            app("app.register_blueprint(users)\n"),
            users,
            "http://localhost:4567/users/all",
        ),
        ("\"4567:4567\"", health, app(reporting), home, "http://localhost:4567/health"),
        ("\"80:4567\"", "", app(reporting), "", "http://localhost:80/"),
    ] {
        let compose = format!("services:\n  api:\n    build: ./api\n    ports: [{ports}]\n{more}");
        let sandbox = Sandbox::new(&[
            ("docker-compose.yml", &compose),
            ("api/requirements.txt", "flask\n"),
            ("api/app.py", &code),
            ("api/routes.py", other),
        ]);
        let run = sandbox.run(&["init", "--yes", "--store", "none", "--no-verify", "--json"]);
        let next = run.expect(0).json()["next"].clone();
        let last = next.as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
        assert_eq!(last, format!("cruddur-ops verify --app {address}"));
    }
}

#[test]
fn the_protocol_is_written_that_an_exporter_is_installed_for() {
    let agent = "CMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n";
    let http = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n";
    for (packages, expected) in [
        (http, true),
        ("flask\nopentelemetry-distro\n", true),
        ("flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n", false),
        ("django\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n", true),
    ] {
        let sandbox = Sandbox::new(&[
            ("docker-compose.yml", "services:\n  api:\n    build: ./api\n"),
            (
                "api/Dockerfile",
                &format!(
                    "FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\n{agent}"
                ),
            ),
            ("api/requirements.txt", packages),
            ("api/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ]);
        let sandbox = sandbox.with("HONEYCOMB_API_KEY", KEY);
        sandbox.run(&CODE_TOO).expect(0);
        let text = sandbox.read("docker-compose.yml");
        let line = "OTEL_EXPORTER_OTLP_PROTOCOL: \"http/protobuf\"";
        assert_eq!(text.contains(line), expected, "{packages}: {text}");
        let again = sandbox.run(&[&CODE_TOO[..], &["--json"]].concat()).expect(0).json();
        assert_eq!(again["changes"], serde_json::json!([]), "{packages}");
    }
}

#[test]
fn the_source_of_each_services_spans_is_shown() {
    let sandbox = Sandbox::new(&[
        (
            "docker-compose.yml",
            "services:\n  flask:\n    build: ./flask\n  node:\n    build: ./node\n  go:\n    build: ./go\n  java:\n    build: ./java\n  gone:\n    build: ./gone\n",
        ),
        ("flask/requirements.txt", "flask"),
        ("flask/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("node/package.json", r#"{"dependencies":{"express":"4"}}"#),
        ("go/go.mod", "require go.opentelemetry.io/otel/sdk v1.30.0\n"),
        ("java/pom.xml", "<project/>"),
        (
            "java/Dockerfile",
            "FROM eclipse-temurin:21\nCOPY . .\nENV JAVA_TOOL_OPTIONS=-javaagent:/opentelemetry-javaagent.jar\n",
        ),
    ]);
    let sandbox = sandbox.with("HONEYCOMB_API_KEY", KEY);
    let said = |more: &[&str]| {
        let run = sandbox.run(&[&CODE_TOO[..], &["--dry-run", "--json"], more].concat()).expect(0);
        let spans = run.json()["instrumentation"].clone();
        ["flask", "node", "go", "java", "gone"]
            .map(|name| spans[name]["spans"].as_str().unwrap().to_owned())
    };
    assert_eq!(said(&[]), ["planned", "nothing", "code", "agent", "unknown"]);
    assert_eq!(said(&["--no-instrument"]), ["nothing", "nothing", "code", "agent", "unknown"]);
    let run = sandbox.run(&[&CODE_TOO[..], &["--dry-run", "--json"]].concat()).expect(0).json();
    assert_eq!(run["instrumentation"]["java"]["language"], "java");
    let warned: Vec<String> = run["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["level"] == "warning")
        .map(|note| note["text"].as_str().unwrap().split(':').next().unwrap().to_owned())
        .collect();
    assert!(
        warned.contains(&"node".to_owned()) && !warned.contains(&"go".to_owned()),
        "{warned:?}"
    );
}

#[test]
fn a_collector_that_is_there_keeps_port_and_protocol() {
    for (port, protocol) in
        [("4317", "      OTEL_EXPORTER_OTLP_PROTOCOL: grpc\n"), ("4317", ""), ("4318", "")]
    {
        let compose = format!(
            "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: http://otel-collector:{port}\n{protocol}  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n"
        );
        let sandbox = Sandbox::new(&[("docker-compose.yml", compose.as_str())]);
        let init = [
            "init",
            "--yes",
            "--store",
            "none",
            "--no-verify",
            "--no-ports",
            "--provider",
            "collector",
        ];
        sandbox.run(&init).expect(0);
        assert_eq!(sandbox.read("docker-compose.yml"), compose, "{port} {protocol}");
    }
}

#[test]
fn quiet_draws_no_diff_that_no_yes_is_asked_to() {
    for (arguments, drawn) in [
        (&["init", "--yes", "--store", "env", "--no-instrument", "--no-verify"][..], true),
        (&["-q", "init", "--yes", "--store", "env", "--no-instrument", "--no-verify"], false),
        (&["-q", "init", "--dry-run", "--store", "env", "--no-instrument", "--no-verify"], true),
        (&["-q", "ports", "--public", "--yes"], false),
        (&["ports", "--public", "--yes"], true),
    ] {
        let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
        let run = sandbox.run(arguments);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(said.contains("@@"), drawn, "{arguments:?}: {said}");
    }
}

#[test]
fn a_compose_file_that_is_not_read_is_named_by_every_command_that_judges_or_writes() {
    const OTHER: &str = "services: {old: {build: .}}\n";
    for (first, second) in [
        ("compose.yaml", "docker-compose.yml"),
        ("compose.yml", "docker-compose.yaml"),
        ("docker-compose.yml", "docker-compose.yaml"),
    ] {
        let sandbox = Sandbox::new(&[(first, "services: {api: {build: .}}\n"), (second, OTHER)]);
        for (arguments, status) in [
            (&["init", "--yes", "--store", "none", "--no-verify", "--service", "api"][..], 0),
            (&["doctor"], 0),
            (&["remove", "--yes"], 0),
        ] {
            let run = sandbox.run(arguments).expect(status);
            let said = format!("{}{}", run.stdout, run.stderr);
            let line = said.lines().find(|line| line.contains(second));
            assert!(line.is_some_and(|line| line.contains(first)), "{arguments:?}: {said}");
        }
        assert_eq!(sandbox.read(second), OTHER);
    }
}
