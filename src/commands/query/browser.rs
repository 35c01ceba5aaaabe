//! Opens a link in the browser.

use std::process::{Command, Stdio};

use crate::error::{Error, ErrorCode, Result};
use crate::shell::Shell;

/// Programs that open an address, in the order they are tried.
const OPENERS: [&str; 3] = ["xdg-open", "wslview", "open"];

pub(super) fn open(url: &str, shell: &Shell) -> Result<()> {
    let chosen = shell.var("BROWSER").and_then(|name| shell.which(name));
    let opener = chosen.or_else(|| OPENERS.iter().find_map(|name| shell.which(name)));
    let opener = opener.ok_or_else(|| {
        Error::new(ErrorCode::NoBrowser, "nothing here opens a link")
            .hint("copy the link, or name a browser in the variable BROWSER")
    })?;
    let status = Command::new(opener)
        .arg(url)
        .current_dir(std::path::MAIN_SEPARATOR_STR)
        .env_clear()
        .envs(shell.child_variables())
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

fn refused(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::NoBrowser, "the link could not be opened").cause(cause)
}
