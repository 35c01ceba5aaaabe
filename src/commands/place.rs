//! Where a command stands: the shell it was started from and the project it found.

use std::path::Path;

use crate::apply::{Journal, state_folder};
use crate::error::Result;
use crate::project::Project;
use crate::secret::Redactor;
use crate::shell::Shell;
use crate::stores::Stores;

/// The shell and the project.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) shell: &'a Shell,
    pub(super) project: Project,
}

impl<'a> Place<'a> {
    /// Finds the project from `directory`, or from the folder the shell stands in.
    ///
    /// # Errors
    /// `no-compose-file`, `unreadable-file`.
    pub(super) fn find(shell: &'a Shell, directory: Option<&Path>) -> Result<Self> {
        let project = Project::discover(shell, directory)?;
        Ok(Self { shell, project })
    }

    /// The folder of the compose file; paths are shown relative to it.
    pub(super) fn root(&self) -> &Path {
        &self.project.root
    }

    /// The undo journal of this project.
    pub(super) fn journal(&self, redactor: &Redactor) -> Result<Journal> {
        Ok(Journal::open(
            &state_folder(self.shell)?,
            self.root(),
            redactor,
        ))
    }

    /// The secret stores of this project.
    pub(super) fn stores(&self, redactor: &Redactor) -> Stores {
        Stores::open(
            self.root(),
            self.project.git_remote.as_deref(),
            self.shell,
            redactor,
        )
    }
}
