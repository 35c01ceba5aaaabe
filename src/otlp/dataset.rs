//! Honeycomb datasets: the one for a service's traces, and the last write to it.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// A dataset as listed by `/1/datasets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dataset {
    /// The name as first seen; compared without regard to case.
    pub name: String,
    /// The name in URLs.
    pub slug: String,
    /// The time since 1970, in full seconds.
    pub last_written: Option<Duration>,
}

#[derive(Deserialize)]
struct WireDataset {
    name: String,
    slug: String,
    #[serde(default)]
    last_written_at: Option<String>,
}

impl Dataset {
    /// Reads the list; an entry with an unreadable time counts as never written.
    pub(crate) fn read_all(body: &[u8]) -> Option<Vec<Self>> {
        let wire: Vec<WireDataset> = serde_json::from_slice(body).ok()?;
        let read = wire.into_iter().map(|dataset| Self {
            last_written: dataset.last_written_at.as_deref().and_then(parse_timestamp),
            name: dataset.name,
            slug: dataset.slug,
        });
        Some(read.collect())
    }

    /// Returns whether it was written to in the second of `moment` (since 1970) or later.
    pub(crate) fn written_since(&self, moment: Duration) -> bool {
        let second = Duration::from_secs(moment.as_secs());
        self.last_written.is_some_and(|written| written >= second)
    }
}

/// Returns the dataset for traces of `service`; for a Classic key, a header names it.
pub(crate) fn of_service<'a>(service: &'a str, header: Option<&'a str>) -> &'a str {
    match (header, service.trim()) {
        (Some(dataset), _) => dataset,
        (None, name) if name.is_empty() || name.starts_with("unknown_service") => "unknown_service",
        (None, name) => name,
    }
}

fn parse_timestamp(text: &str) -> Option<Duration> {
    let moment = humantime::parse_rfc3339_weak(text.trim_end_matches("+00:00")).ok()?;
    moment.duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_counts_as_written_from_the_second_of_sending_on() {
        let body = br#"[{"name":"backend-flask","slug":"backend-flask","last_written_at":"2026-11-23T20:00:05Z"},
            {"name":"old","slug":"old","last_written_at":null,"created_at":"2020-01-01T00:00:00Z"}]"#;
        let datasets = Dataset::read_all(body).unwrap();
        let written = datasets[0].last_written.unwrap();
        assert!(datasets[0].written_since(written + Duration::from_millis(900)));
        assert!(!datasets[0].written_since(written + Duration::from_secs(1)));
        assert!(!datasets[1].written_since(Duration::ZERO));
        assert!(Dataset::read_all(br#"{"error":"x"}"#).is_none());
        assert_eq!(parse_timestamp("2026-11-23T20:00:05+00:00"), Some(written));
    }

    #[test]
    fn the_dataset_is_the_services_name_unless_unnamed() {
        assert_eq!(of_service(" api ", None), "api");
        assert_eq!(of_service("unknown_service:python", None), "unknown_service");
        assert_eq!(of_service("api", Some("classic")), "classic");
    }
}
