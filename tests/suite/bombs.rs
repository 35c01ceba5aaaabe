//! Small files that would expand without bound: each command ends within a memory and a time limit, with an error at
//! a place, or normally.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::sandbox::{KEY, Run, Sandbox};

/// The limit of address space in KiB; the program's own code and threads use a part of it.
const MEMORY_KIB: u64 = 1 << 20;

/// The time limit of an unoptimised program on a machine that also runs other tests.
const TIME: Duration = Duration::from_secs(40);

/// The maximum output in bytes, both streams together.
const OUTPUT: usize = 200_000;

const COMMANDS: [&[&str]; 3] = [
    &["doctor", "--json"],
    &["ports", "--json"],
    &["init", "--yes", "--dry-run", "--no-verify", "--store", "none", "--public"],
];

/// The expected result of a project.
#[derive(Clone, Copy)]
enum Ends<'a> {
    /// The error `too-large`, at a line of a file whose name ends like this; at this line if given.
    Refused(&'a str, Option<u64>),
    /// Any result except a crash.
    Somehow,
}

/// Runs a command with at most [`MEMORY_KIB`].
fn run_limited(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let own = sandbox.command(arguments);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\"")])
        .arg(own.get_program())
        .args(own.get_args())
        .current_dir(sandbox.project())
        .env_clear()
        .stdin(std::process::Stdio::null());
    for (name, value) in own.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    Run::of(limited)
}

#[track_caller]
fn check(name: &str, files: &[(&str, String)], ends: Ends<'_>) {
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    for (path, text) in files {
        sandbox.write(path, text);
    }
    for command in COMMANDS {
        let start = Instant::now();
        let run = run_limited(&sandbox, command);
        let took = start.elapsed();
        let shown: String = run.stderr.chars().take(500).collect();
        assert!((0..=2).contains(&run.status), "{name} {command:?}: {} {shown}", run.status);
        assert!(took < TIME, "{name} {command:?}: {took:?}");
        let output = run.stdout.len() + run.stderr.len();
        assert!(output < OUTPUT, "{name} {command:?}: {output} bytes of output");
        if let Ends::Refused(file, line) = ends {
            assert_eq!(run.status, 2, "{name} {command:?}: {shown}");
            assert!(run.stderr.contains("error[too-large]: "), "{name} {command:?}: {shown}");
            let place = format!("/{file}:");
            let after = run.stderr.split_once(&place).map(|(_, after)| after);
            let named = after.and_then(|after| after.split(':').next()?.parse::<u64>().ok());
            assert!(named.is_some(), "{name} {command:?}: no {place} in {shown}");
            assert!(line.is_none() || named == line, "{name} {command:?}: {line:?}: {shown}");
        }
    }
}

const SERVICE: &str = "services:\n  web:\n    build: .\n";

fn compose(rest: &str) -> (&'static str, String) {
    ("docker-compose.yml", format!("{SERVICE}{rest}"))
}

/// Returns `NAME0=xxxxxxxxxx`, and lines of ten references to the previous one: each line is ten times as long when
/// expanded.
fn tenfold(lines: usize) -> String {
    let line =
        |number: usize| format!("A{number}={}\n", format!("${{A{}}}", number - 1).repeat(10));
    format!("A0=xxxxxxxxxx\n{}", (1..lines).map(line).collect::<String>())
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn values_that_multiply_are_refused_with_their_line() {
    let large = format!("B={}\n", "x".repeat(100_000));
    check(".env", &[compose(""), (".env", tenfold(12))], Ends::Refused(".env", Some(7)));
    let many = format!("{large}{}", lines(20_000, |at| format!("A{at}=${{B}}\n")));
    check(".env in all", &[compose(""), (".env", many)], Ends::Refused(".env", None));
    let named = compose("    env_file: a.env\n");
    check("env_file", &[named, ("a.env", tenfold(12))], Ends::Refused("a.env", Some(7)));
    let multiplied = format!("    environment:\n      A: \"{}\"\n", "${B}".repeat(1_000));
    let files = [compose(&multiplied), (".env", large.clone())];
    check("compose", &files, Ends::Refused("docker-compose.yml", Some(5)));
    let many = lines(1_000, |at| format!("      A{at}: ${{B}}\n"));
    let files = [compose(&format!("    environment:\n{many}")), (".env", large.clone())];
    check("compose in all", &files, Ends::Refused("docker-compose.yml", None));
    let nested = format!("{}{}{}", "${Q:-".repeat(60), "${B}".repeat(1_000), "}".repeat(60));
    let files = [compose(&format!("    environment: ['A={nested}']\n")), (".env", large)];
    check("defaults", &files, Ends::Refused("docker-compose.yml", Some(4)));
}

#[test]
fn services_that_multiply_are_refused_with_their_line() {
    let settings = lines(5_000, |at| format!("      A{at}: {}\n", "x".repeat(100)));
    let shared = format!("x-e:\n    &e\n{settings}services:\n");
    let aliases = lines(2_000, |at| format!("  s{at}: {{image: x, environment: *e}}\n"));
    let files = [("docker-compose.yml", format!("{shared}{aliases}"))];
    check("aliases", &files, Ends::Refused("docker-compose.yml", None));
    let extending = lines(2_000, |at| format!("  s{at}: {{extends: b}}\n"));
    let base = format!("services:\n{extending}  b:\n    image: x\n    environment:\n{settings}");
    check(
        "extends",
        &[("docker-compose.yml", base.clone())],
        Ends::Refused("docker-compose.yml", None),
    );
    let files = [compose(""), ("docker-compose.prod.yml", format!("{shared}{aliases}"))];
    check("a file beside", &files, Ends::Somehow);
    let naming = lines(2_000, |at| format!("  s{at}: {{image: x, env_file: a.env}}\n"));
    let values = lines(1_000, |at| format!("A{at}={}\n", "x".repeat(1_000)));
    let files = [("docker-compose.yml", format!("services:\n{naming}")), ("a.env", values)];
    check("one env_file", &files, Ends::Refused("docker-compose.yml", None));
}

#[test]
fn includes_that_multiply_are_refused_with_their_line() {
    let including = |next: usize| {
        let line = format!("  - path: c{next}.yml\n");
        format!("include:\n{}services: {{s{next}: {{image: x}}}}\n", line.repeat(3))
    };
    let names: Vec<String> = (1..16).map(|at| format!("c{at}.yml")).collect();
    let mut files = vec![("docker-compose.yml", including(1))];
    files.extend((1..15).map(|at| (names[at - 1].as_str(), including(at + 1))));
    files.push(("c15.yml", "services: {z: {image: x}}\n".to_owned()));
    for command in [COMMANDS[1], COMMANDS[2]] {
        let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
        files.iter().for_each(|(path, text)| sandbox.write(path, text));
        let run = run_limited(&sandbox, command).expect(2);
        assert!(run.stderr.contains("error[too-large]: "), "{}", run.stderr);
    }
    check("includes", &files, Ends::Somehow);
    let names: Vec<String> = (0..300).map(|at| format!("c{at}.yml")).collect();
    let link =
        |at: usize| format!("include: [c{}.yml]\nservices: {{s{at}: {{image: x}}}}\n", at + 1);
    let mut files: Vec<(&str, String)> =
        names.iter().enumerate().map(|(at, name)| (name.as_str(), link(at))).collect();
    files.push(compose("include: [c0.yml]\n"));
    check("a chain of includes", &files, Ends::Refused("c99.yml", Some(1)));
    let chain = lines(300, |at| format!("  s{at}: {{image: x, extends: s{}}}\n", at + 1));
    let files = [("docker-compose.yml", format!("services:\n{chain}  s300: {{image: x}}\n"))];
    check("a chain of extends", &files, Ends::Refused("docker-compose.yml", None));
}

#[test]
fn nesting_in_yaml_and_json_ends_with_a_word() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let laughs = lines(30, |at| match at {
        0 => "x-0: &x0 [x]\n".to_owned(),
        _ => format!("x-{at}: &x{at} [{}]\n", vec![format!("*x{}", at - 1); 10].join(", ")),
    });
    let used = format!("{laughs}{SERVICE}    command: *x29\n    volumes: *x29\n    ports: *x29\n");
    check("laughs", &[("docker-compose.yml", used)], Ends::Somehow);
    for (name, text) in [
        ("[", nested("[", "", "]", 20_000)),
        ("{", nested("{a: ", "1", "}", 20_000)),
        ("-", format!("\n  {}x", "- ".repeat(20_000))),
        ("?", format!("\n  {}x", "? ".repeat(20_000))),
    ] {
        check(name, &[compose(&format!("x-a: {text}\n"))], Ends::Somehow);
        check(name, &[compose(""), (".gitpod.yml", format!("ports: {text}\n"))], Ends::Somehow);
    }
    let indented = lines(2_000, |at| format!("{}a:\n", " ".repeat(at + 1)));
    check("indentation", &[compose(&format!("x-a:\n{indented}"))], Ends::Somehow);
    let published = || compose("    ports: ['3000:3000']\n");
    for text in [nested("[", "", "]", 20_000), nested("{\"a\":", "1", "}", 20_000)] {
        let text = format!("{{\"a\": {text}, // c\n}}");
        for path in [".devcontainer/devcontainer.json", "package.json"] {
            check(path, &[published(), (path, text.clone())], Ends::Somehow);
        }
    }
}

#[test]
fn many_services_are_read_in_time() {
    let published = lines(2_000, |at| {
        format!("  s{at}:\n    build: .\n    ports: ['{}:80']\n    env_file: .env\n", at + 1_000)
    });
    let sandbox = Sandbox::new(&[("docker-compose.yml", &format!("services:\n{published}"))]);
    sandbox.write(".env", "A=1\n");
    let run = run_limited(&sandbox, &["ports", "--json"]).expect(0);
    assert_eq!(run.json()["ports"].as_array().unwrap().len(), 2_000);
    let settings = lines(20_000, |at| format!("      A{at}: {at}\n"));
    check("settings", &[compose(&format!("    environment:\n{settings}"))], Ends::Somehow);
}

#[test]
fn many_documents_are_read_in_time() {
    let files = [compose(&lines(40_000, |_| "---\nx-a: 1\n".to_owned()))];
    check("documents", &files, Ends::Somehow);
}

#[test]
fn long_ranges_of_ports_stay_ranges() {
    let range = "1-65535:1-65535";
    let one = [compose(&format!("    ports: ['{range}']\n"))];
    check("one range", &one, Ends::Somehow);
    let overridden = [
        compose(&format!("    ports: ['{range}', '{range}/udp', '127.0.0.1:{range}']\n")),
        (
            "docker-compose.override.yml",
            format!("{SERVICE}    ports: ['{range}', '1-65534:1-65534']\n"),
        ),
    ];
    check("an override", &overridden, Ends::Somehow);
    let items = vec!["'${P}'"; 1_000].join(", ");
    let named = [compose(&format!("    ports: [{items}]\n")), (".env", format!("P={range}\n"))];
    check("a variable", &named, Ends::Somehow);
    let long = "{target: 1-65535, published: 1-65535}";
    let services =
        lines(50, |at| format!("  s{at}:\n    image: x\n    ports: [{long}, '1-65535']\n"));
    check("services", &[("docker-compose.yml", format!("services:\n{services}"))], Ends::Somehow);

    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    sandbox.write(
        "docker-compose.yml",
        &compose("    ports: ['3000-3999:3000-3999', '80-81:80-81']\n").1,
    );
    let listed = sandbox.run(&["ports", "--json"]).expect(0).json();
    let row = |row: &serde_json::Value| (row["port"].clone(), row["last_port"].clone());
    let rows: Vec<_> = listed["ports"].as_array().unwrap().iter().map(row).collect();
    let expected = [(80, None), (81, None), (3000, Some(3999))];
    assert_eq!(rows, expected.map(|(port, last)| (port.into(), last.into())));
    sandbox.run(&["ports", "--public", "3005=public:web", "--gitpod", "--yes"]).expect(0);
    let written = sandbox.read(".gitpod.yml");
    for port in ["port: 80", "port: 81", "port: 3005"] {
        assert!(written.contains(port), "{written}");
    }
    assert!(!written.contains("3000"), "a range is opened by name alone: {written}");
}

#[test]
fn python_that_nests_or_repeats_is_read_in_time() {
    let code = |text: String| {
        let head = "from flask import Flask\napp = Flask(__name__)\n";
        [
            compose(""),
            ("Dockerfile", "FROM python:3.11\nCMD python app.py\n".to_owned()),
            ("requirements.txt", "flask\n".to_owned()),
            ("app.py", format!("{head}{text}")),
        ]
    };
    let nested = |open: &str, close: &str, depth: usize| {
        format!("x = {}1{}\n", open.repeat(depth), close.repeat(depth))
    };
    for (name, text) in [
        ("(", nested("(", ")", 500)),
        ("[", nested("[", "]", 500)),
        ("{", nested("{", "}", 50_000)),
        ("((", nested("(", "", 50_000)),
        ("blocks", lines(500, |at| format!("{}if x:\n", " ".repeat(at)))),
        ("-", nested("-", "", 50_000)),
        (".a", nested("", ".a", 50_000)),
        ("()", nested("", "()", 50_000)),
        ("+", nested("", "+1", 50_000)),
        ("if else", nested("1 if a else ", "", 20_000)),
        ("elif", format!("if a: pass\n{}", "elif a: pass\n".repeat(4_000))),
        ("calls", "x = f(1)\n".repeat(4_000)),
        ("applications", "app = Flask(__name__)\n".repeat(800)),
        ("imports", lines(2_000, |at| format!("import a{at}\nf(a{at})\n"))),
        ("stars", "f(*a)\n".repeat(4_000)),
        ("functions", lines(1_500, |at| format!("def f{at}(a, b=1): return g(a)\n"))),
        ("garbage", ")]}({[ x = = 3\n".repeat(2_000)),
        ("a large file", "x = 1\n".repeat(1_000_000)),
    ] {
        check(name, &code(text), Ends::Somehow);
    }
}
