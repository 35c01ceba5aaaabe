//! Where the project lies whose stores are meant.

use std::path::PathBuf;

use crate::cli::Global;
use crate::error::{Error, Result};
use crate::shell::Shell;
use crate::stores::Stores;
use crate::ui::Ui;

pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) stores: Stores,
}

pub(super) fn find(global: &Global, shell: &Shell, ui: &Ui) -> Result<Place> {
    let start = match &global.directory {
        Some(directory) => shell.folder().join(directory),
        None => shell.folder().to_owned(),
    };
    let folder = start
        .ancestors()
        .find(|folder| {
            [
                "compose.yaml",
                "compose.yml",
                "docker-compose.yml",
                "docker-compose.yaml",
            ]
            .iter()
            .any(|name| folder.join(name).is_file())
        })
        .ok_or_else(|| {
            Error::new(
                "no-compose-file",
                format!("no compose file in {}", start.display()),
            )
        })?
        .to_owned();
    let stores = Stores::open(&folder, None, shell, ui.redactor());
    Ok(Place { folder, stores })
}
