//! Folders and devices in the place of files, huge files, and text that is not text.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{INIT, assert_same, in_place_of, sandbox, tree};
use crate::sandbox::{KEY, Run, Sandbox};

fn pipe(path: &Path) {
    let _ = std::fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn folder(path: &Path) {
    let _ = std::fs::remove_file(path);
    std::fs::create_dir(path).unwrap();
}

fn device(path: &Path) {
    let _ = std::fs::remove_file(path);
    symlink("/dev/zero", path).unwrap();
}

type Making = (&'static str, fn(&Path), &'static str);

const MAKINGS: [Making; 3] = [
    ("pipe", pipe, "it is not a regular file"),
    ("folder", folder, "it is a folder"),
    ("device", device, "it is not a regular file"),
];

#[test]
fn what_is_no_file_is_refused_by_name_and_never_waited_for() {
    for (kind, make, cause) in MAKINGS {
        for file in ["docker-compose.yml", ".gitpod.yml"] {
            let sandbox = sandbox();
            make(&sandbox.path(file));
            let before = tree(&sandbox.project());
            for command in [&INIT[..], &["ports"], &["doctor"], &["instrument", "--yes"]] {
                let run = sandbox.run(command);
                assert_eq!(run.status, 2, "{kind} {command:?}: {}", run.stderr);
                run.failed("unreadable-file", &[file, cause]);
            }
            assert_same(&tree(&sandbox.project()), &before);
        }
    }
}

#[test]
fn what_is_no_file_beside_the_compose_file_stops_nothing_else() {
    for (kind, make, _) in MAKINGS {
        for file in
            ["backend-flask/requirements.txt", "backend-flask/app.py", "backend-flask/Dockerfile"]
        {
            let sandbox = sandbox();
            make(&sandbox.path(file));
            let run = sandbox.run(&INIT);
            assert_eq!(run.status, 0, "{kind} {file}: {}", run.stderr);
            assert!(
                sandbox.read("docker-compose.yml").contains("OTEL_SERVICE_NAME"),
                "{kind} {file}"
            );
            sandbox.run(&["undo", "--yes"]).expect(0);
        }
    }
}

#[test]
fn a_dot_env_that_is_no_file_is_never_waited_for() {
    for (kind, make, cause) in MAKINGS {
        let sandbox = sandbox();
        make(&sandbox.path(".env"));
        for command in [&INIT[..], &["key", "status"], &["verify", "--timeout", "1s"], &["doctor"]]
        {
            let run = sandbox.run(command);
            assert!((0..=2).contains(&run.status), "{kind} {command:?}: {}", run.stderr);
        }
        let mut set = sandbox.command(&["key", "set", "--store", "dotenv", "--stdin", "--yes"]);
        let given = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(given.path(), KEY).unwrap();
        set.stdin(std::fs::File::open(given.path()).unwrap());
        let run = Run::of(set).expect(2);
        assert!(run.stderr.contains(cause) || kind == "device", "{kind}: {}", run.stderr);
    }
}

#[test]
fn a_file_that_became_a_pipe_since_is_not_waited_for_by_undo() {
    let sandbox = sandbox();
    sandbox.run(&INIT).expect(0);
    pipe(&sandbox.path("backend-flask/app.py"));
    let run = sandbox.run(&["undo", "--yes"]);
    run.failed("unreadable-file", &["app.py"]);
    assert!(sandbox.read("docker-compose.yml").contains("OTEL_SERVICE_NAME"));
}

#[test]
fn a_file_of_fifty_megabytes_is_refused_by_name() {
    for file in ["docker-compose.yml", ".gitpod.yml"] {
        let sandbox = sandbox();
        let large = std::fs::File::create(sandbox.path(file)).unwrap();
        large.set_len(50 << 20).unwrap();
        sandbox.run(&INIT).failed("file-too-large", &[file, "16 MiB"]);
        assert_eq!(sandbox.path(file).metadata().unwrap().len(), 50 << 20);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_name() {
    for (bytes, code, said) in [
        (&b"services:\n  a:\n    build: .\n# \xff\n"[..], "not-utf8", "byte 30"),
        (&b"s\0e\0r\0v\0i\0c\0e\0s\0:\0\n\0"[..], "invalid-yaml", "docker-compose.yml:1:2"),
        (&b"services:\n  a:\n    build: .\n# \0x\n"[..], "invalid-yaml", "docker-compose.yml:4"),
    ] {
        let sandbox = sandbox();
        std::fs::write(sandbox.path("docker-compose.yml"), bytes).unwrap();
        sandbox.run(&INIT).failed(code, &["docker-compose.yml", said]);
        assert_eq!(std::fs::read(sandbox.path("docker-compose.yml")).unwrap(), bytes);
    }
}

/// Returns `count` services that are built here, with comments and separate ports.
fn services(count: usize) -> String {
    let service = |at: usize| {
        format!(
            "  backend-{at}:\n    build: ./backend-flask\n    environment:\n      A: 'b' # {at}\n    ports: ['{}:4567']\n",
            10_000 + at
        )
    };
    let services: String = (0..count).map(service).collect();
    format!("services:\n{services}")
}

#[test]
fn ten_thousand_services_are_wired_and_come_back() {
    let sandbox = sandbox();
    let before = services(10_000);
    sandbox.write("docker-compose.yml", &before);
    let bare = [&INIT[..5], &["--no-instrument"]].concat();
    sandbox.run(&bare).expect(0);
    let after = sandbox.read("docker-compose.yml");
    assert_eq!(after.matches("OTEL_SERVICE_NAME").count(), 10_000);
    let kept: Vec<&str> = after.lines().filter(|line| !line.contains("OTEL_")).collect();
    assert_eq!(kept, before.lines().collect::<Vec<_>>());
    let run = sandbox.run(&["doctor"]);
    assert!((0..=1).contains(&run.status), "{}", run.stderr);
    sandbox.run(&["undo", "--yes"]).expect(0);
    assert_eq!(sandbox.read("docker-compose.yml"), before);
}

/// Returns anchors that each contain the previous one ten times: `10^levels` values if written out.
fn laughs(levels: usize, inner: &str, outer: &str) -> String {
    let mut text = format!("x-0: &x0 {inner}\n");
    for level in 1..=levels {
        let below = vec![format!("*x{}", level - 1); 10].join(", ");
        text += &format!("x-{level}: &x{level} {}\n", outer.replace("[]", &format!("[{below}]")));
    }
    text
}

/// Runs a command with a memory limit of one gibibyte.
fn in_little_memory(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let program = sandbox.command(arguments);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 1048576; exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args());
    Run::of(in_place_of(&program, command))
}

#[test]
fn anchors_that_multiply_take_no_memory() {
    for (text, used) in [
        (laughs(40, "[lol]", "[]"), "labels: *x40"),
        (laughs(40, "{K: v}", "{<<: []}"), "labels: {<<: *x40}"),
    ] {
        let sandbox = sandbox();
        let before =
            format!("{text}services:\n  backend-flask:\n    build: ./backend-flask\n    {used}\n");
        sandbox.write("docker-compose.yml", &before);
        for command in [&INIT[..], &["doctor"], &["ports"], &["verify", "--timeout", "1s"]] {
            let run = in_little_memory(&sandbox, command);
            assert!((0..=2).contains(&run.status), "{command:?}: {}", run.stderr);
        }
        assert!(sandbox.read("docker-compose.yml").contains(&text));
    }
    let sandbox = sandbox();
    let merged = laughs(40, "{K: v}", "{<<: []}");
    sandbox.write(
        "docker-compose.yml",
        &format!("{merged}services:\n  backend-flask:\n    build: ./backend-flask\n    environment: *x40\n"),
    );
    for command in [&INIT[..], &["doctor"], &["run", "--", "true"]] {
        let run = in_little_memory(&sandbox, command);
        assert!((0..=2).contains(&run.status), "{command:?}: {}", run.stderr);
    }
}

#[test]
fn endless_nesting_is_refused_by_name() {
    for text in
        ["[".repeat(100_000), "a: ".to_owned() + &"{a: ".repeat(100_000), "- ".repeat(100_000)]
    {
        let sandbox = sandbox();
        sandbox.write("docker-compose.yml", &text);
        sandbox.run(&INIT).failed("invalid-yaml", &["docker-compose.yml:1:"]);
    }
    let sandbox = sandbox();
    let deep = format!("{}{}", "${A:-".repeat(50_000), "}".repeat(50_000));
    let text = format!(
        "services:\n  backend-flask:\n    build: ./backend-flask\n    environment:\n      A: {deep}\n"
    );
    sandbox.write("docker-compose.yml", &text);
    sandbox
        .write("backend-flask/app.py", &format!("{}1{}\n", "(".repeat(50_000), ")".repeat(50_000)));
    let run = sandbox.run(&INIT);
    assert!((0..=2).contains(&run.status), "{}", run.stderr);
}
