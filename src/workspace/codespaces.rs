//! The ports of a GitHub codespace, through `gh codespace ports`.
//!
//! `gh` reports success even after a timeout, so the ports are listed again after a change.

use std::time::Duration;

use serde::Deserialize;

use super::program::ProgramOutput;
use super::{
    ChangeProof, LivePort, LiveVisibility, VisibilityChanged, VisibilityRequest,
    run_workspace_program, unchanged_visibility_error, workspace_program_error,
};
use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

/// The time limit of a list, for which `gh` connects to the codespace.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// Slightly more than the time `gh` itself waits for one port.
const OPEN_LIMIT: Duration = Duration::from_secs(40);

/// The exit status of `gh` if no user is signed in.
const SIGNED_OUT: i32 = 4;

/// A codespace.
#[derive(Debug, Clone)]
pub struct CodespacesWorkspace {
    name: String,
    domain: String,
    shell: Shell,
}

/// A port in `gh codespace ports --json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GhPortRow {
    source_port: u16,
    visibility: String,
    browse_url: Option<String>,
}

impl CodespacesWorkspace {
    pub(super) fn new(shell: &Shell) -> Self {
        let var = |name, default: &str| shell.var(name).unwrap_or(default).to_owned();
        Self {
            name: var("CODESPACE_NAME", ""),
            domain: var("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev"),
            shell: shell.clone(),
        }
    }

    pub(super) fn port_url(&self, port: u16) -> Option<String> {
        let Self { name, domain, .. } = self;
        (!name.is_empty()).then(|| format!("https://{name}-{port}.{domain}"))
    }

    /// Returns the URL of a port with a wildcard for the codespace.
    pub(super) fn any_url(&self, port: u16) -> String {
        format!("https://*-{port}.{}", self.domain)
    }

    pub(super) fn live_ports(&self) -> Result<Vec<LivePort>> {
        const FIELDS: &str = "sourcePort,visibility,label,browseUrl";
        let listed = self.gh(&["--json", FIELDS], LIST_LIMIT)?;
        if listed.status != Some(0) {
            return Err(gh_error("`gh codespace ports` failed", &listed));
        }
        let rows: Option<Vec<GhPortRow>> =
            serde_json::from_str(&listed.stdout).map_err(|error| {
                Error::new(
                    ErrorCode::WorkspaceFailed,
                    "`gh codespace ports` printed something unexpected",
                )
                .cause(error)
            })?;
        Ok(rows.unwrap_or_default().into_iter().map(codespace_live_port).collect())
    }

    pub(super) fn open(&self, openings: &[VisibilityRequest]) -> Vec<Result<VisibilityChanged>> {
        let done: Vec<Result<()>> = openings.iter().map(|opening| self.say(opening)).collect();
        // Listing is slow, and needed only if something was changed.
        let listed =
            if done.iter().any(Result::is_ok) { self.live_ports() } else { Ok(Vec::new()) };
        let looked = |opening: &VisibilityRequest| -> Result<VisibilityChanged> {
            let listed =
                listed.as_ref().map_err(|error| unconfirmed_visibility_error(opening, error))?;
            let port = listed.iter().find(|live| live.port == opening.port);
            match port.and_then(|live| live.visibility) {
                Some(shown) if shown == opening.visibility => Ok(VisibilityChanged {
                    proof: ChangeProof::Listed,
                    url: self.port_url(opening.port),
                }),
                Some(shown) => Err(unchanged_visibility_error(
                    opening.port,
                    shown,
                    &gh_visibility_command(opening),
                )
                .cause("`gh` also reports success when it runs out of time")
                .hint("the same command again tries once more")),
                None => Err(not_forwarded(opening.port)),
            }
        };
        let answers = done.into_iter().zip(openings);
        answers.map(|(done, opening)| done.and_then(|()| looked(opening))).collect()
    }

    fn say(&self, opening: &VisibilityRequest) -> Result<()> {
        let wanted = format!("{}:{}", opening.port, gh_visibility(opening.visibility));
        let done = self.gh(&["visibility", &wanted], OPEN_LIMIT)?;
        if done.status == Some(0) {
            return Ok(());
        }
        if done.stderr.contains("is not allowed") {
            return Err(gh_refused_error(opening, &done));
        }
        if done.stderr.contains("error getting tunnel port") {
            return Err(not_forwarded(opening.port).cause(done.stderr.trim()));
        }
        let failure = format!("`{}` failed", gh_visibility_command(opening));
        Err(gh_error(&failure, &done))
    }

    fn gh(&self, arguments: &[&str], limit: Duration) -> Result<ProgramOutput> {
        if self.name.is_empty() {
            return Err(Error::new(
                ErrorCode::WorkspaceFailed,
                "CODESPACE_NAME is empty, so this codespace cannot be named to `gh`",
            ));
        }
        let mut all = vec!["codespace", "ports"];
        all.extend(arguments);
        all.extend(["-c", self.name.as_str()]);
        run_workspace_program(&self.shell, "gh", &all, limit).map_err(|error| {
            match self.shell.which("gh") {
                Some(_) => error,
                None => error.hint(
                    "the feature `\"ghcr.io/devcontainers/features/github-cli:1\": {}` in devcontainer.json brings it",
                ),
            }
        })
    }
}

fn codespace_live_port(row: GhPortRow) -> LivePort {
    LivePort {
        port: row.source_port,
        served: true,
        visibility: match row.visibility.as_str() {
            "public" => Some(LiveVisibility::Public),
            "org" => Some(LiveVisibility::Organisation),
            "private" => Some(LiveVisibility::Private),
            _ => None,
        },
        url: row.browse_url.filter(|url| !url.is_empty()),
        status: row.visibility,
    }
}

/// Returns the name of a visibility in `gh`.
fn gh_visibility(visibility: LiveVisibility) -> &'static str {
    match visibility {
        LiveVisibility::Public => "public",
        LiveVisibility::Organisation => "org",
        LiveVisibility::Private => "private",
    }
}

fn gh_visibility_command(opening: &VisibilityRequest) -> String {
    let word = gh_visibility(opening.visibility);
    format!("gh codespace ports visibility {}:{word}", opening.port)
}

fn gh_error(failure: &str, captured: &ProgramOutput) -> Error {
    let error = workspace_program_error(failure, captured);
    if captured.status != Some(SIGNED_OUT) {
        return error;
    }
    Error { code: ErrorCode::NotSignedIn, ..error.hint("`gh auth login` signs in") }
}

fn gh_refused_error(opening: &VisibilityRequest, captured: &ProgramOutput) -> Error {
    let word = gh_visibility(opening.visibility);
    let text = format!(
        "this codespace allows no port to be {word}; port {} stays as it was",
        opening.port
    );
    let error =
        Error { code: ErrorCode::VisibilityRefused, ..workspace_program_error(&text, captured) };
    error
        .hint("set by a policy of the organisation that pays for the codespace; its owners can change it")
        .hint(format!(
            "`gh codespace ports visibility {}:org -c \"$CODESPACE_NAME\"` opens it to the organisation",
            opening.port
        ))
}

/// Returns the error when `gh` reported success but the result could not be checked.
fn unconfirmed_visibility_error(opening: &VisibilityRequest, error: &Error) -> Error {
    let text = format!(
        "port {} may be {} now, but that could not be checked: {}",
        opening.port,
        opening.visibility.name(),
        error.message
    );
    Error::new(ErrorCode::VisibilityUnknown, text).hint("`cruddur-ops ports` looks again")
}

fn not_forwarded(port: u16) -> Error {
    Error::new(
        ErrorCode::PortNotForwarded,
        format!("port {port} is not forwarded yet: nothing listens on it"),
    )
    .hint("start the services, then run `cruddur-ops ports --public` again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_gh_is_parsed() {
        let text = r#"[{"browseUrl":"https://owl-3000.app.github.dev","label":"web","sourcePort":3000,"visibility":"org"},
            {"browseUrl":"","label":"","sourcePort":80,"visibility":"new"}]"#;
        let rows: Vec<GhPortRow> = serde_json::from_str(text).unwrap();
        let ports: Vec<_> = rows.into_iter().map(codespace_live_port).collect();
        assert_eq!(ports[0].visibility, Some(LiveVisibility::Organisation));
        assert_eq!(ports[0].url.as_deref(), Some("https://owl-3000.app.github.dev"));
        assert_eq!((ports[1].visibility, &ports[1].url), (None, &None));
    }
}
