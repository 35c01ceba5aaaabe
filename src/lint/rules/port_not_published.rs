//! `port-not-published`: an open port on which nothing listens.

use crate::compose::ServiceModel;
use crate::edit::yaml::gitpod::GitpodFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};

pub(super) static RULE: LintRule = LintRule {
    code: "port-not-published",
    severity: Severity::Advice,
    why: "no service publishes this port, so opening it shows an error page at best",
    explanation: "`ports` in .gitpod.yml and the published ports of the compose file should match. A port that a \
        task serves outside Docker is fine if the task's commands or variables name it.",
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

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let (Some(WorkspaceFile { file, contents, .. }), Some(_)) =
        (&inspection.gitpod, &inspection.model)
    else {
        return Vec::new();
    };
    let exact = contents.ports.iter().filter_map(|entry| {
        let configured = entry.configured.as_ref()?;
        (configured.first == configured.last).then_some((configured.first, entry.port_at))
    });
    let is_served = |port: u16| {
        let mut services = inspection.every_service();
        services.any(|service| may_publish(service, port)) || is_served_by_a_task(contents, port)
    };
    exact
        .filter(|(port, _)| !is_served(*port))
        .map(|(port, at)| {
            RuleHit::new(
                file,
                at,
                format!("no service publishes port {port}"),
                "drop the entry, or publish the port in the compose file",
            )
        })
        .collect()
}

/// Returns whether a service publishes this host port, or may publish it.
fn may_publish(service: &ServiceModel, port: u16) -> bool {
    let on_the_host = service.network_mode.as_deref() == Some("host");
    let covers = |hosts: &std::ops::RangeInclusive<u16>| hosts.contains(&port);
    on_the_host || service.ports.iter().any(|published| published.host.as_ref().is_some_and(covers))
}

/// Returns whether a task of the workspace mentions the port, and so may serve it.
fn is_served_by_a_task(contents: &GitpodFile, port: u16) -> bool {
    let number = port.to_string();
    let in_line = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == number)
    };
    let mut variables = contents.environments.iter().flatten();
    contents.shell_lines.iter().any(|(_, line)| in_line(line))
        || variables.any(|variable| variable.value.as_ref() == Some(&number))
}
