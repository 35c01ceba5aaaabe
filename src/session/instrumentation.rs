//! Reads a service's instrumentation from its files.

use std::path::{Path, PathBuf};

use crate::compose::{self, ProjectVariables, Startup};
use crate::edit::python::calls::PythonCall;
use crate::instrumentation::{CodeText, Instrumentation, ServiceEvidence, known_variables};
use crate::project::{Project, ProjectFile};

/// Reads the instrumentation of a service, with these variables.
pub(crate) fn read_instrumentation(
    project: &Project,
    service: &compose::ServiceModel,
    variables: &ProjectVariables,
) -> Instrumentation {
    read_parsed_instrumentation(project, service, variables, &|_| None)
}

/// Reads the instrumentation of a service, where `calls` returns those of a Python file that was parsed before.
pub(crate) fn read_parsed_instrumentation<'c>(
    project: &Project,
    service: &compose::ServiceModel,
    variables: &ProjectVariables,
    calls: &dyn Fn(&Path) -> Option<&'c [PythonCall]>,
) -> Instrumentation {
    let sources = project.sources();
    let startup = service.startup(sources, Some(variables));
    let python = python_files(project, &startup);
    let texts = python.iter().map(|file| {
        let path = file.path.as_path();
        CodeText { path, text: &file.text, calls: calls(path) }
    });
    Instrumentation::read(&ServiceEvidence {
        startup: &startup,
        environment: known_variables(&service.intended(variables)),
        python: texts.collect(),
        sources,
    })
}

/// Returns the Python files of the first code folder that lists packages, else of the last.
fn python_files(project: &Project, startup: &Startup) -> Vec<ProjectFile> {
    const LISTS: [&str; 4] = ["requirements.txt", "pyproject.toml", "Pipfile", "setup.py"];
    let sources = project.sources();
    let mut folders = startup.code_folders(sources).iter().map(|(folder, _)| folder);
    let lists_packages = |folder: &&PathBuf| {
        sources.exists(folder) && LISTS.iter().any(|list| sources.exists(&folder.join(list)))
    };
    let folder = folders.clone().find(lists_packages).or_else(|| folders.next_back());
    let mut files = folder.map(|folder| project.python_files(folder)).unwrap_or_default();
    if startup.own_folder(sources).is_some() {
        files.retain(|file| startup.holds(&file.path));
    }
    files
}
