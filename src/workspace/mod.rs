//! Which cloud development environment we are in, its ports, and who can open them.
//!
//! Knows nothing of the project's files.

pub mod listening;
pub mod program;

mod gitpod;

use crate::error::{Error, Result};
use crate::shell::Shell;

pub use gitpod::Gitpod;

/// The environment we were started in.
#[derive(Debug, Clone)]
pub enum Workspace {
    /// Gitpod Classic, the only one whose ports we open.
    Gitpod(Gitpod),
    /// Ona, which Gitpod became.
    Ona,
    /// GitHub Codespaces.
    Codespaces {
        /// The codespace's name.
        name: String,
        /// Domain of its forwarded ports.
        domain: String,
    },
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
    /// The workspace's owner.
    Private,
}

impl Visibility {
    /// As `gp` and `.gitpod.yml` spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
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
    /// The workspace said so; its list shows no visibility for a port nobody serves.
    Said,
}

impl Workspace {
    /// Which environment `shell` says it is; an empty variable counts as unset.
    pub fn detect(shell: &Shell) -> Self {
        let yes = |name: &str| shell.var(name).is_some_and(|value| value == "true");
        if shell.var("GITPOD_WORKSPACE_ID").is_some() {
            return Self::Gitpod(Gitpod::new(shell));
        }
        if shell.var("GITPOD_ENVIRONMENT_ID").is_some() {
            return Self::Ona;
        }
        if yes("CODESPACES") {
            let var = |name, default: &str| shell.var(name).unwrap_or(default).to_owned();
            return Self::Codespaces {
                name: var("CODESPACE_NAME", ""),
                domain: var("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev"),
            };
        }
        if yes("CODER") {
            return Self::Coder {
                template: shell.var("VSCODE_PROXY_URI").map(str::to_owned),
            };
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
            Self::Ona => "Ona",
            Self::Codespaces { .. } => "GitHub Codespaces",
            Self::Coder { .. } => "Coder",
            Self::DevContainer => "a dev container",
            Self::None => "this machine",
        }
    }

    /// Where a browser finds `port`, where that can be known without asking.
    pub fn port_url(&self, port: u16) -> Option<String> {
        match self {
            Self::Gitpod(gitpod) => gitpod.port_url(port),
            Self::Codespaces { name, domain } => {
                (!name.is_empty()).then(|| format!("https://{name}-{port}.{domain}"))
            }
            Self::Coder { template } => {
                Some(template.as_ref()?.replace("{{port}}", &port.to_string()))
            }
            Self::Ona => None,
            Self::DevContainer | Self::None => Some(format!("http://localhost:{port}")),
        }
    }

    /// The ports of this moment, as the workspace lists them.
    ///
    /// # Errors
    /// `not-gitpod` anywhere else; `workspace-failed` where `gp` fails, crashes or does not answer in time.
    pub fn live_ports(&self) -> Result<Vec<LivePort>> {
        match self {
            Self::Gitpod(gitpod) => gitpod.live_ports(),
            _ => Err(self.not_gitpod("ports can be listed")),
        }
    }

    /// Opens or closes `port` now and looks whether that was done.
    ///
    /// # Errors
    /// As [`Workspace::live_ports`], and `visibility-unchanged` where the list shows otherwise.
    pub fn set_visibility(&self, port: u16, visibility: Visibility) -> Result<Proof> {
        match self {
            Self::Gitpod(gitpod) => gitpod.set_visibility(port, visibility),
            _ => Err(self.not_gitpod("the visibility of ports can be changed")),
        }
    }

    fn not_gitpod(&self, what: &str) -> Error {
        Error::new(
            "not-gitpod",
            format!(
                "{what} in a Gitpod workspace only, and this is {}",
                self.name()
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Workspace {
        let pairs = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Workspace::detect(&Shell::new(pairs, "/".into()))
    }

    #[test]
    fn each_environment_is_known_by_its_variable() {
        for (pairs, name) in [
            (
                &[("GITPOD_WORKSPACE_ID", "x"), ("CODESPACES", "true")][..],
                "Gitpod",
            ),
            (
                &[("GITPOD_WORKSPACE_ID", ""), ("GITPOD_ENVIRONMENT_ID", "x")],
                "Ona",
            ),
            (
                &[("CODESPACES", "true"), ("CODER", "true")],
                "GitHub Codespaces",
            ),
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
        let codespace = detect(&[("CODESPACES", "true"), ("CODESPACE_NAME", "odd-owl")]);
        assert_eq!(
            codespace.port_url(3000).as_deref(),
            Some("https://odd-owl-3000.app.github.dev")
        );
    }
}
