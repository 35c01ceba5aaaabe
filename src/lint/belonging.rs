//! Which requirements file, module and service of a project belong together: by the folders they lie in.

use std::path::Path;

use super::packages::{PythonFile, RequirementsFile};
use super::services::Service;
use super::subject::Subject;
use crate::compose::{BuildAction, Dockerfile};

impl Subject {
    /// The requirements file in the folder a service is built from.
    pub fn requirements_of(&self, service: &Service) -> Option<&RequirementsFile> {
        let folder = Path::new(service.build.as_deref()?);
        let folder = if folder == Path::new(".") { Path::new("") } else { folder };
        self.requirements.iter().find(|file| file.file.path.parent() == Some(folder))
    }

    /// The modules below the folder of a requirements file.
    pub fn modules_of(&self, requirements: &RequirementsFile) -> impl Iterator<Item = &PythonFile> {
        let folder = requirements.file.path.parent().unwrap_or(Path::new("")).to_owned();
        self.python.iter().filter(move |file| file.file.path.starts_with(&folder))
    }

    /// The requirements file whose folder a module lies below, the nearest one.
    pub fn requirements_for(&self, module: &PythonFile) -> Option<&RequirementsFile> {
        self.requirements
            .iter()
            .filter(|file| {
                file.file.path.parent().is_some_and(|folder| module.file.path.starts_with(folder))
            })
            .max_by_key(|file| file.file.path.components().count())
    }

    /// The services whose build folder a module lies below.
    pub fn services_of(&self, module: &PythonFile) -> impl Iterator<Item = &Service> {
        self.services().map(|(_, service)| service).filter(|service| {
            let folder = service.build.as_deref().map(|folder| folder.trim_start_matches('.'));
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
            module.file.path.starts_with(folder) && starts(file.text.as_str(), AGENT)
        });
        by_service || by_image
    }
}

/// An image that is built by this Dockerfile starts `program`.
fn starts(dockerfile: &str, program: &str) -> bool {
    let file = Dockerfile::parse(dockerfile, &[]);
    let stages = file.iter().flat_map(|file| &file.stages);
    let mut commands = stages.flat_map(|stage| &stage.steps).flat_map(|step| match &step.action {
        BuildAction::Command(commands) | BuildAction::Entrypoint(commands) => commands.as_slice(),
        BuildAction::Copy(_) | BuildAction::Run { .. } => &[],
    });
    commands.any(|command| command.words.iter().any(|word| word.contains(program)))
}
