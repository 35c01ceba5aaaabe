//! `port-database-public`: a database that the whole internet may talk to.

use crate::compose::{PortPurpose, port_purpose};
use crate::edit::patch::Patch;
use crate::lint::gitpod::PortEntry;
use crate::lint::setting::Setting;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "port-database-public",
    severity: Severity::Warning,
    why: "anybody with the workspace's address reaches the database, which seldom has more than a default password",
    explanation: "A public port in .gitpod.yml is open to the internet. A database is used by the services beside it, over the \
        compose network, and needs no public port.",
    failing: &[
        (
            ".gitpod.yml",
            "ports:\n  - name: postgres\n    port: 5432\n    visibility: public # <-\n  - name: dynamodb\n    port: 8000\n    visibility: public # <-\n  - port: 9201\n    visibility: public # <-\n  - port: 7333\n    visibility: public # <-\n  - port: 8222\n    visibility: public # <-\n",
        ),
        (
            "compose.yaml",
            "services:\n  search:\n    image: opensearchproject/opensearch:2\n    ports: ['9201:9200']\n  vectors:\n    image: qdrant/qdrant\n    ports: ['7333:6333']\n  bus:\n    image: nats:2\n    ports: ['8222:8222']\n",
        ),
    ],
    passing: &[(
        ".gitpod.yml",
        "ports:\n  - name: postgres\n    port: 5432\n    visibility: private\n  - name: docs\n    port: 8000\n    visibility: public\n",
    )],
    check,
};

const NAMES: [&str; 8] =
    ["postgres", "psql", "mysql", "mongo", "redis", "dynamo", "ddb", "database"];

fn check(subject: &Subject) -> Vec<Hit> {
    public(subject)
        .filter(|(port, entry, _)| is_database(subject, *port, entry))
        .map(|(port, _, visibility)| private(subject, port, visibility, "a database"))
        .collect()
}

fn is_database(subject: &Subject, port: u16, entry: &PortEntry) -> bool {
    let name = entry.name.to_ascii_lowercase();
    let served = subject.every_service().any(|service| {
        service.is_database() && service.ports.iter().any(|published| published.host == Some(port))
    });
    let by_convention =
        matches!(port_purpose(port), Some(PortPurpose::Database | PortPurpose::Queue));
    served || by_convention || NAMES.iter().any(|part| name.contains(part))
}

/// Every public port of `.gitpod.yml`, with its `visibility`.
pub(super) fn public(subject: &Subject) -> impl Iterator<Item = (u16, &PortEntry, &Setting)> {
    subject.gitpod.iter().flat_map(|gitpod| &gitpod.ports).filter_map(|entry| {
        let visibility = entry.visibility.as_ref().filter(|one| one.text() == "public")?;
        Some((entry.port?.0, entry, visibility))
    })
}

/// A public port that should be private.
pub(super) fn private(subject: &Subject, port: u16, visibility: &Setting, what: &str) -> Hit {
    let path = subject.gitpod.as_ref().map(|gitpod| gitpod.file.path.clone()).unwrap_or_default();
    let hit = Hit::new(
        path,
        visibility.name_range.start,
        format!("port {port} is {what}, and public"),
        "make it `visibility: private`".to_owned(),
    );
    match &visibility.value_range {
        Some(bytes) => hit.mended_by(vec![Patch::replace(bytes.clone(), "private")]),
        None => hit,
    }
}
