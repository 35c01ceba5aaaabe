//! The help of every command, wrong arguments, completions.

use clap::CommandFactory;
use cruddur_ops::cli::Cli;

use super::Transcript;
use crate::sandbox::Sandbox;

#[test]
fn every_page_of_help() {
    let sandbox = Sandbox::new(&[]);
    let mut waiting = vec![(Vec::new(), Cli::command())];
    while let Some((words, command)) = waiting.pop() {
        for below in command.get_subcommands() {
            let words = [&words[..], &[below.get_name().to_owned()]].concat();
            waiting.push((words, below.clone()));
        }
        let name = format!("help_{}", words.join("_"));
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        Transcript::of(&sandbox).run(&arguments).matches(name.trim_end_matches('_'));
    }
}

#[test]
fn short_help_version_and_wrong_arguments() {
    Transcript::of(&Sandbox::new(&[]))
        .run(&["-h"])
        .run(&["--version"])
        .run(&[])
        .run(&["verfy"])
        .run(&["init", "--regoin", "eu"])
        .run(&["verify", "--require", "everything"])
        .run(&["init", "--region"])
        .matches("wrong_arguments");
}

#[test]
fn a_command_without_a_project() {
    Transcript::of(&Sandbox::new(&[]))
        .run(&["init"])
        .run(&["verify", "-C", "nowhere"])
        .run(&["ports", "--json"])
        .matches("no_project");
}

#[test]
fn the_first_lines_of_completions() {
    let sandbox = Sandbox::new(&[]);
    let mut heads = String::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = sandbox.run(&["completions", shell]).expect(0);
        let head: Vec<&str> = run.stdout.lines().take(4).collect();
        heads += &format!("$ cruddur-ops completions {shell}\n{}\n", head.join("\n"));
    }
    super::matches("completions", &heads);
}
