//! An in-memory project for the tests of this module.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::effective::VariableValue;
use super::{
    ComposeModel, ProjectSources, ProjectVariables, ServiceModel, SourceText, find_compose_project,
};

/// Files below `/p`.
pub(crate) struct TestSources(BTreeMap<PathBuf, String>);

impl TestSources {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| (Path::new("/p").join(path), (*text).to_owned());
        Self(files.iter().map(file).collect())
    }
}

impl ProjectSources for TestSources {
    fn text(&self, path: &Path) -> SourceText {
        match self.0.get(path) {
            Some(text) => SourceText::Found(text.as_str().into()),
            None => SourceText::Missing,
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path))
    }

    fn is_foreign(&self, path: &Path) -> bool {
        !path.starts_with("/p")
    }
}

/// Loads a project of these files, with these shell variables.
pub(crate) fn load_texts(
    files: &[(&str, &str)],
    shell: &[(&str, &str)],
) -> crate::error::Result<ComposeModel> {
    let texts = TestSources::new(files);
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let shell: BTreeMap<String, String> = shell.iter().map(owned).collect();
    let start = find_compose_project(&texts, &shell, Path::new("/p"))?;
    ComposeModel::load(&texts, &start, &shell)
}

/// Returns a service's variables as `NAME=value`, `NAME` if absent, `NAME?` if unknown.
pub(super) fn describe_environment(
    service: &ServiceModel,
    variables: &ProjectVariables,
) -> Vec<String> {
    let settings = service.effective(variables);
    let shown = settings.into_iter().map(|variable| match variable.value {
        VariableValue::Known(value) => format!("{}={}", variable.name, value.expose()),
        VariableValue::Absent => variable.name,
        VariableValue::Unknown(_) => format!("{}?", variable.name),
    });
    shown.collect()
}
