//! Recognises the provider of an endpoint, and its account settings.

use super::catalogue::{Provider, find_host_owner, of_host};
use super::hosts::url_host;

/// A provider that a project already uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecognisedProvider {
    /// The provider.
    pub provider: &'static Provider,
    /// The account's own endpoint, if the provider has one for each account.
    pub endpoint: Option<String>,
    /// The names and values of the provider's settings.
    pub settings: Vec<(String, String)>,
}

/// Returns the known provider that owns an endpoint. `headers` are names and values as sent.
pub(crate) fn recognise_provider(
    endpoint: &str,
    headers: &[(&str, &str)],
) -> Option<RecognisedProvider> {
    let at = url_host(endpoint);
    let Some((provider, region)) = of_host(at) else {
        return Some(RecognisedProvider {
            provider: find_host_owner(at)?,
            endpoint: Some(endpoint.to_owned()),
            settings: Vec::new(),
        });
    };
    let mut settings: Vec<(String, String)> = Vec::new();
    settings.extend(filled_placeholder(region.host(), at));
    for header in &provider.headers {
        let sent = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(&header.name));
        settings.extend(sent.and_then(|(_, value)| filled_placeholder(&header.value, value)));
    }
    Some(RecognisedProvider { provider, endpoint: None, settings })
}

/// Returns the name and value of the only placeholder in `template`.
fn filled_placeholder(template: &str, text: &str) -> Option<(String, String)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    if before.ends_with('$') {
        return None;
    }
    let value = text.strip_prefix(before)?.strip_suffix(after)?;
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{AccountSettings, Destination, known_providers};

    #[test]
    fn every_provider_is_recognised_by_what_was_written_for_it() {
        for provider in known_providers().iter().filter(|provider| provider.refused.is_none()) {
            let settings: Vec<(String, String)> = provider
                .settings
                .iter()
                .map(|setting| (setting.name.clone(), format!("my-{}", setting.name)))
                .collect();
            let own_endpoint =
                provider.hosts.first().map(|host| format!("https://{}", host.replace('*', "x.y")));
            let account = AccountSettings {
                region: None,
                endpoint: own_endpoint.as_deref().filter(|_| provider.regions.is_empty()),
                settings: &settings,
            };
            let written = Destination::of(provider, account).unwrap();
            let headers: Vec<(&str, &str)> = written
                .headers
                .iter()
                .map(|header| (header.name.as_str(), header.value.as_str()))
                .collect();
            let found = recognise_provider(&written.endpoint, &headers).unwrap();
            let again = AccountSettings {
                region: None,
                endpoint: found.endpoint.as_deref(),
                settings: &found.settings,
            };
            assert_eq!(found.provider.name, provider.name);
            let again = Destination::of(found.provider, again).unwrap();
            assert_eq!((again.endpoint, again.headers), (written.endpoint, written.headers));
        }
        assert_eq!(recognise_provider("http://collector:4318", &[]), None);
    }
}
