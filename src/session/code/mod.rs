//! Finds the parts of a service's Python: its files, its packages, how it starts.

mod files;
mod start;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::compose::{self, ComposeModel, ServiceBuild, Startup, classify_service};
use crate::edit::python::framework::FRAMEWORKS;
use crate::error::Result;
use crate::plan::instrument::entry::{ServedObject, StartEntry};
use crate::plan::instrument::image::{self, ImageRecipe, PackageEvidence, ServiceImage};
use crate::plan::instrument::{Addon, FrontendTracing, PythonService, PythonSourceFile};
use crate::project::{self, Project, ProjectFile};

use files::ServiceFiles;

/// Returns the services whose code is in the project and uses Flask, each folder once; only those in `names`, if any.
///
/// # Errors
/// An existing file that cannot be read; a backend built outside the project.
pub(crate) fn find_flask_services(
    project: &Project,
    names: &[String],
    addons: &[Addon],
) -> Result<Vec<PythonService>> {
    let model = project.model()?;
    let frontend = detect_frontend_tracing(project, model);
    let named: HashSet<&String> = names.iter().collect();
    let wanted =
        |service: &&compose::ServiceModel| named.is_empty() || named.contains(&service.name);
    let mut found: Vec<(PythonService, PackageEvidence)> = Vec::new();
    // The index of the service for each folder.
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut without_flask: HashSet<PathBuf> = HashSet::new();
    // Services by their build folder, as written.
    let mut read: HashMap<&OsStr, Vec<&compose::ServiceModel>> = HashMap::new();
    for service in model.services.iter().filter(wanted) {
        let Some(folder) = code_folder(project, service).filter(|folder| folder.is_dir()) else {
            continue;
        };
        if without_flask.contains(&folder) {
            continue;
        }
        let context = service.build.as_ref().map(|build| build.context.as_os_str());
        let alike = read.entry(context.unwrap_or_default()).or_default();
        if alike.iter().any(|known| is_same_image(known, service)) {
            continue;
        }
        alike.push(service);
        if let Some(at) = places.get(&folder) {
            let (known, evidence): &mut (PythonService, PackageEvidence) = &mut found[*at];
            let image = read_image(project, service, &folder, &known.python)?;
            merge_code_image(known, evidence, &service.name, image);
            continue;
        }
        if classify_service(service, project.sources()).traced {
            project.boundary().real(&folder)?;
        }
        let python: Vec<PythonSourceFile> =
            project.python_files(&folder).into_iter().map(python_source_file).collect();
        if !python
            .iter()
            .any(|file| FRAMEWORKS.iter().any(|framework| framework.may_be_in(&file.text)))
        {
            without_flask.insert(folder);
            continue;
        }
        let CodeImage { image, entries, served, roots } =
            read_image(project, service, &folder, &python)?;
        let python_service = PythonService {
            name: service.name.clone(),
            base: project.root.clone(),
            python,
            packages: vec![image.packages],
            version: image.python,
            start: image.start,
            entries,
            served,
            roots,
            frontend,
            addons: addons.to_vec(),
        };
        places.insert(folder, found.len());
        found.push((python_service, image.evidence));
    }
    Ok(found.into_iter().map(|(service, _)| service).collect())
}

/// The code of a service in any language, and its image.
pub(crate) struct CodeOfService {
    /// Its absolute folder.
    pub(crate) folder: PathBuf,
    /// Its Python files.
    pub(crate) python: Vec<PythonSourceFile>,
    /// The packages and start of its image; `None` if one of its files cannot be read.
    pub(crate) image: Option<ServiceImage>,
}

/// Reads the code of a service if it is in the project's repository; a build context of `..` may mean the whole disk.
pub(crate) fn read_code(
    project: &Project,
    service: &compose::ServiceModel,
) -> Option<CodeOfService> {
    let top = project.git_root.as_ref().unwrap_or(&project.root);
    let shared = read_shared_startup(project, service);
    let folder = find_code_folder(project, service, shared.as_ref())?;
    if !folder.starts_with(top) || !folder.is_dir() {
        return None;
    }
    let shared = shared.filter(|startup| startup.own_folder(project.sources()).is_some());
    let is_held =
        |file: &ProjectFile| shared.as_ref().is_none_or(|startup| startup.holds(&file.path));
    let python: Vec<PythonSourceFile> =
        project.python_files(&folder).into_iter().filter(is_held).map(python_source_file).collect();
    let image = read_image(project, service, &folder, &python).ok().map(|image| image.image);
    Some(CodeOfService { folder, python, image })
}

/// Returns whether two services are built by the same lines and start the same.
fn is_same_image(service: &compose::ServiceModel, right: &compose::ServiceModel) -> bool {
    service.build.is_some() && service.build == right.build && service.command == right.command
}

/// Adds the packages of another image with the same code. An image that installs no Python counts only if no other
/// does.
fn merge_code_image(
    known: &mut PythonService,
    evidence: &mut PackageEvidence,
    name: &str,
    right: CodeImage,
) {
    let image = right.image;
    match (*evidence, image.evidence) {
        (_, PackageEvidence::Nothing) => {}
        (PackageEvidence::Nothing, PackageEvidence::Command) => {
            *evidence = PackageEvidence::Command;
            known.name = name.to_owned();
            known.packages = vec![image.packages];
            known.version = image.python;
            known.start = image.start;
            known.entries = right.entries;
            known.served = right.served;
            known.roots = right.roots;
        }
        (PackageEvidence::Command, PackageEvidence::Command) => {
            if !known.packages.iter().any(|list| list.is_same_place(&image.packages)) {
                known.packages.push(image.packages);
            }
        }
    }
}

/// An image that runs code of the project, and what it starts.
struct CodeImage {
    image: ServiceImage,
    entries: Vec<StartEntry>,
    served: Vec<ServedObject>,
    roots: Vec<PathBuf>,
}

/// Returns what a service starts, if its Dockerfile is apart from its build context, which may be shared by several.
fn read_shared_startup(project: &Project, service: &compose::ServiceModel) -> Option<Startup> {
    let build = service.build.as_ref()?;
    let is_apart = build.dockerfile_path()?.parent() != Some(&build.context);
    is_apart.then(|| service.startup(project.sources(), None))
}

/// Returns the folder of a service's code: its own one in a shared build context, the build context, or a mounted one.
fn code_folder(project: &Project, service: &compose::ServiceModel) -> Option<PathBuf> {
    find_code_folder(project, service, read_shared_startup(project, service).as_ref())
}

/// Returns the folder of a service's code, given what it starts if its build context may be shared.
fn find_code_folder(
    project: &Project,
    service: &compose::ServiceModel,
    shared: Option<&Startup>,
) -> Option<PathBuf> {
    if let Some(build) = &service.build {
        if shared.is_some_and(Startup::is_known_program) {
            return None;
        }
        let own_folder = shared.and_then(|startup| startup.own_folder(project.sources()));
        return Some(own_folder.unwrap_or(&build.context).to_owned());
    }
    let top = project.git_root.as_ref().unwrap_or(&project.root);
    let mut folders = service.mounts.iter().map(|mount| &mount.source);
    let is_own = |folder: &&PathBuf| {
        folder.starts_with(top) && folder.is_dir() && !project.python_files(folder).is_empty()
    };
    folders.find(is_own).cloned()
}

/// Returns which of `names` have their code in a folder of `found`.
///
/// # Errors
/// When the compose project cannot be read.
pub(crate) fn with_code_of(
    project: &Project,
    names: &[String],
    found: &[PythonService],
) -> Result<BTreeSet<String>> {
    let model = project.model()?;
    let folder = |name: &str| code_folder(project, model.service(name)?);
    let folders: HashSet<_> = found.iter().filter_map(|service| folder(&service.name)).collect();
    let has = |name: &&String| folder(name).is_some_and(|folder| folders.contains(&folder));
    Ok(names.iter().filter(has).cloned().collect())
}

/// Returns the folder of each service that has its code in the project, by the service's name.
///
/// # Errors
/// When the compose project cannot be read.
pub(crate) fn list_code_folders(project: &Project) -> Result<HashMap<&str, PathBuf>> {
    let services = project.model()?.services.iter();
    let folders = services
        .filter_map(|service| Some((service.name.as_str(), code_folder(project, service)?)));
    Ok(folders.collect())
}

/// Returns which of `names` run Python code of the project.
pub(crate) fn find_python_services(project: &Project, names: &[String]) -> Result<Vec<String>> {
    let model = project.model()?;
    let is_python = |folder: PathBuf| {
        let lists = ["requirements.txt", "pyproject.toml"];
        let listed = lists.iter().any(|list| folder.join(list).is_file());
        listed || !project.python_files(&folder).is_empty()
    };
    let found = names.iter().filter(|name| {
        let folder = model.service(name).and_then(|service| code_folder(project, service));
        folder.is_some_and(is_python)
    });
    Ok(found.cloned().collect())
}

fn read_image(
    project: &Project,
    service: &compose::ServiceModel,
    folder: &Path,
    python: &[PythonSourceFile],
) -> Result<CodeImage> {
    let variables = project.model()?.plain();
    let build = service.build.as_ref();
    let target = build.and_then(|build| build.target.as_deref());
    let startup = service.startup(project.sources(), Some(variables));
    let settings = service.effective(variables);
    let (entries, served) = start::find_started_modules(&startup, &settings);
    let roots = start::find_python_roots(folder, python, &startup, &settings);
    let shown = match build.and_then(ServiceBuild::dockerfile_path) {
        Some(path) => project.shown(&compose::clean_path(&path)).display().to_string(),
        None => format!("`dockerfile_inline` of `{}`", service.name),
    };
    let recipe = ImageRecipe {
        dockerfile: startup.dockerfile.as_ref(),
        shown: &shown,
        target,
        pulled: service.image.as_deref().filter(|_| build.is_none()),
        command: service.command.as_ref(),
        folder: service.working_dir.as_deref(),
        service: &service.name,
        root: &project.root,
    };
    let image = image::read(&recipe, &ServiceFiles::of(project, service, folder))?;
    Ok(CodeImage { image, entries, served, roots })
}

/// Detects a browser tracer in a frontend of this project.
fn detect_frontend_tracing(project: &Project, model: &ComposeModel) -> FrontendTracing {
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
        browser && classify_service(service, project.sources()).role.has_pages()
    });
    if traced { FrontendTracing::Traced } else { FrontendTracing::Untraced }
}

fn python_source_file(file: project::ProjectFile) -> PythonSourceFile {
    PythonSourceFile { path: file.path, text: file.text.to_string() }
}
