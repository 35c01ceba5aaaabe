//! `port-not-published`: a port opened for nobody.

use crate::lint::gitpod::GitpodFile;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "port-not-published",
    severity: Severity::Advice,
    why: "no service publishes this port, so opening it shows an error page at best",
    explanation: "`ports` in .gitpod.yml and the published ports of the compose file are meant to go together. A port that a task \
        serves outside docker, and names in its lines or its variables, is fine.",
    failing: &[
        (".gitpod.yml", "ports:\n  - port: 3000\n  - port: 4567 # <-\n"),
        ("compose.yaml", "services:\n  web:\n    build: .\n    ports: ['3000:3000']\n"),
    ],
    passing: &[
        (
            ".gitpod.yml",
            "tasks:\n  - command: python3 -m http.server 8080\nports:\n  - port: 3000\n  - port: 8080\n  - port: 8000-9000\n",
        ),
        ("compose.yaml", "services:\n  web:\n    build: .\n    ports: ['3000:3000']\n"),
    ],
    check,
};

fn check(subject: &Subject) -> Vec<Hit> {
    // A port that a variable chooses, or a range, may be any.
    let unclear = subject
        .every_service()
        .any(|service| service.ports.iter().any(|port| port.target.is_none()));
    let (Some(gitpod), Some(_), false) = (&subject.gitpod, subject.main().next(), unclear) else {
        return Vec::new();
    };
    gitpod
        .ports
        .iter()
        .filter_map(|entry| entry.port)
        .filter(|(port, _)| !is_served_by_a_task(gitpod, *port))
        .filter(|(port, _)| {
            !subject.every_service().any(|service| {
                let host = service.network_mode == "host";
                host || service.ports.iter().any(|published| published.host == Some(*port))
            })
        })
        .map(|(port, at)| {
            Hit::new(
                &gitpod.file.path,
                at,
                format!("no service publishes port {port}"),
                "drop the entry, or publish the port in the compose file",
            )
        })
        .collect()
}

fn is_served_by_a_task(gitpod: &GitpodFile, port: u16) -> bool {
    let number = port.to_string();
    let in_line = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == number)
    };
    let mut variables = gitpod.environments.iter().flatten();
    gitpod.shell_lines.iter().any(|(_, line)| in_line(line))
        || variables.any(|one| one.text() == number)
}
