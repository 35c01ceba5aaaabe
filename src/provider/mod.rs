//! Where telemetry can go: the catalogue of providers and addons, and what a service needs in its environment to send there.
//!
//! The data lies in `templates/`; nothing here knows a project, a file or a key.

mod addon;
mod catalogue;
mod render;

pub use addon::{Addon, AddonProfile, Daemon, is_aws_region};
pub use catalogue::{Header, Provider, Region, catalogue, find, of_host, secret_variables};
pub use render::{Traced, Variable, environments};
pub(crate) use render::{render, variables};

use crate::error::{Error, Result};

/// A provider as one project uses it: an endpoint and the headers that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The provider's name in the catalogue, or `otlp`.
    pub provider: String,
    /// For people: `Honeycomb`.
    pub title: String,
    /// Base URL, without `/v1/traces`.
    pub endpoint: String,
    /// Header names and the variables that hold their values.
    pub headers: Vec<Header>,
    /// The provider's web pages, where it has any.
    pub ui: Option<String>,
}

impl Destination {
    /// A provider of the catalogue in one of its regions.
    ///
    /// # Errors
    /// `unknown-region`.
    pub fn of(provider: &Provider, region: Option<&str>) -> Result<Self> {
        let found = match region {
            None => provider.regions.first(),
            Some(name) => provider.regions.iter().find(|region| region.name == name),
        };
        let region = found.ok_or_else(|| {
            let names: Vec<&str> = provider
                .regions
                .iter()
                .map(|region| region.name.as_str())
                .collect();
            Error::new(
                "unknown-region",
                format!(
                    "{} has no region {}",
                    provider.title,
                    region.unwrap_or_default()
                ),
            )
            .hint(format!("regions: {}", names.join(", ")))
        })?;
        Ok(Self {
            provider: provider.name.clone(),
            title: provider.title.clone(),
            endpoint: region.endpoint.clone(),
            headers: provider.headers.clone(),
            ui: region.ui.clone(),
        })
    }

    /// Any OTLP endpoint; each header is `NAME=VARIABLE`, the variable holding the value.
    ///
    /// # Errors
    /// `endpoint-invalid`, `header-invalid`.
    pub fn otlp(endpoint: &str, headers: &[String]) -> Result<Self> {
        let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("http" | "https")) {
            return Err(Error::new(
                "endpoint-invalid",
                format!("`{endpoint}` is no http or https address"),
            )
            .hint("`--endpoint https://collector.example.com:4318`"));
        }
        let headers = headers
            .iter()
            .map(|header| parse_header(header))
            .collect::<Result<_>>()?;
        Ok(Self {
            provider: "otlp".to_owned(),
            title: "OTLP".to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            headers,
            ui: None,
        })
    }

    /// The value of `OTEL_EXPORTER_OTLP_HEADERS`, naming variables where secrets go.
    pub fn header_text(&self) -> String {
        let pairs: Vec<String> = self.headers.iter().map(Header::text).collect();
        pairs.join(",")
    }
}

fn parse_header(text: &str) -> Result<Header> {
    let is_variable = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_header = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    match text.split_once('=') {
        Some((name, variable)) if is_header(name) && is_variable(variable) => Ok(Header {
            name: name.to_owned(),
            prefix: String::new(),
            variable: variable.to_owned(),
        }),
        // The text may hold a secret that was typed where a variable's name belongs: it is not repeated.
        _ => Err(Error::new(
            "header-invalid",
            "`--header` takes the name of a header and of a variable, not a value",
        )
        .hint("`--header x-api-key=MY_API_KEY`, with the value in the variable MY_API_KEY")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honeycomb_in_the_united_states_is_the_default() {
        let honeycomb = find("honeycomb").unwrap();
        let destination = Destination::of(honeycomb, None).unwrap();
        assert_eq!(destination.endpoint, "https://api.honeycomb.io");
        assert_eq!(
            destination.header_text(),
            "x-honeycomb-team=${HONEYCOMB_API_KEY}"
        );
        assert_eq!(
            Destination::of(honeycomb, Some("mars")).unwrap_err().code,
            "unknown-region"
        );
    }

    #[test]
    fn a_value_given_as_a_header_is_refused_and_not_repeated() {
        let error =
            Destination::otlp("https://x.example", &["x-key=s3cr3t-value".to_owned()]).unwrap_err();
        assert_eq!(error.code, "header-invalid");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}
