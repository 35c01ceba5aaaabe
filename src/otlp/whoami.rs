//! The owner of a Honeycomb key: the response of `/1/auth`.

use serde::Deserialize;

/// The team and environment a key belongs to, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whoami {
    /// The kind of key.
    pub kind: HoneycombKeyType,
    /// The name for people: `My Team`.
    pub team: String,
    /// The name in URLs: `my-team`.
    pub team_slug: String,
    /// The name for people; empty for a Classic key.
    pub environment: String,
    /// The name in URLs; empty for a Classic key.
    pub environment_slug: String,
    /// The permissions, by Honeycomb's names, sorted: `createDatasets`, `events`.
    pub permissions: Vec<String>,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoneycombKeyType {
    /// It may send, and may read.
    Configuration,
    /// It may only send.
    Ingest,
}

#[derive(Deserialize)]
struct WireWhoami {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    api_key_access: std::collections::BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    environment: WireName,
    team: WireName,
}

#[derive(Deserialize, Default)]
struct WireName {
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
}

impl Whoami {
    /// Reads the body of a response with status 200.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let wire: WireWhoami = serde_json::from_slice(body).ok()?;
        let kind = match wire.kind.as_str() {
            "ingest" => HoneycombKeyType::Ingest,
            _ => HoneycombKeyType::Configuration,
        };
        let granted = wire.api_key_access.into_iter();
        Some(Self {
            kind,
            team: wire.team.name,
            team_slug: wire.team.slug,
            environment: wire.environment.name,
            environment_slug: wire.environment.slug,
            permissions: granted
                .filter(|(_, value)| value.as_bool() == Some(true))
                .map(|(name, _)| name)
                .collect(),
        })
    }

    /// Returns whether the key is a Classic one, from before environments existed.
    pub(crate) fn is_classic(&self) -> bool {
        self.environment_slug.is_empty()
    }

    /// Returns whether the key has this permission.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|granted| granted == permission)
    }

    /// Returns whether the key may send spans.
    pub(crate) fn may_send(&self) -> bool {
        self.kind == HoneycombKeyType::Ingest || self.may("events")
    }

    /// Describes the key: `team T, environment Bootcamp, ingest key (createDatasets)`.
    pub(crate) fn describe(&self) -> String {
        let place = if self.is_classic() {
            format!("team {}, Classic", self.team)
        } else {
            format!("team {}, environment {}", self.team, self.environment)
        };
        let kind = match self.kind {
            HoneycombKeyType::Configuration => "configuration key",
            HoneycombKeyType::Ingest => "ingest key",
        };
        if self.permissions.is_empty() {
            return format!("{place}, {kind}");
        }
        format!("{place}, {kind} ({})", self.permissions.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ingest_key_may_send_and_a_classic_key_has_no_environment() {
        let body = br#"{"id":"x","type":"ingest","api_key_access":{"createDatasets":true},
            "environment":{"name":"Bootcamp","slug":"bootcamp"},"team":{"name":"T","slug":"t"}}"#;
        let whoami = Whoami::read(body).unwrap();
        assert!(whoami.may_send() && !whoami.is_classic() && whoami.may("createDatasets"));
        assert_eq!(whoami.describe(), "team T, environment Bootcamp, ingest key (createDatasets)");
        let body = br#"{"type":"configuration","api_key_access":{"events":false,"queries":true},
            "environment":{"name":"","slug":""},"team":{"name":"T","slug":"t"}}"#;
        let whoami = Whoami::read(body).unwrap();
        assert!(whoami.is_classic() && !whoami.may_send());
        assert!(Whoami::read(b"<html>").is_none());
        assert!(Whoami::read(b"{}").is_none());
    }
}
