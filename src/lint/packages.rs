//! Requirements files and Python modules of the services, and which package is whose.

use std::path::Path;

use super::services::Service;
use super::subject::Subject;
use super::text::Text;
use crate::edit::requirements::{Pasted, Requirements};
use crate::plan::instrument::modules::Module;

/// A requirements file.
#[derive(Debug, Clone)]
pub struct RequirementsFile {
    /// The file.
    pub file: Text,
    /// As pip reads it.
    pub read: Requirements,
}

/// A Python module.
#[derive(Debug, Clone)]
pub struct PythonFile {
    /// The file.
    pub file: Text,
    /// What it imports, calls and creates.
    pub module: Module,
}

impl RequirementsFile {
    /// Reads a file; lines nobody can read are part of what is read.
    pub fn read(file: Text) -> Self {
        Self {
            read: Requirements::parse(&file.text),
            file,
        }
    }

    /// The byte at which a line's text begins.
    pub fn offset(&self, line: usize) -> usize {
        let found = self.file.lines().nth(line.saturating_sub(1));
        found.map_or(0, |(at, text)| at + text.len() - text.trim_start().len())
    }

    /// A line's own text, without its comment.
    pub fn line(&self, line: usize) -> &str {
        let found = self.file.lines().nth(line.saturating_sub(1));
        found.map_or("", |(_, text)| {
            text.split(" #").next().unwrap_or(text).trim()
        })
    }

    /// What was pasted is a command, not only its names.
    pub fn is_command(&self, pasted: &Pasted) -> bool {
        self.line(pasted.line)
            .split_whitespace()
            .any(|word| word == "install")
    }
}

impl PythonFile {
    /// Reads a module; one that is no Python is left out.
    pub fn read(file: Text) -> Option<Self> {
        let module = Module::read(&file.path, &file.text).ok()?;
        Some(Self { file, module })
    }
}

impl Subject {
    /// The requirements file in the folder a service is built from.
    pub fn requirements_of(&self, service: &Service) -> Option<&RequirementsFile> {
        let folder = Path::new(service.build.as_deref()?);
        let folder = if folder == Path::new(".") {
            Path::new("")
        } else {
            folder
        };
        self.requirements
            .iter()
            .find(|file| file.file.path.parent() == Some(folder))
    }

    /// The modules below the folder of a requirements file.
    pub fn modules_of(&self, requirements: &RequirementsFile) -> impl Iterator<Item = &PythonFile> {
        let folder = requirements
            .file
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .to_owned();
        self.python
            .iter()
            .filter(move |file| file.file.path.starts_with(&folder))
    }

    /// The requirements file whose folder a module lies below, the nearest one.
    pub fn requirements_for(&self, module: &PythonFile) -> Option<&RequirementsFile> {
        self.requirements
            .iter()
            .filter(|file| {
                file.file
                    .path
                    .parent()
                    .is_some_and(|folder| module.file.path.starts_with(folder))
            })
            .max_by_key(|file| file.file.path.components().count())
    }

    /// The services whose build folder a module lies below.
    pub fn services_of(&self, module: &PythonFile) -> impl Iterator<Item = &Service> {
        self.services()
            .map(|(_, service)| service)
            .filter(|service| {
                let folder = service
                    .build
                    .as_deref()
                    .map(|folder| folder.trim_start_matches('.'));
                folder.is_some_and(|folder| module.file.path.starts_with(folder))
            })
    }

    /// A program of this folder is started by `opentelemetry-instrument`.
    pub fn is_started_by_the_agent(&self, module: &PythonFile) -> bool {
        const AGENT: &str = "opentelemetry-instrument";
        let by_service = self.services_of(module).any(|service| {
            let words = service.command.iter().flat_map(|command| &command.words);
            words.into_iter().any(|word| word.contains(AGENT))
        });
        let by_image = self.dockerfiles.iter().any(|file| {
            let folder = file.path.parent().unwrap_or(Path::new(""));
            module.file.path.starts_with(folder)
                && file
                    .text
                    .lines()
                    .any(|line| !line.trim_start().starts_with('#') && line.contains(AGENT))
        });
        by_service || by_image
    }
}
