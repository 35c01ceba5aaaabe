//! The project's files that a service's image is built from.

use std::path::{Path, PathBuf};

use crate::compose::{self, Dockerignore, HostMount, ServiceBuild, ServiceModel};
use crate::error::Result;
use crate::plan::instrument::PythonSourceFile;
use crate::plan::instrument::image::ImageFiles;
use crate::project::Project;

/// The build context and the mounts of one service.
pub(super) struct ServiceFiles<'p> {
    project: &'p Project,
    context: PathBuf,
    mounts: &'p [HostMount],
    ignored: Dockerignore,
}

impl<'p> ServiceFiles<'p> {
    /// Reads the ignore file that docker uses: the one named after the Dockerfile takes precedence over the
    /// context's. `code` is the folder of a service that is not built.
    pub(super) fn of(project: &'p Project, service: &'p ServiceModel, code: &Path) -> Self {
        let named = service.build.as_ref().and_then(ServiceBuild::dockerfile_path).map(|path| {
            let mut name = path.into_os_string();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        let usual = service.build.as_ref().map(|build| build.context.join(".dockerignore"));
        let mut paths = named.into_iter().chain(usual);
        let text = paths.find_map(|path| project.source(path).ok().flatten());
        Self {
            project,
            context: service.build.as_ref().map_or(code, |build| &build.context).to_owned(),
            mounts: &service.mounts,
            ignored: text.map(|file| Dockerignore::parse(&file.text)).unwrap_or_default(),
        }
    }
}

impl ImageFiles for ServiceFiles<'_> {
    fn in_context(&self, path: &str) -> Result<Option<PythonSourceFile>> {
        self.at(&self.context.join(path))
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.ignored.excludes(path)
    }

    fn mounted(&self, path: &str) -> Result<Option<PythonSourceFile>> {
        match compose::mounted_path(self.mounts, Path::new(path)) {
            Some(origin) => self.at(&origin),
            None => Ok(None),
        }
    }

    fn at(&self, path: &Path) -> Result<Option<PythonSourceFile>> {
        // Folders have no text, and files outside the project are not edited.
        if !path.is_file() {
            return Ok(None);
        }
        let found = self.project.source(compose::clean_path(path))?;
        Ok(found.map(|file| PythonSourceFile { path: file.path, text: file.text.to_string() }))
    }
}
