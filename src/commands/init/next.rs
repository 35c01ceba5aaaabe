//! `init`: the exact next commands.

use super::InitAnswers;
use super::restart::RestartResult;
use crate::compose::classify_service;
use crate::docker::restart_command;
use crate::plan::Plan;
use crate::plan::instrument::REPAIR;
use crate::provider::collector::PORT;
use crate::session::application::{AppAddress, find_address};
use crate::session::containers::restart_scope;
use crate::session::context::ProjectContext;
use crate::workspace::Workspace;

/// Returns the next commands to run.
pub(super) fn steps(
    place: &ProjectContext,
    answers: &InitAnswers,
    plan: &Plan,
    restarted: &RestartResult,
) -> Vec<String> {
    if answers.selected.is_empty() {
        return plan.steps.clone();
    }
    let mut hints = plan.notes.iter().filter_map(|note| note.hint.as_ref());
    let repair = hints.any(|hint| hint.contains(REPAIR));
    let mut lines = plan.steps.clone();
    if !lines.is_empty() {
        lines.push("cruddur-ops init  # once more: the code waited for these packages".to_owned());
    }
    lines.extend(repair.then(|| REPAIR.to_owned()));
    lines.extend(
        frontends_without_packages(place)
            .into_iter()
            .map(|folder| format!("npm install --prefix {folder}  # compose mounts this folder")),
    );
    if answers.destination.provider == "local" {
        lines.push("cruddur-ops listen --containers".to_owned());
    }
    let browsers = answers.collector.iter().any(|one| !one.origins.is_empty());
    let workspace = Workspace::detect(place.shell);
    if browsers && workspace.has_live_ports() {
        lines.push(format!("cruddur-ops ports {PORT}=public"));
    }
    let compose = match (restarted.left.as_slice(), restarted.done.as_slice()) {
        ([], []) => Some("docker compose up --build".to_owned()),
        ([], _) => None,
        (left, _) => {
            // The files were written after the project was read.
            let waiting = |name: &String| answers.agents.variables.contains_key(name);
            let agented = left.iter().filter(|name| waiting(name)).cloned().collect();
            Some(restart_command(left, restart_scope(left, &agented)))
        }
    };
    lines.extend(compose.map(|compose| match answers.key {
        Some(_) => format!("cruddur-ops run -- {compose}"),
        None => compose,
    }));
    let public = answers.ports.as_ref().filter(|ports| ports.wants_public());
    if let (Workspace::Codespaces(_), Some(ports)) = (&workspace, public) {
        let command = ports.command();
        lines.push(format!("{command}  # again, once the services listen"));
    }
    lines.push(match address_to_ask(place, answers) {
        Some(address) => format!("cruddur-ops verify --app {address}"),
        None => "cruddur-ops verify".to_owned(),
    });
    lines
}

/// Returns the address to ask a traced service at, preferably one with a known path.
fn address_to_ask(place: &ProjectContext, answers: &InitAnswers) -> Option<String> {
    let model = place.project.model().ok()?;
    let traced = answers.selected.iter().filter_map(|one| model.service(&one.service));
    let found: Vec<AppAddress> =
        traced.filter_map(|service| find_address(place, service)).collect();
    let with_path = found.iter().find(|address| address.path.is_some());
    Some(with_path.or(found.first())?.url())
}

/// Returns the frontends whose mounted folder hides the packages installed in the image.
fn frontends_without_packages(place: &ProjectContext) -> Vec<String> {
    let Ok(model) = place.project.model() else {
        return Vec::new();
    };
    let sources = place.project.sources();
    let folders = model.services.iter().filter_map(|service| {
        let context = &service.build.as_ref()?.context;
        let mounted = service.mounts.iter().any(|mount| mount.source == *context);
        let is_bare = || {
            sources.exists(&context.join("package.json"))
                && !sources.exists(&context.join("node_modules"))
        };
        let has_pages = || classify_service(service, sources).role.has_pages();
        (mounted && is_bare() && has_pages())
            .then(|| context.strip_prefix(place.root()).unwrap_or(context).display().to_string())
    });
    folders.collect()
}
