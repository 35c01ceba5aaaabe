//! Removes the services that `init` adds for others, and the list entries by which those use them.

use std::collections::BTreeSet;

use super::{RemovalRequest, RemovedLines};
use crate::compose::{ComposeModel, ReferenceKind, ServiceModel};
use crate::edit::yaml::additions::{self, Addition};
use crate::edit::yaml::service_lists::{ListMember, WantedMember};
use crate::error::Result;
use crate::plan::addons::{self, AwsKeyLifetime};
use crate::plan::agents::{self, PlannedAgent};
use crate::provider::{Addon, collector};

/// The variable by which a service finds X-Ray's daemon.
const DAEMON_ADDRESS: &str = "AWS_XRAY_DAEMON_ADDRESS";

/// Removes the list entries by which a service uses an agent or a daemon.
pub(super) fn take_members(
    model: &ComposeModel,
    service: &ServiceModel,
    agent: Option<&PlannedAgent>,
    lines: &mut RemovedLines<'_>,
) {
    let wanted = |member| WantedMember { service: service.name.clone(), member };
    if let Some(planned) = agent
        && let Some(source) = model.service(&planned.agent.service(planned.library))
    {
        if let Some(volume) = volume_of(source) {
            let text = format!("{volume}:{}:ro", planned.agent.mount);
            lines.take_member(model, service, &wanted(ListMember::Volume(text)));
        }
        lines.take_member(model, service, &wanted(dependency(&source.name, "service_healthy")));
    }
    let reports = lines.lacks_variable(&service.name, DAEMON_ADDRESS);
    if let Some(daemon) = added_daemon(model).filter(|_| reports) {
        lines.take_member(model, service, &wanted(dependency(&daemon.name, "service_started")));
    }
}

fn dependency(service: &str, condition: &str) -> ListMember {
    ListMember::Dependency { service: service.to_owned(), condition: condition.to_owned() }
}

fn volume_of(service: &ServiceModel) -> Option<&str> {
    let volumes =
        service.references.iter().find(|reference| reference.kind == ReferenceKind::Volume);
    volumes.map(|reference| reference.name.as_str())
}

/// Removes the services that were added for the removed ones and that no other service uses.
pub(super) fn take_unused(
    model: &ComposeModel,
    request: &RemovalRequest<'_>,
    lines: &mut RemovedLines<'_>,
) -> Result<()> {
    let mut users: BTreeSet<&str> = BTreeSet::new();
    for service in &model.services {
        let others = service.depends_on.iter();
        let remaining = others.filter(|other| !lines.lacks(&service.name, "depends_on", other));
        users.extend(remaining.map(String::as_str));
    }
    let agents: Vec<&ServiceModel> = model
        .services
        .iter()
        .filter(|service| {
            agents::is_agent_service(service) && !users.contains(service.name.as_str())
        })
        .collect();
    for service in agents {
        let is_freed = lines.reverse.services.values().any(|changes| {
            changes.items.get("depends_on").is_some_and(|items| items.contains(&service.name))
        });
        let Some((planned, volume)) = find_agent(model, service).filter(|_| is_freed) else {
            continue;
        };
        let image = service.image.as_deref().unwrap_or_default();
        let body = planned.agent.render_service(planned.library, image)?;
        if take_service(model, service, &body, lines) {
            take_volume(model, volume, lines);
        }
    }
    let is_named = |lines: &RemovedLines<'_>, name: &str| {
        let host = format!("//{name}:");
        let is_other = |service: &&ServiceModel| {
            service.environment.iter().any(|entry| {
                let raw = entry.raw().unwrap_or_default();
                !lines.lacks_variable(&service.name, &entry.name)
                    && (raw.contains(&host) || raw.starts_with(&host[2..]))
            })
        };
        users.contains(name) || model.services.iter().any(|other| is_other(&other))
    };
    if let Some(service) = model.service(collector::SERVICE)
        && !lines.reverse.services.is_empty()
        && !is_named(lines, &service.name)
    {
        take_collector(model, request, service, lines)?;
    }
    if let Some(daemon) = added_daemon(model)
        && lines.reverse.services.values().any(|changes| changes.sets(DAEMON_ADDRESS))
        && !is_named(lines, &daemon.name)
    {
        let region = daemon.declared("AWS_REGION").and_then(|entry| entry.raw());
        for keys in [AwsKeyLifetime::Permanent, AwsKeyLifetime::Temporary] {
            let body = addons::render_daemon(region.unwrap_or_default(), &daemon.networks, keys)?;
            if take_service(model, daemon, &body, lines) {
                break;
            }
        }
    }
    Ok(())
}

/// Returns the agent that a service copies, and the volume that it copies it into.
fn find_agent<'m>(
    model: &ComposeModel,
    service: &'m ServiceModel,
) -> Option<(PlannedAgent, &'m str)> {
    let using = model
        .services
        .iter()
        .filter(|other_service| other_service.depends_on.contains(&service.name));
    let mut agents = using.filter_map(|service| agents::find_planned(model, service));
    let planned = agents.find(|planned| planned.agent.service(planned.library) == service.name)?;
    Some((planned, volume_of(service)?))
}

/// Returns X-Ray's daemon if it has the name under which `init` adds it.
fn added_daemon(model: &ComposeModel) -> Option<&ServiceModel> {
    let daemon = Addon::Xray.profile()?.daemon.as_ref()?;
    model.service(&daemon.service)
}

fn take_collector(
    model: &ComposeModel,
    request: &RemovalRequest<'_>,
    service: &ServiceModel,
    lines: &mut RemovedLines<'_>,
) -> Result<()> {
    let Some(file) = request.collector else { return Ok(()) };
    let origins = collector::origins(file.text);
    let loopback_port = format!("127.0.0.1:{0}:{0}", collector::PORT);
    let published = (!service.ports.is_empty()).then_some(loopback_port.as_str());
    for to in file.sends_to {
        let body = collector::service(to, published, &service.networks)?;
        if collector::render_collector_configuration(to, &origins)? == file.text
            && take_service(model, service, &body, lines)
        {
            lines.collector = true;
            return Ok(());
        }
    }
    Ok(())
}

/// Removes a service whose only entry means the same as `body`; returns whether it did.
fn take_service(
    model: &ComposeModel,
    service: &ServiceModel,
    body: &str,
    lines: &mut RemovedLines<'_>,
) -> bool {
    let [span] = service.defined_in.as_slice() else { return false };
    let file = model.file(span);
    if lines.cleared.contains(&file.path) {
        return false;
    }
    let path = ["services"].map(str::to_owned);
    let is_added = file.tree().is_ok_and(|tree| additions::says(tree, &path, &service.name, body));
    if is_added {
        lines.take(&file.path, &["services"], &service.name);
        let path = path.to_vec();
        let (key, body) = (service.name.clone(), String::new());
        lines.reverse.add(&Addition::Entry { path, key, body });
    }
    is_added
}

/// Removes a volume without settings that no other service uses.
fn take_volume(model: &ComposeModel, volume: &str, lines: &mut RemovedLines<'_>) {
    let is_kept = model.services.iter().any(|service| {
        let mut references = service.references.iter();
        let uses = references
            .any(|reference| reference.kind == ReferenceKind::Volume && reference.name == volume);
        uses && !lines.reverse.added.contains(&service.name)
            && !lines.lacks(&service.name, "volumes", volume)
    });
    let path = ["volumes"].map(str::to_owned);
    let has = |tree| additions::says(tree, &path, volume, "");
    let files = model
        .compose_files()
        .filter(|file| file.tree().is_ok_and(|tree| has(tree)))
        .filter(|file| !is_kept && !lines.cleared.contains(&file.path));
    let found = files.last();
    if let Some(file) = found {
        lines.take(&file.path, &["volumes"], volume);
    }
}
