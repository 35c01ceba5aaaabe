//! Names of programs, images and profiles and what each indicates about a service, from `templates/programs.yaml`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// A list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WordList {
    /// Frameworks that render pages on the server.
    Renders,
    /// Programs that deliver pages to browsers.
    Shows,
    /// Programs that build files for browsers.
    Bundles,
    /// Test runners.
    Tests,
    /// Programs that finish when their work is done.
    Ends,
    /// Programs that serve or work in the background, whatever their arguments.
    Serves,
    /// Shell builtins that start nothing.
    Nothing,
    /// Words in the names of scripts that finish when their work is done.
    TaskWords,
    /// Parts of the names of images that are a base for the user's own programs.
    Runtimes,
    /// Profiles whose services are started manually and temporarily.
    Profiles,
}

static LISTS: LazyLock<HashMap<WordList, HashSet<String>>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../../../templates/programs.yaml")).unwrap_or_default()
});

impl WordList {
    /// Returns whether a name is in this list.
    pub(super) fn has(self, name: &str) -> bool {
        LISTS.get(&self).is_some_and(|list| list.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_read() {
        use WordList::*;
        let all =
            [Renders, Shows, Bundles, Tests, Ends, Serves, Nothing, TaskWords, Runtimes, Profiles];
        for list in all {
            assert!(LISTS.get(&list).is_some_and(|names| names.len() > 5), "{list:?}");
        }
        assert_eq!(LISTS.len(), all.len());
    }
}
