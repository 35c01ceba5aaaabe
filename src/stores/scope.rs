//! Identifies a project in the keyring by a name that is the same in every clone.

use std::path::Path;

/// A project, identified by its git remote or, without one, by its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectScope(String);

impl ProjectScope {
    pub(super) fn new(folder: &Path, remote: Option<&str>) -> Self {
        Self(remote.and_then(normalize_remote).unwrap_or_else(|| folder.display().to_string()))
    }

    /// Returns the user name of the keyring entry for the variable `name`.
    pub(super) fn entry(&self, name: &str) -> String {
        format!("{name}@{}", self.0)
    }
}

/// Returns `host/owner/name` of a remote in any of git's spellings, without credentials.
pub(super) fn normalize_remote(remote: &str) -> Option<String> {
    let remote = remote.trim();
    let (authority, path) = match remote.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => remote.split_once(':')?,
    };
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let host = address.split_once(':').map_or(address, |(host, _)| host);
    let trimmed = path.trim_matches('/');
    let path = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    // One letter before a colon is a drive, not a host.
    if host.len() < 2 || path.is_empty() {
        return None;
    }
    Some(format!("{host}/{path}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(remote: &str) -> String {
        ProjectScope::new(Path::new("/home/me/app"), Some(remote)).entry("KEY")
    }

    #[test]
    fn every_spelling_of_one_remote_is_one_project() {
        for remote in [
            "git@github.com:Me/App.git",
            "https://github.com/me/app",
            "https://me:t0ken@github.com/me/app.git/",
            "ssh://git@github.com:22/me/app.git",
        ] {
            assert_eq!(entry(remote), "KEY@github.com/me/app", "{remote}");
        }
    }

    #[test]
    fn without_a_remote_the_folder_names_the_project() {
        let scope = ProjectScope::new(Path::new("/home/me/app"), None);
        assert_eq!(scope.entry("KEY"), "KEY@/home/me/app");
        assert_eq!(entry("C:\\repos\\app"), "KEY@/home/me/app");
        assert_eq!(entry("../bare"), "KEY@/home/me/app");
    }
}
