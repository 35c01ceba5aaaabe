//! Builds a link that runs the query in Honeycomb.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::cli::{GlobalOptions, TargetArgs};
use crate::commands::target::HoneycombTarget;
use crate::error::Result;
use crate::net::{self, honeycomb, route::EndpointRoute};
use crate::otlp::query::Query;
use crate::otlp::whoami::Whoami;
use crate::provider;
use crate::session::context;
use crate::shell::Shell;
use crate::ui::Ui;

/// The longest wait for Honeycomb to identify the key.
const ANSWER_TIME_LIMIT: Duration = Duration::from_secs(10);

/// The reason why there is no link.
#[derive(Debug)]
pub(in crate::commands) struct MissingLinkReason {
    pub(in crate::commands) why: String,
    /// A remedy, if one is known.
    pub(in crate::commands) remedy: Option<&'static str>,
}

impl MissingLinkReason {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), remedy: None }
    }
}

/// Returns the link, or why it is missing.
pub(in crate::commands) fn build_link(
    query: &Query,
    args: &TargetArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<std::result::Result<String, MissingLinkReason>> {
    let target = HoneycombTarget::of(args)?;
    let name = context::HONEYCOMB_KEY;
    let key = match context::stored_key(shell, global.directory.as_deref(), name, ui.redactor()) {
        Ok(key) => key,
        Err(why) => {
            let remedy = Some("`cruddur-ops key set` stores the key that names your environment");
            return Ok(Err(MissingLinkReason { why, remedy }));
        }
    };
    let cleared = target.clear(name, &key, ui)?;
    let deadline = Instant::now() + ANSWER_TIME_LIMIT;
    let route = match net::block_on(EndpointRoute::find(&cleared, deadline))? {
        Ok(route) => route,
        Err(failure) => return Ok(Err(MissingLinkReason::because(failure.evidence))),
    };
    let deadline = Instant::now() + ANSWER_TIME_LIMIT;
    let whoami = match net::block_on(honeycomb::whoami_over(&route, &key, deadline))? {
        Ok(whoami) => whoami,
        Err(failure) => {
            let message = failure.words();
            return Ok(Err(MissingLinkReason {
                why: format!("{} says {message}", target.address()),
                remedy: Some("`cruddur-ops key whoami` asks which region knows the key"),
            }));
        }
    };
    Ok(link_template(query, &whoami, &web_pages_url(&target)))
}

/// Returns the address of the web interface that belongs to this API.
fn web_pages_url(target: &HoneycombTarget) -> String {
    let region = target.region.or_else(|| {
        let honeycomb = provider::find_provider("honeycomb")?;
        honeycomb.regions.first()
    });
    region.and_then(|region| region.ui.clone()).unwrap_or_default()
}

fn link_template(
    query: &Query,
    whoami: &Whoami,
    pages: &str,
) -> std::result::Result<String, MissingLinkReason> {
    if whoami.is_classic() {
        return Err(MissingLinkReason::because(
            "a Classic key names no environment; its queries belong to one dataset",
        ));
    }
    let text = serde_json::to_string(query)
        .map_err(|error| MissingLinkReason::because(error.to_string()))?;
    let mut url =
        Url::parse(pages).map_err(|error| MissingLinkReason::because(error.to_string()))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend([
            whoami.team_slug.as_str(),
            "environments",
            whoami.environment_slug.as_str(),
        ]);
    }
    url.query_pairs_mut().append_pair("query", &text);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn whoami(environment: &str) -> Whoami {
        let body = format!(
            r#"{{"type":"ingest","team":{{"name":"My Team","slug":"my-team"}},
                "environment":{{"name":"{environment}","slug":"{environment}"}},"api_key_access":{{}}}}"#
        );
        Whoami::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_link_names_team_environment_and_query() {
        let query = Query::latency(Duration::from_secs(600));
        let link = link_template(&query, &whoami("bootcamp"), "https://ui.honeycomb.io").unwrap();
        let url = Url::parse(&link).unwrap();
        assert_eq!(url.path(), "/my-team/environments/bootcamp");
        let (name, text) = url.query_pairs().next().unwrap();
        assert_eq!(name, "query");
        assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), query);
    }

    #[test]
    fn a_classic_key_has_no_environment_to_link_to() {
        let query = Query::traces(Duration::from_secs(600));
        assert!(link_template(&query, &whoami(""), "https://ui.honeycomb.io").is_err());
    }
}
