//! The destination of a project's telemetry: a provider of the catalogue with account settings, or any URL.

use super::catalogue::{Provider, ProviderHeader, Region};
use crate::error::{Error, ErrorCode, Result};

/// The destination of one project: an endpoint and its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The provider's name in the catalogue, or `otlp`, `local`, `collector`.
    pub provider: String,
    /// The name for people: `Honeycomb`.
    pub title: String,
    /// The base URL, without `/v1/traces` unless it is for traces only.
    pub endpoint: String,
    /// The base URL for services on the host's network, if it differs.
    pub on_host: Option<String>,
    /// Whether the endpoint is for traces only, used without a suffix.
    pub traces_only: bool,
    /// The only supported protocol, if there is just one.
    pub protocol: Option<String>,
    /// The headers of each request; secrets are references to variables.
    pub headers: Vec<ProviderHeader>,
    /// The URL of the provider's web interface, if it has one.
    pub ui: Option<String>,
}

/// The settings of an account.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccountSettings<'a> {
    /// A region of the provider.
    pub region: Option<&'a str>,
    /// An endpoint that replaces the catalogue's.
    pub endpoint: Option<&'a str>,
    /// The names and values of the provider's settings.
    pub settings: &'a [(String, String)],
}

/// The host name of this machine in the services' containers.
const THIS_MACHINE: &str = "host.docker.internal";

impl Destination {
    /// Returns a destination at a provider of the catalogue.
    ///
    /// # Errors
    /// `unknown-region`, `setting-unknown`, `setting-missing`, `setting-invalid`, `endpoint-missing`,
    /// `endpoint-invalid`; `provider-refused` when nothing can be sent directly.
    pub fn of(provider: &Provider, account: AccountSettings<'_>) -> Result<Self> {
        if let Some(why) = &provider.refused {
            let text = format!("{} cannot be sent to directly", provider.title);
            let error = Error::new(ErrorCode::ProviderRefused, text).cause(why);
            return Err(match &provider.instead {
                Some(instead) => error.hint(instead.clone()),
                None => error,
            });
        }
        let filling = TemplateFilling::of(provider, account)?;
        let (endpoint, ui) = match (account.endpoint, filling.region) {
            (Some(endpoint), _) => (trim_endpoint(endpoint)?, None),
            (None, Some(region)) => (
                filling.required(&region.endpoint)?,
                region.ui.as_deref().and_then(|ui| filling.fill(ui)),
            ),
            (None, None) => {
                let text = format!("{} gives each account its own address", provider.title);
                let hint = format!("`--endpoint URL` sets it; find it in {}", provider.keys);
                return Err(Error::new(ErrorCode::EndpointMissing, text).hint(hint));
            }
        };
        let mut headers = Vec::new();
        for header in &provider.headers {
            let value = if filling.lacks_optional(&header.value) {
                continue;
            } else {
                filling.required(&header.value)?
            };
            headers.push(ProviderHeader { name: header.name.clone(), value });
        }
        Ok(Self {
            provider: provider.name.clone(),
            title: provider.title.clone(),
            endpoint,
            on_host: None,
            traces_only: provider.traces_only,
            protocol: provider.protocol.clone(),
            headers,
            ui,
        })
    }

    /// Returns a destination at any OTLP endpoint; each header is `NAME=VARIABLE`, the variable holding the value.
    ///
    /// # Errors
    /// `endpoint-invalid`, `header-invalid`.
    pub fn otlp(endpoint: &str, headers: &[String]) -> Result<Self> {
        let headers = headers.iter().map(|header| parse_header(header));
        Ok(Self {
            headers: headers.collect::<Result<_>>()?,
            ..Self::bare("otlp", "OTLP", trim_endpoint(endpoint)?)
        })
    }

    /// Returns the destination `listen` on this machine.
    pub fn local() -> Self {
        Self {
            on_host: Some("http://localhost:4318".to_owned()),
            ..Self::bare(
                "local",
                "`cruddur-ops listen` on this machine",
                format!("http://{THIS_MACHINE}:4318"),
            )
        }
    }

    /// Returns the destination at a collector service of the project.
    pub fn collector(service: &str) -> Self {
        Self {
            on_host: Some("http://localhost:4318".to_owned()),
            ..Self::bare(
                "collector",
                "an OpenTelemetry Collector",
                format!("http://{service}:4318"),
            )
        }
    }

    fn bare(provider: &str, title: &str, endpoint: String) -> Self {
        Self {
            provider: provider.to_owned(),
            title: title.to_owned(),
            endpoint,
            on_host: None,
            traces_only: false,
            protocol: None,
            headers: Vec::new(),
            ui: None,
        }
    }

    /// Returns the same provider in another region.
    #[must_use]
    pub fn in_region(&self, region: &Region) -> Self {
        Self { endpoint: region.endpoint.clone(), ui: region.ui.clone(), ..self.clone() }
    }

    /// Returns the host name to add to containers, if the endpoint is this machine.
    pub fn host_to_add(&self) -> Option<&'static str> {
        (self.provider == "local").then_some(THIS_MACHINE)
    }

    /// Returns the first header with a secret, and its variable.
    pub fn secret(&self) -> Option<(&ProviderHeader, &str)> {
        let mut headers = self.headers.iter();
        headers.find_map(|header| Some((header, header.variable()?)))
    }

    /// Returns every variable with one of its secrets.
    pub fn variables(&self) -> Vec<&str> {
        self.headers.iter().filter_map(ProviderHeader::variable).collect()
    }

    /// Returns the value of `OTEL_EXPORTER_OTLP_HEADERS`, with variables for secrets.
    pub fn header_text(&self) -> String {
        let pairs: Vec<String> = self.headers.iter().map(ProviderHeader::text).collect();
        pairs.join(",")
    }
}

/// A provider's placeholders and their values.
struct TemplateFilling<'a> {
    provider: &'a Provider,
    region: Option<&'a Region>,
    values: Vec<(&'a str, &'a str)>,
}

impl<'a> TemplateFilling<'a> {
    fn of(provider: &'a Provider, account: AccountSettings<'a>) -> Result<Self> {
        let mut values = Vec::new();
        let names_region =
            |name: &str| provider.settings.iter().any(|setting| setting.name == name);
        let region = match account.region {
            Some(name) if names_region("region") => {
                values.push(("region", name));
                provider.regions.first()
            }
            Some(name) => Some(require_region(provider, name)?),
            None => provider.regions.first(),
        };
        for (name, value) in account.settings {
            if !names_region(name) {
                return Err(unknown_setting(provider, name));
            }
            values.push((name, value));
        }
        let is_word = |value: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            value.starts_with(|first: char| first.is_ascii_alphanumeric())
                && value.chars().all(fits)
        };
        match values.iter().find(|(_, value)| !is_word(value)) {
            None => Ok(Self { provider, region, values }),
            Some((name, _)) => Err(Error::new(
                ErrorCode::SettingInvalid,
                format!(
                    "the value of {name} is not a single word of letters, digits, `-`, `_` and `.`"
                ),
            )),
        }
    }

    /// Replaces the placeholders in `text`; `None` if a value is missing.
    fn fill(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        (!text.replace("${", "").contains('{')).then_some(text)
    }

    fn required(&self, text: &str) -> Result<String> {
        self.fill(text).ok_or_else(|| {
            let missing = |name: &str| {
                let is_set = self.values.iter().any(|(set_name, _)| *set_name == name);
                !is_set && text.contains(&format!("{{{name}}}"))
            };
            let mut settings = self.provider.settings.iter();
            let (name, description) = settings
                .find(|setting| missing(&setting.name))
                .map_or(("", ""), |setting| (&setting.name, &setting.meaning));
            Error::new(
                ErrorCode::SettingMissing,
                format!("{} needs the setting `{name}`", self.provider.title),
            )
            .hint(format!("`--set {name}=VALUE` sets it: {description}"))
        })
    }

    /// Returns whether `text` uses an optional setting that was not given.
    fn lacks_optional(&self, text: &str) -> bool {
        let mut settings = self.provider.settings.iter();
        settings.any(|setting| setting.optional && text.contains(&format!("{{{}}}", setting.name)))
            && self.fill(text).is_none()
    }
}

fn require_region<'a>(provider: &'a Provider, name: &str) -> Result<&'a Region> {
    let mut regions = provider.regions.iter();
    regions
        .find(|region| !region.name.is_empty() && region.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let names: Vec<&str> = provider
                .regions
                .iter()
                .map(|region| region.name.as_str())
                .filter(|name| !name.is_empty())
                .collect();
            let text = format!("{} has no region {name}", provider.title);
            let hint = if names.is_empty() {
                "it has no regions: leave `--region` out".to_owned()
            } else {
                format!("regions: {}", names.join(", "))
            };
            Error::new(ErrorCode::UnknownRegion, text).hint(hint)
        })
}

fn unknown_setting(provider: &Provider, name: &str) -> Error {
    let known: Vec<String> = provider
        .settings
        .iter()
        .map(|setting| format!("{} ({})", setting.name, setting.meaning))
        .collect();
    let text = format!("{} has no setting {name}", provider.title);
    Error::new(ErrorCode::SettingUnknown, text).hint(if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("its settings: {}", known.join("; "))
    })
}

/// Returns a URL without a trailing slash.
fn trim_endpoint(endpoint: &str) -> Result<String> {
    let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("http" | "https")) {
        return Err(Error::new(
            ErrorCode::EndpointInvalid,
            format!("`{endpoint}` is not an http or https address"),
        )
        .hint("`--endpoint https://collector.example.com:4318`"));
    }
    Ok(endpoint.trim_end_matches('/').to_owned())
}

/// Returns whether a word that could name a variable is probably a value: it mixes small letters with capitals or
/// digits, or it is long and has digits but no underscore.
fn is_like_value(word: &str) -> bool {
    const MIN_BYTES: usize = 20;
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let has_digit = has(u8::is_ascii_digit);
    has(u8::is_ascii_lowercase) && (has_digit || has(u8::is_ascii_uppercase))
        || has_digit && word.len() >= MIN_BYTES && !word.contains('_')
}

fn parse_header(text: &str) -> Result<ProviderHeader> {
    let is_variable = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !is_like_value(name)
    };
    let is_header = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    match text.split_once('=') {
        Some((name, variable)) if is_header(name) && is_variable(variable) => {
            Ok(ProviderHeader { name: name.to_owned(), value: format!("${{{variable}}}") })
        }
        // The text may be a secret typed in place of a variable's name, so it is not repeated.
        _ => Err(Error::new(
            ErrorCode::HeaderInvalid,
            "`--header` takes the name of a header and of a variable, not a value",
        )
        .hint("`--header x-api-key=MY_API_KEY`, with the value in the variable MY_API_KEY")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{find_provider, known_providers};

    fn code(name: &str, account: AccountSettings<'_>) -> ErrorCode {
        Destination::of(find_provider(name).unwrap(), account).unwrap_err().code
    }

    #[test]
    fn honeycomb_in_the_united_states_is_the_default() {
        let honeycomb = find_provider("honeycomb").unwrap();
        let destination = Destination::of(honeycomb, AccountSettings::default()).unwrap();
        assert_eq!(destination.endpoint, "https://api.honeycomb.io");
        assert_eq!(destination.header_text(), "x-honeycomb-team=${HONEYCOMB_API_KEY}");
        let mars = AccountSettings { region: Some("mars"), ..AccountSettings::default() };
        assert_eq!(code("honeycomb", mars), ErrorCode::UnknownRegion);
    }

    #[test]
    fn account_settings_appear_in_endpoint_and_headers() {
        let settings = [("dataset".to_owned(), "shop".to_owned())];
        let account = AccountSettings {
            region: Some("eu-west-1"),
            settings: &settings,
            ..AccountSettings::default()
        };
        let dash0 = Destination::of(find_provider("dash0").unwrap(), account).unwrap();
        assert_eq!(dash0.endpoint, "https://ingress.eu-west-1.aws.dash0.com");
        assert_eq!(
            dash0.header_text(),
            "Authorization=Bearer%20${DASH0_AUTH_TOKEN},Dash0-Dataset=shop"
        );
        assert_eq!(dash0.secret().unwrap().1, "DASH0_AUTH_TOKEN");
        assert_eq!(code("axiom", AccountSettings::default()), ErrorCode::SettingMissing);
        assert_eq!(code("newrelic", account), ErrorCode::UnknownRegion);
        assert_eq!(code("elastic", AccountSettings::default()), ErrorCode::EndpointMissing);
        assert_eq!(code("aws-xray", AccountSettings::default()), ErrorCode::ProviderRefused);
    }

    #[test]
    fn no_setting_changes_the_host() {
        for value in ["a/b", "evil.example/", "a@b", "", ".", "a b", "x?", "a#", "${HOME}"] {
            let settings = [("environment".to_owned(), value.to_owned())];
            let account = AccountSettings { settings: &settings, ..AccountSettings::default() };
            assert_eq!(code("dynatrace", account), ErrorCode::SettingInvalid, "{value}");
        }
        let settings = [("zone".to_owned(), "x".to_owned())];
        let account = AccountSettings { settings: &settings, ..AccountSettings::default() };
        assert_eq!(code("dynatrace", account), ErrorCode::SettingUnknown);
    }

    #[test]
    fn every_provider_has_a_destination_or_a_reason() {
        for provider in known_providers() {
            let settings: Vec<_> = provider
                .settings
                .iter()
                .map(|setting| (setting.name.clone(), "word".to_owned()))
                .collect();
            let endpoint = provider.regions.is_empty().then_some("https://x.example/");
            let account =
                AccountSettings { endpoint, settings: &settings, ..AccountSettings::default() };
            match Destination::of(provider, account) {
                Ok(destination) => {
                    assert!(destination.secret().is_some(), "{}", provider.name);
                    assert_eq!(destination.headers.len(), provider.headers.len());
                }
                Err(error) => assert_eq!(error.code, ErrorCode::ProviderRefused),
            }
        }
    }

    #[test]
    fn a_value_given_as_a_header_is_refused_and_not_repeated() {
        let of = |value: &str| Destination::otlp("https://x.example", &[format!("x-key={value}")]);
        for value in [
            "s3cr3t-value",
            "s3cr3tvalue",
            "hcaik_0a1b2c3d4e5f",
            "SecretValue",
            "0A1B2C3D4E5F6A7B8C9D",
        ] {
            let error = of(value).unwrap_err();
            assert_eq!(error.code, ErrorCode::HeaderInvalid, "{value}");
            assert!(!format!("{error:?}").contains(value));
        }
        for variable in ["MY_API_KEY", "VENDOR_KEY2", "my_key", "TENANT"] {
            assert!(of(variable).is_ok(), "{variable}");
        }
    }
}
