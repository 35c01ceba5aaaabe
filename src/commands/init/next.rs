//! `init`: the next commands, exact.

use super::Answers;
use super::restart::Restarted;
use crate::commands::place::Place;
use crate::compose::{Role, Service, SourceText, classify};
use crate::docker::restart_command;
use crate::plan::Plan;
use crate::plan::instrument::REPAIR;
use crate::provider::collector::PORT;
use crate::ui::{Role as Paint, Ui};
use crate::workspace::Workspace;

/// What to run next.
pub(super) fn steps(
    place: &Place,
    answers: &Answers,
    plan: &Plan,
    restarted: &Restarted,
) -> Vec<String> {
    let mut hints = plan.notes.iter().filter_map(|note| note.hint.as_ref());
    let repair = hints.any(|hint| hint.contains(REPAIR));
    let mut lines: Vec<String> = repair.then(|| REPAIR.to_owned()).into_iter().collect();
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
        (left, _) => Some(restart_command(left)),
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
    if !answers.selected.is_empty() {
        lines.push(match application(place, answers) {
            Some(address) => format!("cruddur-ops verify --app {address}"),
            None => "cruddur-ops verify".to_owned(),
        });
    }
    lines
}

/// Where a traced service that publishes a port answers: one with a route in its `app.py` before the others.
fn application(place: &Place, answers: &Answers) -> Option<String> {
    let model = place.project.model().ok()?;
    let traced = answers.selected.iter().filter_map(|one| model.service(&one.service));
    let published: Vec<(u16, Option<String>)> = traced
        .filter_map(|service| {
            let port = service.ports.iter().find(|port| port.protocol == "tcp")?;
            Some((*port.host.as_ref()?.start(), route(place, service)))
        })
        .collect();
    let with_route = published.iter().find(|(_, route)| route.is_some());
    let (port, route) = with_route.or(published.first())?;
    let path = route.as_deref().unwrap_or("/");
    Some(format!("http://localhost:{port}{path}"))
}

/// The first route of a service's `app.py`.
fn route(place: &Place, service: &Service) -> Option<String> {
    let build = service.build.as_ref()?;
    match place.project.sources().text(&build.context.join("app.py")) {
        SourceText::Found(text) => first_route(&text),
        SourceText::Missing | SourceText::Unreadable(_) => None,
    }
}

/// The path of the first route that takes no arguments and answers a GET.
fn first_route(code: &str) -> Option<String> {
    let lines = code.lines().filter_map(|line| line.trim().strip_prefix("@app.route("));
    let mut paths = lines.filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (path, options) = rest[1..].split_once(quote)?;
        let gets = !options.contains("methods") || options.contains("GET");
        (gets && path.starts_with('/') && !path.contains('<')).then(|| path.to_owned())
    });
    paths.next()
}

/// Says what to run next, if there is anything.
pub(super) fn show(lines: &[String], ui: &mut Ui) {
    if lines.is_empty() {
        return;
    }
    let heading = ui.look.paint(Paint::Strong, "next:");
    ui.say(heading);
    for line in lines {
        ui.say(format!("  {line}"));
    }
}

/// Frontends whose folder is mounted over the image's, so that packages installed there are not seen.
fn frontends_without_packages(place: &Place) -> Vec<String> {
    let Ok(model) = place.project.model() else {
        return Vec::new();
    };
    let sources = place.project.sources();
    let frontends =
        model.services.iter().filter(|service| classify(service, sources).role == Role::Frontend);
    let folders = frontends.filter_map(|service| {
        let context = &service.build.as_ref()?.context;
        let mounted = service.mounts.iter().any(|mount| mount.source == *context);
        let bare = sources.exists(&context.join("package.json"))
            && !sources.exists(&context.join("node_modules"));
        (mounted && bare)
            .then(|| context.strip_prefix(place.root()).unwrap_or(context).display().to_string())
    });
    folders.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_route_that_answers_a_get_is_taken() {
        let code = "@app.route('/api/x', methods=['POST'])\n@app.route(\"/api/@<handle>\")\n@app.route(\"/api/home\", methods=['GET'])\n";
        assert_eq!(first_route(code).as_deref(), Some("/api/home"));
        assert_eq!(first_route("app.get('/')"), None);
    }
}
