//! Computes the environment of a service's container, and the source of each value.

use std::collections::HashMap;

use crate::limits;

use super::dotenv::{self, DotenvStatement};
use super::interpolate::{InterpolatedText, InterpolationError};
use super::service::{DeclaredValue, DeclaredVariable, EnvFileState, ServiceModel, VariableForm};
use super::source::{FileId, FileSpan};
use super::variables::{ProjectVariables, ScopeId, VariableOrigin, VariableUse};
use crate::secret::Secret;

/// An environment variable of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// The value in the container.
    pub value: VariableValue,
    /// The declaration it comes from.
    pub source: VariableSource,
    /// The value as declared, before variables are replaced; `None` for a name without a value.
    pub raw: Option<String>,
    /// The variables it refers to.
    pub uses: Vec<VariableUse>,
}

/// A service's environment: its variables, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceEnvironment(Vec<EnvironmentVariable>);

impl ServiceEnvironment {
    /// Collects variables; if a name repeats, the later one counts.
    fn of(mut settings: Vec<EnvironmentVariable>) -> Self {
        settings.reverse();
        settings.sort_by(|variable, other| variable.name.cmp(&other.name));
        settings.dedup_by(|later, earlier| later.name == earlier.name);
        Self(settings)
    }

    /// Returns the variable with this name.
    pub fn get(&self, name: &str) -> Option<&EnvironmentVariable> {
        let at = self.0.binary_search_by(|variable| variable.name.as_str().cmp(name));
        at.ok().map(|at| &self.0[at])
    }

    /// Iterates over all variables, sorted by name.
    pub fn iter(&self) -> std::slice::Iter<'_, EnvironmentVariable> {
        self.0.iter()
    }
}

impl IntoIterator for ServiceEnvironment {
    type Item = EnvironmentVariable;
    type IntoIter = std::vec::IntoIter<EnvironmentVariable>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The value of a variable in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// The value, which may be a secret.
    Known(Secret),
    /// Declared without a value, and not set anywhere else, so the container does not have it.
    Absent,
    /// Cannot be determined; the reason.
    Unknown(String),
}

/// The place where a variable is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// `environment`.
    Environment(FileSpan),
    /// An `env_file`.
    EnvFile(FileSpan),
}

impl VariableValue {
    /// Returns the value, if it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(value) => Some(value.expose()),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}

impl VariableSource {
    /// Returns the position of the declaration.
    pub fn span(&self) -> &FileSpan {
        match self {
            Self::Environment(span) | Self::EnvFile(span) => span,
        }
    }
}

/// Returns the effective statements of an `env_file`.
type FileStatements = fn(&EnvFileState) -> Option<(FileId, &[DotenvStatement])>;

impl ServiceModel {
    /// Returns the environment as docker compose would pass it to the container, from `env_file` and `environment`.
    ///
    /// Variables set by the image are not included.
    pub fn effective(&self, variables: &ProjectVariables) -> ServiceEnvironment {
        self.settings(variables, EnvFileState::statements)
    }

    /// Returns the environment as it would be if each missing `env_file` were created from its template.
    pub fn intended(&self, variables: &ProjectVariables) -> ServiceEnvironment {
        self.settings(variables, EnvFileState::intended_statements)
    }

    fn settings(
        &self,
        variables: &ProjectVariables,
        statements: FileStatements,
    ) -> ServiceEnvironment {
        let declared = ServiceEnvironment::of(
            self.environment.iter().map(|entry| entry.setting(variables)).collect(),
        );
        if self.env_files.is_empty() {
            return declared;
        }
        let (mut settings, _) = self.file_settings(variables, &declared, statements);
        settings.extend(declared);
        ServiceEnvironment::of(settings)
    }

    /// Returns the size of all values of the environment in bytes.
    ///
    /// # Errors
    /// The first value of an `env_file` that exceeds a limit.
    pub(super) fn measure(
        &self,
        variables: &ProjectVariables,
    ) -> Result<usize, (FileSpan, InterpolationError)> {
        let declared = self.environment.iter();
        if self.env_files.is_empty() {
            return Ok(declared.map(|entry| entry.measure(variables)).sum());
        }
        let declared =
            ServiceEnvironment::of(declared.map(|entry| entry.setting(variables)).collect());
        let (settings, too_large) =
            self.file_settings(variables, &declared, EnvFileState::statements);
        match too_large {
            Some(too_large) => Err(too_large),
            None => {
                let known = settings.iter().chain(declared.iter());
                Ok(known.filter_map(|variable| variable.value.known()).map(str::len).sum())
            }
        }
    }

    /// Returns the variables from `env_file`s, up to the first value that exceeds a limit.
    fn file_settings(
        &self,
        variables: &ProjectVariables,
        declared: &ServiceEnvironment,
        statements: FileStatements,
    ) -> (Vec<EnvironmentVariable>, Option<(FileSpan, InterpolationError)>) {
        let mut known: HashMap<String, String> = declared
            .iter()
            .filter_map(|variable| {
                Some((variable.name.clone(), variable.value.known()?.to_owned()))
            })
            .collect();
        let mut settings = Vec::new();
        let mut room = limits::VALUES_BYTES;
        for file in &self.env_files {
            let Some((id, statements)) = statements(&file.state) else {
                continue;
            };
            let outside = |name: &str| {
                let declared = || declared.get(name)?.value.known();
                variables.get(name).or_else(declared).map(str::to_owned)
            };
            for resolved in dotenv::resolve(statements, &outside, known.clone(), &mut room) {
                let span = FileSpan { file: id, range: resolved.statement.range.clone() };
                if let Err(error) = &resolved.value
                    && error.is_too_large()
                {
                    return (settings, Some((span, error.clone())));
                }
                let name = resolved.statement.name.clone();
                let uses = match &resolved.value {
                    Ok(value) => variables.uses(ScopeId::PROJECT, value),
                    Err(_) => Vec::new(),
                };
                let value = convert_value(resolved.value);
                if let VariableValue::Known(value) = &value {
                    known.insert(name.clone(), value.expose().to_owned());
                }
                settings.push(EnvironmentVariable {
                    name,
                    value,
                    source: VariableSource::EnvFile(span),
                    raw: resolved.statement.raw().map(str::to_owned),
                    uses,
                });
            }
        }
        (settings, None)
    }
}

impl DeclaredVariable {
    /// Returns the size of its value in bytes.
    fn measure(&self, variables: &ProjectVariables) -> usize {
        match &self.value {
            DeclaredValue::Template(text)
                if text.len() <= limits::VALUE_BYTES && !text.contains('$') =>
            {
                text.len()
            }
            _ => self.setting(variables).value.known().map_or(0, str::len),
        }
    }

    /// Resolves this declaration alone.
    pub fn setting(&self, variables: &ProjectVariables) -> EnvironmentVariable {
        let (name, value, uses) = match &self.value {
            DeclaredValue::Passed | DeclaredValue::Removed => return self.passed(variables),
            DeclaredValue::Template(template) => {
                let result = variables.interpolate(self.scope, template);
                let uses = result
                    .as_ref()
                    .map(|interpolated| variables.uses(self.scope, interpolated))
                    .unwrap_or_default();
                (self.name.clone(), convert_value(result), uses)
            }
            DeclaredValue::Item(item) => match variables.interpolate(self.scope, item) {
                Err(error) => (self.name.clone(), convert_value(Err(error)), Vec::new()),
                Ok(whole) => {
                    let uses = variables.uses(self.scope, &whole);
                    let (name, text) = whole.text.split_once('=').unwrap_or((&whole.text, ""));
                    (name.to_owned(), VariableValue::Known(Secret::new(text)), uses)
                }
            },
        };
        EnvironmentVariable {
            name,
            value,
            source: VariableSource::Environment(self.name_span.clone()),
            raw: self.raw().map(str::to_owned),
            uses,
        }
    }

    fn passed(&self, variables: &ProjectVariables) -> EnvironmentVariable {
        let scope = match self.form {
            VariableForm::Mapping => ScopeId::PROJECT,
            VariableForm::List => self.scope,
        };
        let found = variables.find(scope, &self.name);
        let (value, won_by) = match found {
            Some((value, origin)) => (VariableValue::Known(Secret::new(value)), origin),
            None => (VariableValue::Absent, VariableOrigin::Unset),
        };
        EnvironmentVariable {
            name: self.name.clone(),
            value,
            source: VariableSource::Environment(self.name_span.clone()),
            raw: None,
            uses: vec![VariableUse { name: self.name.clone(), won_by }],
        }
    }
}

fn convert_value(result: Result<InterpolatedText, InterpolationError>) -> VariableValue {
    match result {
        Ok(interpolated) => VariableValue::Known(Secret::new(interpolated.text)),
        Err(error) => VariableValue::Unknown(error.to_string()),
    }
}
