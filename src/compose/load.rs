//! Follows a project's files: overrides, `include`, `extends`, `env_file`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::edit::yaml::tree::Tree;
use crate::error::{Error, Result};

use super::dotenv::{self, Statement};
use super::find::Start;
use super::merge::{Field, Partial};
use super::model::{Failing, Model};
use super::read::{Extends, Fault, Named, Read, Reader, clean};
use super::scan;
use super::service::{EnvFile, EnvFileState, Service};
use super::source::{File, FileId, SourceText, Sources, Span, Warning, Weight};
use super::variables::{ScopeFiles, ScopeId, Variables};
use super::view::{Mark, Shape, View};

/// Chains of `include` and `extends` longer than this are refused.
const LONGEST: usize = 100;

impl Model {
    /// Reads a project.
    ///
    /// What docker compose would refuse, but a plan can live with, is a warning of the model: a missing `env_file`,
    /// `include` or `extends` target, a variable that is required and missing.
    ///
    /// # Errors
    /// A compose file that cannot be read or is no YAML, and files that include or extend each other in a circle.
    pub fn load(
        sources: &dyn Sources,
        start: &Start,
        shell: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let shell = Arc::new(shell.clone());
        let mut loader = Loader {
            sources,
            project: &start.folder,
            files: Vec::new(),
            ids: HashMap::new(),
            contents: HashMap::new(),
            env_files: HashMap::new(),
            scopes: Vec::new(),
            variables: Variables::new(
                Arc::clone(&shell),
                BTreeMap::new(),
                [("PWD", start.here.display().to_string())].into(),
                &[],
            ),
            warnings: Vec::new(),
            failing: Vec::new(),
            including: Vec::new(),
        };
        for file in &start.files {
            loader.file(file)?;
        }
        loader.scope(None, &start.env_here);
        loader.scope(Some(ScopeId::HERE), &start.env_project);
        loader.name_project(start);
        let services = loader.group(&start.files, ScopeId::PROJECT, &start.folder)?;
        let services: Vec<_> = services.into_iter().map(Partial::finish).collect();
        for service in &services {
            loader.judge(service);
        }
        let names = services.iter().enumerate();
        Ok(Self {
            index: names.map(|(at, one)| (one.name.clone(), at)).collect(),
            files: loader.files,
            services,
            warnings: loader.warnings,
            shell,
            scopes: loader.scopes,
            plain: loader.variables,
            failing: loader.failing,
        })
    }
}

struct Loader<'s> {
    sources: &'s dyn Sources,
    project: &'s Path,
    files: Vec<File>,
    ids: HashMap<PathBuf, FileId>,
    contents: HashMap<(FileId, ScopeId, PathBuf), Rc<Contents>>,
    env_files: HashMap<(PathBuf, bool), EnvFileState>,
    scopes: Vec<ScopeFiles>,
    variables: Variables,
    warnings: Vec<Warning>,
    failing: Vec<Failing>,
    including: Vec<PathBuf>,
}

/// What one compose file says.
struct Contents {
    file: FileId,
    folder: PathBuf,
    scope: ScopeId,
    services: Vec<(Mark, Read)>,
    includes: Vec<Include>,
}

struct Include {
    paths: Vec<String>,
    folder: Option<String>,
    env_files: Vec<String>,
    span: Span,
}

/// Services in order, found by name.
#[derive(Default)]
struct Services {
    order: Vec<Option<Partial>>,
    index: HashMap<String, usize>,
}

impl Services {
    fn take(&mut self, name: &str) -> Option<Partial> {
        self.order[*self.index.get(name)?].take()
    }

    fn put(&mut self, partial: Partial) {
        match self.index.get(&partial.name) {
            Some(at) => self.order[*at] = Some(partial),
            None => {
                self.index.insert(partial.name.clone(), self.order.len());
                self.order.push(Some(partial));
            }
        }
    }
}

impl Loader<'_> {
    fn warn(&mut self, span: &Span, text: String, weight: Weight) {
        let place = self.files[span.file.0].place(span.range.start);
        self.warnings.push(Warning {
            place,
            text,
            weight,
        });
    }

    fn report(&mut self, fault: Fault) {
        self.warn(&fault.span, fault.text, fault.weight);
    }

    /// Compose files and `.env` may refer to the project's name.
    fn name_project(&mut self, start: &Start) {
        let mut name = None;
        for path in &start.files {
            let text = self.ids.get(path).map(|id| &self.files[id.0].text);
            let named = |text: &&Arc<str>| text.lines().any(|line| line.starts_with("name:"));
            let Some(text) = text.filter(named) else {
                continue;
            };
            let Ok(tree) = Tree::parse(text) else {
                continue;
            };
            let root = View::root(&tree, FileId(0));
            let named = root.and_then(|root| root.get("name")?.text());
            name = named
                .and_then(|name| self.variables.interpolate(ScopeId::PROJECT, &name).ok())
                .map(|name| name.text)
                .or(name);
        }
        let folder = start.folder.file_name().unwrap_or_default();
        let folder = folder.to_string_lossy().to_lowercase();
        let allowed = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        let normal: String = folder.chars().filter(allowed).collect();
        let name = name.unwrap_or_else(|| normal.trim_start_matches(['_', '-']).to_owned());
        self.variables.set_own("COMPOSE_PROJECT_NAME", name);
    }

    fn judge(&mut self, service: &Service) {
        let runs = service.build.is_some() || service.image.is_some() || !service.gaps.is_empty();
        if let (false, Some(span)) = (runs, service.defined_in.first()) {
            let text = format!(
                "the service `{}` has neither `image` nor `build`",
                service.name
            );
            self.warn(span, text, Weight::Refused);
        }
    }

    /// A file of the project; `None` where nothing lies.
    fn file(&mut self, path: &Path) -> Result<Option<FileId>> {
        if let Some(id) = self.ids.get(path) {
            return Ok(Some(*id));
        }
        match self.sources.text(path) {
            SourceText::Missing => Ok(None),
            SourceText::Unreadable(error) => Err(error),
            SourceText::Found(text) => {
                let id = FileId(self.files.len());
                self.files.push(File {
                    path: path.to_owned(),
                    text,
                });
                self.ids.insert(path.to_owned(), id);
                Ok(Some(id))
            }
        }
    }

    /// Opens a scope with these `.env` files; a missing one is none.
    fn scope(&mut self, parent: Option<ScopeId>, paths: &[PathBuf]) -> ScopeId {
        let mut scope = ScopeFiles {
            parent,
            files: Vec::new(),
        };
        for path in paths {
            let Ok(Some(id)) = self.file(path) else {
                continue;
            };
            if let Some(statements) = self.statements(id, dotenv::parse) {
                scope.files.push((id, statements));
            }
        }
        for (span, error) in self.variables.add(&scope) {
            self.warn(&span, error.to_string(), Weight::Refused);
        }
        self.scopes.push(scope);
        ScopeId(self.scopes.len() - 1)
    }

    fn statements(
        &mut self,
        id: FileId,
        parse: fn(&str) -> Result<Vec<Statement>, dotenv::DotenvError>,
    ) -> Option<Arc<[Statement]>> {
        match parse(&self.files[id.0].text) {
            Ok(statements) => Some(statements.into()),
            Err(error) => {
                let span = Span {
                    file: id,
                    range: error.offset..error.offset,
                };
                self.warn(&span, error.message, Weight::Refused);
                None
            }
        }
    }

    /// Several files laid one over the other.
    fn group(&mut self, paths: &[PathBuf], scope: ScopeId, folder: &Path) -> Result<Vec<Partial>> {
        let mut all = Services::default();
        for path in paths {
            let Some(contents) = self.contents(path, scope, folder)? else {
                return Err(missing(path));
            };
            let mut own = Services::default();
            for (mark, read) in &contents.services {
                if *mark != Mark::None {
                    all.take(&read.partial.name);
                }
                if *mark != Mark::Reset {
                    own.put(self.extended(&contents, read, &mut Vec::new())?);
                }
            }
            self.including.push(path.clone());
            for include in &contents.includes {
                self.include(include, &contents, &mut own)?;
            }
            self.including.pop();
            for partial in own.order.into_iter().flatten() {
                let merged = match all.take(&partial.name) {
                    Some(below) => partial.over(below),
                    None => partial,
                };
                all.put(merged);
            }
        }
        Ok(all.order.into_iter().flatten().collect())
    }

    fn include(&mut self, include: &Include, from: &Contents, own: &mut Services) -> Result<()> {
        let resolve = |written: &String| clean(&from.folder.join(written));
        let paths: Vec<PathBuf> = include.paths.iter().map(resolve).collect();
        let Some(first) = paths.first() else {
            return Ok(());
        };
        if self.including.contains(first) || self.including.len() > LONGEST {
            let place = self.files[include.span.file.0].place(include.span.range.start);
            let message = format!("{} includes itself in the end", first.display());
            return Err(Error::new("compose-cycle", message).at(place));
        }
        for path in &paths {
            if self.file(path)?.is_none() {
                let text = format!("the included file {} does not exist", path.display());
                self.warn(&include.span, text, Weight::Refused);
                return Ok(());
            }
        }
        let folder = match &include.folder {
            Some(written) => resolve(written),
            None => first.parent().unwrap_or(first).to_owned(),
        };
        let env_files: Vec<PathBuf> = match include.env_files.as_slice() {
            [] => vec![folder.join(".env")],
            written => written.iter().map(resolve).collect(),
        };
        let scope = self.scope(Some(from.scope), &env_files);
        for partial in self.group(&paths, scope, &folder)? {
            let merged = match own.take(&partial.name) {
                None => partial,
                Some(above) => {
                    let text = format!(
                        "the service `{}` is included and defined elsewhere too; releases before v5 refuse that",
                        partial.name
                    );
                    self.warn(&include.span, text, Weight::Remark);
                    above.over(partial)
                }
            };
            own.put(merged);
        }
        Ok(())
    }

    /// A service with what it extends below it.
    fn extended(
        &mut self,
        contents: &Rc<Contents>,
        read: &Read,
        chain: &mut Vec<(FileId, String)>,
    ) -> Result<Partial> {
        let own = self.with_env_files(contents, read);
        let Some(extends) = &read.extends else {
            return Ok(own);
        };
        let link = (contents.file, own.name.clone());
        if chain.contains(&link) || chain.len() > LONGEST {
            let place = self.files[extends.span.file.0].place(extends.span.range.start);
            let message = format!("the service `{}` extends itself in the end", own.name);
            return Err(Error::new("compose-cycle", message).at(place));
        }
        chain.push(link);
        let base = self.base(contents, extends, chain);
        chain.pop();
        match base? {
            Ok(mut base) => {
                base.places.clear();
                Ok(own.over(base))
            }
            Err(gap) => {
                self.warn(&extends.span, gap.clone(), Weight::Refused);
                let mut own = own;
                own.gaps.push(gap);
                Ok(own)
            }
        }
    }

    /// What a service extends, or why it is not there.
    fn base(
        &mut self,
        from: &Rc<Contents>,
        extends: &Extends,
        chain: &mut Vec<(FileId, String)>,
    ) -> Result<Result<Partial, String>> {
        let contents = match &extends.file {
            None => Rc::clone(from),
            Some(written) => {
                let path = clean(&from.folder.join(written));
                let folder = path.parent().unwrap_or(&path).to_owned();
                match self.contents(&path, from.scope, &folder)? {
                    Some(contents) => contents,
                    None => {
                        return Ok(Err(format!(
                            "`{written}`, which this service extends, does not exist"
                        )));
                    }
                }
            }
        };
        let found = contents
            .services
            .iter()
            .find(|(mark, read)| *mark != Mark::Reset && read.partial.name == extends.service);
        match found {
            Some((_, read)) => self.extended(&contents, read, chain).map(Ok),
            None => Ok(Err(format!(
                "the service `{}`, which this service extends, does not exist",
                extends.service
            ))),
        }
    }

    fn with_env_files(&mut self, contents: &Contents, read: &Read) -> Partial {
        let mut partial = read.partial.clone();
        partial.env_files = match &read.env_files {
            Field::Silent => Field::Silent,
            Field::Reset => Field::Reset,
            Field::Said(named) => Field::Said(self.look_up(contents, named)),
            Field::Instead(named) => Field::Instead(self.look_up(contents, named)),
        };
        partial
    }

    fn look_up(&mut self, contents: &Contents, named: &[Named]) -> Vec<EnvFile> {
        let mut out = Vec::with_capacity(named.len());
        for one in named {
            let path = clean(&contents.folder.join(&one.written));
            let state = self.env_file(&path, one.raw);
            if let (EnvFileState::Missing(template), true) = (&state, one.required) {
                let mut text = format!("the env_file {} does not exist", one.written);
                if let Some(template) = template {
                    let shown = template.strip_prefix(self.project).unwrap_or(template);
                    text = format!("{text}; it is generated from {}", shown.display());
                }
                self.warn(&one.span, text, Weight::Refused);
            }
            if let EnvFileState::Broken(reason) = &state {
                let text = format!("the env_file {} cannot be read: {reason}", one.written);
                self.warn(&one.span, text, Weight::Refused);
            }
            out.push(EnvFile {
                path,
                written: one.written.clone(),
                required: one.required,
                state,
                span: one.span.clone(),
            });
        }
        out
    }

    fn env_file(&mut self, path: &Path, raw: bool) -> EnvFileState {
        let key = (path.to_owned(), raw);
        if let Some(state) = self.env_files.get(&key) {
            return state.clone();
        }
        let state = match self.file(path) {
            Ok(None) => EnvFileState::Missing(self.template_of(path)),
            Err(error) => EnvFileState::Broken(error.message),
            Ok(Some(id)) => {
                let parse = if raw {
                    dotenv::parse_raw
                } else {
                    dotenv::parse
                };
                match self.statements(id, parse) {
                    Some(statements) => EnvFileState::Read(id, statements),
                    None => EnvFileState::Broken("it is not a list of variables".to_owned()),
                }
            }
        };
        self.env_files.insert(key, state.clone());
        state
    }

    /// The ERB template a missing `backend.env` is generated from, where repositories of the bootcamp keep it.
    fn template_of(&self, path: &Path) -> Option<PathBuf> {
        let name = format!("{}.erb", path.file_name()?.to_str()?);
        let beside = path.parent()?;
        let folders = [
            self.project.join("erb"),
            beside.join("erb"),
            beside.to_owned(),
        ];
        let mut candidates = folders.iter().map(|folder| folder.join(&name));
        candidates.find(|candidate| self.sources.exists(candidate))
    }

    /// What a file says, read once for each way of looking at it.
    fn contents(
        &mut self,
        path: &Path,
        scope: ScopeId,
        folder: &Path,
    ) -> Result<Option<Rc<Contents>>> {
        let Some(file) = self.file(path)? else {
            return Ok(None);
        };
        let key = (file, scope, folder.to_owned());
        if let Some(contents) = self.contents.get(&key) {
            return Ok(Some(Rc::clone(contents)));
        }
        let text = Arc::clone(&self.files[file.0].text);
        let tree = Tree::parse(&text).map_err(|error| {
            let message = format!("{} is not valid YAML", path.display());
            let place = self.files[file.0].place(error.offset);
            Error::new("invalid-yaml", message)
                .cause(error.message)
                .at(place)
        })?;
        self.scan(&tree, file, scope);
        let mut reader = Reader {
            variables: &self.variables,
            scope,
            folder,
            faults: Vec::new(),
        };
        let mut contents = Contents {
            file,
            folder: folder.to_owned(),
            scope,
            services: Vec::new(),
            includes: Vec::new(),
        };
        match View::root(&tree, file) {
            Some(root) => read_root(root, &mut reader, &mut contents),
            None => reader.faults.push(Fault {
                span: Span { file, range: 0..0 },
                text: "the file says nothing".to_owned(),
                weight: Weight::Refused,
            }),
        }
        for fault in std::mem::take(&mut reader.faults) {
            self.report(fault);
        }
        let contents = Rc::new(contents);
        self.contents.insert(key, Rc::clone(&contents));
        Ok(Some(contents))
    }

    fn scan(&mut self, tree: &Tree<'_>, file: FileId, scope: ScopeId) {
        let found = scan::scan(tree, file, &self.variables, scope);
        for fault in found.faults {
            self.report(fault);
        }
        for (fault, template) in found.failing {
            self.failing.push(Failing {
                warning: self.warnings.len(),
                scope,
                template,
            });
            self.report(fault);
        }
    }
}

fn read_root<'t>(root: View<'t>, reader: &mut Reader<'_>, contents: &mut Contents) {
    if root.shape() != Shape::Mapping {
        reader.refuse(root, "a compose file is a mapping");
        return;
    }
    for (key, name, value) in root.entries() {
        match key.as_ref() {
            "services" if value.shape() != Shape::Mapping && value.mark() == Mark::None => {
                reader.refuse(value, "`services` is not a mapping");
            }
            "services" => {
                for (name, _, service) in value.entries() {
                    let mark = service.mark();
                    if service.shape() != Shape::Mapping && mark != Mark::Reset {
                        reader.refuse(service, format!("the service `{name}` is not a mapping"));
                        continue;
                    }
                    contents
                        .services
                        .push((mark, reader.service(&name, service)));
                }
            }
            "include" => {
                for item in value.items() {
                    contents.includes.push(include(item, reader));
                }
            }
            _ if value.get("image").or(value.get("build")).is_some() && !key.starts_with("x-") => {
                reader.refuse(
                    name,
                    format!(
                        "`{key}` stands outside `services`; version 1 of the format is read no more"
                    ),
                );
            }
            _ => {}
        }
    }
}

fn include<'t>(item: View<'t>, reader: &mut Reader<'_>) -> Include {
    let mut strings = |view: Option<View<'t>>| {
        let read = view.and_then(|view| reader.names(view));
        read.unwrap_or_default()
    };
    if item.shape() != Shape::Mapping {
        return Include {
            paths: strings(Some(item)),
            folder: None,
            env_files: Vec::new(),
            span: item.span(),
        };
    }
    Include {
        paths: strings(item.get("path")),
        folder: strings(item.get("project_directory")).pop(),
        env_files: strings(item.get("env_file")),
        span: item.span(),
    }
}

fn missing(path: &Path) -> Error {
    Error::new(
        "no-compose-file",
        format!("{} does not exist", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::texts::{load, seen};
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], shell: &[(&str, &str)], service: &str, expected: &[&str]) {
        let model = load(files, shell).unwrap();
        let service = model.service(service).unwrap();
        assert_eq!(seen(service, model.plain()), expected);
    }

    fn warnings(files: &[(&str, &str)]) -> Vec<String> {
        let model = load(files, &[]).unwrap();
        let line = |one: &Warning| format!("{}: {}", one.place.line, one.text);
        model.warnings.iter().map(line).collect()
    }

    #[test]
    fn every_source_of_a_value_in_its_order() {
        let compose = "services:\n  a:\n    image: x\n    env_file: a.env\n    environment:\n      \
                       A: '${V}'\n      E: ''\n      PASSED:\n      GONE:\n      R: ${R:?say}\n";
        check(
            &[
                ("compose.yaml", compose),
                (".env", "V=dot\nPASSED=dot\nB=dot\n"),
                ("a.env", "A=file\nE=file\nF=$B\nGONE=file\n"),
            ],
            &[("V", "shell")],
            "a",
            &["A=shell", "E=", "F=dot", "GONE", "PASSED=dot", "R?"],
        );
    }

    #[test]
    fn overrides_lie_over_the_base() {
        check(
            &[
                (
                    "compose.yaml",
                    "services:\n  a:\n    image: x\n    environment: {A: 1, B: 1, C: 1}\n",
                ),
                (
                    "compose.override.yml",
                    "services:\n  a:\n    environment: {B: 2, C: !reset null}\n",
                ),
            ],
            &[],
            "a",
            &["A=1", "B=2"],
        );
    }

    #[test]
    fn tags_reset_and_override() {
        let base = "services:\n  a:\n    image: x\n    environment: [A=1]\n    ports: ['1:1']\n  b: {image: y}\n";
        let over = "services:\n  a:\n    environment: !override {B: 2}\n    ports: !reset []\n  b: !reset null\n";
        let files = [("compose.yaml", base), ("compose.override.yaml", over)];
        check(&files, &[], "a", &["B=2"]);
        let model = load(&files, &[]).unwrap();
        assert!(model.service("a").unwrap().ports.is_empty());
        assert_eq!(model.services.len(), 1);
    }

    #[test]
    fn merge_keys_and_aliases_are_followed() {
        let compose = "x-a: &a {A: 1, B: 1}\nx-b: &b {B: 2, C: 2}\nservices:\n  a: &s\n    image: x\n    \
                       environment: {<<: [*a, *b], C: 3}\n  b:\n    <<: *s\n    environment: *b\n";
        check(
            &[("compose.yaml", compose)],
            &[],
            "a",
            &["A=1", "B=1", "C=3"],
        );
        check(&[("compose.yaml", compose)], &[], "b", &["B=2", "C=2"]);
    }

    #[test]
    fn extends_follows_files_and_chains() {
        let files = [
            (
                "compose.yaml",
                "services:\n  a:\n    extends: {file: sub/base.yml, service: mid}\n    environment: {A: 1}\n",
            ),
            (
                "sub/base.yml",
                "services:\n  mid:\n    extends: low\n    environment: {A: 0, B: 1}\n  low:\n    build: .\n    \
                 env_file: low.env\n",
            ),
            ("sub/low.env", "C=1\n"),
        ];
        check(&files, &[], "a", &["A=1", "B=1", "C=1"]);
        let model = load(&files, &[]).unwrap();
        let service = model.service("a").unwrap();
        assert_eq!(service.build.as_ref().unwrap().context, Path::new("/p/sub"));
        assert_eq!(service.defined_in.len(), 1);
    }

    #[test]
    fn includes_have_their_own_folder_and_variables() {
        let files = [
            (
                "compose.yaml",
                "include:\n  - sub/compose.yml\nservices:\n  a: {image: x}\n",
            ),
            (
                "sub/compose.yml",
                "services:\n  b:\n    build: .\n    environment: {A: $V, B: $W}\n",
            ),
            (".env", "V=outer\n"),
            ("sub/.env", "V=inner\nW=inner\n"),
        ];
        check(&files, &[], "b", &["A=outer", "B=inner"]);
    }

    #[test]
    fn circles_are_errors() {
        for compose in [
            "include: [compose.yaml]\n",
            "services:\n  a: {extends: b}\n  b: {extends: a}\n",
            "services:\n  a: {extends: a}\n",
        ] {
            let error = load(&[("compose.yaml", compose)], &[]).unwrap_err();
            assert_eq!(error.code, "compose-cycle", "{compose}");
            assert!(error.place.is_some());
        }
    }

    #[test]
    fn what_is_missing_is_a_warning_with_its_line() {
        assert_eq!(
            warnings(&[
                (
                    "compose.yaml",
                    "include: [gone.yml]\nservices:\n  a:\n    image: x\n    env_file: backend.env\n  b:\n    \
                     extends: {file: gone.yml, service: x}\n    environment: {A: '${A B}', B: '${B:?why}'}\n",
                ),
                ("erb/backend.env.erb", ""),
            ]),
            [
                "8: `${A B}` is not a valid variable reference; a literal dollar sign is written `$$`",
                "8: required variable B is missing a value: why",
                "5: the env_file backend.env does not exist; it is generated from erb/backend.env.erb",
                "7: `gone.yml`, which this service extends, does not exist",
                "1: the included file /p/gone.yml does not exist",
            ]
        );
    }

    #[test]
    fn a_stored_value_mends_what_was_required_and_beats_the_shell() {
        let compose = "services:\n  a:\n    image: x\n    environment: {K: '${KEY:?set it}', S: $SHELL_KEY}\n";
        let model = load(&[("compose.yaml", compose)], &[("SHELL_KEY", "old")]).unwrap();
        assert_eq!(model.refusals(model.plain()).len(), 1);
        let stored = ["KEY", "SHELL_KEY"].map(|name| (name.to_owned(), "new".to_owned()));
        let run = model.under_run(stored.into());
        assert!(model.refusals(&run).is_empty());
        assert_eq!(seen(&model.services[0], &run), ["K=new", "S=new"]);
        let differing = model.differences(&run, &["SHELL_KEY"]);
        assert_eq!(differing.len(), 1);
        assert_eq!(differing[0].plain.name, "S");
    }

    #[test]
    fn yaml_that_is_none_has_a_place() {
        let error = load(&[("compose.yaml", "services:\n  a: [\n")], &[]).unwrap_err();
        assert_eq!(error.code, "invalid-yaml");
        assert!(error.place.unwrap().line >= 2);
    }

    #[test]
    fn laughs_are_cheap() {
        let mut text = "x-0: &x0 {A: 1}\n".to_owned();
        for level in 1..200 {
            let below = level - 1;
            let line = format!("x-{level}: &x{level} {{<<: [*x{below}, *x{below}, *x{below}]}}\n");
            text.push_str(&line);
        }
        text.push_str("services:\n  a:\n    image: x\n    environment: *x199\n");
        check(&[("compose.yaml", &text)], &[], "a", &["A=1"]);
    }
}
