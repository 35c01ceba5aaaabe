//! What belongs to a service's Python: its files, its list of packages, how it starts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::start;
use crate::compose::{self, Build, Command, Dockerfile, Model, Role, classify};
use crate::edit::pyproject;
use crate::edit::requirements::Requirements;
use crate::error::Result;
use crate::plan::instrument::image::{self, Recipe};
use crate::plan::instrument::{Addon, Frontend, PackageList, Service, SourceFile, Start};
use crate::project::{self, Project};

/// The services built here whose code uses Flask, each folder once; only those of `names` where it names any.
///
/// # Errors
/// A file that is there and cannot be read; a backend that is built outside of the project.
pub(in crate::commands) fn services(
    project: &Project,
    names: &[String],
    addons: &[Addon],
) -> Result<Vec<Service>> {
    let model = project.model()?;
    let frontend = frontend(project, model);
    let mut found: Vec<Service> = Vec::new();
    let mut seen: Vec<&Path> = Vec::new();
    for service in &model.services {
        let Some(build) = &service.build else {
            continue;
        };
        let wanted = names.is_empty() || names.contains(&service.name);
        if !wanted || seen.contains(&build.context.as_path()) || !build.context.is_dir() {
            continue;
        }
        seen.push(&build.context);
        if classify(service, project.sources()).role == Role::Backend {
            project.boundary().real(&build.context)?;
        }
        let python: Vec<SourceFile> =
            project.python_files(&build.context).into_iter().map(text).collect();
        if !python.iter().any(|file| file.text.contains("flask")) {
            continue;
        }
        found.push(read(project, service, build, python, frontend, addons)?);
    }
    Ok(found)
}

/// Which of `names` are built from none of the folders of `found`.
///
/// # Errors
/// Where the compose project cannot be read.
pub(in crate::commands) fn others(
    project: &Project,
    names: &[String],
    found: &[Service],
) -> Result<Vec<String>> {
    let model = project.model()?;
    let context = |name: &str| Some(&model.service(name)?.build.as_ref()?.context);
    let folders: HashSet<_> = found.iter().filter_map(|one| context(&one.name)).collect();
    let lacks = |name: &&String| context(name).is_none_or(|folder| !folders.contains(folder));
    Ok(names.iter().filter(lacks).cloned().collect())
}

/// Which of `names` run Python that is built here.
pub(in crate::commands) fn python(project: &Project, names: &[String]) -> Result<Vec<String>> {
    let model = project.model()?;
    let is_python = |build: &Build| {
        let lists = ["requirements.txt", "pyproject.toml"];
        let listed = lists.iter().any(|list| build.context.join(list).is_file());
        listed || !project.python_files(&build.context).is_empty()
    };
    let found = names.iter().filter(|name| {
        let build = model.service(name).and_then(|service| service.build.as_ref());
        build.is_some_and(is_python)
    });
    Ok(found.cloned().collect())
}

fn read(
    project: &Project,
    service: &compose::Service,
    build: &Build,
    python: Vec<SourceFile>,
    frontend: Frontend,
    addons: &[Addon],
) -> Result<Service> {
    let variables = project.model()?.plain();
    let arguments = build.arguments(Some(variables));
    let text = build.dockerfile_text(project.sources());
    let dockerfile = text.as_deref().and_then(|text| Dockerfile::parse(text, &arguments));
    let stages = dockerfile.as_ref().and_then(|file| file.image(build.target.as_deref()));
    let settings = service.effective(variables);
    let chain = stages.as_deref().unwrap_or_default();
    let entries = start::started(service, chain, text.as_deref(), &settings);
    let roots = start::roots(&build.context, &python, text.as_deref(), &settings);
    let recipe = stages.as_deref().map(image::read).unwrap_or_default();
    let base = stages.as_ref().and_then(|stages| stages.first()).map(|stage| &stage.from);
    let start = match &service.command {
        Some(Command::Line(line)) => image::start(line),
        Some(Command::Words(words)) => image::start(&words.join(" ")),
        None => recipe.start,
    };
    Ok(Service {
        name: service.name.clone(),
        base: project.root.clone(),
        python,
        packages: packages(project, build, &recipe)?,
        version: base.and_then(|base| image::python_version(base)),
        start: if recipe.start == Start::ZeroCode { Start::ZeroCode } else { start },
        entries,
        roots,
        frontend,
        addons: addons.to_vec(),
    })
}

/// The requirements file pip is given, else the usual one, else a `pyproject.toml` that declares dependencies.
fn packages(project: &Project, build: &Build, recipe: &Recipe) -> Result<PackageList> {
    for places in &recipe.lists {
        for place in places {
            if let Some(file) = project.source(build.context.join(place))? {
                return requirements(project, file);
            }
        }
    }
    if let Some(file) = project.source(build.context.join("requirements.txt"))? {
        return requirements(project, file);
    }
    match project.source(build.context.join("pyproject.toml"))? {
        Some(file) if pyproject::parse(&file.text)?.is_some() => {
            Ok(PackageList::Pyproject(text(file)))
        }
        _ => Ok(PackageList::Missing),
    }
}

/// A requirements file and the files it includes, each once.
fn requirements(project: &Project, file: project::SourceFile) -> Result<PackageList> {
    let mut included: Vec<SourceFile> = Vec::new();
    let mut open = includes(&file.path, &file.text);
    while let Some(path) = open.pop() {
        let known = path == file.path || included.iter().any(|file| file.path == path);
        if known {
            continue;
        }
        if let Some(file) = project.source(&path)? {
            open.extend(includes(&file.path, &file.text));
            included.push(text(file));
        }
    }
    Ok(PackageList::Requirements { file: text(file), included })
}

fn includes(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(path);
    let named = Requirements::parse(text).includes;
    named.iter().map(|name| compose::clean(&folder.join(name))).collect()
}

/// Whether a frontend of this project brings a tracer for browsers.
fn frontend(project: &Project, model: &Model) -> Frontend {
    let traced = model.services.iter().any(|service| {
        let Some(build) = &service.build else {
            return false;
        };
        let manifest = project.source(build.context.join("package.json")).ok().flatten();
        let browser = manifest.is_some_and(|file| {
            ["@opentelemetry/sdk-trace-web", "@honeycombio/opentelemetry-web"]
                .iter()
                .any(|package| file.text.contains(package))
        });
        browser && classify(service, project.sources()).role == Role::Frontend
    });
    if traced { Frontend::Traced } else { Frontend::Untraced }
}

fn text(file: project::SourceFile) -> SourceFile {
    SourceFile { path: file.path, text: file.text.to_string() }
}
