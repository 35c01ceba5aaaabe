//! Git's ignore rules, which decide whether `git add` skips a path.
//!
//! No I/O: the caller passes the texts of the rule files.

use std::path::Path;

use gix_ignore::Search;
use gix_ignore::glob::pattern::Case;
use gix_ignore::search::Ignore;

/// The kind of a path that rules are checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathKind {
    File,
    Folder,
}

/// Ignore rules, in git's order of increasing precedence: the user's, the repository's, then those of each folder.
#[derive(Debug, Default)]
pub(super) struct GitIgnoreRules {
    search: Search,
    case: Case,
}

impl GitIgnoreRules {
    /// Creates an empty set of rules.
    pub(super) fn new(case: Case) -> Self {
        Self { search: Search::default(), case }
    }

    /// Adds the rules of a file, which apply to the folder `base`, relative to the working tree's root, and below.
    ///
    /// # Errors
    /// Fails if the folder's name cannot be compared with git's.
    pub(super) fn add(&mut self, text: &[u8], base: &Path) -> Result<(), String> {
        // Git ends lines at a null byte.
        let lines = text.split(|byte| *byte == b'\n');
        let visible = lines.map(|line| line.split(|byte| *byte == 0).next().unwrap_or_default());
        let text = visible.collect::<Vec<_>>().join(&b'\n');
        let parse = Ignore { support_precious: false };
        let source = base.join(".gitignore");
        let added = self.search.add_patterns_buffer(&text, source, Some(Path::new("")), parse);
        added.map_err(|error| error.to_string())
    }

    /// Returns whether the rules ignore the path itself. Rules for the folders above it must be checked first.
    pub(super) fn ignore(&self, path: &[u8], kind: PathKind) -> bool {
        let is_folder = Some(kind == PathKind::Folder);
        let found = self.search.pattern_matching_relative_path(path.into(), is_folder, self.case);
        found.is_some_and(|found| !found.pattern.is_negative())
    }
}
