//! Reads a project for doctor: its model, and the other files that matter for tracing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compose::{self, ComposeModel, FileSyntax, ProjectTextFile, classify_service};
use crate::edit::python::calls::PythonCall;
use crate::edit::yaml::gitpod::GitpodFile;
use crate::edit::yaml::tree::{YamlSyntaxError, YamlTree};
use crate::error::{Error, ErrorCode, Result};
use crate::instrumentation::Language;
use crate::lint::{
    self, CollectorFile, DotenvFile, InspectedCode, Inspection, ProjectRefusal, PythonFile,
    RequirementsFile, UnreadFile, WorkspaceFile,
};
use crate::plan::instrument::{PackageList, TracingStart};
use crate::project::{Project, ProjectFile};
use crate::session::code::{CodeOfService, read_code};
use crate::session::collector;
use crate::session::instrumentation::read_parsed_instrumentation;

/// Reads the files that doctor's rules check; a file that does not parse is recorded as unread.
///
/// # Errors
/// `unreadable-file`, `not-utf8`, `outside-project` for a file that docker compose would read; `too-large`.
pub(crate) fn inspect_project(project: &Project) -> Result<Inspection> {
    let mut reading = InspectionReader {
        project,
        inspection: Inspection { root: project.root.clone(), ..Inspection::default() },
        python: HashMap::new(),
        requirements: HashMap::new(),
        manifests: HashSet::new(),
    };
    reading.read_compose()?;
    reading.read_beside();
    reading.read_workspace();
    reading.read_texts();
    match reading.inspection.model.take() {
        Some(model) => {
            for service in &model.services {
                let has_python = reading.read_service(service);
                let is_told = || {
                    service
                        .intended(model.plain())
                        .iter()
                        .any(|setting| setting.name.starts_with("OTEL_"))
                };
                if has_python || is_told() {
                    let read =
                        read_parsed_instrumentation(project, service, model.plain(), &|path| {
                            reading.parsed_calls(path)
                        });
                    if read.language.is_some_and(|language| language != Language::Python) {
                        reading.drop_python(&service.name);
                    }
                    reading.inspection.instrumentation.insert(service.name.clone(), read);
                }
                reading.read_collector(service);
            }
            reading.inspection.model = Some(model);
        }
        None => reading.read_folders(),
    }
    Ok(reading.inspection)
}

struct InspectionReader<'p> {
    project: &'p Project,
    inspection: Inspection,
    /// The index of each module in the inspection; `None` for one that is not valid Python.
    python: HashMap<PathBuf, Option<usize>>,
    requirements: HashMap<PathBuf, usize>,
    /// Folders that were searched for a `package.json`.
    manifests: HashSet<PathBuf>,
}

impl InspectionReader<'_> {
    fn read_compose(&mut self) -> Result<()> {
        for path in self.project.compose_files() {
            self.project.source(path)?;
        }
        match self.project.model() {
            Ok(model) => self.take_model(model.clone()),
            Err(error) => {
                self.note_unread(error)?;
                self.read_dotenv()?;
            }
        }
        Ok(())
    }

    /// Reads the project's own variables, which would otherwise be in the model.
    fn read_dotenv(&mut self) -> Result<()> {
        let dotenv = match self.project.source(".env") {
            Err(error) if error.code != ErrorCode::OutsideProject => return Err(error),
            found => found.ok().flatten().map(other_file),
        };
        self.inspection.dotenvs.extend(dotenv.map(|file| DotenvFile {
            statements: compose::parse_dotenv(&file.text).unwrap_or_default(),
            file: ProjectTextFile::new(file.path, file.text, FileSyntax::Variables),
        }));
        Ok(())
    }

    fn take_model(&mut self, model: ComposeModel) {
        let dotenvs = model.dotenv_files().map(|(file, statements)| DotenvFile {
            file: file.clone(),
            statements: statements.to_vec(),
        });
        self.inspection.dotenvs = dotenvs.collect();
        let outside = model
            .files
            .iter()
            .map(|file| &file.path)
            .filter(|path| self.project.sources().is_foreign(path));
        self.inspection.foreign = outside.cloned().collect();
        self.note_roles(&model);
        self.inspection.model = Some(model);
    }

    fn note_roles(&mut self, model: &ComposeModel) {
        for service in &model.services {
            let role = || classify_service(service, self.project.sources()).role;
            self.inspection.roles.entry(service.name.clone()).or_insert_with(role);
        }
    }

    /// Records why there is no model, if a line of a file is the reason.
    fn note_unread(&mut self, error: Error) -> Result<()> {
        if error.code == ErrorCode::NoComposeFile && self.project.compose_files().is_empty() {
            return Ok(());
        }
        let Some(position) = error.place.clone() else { return Err(error) };
        let Some(file) = self.project.source(&position.path)?.map(other_file) else {
            return Err(error);
        };
        match (error.code, YamlTree::parse(Arc::clone(&file.text))) {
            (ErrorCode::InvalidYaml, Err(syntax)) => self.note_broken(file, syntax),
            (ErrorCode::ComposeCycle, _) => {
                let unread =
                    UnreadFile { path: position.path.clone(), reason: error.message.clone() };
                self.inspection.unread.push(unread);
                self.inspection.refusal = Some(ProjectRefusal {
                    offset: file.offset(position.line, position.column),
                    text: error.message,
                    file,
                });
            }
            _ => return Err(error),
        }
        Ok(())
    }

    fn note_broken(&mut self, file: ProjectTextFile, syntax: YamlSyntaxError) {
        let reason = format!("no YAML: {}", syntax.message);
        self.inspection.unread.push(UnreadFile { path: file.path.clone(), reason });
        self.inspection.broken.push((file, syntax));
    }

    /// Reads other compose files in the project's folder, ignoring unreadable ones.
    fn read_beside(&mut self) {
        let model = self.inspection.model.as_ref();
        let known = |path: &Path| {
            let mut files = model.into_iter().flat_map(|model| &model.files);
            files.any(|file| file.path == path)
                || self.project.compose_files().iter().any(|known| known == path)
        };
        let others: Vec<PathBuf> =
            self.project.compose_files_here().into_iter().filter(|path| !known(path)).collect();
        for path in others {
            if let Ok(model) = self.project.model_of(vec![path]) {
                self.note_roles(&model);
                self.inspection.other_projects.push(model);
            }
        }
    }

    fn read_workspace(&mut self) {
        if let Some(file) = self.project.gitpod.clone().map(other_file) {
            match GitpodFile::parse(&file.text) {
                Ok(contents) => {
                    let root = &self.project.root;
                    let sources = self.project.sources();
                    let is_there = |path: &Path| sources.exists(&root.join(path));
                    let missing_paths = lint::missing_task_paths(&contents, is_there);
                    let gitpod = WorkspaceFile { file, contents, missing_paths };
                    self.inspection.gitpod = Some(gitpod);
                }
                Err(syntax) => self.note_broken(file, syntax),
            }
        }
        self.inspection.devcontainers.extend(self.project.devcontainer.clone().map(other_file));
        let ignore = self.project.source(".gitignore").ok().flatten();
        self.inspection.gitignore = ignore.map(other_file);
    }

    /// Reads scripts, Dockerfiles, templates and variable files that rules apply to.
    fn read_texts(&mut self) {
        let inspection = &self.inspection;
        let known =
            inspection.files().into_iter().map(|file| file.path.clone()).collect::<HashSet<_>>();
        let others =
            self.project.key_files().into_iter().filter(|file| !known.contains(&file.path));
        for file in others {
            let is_of_variables = holds_variables(&file.path);
            let traces = TRACING.iter().any(|word| file.text.contains(word));
            let holds = if is_of_variables { FileSyntax::Variables } else { FileSyntax::Other };
            let file = ProjectTextFile::new(file.path, file.text, holds);
            if lint::is_judged(&file) || traces && !is_of_variables {
                if traces {
                    let root = &self.project.root;
                    let above = file.path.ancestors().skip(1);
                    above
                        .take_while(|folder| folder.starts_with(root))
                        .for_each(|folder| self.read_manifest(folder));
                }
                self.inspection.texts.push(file);
            }
        }
    }

    /// Reads the code of a service; returns whether some of it is Python.
    fn read_service(&mut self, service: &compose::ServiceModel) -> bool {
        let Some(CodeOfService { folder, python, image }) = read_code(self.project, service) else {
            return false;
        };
        let has_python = !python.is_empty();
        let lists = image.as_ref().map(|image| &image.packages);
        let mut requirements: Vec<PathBuf> = match lists {
            Some(PackageList::Requirements { file, included, .. }) => {
                std::iter::once(file).chain(included).map(|file| file.path.clone()).collect()
            }
            _ => Vec::new(),
        };
        if requirements.is_empty() {
            requirements.push(folder.join("requirements.txt"));
        }
        let start = image.map(|image| image.start).unwrap_or_default();
        self.take_code(
            Some(service.name.clone()),
            requirements,
            python.into_iter().map(|file| file.path),
            start,
        );
        self.read_manifest(&folder);
        has_python
    }

    fn read_collector(&mut self, service: &compose::ServiceModel) {
        let path = if compose::is_collector(service) { collector::file_of(service) } else { None };
        let file = path.and_then(|path| self.project.source(&path).ok().flatten());
        self.inspection.collectors.extend(
            file.map(|file| CollectorFile {
                service: service.name.clone(),
                file: other_file(file),
            }),
        );
    }

    /// Reads the Python below the project's folder, with the requirements in the same or a parent folder, for a
    /// project without a model.
    fn read_folders(&mut self) {
        let python = self.project.python_files(&self.project.root);
        let root = self.project.root.clone();
        let mut modules: HashMap<PathBuf, Vec<PathBuf>> = HashMap::from([(root, Vec::new())]);
        for file in python {
            let mut above = file
                .path
                .ancestors()
                .skip(1)
                .take_while(|folder| folder.starts_with(&self.project.root));
            let listed = above.find(|folder| folder.join("requirements.txt").is_file());
            let folder = listed.unwrap_or(&self.project.root).to_owned();
            modules.entry(folder).or_default().push(file.path);
        }
        let mut modules: Vec<_> = modules.into_iter().collect();
        modules.sort();
        for (folder, python) in modules {
            let requirements = vec![folder.join("requirements.txt")];
            self.take_code(None, requirements, python.into_iter(), TracingStart::default());
            self.read_manifest(&folder);
        }
    }

    fn take_code(
        &mut self,
        service: Option<String>,
        requirements: Vec<PathBuf>,
        python: impl Iterator<Item = PathBuf>,
        start: TracingStart,
    ) {
        let requirements =
            requirements.iter().filter_map(|path| self.requirements_at(path)).collect();
        let python = python.filter_map(|path| self.module_at(path)).collect();
        self.inspection.code.push(InspectedCode { service, python, requirements, start });
    }

    /// Leaves out Python beside a program in another language, which runs none of it.
    fn drop_python(&mut self, service: &str) {
        let own = |code: &&mut InspectedCode| code.service.as_deref() == Some(service);
        self.inspection.code.iter_mut().filter(own).for_each(|code| code.python.clear());
    }

    fn requirements_at(&mut self, path: &Path) -> Option<usize> {
        if let Some(at) = self.requirements.get(path) {
            return Some(*at);
        }
        // Whatever pip refuses is left for pip to report.
        let file = self.project.source(path).ok().flatten()?;
        let at = self.inspection.requirements.len();
        self.inspection.requirements.push(RequirementsFile::read(other_file(file)));
        self.requirements.insert(path.to_owned(), at);
        Some(at)
    }

    fn module_at(&mut self, path: PathBuf) -> Option<usize> {
        if let Some(at) = self.python.get(&path) {
            return *at;
        }
        let file = self.project.source(&path).ok().flatten()?;
        let module = PythonFile::read(other_file(file));
        let at = module.map(|module| {
            self.inspection.python.push(module);
            self.inspection.python.len() - 1
        });
        self.python.insert(path, at);
        at
    }

    /// Returns the calls in a module that was parsed.
    fn parsed_calls(&self, path: &Path) -> Option<&[PythonCall]> {
        let at = (*self.python.get(path)?)?;
        Some(&self.inspection.python[at].module.calls)
    }

    fn read_manifest(&mut self, folder: &Path) {
        if self.manifests.insert(folder.to_owned()) {
            let file = self.project.source(folder.join("package.json")).ok().flatten();
            self.inspection.manifests.extend(file.map(other_file));
        }
    }
}

/// Words in scripts that trace a page or configure CORS headers.
const TRACING: [&str; 4] =
    ["@opentelemetry/", "@honeycombio/", "propagateTraceHeaderCorsUrls", "traceparent"];

/// Returns whether a file holds variables, by its name: `api.env`, `.env.local`. Templates do not count.
fn holds_variables(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_template = ["example", "sample", "template", "dist", "tmpl", "erb"]
        .iter()
        .any(|word| name.ends_with(&format!(".{word}")));
    (name.ends_with(".env") || name.starts_with(".env")) && !is_template
}

fn other_file(file: ProjectFile) -> ProjectTextFile {
    ProjectTextFile::new(file.path, file.text, FileSyntax::Other)
}
