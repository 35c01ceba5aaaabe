//! Completion scripts, asked by a real shell.

use std::process::{Command, Stdio};

use crate::sandbox::Sandbox;

#[test]
fn bash_completes_commands_and_what_each_takes() {
    let script = Sandbox::new(&[]).run(&["completions", "bash"]).expect(0);
    for (typed, word, before, expected) in [
        ("un", "un", "cruddur-ops", "undo\n"),
        ("key st", "st", "key", "status\n"),
        ("init --prov", "--prov", "init", "--provider\n"),
        ("init --provider axi", "axi", "--provider", "axiom\n"),
        ("instrument span --attr", "--attr", "span", "--attr\n"),
    ] {
        let asked = format!(
            "{}\nCOMP_WORDS=(cruddur-ops {typed}) COMP_CWORD={}\n_cruddur__ops cruddur-ops {word} {before}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.stdout,
            typed.split(' ').count()
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &asked])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{typed}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn every_shell_gets_a_script_of_its_own() {
    let sandbox = Sandbox::new(&[]);
    for (shell, mark) in [
        ("bash", "complete -F _cruddur__ops"),
        ("zsh", "#compdef cruddur-ops"),
        ("fish", "complete -c cruddur-ops"),
        ("powershell", "Register-ArgumentCompleter"),
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
