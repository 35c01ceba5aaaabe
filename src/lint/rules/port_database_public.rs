//! `port-database-public`: a database port that is open to the internet.

use std::ops::RangeInclusive;

use crate::compose::{PortPurpose, ServiceModel, ServiceRole, port_purpose};
use crate::edit::patch::TextPatch;
use crate::edit::yaml::gitpod::GitpodPort;
use crate::edit::yaml::ports::{GitpodPortEntry, Visibility};
use crate::lint::{Inspection, LintRule, RuleHit, Severity, WorkspaceFile};
use crate::plan::gitpod;

pub(super) static RULE: LintRule = LintRule {
    code: "port-database-public",
    severity: Severity::Warning,
    why: "anyone with the workspace's address can reach the database, which often has only a default password",
    explanation: "A public port in .gitpod.yml is open to the internet. The services of a project reach a database \
        over the compose network, so it needs no public port.",
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

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for open in open_ports(inspection) {
        let port = if is_database_by_itself(open.configured) {
            Some(open.configured.first)
        } else {
            database_in(inspection, &open)
        };
        hits.extend(port.map(|port| open.hit(port, "a database")));
    }
    hits
}

/// Returns whether an entry is for a single port whose name or number identifies a database.
fn is_database_by_itself(entry: &GitpodPortEntry) -> bool {
    let name = entry.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let by_convention =
        matches!(port_purpose(entry.first), Some(PortPurpose::Database | PortPurpose::Queue));
    let is_named = NAMES.iter().any(|part| name.contains(part));
    entry.first == entry.last && (by_convention || is_named)
}

/// Returns the first port of an entry that a database of the project publishes.
fn database_in(inspection: &Inspection, open: &OpenPort<'_>) -> Option<u16> {
    let keeps = |service: &&ServiceModel| {
        matches!(inspection.role(service), Some(ServiceRole::Database | ServiceRole::Queue))
    };
    let published = inspection.every_service().filter(keeps).flat_map(|service| &service.ports);
    let mut ports = published.filter_map(|port| port.known_hosts()).flat_map(RangeInclusive::clone);
    ports.find(|port| open.decides(*port))
}

/// A public entry of `.gitpod.yml`.
pub(super) struct OpenPort<'a> {
    workspace: &'a WorkspaceFile,
    entry: &'a GitpodPort,
    pub(super) configured: &'a GitpodPortEntry,
}

/// Iterates over the public entries of `.gitpod.yml`.
pub(super) fn open_ports(inspection: &Inspection) -> impl Iterator<Item = OpenPort<'_>> {
    inspection.gitpod.iter().flat_map(|workspace| {
        workspace.contents.ports.iter().filter_map(move |entry| {
            let configured = entry.configured.as_ref()?;
            let is_open = configured.visibility == Visibility::Public;
            is_open.then_some(OpenPort { workspace, entry, configured })
        })
    })
}

impl OpenPort<'_> {
    /// Returns whether this entry applies to a port.
    pub(super) fn decides(&self, port: u16) -> bool {
        if !self.configured.covers(port) {
            return false;
        }
        let entries: Vec<GitpodPortEntry> = self
            .workspace
            .contents
            .ports
            .iter()
            .filter_map(|port| port.configured.clone())
            .collect();
        gitpod::entry_in_force(&entries, port) == Some(self.configured)
    }

    /// Creates a hit for a port that should be private.
    pub(super) fn hit(&self, port: u16, server: &str) -> RuleHit {
        let place = self.entry.visibility.as_ref();
        let is_range = self.configured.first != self.configured.last;
        let advice = if is_range {
            format!("`cruddur-ops ports {port}=private` gives it its own entry")
        } else {
            "make it `visibility: private`".to_owned()
        };
        let hit = RuleHit::new(
            &self.workspace.file,
            place.map_or(self.entry.at, |place| place.key_at),
            format!("port {port} is {server}, and public"),
            advice,
        );
        match place.and_then(|place| place.value.clone()).filter(|_| !is_range) {
            Some(bytes) => hit.fixed_by(vec![TextPatch::replace(bytes, "private")]),
            None => hit,
        }
    }
}
