//! Resolves `${NAME}` from the store, the shell and the `.env` files, in order of precedence.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::limits;

use super::dotenv::{self, DotenvStatement};
use super::interpolate::{
    InterpolatedText, InterpolationError, ReferenceOutcome, interpolate_template,
};
use super::source::{FileId, FileSpan};
use crate::secret::Secret;

/// The variables that a project is resolved with. An included file may have its own `.env`, therefore there are scopes.
#[derive(Clone)]
pub struct ProjectVariables {
    shell: Arc<BTreeMap<String, String>>,
    stored: BTreeMap<String, Secret>,
    fixed: BTreeMap<&'static str, String>,
    scopes: Vec<VariableScope>,
    /// Remaining size in bytes for the values of `.env` files.
    room: usize,
}

/// The scope of a text: the `.env` files that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScopeId(pub(super) usize);

/// The `.env` files of a scope, and the parent scope, which takes precedence.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeFiles {
    pub(super) parent: Option<ScopeId>,
    pub(super) files: Vec<(FileId, Arc<[DotenvStatement]>)>,
}

#[derive(Clone)]
struct VariableScope {
    parent: Option<ScopeId>,
    values: HashMap<String, (String, FileSpan)>,
}

/// The source of a variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableOrigin {
    /// The shell.
    Shell,
    /// A `.env` file, with the position in it.
    DotEnv(FileSpan),
    /// A store, as `run` passes it to the child.
    Store,
    /// Docker compose itself: the project's name.
    Compose,
    /// The template's default, because the variable is unset or empty.
    Default,
    /// None: it is replaced by nothing.
    Unset,
}

/// A variable that a value refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableUse {
    /// Its name.
    pub name: String,
    /// The source that supplied the value.
    pub won_by: VariableOrigin,
}

impl VariableUse {
    /// Returns whether a source sets the variable, or the template has a default for it.
    pub fn is_set(&self) -> bool {
        self.won_by != VariableOrigin::Unset
    }
}

impl std::fmt::Debug for ProjectVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables").field("stored", &self.stored.keys()).finish_non_exhaustive()
    }
}

impl ProjectVariables {
    /// Creates variables in which the shell overrides `.env`, and `stored` overrides both; without stored values, as
    /// plain docker compose.
    pub(super) fn new(
        shell: Arc<BTreeMap<String, String>>,
        stored: BTreeMap<String, Secret>,
        fixed: BTreeMap<&'static str, String>,
        scopes: &[ScopeFiles],
    ) -> Self {
        let room = limits::VALUES_BYTES;
        let mut variables =
            Self { shell, stored, fixed, scopes: Vec::with_capacity(scopes.len()), room };
        for scope in scopes {
            variables.add(scope);
        }
        variables
    }

    /// Sets a variable that docker compose itself sets unless another source does.
    pub(super) fn set_own(&mut self, name: &'static str, value: String) {
        self.fixed.insert(name, value);
    }

    pub(super) fn fixed(&self) -> &BTreeMap<&'static str, String> {
        &self.fixed
    }

    /// Adds a scope; returns the values in it without a result, each with the reason.
    pub(super) fn add(&mut self, files: &ScopeFiles) -> Vec<(FileSpan, InterpolationError)> {
        let mut values: HashMap<String, (String, FileSpan)> = HashMap::new();
        let mut faults = Vec::new();
        let mut room = self.room;
        for (file, statements) in &files.files {
            let outside = |name: &str| {
                self.find_above(files.parent, name)
                    .map(|(value, _)| value.to_owned())
                    .or_else(|| values.get(name).map(|(value, _)| value.clone()))
            };
            for resolved in dotenv::resolve(statements, &outside, HashMap::new(), &mut room) {
                let span = FileSpan { file: *file, range: resolved.statement.range.clone() };
                match resolved.value {
                    Ok(value) => {
                        drop(values.insert(resolved.statement.name.clone(), (value.text, span)))
                    }
                    Err(error) => faults.push((span, error)),
                }
            }
        }
        self.room = room;
        self.scopes.push(VariableScope { parent: files.parent, values });
        faults
    }

    fn find_above(&self, scope: Option<ScopeId>, name: &str) -> Option<(&str, VariableOrigin)> {
        if let Some(value) = self.stored.get(name) {
            return Some((value.expose(), VariableOrigin::Store));
        }
        if let Some(value) = self.shell.get(name) {
            return Some((value, VariableOrigin::Shell));
        }
        let find_fixed = || Some((self.fixed.get(name)?.as_str(), VariableOrigin::Compose));
        self.find_written(scope, name).or_else(find_fixed)
    }

    /// Returns a variable of the `.env` files; the outermost scope takes precedence.
    fn find_written(&self, scope: Option<ScopeId>, name: &str) -> Option<(&str, VariableOrigin)> {
        let mut found = None;
        let mut next = scope;
        while let Some(id) = next {
            let scope = &self.scopes[id.0];
            found = scope.values.get(name).or(found);
            next = scope.parent;
        }
        let (value, span) = found?;
        Some((value, VariableOrigin::DotEnv(span.clone())))
    }

    /// Returns a variable and its source, as seen in `scope`.
    pub fn find(&self, scope: ScopeId, name: &str) -> Option<(&str, VariableOrigin)> {
        self.find_above(Some(scope), name)
    }

    /// Iterates over every variable of the shell, the stores and all `.env` files, with each of its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let scopes = self.scopes.iter().flat_map(|scope| &scope.values);
        let written = scopes.map(|(name, (value, _))| (name.as_str(), value.as_str()));
        let shell = self.shell.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let stored = self.stored.iter().map(|(name, value)| (name.as_str(), value.expose()));
        stored.chain(shell).chain(written)
    }

    /// Returns a variable as the project's own files see it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(ScopeId::PROJECT, name).map(|(value, _)| value)
    }

    /// Replaces the variables of a template in `scope`.
    ///
    /// # Errors
    /// Anything that docker compose would reject.
    pub fn interpolate(
        &self,
        scope: ScopeId,
        template: &str,
    ) -> Result<InterpolatedText, InterpolationError> {
        interpolate_template(template, &|name| {
            self.find(scope, name).map(|(value, _)| value.to_owned())
        })
    }

    /// Returns the source of each variable in an interpolation.
    pub(super) fn uses(&self, scope: ScopeId, interpolated: &InterpolatedText) -> Vec<VariableUse> {
        interpolated
            .uses
            .iter()
            .map(|reference| VariableUse {
                name: reference.name.clone(),
                won_by: match reference.outcome {
                    ReferenceOutcome::Default => VariableOrigin::Default,
                    ReferenceOutcome::Unset => VariableOrigin::Unset,
                    ReferenceOutcome::Taken => self.origin(scope, &reference.name),
                },
            })
            .collect()
    }

    pub(super) fn origin(&self, scope: ScopeId, name: &str) -> VariableOrigin {
        self.find(scope, name).map_or(VariableOrigin::Unset, |(_, origin)| origin)
    }
}

impl ScopeId {
    /// The scope of the project's own files.
    pub const PROJECT: Self = Self(1);
    /// The scope of the `.env` in the user's current folder, which overrides the project's own.
    pub(super) const HERE: Self = Self(0);
}
