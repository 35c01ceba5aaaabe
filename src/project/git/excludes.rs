//! The user's ignore rules for all repositories: git's `core.excludesFile`.

use std::path::PathBuf;

use super::config::GitConfig;
use crate::project::disk;
use crate::shell::Shell;

/// Reads the user's rules; `None` if there are none, or if other configuration files may set different ones.
pub(super) fn read(shell: &Shell) -> Option<Vec<u8>> {
    let home = shell.home();
    let of_git = shell
        .var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home.as_ref()?.join(".config")))?
        .join("git");
    let configs = match shell.var("GIT_CONFIG_GLOBAL") {
        Some(only) => vec![PathBuf::from(only)],
        None => {
            let beside = home.iter().map(|home| home.join(".gitconfig"));
            std::iter::once(of_git.join("config")).chain(beside).collect()
        }
    };
    let mut named = None;
    for path in configs {
        let text = disk::read_text_file(&path).ok()?.unwrap_or_default();
        let config = GitConfig::parse(&text);
        if config.includes() {
            return None;
        }
        named = config.value("core", "excludesfile").map(str::to_owned).or(named);
    }
    let path = match named {
        None => of_git.join("ignore"),
        Some(named) => match named.strip_prefix("~/") {
            Some(below) => home?.join(below),
            None => PathBuf::from(named),
        },
    };
    if path.is_absolute() { disk::read_bytes(&path).ok()? } else { None }
}
