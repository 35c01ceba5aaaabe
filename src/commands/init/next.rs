//! `init`: the exact next commands.

use std::collections::BTreeSet;

use super::InitAnswers;
use super::restart::RestartResult;
use crate::compose::{EnvFileState, classify_service};
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
    context: &ProjectContext,
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
        lines.push("cruddur-ops init  # again: the code needs these packages first".to_owned());
    }
    lines.extend(repair.then(|| REPAIR.to_owned()));
    lines.extend(
        frontends_without_packages(context)
            .into_iter()
            .map(|folder| format!("npm install --prefix {folder}  # compose mounts this folder")),
    );
    if answers.destination.provider == "local" {
        lines.push("cruddur-ops listen --containers".to_owned());
    }
    let browsers = answers.collector.iter().any(|collector| !collector.origins.is_empty());
    let workspace = Workspace::detect(context.shell);
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
    lines.extend(env_files_to_create(context));
    lines.extend(compose.map(|compose| match answers.key {
        Some(_) => format!("cruddur-ops run -- {compose}"),
        None => compose,
    }));
    let public = answers.ports.as_ref().filter(|ports| ports.wants_public());
    if let (Workspace::Codespaces(_), Some(ports)) = (&workspace, public) {
        let command = ports.command();
        lines.push(format!("{command}  # again, once the services listen"));
    }
    lines.push(match address_to_ask(context, answers) {
        Some(address) => format!("cruddur-ops verify --app {address}"),
        None => "cruddur-ops verify".to_owned(),
    });
    lines
}

/// Returns the address to ask a traced service at, preferably one with a known path.
fn address_to_ask(context: &ProjectContext, answers: &InitAnswers) -> Option<String> {
    let model = context.project.model().ok()?;
    let traced = answers.selected.iter().filter_map(|selected| model.service(&selected.service));
    let found: Vec<AppAddress> =
        traced.filter_map(|service| find_address(context, service)).collect();
    let with_path = found.iter().find(|address| address.path.is_some());
    Some(with_path.or(found.first())?.url())
}

/// Returns a line for each env_file that is created from a template: docker compose refuses the project without it.
fn env_files_to_create(context: &ProjectContext) -> Vec<String> {
    let Ok(model) = context.project.model() else {
        return Vec::new();
    };
    let files = model.services.iter().flat_map(|service| &service.env_files);
    let missing = files.filter(|file| file.required).filter_map(|file| match &file.state {
        EnvFileState::Missing(Some(template)) => {
            let template = context.project.shown(&template.path);
            Some(format!("# create {} from {} first", file.written, template.display()))
        }
        _ => None,
    });
    missing.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the frontends whose mounted folder hides the packages installed in the image.
fn frontends_without_packages(context: &ProjectContext) -> Vec<String> {
    let Ok(model) = context.project.model() else {
        return Vec::new();
    };
    let sources = context.project.sources();
    let folders = model.services.iter().filter_map(|service| {
        let folder = &service.build.as_ref()?.context;
        let mounted = service.mounts.iter().any(|mount| mount.source == *folder);
        let is_bare = || {
            sources.exists(&folder.join("package.json"))
                && !sources.exists(&folder.join("node_modules"))
        };
        let has_pages = || classify_service(service, sources).role.has_pages();
        (mounted && is_bare() && has_pages())
            .then(|| folder.strip_prefix(context.root()).unwrap_or(folder).display().to_string())
    });
    folders.collect()
}
