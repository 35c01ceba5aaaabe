//! `ports`: determines the files that describe ports, and their planned contents.

use std::collections::BTreeMap;
use std::path::Path;

use super::{PortsRequest, PortsWorkspace};
use crate::compose::classify_service;
use crate::edit::jsonc::devcontainer as devcontainer_editor;
use crate::edit::yaml::ports::{self as editor, PortEntry, Visibility};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::gitpod::GitpodPortEntry;
use crate::plan::ports::{
    self, PortEntries, PortEntryOrigin, PortPolicy, PublishedRange, PublishedTcpPort,
};
use crate::plan::{Note, Plan, WriteMethod, devcontainer};
use crate::session::context::ProjectContext;
use crate::workspace::{LivePort, LiveVisibility as Live, Workspace};

/// Plans the changes to the workspace's files that `request` needs.
///
/// # Errors
/// `unsafe-edit`.
pub(crate) fn plan_port_files(
    context: &ProjectContext,
    request: &PortsRequest,
    ports_workspace: &PortsWorkspace,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let gitpod = writes_gitpod(context, request, &ports_workspace.workspace);
    if gitpod {
        plan.extend(plan_gitpod_ports(context, request)?);
    }
    if !asks_for_ports(request) {
        return Ok(plan);
    }
    let wanted = port_goals(context, request, ports_workspace)?;
    for note in wanted.notes {
        if !plan.notes.contains(&note) {
            plan.notes.push(note);
        }
    }
    if writes_devcontainer(context, request, &ports_workspace.workspace) {
        plan.extend(plan_devcontainer_ports(context, request, &wanted.goals, ports_workspace)?);
    } else if context.project.devcontainer.is_none() {
        plan.notes.extend(missing_file_note(gitpod, request, &ports_workspace.workspace));
    }
    Ok(plan)
}

/// Returns a note on the file that would keep the ports but does not exist.
fn missing_file_note(gitpod: bool, request: &PortsRequest, workspace: &Workspace) -> Option<Note> {
    const NO_FILE: &str = "no file here configures ports";
    match workspace {
        Workspace::Codespaces(_) => {
            let note = "there is no devcontainer.json: what is opened now is forgotten when this codespace stops";
            let hint = "`cruddur-ops ports --public --devcontainer --on-start` creates one";
            Some(Note::fact(note).hint(hint))
        }
        _ if gitpod => None,
        Workspace::Coder { .. } => Some(Note::fact(NO_FILE)),
        _ => {
            let hint = format!(
                "`{} --gitpod` creates .gitpod.yml, `--devcontainer` creates devcontainer.json",
                request.command()
            );
            Some(Note::fact(NO_FILE).hint(hint))
        }
    }
}

/// Returns whether to write `.gitpod.yml`. It is updated wherever it exists, and created in Gitpod or on request.
fn writes_gitpod(context: &ProjectContext, request: &PortsRequest, workspace: &Workspace) -> bool {
    matches!(workspace, Workspace::Gitpod(_)) || request.gitpod || context.project.gitpod.is_some()
}

/// Returns whether to ask about creating `.gitpod.yml`: on a machine that is no workspace, where no file describes
/// ports yet and there are ports to describe.
///
/// # Errors
/// When the compose project cannot be read.
pub(crate) fn may_create_gitpod(
    context: &ProjectContext,
    request: &PortsRequest,
    ports_workspace: &PortsWorkspace,
) -> Result<bool> {
    let has_file = context.project.gitpod.is_some() || context.project.devcontainer.is_some();
    let is_asked = request.gitpod || request.devcontainer;
    if has_file || is_asked || !matches!(ports_workspace.workspace, Workspace::None) {
        return Ok(false);
    }
    Ok(!port_goals(context, request, ports_workspace)?.to_write.is_empty())
}

/// Returns whether to write devcontainer.json. It is updated wherever it is used, and created only on request.
fn writes_devcontainer(
    context: &ProjectContext,
    request: &PortsRequest,
    workspace: &Workspace,
) -> bool {
    if !asks_for_ports(request) {
        return false;
    }
    let is_codespace = match workspace {
        Workspace::Codespaces(_) | Workspace::Ona(_) | Workspace::DevContainer => true,
        Workspace::None => context.project.gitpod.is_none(),
        Workspace::Gitpod(_) | Workspace::Coder { .. } => false,
    };
    request.devcontainer || (is_codespace && context.project.devcontainer.is_some())
}

pub(super) fn asks_for_ports(request: &PortsRequest) -> bool {
    request.policy != PortPolicy::Keep || !request.requested.is_empty()
}

/// Returns the target state of every requested port, based on the live ports if known, else on `.gitpod.yml`.
pub(super) fn port_goals(
    context: &ProjectContext,
    request: &PortsRequest,
    ports_workspace: &PortsWorkspace,
) -> Result<PortEntries> {
    let published = published_ports(context, request)?;
    let (existing, origin) = match &ports_workspace.workspace {
        Workspace::Codespaces(_) | Workspace::Ona(_) => {
            // A list that cannot be read is reported when ports are opened.
            let listed = if request.live {
                ports_workspace.live_ports().unwrap_or_default()
            } else {
                Default::default()
            };
            let live = listed.iter().map(live_port_entry).collect();
            (live, PortEntryOrigin::Live)
        }
        _ => (context.configured_ports(), PortEntryOrigin::File),
    };
    let (policy, requested) = (request.policy, &request.requested);
    let mut entries = ports::entries(&published, policy, requested, &existing, origin);
    entries.notes.extend(range_notes(context)?);
    Ok(entries)
}

/// Returns notes on long ranges.
fn range_notes(context: &ProjectContext) -> Result<Vec<Note>> {
    let ranges = context.published_ranges(context.project.model()?);
    Ok(ranges.iter().map(PublishedRange::note).collect())
}

/// Returns the ports the compose file publishes, including planned ones.
fn published_ports(
    context: &ProjectContext,
    request: &PortsRequest,
) -> Result<Vec<PublishedTcpPort>> {
    let model = context.project.model()?;
    let mut published = context.published(model);
    for planned in &request.planned {
        if published.iter().all(|port| port.port != planned.port) {
            published.push(planned.clone());
        }
    }
    // A port of a long range is handled by itself once it is named.
    for range in context.published_ranges(model) {
        let named =
            request.requested.iter().filter(|requested| range.ports.contains(&requested.port));
        for requested in named {
            let known = published.iter().any(|port| port.port == requested.port);
            let Some(service) = model.service(&range.service).filter(|_| !known) else {
                continue;
            };
            let role = classify_service(service, context.project.sources()).role;
            published.push(PublishedTcpPort::new(requested.port, &range.service, role));
        }
    }
    Ok(published)
}

/// Converts a live port to an entry.
fn live_port_entry(live: &LivePort) -> GitpodPortEntry {
    GitpodPortEntry {
        first: live.port,
        last: live.port,
        name: None,
        visibility: match live.visibility {
            Some(Live::Public) => Visibility::Public,
            _ => Visibility::Private,
        },
        on_open: None,
        line: 0,
    }
}

fn plan_gitpod_ports(context: &ProjectContext, request: &PortsRequest) -> Result<Plan> {
    let (path, before) = match &context.project.gitpod {
        Some(file) => (file.path.clone(), Some(file.text.to_string())),
        None => (context.project.gitpod_path(), None),
    };
    let text = before.clone().unwrap_or_default();
    let published = published_ports(context, request)?;
    let existing = context.configured_ports();
    let (policy, requested) = (request.policy, &request.requested);
    let entries = ports::entries(&published, policy, requested, &existing, PortEntryOrigin::File);
    if before.is_some() && text.trim().is_empty() && !entries.to_write.is_empty() {
        return Err(empty_file_error(&path, &entries.to_write));
    }
    let mut plan = Plan { notes: entries.notes, ..Plan::default() };
    plan.notes.extend(range_notes(context)?);
    if entries.to_write.is_empty() {
        return Ok(plan);
    }
    let edit =
        editor::set(&text, &entries.to_write).map_err(|refusal| refusal.into_error(&path))?;
    plan.edited(&path, before.map(Into::into), edit, WriteMethod::InPlace);
    Ok(plan)
}

/// Returns the error for an empty file, which the user may be about to fill; a missing file would be created.
fn empty_file_error(path: &Path, entries: &[PortEntry]) -> Error {
    Error::new(ErrorCode::UnsafeEdit, format!("{} is empty", path.display()))
        .hint("remove the file and run this again, or paste the lines into it")
        .paste(editor::paste(entries))
}

fn plan_devcontainer_ports(
    context: &ProjectContext,
    request: &PortsRequest,
    goals: &BTreeMap<u16, Visibility>,
    ports_workspace: &PortsWorkspace,
) -> Result<Plan> {
    let path = context.project.devcontainer_path();
    let before = context.project.devcontainer.as_ref().map(|file| file.text.to_string());
    let text = before.clone().unwrap_or_else(|| devcontainer::NEW_DEVCONTAINER.to_owned());
    let published = published_ports(context, request)?;
    let forwards = devcontainer::ports_to_forward(&published, request.policy, &request.requested);
    let configured = devcontainer::configured(&text);
    let (wanted, note) =
        devcontainer::planned_contents(forwards, goals, &configured, request.on_start);
    let edit =
        devcontainer_editor::set(&text, &wanted).map_err(|refusal| refusal.into_error(&path))?;
    let mut plan = Plan::default();
    plan.notes.extend(note);
    plan.notes.extend(other_devcontainers_note(context));
    let forgets = matches!(ports_workspace.workspace, Workspace::Codespaces(_))
        && !request.on_start
        && !devcontainer::is_opened_at_start(goals, &configured)
        && goals.values().any(|goal| *goal == Visibility::Public);
    if forgets {
        let hint =
            "`cruddur-ops ports --public --on-start` has devcontainer.json open them at each start";
        plan.notes
            .push(Note::fact("a codespace forgets its public ports when it stops").hint(hint));
    }
    plan.edited(&path, before.map(Into::into), edit, WriteMethod::Replace);
    Ok(plan)
}

/// Returns a note on which of several files is used.
fn other_devcontainers_note(context: &ProjectContext) -> Option<Note> {
    let project = &context.project;
    let shown = |path: &Path| project.shown(path).display().to_string();
    let others: Vec<String> = project.other_devcontainers.iter().map(|path| shown(path)).collect();
    (!others.is_empty()).then(|| {
        Note::warning(format!(
            "there are several devcontainer.json files: {} is used, {} is not changed",
            shown(&project.devcontainer_path()),
            others.join(", ")
        ))
    })
}

/// Returns whether to ask about opening ports at start: in a codespace with public ports that its devcontainer.json
/// does not open yet.
///
/// # Errors
/// When the compose project cannot be read.
pub(crate) fn may_open_on_start(
    context: &ProjectContext,
    request: &PortsRequest,
    ports_workspace: &PortsWorkspace,
) -> Result<bool> {
    if request.on_start
        || !matches!(ports_workspace.workspace, Workspace::Codespaces(_))
        || !writes_devcontainer(context, request, &ports_workspace.workspace)
    {
        return Ok(false);
    }
    let goals = port_goals(context, request, ports_workspace)?.goals;
    let text = context.project.devcontainer.as_ref().map(|file| &*file.text);
    let configured = devcontainer::configured(text.unwrap_or(devcontainer::NEW_DEVCONTAINER));
    let public = goals.values().any(|goal| *goal == Visibility::Public);
    Ok(public && !devcontainer::is_opened_at_start(&goals, &configured))
}

/// Returns the message when no file changes; `None` if there is no file.
pub(crate) fn nothing_to_do(
    context: &ProjectContext,
    request: &PortsRequest,
    ports_workspace: &PortsWorkspace,
) -> Option<String> {
    let mut files = Vec::new();
    if writes_gitpod(context, request, &ports_workspace.workspace) {
        files.push(context.project.gitpod_path());
    }
    if writes_devcontainer(context, request, &ports_workspace.workspace) {
        files.push(context.project.devcontainer_path());
    }
    let shown: Vec<String> =
        files.iter().map(|path| context.project.shown(path).display().to_string()).collect();
    let verb = if shown.len() == 1 { "is" } else { "are" };
    (!shown.is_empty())
        .then(|| format!("nothing to write: {} {verb} up to date", shown.join(" and ")))
}
