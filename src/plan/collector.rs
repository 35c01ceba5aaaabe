//! Plans a collector: its entry in the compose file and its configuration.

use std::path::{Path, PathBuf};

use super::{FileChange, Note, Plan, WriteMethod};
use crate::compose::ComposeModel;
use crate::edit::yaml::additions::Addition;
use crate::error::Result;
use crate::provider::Destination;
use crate::provider::collector::{self, FILE, PORT, SERVICE};

/// The settings of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CollectorSettings {
    /// The destination it sends to.
    pub to: Destination,
    /// Origins of pages that may send spans from a browser.
    pub origins: Vec<String>,
    /// Whether clients outside the containers send to it too: a browser, or a service on the host's network.
    pub published: bool,
    /// Named networks of the services.
    pub networks: Vec<String>,
}

/// Returns what `collector` adds to a project below `root`: additions to compose files, and the rest as a plan.
/// `existing` is the text of its configuration, if there is one. Existing contents stay unchanged.
///
/// # Errors
/// `internal`, when a template does not render.
pub(crate) fn plan(
    model: &ComposeModel,
    root: &Path,
    existing: Option<&str>,
    collector: &CollectorSettings,
) -> Result<(Vec<(PathBuf, Addition)>, Plan)> {
    let mut plan = Plan::default();
    let mut additions = Vec::new();
    let address = format!("127.0.0.1:{PORT}:{PORT}");
    let published = collector.published.then_some(address.as_str());
    let mut services = model.services.iter();
    match (model.service(SERVICE), services.find_map(|service| service.defined_in.first())) {
        (None, Some(span)) => additions.push((
            model.file(span).path.clone(),
            Addition::Entry {
                path: vec!["services".to_owned()],
                key: SERVICE.to_owned(),
                body: collector::service(&collector.to, published, &collector.networks)?,
            },
        )),
        (Some(service), _) => {
            let open = service.ports.iter().any(|port| port.container.contains(&PORT));
            if collector.published && !open {
                plan.notes.push(
                    Note::warning(format!(
                        "{SERVICE} already exists and does not publish port {PORT}: nothing outside the containers reaches it"
                    ))
                    .hint(format!("`ports: [\"{address}\"]` in the service {SERVICE} publishes it")),
                );
            }
        }
        (None, None) => {}
    }
    let text = collector::render_collector_configuration(&collector.to, &collector.origins)?;
    match existing {
        None => plan.change(FileChange {
            path: root.join(FILE),
            before: None,
            after: Some(text.into()),
            writing: WriteMethod::Replace,
        }),
        Some(existing) => plan.notes.extend(configuration_differences(existing, &text, collector)),
    }
    Ok((additions, plan))
}

/// Returns warnings about how an existing configuration, which stays unchanged, differs from the planned one.
fn configuration_differences(
    existing: &str,
    text: &str,
    collector: &CollectorSettings,
) -> Vec<Note> {
    if existing == text {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let export = collector::read(existing).ok();
    let endpoint = export.as_ref().map(|export| export.endpoint.as_str());
    if endpoint != Some(collector.to.endpoint.as_str()) {
        let elsewhere =
            endpoint.map_or_else(String::new, |endpoint| format!(" and sends to {endpoint}"));
        notes.push(
            Note::warning(format!(
                "{FILE} already exists{elsewhere}: it is not changed, so nothing is sent to {}",
                collector.to.endpoint
            ))
            .hint(format!("change it by hand, or remove it together with the service {SERVICE} and run `cruddur-ops init` again")),
        );
    }
    let lacking: Vec<&str> = collector
        .origins
        .iter()
        .filter(|origin| !existing.contains(origin.as_str()))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        notes.push(
            Note::warning(format!(
                "{FILE} already exists and is not changed: browsers are refused"
            ))
            .hint(format!(
                "add {} to `cors: allowed_origins` of its `http` receiver",
                lacking.join(" and ")
            )),
        );
    }
    notes
}
