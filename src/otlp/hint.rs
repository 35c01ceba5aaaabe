//! Hints for failure codes: one line each, with a command if possible.

use super::verdict::FailureCode;
use crate::provider;

/// Returns what to do about `code` at `host`; `None` if the evidence says enough.
pub(crate) fn hint_for_code(code: FailureCode, host: &str) -> Option<String> {
    let text = match code {
        FailureCode::KeyRejected => return Some(other_region(host)),
        FailureCode::KeyMissing => "`cruddur-ops key set` stores the key".to_owned(),
        FailureCode::UntrustedHost => {
            format!("`cruddur-ops verify --trust-host {host}` sends it there anyway")
        }
        FailureCode::Dns if provider::find_host_owner(host).is_some() => {
            "is this machine connected to the network?".to_owned()
        }
        FailureCode::Dns => format!("check the spelling of {host} in OTEL_EXPORTER_OTLP_ENDPOINT"),
        FailureCode::Connect if host == "host.docker.internal" => {
            "`cruddur-ops listen --containers` receives what is sent there".to_owned()
        }
        FailureCode::Connect => format!("nothing listens at {host}: is the receiver running?"),
        FailureCode::Redirected => {
            "set OTEL_EXPORTER_OTLP_ENDPOINT to the address it redirects to".to_owned()
        }
        FailureCode::NotOtlp => {
            "check host, port and path of OTEL_EXPORTER_OTLP_ENDPOINT; `/v1/traces` is added to it"
                .to_owned()
        }
        FailureCode::Timeout => "`cruddur-ops verify --timeout 30s` waits longer".to_owned(),
        FailureCode::Throttled => "wait a minute, then `cruddur-ops verify`".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// Suggests the other region, because a key of another region looks like a wrong one.
fn other_region(host: &str) -> String {
    let known = provider::of_host(host).filter(|(provider, _)| provider.name == "honeycomb");
    let other = known.and_then(|(provider, region)| {
        let mut others = provider.regions.iter();
        others.find(|other| other.name != region.name)
    });
    match other {
        Some(region) => format!(
            "`cruddur-ops key whoami --region {}` tries the {} region",
            region.name,
            region.name.to_uppercase()
        ),
        None => "`cruddur-ops key status` shows which key is sent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_destination_gets_a_hint_to_the_receiver() {
        let in_container = hint_for_code(FailureCode::Connect, "host.docker.internal").unwrap();
        assert!(in_container.contains("`cruddur-ops listen --containers`"), "{in_container}");
        let elsewhere = hint_for_code(FailureCode::Connect, "h").unwrap();
        assert!(elsewhere.contains("nothing listens at h"), "{elsewhere}");
    }

    #[test]
    fn only_honeycombs_keys_are_tried_in_another_region() {
        let honeycomb = hint_for_code(FailureCode::KeyRejected, "api.honeycomb.io").unwrap();
        assert!(honeycomb.contains("--region eu"), "{honeycomb}");
        let region = hint_for_code(FailureCode::KeyRejected, "otlp.nr-data.net").unwrap();
        assert!(region.contains("key status"), "{region}");
    }
}
