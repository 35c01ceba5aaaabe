//! Which cloud development environment we are in, its ports, and who can open them.
//!
//! Knows nothing of the project's files.

pub mod gitpod;
pub mod listening;
pub mod program;
pub mod waiting;

mod codespaces;
mod ona;

use std::time::Duration;

use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;
use program::Captured;

pub use codespaces::Codespaces;
pub use gitpod::Gitpod;
pub use ona::Ona;

/// The environment we were started in.
#[derive(Debug, Clone)]
pub enum Workspace {
    /// Gitpod Classic.
    Gitpod(Gitpod),
    /// Ona, which Gitpod became.
    Ona(Ona),
    /// GitHub Codespaces.
    Codespaces(Codespaces),
    /// Coder.
    Coder {
        /// URL of a forwarded port, with `{{port}}` in it.
        template: Option<String>,
    },
    /// A dev container on somebody's own machine.
    DevContainer,
    /// None of these.
    None,
}

/// Who can open a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Everyone who knows its URL.
    Public,
    /// The members of an organisation.
    Organisation,
    /// The workspace's owner.
    Private,
}

impl Visibility {
    /// For people and for the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Organisation => "open to the organisation",
            Self::Private => "private",
        }
    }

    /// The visibility [`Visibility::name`] names.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Public, Self::Organisation, Self::Private];
        all.into_iter().find(|visibility| visibility.name() == name)
    }
}

/// What a port shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its number.
    pub port: u16,
    /// Who can open it.
    pub visibility: Visibility,
    /// What it is called, where a workspace wants a name.
    pub name: String,
}

/// A port of the workspace as it is at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePort {
    /// Its number.
    pub port: u16,
    /// Something listens on it.
    pub served: bool,
    /// Who can open it; `None` while it is not exposed.
    pub visibility: Option<Visibility>,
    /// Where, while it is exposed.
    pub url: Option<String>,
    /// The workspace's own words: `open (private)`, `not served`.
    pub status: String,
}

/// How we know that a port's visibility was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The list of ports shows it.
    Listed,
    /// The workspace said so, and its list shows nothing of this port.
    Said,
}

/// A port that was opened or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How that is known.
    pub proof: Proof,
    /// Where a browser finds it.
    pub url: Option<String>,
}

impl Workspace {
    /// Which environment `shell` says it is; an empty variable counts as unset.
    pub fn detect(shell: &Shell) -> Self {
        let yes = |name: &str| shell.var(name).is_some_and(|value| value == "true");
        if shell.var("GITPOD_WORKSPACE_ID").is_some() {
            return Self::Gitpod(Gitpod::new(shell));
        }
        if shell.var("GITPOD_ENVIRONMENT_ID").is_some() {
            return Self::Ona(Ona::new(shell));
        }
        if yes("CODESPACES") {
            return Self::Codespaces(Codespaces::new(shell));
        }
        if yes("CODER") {
            return Self::Coder { template: shell.var("VSCODE_PROXY_URI").map(str::to_owned) };
        }
        if yes("REMOTE_CONTAINERS") || yes("DEVCONTAINER") {
            return Self::DevContainer;
        }
        Self::None
    }

    /// For people.
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

    /// Where a browser finds `port`, where that can be known without asking.
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

    /// Whether its ports can be listed and opened from here.
    pub fn has_live_ports(&self) -> bool {
        matches!(self, Self::Gitpod(_) | Self::Ona(_) | Self::Codespaces(_))
    }

    /// Where browsers find `port` in any workspace like this one, a `*` in place of what differs; none where
    /// workspaces have no addresses.
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

    /// The ports of this moment, as the workspace lists them.
    ///
    /// # Errors
    /// `no-live-ports` where there are none; `not-signed-in`; `workspace-failed` where the workspace's own program is
    /// missing, fails, crashes, does not answer in time or answers what is not understood.
    pub fn live_ports(&self) -> Result<Vec<LivePort>> {
        match self {
            Self::Gitpod(gitpod) => gitpod.live_ports(),
            Self::Codespaces(codespace) => codespace.live_ports(),
            Self::Ona(ona) => ona.live_ports(),
            _ => Err(self.no_live_ports()),
        }
    }

    /// Opens or closes ports now and looks whether that was done. One answer for each, in their order: one port that
    /// fails hinders no other.
    ///
    /// # Errors
    /// As [`Workspace::live_ports`]; `visibility-unchanged` where the list shows otherwise; `visibility-refused` where a
    /// policy forbids it; `port-not-forwarded` while nothing listens there; `visibility-unknown` where the list fails then.
    pub fn open(&self, openings: &[Opening]) -> Vec<Result<Opened>> {
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
fn ask(shell: &Shell, name: &str, arguments: &[&str], limit: Duration) -> Result<Captured> {
    let program = shell.which(name).ok_or_else(|| {
        Error::new(ErrorCode::WorkspaceFailed, format!("the program `{name}` is not on PATH"))
    })?;
    program::capture(&program, arguments, shell, limit).map_err(|failure| {
        let command = format!("`{name} {}`", arguments.join(" "));
        Error::new(ErrorCode::WorkspaceFailed, format!("{command}: {failure}"))
    })
}

fn failed(what: &str, captured: &Captured) -> Error {
    let error = Error::new(ErrorCode::WorkspaceFailed, what);
    match captured.stderr.trim() {
        "" => error,
        said => error.cause(said),
    }
}

fn unchanged(port: u16, shown: Visibility, command: &str) -> Error {
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
