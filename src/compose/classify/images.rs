//! Images whose programs are known, from `templates/images.yaml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What a known image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Purpose {
    /// Keeps things: databases, caches, search engines, object stores.
    Database,
    /// Passes messages on.
    Queue,
    /// Stands before others, or serves files.
    Proxy,
    /// Receives or shows telemetry.
    TracingDaemon,
    /// Shows and changes what other services keep.
    Administration,
    /// Helps while developing.
    Tool,
}

impl Purpose {
    /// With its article.
    pub(super) fn named(self) -> &'static str {
        match self {
            Self::Database => "a database",
            Self::Queue => "a queue",
            Self::Proxy => "a proxy",
            Self::TracingDaemon => "a telemetry daemon",
            Self::Administration => "an administration interface",
            Self::Tool => "a development tool",
        }
    }
}

static TABLE: LazyLock<HashMap<String, Purpose>> = LazyLock::new(|| {
    let text = include_str!("../../../templates/images.yaml");
    let lists: HashMap<Purpose, Vec<String>> = serde_yaml::from_str(text).unwrap_or_default();
    lists
        .into_iter()
        .flat_map(|(purpose, names)| names.into_iter().map(move |name| (name, purpose)))
        .collect()
});

/// What an image is for, if it is a known one; and the name it is known by.
pub(super) fn purpose(image: &str) -> Option<(&str, Purpose)> {
    let path = without_version(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    let two = path.rmatch_indices('/').nth(1).map_or(path, |(at, _)| &path[at + 1..]);
    [path, two, last]
        .into_iter()
        .find_map(|name| Some((name, *TABLE.get(&name.to_ascii_lowercase())?)))
}

/// The image without tag and digest.
pub(super) fn without_version(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rfind('/').map_or(0, |at| at + 1);
    image[name..].find(':').map_or(image, |at| &image[..name + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_whoever_publishes_them() {
        for (image, purpose_of) in [
            ("postgres", Purpose::Database),
            ("postgres:16-alpine", Purpose::Database),
            ("docker.io/library/postgres:16", Purpose::Database),
            ("bitnami/postgresql@sha256:00", Purpose::Database),
            ("amazon/dynamodb-local:latest", Purpose::Database),
            ("mcr.microsoft.com/mssql/server:2022-latest", Purpose::Database),
            ("localhost:5000/redis", Purpose::Database),
            ("confluentinc/cp-kafka:7.5.0", Purpose::Queue),
            ("nginx:alpine", Purpose::Proxy),
            ("amazon/aws-xray-daemon", Purpose::TracingDaemon),
            ("jaegertracing/all-in-one:1.50", Purpose::TracingDaemon),
            ("otel/opentelemetry-collector-contrib:0.1", Purpose::TracingDaemon),
            ("dpage/pgadmin4:8", Purpose::Administration),
            ("localstack/localstack", Purpose::Tool),
        ] {
            assert_eq!(purpose(image).map(|(_, purpose)| purpose), Some(purpose_of), "{image}");
        }
        for image in ["me/backend", "python:3.10", "node", "my-postgres-client"] {
            assert_eq!(purpose(image), None, "{image}");
        }
    }
}
