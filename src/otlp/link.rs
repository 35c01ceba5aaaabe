//! The link to a trace in Honeycomb's web interface.

use std::time::Duration;

use url::Url;

use super::whoami::Whoami;

/// Returns the link to `trace_id`, sent at `sent` (since 1970). `pages` is the address of Honeycomb's web interface,
/// `dataset` the slug, if known. The link for a Classic key has no environment and requires the dataset.
pub(crate) fn trace(
    pages: &str,
    whoami: &Whoami,
    dataset: Option<&str>,
    trace_id: &str,
    sent: Duration,
) -> Option<String> {
    let mut url = Url::parse(pages).ok()?;
    {
        let mut path = url.path_segments_mut().ok()?;
        path.clear().push(&whoami.team_slug);
        if !whoami.is_classic() {
            path.push("environments").push(&whoami.environment_slug);
        } else if dataset.is_none() {
            return None;
        }
        if let Some(slug) = dataset {
            path.push("datasets").push(slug);
        }
        path.push("trace");
    }
    let second = sent.as_secs();
    url.query_pairs_mut()
        .append_pair("trace_id", trace_id)
        .append_pair("trace_start_ts", &second.saturating_sub(60).to_string())
        .append_pair("trace_end_ts", &(second + 60).to_string());
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::whoami::HoneycombKeyType;

    fn whoami(environment: &str) -> Whoami {
        Whoami {
            kind: HoneycombKeyType::Configuration,
            team: "My Team".to_owned(),
            team_slug: "my-team".to_owned(),
            environment: environment.to_owned(),
            environment_slug: environment.to_owned(),
            permissions: Vec::new(),
        }
    }

    #[test]
    fn a_classic_key_has_another_link() {
        let link = |environment, dataset| {
            let sent = Duration::from_secs(1_000);
            trace("https://ui.honeycomb.io", &whoami(environment), dataset, "ab", sent)
        };
        assert_eq!(
            link("bootcamp", Some("backend")).unwrap(),
            "https://ui.honeycomb.io/my-team/environments/bootcamp/datasets/backend/trace?trace_id=ab&trace_start_ts=940&trace_end_ts=1060"
        );
        assert_eq!(
            link("bootcamp", None).unwrap(),
            "https://ui.honeycomb.io/my-team/environments/bootcamp/trace?trace_id=ab&trace_start_ts=940&trace_end_ts=1060"
        );
        assert_eq!(
            link("", Some("backend")).unwrap(),
            "https://ui.honeycomb.io/my-team/datasets/backend/trace?trace_id=ab&trace_start_ts=940&trace_end_ts=1060"
        );
        assert_eq!(link("", None), None);
    }
}
