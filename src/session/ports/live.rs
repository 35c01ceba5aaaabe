//! `ports`: opens and closes live ports, and reverts that.

use std::collections::BTreeMap;

use super::files;
use super::{PortsRequest, PortsWorkspace};
use crate::apply::{Journal, PortChangeEntry};
use crate::edit::yaml::ports::Visibility;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Plan;
use crate::plan::ports::label_ports;
use crate::session::context::ProjectContext;
use crate::ui::Ui;
use crate::workspace::listening::{self, PortReach};
use crate::workspace::{LivePort, LiveVisibility as Live, VisibilityRequest, Workspace};

/// The changes to live ports.
#[derive(Debug, Default)]
pub(crate) struct LiveChanges {
    /// Changed ports.
    pub(crate) changed: Vec<u16>,
    /// Ports that can be opened only once something listens on them.
    pub(crate) not_forwarded: Vec<u16>,
}

/// Sets the requested visibility of live ports, and records their previous one in the journal, with the files this
/// run `wrote`.
///
/// # Errors
/// The first error of the workspace; changes up to then are recorded too.
pub(crate) fn apply_live_visibility(
    context: &ProjectContext,
    request: Option<&PortsRequest>,
    ports_workspace: &PortsWorkspace,
    (journal, command, wrote): (&Journal, &str, &Plan),
    ui: &mut Ui,
) -> Result<LiveChanges> {
    let Some(request) = request.filter(|request| request.live) else {
        return Ok(LiveChanges::default());
    };
    let goals = files::port_goals(context, request, ports_workspace)?.goals;
    if goals.is_empty() {
        return Ok(LiveChanges::default());
    }
    if !ports_workspace.workspace.has_live_ports() {
        let ports: Vec<u16> = goals.keys().copied().collect();
        show_alternative(&ports_workspace.workspace, &ports, ui);
        return Ok(LiveChanges::default());
    }
    let live = known_live_ports(ports_workspace, ui).map_err(|error| {
        let hint = format!(
            "no port was opened; what was written stays, and `{}` tries again",
            request.command()
        );
        error.hint(hint)
    })?;
    let names = PortNames::of(context);
    let openings: Vec<VisibilityRequest> = goals
        .into_iter()
        .map(|(port, goal)| names.opening(port, live_visibility(goal)))
        .filter(|opening| is_needed(opening, live, &ports_workspace.workspace))
        .collect();
    let OpenedPorts { done, before, errors } =
        open_ports(&ports_workspace.workspace, &openings, live, ui);
    if before.is_empty() {
        // No port was changed.
    } else if wrote.is_empty() {
        journal.keep_ports(command, before)?;
    } else {
        journal.remember_ports(command, before)?;
    }
    warn_not_forwarded(&done.not_forwarded, request, ui);
    warn_all_but_first(errors, ui).map_or(Ok(done), Err)
}

/// The answers of a workspace to requested visibilities.
#[derive(Default)]
struct OpenedPorts {
    done: LiveChanges,
    /// The ports that were or may have been changed, with their previous visibility.
    before: Vec<PortChangeEntry>,
    errors: Vec<Error>,
}

/// Sets the visibility of each port, and prints each change.
fn open_ports(
    workspace: &Workspace,
    openings: &[VisibilityRequest],
    live: Option<&[LivePort]>,
    ui: &mut Ui,
) -> OpenedPorts {
    let mut opened = OpenedPorts::default();
    for (opening, answer) in openings.iter().zip(workspace.open(openings)) {
        match answer {
            Ok(port) => {
                ui.say(describe_visibility(opening, port.url.as_deref()));
                opened.done.changed.push(opening.port);
                opened.before.push(visibility_change(live, opening));
            }
            Err(error) if error.code == ErrorCode::PortNotForwarded => {
                if let Some(cause) = &error.cause {
                    ui.detail(format!("{}: gh said: {cause}", opening.port));
                }
                opened.done.not_forwarded.push(opening.port);
            }
            Err(error) => {
                if error.code == ErrorCode::VisibilityUnknown {
                    opened.before.push(visibility_change(live, opening));
                }
                opened.errors.push(error);
            }
        }
    }
    opened
}

/// Returns the live ports; `None` if Ona's list, which has no stable format, cannot be read: it is not needed to open
/// a port.
fn known_live_ports<'a>(
    ports_workspace: &'a PortsWorkspace,
    ui: &mut Ui,
) -> Result<Option<&'a [LivePort]>> {
    match ports_workspace.live_ports() {
        Ok(live) => Ok(Some(live)),
        Err(error) if matches!(ports_workspace.workspace, Workspace::Ona(_)) => {
            ui.warn(&error.message, error.hints.first().map(String::as_str));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The names of the project's ports.
struct PortNames(BTreeMap<u16, String>);

impl PortNames {
    fn of(context: &ProjectContext) -> Self {
        let model = context.project.model();
        Self(model.map_or_else(|_| BTreeMap::new(), |model| label_ports(&context.published(model))))
    }

    fn opening(&self, port: u16, visibility: Live) -> VisibilityRequest {
        let name = self.0.get(&port).cloned();
        VisibilityRequest { port, visibility, name: name.unwrap_or_else(|| format!("port-{port}")) }
    }
}

fn warn_not_forwarded(ports: &[u16], request: &PortsRequest, ui: &mut Ui) {
    if ports.is_empty() {
        return;
    }
    let hint = format!("start the services, then run `{}` again", request.command());
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ui.warn(
        format!("not opened yet, since nothing listens there: {}", ports.join(", ")),
        Some(&hint),
    );
}

/// Returns whether a port must be changed; not if it already has the visibility, or would be closed and does not
/// exist.
fn is_needed(
    opening: &VisibilityRequest,
    live: Option<&[LivePort]>,
    workspace: &Workspace,
) -> bool {
    let absent_is_closed = live.is_some() && !matches!(workspace, Workspace::Gitpod(_));
    match current_visibility(live, opening.port) {
        Some(now) => now != opening.visibility,
        None => !(absent_is_closed && opening.visibility == Live::Private),
    }
}

fn current_visibility(live: Option<&[LivePort]>, port: u16) -> Option<Live> {
    live?.iter().find(|live| live.port == port)?.visibility
}

fn visibility_change(live: Option<&[LivePort]>, opening: &VisibilityRequest) -> PortChangeEntry {
    let before = current_visibility(live, opening.port).unwrap_or(Live::Private);
    PortChangeEntry {
        port: opening.port,
        before: before.name().to_owned(),
        after: opening.visibility.name().to_owned(),
    }
}

fn describe_visibility(opening: &VisibilityRequest, url: Option<&str>) -> String {
    let text = format!("port {} is {} now", opening.port, opening.visibility.name());
    match url {
        Some(url) if opening.visibility == Live::Public => format!("{text}: {url}"),
        _ => text,
    }
}

/// Prints every error but the first, and returns that one.
fn warn_all_but_first(errors: Vec<Error>, ui: &mut Ui) -> Option<Error> {
    let mut errors = errors.into_iter();
    let first = errors.next();
    for error in errors {
        ui.warn(&error.message, None);
    }
    first
}

/// Explains the alternative if no port can be opened from here.
fn show_alternative(workspace: &Workspace, ports: &[u16], ui: &mut Ui) {
    match workspace {
        Workspace::DevContainer => ui.say(
            "a dev container has no live ports to change: the editor forwards them to your machine only",
        ),
        Workspace::Coder { .. } => ui.say(
            "Coder has no live ports to change from here: it shares them in its own interface",
        ),
        _ => ui.say(format!(
            "{} has no live ports to change: only cloud workspaces have them",
            workspace.name()
        )),
    }
    let listening = listening::find_listening_ports(ports);
    for port in ports {
        let reach = match listening.get(port) {
            Some(PortReach::Everywhere) => "listens, reachable from other machines on this network",
            Some(PortReach::Loopback) => "listens, on this machine only",
            None => "nothing listens there yet",
        };
        let url = workspace.port_url(*port).unwrap_or_default();
        ui.say(format!("  {port}  {url}  {reach}"));
    }
}

/// Restores the visibility of live ports from before the last command. Ports changed since then are kept. Returns the
/// ports that could not be queried, and why.
pub(crate) fn undo_live_visibility(
    context: &ProjectContext,
    changes: &[PortChangeEntry],
    ui: &mut Ui,
) -> Option<(Vec<PortChangeEntry>, Error)> {
    if changes.is_empty() {
        return None;
    }
    let ports_workspace = PortsWorkspace::of(context);
    let live = match known_live_ports(&ports_workspace, ui) {
        Ok(live) => live,
        Err(error) => return Some((changes.to_vec(), error)),
    };
    let names = PortNames::of(context);
    let requests: Vec<(&PortChangeEntry, VisibilityRequest)> = changes
        .iter()
        .filter_map(|change| {
            let now = current_visibility(live, change.port);
            let opening = names.opening(change.port, Live::named(&change.before)?);
            let untouched = now.is_none_or(|now| now.name() == change.after);
            (untouched && is_needed(&opening, live, &ports_workspace.workspace))
                .then_some((change, opening))
        })
        .collect();
    let openings: Vec<VisibilityRequest> =
        requests.iter().map(|(_, opening)| opening.clone()).collect();
    let mut left = Vec::new();
    let mut errors = Vec::new();
    let answers = ports_workspace.workspace.open(&openings);
    for ((change, opening), answer) in requests.iter().zip(answers) {
        match answer {
            Ok(_) => {
                ui.say(format!("port {} is {} again", opening.port, opening.visibility.name()))
            }
            Err(error) if error.code == ErrorCode::PortNotForwarded => {}
            Err(error) => {
                left.push((*change).clone());
                errors.push(error);
            }
        }
    }
    Some((left, warn_all_but_first(errors, ui)?))
}

fn live_visibility(visibility: Visibility) -> Live {
    match visibility {
        Visibility::Public => Live::Public,
        Visibility::Private => Live::Private,
    }
}
