//! The bundled sample project, from `examples/cruddur`.

use std::path::Path;

use crate::error::{Error, ErrorCode, Result};

macro_rules! sample {
    ($($path:literal),* $(,)?) => {
        /// The files of the sample, as path and text.
        const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../examples/cruddur/", $path)))),*];
    };
}

sample![
    ".gitpod.yml",
    "backend-flask/Dockerfile",
    "backend-flask/app.py",
    "backend-flask/requirements.txt",
    "backend-flask/services/__init__.py",
    "backend-flask/services/home_activities.py",
    "backend-flask/services/notifications_activities.py",
    "docker-compose.yml",
    "frontend-react-js/Dockerfile",
    "frontend-react-js/package.json",
    "frontend-react-js/public/index.html",
    "frontend-react-js/src/App.js",
    "frontend-react-js/src/index.js",
];

/// Writes the sample into `folder`.
///
/// # Errors
/// `write-failed`.
pub(super) fn unpack(folder: &Path) -> Result<()> {
    let write = |path: &Path, text: &str| {
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(path, text)
    };
    for (path, text) in FILES {
        write(&folder.join(path), text).map_err(|error| {
            Error::new(ErrorCode::WriteFailed, "the sample project could not be written")
                .cause(error)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_sample_is_bundled() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        let count = |root: &Path| {
            let mut folders = vec![root.to_owned()];
            let mut files = 0;
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() { folders.push(path) } else { files += 1 }
                }
            }
            files
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cruddur");
        assert_eq!(count(folder.path()), count(&source));
    }
}
