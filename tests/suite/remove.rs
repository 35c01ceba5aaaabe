//! `remove`: after `init` and an edit elsewhere it keeps the edit, with and without the journal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::fixtures::cruddur;
use crate::gp::run_with_input;
use crate::init_agents::project;
use crate::sandbox::{AWS_SECRET, KEY, Sandbox, TOKEN, list_files};

const INIT: [&str; 4] = ["init", "--yes", "--no-verify", "--public"];

/// Paths and texts.
type ProjectFiles = Vec<(&'static str, &'static str)>;

const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    return ''\n";

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    Sandbox::new(files)
        .with("HONEYCOMB_API_KEY", KEY)
        .with("ROLLBAR_ACCESS_TOKEN", TOKEN)
        .with("AWS_ACCESS_KEY_ID", "AKIAQWERTYUIOPASDFGH")
        .with("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
}

/// Returns every file of the project, by its path.
fn files(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let files = list_files(&sandbox.project()).into_iter().map(|path| {
        let name = path.strip_prefix(sandbox.project()).unwrap().display().to_string();
        (name, std::fs::read_to_string(path).unwrap())
    });
    files.collect()
}

/// Deletes the journal, as in a fresh clone.
fn forget(sandbox: &Sandbox) {
    std::fs::remove_dir_all(sandbox.home().join(".local/state")).unwrap();
}

fn with_code() -> ProjectFiles {
    let mut files = cruddur();
    files.push(("backend-flask/app.py", APP));
    files
}

/// Returns a service with only the agent's value in a variable that could also have a value of the service.
fn php() -> ProjectFiles {
    vec![
        (
            "docker-compose.yml",
            "services:\n  shop:\n    build: ./shop\n    environment:\n      A: b\n",
        ),
        (
            "shop/Dockerfile",
            "FROM php:8.3-cli\nWORKDIR /srv\nCOPY . .\nCMD [\"php\", \"index.php\"]\n",
        ),
        ("shop/composer.json", "{}\n"),
        ("shop/index.php", "<?php\n"),
    ]
}

/// Edits the existing files, each at a place where init wrote nothing.
fn edit(sandbox: &Sandbox, has_gitpod: bool) {
    let paths = ["docker-compose.yml", ".gitpod.yml"];
    for path in &paths[..1 + usize::from(has_gitpod)] {
        sandbox.write(path, &format!("# mine\n{}", sandbox.read(path)));
    }
    if sandbox.path("backend-flask/app.py").exists() {
        let text = sandbox.read("backend-flask/app.py");
        sandbox.write("backend-flask/app.py", &text.replace("return ''", "return 'mine'"));
    }
}

#[test]
fn the_edit_alone_is_left() {
    let cases: [(ProjectFiles, &[&str]); 9] = [
        (cruddur(), &["--store", "env", "--no-instrument"]),
        (with_code(), &["--store", "env"]),
        (with_code(), &["--store", "env", "--with", "rollbar,xray", "--aws-region", "us-east-1"]),
        (with_code(), &["--store", "env", "--provider", "collector", "--all-services"]),
        (with_code(), &["--provider", "local", "--no-instrument"]),
        (with_code(), &["--store", "env", "--region", "eu"]),
        (project(), &["--store", "env"]),
        (project(), &["--store", "env", "--provider", "collector"]),
        (php(), &["--store", "env", "--instrument", "agent"]),
    ];
    for (project, arguments) in cases {
        for is_forgotten in [false, true] {
            let sandbox = sandbox(&project);
            sandbox.run(&[&INIT[..], arguments].concat()).expect(0);
            assert_ne!(sandbox.read("docker-compose.yml"), project[0].1, "{arguments:?}");
            let untouched = self::sandbox(&project);
            let has_gitpod = untouched.path(".gitpod.yml").exists();
            edit(&sandbox, has_gitpod);
            edit(&untouched, has_gitpod);
            if is_forgotten {
                forget(&sandbox);
            }
            let before = files(&sandbox);
            sandbox.run(&["remove", "--check"]).expect(1);
            assert_eq!(files(&sandbox), before);
            sandbox.run(&["remove", "--yes"]).expect(0);
            assert_eq!(files(&sandbox), files(&untouched), "{arguments:?} {is_forgotten}");
            sandbox.run(&["remove", "--check"]).expect(0).shows_no_diff();
            sandbox.run(&["undo", "--yes"]).expect(0);
            assert_eq!(files(&sandbox), before, "{arguments:?} {is_forgotten}");
            assert!(sandbox.files_with_the_key().is_empty());
        }
    }
}

#[test]
fn one_service_goes_and_the_others_keep_their_agent() {
    let compose = "services:\n  one:\n    build: ./api\n  two:\n    build: ./api\n  three:\n    build: ./api\n";
    let mut files = project();
    files[0].1 = compose;
    let sandbox = sandbox(&files);
    sandbox.run(&[&INIT[..], &["--store", "env"]].concat()).expect(0);
    let three = sandbox.read("docker-compose.yml");
    for (names, agents) in [(&["one"][..], 1), (&["two", "three"], 0)] {
        let services: Vec<&str> = names.iter().flat_map(|name| ["--service", name]).collect();
        let run = sandbox.run(&[&["remove", "--yes", "--json"], &services[..]].concat()).expect(0);
        assert_eq!(run.json()["removed"], true);
        let text = sandbox.read("docker-compose.yml");
        assert_eq!(text.matches("  otel-agent-python:\n    #").count(), agents, "{text}");
        for name in names {
            assert!(!text.contains(&format!("\"{name}\"")), "{text}");
        }
    }
    assert_eq!(sandbox.read("docker-compose.yml"), compose);
    sandbox.run(&["undo", "--yes"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), three);
    sandbox.run(&["remove", "--service", "four"]).failed("unknown-service", &["four"]);
}

#[test]
fn many_services_lose_their_lines_in_time() {
    let service = |at: usize| {
        format!(
            "  s{at}:\n    image: python:3.12\n    command: flask run\n    environment:\n      A: b\n"
        )
    };
    let services: String = (0..1_500).map(service).collect();
    let compose = format!("services:\n{services}");
    let sandbox = sandbox(&[("docker-compose.yml", &compose)]);
    let init = [&INIT[..], &["--store", "env", "--no-instrument", "--all-services"]].concat();
    sandbox.run(&init).expect(0);
    forget(&sandbox);
    let start = Instant::now();
    sandbox.run(&["remove", "--yes"]).expect(0);
    let took = start.elapsed();
    assert_eq!(sandbox.read("docker-compose.yml"), compose);
    // For a program without optimisation on a machine that runs other tests as well.
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[test]
fn what_a_person_wrote_stays() {
    let sandbox = sandbox(&cruddur());
    sandbox.run(&[&INIT[..], &["--store", "env", "--no-instrument"]].concat()).expect(0);
    forget(&sandbox);
    let text = sandbox.read("docker-compose.yml");
    let mine = text
        .replace("OTEL_SERVICE_NAME: \"backend-flask\"", "OTEL_SERVICE_NAME: backend-flask")
        .replace("api.honeycomb.io\"", "api.honeycomb.io\" # ours");
    sandbox.write("docker-compose.yml", &mine);
    sandbox.run(&["remove", "--yes"]).expect(0);
    let kept = mine.lines().filter(|line| !line.contains("OTLP_HEADERS"));
    let kept: Vec<&str> = kept.collect();
    assert_eq!(sandbox.read("docker-compose.yml"), kept.join("\n"));
}

#[test]
fn the_line_that_hides_a_key_stays_until_the_key_is_forgotten() {
    let mut files = cruddur();
    files.push((".gitignore", "node_modules\n"));
    let sandbox = Sandbox::new(&files);
    let init = [&INIT[..], &["--store", "dotenv", "--key-stdin", "--no-instrument"]].concat();
    run_with_input(&sandbox, &init, KEY).expect(0);
    sandbox.run(&["remove", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitignore"), "node_modules\n/.env\n");
    let next = sandbox.run(&["remove", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(next["changes"], serde_json::json!([]));
    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    sandbox.run(&["remove", "--yes"]).expect(0);
    assert_eq!(sandbox.read(".gitignore"), "node_modules\n");
}
