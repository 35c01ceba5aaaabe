//! The catalogue of providers, read from `templates/providers/`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::hosts;

/// A provider that telemetry can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name on the command line: `honeycomb`.
    pub name: String,
    /// The name for people: `Honeycomb`.
    pub title: String,
    /// Whether these facts were tried, rather than read in the provider's documentation.
    #[serde(default)]
    pub confirmed: bool,
    /// The headers of each request.
    #[serde(default)]
    pub headers: Vec<ProviderHeader>,
    /// The settings of the user's account, used as `{name}` in endpoints and headers.
    #[serde(default)]
    pub settings: Vec<ProviderSetting>,
    /// The regions, the default first; empty if the endpoint must be given.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Further hosts of the provider, in addition to its regions: `*.example.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whether the endpoint is for traces only, used without a suffix.
    #[serde(default)]
    pub traces_only: bool,
    /// The only supported protocol, if there is just one.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The reason why nothing can be sent to it directly.
    #[serde(default)]
    pub refused: Option<String>,
    /// What to do instead.
    #[serde(default)]
    pub instead: Option<String>,
    /// The place in its web interface where a key is created.
    pub keys: String,
}

/// A header of each request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderHeader {
    /// The name as sent: `x-honeycomb-team`.
    pub name: String,
    /// The value in `OTEL_EXPORTER_OTLP_HEADERS`, percent-encoded, with the secret as a reference:
    /// `Bearer%20${DASH0_AUTH_TOKEN}`.
    pub value: String,
}

/// A setting of the user's account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSetting {
    /// The name on the command line: `zone`.
    pub name: String,
    /// The description for people.
    pub meaning: String,
    /// Whether it may be missing; headers that use it are then left out.
    #[serde(default)]
    pub optional: bool,
}

/// A region of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The name on the command line: `us`; empty if there is only one region.
    #[serde(default)]
    pub name: String,
    /// The base URL, without `/v1/traces` unless it is for traces only.
    pub endpoint: String,
    /// The URL of the web interface.
    #[serde(default)]
    pub ui: Option<String>,
}

impl ProviderHeader {
    /// Returns the header in the syntax of `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn text(&self) -> String {
        format!("{}={}", self.name, self.value)
    }

    /// Returns the variable with its secret.
    pub fn variable(&self) -> Option<&str> {
        let (_, rest) = self.value.split_once("${")?;
        rest.split_once('}').map(|(name, _)| name)
    }
}

impl Provider {
    /// Returns every variable with one of its secrets.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter_map(ProviderHeader::variable)
    }

    /// Returns whether it owns a host.
    fn owns(&self, host: &str) -> bool {
        let regions = self.regions.iter().map(Region::host);
        let mut patterns = regions.chain(self.hosts.iter().map(String::as_str));
        patterns.any(|pattern| hosts::matches(pattern, host))
    }
}

impl Region {
    /// Returns the host of the endpoint.
    pub fn host(&self) -> &str {
        hosts::url_host(&self.endpoint)
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

/// Returns every known provider.
pub fn known_providers() -> &'static [Provider] {
    &CATALOGUE
}

/// Returns the provider with this name.
pub fn find_provider(name: &str) -> Option<&'static Provider> {
    known_providers().iter().find(|provider| provider.name == name)
}

/// Returns the provider that owns `host`; its key may be sent there without a question.
pub fn find_host_owner(host: &str) -> Option<&'static Provider> {
    known_providers().iter().find(|provider| provider.owns(host))
}

/// Returns the provider and region that own `host`.
pub fn of_host(host: &str) -> Option<(&'static Provider, &'static Region)> {
    known_providers().iter().find_map(|provider| {
        let mut regions = provider.regions.iter();
        let region = regions.find(|region| hosts::matches(region.host(), host))?;
        Some((provider, region))
    })
}

/// Returns the provider and region whose web interface is on `host`.
pub fn of_pages(host: &str) -> Option<(&'static Provider, &'static Region)> {
    known_providers().iter().find_map(|provider| {
        let mut regions = provider.regions.iter();
        let region = regions.find(|region| {
            let pages = region.ui.as_deref().map(hosts::url_host);
            pages.is_some_and(|pages| hosts::matches(pages, host))
        })?;
        Some((provider, region))
    })
}

/// Returns the provider whose secret is in `variable`.
pub fn of_variable(variable: &str) -> Option<&'static Provider> {
    let mut providers = known_providers().iter();
    providers.find(|provider| provider.variables().any(|name| name == variable))
}

/// Returns every variable with a provider's or addon's secret, each once.
pub fn secret_variables() -> Vec<&'static str> {
    let mut names: Vec<&str> = known_providers()
        .iter()
        .flat_map(Provider::variables)
        .chain(super::addon::secrets())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_read_and_its_placeholders_are_settings() {
        assert_eq!(known_providers().len(), FILES.len());
        for provider in known_providers() {
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
    fn every_key_of_the_catalogue_is_handed_over_from_an_env_file() {
        for name in secret_variables() {
            assert!(crate::secret::ends_like_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_host_leads_to_its_region_and_owner() {
        let (provider, region) = of_host("API.eu1.honeycomb.io").unwrap();
        assert_eq!((provider.name.as_str(), region.name.as_str()), ("honeycomb", "eu"));
        assert!(of_host("api.honeycomb.io.example").is_none());
        assert_eq!(find_host_owner("x.eu.aws.cloud.es.io").unwrap().name, "elastic");
        assert_eq!(find_host_owner("abc1.live.dynatrace.com").unwrap().name, "dynatrace");
        assert!(find_host_owner("live.dynatrace.com").is_none());
        assert_eq!(of_variable("DD_API_KEY").unwrap().name, "datadog");
    }
}
