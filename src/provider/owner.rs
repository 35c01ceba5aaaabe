//! Determines the owner of a host or of a secret: a provider or an addon.

use super::addon::{self, AddonProfile};
use super::catalogue::{self, Provider, ProviderHeader, known_providers};

/// The owner of a host, and the secrets it expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostOwner {
    /// The name for people: `Honeycomb`.
    pub title: &'static str,
    /// The variables with its secrets.
    pub variables: Vec<&'static str>,
    /// The headers that carry them.
    pub headers: Vec<&'static str>,
}

/// Returns the provider or addon that owns `host`.
pub(crate) fn host_owner(host: &str) -> Option<HostOwner> {
    let provider = catalogue::find_host_owner(host).map(HostOwner::of_provider);
    provider.or_else(|| {
        addon::addon_profiles().find(|profile| profile.owns(host)).map(HostOwner::of_addon)
    })
}

/// Returns the name of the provider or addon whose secret is in `variable`.
pub(crate) fn variable_owner(variable: &str) -> Option<&'static str> {
    let provider = catalogue::of_variable(variable).map(|provider| provider.title.as_str());
    provider.or_else(|| {
        let mut addons = addon::addon_profiles();
        let addon = addons.find(|profile| profile.secrets.iter().any(|name| name == variable))?;
        Some(addon.name.title())
    })
}

/// Returns whether any provider or addon expects its secret in the header `name`.
pub(crate) fn is_key_header(name: &str) -> bool {
    let mut providers = known_providers().iter().flat_map(key_headers);
    providers.any(|header| header.eq_ignore_ascii_case(name))
        || addon::addon_profiles()
            .filter_map(|profile| profile.header.as_deref())
            .any(|header| header == name)
}

/// Returns the name of the only provider or addon that uses this header for its secret.
pub(crate) fn header_owner(name: &str) -> Option<&'static str> {
    let providers = known_providers().iter();
    let mut owners = providers
        .filter(|provider| key_headers(provider).any(|header| header.eq_ignore_ascii_case(name)))
        .map(|provider| provider.title.as_str())
        .chain(
            addon::addon_profiles()
                .filter(|profile| {
                    profile
                        .header
                        .as_deref()
                        .is_some_and(|header| header.eq_ignore_ascii_case(name))
                })
                .map(|profile| profile.name.title()),
        );
    owners.next().filter(|_| owners.next().is_none())
}

fn key_headers(provider: &'static Provider) -> impl Iterator<Item = &'static str> {
    let carrying = provider.headers.iter().filter(|header| header.variable().is_some());
    carrying.map(|header: &ProviderHeader| header.name.as_str())
}

impl HostOwner {
    fn of_provider(provider: &'static Provider) -> Self {
        Self {
            title: &provider.title,
            variables: provider.variables().collect(),
            headers: key_headers(provider).collect(),
        }
    }

    fn of_addon(addon: &'static AddonProfile) -> Self {
        Self {
            title: addon.name.title(),
            variables: addon.secrets.iter().map(String::as_str).collect(),
            headers: addon.header.as_deref().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::secret_variables;
    use crate::secret::is_secret_name;

    #[test]
    fn every_secret_of_the_catalogue_is_one_by_its_name_and_has_an_owner() {
        let variables = secret_variables();
        assert!(variables.len() > 10, "{variables:?}");
        for variable in variables {
            assert!(is_secret_name(variable), "{variable}");
            assert!(variable_owner(variable).is_some(), "{variable}");
        }
        assert_eq!(variable_owner("MY_KEY"), None);
    }

    #[test]
    fn every_key_of_the_catalogue_is_in_the_table_of_keys() {
        use crate::secret::{find_keys, key_owner};

        let value = "abcdEFGH1234ijklMNOP56qrSTUVwxYZ78abCD90";
        for provider in known_providers() {
            let carrying = provider.headers.iter().filter(|header| header.variable().is_some());
            for header in carrying {
                let variable = header.variable().unwrap();
                assert_eq!(key_owner(variable), Some(provider.title.as_str()));
                // `api-key` is too common to identify an owner.
                if header.name == "api-key" {
                    continue;
                }
                let sent = header.text().replace(&format!("${{{variable}}}"), value);
                for text in [format!("{variable}={value}"), sent] {
                    let found = find_keys(&text);
                    assert_eq!(found.len(), 1, "{text}");
                    assert_eq!(&text[found[0].range.clone()], value);
                    let by_name = header.name != "Authorization" || text.starts_with(variable);
                    let owner = by_name.then_some(provider.title.as_str());
                    assert_eq!(found[0].owner, owner, "{text}");
                }
            }
        }
        for addon in addon::addon_profiles() {
            let header = addon.header.iter().map(|header| format!("{header}: {value}"));
            header.for_each(|text| assert_eq!(find_keys(&text)[0].owner, Some(addon.name.title())));
            let keys = addon.secrets.iter().filter(|name| *name != "AWS_ACCESS_KEY_ID");
            keys.for_each(|name| assert!(key_owner(name).is_some(), "{name}"));
        }
    }

    #[test]
    fn a_host_says_which_header_carries_its_key() {
        let honeycomb = host_owner("API.honeycomb.io").unwrap();
        assert_eq!(honeycomb.headers, ["x-honeycomb-team"]);
        assert_eq!(honeycomb.variables, ["HONEYCOMB_API_KEY"]);
        let rollbar = host_owner("api.rollbar.com").unwrap();
        assert_eq!(rollbar.headers, ["x-rollbar-access-token"]);
        assert_eq!(host_owner("api.honeycomb.io.evil.example"), None);
        assert_eq!(header_owner("DD-API-KEY"), Some("Datadog"));
        assert_eq!(header_owner("x-rollbar-access-token"), Some("Rollbar"));
        assert_eq!(header_owner("Authorization"), None, "several providers have it");
        assert!(is_key_header("X-Honeycomb-Team") && !is_key_header("x-honeycomb-dataset"));
    }
}
