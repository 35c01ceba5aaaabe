//! `init`: the next commands, exact.

use super::Answers;
use crate::commands::place::Place;
use crate::compose::{Role, classify};
use crate::ui::{Role as Paint, Ui};

/// What to run next.
pub(super) fn steps(place: &Place, answers: &Answers) -> Vec<String> {
    let mut lines: Vec<String> = frontends_without_packages(place)
        .into_iter()
        .map(|folder| format!("npm install --prefix {folder}"))
        .collect();
    let compose = "docker compose up --build";
    lines.push(match answers.key {
        Some(_) => format!("cruddur-ops run -- {compose}"),
        None => compose.to_owned(),
    });
    lines.push("cruddur-ops verify".to_owned());
    lines
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
    let frontends = model
        .services
        .iter()
        .filter(|service| classify(service, sources).role == Role::Frontend);
    let folders = frontends.filter_map(|service| {
        let context = &service.build.as_ref()?.context;
        let mounted = service.mounts.iter().any(|mount| mount.source == *context);
        let bare = sources.exists(&context.join("package.json"))
            && !sources.exists(&context.join("node_modules"));
        (mounted && bare).then(|| {
            context
                .strip_prefix(place.root())
                .unwrap_or(context)
                .display()
                .to_string()
        })
    });
    folders.collect()
}
