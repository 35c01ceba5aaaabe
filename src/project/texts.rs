//! The text files in the project's folder that may contain keys.

use std::io::Read as _;
use std::path::Path;

use super::{Project, ProjectFile, disk};

/// Folders that contain generated or foreign files.
const SKIPPED_FOLDERS: [&str; 13] = [
    "node_modules",
    "venv",
    "env",
    "site-packages",
    "__pycache__",
    "vendor",
    "bower_components",
    "dist",
    "build",
    "out",
    "target",
    "coverage",
    "third_party",
];

/// Hidden folders that contain hand-written files.
const READ_HIDDEN_FOLDERS: [&str; 2] = [".devcontainer", ".github"];

/// Suffixes of such files, in addition to `Dockerfile…` and `.env…`.
const SUFFIXES: [&str; 23] = [
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".vue",
    ".svelte",
    ".html",
    ".sh",
    ".bash",
    ".env",
    ".erb",
    ".example",
    ".sample",
    ".template",
    ".tmpl",
    ".dist",
    ".tf",
    ".rb",
    ".yml",
    ".yaml",
    ".json",
];

/// Generated files, which contain digests but no keys.
const GENERATED: [&str; 5] = [
    "package-lock.json",
    "pnpm-lock.yaml",
    "composer.lock",
    "tsconfig.json",
    "npm-shrinkwrap.json",
];

/// Maximum number of folders; the rest is skipped, because it is not hand-written.
const MAX_FOLDERS: usize = 4_000;
const MAX_BYTES: usize = 16 << 20;

/// Maximum size in bytes; a longer file is data or generated.
const MAX_FILE_BYTES: u64 = 256 << 10;

impl Project {
    /// Returns the scripts, Dockerfiles, templates and files of variables in the project's folder, sorted by path.
    /// Python files are not included, see [`Project::python_files`].
    pub fn key_files(&self) -> Vec<ProjectFile> {
        let mut files: Vec<ProjectFile> = Vec::new();
        let mut open = vec![self.root.clone()];
        let (mut folders, mut bytes) = (0, 0);
        while let Some(folder) = open.pop() {
            folders += 1;
            if folders > MAX_FOLDERS || bytes > MAX_BYTES {
                break;
            }
            for path in disk::list_folder(&folder) {
                if path.is_dir() {
                    open.extend(
                        disk::is_own_folder(&path, &SKIPPED_FOLDERS, &READ_HIDDEN_FOLDERS)
                            .then_some(path),
                    );
                } else if is_wanted(&path)
                    && let Some(file) = self.source(&path).ok().flatten()
                {
                    bytes += file.text.len();
                    files.push(file);
                }
            }
        }
        files.sort_by(|file, other_file| file.path.cmp(&other_file.path));
        files
    }
}

fn is_wanted(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_named = lower.starts_with("dockerfile")
        || lower.ends_with(".dockerfile")
        || lower.starts_with(".env")
        || SUFFIXES.iter().any(|end| lower.ends_with(end));
    let is_packed = lower.ends_with(".min.js")
        || lower.contains(".bundle.")
        || GENERATED.contains(&lower.as_str());
    (is_named || !lower.contains('.'))
        && !is_packed
        && !path.is_symlink()
        && std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_FILE_BYTES)
        && (is_named || is_script(path))
}

/// Returns whether a file begins with `#!`.
fn is_script(path: &Path) -> bool {
    let mut begin = [0; 2];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"#!"
}
