//! Determines the changes to a service's environment, and the files to make them in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{NAME, WantedByFile};
use crate::compose::{
    ComposeModel, EnvironmentVariable, ProjectTextFile, ServiceEnvironment, ServiceModel,
    VariableOrigin, VariableSource,
};
use crate::edit::yaml::environment::Wanted;
use crate::instrumentation::{
    ENDPOINT_VARIABLES, HEADERS_VARIABLES, PROTOCOL_VARIABLES, read_headers,
};
use crate::plan::Note;
use crate::provider::{Variable, is_same_address};

/// The variable that refers to the secret.
const HEADERS: &str = HEADERS_VARIABLES[1];
/// The variable for traces only, which takes precedence.
const TRACES_HEADERS: &str = HEADERS_VARIABLES[0];
/// The variable with the endpoint.
pub(super) const ENDPOINT: &str = ENDPOINT_VARIABLES[1];
/// The variable with the endpoint for traces only, which takes precedence and is used without a suffix.
pub(super) const TRACES_ENDPOINT: &str = ENDPOINT_VARIABLES[0];
/// The greatest difference in length between a misspelt name and the right one.
const MAX_LENGTH_DIFFERENCE: usize = 2;

/// The origin of a service's endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndpointOrigin {
    /// The plan.
    Planned,
    /// The service itself, which already sends to the same collector on another port and so keeps its protocol.
    Kept,
}

/// The changes to one service's environment.
pub(super) struct EnvironmentChanges<'s> {
    settings: &'s ServiceEnvironment,
    set: Vec<Variable>,
    unset: Vec<String>,
}

impl<'s> EnvironmentChanges<'s> {
    pub(super) fn of(
        service: &ServiceModel,
        settings: &'s ServiceEnvironment,
        planned: Vec<Variable>,
        spelling: fn(&str) -> Option<&'static str>,
        endpoint: EndpointOrigin,
    ) -> Self {
        let value = |name: &str| {
            planned.iter().find(|variable| variable.name == name).map(|variable| &variable.value)
        };
        let nonempty = |name: &str| {
            let setting = settings.get(name)?;
            (setting.value.known() != Some("")).then_some(setting)
        };
        let traces = value(ENDPOINT).map(|endpoint| format!("{endpoint}/v1/traces"));
        let mut unset = Vec::new();
        for name in [ENDPOINT, TRACES_ENDPOINT, HEADERS, TRACES_HEADERS] {
            let stays = |setting: &EnvironmentVariable| match name {
                TRACES_ENDPOINT => {
                    let pair = setting.value.known().zip(traces.as_deref());
                    setting.raw.is_some()
                        && pair.is_some_and(|(one, other)| is_same_address(one, other))
                }
                TRACES_HEADERS => setting.raw.is_some() && setting.raw.as_ref() == value(HEADERS),
                _ => false,
            };
            if value(name).is_none() && nonempty(name).is_some_and(|setting| !stays(setting)) {
                unset.push(name.to_owned());
            }
        }
        let mut set: Vec<Variable> = Vec::new();
        let [traces, general] = PROTOCOL_VARIABLES;
        // A plain endpoint is for OTLP over HTTP; gRPC would not work there.
        let speaks_grpc =
            |name: &str| nonempty(name).and_then(|variable| variable.value.known()) == Some("grpc");
        let only_http = value(general).is_some()
            || endpoint == EndpointOrigin::Planned
                && value(ENDPOINT).is_some_and(|endpoint| endpoint.starts_with("http://"));
        if only_http && speaks_grpc(traces) {
            unset.push(traces.to_owned());
        }
        if only_http && speaks_grpc(general) && value(general).is_none() {
            set.push(Variable { name: general.to_owned(), value: "http/protobuf".to_owned() });
        }
        let right = |variable: &Variable| {
            settings.get(&variable.name).is_some_and(|setting| is_right(setting, variable))
        };
        set.extend(planned.iter().filter(|variable| !right(variable)).cloned());
        // A variable set outside the service's own lines is overridden by an empty value.
        for name in &unset {
            if !is_own(service, name) {
                set.push(Variable { name: name.clone(), value: String::new() });
            }
        }
        unset.retain(|name| is_own(service, name));
        for name in list_misspelt_names(service, &planned, spelling) {
            if is_own(service, name) && !unset.contains(name) {
                unset.push(name.clone());
            }
        }
        Self { settings, set, unset }
    }

    /// Assigns each change to its file; returns notes on values that lose their effect.
    pub(super) fn spread(
        self,
        model: &ComposeModel,
        service: &ServiceModel,
        files: &mut WantedByFile,
    ) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut wanted: BTreeMap<&Path, Wanted> = BTreeMap::new();
        let empty = || Wanted { service: service.name.clone(), set: Vec::new(), unset: Vec::new() };
        for variable in self.set {
            let setting = self.settings.get(&variable.name);
            notes.extend(setting.and_then(|setting| replaced_value_note(model, service, setting)));
            if let Some(file) = file_of(model, service, setting, files.last) {
                let wanted = wanted.entry(&file.path).or_insert_with(empty);
                wanted.set.push((variable.name, variable.value));
            }
        }
        for name in self.unset {
            let entries = service.environment.iter().filter(|entry| entry.name == name);
            for entry in entries {
                let path = &model.file(&entry.name_span).path;
                let wanted = wanted.entry(path).or_insert_with(empty);
                if !wanted.unset.contains(&name) {
                    wanted.unset.push(name.clone());
                }
            }
        }
        for (path, wanted) in wanted {
            files.of(path).0.push(wanted);
        }
        notes
    }
}

/// Returns the variables of a service whose names are misspelt ones of planned variables, which are added in their place.
fn list_misspelt_names<'m>(
    service: &'m ServiceModel,
    planned: &[Variable],
    spelling: fn(&str) -> Option<&'static str>,
) -> impl Iterator<Item = &'m String> {
    let is_misspelt = move |name: &&String| {
        let is_about_as_long =
            |variable: &Variable| variable.name.len().abs_diff(name.len()) <= MAX_LENGTH_DIFFERENCE;
        planned.iter().any(is_about_as_long)
            && spelling(name)
                .is_some_and(|meant| planned.iter().any(|variable| variable.name == meant))
    };
    service.environment.iter().map(|entry| &entry.name).filter(is_misspelt)
}

/// Returns whether every declaration of a variable is in the service's own lines.
fn is_own(service: &ServiceModel, name: &str) -> bool {
    let files = service.env_files.iter().filter_map(|file| file.state.intended_statements());
    let in_file =
        files.flat_map(|(_, statements)| statements).any(|statement| statement.name == name);
    let mut entries = service.environment.iter();
    !in_file && entries.all(|entry| entry.name != name || service.defines(&entry.name_span))
}

fn is_right(setting: &EnvironmentVariable, planned: &Variable) -> bool {
    let Some(value) = setting.value.known() else {
        return setting.raw.as_ref() == Some(&planned.value);
    };
    let Some(raw) = setting.raw.as_deref() else {
        // For a name without a value, the value belongs to the project if `.env` sets it.
        let mut uses = setting.uses.iter();
        let is_own =
            uses.all(|variable_use| matches!(variable_use.won_by, VariableOrigin::DotEnv(_)));
        return is_own && planned.name == ENDPOINT && is_same_address(value, &planned.value);
    };
    if raw == planned.value {
        return true;
    }
    match planned.name.as_str() {
        HEADERS => {
            matches!(setting.source, VariableSource::EnvFile(_))
                && carries_headers(value, &planned.value)
        }
        NAME => false,
        _ => is_same_address(value, &planned.value),
    }
}

/// Returns whether `value` contains every header of `planned` with a value; an env_file may contain the value itself.
fn carries_headers(value: &str, planned: &str) -> bool {
    let have = read_headers(value);
    read_headers(planned).iter().all(|planned| {
        have.iter().any(|header| header.name == planned.name && !header.value.is_empty())
    })
}

/// Returns a note if a value from elsewhere loses its effect.
fn replaced_value_note(
    model: &ComposeModel,
    service: &ServiceModel,
    setting: &EnvironmentVariable,
) -> Option<Note> {
    let VariableSource::EnvFile(span) = &setting.source else {
        return None;
    };
    let place = model.place(span);
    let file = place.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Some(Note::warning(format!(
        "{}: the new {} replaces the one from {file}:{}",
        service.name, setting.name, place.line
    )))
}

/// Returns the file to edit: the one whose `environment` decides this variable, else the first that defines the
/// service; for the services of `last`, the last that names it.
pub(in crate::plan) fn file_of<'a>(
    model: &'a ComposeModel,
    service: &ServiceModel,
    setting: Option<&EnvironmentVariable>,
    last: &BTreeSet<String>,
) -> Option<&'a ProjectTextFile> {
    if last.contains(&service.name) {
        return service.defined_in.last().map(|span| model.file(span));
    }
    match setting.map(|setting| &setting.source) {
        Some(VariableSource::Environment(span)) if service.defines(span) => Some(model.file(span)),
        _ => service.defined_in.first().map(|span| model.file(span)),
    }
}
