//! The files whose commands people and machines start the project with.

use std::collections::BTreeMap;

use super::{Project, ProjectFile, disk};

/// Such files in the project's folder and at the repository's root.
const NAMES: [&str; 11] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "Taskfile.yml",
    "Taskfile.yaml",
    "Procfile",
    "package.json",
    ".gitlab-ci.yml",
    "Jenkinsfile",
];

/// Folders of such files, and the endings of the files; without any, every file is one.
const FOLDERS: [(&str, &[&str]); 5] = [
    (".", &["sh", "bash"]),
    ("bin", &[]),
    ("script", &[]),
    ("scripts", &[]),
    (".github/workflows", &["yml", "yaml"]),
];

/// Maximum number of files; no project has more that people wrote.
const MAX_FILES: usize = 200;

impl Project {
    /// Returns the Makefiles, scripts and workflows of the project's folder and the repository's root, sorted by path.
    /// Files that cannot be read are left out.
    pub fn task_files(&self) -> Vec<ProjectFile> {
        let tops = self.tops();
        let named = tops.iter().flat_map(|top| NAMES.map(|name| top.join(name)));
        let listed = tops.iter().flat_map(|top| {
            FOLDERS.iter().flat_map(move |(folder, endings)| {
                let names = disk::list_folder(&top.join(folder)).into_iter();
                names.filter(move |path| {
                    let ending = path.extension().and_then(|ending| ending.to_str());
                    path.is_file()
                        && (endings.is_empty()
                            || ending.is_some_and(|extension| endings.contains(&extension)))
                })
            })
        });
        let paths = named.chain(listed).take(MAX_FILES);
        let files: BTreeMap<_, _> = paths
            .filter_map(|path| self.source(path).ok().flatten())
            .map(|file| (file.path.clone(), file))
            .collect();
        files.into_values().collect()
    }
}
