//! Telemetry: which variables each traced service still lacks, and the compose files that get them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::{Note, Plan, Writing};
use crate::compose::{File, Model, Service, Setting, Source, Span, Value, Variables};
use crate::edit::yaml::environment::{self, Wanted};
use crate::error::{Error, Result};
use crate::provider::{Destination, Traced, Variable, environments};

/// The variable that names a service.
const NAME: &str = "OTEL_SERVICE_NAME";
/// The variable that carries the secret's reference.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// A service to trace, and the name the user insists on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The compose service.
    pub service: String,
    /// `--service NAME=OTEL_NAME`
    pub name: Option<String>,
}

/// The plan that makes every selected service send to `destination` under a name of its own.
///
/// # Errors
/// `unsafe-edit` when a compose file cannot be edited without changing what else it says; `name-taken` when two services
/// would share a name.
pub fn plan(
    model: &Model,
    selected: &[Selected],
    destination: &Destination,
    variables: &Variables,
) -> Result<Plan> {
    let effective: Effective = model
        .services
        .iter()
        .map(|service| (service.name.as_str(), service.effective(variables)))
        .collect();
    let traced = names(model, selected, &effective)?;
    let mut plan = Plan::default();
    let mut wanted: BTreeMap<&Path, Vec<Wanted>> = BTreeMap::new();
    for (traced, variables) in traced.iter().zip(environments(destination, &traced)?) {
        let Some(service) = model.service(&traced.name) else {
            continue;
        };
        let settings = &effective[service.name.as_str()];
        let mut by_file: BTreeMap<&Path, Vec<(String, String)>> = BTreeMap::new();
        for variable in variables {
            let setting = settings.get(&variable.name);
            if setting.is_some_and(|setting| is_right(setting, &variable)) {
                continue;
            }
            plan.notes
                .extend(setting.and_then(|setting| replaced(model, service, setting)));
            let Some(file) = file_of(model, service, setting) else {
                continue;
            };
            by_file
                .entry(&file.path)
                .or_default()
                .push((variable.name, variable.value));
        }
        for (file, set) in by_file {
            wanted.entry(file).or_default().push(Wanted {
                service: service.name.clone(),
                set,
                unset: Vec::new(),
            });
        }
    }
    for (path, wanted) in wanted {
        plan.extend(edit(model, path, &wanted)?);
    }
    Ok(plan)
}

/// The effective environment of each service.
type Effective<'a> = HashMap<&'a str, BTreeMap<String, Setting>>;

/// The name of each selected service: the one asked for, else the one it has if that is right, else its compose name.
fn names(model: &Model, selected: &[Selected], effective: &Effective) -> Result<Vec<Traced>> {
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for service in &model.services {
        if let Some(name) = literal_name(&effective[service.name.as_str()]) {
            *taken.entry(name).or_default() += 1;
        }
    }
    let mut traced: Vec<Traced> = Vec::with_capacity(selected.len());
    let mut used: HashMap<String, String> = HashMap::new();
    for selected in selected {
        let settings = effective.get(selected.service.as_str());
        let own = settings.and_then(literal_name).filter(|name| {
            let foreign = model.service(name).is_some() && *name != selected.service;
            taken.get(name) == Some(&1) && !foreign
        });
        let name = selected
            .name
            .as_deref()
            .or(own)
            .unwrap_or(&selected.service)
            .to_owned();
        if let Some(other) = used.insert(name.clone(), selected.service.clone()) {
            return Err(Error::new(
                "name-taken",
                format!(
                    "`{other}` and `{}` would both be traced as `{name}`",
                    selected.service
                ),
            )
            .hint(format!(
                "`--service {}=another-name` gives it a name of its own",
                selected.service
            )));
        }
        traced.push(Traced {
            name: selected.service.clone(),
            traced_as: name,
        });
    }
    Ok(traced)
}

/// A name that stands in a file, says something and comes from no variable.
fn literal_name(settings: &BTreeMap<String, Setting>) -> Option<&str> {
    let setting = settings.get(NAME)?;
    match &setting.value {
        Value::Known(name)
            if setting.uses.is_empty() && !name.trim().is_empty() && is_written(setting) =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// It stands in a file of the project, rather than being handed through from the shell.
fn is_written(setting: &Setting) -> bool {
    setting.raw.is_some()
}

fn is_right(setting: &Setting, planned: &Variable) -> bool {
    let Some(raw) = setting.raw.as_deref() else {
        return false;
    };
    if raw == planned.value {
        return true;
    }
    let Value::Known(value) = &setting.value else {
        return false;
    };
    match planned.name.as_str() {
        HEADERS => matches!(setting.source, Source::EnvFile(_)) && carries(value, &planned.value),
        NAME => false,
        _ => value.trim_end_matches('/') == planned.value,
    }
}

/// Every header of `planned` is in `value` with something behind it: an env_file may hold the value itself.
fn carries(value: &str, planned: &str) -> bool {
    let pairs = |text: &str| -> Vec<(String, bool)> {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), !value.trim().is_empty()))
            .collect()
    };
    let have = pairs(value);
    pairs(planned)
        .into_iter()
        .all(|(name, _)| have.contains(&(name, true)))
}

/// What has to be said when a value from elsewhere loses its say.
fn replaced(model: &Model, service: &Service, setting: &Setting) -> Option<Note> {
    let Source::EnvFile(span) = &setting.source else {
        return None;
    };
    let place = model.place(span);
    let file = place
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Some(Note::warning(format!(
        "{}: the new {} replaces the one from {file}:{}",
        service.name, setting.name, place.line
    )))
}

/// The file to edit: the one whose `environment` has the last word on this variable, else the one that defines the
/// service first.
pub(super) fn file_of<'a>(
    model: &'a Model,
    service: &Service,
    setting: Option<&Setting>,
) -> Option<&'a File> {
    match setting.map(|setting| &setting.source) {
        Some(Source::Environment(span)) if defines(service, span) => Some(model.file(span)),
        _ => service.defined_in.first().map(|span| model.file(span)),
    }
}

/// The span lies in one of the service's own mappings: what it inherits from a base is not edited there.
fn defines(service: &Service, span: &Span) -> bool {
    service.defined_in.iter().any(|own| {
        own.file == span.file
            && own.range.start <= span.range.start
            && span.range.end <= own.range.end
    })
}

fn edit(model: &Model, path: &Path, wanted: &[Wanted]) -> Result<Plan> {
    let Some(file) = model.files.iter().find(|file| file.path == path) else {
        return Err(Error::new(
            "internal",
            format!("{} was not read", path.display()),
        ));
    };
    let edit = environment::set(&file.text, wanted).map_err(|refusal| refusal.into_error(path))?;
    let mut plan = Plan::default();
    let before = Some(file.text.to_string());
    plan.edited(path, before, edit, Writing::Replace);
    Ok(plan)
}
