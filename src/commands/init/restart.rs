//! `init`: offers to recreate running services that would not see the changes.

use crate::cli::InitArgs;
use crate::error::Result;
use crate::plan::Plan;
use crate::session::containers::{ProjectContainers, RestartPermission};
use crate::session::context::ProjectContext;
use crate::ui::Ui;

/// The services with new containers, and those without.
#[derive(Debug, Clone, Default)]
pub(super) struct RestartResult {
    /// Services with new containers.
    pub(super) done: Vec<String>,
    /// Services that still run with the old configuration.
    pub(super) left: Vec<String>,
}

/// Offers new containers for the services whose configuration or code `plan` changed; the plan is already written.
///
/// # Errors
/// `docker-failed`; when the question is interrupted.
pub(super) fn offer(
    args: &InitArgs,
    context: &ProjectContext,
    plan: &Plan,
    ui: &mut Ui,
) -> Result<RestartResult> {
    if args.no_verify || !ProjectContainers::may_be(context) {
        return Ok(RestartResult::default());
    }
    let context = &context.again()?;
    let Some(containers) = ProjectContainers::find(context, ui) else {
        return Ok(RestartResult::default());
    };
    let services = context.project.model()?.services.iter();
    let concerned = services.filter(|service| {
        let built = service.build.as_ref().map(|build| &build.context);
        let rewritten = built.is_some_and(|folder| {
            let mut changes = plan.changes.iter();
            folder != context.root() && changes.any(|change| change.path.starts_with(folder))
        });
        containers.is_outdated(&service.name) || (rewritten && containers.is_running(&service.name))
    });
    let names: Vec<String> = concerned.map(|service| service.name.clone()).collect();
    let leave = match (args.restart, args.write.yes) {
        (true, _) => RestartPermission::Given,
        (false, true) => RestartPermission::Withheld,
        (false, false) => RestartPermission::Ask,
    };
    Ok(if containers.offer(&names, leave, ui)? {
        RestartResult { done: names, left: Vec::new() }
    } else {
        RestartResult { done: Vec::new(), left: names }
    })
}
