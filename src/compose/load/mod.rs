//! Loads the files of a project: overrides, `include`, `extends`, `env_file`.

mod contents;
mod env_files;
mod follow;
mod services;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::edit::yaml::tree::YamlTree;
use crate::error::{Error, ErrorCode, Result};
use crate::limits;

use super::dotenv::{self, DotenvStatement};
use super::find::ComposeLocation;
use super::interpolate::InterpolationError;
use super::model::{ComposeModel, FailingTemplate};
use super::reachability::ComposeNetwork;
use super::read::{ComposeFault, may_be_fetched};
use super::references::{DefinedNames, check_references};
use super::service::{EnvFileFormat, EnvFileState, ServiceModel};
use super::source::{
    ComposeWarning, FileId, FileSpan, FileSyntax, PlannedSources, ProjectSources, ProjectTextFile,
    SourceText, WarningWeight,
};
use super::variables::{ProjectVariables, ScopeFiles, ScopeId};
use super::view::NodeView;

use contents::FileDocuments;

impl ComposeModel {
    /// Loads a project.
    ///
    /// If a plan is still possible, problems that docker compose would reject become warnings of the model: a missing
    /// `env_file`, `include` or `extends` target, or a required variable.
    ///
    /// # Errors
    /// A compose file that cannot be read or is not YAML, and files that include or extend each other in a cycle.
    pub fn load(
        sources: &dyn ProjectSources,
        start: &ComposeLocation,
        shell: &BTreeMap<String, String>,
    ) -> Result<Self> {
        Self::load_with(sources, start, Arc::new(shell.clone()), HashMap::new())
    }

    /// Loads the project again with other texts for some files. Unchanged files are not parsed again, nor those in
    /// `trees`.
    ///
    /// # Errors
    /// As [`ComposeModel::load`].
    pub fn load_planned(
        &self,
        sources: &dyn ProjectSources,
        start: &ComposeLocation,
        texts: &BTreeMap<PathBuf, Arc<str>>,
        trees: &BTreeMap<PathBuf, Arc<YamlTree>>,
    ) -> Result<Self> {
        let planned = PlannedSources { below: sources, texts };
        let shared = self.files.iter().filter_map(|file| {
            let tree = file.parsed()?;
            Some((file.path.as_path(), tree))
        });
        let planned_trees = trees.iter().map(|(path, tree)| (path.as_path(), tree));
        let known = shared.chain(planned_trees).collect();
        Self::load_with(&planned, start, Arc::clone(&self.shell), known)
    }

    fn load_with(
        sources: &dyn ProjectSources,
        start: &ComposeLocation,
        shell: Arc<BTreeMap<String, String>>,
        known: HashMap<&Path, &Arc<YamlTree>>,
    ) -> Result<Self> {
        let mut loader = ProjectLoader {
            sources,
            known,
            project: &start.folder,
            files: Vec::new(),
            ids: HashMap::new(),
            contents: HashMap::new(),
            env_files: HashMap::new(),
            missing_files: HashSet::new(),
            scopes: Vec::new(),
            variables: ProjectVariables::new(
                Arc::clone(&shell),
                BTreeMap::new(),
                [("PWD", start.current_folder.display().to_string())].into(),
                &[],
            ),
            warnings: Vec::new(),
            failing: Vec::new(),
            including: Vec::new(),
            reaches: Vec::new(),
            template_room: limits::VALUES_BYTES,
            service_room: limits::MODEL_BYTES,
            defined: DefinedNames::new(),
            networks: HashMap::new(),
        };
        // The compose files come first among the model's files, before any `.env`.
        for path in &start.files {
            let file = loader.file(path, FileSyntax::Compose)?;
            let written = path.strip_prefix(&start.current_folder).unwrap_or(Path::new(""));
            if let (Some(file), true) = (file, may_be_fetched(&written.to_string_lossy())) {
                loader.reaches.push(FileSpan { file, range: 0..0 });
            }
        }
        loader.scope(None, &start.env_here)?;
        loader.scope(Some(ScopeId::HERE), &start.env_project)?;
        loader.name_project(start);
        let services = loader.group(&start.files, ScopeId::PROJECT, &start.folder)?;
        for (_, fault) in services.iter().flat_map(|service| &service.bare) {
            loader.report(fault.clone());
        }
        // Without these, nothing else holds most services: they are finished without a copy.
        loader.contents.clear();
        let services: Vec<_> =
            services.into_iter().map(|service| Arc::unwrap_or_clone(service).finish()).collect();
        for service in &services {
            loader.judge(service);
        }
        loader.measure(&services)?;
        for fault in check_references(&services, &loader.defined) {
            loader.report(fault);
        }
        let names = services.iter().enumerate();
        Ok(Self {
            index: names.map(|(at, service)| (service.name.clone(), at)).collect(),
            files: loader.files,
            services,
            warnings: loader.warnings,
            shell,
            scopes: loader.scopes,
            plain: loader.variables,
            failing: loader.failing,
            reaches: loader.reaches,
            networks: loader.networks,
            host_names: OnceLock::new(),
        })
    }
}

struct ProjectLoader<'s> {
    sources: &'s dyn ProjectSources,
    /// Parsed trees to reuse for files whose text is unchanged.
    known: HashMap<&'s Path, &'s Arc<YamlTree>>,
    project: &'s Path,
    files: Vec<ProjectTextFile>,
    ids: HashMap<PathBuf, FileId>,
    contents: HashMap<(FileId, ScopeId, PathBuf), FileDocuments>,
    env_files: HashMap<(PathBuf, EnvFileFormat), EnvFileState>,
    /// The `env_file`s that do not exist, each of which is reported once.
    missing_files: HashSet<PathBuf>,
    scopes: Vec<ScopeFiles>,
    variables: ProjectVariables,
    warnings: Vec<ComposeWarning>,
    failing: Vec<FailingTemplate>,
    including: Vec<PathBuf>,
    reaches: Vec<FileSpan>,
    /// Remaining size in bytes for the results of templates.
    template_room: usize,
    /// Remaining size in bytes for the content of services.
    service_room: usize,
    defined: DefinedNames,
    networks: HashMap<String, ComposeNetwork>,
}

/// Message for the service that exceeds the size limit.
const SERVICES_TOO_LARGE: &str = "up to this service, the services are larger than 64 MiB in all once aliases and `extends` are expanded";

impl ProjectLoader<'_> {
    fn warn(&mut self, span: &FileSpan, text: String, weight: WarningWeight) {
        let place = self.files[span.file.0].place(span.range.start);
        self.warnings.push(ComposeWarning { place, span: span.clone(), text, weight });
    }

    fn report(&mut self, fault: ComposeFault) {
        self.warn(&fault.span, fault.text, fault.weight);
    }

    /// Returns the error for exceeding a limit, with its position.
    fn too_large(&self, span: &FileSpan, reason: impl std::fmt::Display) -> Error {
        let file = &self.files[span.file.0];
        let message = format!("{} is not read: {reason}", file.path.display());
        Error::new(ErrorCode::TooLarge, message).at(file.place(span.range.start))
    }

    /// Fails if the environments together exceed a limit.
    fn measure(&self, services: &[ServiceModel]) -> Result<()> {
        let mut room = limits::VALUES_BYTES;
        for service in services {
            let bytes = service
                .measure(&self.variables)
                .map_err(|(span, error)| self.too_large(&span, error))?;
            match (room.checked_sub(bytes), service.defined_in.first()) {
                (Some(left), _) => room = left,
                (None, Some(span)) => {
                    let error = InterpolationError::ValuesTooLarge;
                    return Err(self.too_large(span, error));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Sets the project's name, which compose files and `.env` may refer to.
    fn name_project(&mut self, start: &ComposeLocation) {
        let mut name = None;
        for path in &start.files {
            let file = self.ids.get(path).map(|id| &self.files[id.0]);
            let Some(Ok(tree)) = file.map(ProjectTextFile::tree) else {
                continue;
            };
            let id = self.ids.get(path).copied().unwrap_or(FileId(0));
            let named = NodeView::roots(tree, id)
                .filter_map(|root| root.get("name"))
                .filter_map(|name| Some((name.text()?.into_owned(), name.span())));
            name = named.filter(|(name, _)| !name.is_empty()).last().or(name);
        }
        let interpolate = |(name, span): (String, FileSpan)| {
            let name = self.variables.interpolate(ScopeId::PROJECT, &name).ok()?.text;
            Some((normalize_project_name(&name), span))
        };
        let folder = start.folder.file_name().unwrap_or_default();
        let name = match name.and_then(interpolate) {
            Some((name, span)) if name.is_empty() => {
                let text = "no letter or digit of this name is left for docker compose";
                self.warn(&span, text.to_owned(), WarningWeight::Refused);
                name
            }
            Some((name, _)) => name,
            None => normalize_project_name(&folder.to_string_lossy()),
        };
        self.variables.set_own("COMPOSE_PROJECT_NAME", name);
    }

    fn judge(&mut self, service: &ServiceModel) {
        let runs = service.build.is_some()
            || service.image.as_deref().is_some_and(|image| !image.is_empty())
            || service.provided
            || !service.gaps.is_empty();
        if let (false, Some(span)) = (runs, service.defined_in.first()) {
            let text = format!("the service `{}` has neither `image` nor `build`", service.name);
            self.warn(span, text, WarningWeight::Refused);
        }
    }

    /// Opens a file of the project; `None` if it does not exist.
    fn file(&mut self, path: &Path, syntax: FileSyntax) -> Result<Option<FileId>> {
        if let Some(id) = self.ids.get(path) {
            return Ok(Some(*id));
        }
        match self.sources.text(path) {
            SourceText::Missing => Ok(None),
            SourceText::Unreadable(error) => Err(error),
            SourceText::Found(text) => {
                let id = FileId(self.files.len());
                let syntax = match syntax {
                    FileSyntax::Compose if self.sources.is_foreign(path) => FileSyntax::Foreign,
                    holds => holds,
                };
                let known = self.known.get(path).filter(|tree| tree.source == text);
                self.files.push(match known {
                    Some(tree) => {
                        ProjectTextFile::parsed_already(path.to_owned(), Arc::clone(tree), syntax)
                    }
                    None => ProjectTextFile::new(path.to_owned(), text, syntax),
                });
                self.ids.insert(path.to_owned(), id);
                Ok(Some(id))
            }
        }
    }

    /// Adds a scope with these `.env` files, ignoring missing ones.
    fn scope(&mut self, parent: Option<ScopeId>, paths: &[PathBuf]) -> Result<ScopeId> {
        let mut scope = ScopeFiles { parent, files: Vec::new() };
        for path in paths {
            let id = match self.file(path, FileSyntax::Variables) {
                Ok(Some(id)) => id,
                // Docker compose loads nothing if a file has another encoding.
                Err(error) if error.code == ErrorCode::NotUtf8 => return Err(error),
                Ok(None) | Err(_) => continue,
            };
            if let Some(statements) = self.statements(id, dotenv::parse_dotenv) {
                scope.files.push((id, statements));
            }
        }
        for (span, error) in self.variables.add(&scope) {
            if error.is_too_large() {
                return Err(self.too_large(&span, error));
            }
            self.warn(&span, error.to_string(), WarningWeight::Refused);
        }
        self.scopes.push(scope);
        Ok(ScopeId(self.scopes.len() - 1))
    }

    fn statements(
        &mut self,
        id: FileId,
        parse: fn(&str) -> Result<Vec<DotenvStatement>, dotenv::DotenvError>,
    ) -> Option<Arc<[DotenvStatement]>> {
        match parse(&self.files[id.0].text) {
            Ok(statements) => Some(statements.into()),
            Err(error) => {
                let span = FileSpan { file: id, range: error.offset..error.offset };
                self.warn(&span, error.message, WarningWeight::Refused);
                None
            }
        }
    }
}

/// Normalises a project name as docker compose does.
fn normalize_project_name(name: &str) -> String {
    let allowed = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    let normal: String = name.to_lowercase().chars().filter(allowed).collect();
    normal.trim_start_matches(['_', '-']).to_owned()
}

#[cfg(test)]
mod tests;
