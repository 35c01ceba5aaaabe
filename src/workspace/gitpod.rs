//! The ports of a Gitpod workspace, through `gp ports`, which prints a table and no JSON.

use std::time::Duration;

use super::program::Captured;
use super::{LivePort, Opened, Opening, Proof, Visibility, ask, failed, unchanged};
use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

/// Slightly more than the time `gp` itself waits for its list.
const LIMIT: Duration = Duration::from_secs(12);

/// A Gitpod workspace.
#[derive(Debug, Clone)]
pub struct Gitpod {
    shell: Shell,
}

impl Gitpod {
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
            return Ok(ports(&listed.stdout));
        }
        if listed.stderr.contains("panic:") {
            let text = "`gp ports list` crashed, as it does while a port is not exposed yet";
            return Err(Error::new(ErrorCode::WorkspaceFailed, text));
        }
        Err(failed("`gp ports list` failed", &listed))
    }

    pub(super) fn open(&self, openings: &[Opening]) -> Vec<Result<Opened>> {
        let done: Vec<Result<()>> = openings.iter().map(|one| self.say(one)).collect();
        // If the list fails, nothing is proven either way.
        let listed = match done.iter().any(Result::is_ok) {
            true => self.live_ports().unwrap_or_default(),
            false => Vec::new(),
        };
        let looked = |opening: &Opening| {
            let port = listed.iter().find(|live| live.port == opening.port);
            match port.and_then(|live| live.visibility) {
                Some(shown) if shown != opening.visibility => {
                    Err(unchanged(opening.port, shown, &format!("gp {}", words(opening).join(" "))))
                }
                Some(_) => Ok(Proof::Listed),
                None => Ok(Proof::Said),
            }
            .map(|proof| Opened { proof, url: self.port_url(opening.port) })
        };
        let answers = done.into_iter().zip(openings);
        answers.map(|(done, opening)| done.and_then(|()| looked(opening))).collect()
    }

    /// Sets the visibility of one port; `gp` takes one at a time.
    fn say(&self, opening: &Opening) -> Result<()> {
        let words = words(opening);
        let done = self.gp(&words.each_ref().map(String::as_str))?;
        match done.status {
            Some(0) => Ok(()),
            _ => Err(failed(&format!("`gp {}` failed", words.join(" ")), &done)),
        }
    }

    fn gp(&self, arguments: &[&str]) -> Result<Captured> {
        ask(&self.shell, "gp", arguments, LIMIT)
    }
}

/// Returns the arguments of `gp`.
fn words(opening: &Opening) -> [String; 3] {
    let wanted = format!("{}:{}", opening.port, opening.visibility.name());
    ["ports".to_owned(), "visibility".to_owned(), wanted]
}

/// Parses the table of `gp ports list`.
pub fn ports(table: &str) -> Vec<LivePort> {
    table.lines().filter_map(row).collect()
}

/// Parses a row of the table; `None` for its header, its rules and the continuation lines of a long cell.
fn row(line: &str) -> Option<LivePort> {
    let mut cells = line.trim().strip_prefix('|')?.split('|').map(str::trim);
    let port = cells.next()?.parse().ok()?;
    let status = cells.next()?.to_owned();
    let url = cells.nth(1).filter(|url| url.contains("://"));
    let visibility = match status.as_str() {
        "open (public)" => Some(Visibility::Public),
        "open (private)" => Some(Visibility::Private),
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
            .filter_map(row)
            .map(|live| (live.port, live.served, live.visibility, live.url.is_some()))
            .collect();
        assert_eq!(
            ports,
            [
                (3000, true, Some(Visibility::Public), true),
                (4567, true, Some(Visibility::Private), true),
                (5432, false, None, false),
                (8000, true, None, false),
            ]
        );
        assert_eq!("No ports detected.".lines().find_map(row), None);
    }
}
