//! Images of known programs, from `templates/images.yaml`.

use std::sync::LazyLock;

use foldhash::HashMap;

use serde::Deserialize;

/// The purpose of a known image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImagePurpose {
    /// Stores data: databases, caches, search engines, object stores.
    Database,
    /// Delivers messages.
    Queue,
    /// Holds the schemas of a queue's messages.
    SchemaRegistry,
    /// Forwards requests, or serves files.
    Proxy,
    /// Receives or shows telemetry.
    TracingDaemon,
    /// Shows and changes the data of other services.
    Administration,
    /// Runs the steps of workflows and keeps their state.
    WorkflowEngine,
    /// Serves other programs in another way: logins, secrets, images.
    Infrastructure,
    /// Helps during development.
    Tool,
}

impl ImagePurpose {
    /// Returns its name with an article.
    pub fn named(self) -> &'static str {
        match self {
            Self::Database => "a database",
            Self::Queue => "a queue",
            Self::SchemaRegistry => "a schema registry",
            Self::Proxy => "a proxy",
            Self::TracingDaemon => "a telemetry daemon",
            Self::Administration => "an administration interface",
            Self::WorkflowEngine => "a workflow engine",
            Self::Infrastructure => "an infrastructure service",
            Self::Tool => "a development tool",
        }
    }
}

static TABLE: LazyLock<HashMap<String, ImagePurpose>> = LazyLock::new(|| {
    let text = include_str!("../../../templates/images.yaml");
    let lists: HashMap<ImagePurpose, Vec<String>> = serde_yaml::from_str(text).unwrap_or_default();
    lists
        .into_iter()
        .flat_map(|(purpose, names)| names.into_iter().map(move |name| (name, purpose)))
        .collect()
});

/// Returns the purpose of a known image, and the name it is known by.
pub fn image_purpose(image: &str) -> Option<(&str, ImagePurpose)> {
    known_name(image, |name| TABLE.get(name).copied())
}

/// Returns what `of` finds for the path of an image or for its last one or two parts, and the part it was found for.
pub(super) fn known_name<T>(image: &str, of: impl Fn(&str) -> Option<T>) -> Option<(&str, T)> {
    let path = without_version(image);
    if !path.contains('/') {
        return Some((path, of(&path.to_ascii_lowercase())?));
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    let last_two = path.rmatch_indices('/').nth(1).map_or(path, |(at, _)| &path[at + 1..]);
    [path, last_two, last]
        .into_iter()
        .find_map(|name| Some((name, of(&name.to_ascii_lowercase())?)))
}

/// Returns the image without its tag and digest.
pub(in crate::compose) fn without_version(image: &str) -> &str {
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
            ("postgres", ImagePurpose::Database),
            ("postgres:16-alpine", ImagePurpose::Database),
            ("docker.io/library/postgres:16", ImagePurpose::Database),
            ("bitnami/postgresql@sha256:00", ImagePurpose::Database),
            ("amazon/dynamodb-local:latest", ImagePurpose::Database),
            ("mcr.microsoft.com/mssql/server:2022-latest", ImagePurpose::Database),
            ("localhost:5000/redis", ImagePurpose::Database),
            ("confluentinc/cp-kafka:7.5.0", ImagePurpose::Queue),
            ("confluentinc/cp-schema-registry:7.5.0", ImagePurpose::SchemaRegistry),
            ("temporalio/auto-setup:1.22", ImagePurpose::WorkflowEngine),
            ("temporalio/admin-tools", ImagePurpose::Tool),
            ("quay.io/keycloak/keycloak:24.0", ImagePurpose::Infrastructure),
            ("hashicorp/vault", ImagePurpose::Infrastructure),
            ("registry:2", ImagePurpose::Infrastructure),
            ("nginx:alpine", ImagePurpose::Proxy),
            ("amazon/aws-xray-daemon", ImagePurpose::TracingDaemon),
            ("jaegertracing/all-in-one:1.50", ImagePurpose::TracingDaemon),
            ("otel/opentelemetry-collector-contrib:0.1", ImagePurpose::TracingDaemon),
            ("dpage/pgadmin4:8", ImagePurpose::Administration),
            ("localstack/localstack", ImagePurpose::Tool),
        ] {
            assert_eq!(
                image_purpose(image).map(|(_, purpose)| purpose),
                Some(purpose_of),
                "{image}"
            );
        }
        for image in ["me/backend", "python:3.10", "node", "my-postgres-client"] {
            assert_eq!(image_purpose(image), None, "{image}");
        }
    }
}
