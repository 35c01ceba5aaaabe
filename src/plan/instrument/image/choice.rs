//! Chooses the decisive source of an image's packages, and whether it may be edited.

use std::path::Path;

use super::command::{DependencyInstall, LockTool, SystemPackages};
use super::survey::{InstallMoment, LockedProject, PackageSource, SourceKind};
use super::{
    FixedPackages, ImageContents, ImageFiles, ImageRecipe, ManualAddition, PackageList,
    PythonSourceFile,
};
use crate::compose;
use crate::edit::requirements::{
    RequirementEntry, Requirements, VersionBounds, normalize_package_name,
};
use crate::edit::{locks, pyproject};
use crate::error::Result;

/// Chooses where packages are added.
///
/// # Errors
/// A file that exists and cannot be read; `toml-syntax`.
pub(super) fn choose(
    recipe: &ImageRecipe<'_>,
    found: &[PackageSource],
    files: &dyn ImageFiles,
) -> Result<PackageList> {
    let choice = SourceChoice { recipe, found, files };
    let mut ranked = Vec::new();
    for source in found {
        let names_flask = choice.entries(source)?.iter().any(|entry| entry.name.contains("flask"));
        ranked.push((!names_flask, source_rank(&source.kind), source));
    }
    ranked.sort_by_key(|(lacks_flask, rank, _)| (*lacks_flask, *rank));
    match ranked.first() {
        Some((_, _, source)) => choice.list(source),
        None => choice.without_source(),
    }
}

/// Orders sources: editable ones first, then those that name packages.
fn source_rank(kind: &SourceKind) -> usize {
    match kind {
        SourceKind::List(_, _, DependencyInstall::Resolved) => 0,
        SourceKind::Lock(_) => 1,
        SourceKind::List(_, _, DependencyInstall::Listed) => 2,
        SourceKind::Project(_) => 3,
        SourceKind::Names(_) => 4,
        SourceKind::Environment(_) => 5,
        SourceKind::Ignored(_) => 6,
        SourceKind::Foreign(_) => 7,
        SourceKind::System(_) => 8,
    }
}

struct SourceChoice<'a> {
    recipe: &'a ImageRecipe<'a>,
    found: &'a [PackageSource],
    files: &'a dyn ImageFiles,
}

impl SourceChoice<'_> {
    /// Returns the packages a source installs, as far as the files say.
    fn entries(&self, source: &PackageSource) -> Result<Vec<RequirementEntry>> {
        Ok(match &source.kind {
            SourceKind::List(file, ..) => {
                let mut entries = Requirements::parse(&file.text).entries;
                for file in self.included(file)? {
                    entries.extend(Requirements::parse(&file.text).entries);
                }
                entries
            }
            SourceKind::Names(names) => Requirements::parse(&names.join("\n")).entries,
            SourceKind::Project(Some(file)) => declared_packages(file)?,
            SourceKind::Lock(project) => match locked_packages(project) {
                Some(entries) => entries,
                None => declared_by(project)?,
            },
            SourceKind::Environment(file) => {
                locks::conda_environment(&file.text).unwrap_or_default()
            }
            SourceKind::System(SystemPackages { names, .. }) => {
                names.iter().map(|name| package_entry(name)).collect()
            }
            SourceKind::Ignored(_) | SourceKind::Foreign(_) | SourceKind::Project(None) => {
                Vec::new()
            }
        })
    }

    /// Returns the packages that the other sources install.
    fn other_packages(&self, source: &PackageSource) -> Result<Vec<RequirementEntry>> {
        let mut entries = Vec::new();
        for other in self.found.iter().filter(|other| *other != source) {
            entries.extend(self.entries(other)?);
        }
        Ok(entries)
    }

    fn list(&self, source: &PackageSource) -> Result<PackageList> {
        let also_installed = self.other_packages(source)?;
        match &source.kind {
            SourceKind::List(file, constraints, DependencyInstall::Resolved) => {
                Ok(PackageList::Requirements {
                    file: file.clone(),
                    included: self.included(file)?,
                    constraints: constraints.clone(),
                    also_installed,
                })
            }
            SourceKind::Project(Some(file))
                if pyproject::parse_pyproject(&file.text)?.is_some() =>
            {
                self.pyproject(file, also_installed)
            }
            SourceKind::Lock(project) => self.lock(project, also_installed),
            _ => self.fixed(source, also_installed),
        }
    }

    /// Returns an editable project file, with the lock that must be updated after it.
    fn pyproject(
        &self,
        file: &PythonSourceFile,
        also_installed: Vec<RequirementEntry>,
    ) -> Result<PackageList> {
        let mut lock = None;
        for tool in [LockTool::Uv, LockTool::Poetry, LockTool::Pdm] {
            if self.files.at(&file.path.with_file_name(tool.lock_file()))?.is_some() {
                lock = Some(tool);
            }
        }
        Ok(PackageList::Pyproject { file: file.clone(), lock, also_installed })
    }

    fn lock(
        &self,
        project: &LockedProject,
        mut also_installed: Vec<RequirementEntry>,
    ) -> Result<PackageList> {
        let tool = project.tool;
        let is_editable = tool != LockTool::Pipenv && project.member.is_none();
        if project.lock.is_none()
            && is_editable
            && pyproject::parse_pyproject(&project.project.text)?.is_some()
        {
            return Ok(PackageList::Pyproject {
                file: project.project.clone(),
                lock: None,
                also_installed,
            });
        }
        let mut declared = declared_by(project)?;
        let installed = match locked_packages(project) {
            Some(entries) => entries,
            None => declared.clone(),
        };
        if declared.is_empty() {
            declared = installed.clone();
        }
        // The tool chooses matching versions.
        for entry in &mut declared {
            (entry.pin, entry.bounds) = (None, VersionBounds::Version);
        }
        also_installed.extend(installed);
        let decides = project.lock.as_ref().unwrap_or(&project.project);
        let folder = self.folder(&project.project.path);
        Ok(PackageList::Fixed(FixedPackages {
            declared,
            installed: also_installed,
            decided_by: format!("{} decides what is installed", self.shown(&decides.path)),
            contents: ImageContents::Written,
            remedy: ManualAddition::of_tool(tool, &folder, project.member.as_deref()),
        }))
    }

    /// Returns a source that is not edited.
    fn fixed(
        &self,
        source: &PackageSource,
        mut also_installed: Vec<RequirementEntry>,
    ) -> Result<PackageList> {
        let entries = self.entries(source)?;
        let mut declared = also_installed.clone();
        declared.extend(entries.iter().cloned());
        also_installed.extend(entries);
        let (decided_by, remedy) = self.remedy(source);
        let contents = match source.kind {
            SourceKind::Foreign(_) | SourceKind::System(_) | SourceKind::Project(_) => {
                ImageContents::Hidden
            }
            _ => ImageContents::Written,
        };
        let installed = also_installed;
        let fixed = FixedPackages { declared, installed, decided_by, contents, remedy };
        Ok(PackageList::Fixed(fixed))
    }

    fn remedy(&self, source: &PackageSource) -> (String, ManualAddition) {
        let place = match &source.moment {
            InstallMoment::Build(lines) => format!("{}:{}", self.recipe.shown, lines.start()),
            InstallMoment::Start => format!("the command of `{}`", self.recipe.service),
        };
        let names = format!("{place} names what is installed");
        match &source.kind {
            SourceKind::List(file, ..) => {
                let list = self.shown(&file.path);
                let compiled = Requirements::parse(&file.text).compiled_from;
                let source = compiled.map(|name| self.shown(&file.path.with_file_name(name)));
                let decided_by = format!("{list} must name every dependency ({place})");
                let source = source.unwrap_or_else(|| list.clone());
                (decided_by, ManualAddition::Compiled { source, list })
            }
            SourceKind::Ignored(list) => {
                let file = match self.recipe.shown.rsplit_once('/') {
                    Some((folder, _)) => format!("{folder}/.dockerignore"),
                    None => ".dockerignore".to_owned(),
                };
                let decided_by = format!("{file} keeps {list} out of the image");
                (decided_by, ManualAddition::Unignored { file, list: list.clone() })
            }
            SourceKind::Environment(file) => {
                let file = self.shown(&file.path);
                (format!("{file} decides what is installed"), ManualAddition::Environment(file))
            }
            SourceKind::System(found) => (names, self.line(source, &system_install(found))),
            SourceKind::Foreign(list) => {
                let decided_by = format!("{place} installs {list}, which is not in the project");
                (decided_by, self.line(source, &command_line(&source.program)))
            }
            SourceKind::Project(_) => {
                let decided_by = format!("{place} installs a project without `dependencies`");
                (decided_by, self.line(source, &command_line(&source.program)))
            }
            SourceKind::Names(_) | SourceKind::Lock(_) => {
                (names, self.line(source, &command_line(&source.program)))
            }
        }
    }

    /// Returns a separate command at the place of the one of `source`.
    fn line(&self, source: &PackageSource, command: &str) -> ManualAddition {
        let command = command.to_owned();
        match &source.moment {
            InstallMoment::Build(lines) => ManualAddition::ImageLine {
                file: self.recipe.shown.to_owned(),
                after: *lines.end(),
                command,
            },
            InstallMoment::Start => {
                ManualAddition::StartCommand { service: self.recipe.service.to_owned(), command }
            }
        }
    }

    /// Handles an image without an install command: its base image installs everything, or the Dockerfile is unknown.
    fn without_source(&self) -> Result<PackageList> {
        let default_list = self.files.in_context("requirements.txt")?;
        let image = self.recipe.dockerfile.and_then(|file| file.image(self.recipe.target));
        let stages = image.as_ref().and_then(|image| image.first().zip(image.last()));
        let command = "python -m pip install".to_owned();
        let (base, remedy) = match (stages, self.recipe.pulled) {
            (Some((first, last)), _) => {
                let (file, after) = (self.recipe.shown.to_owned(), *last.lines.end());
                (first.from.as_str(), ManualAddition::ImageLine { file, after, command })
            }
            (None, Some(pulled)) => {
                let service = self.recipe.service.to_owned();
                (pulled, ManualAddition::StartCommand { service, command })
            }
            (None, None) => return self.usual(default_list),
        };
        if base.contains("onbuild") {
            return self.usual(default_list);
        }
        let declared = default_list.map(|file| Requirements::parse(&file.text).entries);
        Ok(PackageList::Fixed(FixedPackages {
            declared: declared.unwrap_or_default(),
            installed: Vec::new(),
            decided_by: format!("the image {base} decides what is installed"),
            contents: ImageContents::Hidden,
            remedy,
        }))
    }

    /// Returns the conventional list, for a service whose image build is unknown.
    fn usual(&self, requirements: Option<PythonSourceFile>) -> Result<PackageList> {
        if let Some(file) = requirements {
            let included = self.included(&file)?;
            let (constraints, also_installed) = (Vec::new(), Vec::new());
            return Ok(PackageList::Requirements { file, included, constraints, also_installed });
        }
        for tool in LockTool::ALL {
            let Some(project) = self.files.in_context(tool.project_file())? else { continue };
            let lock = self.files.at(&project.path.with_file_name(tool.lock_file()))?;
            if lock.is_some() || tool == LockTool::Pipenv {
                let project = LockedProject { tool, project, lock, member: None };
                return self.lock(&project, Vec::new());
            }
        }
        match self.files.in_context("pyproject.toml")? {
            Some(file) if pyproject::parse_pyproject(&file.text)?.is_some() => {
                Ok(PackageList::Pyproject { file, lock: None, also_installed: Vec::new() })
            }
            _ => Ok(PackageList::Missing),
        }
    }

    /// Returns the files that a list includes, each once.
    fn included(&self, file: &PythonSourceFile) -> Result<Vec<PythonSourceFile>> {
        let includes = |file: &PythonSourceFile| {
            let folder = file.path.parent().unwrap_or(&file.path).to_owned();
            let named = Requirements::parse(&file.text).includes;
            named.into_iter().map(move |name| compose::clean_path(&folder.join(name)))
        };
        let mut included: Vec<PythonSourceFile> = Vec::new();
        let mut open: Vec<_> = includes(file).collect();
        while let Some(path) = open.pop() {
            if path == file.path || included.iter().any(|file| file.path == path) {
                continue;
            }
            if let Some(file) = self.files.at(&path)? {
                open.extend(includes(&file));
                included.push(file);
            }
        }
        Ok(included)
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.recipe.root).unwrap_or(path).display().to_string()
    }

    fn folder(&self, path: &Path) -> String {
        path.parent().map(|folder| self.shown(folder)).unwrap_or_default()
    }
}

/// Returns the packages in a project's lock, if there is a readable one.
fn locked_packages(project: &LockedProject) -> Option<Vec<RequirementEntry>> {
    let text = &project.lock.as_ref()?.text;
    match project.tool {
        LockTool::Pipenv => locks::pipfile_lock(text),
        LockTool::Uv | LockTool::Poetry | LockTool::Pdm => locks::toml_lock(text),
    }
}

fn declared_by(project: &LockedProject) -> Result<Vec<RequirementEntry>> {
    match project.tool {
        LockTool::Pipenv => Ok(locks::pipfile(&project.project.text).unwrap_or_default()),
        LockTool::Uv | LockTool::Poetry | LockTool::Pdm => declared_packages(&project.project),
    }
}

fn declared_packages(file: &PythonSourceFile) -> Result<Vec<RequirementEntry>> {
    Ok(pyproject::parse_pyproject(&file.text)?.map(|read| read.entries).unwrap_or_default())
}

fn package_entry(name: &str) -> RequirementEntry {
    let (bounds, conditions) = (VersionBounds::Any, Vec::new());
    RequirementEntry { name: normalize_package_name(name), pin: None, bounds, conditions, line: 0 }
}

/// Returns the command that installs with pip next to system packages, by their package manager.
fn system_install(found: &SystemPackages) -> String {
    const PIP: &str = "python3 -m pip install --break-system-packages";
    match found.program.as_str() {
        "apk" => format!("apk add --no-cache py3-pip && {PIP}"),
        "apt" | "apt-get" => format!("apt-get update && apt-get install -y python3-pip && {PIP}"),
        "conda" | "mamba" | "micromamba" => "python -m pip install".to_owned(),
        program => format!("{program} install -y python3-pip && python3 -m pip install"),
    }
}

/// Quotes a command's words for a shell.
fn command_line(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,~".contains(c);
    let quoted = words.iter().map(|word| {
        if word.chars().all(plain) && !word.is_empty() {
            word.clone()
        } else if word.contains('$') {
            format!("\"{}\"", word.replace('"', "\\\""))
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}
