//! Compares what a service sends with what its provider accepts; shared by init, doctor and verify.

use strsim::osa_distance;
use url::Url;

use super::{ExportHeader, unresolved_name};
use crate::provider::key_shape::{self, DATASET_HEADER, HoneycombKeyKind, KeyMistake};
use crate::provider::{self, Provider, is_key_header};

/// Part of a service's export requests that a provider does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderMismatch {
    /// The endpoint is the address of the provider's web pages.
    WebPages {
        /// The endpoint for telemetry.
        endpoint: &'static str,
    },
    /// The key would be sent without encryption.
    Unencrypted,
    /// The name of the key header is misspelt.
    HeaderMisspelt {
        /// The name as sent.
        sent: String,
        /// The name that the provider reads.
        meant: &'static str,
    },
    /// The key header is missing.
    HeaderMissing {
        /// Its name.
        name: &'static str,
    },
    /// The key header is sent without a value.
    HeaderEmpty {
        /// Its name.
        name: String,
    },
    /// The key header contains the name of a variable instead of its value.
    NameAsKey {
        /// The header's name.
        header: String,
        /// The variable's name.
        variable: String,
    },
    /// The value can never send: it is the ID of a key, or a management key.
    WrongKey {
        /// The header's name.
        header: String,
        /// The kind of the value.
        mistake: KeyMistake,
    },
    /// A Classic key is sent without a dataset.
    DatasetMissing,
    /// A header other than the key has no value.
    OtherHeaderEmpty {
        /// Its name.
        name: String,
    },
}

/// Compares the endpoint `url` and the headers of a service's requests with the provider they belong to.
///
/// Returns no mismatch if no provider owns the endpoint and no header belongs to a single provider.
pub fn compare_with_provider(url: &Url, headers: &[ExportHeader]) -> Vec<ProviderMismatch> {
    let host = url.host_str().unwrap_or_default();
    let mut found = Vec::new();
    let owner = provider::find_host_owner(host);
    if let Some((_, region)) = provider::of_pages(host) {
        found.push(ProviderMismatch::WebPages { endpoint: &region.endpoint });
    }
    if let Some(owner) = owner {
        if url.scheme() == "http" {
            found.push(ProviderMismatch::Unencrypted);
        }
        found.extend(find_missing_header(owner, headers));
    }
    for header in headers {
        let value = header.value.expose();
        if !is_key_header(&header.name) {
            if value.is_empty() {
                found.push(ProviderMismatch::OtherHeaderEmpty { name: header.name.clone() });
            }
            continue;
        }
        if value.is_empty() {
            found.push(ProviderMismatch::HeaderEmpty { name: header.name.clone() });
        } else if let Some(variable) = unresolved_name(value) {
            let (header, variable) = (header.name.clone(), variable.to_owned());
            found.push(ProviderMismatch::NameAsKey { header, variable });
        } else if header.name == HONEYCOMB_HEADER {
            found.extend(judge_honeycomb_key(value, headers));
        }
    }
    found
}

/// The header for Honeycomb's keys.
const HONEYCOMB_HEADER: &str = "x-honeycomb-team";

fn find_missing_header(
    owner: &'static Provider,
    headers: &[ExportHeader],
) -> Option<ProviderMismatch> {
    let mut needed = owner.headers.iter().filter(|header| header.variable().is_some());
    let is_sent = |name: &str| headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    let absent: &'static str = &needed.find(|needed| !is_sent(&needed.name))?.name;
    /// Maximum edit distance of a misspelling; names further apart are different names.
    const MAX_EDIT_DISTANCE: usize = 2;
    let meant = absent.to_ascii_lowercase();
    let mut similar =
        headers.iter().filter(|header| osa_distance(&header.name, &meant) <= MAX_EDIT_DISTANCE);
    Some(match similar.next() {
        Some(export_header) => {
            ProviderMismatch::HeaderMisspelt { sent: export_header.name.clone(), meant: absent }
        }
        None => ProviderMismatch::HeaderMissing { name: absent },
    })
}

fn judge_honeycomb_key(value: &str, headers: &[ExportHeader]) -> Option<ProviderMismatch> {
    if let Some(mistake) = key_shape::never_sends(value) {
        let header = HONEYCOMB_HEADER.to_owned();
        return Some(ProviderMismatch::WrongKey { header, mistake });
    }
    let kind = key_shape::read_key(value).ok()?.kind;
    let is_classic =
        matches!(kind, HoneycombKeyKind::ClassicIngest | HoneycombKeyKind::ClassicOrRollbar);
    let has_dataset = || headers.iter().any(|header| header.name == DATASET_HEADER);
    (is_classic && !has_dataset()).then_some(ProviderMismatch::DatasetMissing)
}

impl ProviderMismatch {
    /// Returns whether the provider rejects every span because of it.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::OtherHeaderEmpty { .. } | Self::Unencrypted)
    }

    /// Returns a one-line description: lowercase, without a full stop. Contains no value.
    pub fn words(&self) -> String {
        match self {
            Self::WebPages { .. } => {
                "the endpoint serves the provider's web pages and accepts no telemetry".to_owned()
            }
            Self::Unencrypted => "the key would be sent without encryption".to_owned(),
            Self::HeaderMisspelt { sent, meant } => {
                format!("no header {meant} is sent: nothing reads {sent}")
            }
            Self::HeaderMissing { name } => format!("no header {name} is sent"),
            Self::HeaderEmpty { name } | Self::OtherHeaderEmpty { name } => {
                format!("the header {name} is empty")
            }
            Self::NameAsKey { header, variable } => {
                format!(
                    "{header} holds the name {variable}, not its value: `${{{variable}}}` refers to it"
                )
            }
            Self::WrongKey { header, mistake } => {
                format!("{header}: {}", mistake.message())
            }
            Self::DatasetMissing => {
                format!("a Classic key needs the header {DATASET_HEADER}, and none is sent")
            }
        }
    }

    /// Returns the fix.
    pub fn hint(&self) -> String {
        match self {
            Self::WebPages { endpoint } => format!("send to {endpoint}"),
            Self::Unencrypted => "write `https://`".to_owned(),
            Self::HeaderMisspelt { meant, .. } => format!("spell it `{meant}`"),
            Self::WrongKey { mistake, .. } => mistake.hint().to_owned(),
            Self::DatasetMissing => {
                "`cruddur-ops init --provider honeycomb --set dataset=NAME` writes it".to_owned()
            }
            Self::HeaderMissing { .. }
            | Self::HeaderEmpty { .. }
            | Self::NameAsKey { .. }
            | Self::OtherHeaderEmpty { .. } => {
                "`cruddur-ops init` writes what is missing".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn compare(endpoint: &str, headers: &[(&str, &str)]) -> Vec<ProviderMismatch> {
        let header = |(name, value): &(&str, &str)| ExportHeader {
            name: (*name).to_owned(),
            value: Secret::new(*value),
        };
        let headers: Vec<ExportHeader> = headers.iter().map(header).collect();
        compare_with_provider(&Url::parse(endpoint).unwrap(), &headers)
    }

    /// Checks the mismatches of an endpoint and headers, each as one word.
    #[track_caller]
    fn check(endpoint: &str, headers: &[(&str, &str)], expected: &[&str]) {
        let found = compare(endpoint, headers);
        for mismatch in &found {
            assert!(!mismatch.words().is_empty() && !mismatch.hint().is_empty(), "{mismatch:?}");
            let mut values = headers.iter().filter(|(_, value)| value.len() > 20);
            assert!(values.all(|(_, value)| !mismatch.words().contains(value)), "{mismatch:?}");
        }
        let words: Vec<String> = found
            .iter()
            .map(|mismatch| {
                format!("{mismatch:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
            })
            .collect();
        assert_eq!(words, expected, "{endpoint} {headers:?}");
    }

    const KEY: &str = "hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst";
    const HONEYCOMB: &str = "https://api.honeycomb.io/v1/traces";

    #[test]
    fn accepted_headers_and_protocols_are_no_mismatch() {
        check(HONEYCOMB, &[("x-honeycomb-team", KEY)], &[]);
        check(
            "https://api.eu1.honeycomb.io",
            &[("x-honeycomb-team", "abcdEFGH1234ijklMNOP56")],
            &[],
        );
        check("https://otlp.nr-data.net", &[("api-key", "0123456789abcdef")], &[]);
        check("https://api.axiom.co", &[("authorization", "Bearer xaat-1")], &[]);
        check("http://otel:4318", &[], &[]);
        check("http://otel:4318", &[("x-tenant", "a")], &[]);
    }

    #[test]
    fn names_of_headers_and_hosts_that_nobody_reads_are_found() {
        check(HONEYCOMB, &[("x-honeycomb-teams", KEY)], &["HeaderMisspelt"]);
        check(HONEYCOMB, &[("x-honeycom-team", KEY)], &["HeaderMisspelt"]);
        check("https://otlp.uptrace.dev", &[("uptrace-dns", "https://a@b")], &["HeaderMisspelt"]);
        check(HONEYCOMB, &[], &["HeaderMissing"]);
        check(HONEYCOMB, &[("x-team", KEY)], &["HeaderMissing"]);
        check("https://otlp.datadoghq.com/v1/traces", &[("x-a", "b")], &["HeaderMissing"]);
        check("https://ui.honeycomb.io", &[("x-honeycomb-team", KEY)], &["WebPages"]);
        check("https://app.datadoghq.eu/x", &[("dd-api-key", "0123456789abcdef")], &["WebPages"]);
        check("https://one.newrelic.com", &[("api-key", "0123456789abcdef")], &["WebPages"]);
        check("http://api.honeycomb.io", &[("x-honeycomb-team", KEY)], &["Unencrypted"]);
        check("http://api.axiom.co", &[("authorization", "Bearer x1")], &["Unencrypted"]);
    }

    #[test]
    fn values_that_are_no_key_are_found_wherever_they_go() {
        let local = "http://127.0.0.1:4318/v1/traces";
        for endpoint in [HONEYCOMB, local] {
            for value in ["$(HONEYCOMB_API_KEY)", "{$HONEYCOMB_API_KEY}", "HONEYCOMB_API_KEY"] {
                check(endpoint, &[("x-honeycomb-team", value)], &["NameAsKey"]);
            }
            check(endpoint, &[("x-honeycomb-team", "")], &["HeaderEmpty"]);
            let identifiers =
                [format!("hcaik_{}", "0".repeat(26)), format!("hcalk_{}", "0".repeat(26))];
            for value in identifiers {
                check(endpoint, &[("x-honeycomb-team", &value)], &["WrongKey"]);
            }
            let management = format!("hcamk_{}:{}", "0".repeat(26), "a".repeat(32));
            check(endpoint, &[("x-honeycomb-team", &management)], &["WrongKey"]);
            let classic = "0123456789abcdef0123456789abcdef";
            check(endpoint, &[("x-honeycomb-team", classic)], &["DatasetMissing"]);
            let dataset = ("x-honeycomb-dataset", "shop");
            check(endpoint, &[("x-honeycomb-team", classic), dataset], &[]);
        }
        check(local, &[("dd-api-key", "")], &["HeaderEmpty"]);
    }

    #[test]
    fn a_header_next_to_the_key_is_only_a_warning() {
        let found = compare(HONEYCOMB, &[("x-honeycomb-team", KEY), ("x-honeycomb-dataset", "")]);
        let name = "x-honeycomb-dataset".to_owned();
        assert_eq!(found, [ProviderMismatch::OtherHeaderEmpty { name }]);
        assert!(!found[0].is_fatal() && !ProviderMismatch::Unencrypted.is_fatal());
        assert!(ProviderMismatch::HeaderMissing { name: "a" }.is_fatal());
    }
}
