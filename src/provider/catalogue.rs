//! The catalogue, read from `templates/providers/`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::hosts;

/// Where telemetry can go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// As typed: `honeycomb`.
    pub name: String,
    /// For people: `Honeycomb`.
    pub title: String,
    /// What is said here was tried, rather than read in its documentation.
    #[serde(default)]
    pub confirmed: bool,
    /// What each request carries.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// What the person has to say of their account: each stands as `{name}` in endpoints and headers.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// The first is the default; none where the endpoint has to be given.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Hosts it owns besides those of its regions: `*.example.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Its endpoint is one for traces alone, taken as it stands.
    #[serde(default)]
    pub traces_only: bool,
    /// The only protocol it takes, where there is only one.
    #[serde(default)]
    pub protocol: Option<String>,
    /// Why nothing can be sent there directly.
    #[serde(default)]
    pub refused: Option<String>,
    /// What to do instead.
    #[serde(default)]
    pub instead: Option<String>,
    /// Where in its web pages a key is made.
    pub keys: String,
}

/// A header of each request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// As sent: `x-honeycomb-team`.
    pub name: String,
    /// As it stands in `OTEL_EXPORTER_OTLP_HEADERS`, percent-encoded, the secret as a reference:
    /// `Bearer%20${DASH0_AUTH_TOKEN}`.
    pub value: String,
}

/// What a provider must be told of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// As typed: `zone`.
    pub name: String,
    /// For people.
    pub what: String,
    /// A header that names it is left out where it was not given.
    #[serde(default)]
    pub optional: bool,
}

/// One of a provider's regions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// As typed: `us`; empty where there is no choice.
    #[serde(default)]
    pub name: String,
    /// Base URL, without `/v1/traces` unless it is for traces alone.
    pub endpoint: String,
    /// The provider's web pages.
    #[serde(default)]
    pub ui: Option<String>,
}

impl Header {
    /// As it stands in `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn text(&self) -> String {
        format!("{}={}", self.name, self.value)
    }

    /// The variable that holds its secret.
    pub fn variable(&self) -> Option<&str> {
        let (_, rest) = self.value.split_once("${")?;
        rest.split_once('}').map(|(name, _)| name)
    }
}

impl Provider {
    /// Every variable that holds a secret of its.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter_map(Header::variable)
    }

    /// Whether a host is its own.
    fn owns(&self, host: &str) -> bool {
        let regions = self.regions.iter().map(Region::host);
        let mut own = regions.chain(self.hosts.iter().map(String::as_str));
        own.any(|pattern| hosts::matches(pattern, host))
    }
}

impl Region {
    /// The host of the endpoint.
    pub fn host(&self) -> &str {
        hosts::host(&self.endpoint)
    }
}

const FILES: [&str; 11] = [
    include_str!("../../templates/providers/honeycomb.yaml"),
    include_str!("../../templates/providers/axiom.yaml"),
    include_str!("../../templates/providers/dash0.yaml"),
    include_str!("../../templates/providers/datadog.yaml"),
    include_str!("../../templates/providers/dynatrace.yaml"),
    include_str!("../../templates/providers/elastic.yaml"),
    include_str!("../../templates/providers/grafana-cloud.yaml"),
    include_str!("../../templates/providers/newrelic.yaml"),
    include_str!("../../templates/providers/signoz.yaml"),
    include_str!("../../templates/providers/uptrace.yaml"),
    include_str!("../../templates/providers/aws-xray.yaml"),
];

static CATALOGUE: LazyLock<Vec<Provider>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| serde_yaml::from_str(text).ok()).collect());

/// Every provider we know.
pub fn catalogue() -> &'static [Provider] {
    &CATALOGUE
}

/// The provider of this name.
pub fn find(name: &str) -> Option<&'static Provider> {
    catalogue().iter().find(|provider| provider.name == name)
}

/// The provider that owns `host`: its key may go there without being asked about.
pub fn owner(host: &str) -> Option<&'static Provider> {
    catalogue().iter().find(|provider| provider.owns(host))
}

/// The provider and region that own `host`.
pub fn of_host(host: &str) -> Option<(&'static Provider, &'static Region)> {
    catalogue().iter().find_map(|provider| {
        let mut regions = provider.regions.iter();
        let region = regions.find(|region| hosts::matches(region.host(), host))?;
        Some((provider, region))
    })
}

/// Returns the provider and region whose web pages are on `host`.
pub fn of_pages(host: &str) -> Option<(&'static Provider, &'static Region)> {
    catalogue().iter().find_map(|provider| {
        let mut regions = provider.regions.iter();
        let region = regions.find(|region| {
            let pages = region.ui.as_deref().map(hosts::host);
            pages.is_some_and(|pages| hosts::matches(pages, host))
        })?;
        Some((provider, region))
    })
}

/// The provider whose secret lies in `variable`.
pub fn of_variable(variable: &str) -> Option<&'static Provider> {
    let mut providers = catalogue().iter();
    providers.find(|provider| provider.variables().any(|name| name == variable))
}

/// Every variable that holds some provider's or addon's secret, each once.
pub fn secret_variables() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        catalogue().iter().flat_map(Provider::variables).chain(super::addon::secrets()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_read_and_its_placeholders_are_settings() {
        assert_eq!(catalogue().len(), FILES.len());
        for provider in catalogue() {
            let texts = provider
                .regions
                .iter()
                .flat_map(|region| [Some(&region.endpoint), region.ui.as_ref()])
                .flatten()
                .chain(provider.headers.iter().map(|header| &header.value));
            let text: String = texts.map(|text| format!("{text} ")).collect();
            for setting in &provider.settings {
                let placeholder = format!("{{{}}}", setting.name);
                assert!(text.contains(&placeholder), "{}", provider.name);
            }
            let placeholders = text.replace("${", "").matches('{').count();
            assert_eq!(placeholders > 0, !provider.settings.is_empty(), "{text}");
            assert_eq!(
                provider.refused.is_some(),
                provider.variables().next().is_none(),
                "{}",
                provider.name
            );
        }
    }

    #[test]
    fn a_host_leads_to_its_region_and_owner() {
        let (provider, region) = of_host("API.eu1.honeycomb.io").unwrap();
        assert_eq!((provider.name.as_str(), region.name.as_str()), ("honeycomb", "eu"));
        assert!(of_host("api.honeycomb.io.example").is_none());
        assert_eq!(owner("x.eu.aws.cloud.es.io").unwrap().name, "elastic");
        assert_eq!(owner("abc1.live.dynatrace.com").unwrap().name, "dynatrace");
        assert!(owner("live.dynatrace.com").is_none());
        assert_eq!(of_variable("DD_API_KEY").unwrap().name, "datadog");
    }
}
