//! Cloud development environments: the current one, its ports, and who can open them.
//!
//! Independent of the project's files.

pub mod gitpod;
pub(crate) mod listening;
pub(crate) mod program;
pub mod waiting;

mod codespaces;
mod ona;

use std::time::Duration;

use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;
use program::ProgramOutput;

pub(crate) use codespaces::CodespacesWorkspace;
pub(crate) use gitpod::GitpodWorkspace;
pub(crate) use ona::OnaWorkspace;

/// The environment that this program runs in.
#[derive(Debug, Clone)]
pub enum Workspace {
    /// Gitpod Classic.
    Gitpod(GitpodWorkspace),
    /// Ona, the successor of Gitpod.
    Ona(OnaWorkspace),
    /// GitHub Codespaces.
    Codespaces(CodespacesWorkspace),
    /// Coder.
    Coder {
        /// The URL of a forwarded port, with the placeholder `{{port}}`.
        template: Option<String>,
    },
    /// A dev container on the user's own machine.
    DevContainer,
    /// None of these.
    None,
}

/// Who can open a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveVisibility {
    /// Everyone who knows its URL.
    Public,
    /// The members of an organisation.
    Organisation,
    /// The workspace's owner.
    Private,
}

impl LiveVisibility {
    /// Returns the name for people and for the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Organisation => "open to the organisation",
            Self::Private => "private",
        }
    }

    /// Returns the visibility with this [`LiveVisibility::name`].
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Public, Self::Organisation, Self::Private];
        all.into_iter().find(|visibility| visibility.name() == name)
    }
}

/// A request for a port's visibility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityRequest {
    /// The port number.
    pub port: u16,
    /// Who can open it.
    pub visibility: LiveVisibility,
    /// A name for the port, which some workspaces require.
    pub name: String,
}

/// The current state of a port in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePort {
    /// The port number.
    pub port: u16,
    /// Whether something listens on it.
    pub served: bool,
    /// Who can open it; `None` while it is not exposed.
    pub visibility: Option<LiveVisibility>,
    /// The URL, if it is exposed.
    pub url: Option<String>,
    /// The workspace's description: `open (private)`, `not served`.
    pub status: String,
}

/// The evidence that a port's visibility was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeProof {
    /// The list of ports shows it.
    Listed,
    /// The workspace reported success, and its list does not contain the port.
    Said,
}

/// A port whose visibility was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityChanged {
    /// The evidence.
    pub proof: ChangeProof,
    /// The URL for a browser.
    pub url: Option<String>,
}

impl Workspace {
    /// Detects the environment from the variables of `shell`; an empty variable counts as unset.
    pub fn detect(shell: &Shell) -> Self {
        let yes = |name: &str| shell.var(name).is_some_and(|value| value == "true");
        if shell.var("GITPOD_WORKSPACE_ID").is_some() {
            return Self::Gitpod(GitpodWorkspace::new(shell));
        }
        if shell.var("GITPOD_ENVIRONMENT_ID").is_some() {
            return Self::Ona(OnaWorkspace::new(shell));
        }
        if yes("CODESPACES") {
            return Self::Codespaces(CodespacesWorkspace::new(shell));
        }
        if yes("CODER") {
            return Self::Coder { template: shell.var("VSCODE_PROXY_URI").map(str::to_owned) };
        }
        if yes("REMOTE_CONTAINERS") || yes("DEVCONTAINER") {
            return Self::DevContainer;
        }
        Self::None
    }

    /// Returns the name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gitpod(_) => "Gitpod",
            Self::Ona(_) => "Ona",
            Self::Codespaces(_) => "GitHub Codespaces",
            Self::Coder { .. } => "Coder",
            Self::DevContainer => "a dev container",
            Self::None => "this machine",
        }
    }

    /// Returns the URL of `port`, if known without running a program.
    pub fn port_url(&self, port: u16) -> Option<String> {
        match self {
            Self::Gitpod(gitpod) => gitpod.port_url(port),
            Self::Codespaces(codespace) => codespace.port_url(port),
            Self::Coder { template } => {
                Some(template.as_ref()?.replace("{{port}}", &port.to_string()))
            }
            Self::Ona(_) => None,
            Self::DevContainer | Self::None => Some(format!("http://localhost:{port}")),
        }
    }

    /// Returns whether its ports can be listed and opened from here.
    pub fn has_live_ports(&self) -> bool {
        matches!(self, Self::Gitpod(_) | Self::Ona(_) | Self::Codespaces(_))
    }

    /// Returns the URL of `port` in any workspace of this kind, with a `*` for the part that differs; `None` without
    /// URLs.
    pub fn any_url(&self, port: u16) -> Option<String> {
        match self {
            Self::Gitpod(gitpod) => {
                let url = gitpod.port_url(port)?;
                let (_, cluster) = url.split_once('.')?;
                let (_, domain) = cluster.split_once('.')?;
                Some(format!("https://{port}-*.{domain}"))
            }
            Self::Codespaces(codespace) => Some(codespace.any_url(port)),
            Self::Coder { .. } | Self::Ona(_) | Self::DevContainer | Self::None => None,
        }
    }

    /// Returns the current ports, as listed by the workspace.
    ///
    /// # Errors
    /// `no-live-ports` when there are none; `not-signed-in`; `workspace-failed` when the workspace's program is
    /// missing, fails, crashes, times out or prints something unknown.
    pub fn live_ports(&self) -> Result<Vec<LivePort>> {
        match self {
            Self::Gitpod(gitpod) => gitpod.live_ports(),
            Self::Codespaces(codespace) => codespace.live_ports(),
            Self::Ona(ona) => ona.live_ports(),
            _ => Err(self.no_live_ports()),
        }
    }

    /// Opens or closes ports and checks the result. Returns one result for each, in order; a failure does not affect
    /// other ports.
    ///
    /// # Errors
    /// As [`Workspace::live_ports`]; `visibility-unchanged` when the list shows otherwise; `visibility-refused` when
    /// a policy forbids it; `port-not-forwarded` while nothing listens there; `visibility-unknown` when listing then
    /// fails.
    pub fn open(&self, openings: &[VisibilityRequest]) -> Vec<Result<VisibilityChanged>> {
        match self {
            Self::Gitpod(gitpod) => gitpod.open(openings),
            Self::Codespaces(codespace) => codespace.open(openings),
            Self::Ona(ona) => ona.open(openings),
            _ => openings.iter().map(|_| Err(self.no_live_ports())).collect(),
        }
    }

    fn no_live_ports(&self) -> Error {
        let text = format!(
            "ports can be listed and opened in Gitpod, GitHub Codespaces and Ona, and this is {}",
            self.name()
        );
        Error::new(ErrorCode::NoLivePorts, text)
    }
}

/// Runs a program of the workspace.
fn run_workspace_program(
    shell: &Shell,
    name: &str,
    arguments: &[&str],
    limit: Duration,
) -> Result<ProgramOutput> {
    let program = shell.which(name).ok_or_else(|| {
        Error::new(ErrorCode::WorkspaceFailed, format!("the program `{name}` is not on PATH"))
    })?;
    program::capture(&program, arguments, shell, limit).map_err(|failure| {
        let command = format!("`{name} {}`", arguments.join(" "));
        Error::new(ErrorCode::WorkspaceFailed, format!("{command}: {failure}"))
    })
}

fn workspace_program_error(failure: &str, captured: &ProgramOutput) -> Error {
    let error = Error::new(ErrorCode::WorkspaceFailed, failure);
    match captured.stderr.trim() {
        "" => error,
        message => error.cause(message),
    }
}

fn unchanged_visibility_error(port: u16, shown: LiveVisibility, command: &str) -> Error {
    let text =
        format!("port {port} is still {}, although `{command}` reported success", shown.name());
    Error::new(ErrorCode::VisibilityUnchanged, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Workspace {
        let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Workspace::detect(&Shell::new(pairs, "/".into()))
    }

    #[test]
    fn each_environment_is_known_by_its_variable() {
        for (pairs, name) in [
            (&[("GITPOD_WORKSPACE_ID", "x"), ("CODESPACES", "true")][..], "Gitpod"),
            (&[("GITPOD_WORKSPACE_ID", ""), ("GITPOD_ENVIRONMENT_ID", "x")], "Ona"),
            (&[("CODESPACES", "true"), ("CODER", "true")], "GitHub Codespaces"),
            (&[("CODER", "true")], "Coder"),
            (&[("REMOTE_CONTAINERS", "true")], "a dev container"),
            (&[("CODESPACES", "false")], "this machine"),
        ] {
            assert_eq!(detect(pairs).name(), name, "{pairs:?}");
        }
    }

    #[test]
    fn urls_of_ports_are_built_as_each_environment_does() {
        let gitpod = detect(&[
            ("GITPOD_WORKSPACE_ID", "me-app-1"),
            ("GITPOD_WORKSPACE_URL", "https://me-app-1.ws-eu11.gitpod.io"),
        ]);
        assert_eq!(
            gitpod.port_url(3000).as_deref(),
            Some("https://3000-me-app-1.ws-eu11.gitpod.io")
        );
        assert_eq!(gitpod.any_url(3000).as_deref(), Some("https://3000-*.gitpod.io"));
        let codespace = detect(&[("CODESPACES", "true"), ("CODESPACE_NAME", "odd-owl")]);
        assert_eq!(
            codespace.port_url(3000).as_deref(),
            Some("https://odd-owl-3000.app.github.dev")
        );
        assert_eq!(codespace.any_url(3000).as_deref(), Some("https://*-3000.app.github.dev"));
    }
}
