//! Names of programs, images and profiles, and what each tells of a service, from `templates/programs.yaml`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// A list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WordList {
    /// Frameworks that render pages on the server.
    Renders,
    /// Servers of pages for browsers.
    Shows,
    /// Programs that make files for browsers.
    Bundles,
    /// Test runners.
    Tests,
    /// Programs that end when their work is done.
    Ends,
    /// Programs that serve or work in the background, whatever their arguments.
    Serves,
    /// Words of a shell that start nothing.
    Nothing,
    /// Words in the name of a script that ends when its work is done.
    TaskWords,
    /// Parts of the names of images that programs of one's own are built on.
    Runtimes,
    /// Profiles whose services are started by hand, for a while.
    Profiles,
}

static LISTS: LazyLock<HashMap<WordList, HashSet<String>>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../../../templates/programs.yaml")).unwrap_or_default()
});

impl WordList {
    /// Whether a name is in this list.
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
