//! The ports of a GitHub codespace, through `gh codespace ports`.
//!
//! `gh` reports success even after a timeout, so the ports are listed again after a change.

use std::time::Duration;

use serde::Deserialize;

use super::program::Captured;
use super::{LivePort, Opened, Opening, Proof, Visibility, ask, failed, unchanged};
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
pub struct Codespaces {
    name: String,
    domain: String,
    shell: Shell,
}

/// A port in `gh codespace ports --json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    source_port: u16,
    visibility: String,
    browse_url: Option<String>,
}

impl Codespaces {
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
            return Err(explained("`gh codespace ports` failed", &listed));
        }
        let rows: Option<Vec<Row>> = serde_json::from_str(&listed.stdout).map_err(|error| {
            Error::new(
                ErrorCode::WorkspaceFailed,
                "`gh codespace ports` answered what is not understood",
            )
            .cause(error)
        })?;
        Ok(rows.unwrap_or_default().into_iter().map(live).collect())
    }

    pub(super) fn open(&self, openings: &[Opening]) -> Vec<Result<Opened>> {
        let done: Vec<Result<()>> = openings.iter().map(|one| self.say(one)).collect();
        // Listing is slow, and needed only if something was changed.
        let listed = match done.iter().any(Result::is_ok) {
            true => self.live_ports(),
            false => Ok(Vec::new()),
        };
        let looked = |opening: &Opening| -> Result<Opened> {
            let listed = listed.as_ref().map_err(|error| unknown(opening, error))?;
            let port = listed.iter().find(|live| live.port == opening.port);
            match port.and_then(|live| live.visibility) {
                Some(shown) if shown == opening.visibility => {
                    Ok(Opened { proof: Proof::Listed, url: self.port_url(opening.port) })
                }
                Some(shown) => Err(unchanged(opening.port, shown, &command(opening))
                    .cause("`gh` says so too where it ran out of time")
                    .hint("the same command again tries once more")),
                None => Err(not_forwarded(opening.port)),
            }
        };
        let answers = done.into_iter().zip(openings);
        answers.map(|(done, opening)| done.and_then(|()| looked(opening))).collect()
    }

    fn say(&self, opening: &Opening) -> Result<()> {
        let wanted = format!("{}:{}", opening.port, word(opening.visibility));
        let done = self.gh(&["visibility", &wanted], OPEN_LIMIT)?;
        if done.status == Some(0) {
            return Ok(());
        }
        if done.stderr.contains("is not allowed") {
            return Err(refused(opening, &done));
        }
        if done.stderr.contains("error getting tunnel port") {
            return Err(not_forwarded(opening.port).cause(done.stderr.trim()));
        }
        let what = format!("`{}` failed", command(opening));
        Err(explained(&what, &done))
    }

    fn gh(&self, arguments: &[&str], limit: Duration) -> Result<Captured> {
        if self.name.is_empty() {
            return Err(Error::new(
                ErrorCode::WorkspaceFailed,
                "CODESPACE_NAME is empty, so this codespace cannot be named to `gh`",
            ));
        }
        let mut all = vec!["codespace", "ports"];
        all.extend(arguments);
        all.extend(["-c", self.name.as_str()]);
        ask(&self.shell, "gh", &all, limit).map_err(|error| {
            match self.shell.which("gh") {
                Some(_) => error,
                None => error.hint(
                    "the feature `\"ghcr.io/devcontainers/features/github-cli:1\": {}` in devcontainer.json brings it",
                ),
            }
        })
    }
}

fn live(row: Row) -> LivePort {
    LivePort {
        port: row.source_port,
        served: true,
        visibility: match row.visibility.as_str() {
            "public" => Some(Visibility::Public),
            "org" => Some(Visibility::Organisation),
            "private" => Some(Visibility::Private),
            _ => None,
        },
        url: row.browse_url.filter(|url| !url.is_empty()),
        status: row.visibility,
    }
}

/// Returns the name of a visibility in `gh`.
fn word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Organisation => "org",
        Visibility::Private => "private",
    }
}

fn command(opening: &Opening) -> String {
    let word = word(opening.visibility);
    format!("gh codespace ports visibility {}:{word}", opening.port)
}

fn explained(what: &str, captured: &Captured) -> Error {
    let error = failed(what, captured);
    if captured.status != Some(SIGNED_OUT) {
        return error;
    }
    Error { code: ErrorCode::NotSignedIn, ..error.hint("`gh auth login` signs in") }
}

fn refused(opening: &Opening, captured: &Captured) -> Error {
    let word = word(opening.visibility);
    let text = format!(
        "this codespace allows no port to be {word}; port {} stays as it was",
        opening.port
    );
    let error = Error { code: ErrorCode::VisibilityRefused, ..failed(&text, captured) };
    error
        .hint("set by a policy of the organisation that pays for the codespace; its owners can change it")
        .hint(format!(
            "`gh codespace ports visibility {}:org -c \"$CODESPACE_NAME\"` opens it to the organisation",
            opening.port
        ))
}

/// Returns the error when `gh` reported success but the result could not be checked.
fn unknown(opening: &Opening, error: &Error) -> Error {
    let text = format!(
        "port {} may be {} now, but that could not be looked at: {}",
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
        let rows: Vec<Row> = serde_json::from_str(text).unwrap();
        let ports: Vec<_> = rows.into_iter().map(live).collect();
        assert_eq!(ports[0].visibility, Some(Visibility::Organisation));
        assert_eq!(ports[0].url.as_deref(), Some("https://owl-3000.app.github.dev"));
        assert_eq!((ports[1].visibility, &ports[1].url), (None, &None));
    }
}
