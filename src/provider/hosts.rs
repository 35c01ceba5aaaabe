//! Matches hosts against a provider's patterns, label by label.

/// Returns whether `host` matches `pattern`: `api.example.com`; `ingest.{region}.example.com`, where the placeholder
/// is one label or a part of one; or `*.example.com`, with any number of labels before the dot.
pub(super) fn matches(pattern: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let pattern = pattern.to_ascii_lowercase();
    if let Some(suffix) = pattern.strip_prefix("*.") {
        let above = host.strip_suffix(suffix).and_then(|above| above.strip_suffix('.'));
        return above.is_some_and(|above| above.split('.').all(is_label));
    }
    let (wanted, found) = (pattern.split('.'), host.split('.'));
    wanted.clone().count() == found.clone().count()
        && wanted.zip(found).all(|(wanted, found)| matches_host_label(wanted, found))
}

/// Returns the host of a URL.
pub(super) fn url_host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

fn matches_host_label(wanted: &str, found: &str) -> bool {
    let Some((before, rest)) = wanted.split_once('{') else {
        return wanted == found;
    };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let open = found.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    open.is_some_and(is_label)
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn labels_between_dots_match_exactly() {
        for (pattern, host, expected) in [
            ("api.honeycomb.io", "API.honeycomb.io", true),
            ("api.honeycomb.io", "api.honeycomb.io.example", false),
            ("api.honeycomb.io", "apixhoneycomb.io", false),
            ("ingest.{region}.signoz.cloud", "ingest.eu.signoz.cloud", true),
            ("ingest.{region}.signoz.cloud", "ingest.a.b.signoz.cloud", false),
            ("ingest.{region}.signoz.cloud", "ingest..signoz.cloud", false),
            ("ingest.{region}.signoz.cloud", "ingest.eu.signoz.cloud.", false),
            ("gate-{zone}.grafana.net", "gate-prod-1.grafana.net", true),
            ("gate-{zone}.grafana.net", "gate-.grafana.net", false),
            ("gate-{zone}.grafana.net", "other.grafana.net", false),
            ("gate-{zone}.grafana.net", "gate-a.evilgrafana.net", false),
            ("*.cloud.es.io", "x.ingest.eu.aws.cloud.es.io", true),
            ("*.cloud.es.io", "cloud.es.io", false),
            ("*.cloud.es.io", ".cloud.es.io", false),
            ("*.cloud.es.io", "evilcloud.es.io", false),
            ("*.cloud.es.io", "a@b.cloud.es.io", false),
        ] {
            assert_eq!(matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
