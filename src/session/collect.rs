//! The files doctor looks at, read by the project, and what the shell, the stores and git say.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::compose;
use crate::error::{ErrorCode, Result};
use crate::lint::{self, Lines, Outside, Refused, Role, Standpoint, Subject, Text};
use crate::project::GitStanding;
use crate::secret::{self, Secret};
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::stores::{StoreKind, Stores};
use crate::ui::Ui;

/// The files, by what they are, and the world outside.
#[derive(Debug, Clone)]
pub(crate) struct Collected {
    pub(crate) files: Vec<(Role, Text)>,
    pub(crate) outside: Option<Outside>,
    refused: Vec<Refused>,
    /// Below which GitHub names files, seen from the project's folder: `sub/`.
    pub(crate) prefix: PathBuf,
}

impl Collected {
    /// What the rules look at.
    pub(crate) fn subject(&self) -> Subject {
        let mut subject = Subject::read(self.files.clone());
        subject.outside = self.outside.clone();
        subject.refused = self.refused.clone();
        subject
    }
}

/// Reads everything, and tells the redactor of every key that stands in a file.
///
/// # Errors
/// `unreadable-file`, `not-utf8` for a file that docker compose or the workspace would read; `too-large` for a project
/// beyond a ceiling.
pub(crate) fn collect(place: &ProjectContext, ui: &Ui) -> Result<Collected> {
    // What keeps docker compose from loading the project is for the rules to say, but for what goes beyond a ceiling.
    if let Err(error) = place.project.model()
        && error.code == ErrorCode::TooLarge
    {
        return Err(error);
    }
    let mut files = Vec::new();
    let root = place.root();
    for path in place.project.compose_files() {
        add(place, Role::Compose, path, &mut files)?;
    }
    for path in beside(place) {
        // One that cannot be read supplies nothing.
        let _ = add(place, Role::ComposeBeside, &path, &mut files);
    }
    let workspace =
        [(Role::Gitpod, &place.project.gitpod), (Role::Devcontainer, &place.project.devcontainer)];
    for (role, file) in workspace {
        if let Some(file) = file {
            add(place, role, &file.path, &mut files)?;
        }
    }
    add(place, Role::Gitignore, &root.join(".gitignore"), &mut files)?;
    add(place, Role::Dotenv, &root.join(".env"), &mut files)?;
    add_of_services(place, &mut files)?;
    let refused = refused(place, &files);
    let mut collected = Collected { files, outside: None, refused, prefix: prefix(place) };
    let subject = collected.subject();
    teach(&subject, ui);
    collected.outside = outside(place, &subject, ui);
    Ok(collected)
}

/// What docker compose refuses, as far as the project can be read at all.
fn refused(place: &ProjectContext, files: &[(Role, Text)]) -> Vec<Refused> {
    let Ok(model) = place.project.model() else { return Vec::new() };
    let refused = model.lasting_refusals().map(|warning| {
        let path = place.project.shown(&warning.place.path);
        let file = files.iter().find(|(_, file)| file.path == path);
        let offset = file.map_or(0, |(_, file)| Lines::of(file).offset(&warning.place));
        Refused { path, offset, text: warning.text.clone() }
    });
    refused.collect()
}

fn add(
    place: &ProjectContext,
    role: Role,
    path: &Path,
    files: &mut Vec<(Role, Text)>,
) -> Result<()> {
    let shown = place.project.shown(path);
    if files.iter().any(|(_, file)| file.path == shown) {
        return Ok(());
    }
    match place.project.source(path) {
        Ok(Some(file)) => {
            let text = file.text.to_string();
            files.push((role, Text { path: shown, text }));
            Ok(())
        }
        Ok(None) => Ok(()),
        // Somebody else's file is not ours to judge, nor to quote from.
        Err(error) if error.code == ErrorCode::OutsideProject && role != Role::Compose => Ok(()),
        Err(error) => Err(error),
    }
}

/// Other compose files of the project's folder.
fn beside(place: &ProjectContext) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place.root()) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .filter(|path| {
            let role = path.file_name().and_then(|name| lint::role(Path::new(name)));
            matches!(role, Some(Role::Compose | Role::ComposeBeside))
        })
        .collect();
    paths.sort();
    paths
}

/// What the services are made of: their variables' files, packages, modules and images.
fn add_of_services(place: &ProjectContext, files: &mut Vec<(Role, Text)>) -> Result<()> {
    let subject = Subject::read(files.clone());
    let mut folders = HashSet::new();
    for (_, service) in subject.services() {
        for path in &service.env_files {
            add(place, Role::Dotenv, &place.root().join(path), files)?;
        }
        let Some(folder) = service.build.as_deref().and_then(|folder| own(place, folder)) else {
            continue;
        };
        if !folders.insert(folder.clone()) {
            continue;
        }
        let named = [
            ("requirements.txt", Role::Requirements),
            ("Dockerfile", Role::Dockerfile),
            ("package.json", Role::Manifest),
        ];
        for (name, role) in named {
            // What pip or docker would refuse is theirs to say.
            let _ = add(place, role, &folder.join(name), files);
        }
        for file in place.project.python_files(&folder) {
            add(place, Role::Python, &file.path, files)?;
        }
    }
    Ok(())
}

/// The folder a service is built from, if it is one of this repository: a context of `..` may mean the whole disk.
fn own(place: &ProjectContext, folder: &str) -> Option<PathBuf> {
    if folder.contains([':', '$']) {
        return None;
    }
    let folder = compose::clean(&place.root().join(folder));
    folder.starts_with(top(place)).then_some(folder)
}

fn top<'a>(place: &'a ProjectContext) -> &'a Path {
    place.project.git_root.as_deref().unwrap_or(place.root())
}

fn prefix(place: &ProjectContext) -> PathBuf {
    place.root().strip_prefix(top(place)).unwrap_or(Path::new("")).to_owned()
}

/// Keys that are written out must not be shown with their line.
fn teach(subject: &Subject, ui: &Ui) {
    for found in lint::keys(subject) {
        ui.redactor().learn("a secret", &Secret::new(found));
    }
    for setting in subject.dotenvs.iter().flat_map(|file| &file.settings) {
        if secret::is_secret(&setting.name, setting.text()) {
            ui.redactor().learn(&setting.name, &Secret::new(setting.text()));
        }
    }
}

/// What the shell, the stores and git say; nothing in CI, whose keys come from elsewhere.
fn outside(place: &ProjectContext, subject: &Subject, ui: &Ui) -> Option<Outside> {
    if place.shell.var("CI").is_some() {
        return None;
    }
    let stores = place.stores(ui.redactor());
    let mut outside = Outside::default();
    for name in lint::asked(subject) {
        ask(stores, place.shell, &name, &mut outside);
    }
    if let (Some(_), Some(exposure)) = (&place.project.git_root, stores.env_file_exposure()) {
        outside.unignored.push(".env".to_owned());
        outside.git_doubt = match exposure {
            GitStanding::Unknown(why) => Some(why),
            GitStanding::Tracked
            | GitStanding::Untracked
            | GitStanding::Ignored
            | GitStanding::NoRepository => None,
        };
    }
    Some(outside)
}

fn ask(stores: &Stores, shell: &Shell, name: &str, outside: &mut Outside) {
    let found = stores.find(name);
    let kept: Vec<_> = found.iter().filter(|found| found.store != StoreKind::Env).collect();
    if let Some(value) = shell.raw(name) {
        let differs = kept.first().is_some_and(|kept| kept.secret.expose() != value);
        let stands = match (value.is_empty(), differs) {
            (true, _) => Standpoint::Empty,
            (_, true) => Standpoint::Stale,
            _ => Standpoint::Set,
        };
        outside.shell.insert(name.to_owned(), stands);
    }
    if let Some(kept) = kept.first() {
        outside.stored.insert(name.to_owned(), kept.store.name().to_owned());
    }
}
