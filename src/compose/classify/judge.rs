//! Combines the evidence about one service: its image, its start command, its code, then its variables and its name.

use std::path::Path;

use crate::compose::dockerfile::{BuildAction, CopyOrigin, ImageStage, ShellCommand};
use crate::compose::purpose::{ImagePurpose, bundler_prefix, image_purpose, without_version};
use crate::compose::service::{ServiceBuild, ServiceModel};
use crate::compose::source::ProjectSources;
use crate::compose::startup::{BuildRecipe, CodeReason, Startup};

use super::activity::CommandActivity;
use super::manifest::{self, FolderEvidence};
use super::words::WordList;
use super::{Classification, ENDPOINT_VARIABLES, ServiceRole, runtimes};

/// Classifies a service that has an image.
pub(super) fn judge_service(
    service: &ServiceModel,
    sources: &dyn ProjectSources,
) -> Classification {
    let startup = service.startup(sources, None);
    let subject = JudgedService { service, sources, startup: &startup };
    if let Some(known) = subject.known_image() {
        return known;
    }
    let activity = subject.activity();
    let classification = subject.by_activity(activity.as_ref());
    classification.unwrap_or_else(|| subject.by_code(activity))
}

/// A service being classified.
struct JudgedService<'s> {
    service: &'s ServiceModel,
    sources: &'s dyn ProjectSources,
    startup: &'s Startup,
}

/// The evidence about the user's own code in a service.
enum OwnCode {
    /// A folder shows what the code is.
    Known(FolderEvidence),
    /// There is code, but nothing shows what it is.
    Unknown,
    /// No code: the service runs a third-party program.
    Missing,
}

impl JudgedService<'_> {
    /// Returns where the program comes from: `built here from ./api`.
    fn origin(&self) -> String {
        match &self.service.build {
            Some(build) => match build.written.as_str() {
                "" | "." => "built here from this folder".to_owned(),
                written => format!("built here from {written}"),
            },
            None => "its code is mounted".to_owned(),
        }
    }

    /// Classifies the user's own code: files the command starts, then mounted and copied folders, then the folders
    /// around the build.
    fn own_code(&self) -> OwnCode {
        let is_built = self.service.build.is_some();
        let base = self.startup.base.as_deref();
        let is_runtime = || base.is_none_or(runtimes::is_runtime);
        let context = self.service.build.as_ref().map(|build| build.context.as_path());
        for (folder, reason) in self.startup.code_folders(self.sources) {
            let counts = match reason {
                CodeReason::Started | CodeReason::WorkingFolder | CodeReason::Copied => true,
                CodeReason::Mounted => is_built || is_runtime() || self.is_own_mount(folder),
                // Only the files that a Dockerfile copies from its context count, not the others in the same folder.
                CodeReason::Dockerfile | CodeReason::Context => self.brings_context(),
            };
            if counts && let Some(evidence) = manifest::read_folder(folder, self.sources) {
                return OwnCode::Known(locate_evidence(evidence, folder, context));
            }
        }
        let mut files = self.startup.started_files(self.sources);
        let starts = files.any(|file| file.extension().is_some_and(|end| end != "sh"));
        if starts || self.brings_context() { OwnCode::Unknown } else { OwnCode::Missing }
    }

    /// Returns whether the image may contain files of its build context.
    fn brings_context(&self) -> bool {
        let startup = self.startup;
        let base = startup.base.as_deref().unwrap_or_default();
        match startup.recipe {
            BuildRecipe::Unread => true,
            BuildRecipe::Pulled => false,
            BuildRecipe::Read if runtimes::is_runtime(base) => {
                // A Dockerfile that neither copies nor starts anything is unfinished.
                startup.has_files() || startup.commands.is_empty() || base.contains("onbuild")
            }
            BuildRecipe::Read => startup.copies_context(),
        }
    }

    /// Returns whether a folder is mounted at a place typical for the user's own programs, regardless of the image's
    /// name.
    fn is_own_mount(&self, folder: &Path) -> bool {
        const PLACES: [&str; 9] = [
            "/app",
            "/code",
            "/usr/src/app",
            "/srv/app",
            "/opt/app",
            "/var/www/html",
            "/var/www",
            "/home/node/app",
            "/var/task",
        ];
        let mounts = self.service.mounts.iter().filter(|mount| mount.source == folder);
        let mut targets = mounts.map(|mount| mount.target.as_str());
        targets.any(|target| {
            PLACES.contains(&target) || self.service.working_dir.as_deref() == Some(target)
        })
    }

    /// Classifies by a known image. A configuration of the user's own does not change what the program is.
    fn known_image(&self) -> Option<Classification> {
        let base = self.startup.base.as_deref()?;
        let (name, purpose) = image_purpose(base)?;
        let Some(build) = &self.service.build else {
            let evidence = format!("{name} is {}", purpose.named());
            return Some(Classification::new(purpose.into(), evidence));
        };
        if purpose == ImagePurpose::Proxy && self.serves_pages(build) {
            let evidence = format!("built here on {name}, which serves pages to browsers");
            return Some(Classification::new(ServiceRole::Frontend, evidence));
        }
        let evidence = format!("built here on {name}, {}", purpose.named());
        Some(Classification::new(purpose.into(), evidence))
    }

    /// Returns whether web pages or the output of another stage are copied into the image.
    fn serves_pages(&self, build: &ServiceBuild) -> bool {
        let file = self.startup.dockerfile.as_ref();
        let image = file.and_then(|file| file.image(build.target.as_deref()));
        image.as_ref().and_then(|image| image.last()).is_some_and(|stage| copies_files(stage))
    }

    /// Classifies by the start command alone, if that is enough.
    fn by_activity(&self, activity: Option<&CommandActivity>) -> Option<Classification> {
        let (role, words) = match activity {
            Some(CommandActivity::Watches(words)) => {
                (ServiceRole::Task, format!("`{words}` rebuilds files when others change"))
            }
            Some(CommandActivity::Tests(words)) => {
                (ServiceRole::Task, format!("`{words}` runs tests"))
            }
            Some(CommandActivity::Ends(words)) => {
                (ServiceRole::Task, format!("`{words}` ends when its work is done"))
            }
            Some(
                CommandActivity::Serves(_)
                | CommandActivity::Renders(_)
                | CommandActivity::Shows(_),
            ) => return None,
            Some(CommandActivity::Runs(program)) if image_purpose(program).is_some() => {
                let (name, purpose) = image_purpose(program)?;
                let evidence = format!("it starts {name}, {}", purpose.named());
                return Some(Classification::new(purpose.into(), evidence));
            }
            Some(CommandActivity::Runs(_) | CommandActivity::Works(_)) | None => {
                let named = |profile: &&String| WordList::Profiles.has(profile);
                let profile = self.service.profiles.iter().find(named)?;
                (ServiceRole::Other, format!("only the profile `{profile}` starts it"))
            }
        };
        match self.service.build {
            Some(_) => {
                let evidence = format!("{}, but {words}", self.origin());
                Some(Classification::new(role, evidence))
            }
            None => Some(Classification::new(role, words)),
        }
    }

    fn activity(&self) -> Option<CommandActivity> {
        // An image made for a single command is named after it.
        let own_name = || {
            let base = without_version(self.startup.base.as_deref()?);
            let words = base.split('/').map(|part| vec![part.to_owned()]);
            let commands = words.map(|words| ShellCommand { words, ..ShellCommand::default() });
            let last_activity = commands.rev().find_map(|command| CommandActivity::of(&[command]));
            last_activity.filter(|activity| {
                matches!(activity, CommandActivity::Ends(_) | CommandActivity::Tests(_))
            })
        };
        if self.startup.commands.is_empty() {
            own_name()
        } else {
            CommandActivity::of(&self.startup.commands)
        }
    }

    /// Classifies by the user's own code and the command that starts it.
    fn by_code(&self, activity: Option<CommandActivity>) -> Classification {
        let from = self.origin();
        let evidence = match self.own_code() {
            OwnCode::Missing => return self.foreign(),
            OwnCode::Known(evidence) => Some(evidence),
            OwnCode::Unknown => None,
        };
        let evidence = match (activity, evidence) {
            (
                Some(CommandActivity::Renders(words)),
                None | Some(FolderEvidence::Backend(_) | FolderEvidence::Frontend(_)),
            ) => Some(FolderEvidence::Rendered(format!("`{words}`"))),
            (Some(CommandActivity::Shows(words)), None | Some(FolderEvidence::Backend(_))) => {
                Some(FolderEvidence::Frontend(format!("`{words}`")))
            }
            (
                Some(CommandActivity::Serves(words) | CommandActivity::Works(words)),
                None | Some(FolderEvidence::Frontend(_)),
            ) => Some(FolderEvidence::Backend(format!("`{words}`"))),
            (_, evidence) => evidence.or_else(|| by_variables(self.service)),
        };
        match evidence {
            Some(FolderEvidence::Frontend(why)) => Classification::new(
                ServiceRole::Frontend,
                format!("{from}, a browser frontend: {why}"),
            ),
            Some(FolderEvidence::Rendered(why)) => Classification::new(
                ServiceRole::Rendered,
                format!("{from}, pages rendered on the server: {why}"),
            ),
            Some(FolderEvidence::Backend(why)) => {
                Classification::new(ServiceRole::Backend, format!("{from}, {why}"))
            }
            None => by_name(self.service, &from),
        }
    }

    /// Classifies a third-party program, which is traced if it is told where to send traces.
    fn foreign(&self) -> Classification {
        let base = self.startup.base.as_deref().map(without_version).unwrap_or_default();
        let mut entries = self.service.environment.iter();
        let endpoint = entries.find(|entry| ENDPOINT_VARIABLES.contains(&entry.name.as_str()));
        if let (Some(endpoint), None) = (endpoint, &self.service.build) {
            let evidence = format!("the image {base}, with {} in its environment", endpoint.name);
            return Classification::new(ServiceRole::Backend, evidence);
        }
        let evidence = match self.service.build {
            Some(_) => format!("its Dockerfile adds no program to {base}"),
            None => format!("the image {base} is not built here"),
        };
        Classification::new(ServiceRole::Other, evidence)
    }
}

/// Adds the folder to the evidence, unless that is the build context itself.
fn locate_evidence(
    evidence: FolderEvidence,
    folder: &Path,
    context: Option<&Path>,
) -> FolderEvidence {
    let relative = match context {
        Some(context) => folder.strip_prefix(context).ok(),
        None => folder.file_name().map(Path::new),
    };
    let Some(relative) = relative.filter(|relative| !relative.as_os_str().is_empty()) else {
        return evidence;
    };
    let relative = relative.display();
    let at = |words: String| format!("{words} of {relative}");
    match evidence {
        FolderEvidence::Backend(words) => FolderEvidence::Backend(at(words)),
        FolderEvidence::Frontend(words) => FolderEvidence::Frontend(at(words)),
        FolderEvidence::Rendered(words) => FolderEvidence::Rendered(at(words)),
    }
}

/// Returns whether web pages or the output of another stage are copied into a stage.
fn copies_files(stage: &ImageStage) -> bool {
    stage.steps.iter().any(|step| match &step.action {
        BuildAction::Copy(paths) => paths.iter().any(|path| match path.origin {
            CopyOrigin::Stage(_) | CopyOrigin::Elsewhere => true,
            _ => format!("/{} {}/", path.source, path.target).contains("/html"),
        }),
        _ => false,
    })
}

fn by_variables(service: &ServiceModel) -> Option<FolderEvidence> {
    let args = service.build.iter().flat_map(|build| &build.args);
    let mut entries = service.environment.iter().chain(args);
    let published = entries
        .find_map(|entry| bundler_prefix(&entry.name).filter(|published| !published.is_shared))?;
    Some(FolderEvidence::Frontend(format!("it has {} variables", published.prefix)))
}

/// Classifies by name, when there is no other evidence.
fn by_name(service: &ServiceModel, from: &str) -> Classification {
    let lower = service.name.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_', '.']);
    let frontend = lower.contains("frontend")
        || lower.contains("front-end")
        || parts.clone().any(|part| matches!(part, "react" | "vue" | "angular" | "svelte"));
    if frontend {
        let evidence = format!("{from}, a browser frontend by its name");
        return Classification::new(ServiceRole::Frontend, evidence);
    }
    if let Some((name, purpose)) = parts.find_map(image_purpose) {
        let evidence = format!("{from}, {} by its name `{name}`", purpose.named());
        return Classification::new(purpose.into(), evidence);
    }
    Classification::new(ServiceRole::Backend, from.to_owned())
}
