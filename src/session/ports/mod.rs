//! The project's ports: requests, files and the workspace.

mod files;
mod live;

use std::cell::OnceCell;

use crate::edit::yaml::ports::Visibility;
use crate::error::Result;
use crate::plan::ports::{PortPolicy, PortRequest, PublishedTcpPort};
use crate::session::context::ProjectContext;
use crate::workspace::{LivePort, Workspace};

pub(crate) use files::{may_create_gitpod, may_open_on_start, nothing_to_do, plan_port_files};
pub(crate) use live::{LiveChanges, apply_live_visibility, undo_live_visibility};

/// A request about the project's ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortsRequest {
    pub(crate) policy: PortPolicy,
    pub(crate) requested: Vec<PortRequest>,
    /// Whether to change live visibility too, if there is any.
    pub(crate) live: bool,
    /// Ports that the compose file does not publish yet.
    pub(crate) planned: Vec<PublishedTcpPort>,
    /// Whether to create `.gitpod.yml` outside Gitpod.
    pub(crate) gitpod: bool,
    /// Whether to write devcontainer.json, creating it if missing.
    pub(crate) devcontainer: bool,
    /// Whether devcontainer.json opens the public ports at each start.
    pub(crate) on_start: bool,
}

impl PortsRequest {
    /// Returns the command that repeats the request.
    pub(crate) fn command(&self) -> String {
        let policy = match self.policy {
            PortPolicy::Public => Some("--public".to_owned()),
            PortPolicy::Private => Some("--private".to_owned()),
            PortPolicy::Keep => None,
        };
        let requested = self.requested.iter().map(PortRequest::to_string);
        let words: Vec<String> = policy.into_iter().chain(requested).collect();
        format!("cruddur-ops ports {}", words.join(" "))
    }

    /// Returns whether the request opens a port to everyone.
    pub(crate) fn wants_public(&self) -> bool {
        let public = Some(Visibility::Public);
        self.policy == PortPolicy::Public
            || self.requested.iter().any(|requested| requested.visibility == public)
    }
}

/// The workspace, and its live ports, queried once.
#[derive(Debug)]
pub(crate) struct PortsWorkspace {
    workspace: Workspace,
    live: OnceCell<Result<Vec<LivePort>>>,
}

impl PortsWorkspace {
    pub(crate) fn of(context: &ProjectContext) -> Self {
        Self { workspace: Workspace::detect(context.shell), live: OnceCell::new() }
    }

    /// Queries the live ports of a slow workspace before anything is shown.
    pub(crate) fn look(&self, request: Option<&PortsRequest>) {
        let slow = matches!(self.workspace, Workspace::Codespaces(_) | Workspace::Ona(_));
        if slow && request.is_some_and(|request| request.live && files::asks_for_ports(request)) {
            // A failure is kept, and reported where the ports are needed.
            let _ = self.live_ports();
        }
    }

    fn live_ports(&self) -> Result<&[LivePort]> {
        let live = self.live.get_or_init(|| self.workspace.live_ports());
        live.as_deref().map_err(Clone::clone)
    }
}
