//! Compares the project's containers with its files, and offers to recreate outdated ones.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::compose::ComposeModel;
use crate::docker::{
    ComposeProject, Container, Engine, ResourceNames, RestartScope, restart_command,
};
use crate::error::Result;
use crate::net;
use crate::plan::agents::find_planned;
use crate::session::context::ProjectContext;
use crate::session::secrets;
use crate::ui::Ui;
use crate::ui::prompt::DefaultAnswer;

/// The containers of a project, from the docker engine.
#[derive(Debug)]
pub(crate) struct ProjectContainers {
    pub(super) engine: Engine,
    pub(super) project: ComposeProject,
    list: Vec<Container>,
    /// The digest of each service's configuration as it would be now; `None` if docker compose does not say.
    digests: Option<BTreeMap<String, String>>,
    /// Services that depend on an agent's container.
    agented: BTreeSet<String>,
    /// The names of the project's networks and volumes in docker, once queried.
    names: OnceCell<ResourceNames>,
}

impl ProjectContainers {
    /// Returns whether there can be containers; without docker, nothing needs to be read.
    pub(crate) fn may_be(context: &ProjectContext) -> bool {
        context.shell.which("docker").is_some()
    }

    /// Returns the project's containers; `None` if no engine answers or there are none.
    pub(crate) fn find(context: &ProjectContext, ui: &mut Ui) -> Option<Self> {
        let engine = Engine::find(context.shell, context.root().to_owned())?;
        let list = engine
            .containers()
            .map_err(|error| ui.detail(error.cause.unwrap_or(error.message)))
            .ok()?;
        if list.is_empty() {
            return None;
        }
        let project = compose_project(context, ui)?;
        let digests = engine
            .digests(&project)
            .map_err(|error| ui.detail(error.cause.unwrap_or(error.message)));
        let agented = list_agented(context.project.model().ok()?);
        let names = OnceCell::new();
        Some(Self { engine, project, list, digests: digests.ok(), agented, names })
    }

    /// Returns the log of a service's containers since `since`, or recently; `None` if it cannot be read.
    pub(crate) fn log(&self, service: &str, since: Option<SystemTime>) -> Option<String> {
        let logs = self.of(service).filter_map(|container| self.engine.log(container, since).ok());
        logs.reduce(|all, log| all + &log)
    }

    /// Returns a service's containers.
    pub(crate) fn of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Container> {
        self.list.iter().filter(move |container| container.service == service)
    }

    /// Returns whether the service runs with another configuration than its files and variables define.
    pub(crate) fn is_outdated(&self, service: &str) -> bool {
        // A service whose profile is not on has none.
        let Some(now) = self.digest(service) else {
            return false;
        };
        self.running(service)
            .any(|container| container.digest.as_deref().is_some_and(|digest| digest != now))
    }

    /// Returns the digest of a service's current configuration, if docker compose reports it.
    pub(super) fn digest(&self, service: &str) -> Option<&str> {
        self.digests.as_ref()?.get(service).map(String::as_str)
    }

    /// Returns whether the service is running.
    pub(crate) fn is_running(&self, service: &str) -> bool {
        self.running(service).next().is_some()
    }

    /// Returns a service's running containers.
    pub(super) fn running<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Container> {
        self.of(service).filter(|container| container.running)
    }

    /// Returns the names of the project's networks and volumes in docker.
    ///
    /// # Errors
    /// `docker-failed`; `remote-resource`.
    pub(super) fn resource_names(&self) -> Result<&ResourceNames> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let names = self.engine.resource_names(&self.project)?;
        Ok(self.names.get_or_init(|| names))
    }

    /// Recreates the containers of `services` after confirmation. Returns whether it did.
    ///
    /// # Errors
    /// `docker-failed`; when the question is interrupted.
    pub(crate) fn offer(
        &self,
        services: &[String],
        leave: RestartPermission,
        ui: &mut Ui,
    ) -> Result<bool> {
        if services.is_empty() {
            return Ok(false);
        }
        let names = services.join(", ");
        let question = format!("{names} still has the old configuration. Restart it now?");
        let agreed = match leave {
            RestartPermission::Given => true,
            RestartPermission::Ask => {
                ui.interactive() && ui.confirm(&question, "--restart", DefaultAnswer::Yes)?
            }
            RestartPermission::Withheld => false,
        };
        if !agreed {
            return Ok(false);
        }
        let scope = restart_scope(services, &self.agented);
        let work = self.engine.restart(&self.project, services, scope, |line| {
            ui.progress(&format!("restarting {names}: {line}"));
        });
        let done = net::block_on(work)?;
        ui.progress_done();
        done.map_err(|error| error.hint(format!("`{}`", self.restart_by_hand(services))))?;
        ui.say(format!("restarted {names}"));
        Ok(true)
    }

    /// Returns the command that restarts services with the stored keys.
    pub(crate) fn restart_by_hand(&self, services: &[String]) -> String {
        let scope = restart_scope(services, &self.agented);
        format!("cruddur-ops run -- {}", restart_command(services, scope))
    }
}

/// Returns docker compose's inputs for the project; `None` if its files cannot be read.
fn compose_project(context: &ProjectContext, ui: &Ui) -> Option<ComposeProject> {
    let model = context.project.model().ok()?;
    let stored = secrets::stored_variables(context, ui.redactor()).ok()?;
    let reaches = model.reaches.iter().map(|span| {
        let position = model.place(span);
        format!("line {} of {}", position.line, position.path.display())
    });
    Some(ComposeProject {
        folder: context.project.here().to_owned(),
        stored,
        assigned: model.assigned_names(),
        reaches: reaches.collect(),
    })
}

/// Whether services may be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestartPermission {
    /// A flag permits it.
    Given,
    /// Ask the user.
    Ask,
    /// Neither restart nor ask.
    Withheld,
}

/// Lists the services that depend on an agent's container to start.
fn list_agented(model: &ComposeModel) -> BTreeSet<String> {
    let waiting = model.services.iter().filter(|service| find_planned(model, service).is_some());
    waiting.map(|service| service.name.clone()).collect()
}

/// Returns what a restart of services may start in addition, if those of `agented` depend on an agent.
pub(crate) fn restart_scope(services: &[String], agented: &BTreeSet<String>) -> RestartScope {
    if services.iter().any(|name| agented.contains(name)) {
        RestartScope::WithDependencies
    } else {
        RestartScope::Alone
    }
}
