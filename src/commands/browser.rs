//! Opens a link in the browser, with the program that opens links on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{Error, ErrorCode, Result};
use crate::secret;
use crate::shell::Shell;

/// Programs that take an address and show it, in the order in which they are tried.
const OPENERS: [&str; 3] = ["xdg-open", "wslview", "open"];

/// Opens an address. The program that does so gets no secret in its environment.
///
/// # Errors
/// `no-browser`.
pub(super) fn open(url: &str, shell: &Shell) -> Result<()> {
    let (opener, arguments) = find_opener(shell).ok_or_else(|| {
        Error::new(ErrorCode::NoBrowser, "no program that opens links was found")
            .hint("copy the link, or set the variable BROWSER to a browser")
    })?;
    let status = Command::new(opener)
        .args(arguments)
        .arg(url)
        .current_dir(std::path::MAIN_SEPARATOR_STR)
        .env_clear()
        .envs(without_secrets(shell.child_variables()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(refused(status)),
        Err(error) => Err(refused(error)),
    }
}

/// Finds the program that opens links: the one in `BROWSER`, which editors set in their terminals, else Gitpod's,
/// else the desktop's.
fn find_opener(shell: &Shell) -> Option<(PathBuf, &'static [&'static str])> {
    let named = shell.var("BROWSER").and_then(|name| shell.which(name));
    if let Some(named) = named {
        return Some((named, &[]));
    }
    let gp = shell.var("GITPOD_WORKSPACE_ID").and_then(|_| shell.which("gp"));
    if let Some(gp) = gp {
        return Some((gp, &["preview", "--external"]));
    }
    OPENERS.iter().find_map(|name| Some((shell.which(name)?, &[][..])))
}

fn without_secrets(variables: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let passed_on = variables.into_iter().filter(|(name, value)| !secret::is_secret(name, value));
    passed_on.collect()
}

fn refused(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::NoBrowser, "the link could not be opened").cause(cause)
}
