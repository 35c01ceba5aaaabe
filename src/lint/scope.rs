//! The variables that a program sees, each with the position where it is set.

use std::borrow::Cow;
use std::ops::Range;

use super::inspection::{Inspection, is_xray_daemon};
use crate::compose::{
    ComposeModel, DeclaredVariable, DotenvStatement, EnvFileState, ProjectTextFile,
    ProjectVariables, ScopeId, ServiceModel, VariableValue,
};
use crate::edit::yaml::gitpod::GitpodVariable;

/// An assignment of a variable in a file.
#[derive(Debug, Clone)]
pub struct VariableAssignment<'a> {
    /// The file.
    pub file: &'a ProjectTextFile,
    /// The variable's name.
    pub name: &'a str,
    /// Byte range of the name.
    pub name_range: Range<usize>,
    /// The unquoted value before variables are replaced; `None` for a name without a value.
    pub value: Option<&'a str>,
    /// Byte range of the value without quotes, if the file contains it verbatim.
    pub value_range: Option<Range<usize>>,
    /// The byte the value begins at, or the name if there is no value.
    pub value_at: usize,
    origin: AssignmentOrigin<'a>,
}

/// The variables that an assignment is resolved with.
#[derive(Debug, Clone, Copy)]
enum AssignmentOrigin<'a> {
    /// An entry of a service.
    Entry(&'a DeclaredVariable, &'a ProjectVariables),
    /// A line in a file of variables.
    Statement(&'a ProjectVariables),
    /// A file that docker compose does not read.
    Elsewhere,
}

/// The variables that one program sees; if a name repeats, the later one counts.
#[derive(Debug, Clone)]
pub struct ProgramVariables<'a> {
    /// For a service: those of its `env_file`, then those of its `environment`.
    pub assignments: Vec<VariableAssignment<'a>>,
    /// The build arguments of its image.
    pub build_args: Vec<VariableAssignment<'a>>,
    /// The service that sees them, if any.
    pub service: Option<&'a ServiceModel>,
}

impl<'a> VariableAssignment<'a> {
    fn of_entry(model: &'a ComposeModel, entry: &'a DeclaredVariable) -> Self {
        Self {
            file: model.file(&entry.name_span),
            name: &entry.name,
            name_range: entry.name_span.range.clone(),
            value: entry.raw(),
            value_range: entry.verbatim.clone(),
            value_at: entry.value_span.range.start,
            origin: AssignmentOrigin::Entry(entry, model.plain()),
        }
    }

    fn of_statement(
        file: &'a ProjectTextFile,
        statement: &'a DotenvStatement,
        variables: Option<&'a ProjectVariables>,
    ) -> Self {
        let verbatim = statement.verbatim(&file.text);
        Self {
            file,
            name: &statement.name,
            name_range: statement.range.clone(),
            value: statement.raw(),
            value_at: verbatim.as_ref().unwrap_or(&statement.value_range).start,
            value_range: verbatim,
            origin: match variables {
                Some(variables) => AssignmentOrigin::Statement(variables),
                None => AssignmentOrigin::Elsewhere,
            },
        }
    }

    fn of_workspace(file: &'a ProjectTextFile, variable: &'a GitpodVariable) -> Self {
        Self {
            file,
            name: &variable.name,
            name_range: variable.name_range.clone(),
            value: variable.value.as_deref(),
            value_range: variable.verbatim.clone(),
            value_at: variable.value_at,
            origin: AssignmentOrigin::Elsewhere,
        }
    }

    /// Returns the value before variables are replaced; empty for a name without a value.
    pub fn text(&self) -> &'a str {
        self.value.unwrap_or_default()
    }

    /// Returns the value as the program sees it if plain docker compose has every variable in it; otherwise as written.
    pub fn resolved(&self) -> Cow<'a, str> {
        let written = Cow::Borrowed(self.text());
        match self.origin {
            AssignmentOrigin::Entry(entry, variables) if self.needs_variables() => {
                let setting = entry.setting(variables);
                let is_set = setting.uses.iter().all(|variable_use| variable_use.is_set());
                match setting.value {
                    VariableValue::Known(value) if is_set => Cow::Owned(value.expose().to_owned()),
                    _ => written,
                }
            }
            AssignmentOrigin::Statement(variables) if self.needs_variables() => {
                let result = variables.interpolate(ScopeId::PROJECT, self.text());
                match result {
                    Ok(result) if result.is_whole() => Cow::Owned(result.text),
                    _ => written,
                }
            }
            _ => written,
        }
    }

    /// Returns whether it is a name without a value, and plain docker compose has none for it either: the container does
    /// not get the variable.
    pub fn is_absent(&self) -> bool {
        self.value.is_none()
            && match self.origin {
                AssignmentOrigin::Entry(entry, variables) => {
                    entry.setting(variables).value == VariableValue::Absent
                }
                AssignmentOrigin::Statement(_) => true,
                AssignmentOrigin::Elsewhere => false,
            }
    }

    fn needs_variables(&self) -> bool {
        self.value.is_none_or(|value| value.contains('$'))
    }
}

impl<'a> ProgramVariables<'a> {
    fn of_service(model: &'a ComposeModel, service: &'a ServiceModel) -> Self {
        let mut assignments = Vec::new();
        for file in &service.env_files {
            if let EnvFileState::Read(id, statements) = &file.state {
                let file = model.file_of(*id);
                let variables = Some(model.plain());
                let lines = statements.iter();
                assignments.extend(
                    lines.map(|statement| {
                        VariableAssignment::of_statement(file, statement, variables)
                    }),
                );
            }
        }
        let entries = service.environment.iter();
        assignments.extend(entries.map(|entry| VariableAssignment::of_entry(model, entry)));
        Self { assignments, build_args: build_args(model, service), service: Some(service) }
    }

    fn without_service(assignments: Vec<VariableAssignment<'a>>) -> Self {
        Self { assignments, build_args: Vec::new(), service: None }
    }

    /// Returns the effective assignment of this name.
    pub fn setting(&self, name: &str) -> Option<&VariableAssignment<'a>> {
        self.assignments.iter().rev().find(|assignment| assignment.name == name)
    }
}

fn build_args<'a>(
    model: &'a ComposeModel,
    service: &'a ServiceModel,
) -> Vec<VariableAssignment<'a>> {
    let args = service.build.iter().flat_map(|build| &build.args);
    args.map(|entry| VariableAssignment::of_entry(model, entry)).collect()
}

impl Inspection {
    /// Iterates over the variables of each service of the compose project.
    pub fn service_scopes(
        &self,
    ) -> impl Iterator<Item = (&ComposeModel, &ServiceModel, ProgramVariables<'_>)> {
        self.model.iter().flat_map(|model| {
            let services = model.services.iter();
            services
                .map(move |service| (model, service, ProgramVariables::of_service(model, service)))
        })
    }

    /// Iterates over the variables of each X-Ray daemon of the compose project.
    pub fn daemon_scopes(
        &self,
    ) -> impl Iterator<Item = (&ComposeModel, &ServiceModel, ProgramVariables<'_>)> {
        self.service_scopes().filter(|(_, service, _)| is_xray_daemon(service))
    }

    /// Iterates over the variables of each service, including those of other compose files in the folder.
    pub fn every_service_scope(&self) -> impl Iterator<Item = ProgramVariables<'_>> {
        self.model.iter().chain(&self.other_projects).flat_map(|model| {
            model.services.iter().map(|service| ProgramVariables::of_service(model, service))
        })
    }

    /// Returns every set of variables for a program: services, `.env` files, `.gitpod.yml`.
    pub fn scopes(&self) -> Vec<ProgramVariables<'_>> {
        let variables = self.model.as_ref().map(ComposeModel::plain);
        let services = self.service_scopes().map(|(_, _, scope)| scope);
        let dotenvs = self.dotenvs.iter().map(|dotenv| {
            let lines = dotenv.statements.iter();
            let read =
                |statement| VariableAssignment::of_statement(&dotenv.file, statement, variables);
            ProgramVariables::without_service(lines.map(read).collect())
        });
        let gitpod = self.gitpod.iter().flat_map(|gitpod| {
            gitpod.contents.environments.iter().map(|environment| {
                let read = |variable| VariableAssignment::of_workspace(&gitpod.file, variable);
                ProgramVariables::without_service(environment.iter().map(read).collect())
            })
        });
        services.chain(dotenvs).chain(gitpod).collect()
    }
}
