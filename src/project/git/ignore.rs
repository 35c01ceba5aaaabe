//! Git's ignore rules: whether `git add` passes a path over.
//!
//! Pure: the texts of the rule files are handed in.

use std::path::Path;

use gix_ignore::Search;
use gix_ignore::glob::pattern::Case;
use gix_ignore::search::Ignore;

/// Rules, later over earlier, as git lays them over each other: the user's, the repository's, then each folder's.
#[derive(Debug, Default)]
pub(super) struct IgnoreRules {
    search: Search,
    case: Case,
}

impl IgnoreRules {
    /// No rules yet. `fold`: upper and lower case are one.
    pub(super) fn new(fold: bool) -> Self {
        let case = match fold {
            true => Case::Fold,
            false => Case::Sensitive,
        };
        Self { search: Search::default(), case }
    }

    /// Adds the rules of a file that holds for the folder `base` and below, relative to the working tree's root.
    ///
    /// # Errors
    /// Where the folder's name cannot be compared with git's.
    pub(super) fn add(&mut self, text: &[u8], base: &Path) -> Result<(), String> {
        // Git's lines end at a null byte.
        let lines = text.split(|byte| *byte == b'\n');
        let visible = lines.map(|line| line.split(|byte| *byte == 0).next().unwrap_or_default());
        let text = visible.collect::<Vec<_>>().join(&b'\n');
        let parse = Ignore { support_precious: false };
        let source = base.join(".gitignore");
        let added = self.search.add_patterns_buffer(&text, source, Some(Path::new("")), parse);
        added.map_err(|error| error.to_string())
    }

    /// Returns what the rules say of the path itself, not of the folders above it: these are asked first.
    pub(super) fn ignore(&self, path: &[u8], is_folder: bool) -> bool {
        let found =
            self.search.pattern_matching_relative_path(path.into(), Some(is_folder), self.case);
        found.is_some_and(|found| !found.pattern.is_negative())
    }
}
