//! Finds every command by which an image or its container installs Python packages, and the files they use.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::command::{
    CommandEffect, DependencyInstall, LockTool, PipInstall, SyncCommand, SystemPackages, base_name,
    read_effect,
};
use super::origin::{BuildPoint, PathOrigin, find_origin};
use super::{ImageFiles, ImageRecipe, PythonSourceFile, start_commands};
use crate::compose::{
    BuildAction, CopyOrigin, Dockerfile, ImageStage, ShellCommand, resolve_image_path,
};
use crate::error::Result;

/// A source of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageSource {
    /// The kind.
    pub(super) kind: SourceKind,
    /// The install command, without the names of packages.
    pub(super) program: Vec<String>,
    /// The place of the command.
    pub(super) moment: InstallMoment,
}

/// The kind of a source of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// A requirements file of the project, with its constraints.
    List(PythonSourceFile, Vec<PythonSourceFile>, DependencyInstall),
    /// A requirements file that `.dockerignore` excludes, by its path in the context.
    Ignored(String),
    /// A requirements file from outside the project.
    Foreign(String),
    /// Requirements on the command line.
    Names(Vec<String>),
    /// A `pyproject.toml` that pip builds; `None` if `setup.py` declares the dependencies.
    Project(Option<PythonSourceFile>),
    /// A project file, with its lock, that a tool installs from.
    Lock(LockedProject),
    /// A conda environment.
    Environment(PythonSourceFile),
    /// System packages.
    System(SystemPackages),
}

/// The project that a locking tool installs from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockedProject {
    /// The tool.
    pub(super) tool: LockTool,
    /// The project file, which people write.
    pub(super) project: PythonSourceFile,
    /// The lock file, which the tool writes, if it exists.
    pub(super) lock: Option<PythonSourceFile>,
    /// The workspace member.
    pub(super) member: Option<String>,
}

/// The time at which packages are installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InstallMoment {
    /// During the build of the image, by these lines of its Dockerfile.
    Build(RangeInclusive<usize>),
    /// Each time the container starts.
    Start,
}

/// The deepest chain of scripts that is followed.
const MAX_SCRIPT_NESTING: usize = 3;

/// Finds every source of packages, in installation order.
pub(super) fn survey(
    recipe: &ImageRecipe<'_>,
    files: &dyn ImageFiles,
) -> Result<Vec<PackageSource>> {
    let mut survey = PackageSurvey { recipe, files, found: Vec::new() };
    if let Some(file) = recipe.dockerfile {
        for stage in feeding_stages(file, recipe.target) {
            survey.stage(file, stage)?;
        }
    }
    survey.start()?;
    Ok(survey.found)
}

/// Returns the stages whose packages may end up in the image of `target`, in order.
fn feeding_stages(file: &Dockerfile, target: Option<&str>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let image = file.image(target).unwrap_or_default();
    let mut open: Vec<usize> = last_stage_index(file, &image).into_iter().collect();
    while let Some(at) = open.pop() {
        if !found.insert(at) {
            continue;
        }
        let stage = &file.stages[at];
        open.extend(stage.below);
        for step in &stage.steps {
            let (BuildAction::Copy(paths) | BuildAction::Run { mounts: paths, .. }) = &step.action
            else {
                continue;
            };
            open.extend(paths.iter().filter_map(|path| match path.origin {
                CopyOrigin::Stage(stage) => Some(stage),
                _ => None,
            }));
        }
    }
    found
}

/// Returns the index in `file` of an image's last stage.
fn last_stage_index(file: &Dockerfile, image: &[&ImageStage]) -> Option<usize> {
    let last = image.last()?;
    file.stages.iter().position(|stage| std::ptr::eq(stage, *last))
}

struct PackageSurvey<'a> {
    recipe: &'a ImageRecipe<'a>,
    files: &'a dyn ImageFiles,
    found: Vec<PackageSource>,
}

/// The place where a command runs.
#[derive(Clone)]
struct InstallSite {
    /// `None` if no Dockerfile builds the image.
    point: Option<BuildPoint>,
    folder: String,
    moment: InstallMoment,
}

impl PackageSurvey<'_> {
    fn stage(&mut self, file: &Dockerfile, stage: usize) -> Result<()> {
        for (step, build_step) in file.stages[stage].steps.iter().enumerate() {
            let BuildAction::Run { commands, .. } = &build_step.action else { continue };
            let site = InstallSite {
                point: Some(BuildPoint { stage, step, folder: build_step.folder.clone() }),
                folder: build_step.folder.clone(),
                moment: InstallMoment::Build(build_step.lines.clone()),
            };
            self.commands(commands, &site, MAX_SCRIPT_NESTING)?;
        }
        Ok(())
    }

    /// Surveys the commands that the container starts.
    fn start(&mut self) -> Result<()> {
        let mut folder = self.recipe.folder.unwrap_or("/").to_owned();
        let mut point = None;
        if let Some(file) = self.recipe.dockerfile
            && let Some(image) = file.image(self.recipe.target)
            && let Some(stage) = last_stage_index(file, &image)
        {
            if self.recipe.folder.is_none()
                && let Some(step) = image.iter().flat_map(|stage| &stage.steps).next_back()
            {
                folder = step.folder.clone();
            }
            point = Some(BuildPoint { stage, step: usize::MAX, folder: folder.clone() });
        }
        let commands = start_commands(self.recipe);
        self.commands(
            &commands,
            &InstallSite { point, folder, moment: InstallMoment::Start },
            MAX_SCRIPT_NESTING,
        )
    }

    fn commands(
        &mut self,
        commands: &[ShellCommand],
        site: &InstallSite,
        left: usize,
    ) -> Result<()> {
        let mut site = site.clone();
        for command in commands {
            match read_effect(&command.words) {
                None => {}
                Some(CommandEffect::Folder(to)) => {
                    site.folder = resolve_image_path(&site.folder, &to)
                }
                Some(CommandEffect::Script(path)) if left > 0 => {
                    if let Some(PathOrigin::File(script)) = self.origin(&path, &site)? {
                        let inner = Dockerfile::commands_in(&script.text);
                        self.commands(&inner, &site, left - 1)?;
                    }
                }
                Some(CommandEffect::Script(_)) => {}
                Some(CommandEffect::Pip(install)) => self.pip(install, &site)?,
                Some(CommandEffect::Sync(sync)) => {
                    if let Some(project) = self.locked(&sync, &site)? {
                        self.push(SourceKind::Lock(project), command.words.clone(), &site);
                    }
                }
                Some(CommandEffect::Environment(path)) => {
                    if let Some(PathOrigin::File(file)) = self.origin(&path, &site)? {
                        self.push(SourceKind::Environment(file), command.words.clone(), &site);
                    }
                }
                Some(CommandEffect::System(found)) => {
                    self.push(SourceKind::System(found), command.words.clone(), &site);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: SourceKind, program: Vec<String>, site: &InstallSite) {
        self.found.push(PackageSource { kind, program, moment: site.moment.clone() });
    }

    fn pip(&mut self, install: PipInstall, site: &InstallSite) -> Result<()> {
        let mut constraints = Vec::new();
        for path in &install.constraints {
            if let Some(PathOrigin::File(file)) = self.origin(path, site)? {
                constraints.push(file);
            }
        }
        for path in &install.lists {
            let kind = match self.origin(path, site)? {
                Some(PathOrigin::File(file)) if base_name(path) == "pyproject.toml" => {
                    SourceKind::Project(Some(file))
                }
                Some(PathOrigin::File(file)) => {
                    SourceKind::List(file, constraints.clone(), install.dependencies)
                }
                Some(PathOrigin::Ignored(path)) => SourceKind::Ignored(path),
                Some(PathOrigin::Export(sync, point)) => {
                    let folder = point.folder.clone();
                    let at =
                        InstallSite { point: Some(point), folder, moment: site.moment.clone() };
                    match self.locked(&sync, &at)? {
                        Some(project) => SourceKind::Lock(project),
                        None => SourceKind::Foreign(path.clone()),
                    }
                }
                Some(PathOrigin::Elsewhere) | None => SourceKind::Foreign(path.clone()),
            };
            self.push(kind, install.program.clone(), site);
        }
        for folder in &install.projects {
            let file = match self.origin(&format!("{folder}/pyproject.toml"), site)? {
                Some(PathOrigin::File(file)) => Some(file),
                _ => None,
            };
            self.push(SourceKind::Project(file), install.program.clone(), site);
        }
        if !install.names.is_empty() {
            self.push(SourceKind::Names(install.names), install.program, site);
        }
        Ok(())
    }

    fn locked(&self, sync: &SyncCommand, site: &InstallSite) -> Result<Option<LockedProject>> {
        let SyncCommand { tool, folder, member } = sync.clone();
        let folder = resolve_image_path(&site.folder, folder.as_deref().unwrap_or("."));
        let project = self.origin(&format!("{folder}/{}", tool.project_file()), site)?;
        let Some(PathOrigin::File(project)) = project else { return Ok(None) };
        let lock = self.files.at(&project.path.with_file_name(tool.lock_file()))?;
        Ok(Some(LockedProject { tool, project, lock, member }))
    }

    /// Returns the origin of a path, as seen by the command.
    fn origin(&self, path: &str, site: &InstallSite) -> Result<Option<PathOrigin>> {
        let whole = resolve_image_path(&site.folder, path);
        if site.moment == InstallMoment::Start
            && let Some(file) = self.files.mounted(&whole)?
        {
            return Ok(Some(PathOrigin::File(file)));
        }
        if let (Some(file), Some(point)) = (self.recipe.dockerfile, &site.point) {
            let found = find_origin(file, point, &whole, self.files)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if path.starts_with('/') || path.contains('$') {
            return Ok(None);
        }
        // No step copies it, so a file of that name in the context is the likeliest.
        Ok(self.files.in_context(&resolve_image_path("/", path)[1..])?.map(PathOrigin::File))
    }
}
