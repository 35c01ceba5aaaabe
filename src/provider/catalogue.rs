//! The catalogue, read from `templates/providers/`.

use std::sync::LazyLock;

use serde::Deserialize;

/// Where telemetry can go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// As typed: `honeycomb`.
    pub name: String,
    /// For people: `Honeycomb`.
    pub title: String,
    /// What each request carries.
    pub headers: Vec<Header>,
    /// The first is the default.
    pub regions: Vec<Region>,
    /// Where in its web pages a key is made.
    pub keys: String,
}

/// A header whose value lies in a variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// As sent: `x-honeycomb-team`.
    pub name: String,
    /// What stands before the secret, percent-encoded: `Bearer%20`.
    #[serde(default)]
    pub prefix: String,
    /// The variable that holds the secret: `HONEYCOMB_API_KEY`.
    pub variable: String,
}

/// One of a provider's regions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// As typed: `us`.
    pub name: String,
    /// Base URL, without `/v1/traces`.
    pub endpoint: String,
    /// The provider's web pages.
    #[serde(default)]
    pub ui: Option<String>,
}

impl Header {
    /// As it stands in `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn text(&self) -> String {
        format!("{}={}${{{}}}", self.name, self.prefix, self.variable)
    }
}

impl Region {
    /// The host of the endpoint.
    pub fn host(&self) -> &str {
        host(&self.endpoint)
    }
}

const FILES: [&str; 1] = [include_str!("../../templates/providers/honeycomb.yaml")];

static CATALOGUE: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    FILES
        .iter()
        .filter_map(|text| serde_yaml::from_str(text).ok())
        .collect()
});

/// Every provider we know.
pub fn catalogue() -> &'static [Provider] {
    &CATALOGUE
}

/// The provider of this name.
pub fn find(name: &str) -> Option<&'static Provider> {
    catalogue().iter().find(|provider| provider.name == name)
}

/// The provider and region that own `host`: a key may go there without being asked about.
pub fn of_host(host: &str) -> Option<(&'static Provider, &'static Region)> {
    catalogue().iter().find_map(|provider| {
        let region = provider
            .regions
            .iter()
            .find(|region| region.host().eq_ignore_ascii_case(host))?;
        Some((provider, region))
    })
}

/// Every variable that holds some provider's or addon's secret, each once.
pub fn secret_variables() -> Vec<&'static str> {
    let mut names: Vec<&str> = catalogue()
        .iter()
        .flat_map(|provider| {
            provider
                .headers
                .iter()
                .map(|header| header.variable.as_str())
        })
        .chain(super::addon::secrets())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The host of an address.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_read() {
        assert_eq!(catalogue().len(), FILES.len());
        for provider in catalogue() {
            assert!(!provider.regions.is_empty(), "{}", provider.name);
        }
    }

    #[test]
    fn a_host_leads_to_its_region() {
        let (provider, region) = of_host("API.eu1.honeycomb.io").unwrap();
        assert_eq!(
            (provider.name.as_str(), region.name.as_str()),
            ("honeycomb", "eu")
        );
        assert!(of_host("api.honeycomb.io.example").is_none());
    }
}
