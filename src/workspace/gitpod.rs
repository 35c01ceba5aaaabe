//! The ports of a Gitpod workspace, through `gp ports`, which prints a table, not JSON.

use std::time::Duration;

use super::program::ProgramOutput;
use super::{
    ChangeProof, LivePort, LiveVisibility, VisibilityChanged, VisibilityRequest,
    run_workspace_program, unchanged_visibility_error, workspace_program_error,
};
use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

/// Slightly more than the time `gp` itself waits for its list.
const LIST_TIME_LIMIT: Duration = Duration::from_secs(12);

/// A Gitpod workspace.
#[derive(Debug, Clone)]
pub struct GitpodWorkspace {
    shell: Shell,
}

impl GitpodWorkspace {
    pub(super) fn new(shell: &Shell) -> Self {
        Self { shell: shell.clone() }
    }

    pub(super) fn port_url(&self, port: u16) -> Option<String> {
        let (scheme, host) = self.shell.var("GITPOD_WORKSPACE_URL")?.split_once("://")?;
        Some(format!("{scheme}://{port}-{host}"))
    }

    pub(super) fn live_ports(&self) -> Result<Vec<LivePort>> {
        let listed = self.gp(&["ports", "list", "--no-color"])?;
        if listed.status == Some(0) {
            return Ok(parse_gp_ports(&listed.stdout));
        }
        if listed.stderr.contains("panic:") {
            let text = "`gp ports list` crashed, as it does while a port is not exposed yet";
            return Err(Error::new(ErrorCode::WorkspaceFailed, text));
        }
        Err(workspace_program_error("`gp ports list` failed", &listed))
    }

    pub(super) fn open(&self, openings: &[VisibilityRequest]) -> Vec<Result<VisibilityChanged>> {
        let done: Vec<Result<()>> = openings.iter().map(|opening| self.say(opening)).collect();
        // If the list fails, nothing is proven either way.
        let listed = if done.iter().any(Result::is_ok) {
            self.live_ports().unwrap_or_default()
        } else {
            Vec::new()
        };
        let looked = |opening: &VisibilityRequest| {
            let port = listed.iter().find(|live| live.port == opening.port);
            match port.and_then(|live| live.visibility) {
                Some(shown) if shown != opening.visibility => Err(unchanged_visibility_error(
                    opening.port,
                    shown,
                    &format!("gp {}", gp_arguments(opening).join(" ")),
                )),
                Some(_) => Ok(ChangeProof::Listed),
                None => Ok(ChangeProof::Said),
            }
            .map(|proof| VisibilityChanged { proof, url: self.port_url(opening.port) })
        };
        let answers = done.into_iter().zip(openings);
        answers.map(|(done, opening)| done.and_then(|()| looked(opening))).collect()
    }

    /// Sets the visibility of one port; `gp` takes one at a time.
    fn say(&self, opening: &VisibilityRequest) -> Result<()> {
        let words = gp_arguments(opening);
        let done = self.gp(&words.each_ref().map(String::as_str))?;
        match done.status {
            Some(0) => Ok(()),
            _ => Err(workspace_program_error(&format!("`gp {}` failed", words.join(" ")), &done)),
        }
    }

    fn gp(&self, arguments: &[&str]) -> Result<ProgramOutput> {
        run_workspace_program(&self.shell, "gp", arguments, LIST_TIME_LIMIT)
    }
}

/// Returns the arguments of `gp`.
fn gp_arguments(opening: &VisibilityRequest) -> [String; 3] {
    let wanted = format!("{}:{}", opening.port, opening.visibility.name());
    ["ports".to_owned(), "visibility".to_owned(), wanted]
}

/// Parses the table of `gp ports list`.
pub fn parse_gp_ports(table: &str) -> Vec<LivePort> {
    table.lines().filter_map(parse_gp_row).collect()
}

/// Parses a row of the table; `None` for its header, its rules and the continuation lines of a long cell.
fn parse_gp_row(line: &str) -> Option<LivePort> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let port = cells.next()?.parse().ok()?;
    let status = cells.next()?.to_owned();
    let url = cells.nth(1).filter(|url| url.contains("://"));
    let visibility = match status.as_str() {
        "open (public)" => Some(LiveVisibility::Public),
        "open (private)" => Some(LiveVisibility::Private),
        _ => None,
    };
    Some(LivePort {
        port,
        served: status.starts_with("open"),
        visibility,
        url: url.map(str::to_owned),
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_the_rest_of_the_table_is_not() {
        let table = "\
| PORT |        STATUS         | PROTOCOL |                URL                 | NAME & DESCRIPTION |
|------|-----------------------|----------|------------------------------------|--------------------|
| 3000 | open (public)         | http     | https://3000-me.ws-eu11.gitpod.io  | web: a | b         |
| 4567 | open (private)        | http     | https://4567-me.ws-eu11.gitpod.io  | api                |
|      |                       |          |                                    | wrapped            |
| 5432 | not served            |          |                                    | db                 |
| 8000 | open on localhost     |          |                                    |                    |
";
        let ports: Vec<_> = table
            .lines()
            .filter_map(parse_gp_row)
            .map(|live| (live.port, live.served, live.visibility, live.url.is_some()))
            .collect();
        assert_eq!(
            ports,
            [
                (3000, true, Some(LiveVisibility::Public), true),
                (4567, true, Some(LiveVisibility::Private), true),
                (5432, false, None, false),
                (8000, true, None, false),
            ]
        );
        assert_eq!("No ports detected.".lines().find_map(parse_gp_row), None);
    }
}
