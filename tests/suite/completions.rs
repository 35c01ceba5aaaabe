//! Completion scripts, called by a real shell.

use std::process::{Command, Stdio};

use crate::sandbox::{Sandbox, program};

/// Returns bash's completions of the last typed word, in a project.
fn complete(sandbox: &Sandbox, typed: &str) -> Vec<String> {
    let script = sandbox.run(&["completions", "bash"]).expect(0).stdout;
    let (count, last) = (typed.split(' ').count(), typed.rsplit(' ').next().unwrap());
    let asked = format!(
        "compopt() {{ :; }}\n{script}\nCOMP_WORDS=(cruddur-ops {typed}) COMP_CWORD={count} COMP_TYPE=9\n\
         _clap_complete_cruddur_ops cruddur-ops '{last}' ''\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let program = program().parent().unwrap();
    let output = Command::new("bash")
        .args(["--norc", "-c", &asked])
        .current_dir(sandbox.path("."))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("HOME", sandbox.home())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    answer.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn bash_completes_commands_and_what_each_takes() {
    let sandbox = Sandbox::new(&[]);
    for (typed, expected) in [
        ("un", "undo"),
        ("key st", "status"),
        ("init --prov", "--provider"),
        ("init --provider axi", "axiom"),
        ("instrument span --attr", "--attr"),
        ("doctor --explain env-ne", "env-near-miss"),
        ("doctor --ignore port-database", "port-database-public"),
    ] {
        assert_eq!(complete(&sandbox, typed), [expected], "{typed}");
    }
}

#[test]
fn the_services_and_ports_of_the_project_are_completed() {
    let compose = "services:\n  api-one:\n    build: .\n    ports: ['4567:80']\n  api-two:\n    build: .\n    \
                   ports: ['4568:80']\n  \"api;rm\":\n    build: .\n";
    let sandbox = Sandbox::new(&[("docker-compose.yml", compose), ("below/a.txt", "")]);
    for command in ["init", "verify", "remove", "open"] {
        let typed = format!("{command} --service api-");
        assert_eq!(complete(&sandbox, &typed), ["api-one", "api-two"], "{typed}");
    }
    assert_eq!(complete(&sandbox, "ports 456"), ["4567", "4568"]);
    assert_eq!(complete(&sandbox, "verify --service api"), ["api-one", "api-two"]);
    sandbox.write("other.yml", "services:\n  third:\n    build: .\n");
    assert_eq!(complete(&sandbox, "-f other.yml remove --service t"), ["third"]);
    assert!(complete(&Sandbox::new(&[]), "verify --service a").iter().all(|word| word.is_empty()));
}

/// The time limit of a completion, because users wait for it at each key.
#[test]
fn completing_starts_no_program() {
    let sandbox = Sandbox::new(&[("docker-compose.yml", "services:\n  api:\n    build: .\n")]);
    let mut command = Command::new("strace");
    let traced = command
        .args(["-f", "-e", "trace=execve,execveat,socket", "-o", "trace.txt"])
        .arg(program())
        .args(["--", "cruddur-ops", "verify", "--service", ""])
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "3")
        .env("_CLAP_IFS", "\n")
        .current_dir(sandbox.path("."))
        .output();
    let Ok(traced) = traced else {
        println!("skipped: no strace here");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&traced.stdout), "api");
    let calls = sandbox.read("trace.txt");
    assert_eq!(calls.lines().filter(|line| line.contains("(")).count(), 1, "{calls}");
}

#[test]
fn every_shell_gets_its_script() {
    let sandbox = Sandbox::new(&[]);
    for (shell, mark) in [
        ("bash", "-F _clap_complete_cruddur_ops"),
        ("zsh", "#compdef cruddur-ops"),
        ("fish", "--command cruddur-ops"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer"),
    ] {
        let text = sandbox.run(&["completions", shell]).expect(0).stdout;
        assert!(text.contains(mark), "{shell}: {text}");
        let document = sandbox.run(&["completions", shell, "--json"]).expect(0).json();
        assert_eq!(document["shell"], shell);
        assert_eq!(document["script"], text);
    }
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_names_the_known_ones() {
    let run = Sandbox::new(&[]).run(&["completions", "tcsh"]).expect(2);
    assert!(run.stderr.contains("powershell"), "{}", run.stderr);
}
