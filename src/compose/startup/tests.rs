//! Start commands of services in whole projects.

use super::*;
use crate::compose::texts::{TestSources, load_texts};

fn read_service_startup(service: &str, files: &[(&str, &str)]) -> Startup {
    let compose = format!("services:\n  x: {service}\n");
    let mut all = vec![("compose.yaml", compose.as_str())];
    all.extend_from_slice(files);
    let model = load_texts(&all, &[]).unwrap();
    model.services[0].startup(&TestSources::new(&all), None)
}

#[track_caller]
fn assert_starts(service: &str, files: &[(&str, &str)], expected: &[&str]) {
    let commands = read_service_startup(service, files).commands;
    let lines: Vec<String> = commands.iter().map(|command| command.words.join(" ")).collect();
    assert_eq!(lines, expected, "{service}");
}

#[test]
fn entrypoint_and_command_are_put_together_as_docker_does() {
    let exec = [("Dockerfile", "FROM a\nENTRYPOINT [\"python\"]\nCMD [\"app.py\"]\n")];
    assert_starts("{build: .}", &exec, &["python app.py"]);
    assert_starts("{build: ., command: other.py}", &exec, &["python other.py"]);
    assert_starts("{build: ., entrypoint: gunicorn app}", &exec, &["gunicorn app"]);
    assert_starts("{build: ., entrypoint: [ruby], command: [a.rb]}", &exec, &["ruby a.rb"]);
    let shell =
        [("Dockerfile", "FROM a\nENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"flask run && true\"]\n")];
    assert_starts("{build: .}", &shell, &["flask run", "true"]);
    assert_starts("{image: a, command: [\"sh\", \"-c\", \"b; c\"]}", &[], &["b", "c"]);
}

#[test]
fn scripts_are_replaced_by_their_commands() {
    let files = [
        (
            "Dockerfile",
            "FROM a\nWORKDIR /w\nCOPY bin/start.sh package.json ./\nENTRYPOINT [\"./start.sh\"]\nCMD [\"npm\", \"start\"]\n",
        ),
        ("bin/start.sh", "#!/bin/sh\nset -e\nnode migrate.js\nexec \"$@\"\n"),
        (
            "package.json",
            r#"{"scripts":{"start":"concurrently 'npm:api' 'node b'","api":"NODE_ENV=x node a"}}"#,
        ),
    ];
    assert_starts("{build: .}", &files, &["set -e", "node migrate.js", "node a", "node b"]);
    let started = read_service_startup("{build: .}", &files);
    let variables = started.commands.iter().flat_map(|command| &command.variables);
    assert_eq!(variables.collect::<Vec<_>>(), [&("NODE_ENV".to_owned(), "x".to_owned())]);
    assert_starts("{image: a, command: docker-entrypoint.sh flask run}", &[], &["flask run"]);
    assert_starts(
        "{image: a, command: ./wait-for-it.sh db:5432 -t 9 -- flask run}",
        &[],
        &["flask run"],
    );
    let around = [("start.sh", "sh start.sh\nsh start.sh\n")];
    let commands =
        read_service_startup("{image: a, volumes: ['.:/a'], command: sh /a/start.sh}", &around)
            .commands;
    assert!(commands.len() <= 256);
}

#[test]
fn scripts_that_start_scripts_are_read_four_levels_deep() {
    let script = |below: &str| format!("echo {below}\nsh /a/{below}.sh\n");
    let texts = ["2", "3", "4", "5", "6"].map(script);
    let files: Vec<(String, &str)> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{}.sh", at + 1), text.as_str()))
        .collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert_starts(
        "{image: a, volumes: ['.:/a'], command: sh /a/1.sh}",
        &files,
        &["echo 2", "echo 3", "echo 4", "echo 5", "sh /a/5.sh"],
    );
}

#[test]
fn paths_of_the_container_are_found_in_the_project() {
    let files = [
        (
            "Dockerfile",
            "FROM a AS one\nWORKDIR /src\nCOPY api .\nFROM b\nENV A=1\nENV B=$A\nWORKDIR /app\nCOPY --from=one /src/lib ./lib\nCOPY web/p*.json ./\nCOPY one.py two.py /etc/\n",
        ),
        ("api/lib/x.py", ""),
        ("web/package.json", ""),
        ("one.py", ""),
        ("mounted/y.py", ""),
    ];
    let found = read_service_startup("{build: ., volumes: ['./mounted:/app/lib/in']}", &files);
    let texts = TestSources::new(&files);
    for (path, origin) in [
        ("/app/lib/x.py", Some("/p/api/lib/x.py")),
        ("/app/package.json", Some("/p/web/package.json")),
        ("/etc/one.py", Some("/p/one.py")),
        ("/app/lib/in/y.py", Some("/p/mounted/y.py")),
        ("/etc/passwd", None),
        ("/applib/x.py", None),
    ] {
        assert_eq!(found.origin(path, &texts), origin.map(PathBuf::from), "{path}");
    }
    assert_eq!((found.folder.as_str(), found.base.as_deref()), ("/app", Some("b")));
    assert_eq!(found.environment["B"], "1");
}

#[test]
fn a_program_is_found_behind_what_starts_it() {
    let inner = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        unwrap_program(&words).join(" ")
    };
    for (line, expected) in [
        ("tini -- dumb-init flask run", "flask run"),
        ("opentelemetry-instrument --service_name api flask run", "flask run"),
        ("ddtrace-run uv run gunicorn app", "gunicorn app"),
        ("uv pip install flask", "uv pip install flask"),
        ("poetry install", "poetry install"),
        ("gosu app bundle exec rails s", "rails s"),
        ("env A=1 B=2 node a", "node a"),
        ("npx", "npx"),
        ("doppler run --token x -- node a", "node a"),
    ] {
        assert_eq!(inner(line), expected, "{line}");
    }
}

#[test]
fn a_copied_pattern_holds_the_files_that_docker_matches() {
    let dockerfile = "FROM python\nCOPY *_app?.py [a-c]*.txt /srv/\n";
    let startup = read_service_startup("{build: .}", &[("Dockerfile", dockerfile)]);
    let root = startup.context().unwrap();
    for (name, is_held) in [
        ("web_app1.py", true),
        ("web_app.py", false),
        ("other.py", false),
        ("b.txt", true),
        ("d.txt", false),
        ("sub/web_app1.py", false),
    ] {
        assert_eq!(startup.holds(&root.join(name)), is_held, "{name}");
    }
}
