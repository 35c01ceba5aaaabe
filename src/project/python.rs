//! The Python files of a folder.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::{Project, ProjectFile, disk};

/// Folders that contain foreign files.
const SKIPPED_FOLDERS: [&str; 6] =
    ["node_modules", "venv", "env", "site-packages", "__pycache__", "migrations"];

/// Maximum number of files; a folder with more is not that of a service.
const MAX_FILES: usize = 2_000;

/// Maximum number of folders; a folder with more is not that of a service.
const MAX_FOLDERS: usize = 20_000;

impl Project {
    /// Returns every readable `.py` file of a service, sorted by path, except in virtual environments, hidden folders
    /// and links to folders. Each folder is searched once.
    pub fn python_files(&self, folder: &Path) -> Vec<ProjectFile> {
        let mut known = self.python.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(folder.into()).or_insert_with(|| self.find_python(folder)).clone()
    }

    fn find_python(&self, folder: &Path) -> Vec<ProjectFile> {
        let mut files = Vec::new();
        let mut open = vec![folder.to_owned()];
        let mut seen = 0;
        while let Some(folder) = open.pop() {
            let (folders, paths): (Vec<PathBuf>, Vec<PathBuf>) =
                disk::list_folder(&folder).into_iter().partition(|path| path.is_dir());
            open.extend(
                folders
                    .into_iter()
                    .filter(|path| disk::is_own_folder(path, &SKIPPED_FOLDERS, &[]))
                    .rev(),
            );
            let python =
                paths.iter().filter(|path| path.extension().is_some_and(|end| end == "py"));
            files.extend(python.filter_map(|path| self.source(path).ok().flatten()));
            seen += 1;
            if files.len() > MAX_FILES || seen > MAX_FOLDERS {
                break;
            }
        }
        files.sort_by(|file, other_file| file.path.cmp(&other_file.path));
        files
    }
}
