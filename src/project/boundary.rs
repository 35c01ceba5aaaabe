//! The boundary of a project: files outside of it are neither shown nor written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};

/// The folder that contains every file of the project that may be shown and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectBoundary {
    folder: PathBuf,
}

impl ProjectBoundary {
    /// Creates the boundary of `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Returns the real path of `path`, with links resolved; a file that does not exist yet is located by its folder.
    ///
    /// # Errors
    /// `outside-project`; `unreadable-file` without permission to look it up.
    pub fn real(&self, path: &Path) -> Result<PathBuf> {
        let seen = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => self.refuse(path, "the target of the link does not exist"),
            _ => Error::new(ErrorCode::UnreadableFile, format!("cannot read {}", path.display()))
                .cause(error),
        };
        let real = resolve_existing_path(path).map_err(seen)?;
        let folder = std::fs::canonicalize(&self.folder).map_err(seen)?;
        if real.starts_with(&folder) {
            return Ok(real);
        }
        Err(self.refuse(path, &format!("it is {}", real.display())))
    }

    fn refuse(&self, path: &Path, cause: &str) -> Error {
        let message = format!(
            "{} is outside the project, which is {}",
            path.display(),
            self.folder.display()
        );
        Error::new(ErrorCode::OutsideProject, message)
            .cause(cause)
            .hint("`-C DIR` names the project it belongs to")
    }
}

/// Resolves the links of `path` as far as it exists.
fn resolve_existing_path(path: &Path) -> std::io::Result<PathBuf> {
    let missing = |error: &std::io::Error| {
        matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
    };
    match (path.symlink_metadata(), path.parent().zip(path.file_name())) {
        (Err(error), Some((parent, name))) if missing(&error) => {
            Ok(resolve_existing_path(parent)?.join(name))
        }
        _ => std::fs::canonicalize(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_resolved_and_a_missing_file_is_located_by_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for made in ["project/own", "elsewhere"] {
            std::fs::create_dir_all(top.join(made)).unwrap();
        }
        for (link, target) in [
            ("project/out", "../elsewhere"),
            ("project/in", "own"),
            ("project/gone", "/nowhere/at/all"),
        ] {
            symlink(target, top.join(link)).unwrap();
        }
        let boundary = ProjectBoundary::new(&top.join("project"));
        let real = |path: &str| boundary.real(&top.join(path));
        assert_eq!(real("project/in/new/file"), Ok(top.join("project/own/new/file")));
        assert_eq!(real("project/new"), Ok(top.join("project/new")));
        for outside in ["elsewhere/file", "project/out/file", "project/gone", "projectile"] {
            assert_eq!(real(outside).unwrap_err().code, ErrorCode::OutsideProject, "{outside}");
        }
    }
}
