//! The model of a compose project: its files, its services, and what docker compose would say of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use foldhash::HashMap;

use crate::error::{Error, ErrorCode, Place};
use crate::secret::Secret;

use super::dotenv::Statement;
use super::effective::Setting;
use super::interpolate::InterpolationError;
use super::reachability::Network;
use super::service::Service;
use super::source::{File, FileId, Holds, Span, Warning, Weight};
use super::variables::{ScopeFiles, ScopeId, Variables};

/// A compose project as its files describe it.
#[derive(Debug, Clone)]
pub struct Model {
    /// Every file that took part, the first compose file first.
    pub files: Vec<File>,
    /// In order of appearance.
    pub services: Vec<Service>,
    /// What docker compose would say, as plain docker compose sees the variables.
    pub warnings: Vec<Warning>,
    /// Where docker compose is told to fetch or run something besides the project's files and its engine: a part of the
    /// project or of a build that is elsewhere, a service that a program provides.
    pub reaches: Vec<Span>,
    pub(super) index: HashMap<String, usize>,
    pub(super) shell: Arc<BTreeMap<String, String>>,
    pub(super) scopes: Vec<ScopeFiles>,
    pub(super) plain: Variables,
    pub(super) failing: Vec<Failing>,
    /// `networks`, by key.
    pub(super) networks: HashMap<String, Network>,
    /// The numbers of the services that have a name on the network, by that name in lower case; made when it is first asked for.
    pub(super) host_names: OnceLock<HashMap<String, Vec<usize>>>,
}

/// A template without a result, and the warning that says so.
#[derive(Debug, Clone)]
pub(super) struct Failing {
    pub(super) warning: usize,
    pub(super) scope: ScopeId,
    pub(super) template: String,
}

/// A setting that plain docker compose and `run` resolve differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The service.
    pub service: String,
    /// As plain docker compose sees it.
    pub plain: Setting,
    /// As a child of `run` sees it.
    pub under_run: Setting,
}

impl Model {
    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        Some(&self.services[*self.index.get(name)?])
    }

    /// The variables as plain docker compose sees them: the shell beats `.env`.
    pub fn plain(&self) -> &Variables {
        &self.plain
    }

    /// The names that the project's `.env` files assign, those of included projects among them.
    pub fn assigned_names(&self) -> Vec<String> {
        let statements = self.dotenv_files().flat_map(|(_, statements)| statements);
        statements.map(|statement| statement.name.clone()).collect()
    }

    /// The project's `.env` files that docker compose can read, each with what it sets; those of included projects among
    /// them.
    pub fn dotenv_files(&self) -> impl Iterator<Item = (&File, &[Statement])> {
        let files = self.scopes.iter().flat_map(|scope| &scope.files);
        files.map(|(id, statements)| (&self.files[id.0], &**statements))
    }

    /// The variables as a child of `run` sees them: what is stored beats the shell.
    pub fn under_run(&self, stored: BTreeMap<String, Secret>) -> Variables {
        let own = self.plain.own().clone();
        Variables::new(Arc::clone(&self.shell), stored, own, &self.scopes)
    }

    /// The compose files, included and extended ones among them.
    pub fn compose_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| matches!(file.holds, Holds::Compose | Holds::Foreign))
    }

    /// A file by its number.
    pub fn file_of(&self, id: FileId) -> &File {
        &self.files[id.0]
    }

    /// The file a span lies in.
    pub fn file(&self, span: &Span) -> &File {
        &self.files[span.file.0]
    }

    /// Line and column of a span's beginning.
    pub fn place(&self, span: &Span) -> Place {
        self.file(span).place(span.range.start)
    }

    /// The text of a span, as written.
    pub fn text(&self, span: &Span) -> &str {
        self.file(span).text.get(span.range.clone()).unwrap_or_default()
    }

    /// What keeps docker compose from loading the project with these variables; empty if nothing does.
    pub fn refusals(&self, variables: &Variables) -> Vec<Error> {
        let is_mended = |one: &Failing| variables.interpolate(one.scope, &one.template).is_ok();
        let refused = self.refused_unless(is_mended);
        refused
            .map(|warning| {
                Error::new(ErrorCode::ComposeRefused, warning.text.clone())
                    .at(warning.place.clone())
            })
            .collect()
    }

    /// What docker compose refuses, but for templates without a result that `is_excused` lets pass.
    fn refused_unless(
        &self,
        is_excused: impl Fn(&Failing) -> bool,
    ) -> impl Iterator<Item = &Warning> {
        let excused = move |index: usize| {
            self.failing.iter().find(|one| one.warning == index).is_some_and(&is_excused)
        };
        let warnings = self.warnings.iter().enumerate();
        warnings
            .filter(move |(index, one)| one.weight == Weight::Refused && !excused(*index))
            .map(|(_, warning)| warning)
    }

    /// What keeps docker compose from loading the project whatever the shell and the stores hold: [`Model::refusals`] but
    /// for variables that are required and missing.
    pub fn lasting_refusals(&self) -> impl Iterator<Item = &Warning> {
        self.refused_unless(|one| {
            let found = self.plain.interpolate(one.scope, &one.template);
            matches!(found, Err(InterpolationError::Required { .. }))
        })
    }

    /// Settings that refer to one of `names` and come out differently under `run`.
    pub fn differences(&self, under_run: &Variables, names: &[&str]) -> Vec<Difference> {
        let concerns = |setting: &Setting| {
            let mut uses = setting.uses.iter();
            uses.any(|one| names.contains(&one.name.as_str()))
        };
        let mut out = Vec::new();
        for service in &self.services {
            let other = service.effective(under_run);
            for plain in service.effective(&self.plain) {
                let Some(under_run) = other.get(&plain.name) else {
                    continue;
                };
                if plain.value != under_run.value && (concerns(&plain) || concerns(under_run)) {
                    out.push(Difference {
                        service: service.name.clone(),
                        plain,
                        under_run: under_run.clone(),
                    });
                }
            }
        }
        out
    }
}
