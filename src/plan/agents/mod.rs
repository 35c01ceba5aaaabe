//! Plans OpenTelemetry's zero-code agents in the compose files: a service that copies an agent into a volume, and the
//! settings of each service that is started with it.
//!
//! The data is in `templates/agents/`, one file per language.

mod objection;
mod source;
mod template;
mod variables;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use super::Plan;
use super::telemetry::file_of;
use crate::compose::{ComposeModel, ServiceModel};
use crate::edit::yaml::service_lists::{self, ListMember, WantedMember};
use crate::error::Result;

use source::AgentSource;

pub(crate) use objection::{AgentEvidence, find_library, find_objection};
pub(crate) use template::{
    AgentTemplate, CLibrary, JoinSide, LanguageTemplate, VariableRule, find_agent, find_template,
    list_agents,
};
pub(crate) use variables::{OtherSignals, list_variables};

/// A service to be started with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedAgent {
    /// The service's name in the compose file.
    pub service: String,
    /// The agent.
    pub agent: &'static AgentTemplate,
    /// The C library of the service's image.
    pub library: CLibrary,
}

/// Images to copy agents from, by the agent's name.
pub(crate) type AgentImages = BTreeMap<String, String>;

/// Returns the agent that an earlier `init` gave to a service.
pub(crate) fn find_planned(model: &ComposeModel, service: &ServiceModel) -> Option<PlannedAgent> {
    let copied = COPIES.iter().find(|copy| {
        service.depends_on.contains(&copy.service) && model.service(&copy.service).is_some()
    })?;
    Some(PlannedAgent {
        service: service.name.clone(),
        agent: copied.agent,
        library: copied.library,
    })
}

/// Returns whether a service copies an agent for others, as `init` writes it.
pub(crate) fn is_agent_service(service: &ServiceModel) -> bool {
    service.build.is_none() && COPIES.iter().any(|copy| copy.service == service.name)
}

/// An agent as it is copied for one C library.
struct AgentCopy {
    agent: &'static AgentTemplate,
    library: CLibrary,
    /// The name of the service that copies it.
    service: String,
}

/// Every agent for each C library; every service of a project is compared with their names.
static COPIES: LazyLock<Vec<AgentCopy>> = LazyLock::new(|| {
    let libraries = [CLibrary::Glibc, CLibrary::Musl];
    let copies = list_agents().flat_map(|agent| {
        libraries.map(|library| AgentCopy { agent, library, service: agent.service(library) })
    });
    copies.collect()
});

/// Adds to `plan` whatever the compose files lack for the agents in `planned`. Services in `last` are written to the
/// last file that names them.
///
/// # Errors
/// `unsafe-edit` when a compose file cannot be edited without changing its other contents, or when the volume of an
/// agent from another image has a name of its own.
pub(crate) fn extend(
    plan: &mut Plan,
    model: &ComposeModel,
    planned: &[PlannedAgent],
    images: &AgentImages,
    last: &BTreeSet<String>,
) -> Result<()> {
    let mut sources: BTreeMap<(&str, CLibrary), AgentSource> = BTreeMap::new();
    let mut members: BTreeMap<&Path, Vec<WantedMember>> = BTreeMap::new();
    for planned_agent in planned {
        let Some(service) = model.service(&planned_agent.service) else { continue };
        let Some(file) = file_of(model, service, None, last) else { continue };
        let key = (planned_agent.agent.name.as_str(), planned_agent.library);
        let source = match sources.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let source = AgentSource::find(model, planned_agent, images)?;
                source.plan(plan, model, &file.path, planned_agent)?;
                place.insert(source)
            }
        };
        let volume = format!("{}:{}:ro", source.volume, planned_agent.agent.mount);
        let waits = ListMember::Dependency {
            service: source.service.clone(),
            condition: "service_healthy".to_owned(),
        };
        let wanted = [ListMember::Volume(volume), waits]
            .map(|member| WantedMember { service: service.name.clone(), member });
        members.entry(&file.path).or_default().extend(wanted);
    }
    for (path, members) in members {
        plan.amend(model, path, |text| service_lists::add(text, &members))?;
        members.iter().for_each(|member| plan.compose.add_member(member));
    }
    plan.notes.extend(sources.values().filter_map(AgentSource::note));
    Ok(())
}
