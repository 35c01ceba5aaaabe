//! What `${NAME}` stands for: the store, the shell and the `.env` files, in the order in which they win.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::limits;

use super::dotenv::{self, Statement};
use super::interpolate::{Interpolated, InterpolationError, Outcome, interpolate};
use super::source::{FileId, Span};
use crate::secret::Secret;

/// The variables a project is resolved with. An included file may have a `.env` of its own, hence scopes.
#[derive(Clone)]
pub struct Variables {
    shell: Arc<BTreeMap<String, String>>,
    stored: BTreeMap<String, Secret>,
    own: BTreeMap<&'static str, String>,
    scopes: Vec<Scope>,
    /// Bytes that the values of `.env` files may still take.
    room: usize,
}

/// Which `.env` files a text sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopeId(pub(super) usize);

/// The `.env` files of one scope, and the scope whose variables win over them.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeFiles {
    pub(super) parent: Option<ScopeId>,
    pub(super) files: Vec<(FileId, Arc<[Statement]>)>,
}

#[derive(Clone)]
struct Scope {
    parent: Option<ScopeId>,
    values: HashMap<String, (String, Span)>,
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The shell.
    Shell,
    /// A `.env` file, and where in it.
    DotEnv(Span),
    /// A store, as `run` hands it to the child.
    Store,
    /// Docker compose itself: the project's name.
    Compose,
    /// Unset or empty: the template's own default stands in.
    Default,
    /// Nowhere: it stands for nothing.
    Unset,
}

/// A variable a value refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableUse {
    /// Its name.
    pub name: String,
    /// What won.
    pub won_by: Origin,
}

impl VariableUse {
    /// Whether something has the variable, or the template has a default for it.
    pub fn is_set(&self) -> bool {
        self.won_by != Origin::Unset
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables").field("stored", &self.stored.keys()).finish_non_exhaustive()
    }
}

impl Variables {
    /// The shell over `.env`, and `stored` over both; nothing stored is plain docker compose.
    pub(super) fn new(
        shell: Arc<BTreeMap<String, String>>,
        stored: BTreeMap<String, Secret>,
        own: BTreeMap<&'static str, String>,
        scopes: &[ScopeFiles],
    ) -> Self {
        let room = limits::VALUES_BYTES;
        let mut variables =
            Self { shell, stored, own, scopes: Vec::with_capacity(scopes.len()), room };
        for scope in scopes {
            variables.add(scope);
        }
        variables
    }

    /// Says what docker compose itself sets where nobody else does.
    pub(super) fn set_own(&mut self, name: &'static str, value: String) {
        self.own.insert(name, value);
    }

    pub(super) fn own(&self) -> &BTreeMap<&'static str, String> {
        &self.own
    }

    /// Adds a scope; returns the values of it that have none, and why.
    pub(super) fn add(&mut self, files: &ScopeFiles) -> Vec<(Span, InterpolationError)> {
        let mut values: HashMap<String, (String, Span)> = HashMap::new();
        let mut faults = Vec::new();
        let mut room = self.room;
        for (file, statements) in &files.files {
            let outside = |name: &str| {
                self.find_above(files.parent, name)
                    .map(|(value, _)| value.to_owned())
                    .or_else(|| values.get(name).map(|(value, _)| value.clone()))
            };
            for one in dotenv::resolve(statements, &outside, HashMap::new(), &mut room) {
                let span = Span { file: *file, range: one.statement.range.clone() };
                match one.value {
                    Ok(value) => {
                        drop(values.insert(one.statement.name.clone(), (value.text, span)))
                    }
                    Err(error) => faults.push((span, error)),
                }
            }
        }
        self.room = room;
        self.scopes.push(Scope { parent: files.parent, values });
        faults
    }

    fn find_above(&self, scope: Option<ScopeId>, name: &str) -> Option<(&str, Origin)> {
        if let Some(value) = self.stored.get(name) {
            return Some((value.expose(), Origin::Store));
        }
        if let Some(value) = self.shell.get(name) {
            return Some((value, Origin::Shell));
        }
        let own = || Some((self.own.get(name)?.as_str(), Origin::Compose));
        self.find_written(scope, name).or_else(own)
    }

    /// A variable of the `.env` files; those of the outermost scope win.
    fn find_written(&self, scope: Option<ScopeId>, name: &str) -> Option<(&str, Origin)> {
        let mut found = None;
        let mut next = scope;
        while let Some(id) = next {
            let scope = &self.scopes[id.0];
            found = scope.values.get(name).or(found);
            next = scope.parent;
        }
        let (value, span) = found?;
        Some((value, Origin::DotEnv(span.clone())))
    }

    /// A variable and where its value comes from, as a text of `scope` sees it.
    pub fn find(&self, scope: ScopeId, name: &str) -> Option<(&str, Origin)> {
        self.find_above(Some(scope), name)
    }

    /// Every variable of the shell, the stores and all `.env` files, each with each of its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let scopes = self.scopes.iter().flat_map(|scope| &scope.values);
        let written = scopes.map(|(name, (value, _))| (name.as_str(), value.as_str()));
        let shell = self.shell.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let stored = self.stored.iter().map(|(name, value)| (name.as_str(), value.expose()));
        stored.chain(shell).chain(written)
    }

    /// A variable as the project's own files see it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(ScopeId::PROJECT, name).map(|(value, _)| value)
    }

    /// Replaces the variables of a template of `scope`.
    ///
    /// # Errors
    /// What docker compose would refuse to load.
    pub fn interpolate(
        &self,
        scope: ScopeId,
        template: &str,
    ) -> Result<Interpolated, InterpolationError> {
        interpolate(template, &|name| self.find(scope, name).map(|(value, _)| value.to_owned()))
    }

    /// Says for each variable of an interpolation what won.
    pub(super) fn uses(&self, scope: ScopeId, interpolated: &Interpolated) -> Vec<VariableUse> {
        interpolated
            .uses
            .iter()
            .map(|one| VariableUse {
                name: one.name.clone(),
                won_by: match one.outcome {
                    Outcome::Default => Origin::Default,
                    Outcome::Unset => Origin::Unset,
                    Outcome::Taken => self.origin(scope, &one.name),
                },
            })
            .collect()
    }

    pub(super) fn origin(&self, scope: ScopeId, name: &str) -> Origin {
        self.find(scope, name).map_or(Origin::Unset, |(_, origin)| origin)
    }
}

impl ScopeId {
    /// What the project's own files see.
    pub const PROJECT: Self = Self(1);
    /// What the `.env` of the folder the user stands in sees; it wins over the project's own.
    pub(super) const HERE: Self = Self(0);
}
