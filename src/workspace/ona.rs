//! The ports of an Ona environment, through its program `gitpod`.
//!
//! The output of `gitpod environment port list` has no stable format: it is read if possible; otherwise the success
//! of `gitpod environment port open` is trusted.

use std::time::Duration;

use serde_json::Value;

use super::program::ProgramOutput;
use super::{
    ChangeProof, LivePort, LiveVisibility, VisibilityChanged, VisibilityRequest,
    run_workspace_program, unchanged_visibility_error, workspace_program_error,
};
use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(20);

/// The lowest port that can be opened.
const MIN_PORT: u16 = 1024;

/// An Ona environment.
#[derive(Debug, Clone)]
pub struct OnaWorkspace {
    shell: Shell,
}

impl OnaWorkspace {
    pub(super) fn new(shell: &Shell) -> Self {
        Self { shell: shell.clone() }
    }

    pub(super) fn live_ports(&self) -> Result<Vec<LivePort>> {
        let listed = self.gitpod(&["list", "-o", "json"])?;
        if listed.status != Some(0) {
            return Err(workspace_program_error("`gitpod environment port list` failed", &listed));
        }
        parse_ona_ports(&listed.stdout).ok_or_else(|| {
            Error::new(
                ErrorCode::WorkspaceFailed,
                "`gitpod environment port list` printed something unexpected",
            )
            .hint("`gitpod environment port list` shows it")
        })
    }

    pub(super) fn open(&self, openings: &[VisibilityRequest]) -> Vec<Result<VisibilityChanged>> {
        let done: Vec<Result<Option<String>>> =
            openings.iter().map(|opening| self.say(opening)).collect();
        // If the list cannot be read, nothing is proven either way.
        let listed = self.live_ports().unwrap_or_default();
        let looked = |opening: &VisibilityRequest, url: Option<String>| {
            let port = listed.iter().find(|live| live.port == opening.port);
            match port.and_then(|live| live.visibility) {
                Some(shown) if shown == opening.visibility => Ok(ChangeProof::Listed),
                Some(shown) => Err(unchanged_visibility_error(
                    opening.port,
                    shown,
                    &ona_visibility_command(opening),
                )),
                None => Ok(ChangeProof::Said),
            }
            .map(|proof| VisibilityChanged { proof, url })
        };
        let answers = done.into_iter().zip(openings);
        answers.map(|(done, opening)| done.and_then(|url| looked(opening, url))).collect()
    }

    /// Opens a port, always with an admission level, because the default is everyone; returns the printed URL.
    fn say(&self, opening: &VisibilityRequest) -> Result<Option<String>> {
        if opening.port < MIN_PORT {
            let text = format!("Ona opens ports from {MIN_PORT} on, and this is {}", opening.port);
            return Err(Error::new(ErrorCode::VisibilityRefused, text)
                .hint("publish the service on a higher port in the compose file"));
        }
        let port = opening.port.to_string();
        let admission = ona_admission(opening.visibility);
        let arguments = ["open", &port, "--name", &opening.name, "--admission", admission];
        let done = self.gitpod(&arguments)?;
        if done.status == Some(0) {
            let mut words = done.stdout.split_whitespace();
            let url = words.find(|word| word.starts_with("https://"));
            return Ok(url.map(str::to_owned));
        }
        let by_hand = format!("`{}` by hand shows more", ona_visibility_command(opening));
        Err(workspace_program_error("`gitpod environment port open` failed", &done)
            .hint(by_hand)
            .hint("an organisation can forbid sharing ports: its owners know"))
    }

    fn gitpod(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        let mut all = vec!["environment", "port"];
        all.extend(arguments);
        run_workspace_program(&self.shell, "gitpod", &all, COMMAND_TIME_LIMIT)
    }
}

/// Returns the name of a visibility in `gitpod`.
fn ona_admission(visibility: LiveVisibility) -> &'static str {
    match visibility {
        LiveVisibility::Public => "everyone",
        LiveVisibility::Organisation => "organization",
        LiveVisibility::Private => "creator_only",
    }
}

fn ona_visibility_command(opening: &VisibilityRequest) -> String {
    format!(
        "gitpod environment port open {} --name {} --admission {}",
        opening.port,
        opening.name,
        ona_admission(opening.visibility)
    )
}

/// Parses a list of ports, at the top level or under `ports`; `None` for anything else.
fn parse_ona_ports(text: &str) -> Option<Vec<LivePort>> {
    let document: Value = serde_json::from_str(text).ok()?;
    let list = document.get("ports").unwrap_or(&document).as_array()?;
    list.iter().map(parse_ona_port).collect()
}

fn parse_ona_port(entry: &Value) -> Option<LivePort> {
    let port = entry.get("port")?.as_u64()?.try_into().ok()?;
    let status = entry.get("admission").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let all = [LiveVisibility::Public, LiveVisibility::Organisation, LiveVisibility::Private];
    let url = entry.get("url").and_then(Value::as_str);
    Some(LivePort {
        port,
        served: true,
        visibility: all
            .into_iter()
            .find(|visibility| status.ends_with(ona_admission(*visibility)))
            .or_else(|| status.ends_with("owner_only").then_some(LiveVisibility::Private)),
        url: url.map(str::to_owned),
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_list_formats_are_parsed() {
        let text = r#"{"ports": [{"port": 3000, "name": "web", "admission": "ADMISSION_LEVEL_EVERYONE"},
            {"port": 4567, "admission": "creator_only", "url": "https://x"}, {"port": 80},
            {"port": 81, "admission": "ADMISSION_LEVEL_OWNER_ONLY"}]}"#;
        let seen: Vec<_> =
            parse_ona_ports(text).unwrap().into_iter().map(|live| live.visibility).collect();
        assert_eq!(
            seen,
            [
                Some(LiveVisibility::Public),
                Some(LiveVisibility::Private),
                None,
                Some(LiveVisibility::Private)
            ]
        );
        assert_eq!(parse_ona_ports("PORT  NAME"), None);
        assert_eq!(parse_ona_ports("[{\"number\": 1}]"), None);
        assert_eq!(parse_ona_ports("[]"), Some(Vec::new()));
    }
}
