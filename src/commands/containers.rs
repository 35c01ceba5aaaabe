//! The project's containers beside its files: which run with something older, and the offer to put new ones in their place.

use std::collections::BTreeMap;

use super::place::Place;
use super::secrets;
use crate::docker::{Container, Engine, restart_command};
use crate::error::Result;
use crate::net;
use crate::ui::Ui;

/// What an engine says of a project.
#[derive(Debug)]
pub(super) struct Containers {
    engine: Engine,
    list: Vec<Container>,
    /// Each service's configuration as it would be now.
    digests: BTreeMap<String, String>,
}

impl Containers {
    /// Whether there can be any: without docker nothing needs to be read for it.
    pub(super) fn may_be(place: &Place) -> bool {
        place.shell.which("docker").is_some()
    }

    /// The containers of the project here; `None` where no engine answers or nothing of it was ever started.
    pub(super) fn find(place: &Place, ui: &mut Ui) -> Option<Self> {
        if !Self::may_be(place) {
            return None;
        }
        let stores = place.stores(ui.redactor());
        let model = place.project.model().ok()?;
        let stored = secrets::asked_for(model).into_iter().filter_map(|name| {
            let found = stores.survey(&name).under_run()?;
            Some((name, found.secret))
        });
        let engine = Engine::find(place.shell, place.root(), &stored.collect())?;
        let found = engine.containers().and_then(|list| Ok((list, engine.digests()?)));
        match found {
            Ok((list, digests)) if !list.is_empty() => Some(Self { engine, list, digests }),
            Ok(_) => None,
            Err(error) => {
                ui.detail(error.cause.unwrap_or(error.message));
                None
            }
        }
    }

    /// The engine itself.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A service's containers.
    pub(super) fn of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Container> {
        self.list.iter().filter(move |one| one.service == service)
    }

    /// It runs with another configuration than its files and variables now say.
    pub(super) fn is_outdated(&self, service: &str) -> bool {
        let now = self.digests.get(service);
        self.of(service)
            .any(|one| one.running && one.digest.is_some() && one.digest.as_ref() != now)
    }

    /// It runs.
    pub(super) fn is_running(&self, service: &str) -> bool {
        self.of(service).any(|one| one.running)
    }

    /// Puts new containers in the place of those of `services`, after a yes. Answers whether it was done.
    ///
    /// # Errors
    /// `docker-failed`; an interrupted question.
    pub(super) fn offer(&self, services: &[String], leave: Leave, ui: &mut Ui) -> Result<bool> {
        if services.is_empty() {
            return Ok(false);
        }
        let names = services.join(", ");
        let question = format!("{names} runs with what was there before. Restart it now?");
        let agreed = match leave {
            Leave::Given => true,
            Leave::Ask => ui.interactive() && ui.confirm(&question, "--restart", true)?,
            Leave::Withheld => false,
        };
        if !agreed {
            return Ok(false);
        }
        let work = self.engine.restart(services, |line| {
            ui.progress(&format!("restarting {names}: {line}"));
        });
        let done = net::block_on(work)?;
        ui.progress_done();
        done.map_err(|error| error.hint(format!("`{}`", by_hand(services))))?;
        ui.say(format!("restarted {names}"));
        Ok(true)
    }
}

/// Whether services may be restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// It was said beforehand.
    Given,
    /// Whoever is there is asked.
    Ask,
    /// Nobody is asked.
    Withheld,
}

/// The command that does the same with the stored keys.
pub(super) fn by_hand(services: &[String]) -> String {
    format!("cruddur-ops run -- {}", restart_command(services))
}
