//! No text of a project is a command to the service that runs a CI job and reads its log.

use crate::sandbox::Sandbox;

/// Returns the lines that GitHub, Azure Pipelines or TeamCity would take for a command.
fn find_commands(log: &str) -> Vec<&str> {
    let is_command = |line: &&str| {
        let marks = line.match_indices("##").map(|(at, _)| &line[at + 2..]);
        let mut names = marks.map(|rest| rest.trim_start_matches(char::is_alphabetic));
        let start = line.trim_start().strip_prefix("::");
        start.is_some_and(|rest| rest.contains("::")) || names.any(|rest| rest.starts_with('['))
    };
    log.lines().filter(is_command).collect()
}

#[test]
fn no_line_is_a_command_of_the_project() {
    let commands: [&[&str]; 9] = [
        &["doctor"],
        &["doctor", "--json"],
        &["doctor", "--format", "sarif"],
        &["doctor", "--fix", "--dry-run"],
        &["init", "--yes", "--dry-run", "--no-verify", "--all-services"],
        &["status"],
        &["status", "--json"],
        &["ports"],
        &["verify", "--local"],
    ];
    for mark in ["::add-mask::a", "##[add-mask]a", "##vso[task.setvariable variable=a]b"] {
        let name = mark.replace("=", "");
        let text = format!(
            "services:\n  api:\n    build: .\n    ports: ['4567:4567']\n    environment:\n      OTEL_SERVICE_NAME: '{mark}'\n      \
             OTEL_EXPORTER_OTLP_HEADER: '{mark}'\n      OTEL_EXPORTER_OTLP_PROTOCOL: '{mark}'\n      A: |\n{mark:>40}\n  \
             '{name}':\n    build: '{mark}'\n    '{mark}': x\n    ports: ['1:2']\n"
        );
        let text = text.replace(&format!("{mark:>40}"), &format!("        {mark}"));
        let key = format!("export const KEY = \"{}\"\n", crate::sandbox::KEY);
        let file = format!("{}.js", mark.replace('/', ""));
        let files = [("docker-compose.yml", text.as_str()), (file.as_str(), key.as_str())];
        let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", crate::sandbox::KEY);
        for arguments in commands {
            let run = sandbox.run(arguments);
            let log = format!("{}\n{}", run.stdout, run.stderr);
            assert!(find_commands(&log).is_empty(), "{arguments:?}: {:?}", find_commands(&log));
        }
    }
}

#[test]
fn a_finding_is_still_an_annotation() {
    let text = "services:\n  api:\n    environment:\n      OTEL_EXPORTER_OTLP_HEADER: '##[a]::b::'\n    build: .\n";
    let sandbox = Sandbox::new(&[("docker-compose.yml", text)]);
    let run = sandbox.run(&["doctor", "--format", "github"]).expect(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("::")), "{lines:?}");
}
