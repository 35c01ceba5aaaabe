//! Checks a plan on the whole project: read again from the planned texts, every service has what was planned and is
//! otherwise unchanged.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::compose_changes::{ComposeChanges, ServiceChanges};
use crate::compose::{
    ComposeModel, ComposeWarning, DeclaredValue, DeclaredVariable, ReferenceKind, ScopeId,
    ServiceModel, VariableForm, WarningWeight,
};
use crate::edit::yaml::environment;
use crate::edit::yaml::rename::{Renames, renamed};
use crate::error::{Error, ErrorCode};

/// The reason why a plan does not have the planned effect.
#[derive(Debug)]
pub(crate) struct UnprovenChange {
    /// The services whose planned lines have no effect or affect another service; they may be written to another
    /// file.
    pub misplaced: BTreeSet<String>,
    /// The error, if they are not moved.
    pub error: Error,
}

impl From<Error> for UnprovenChange {
    fn from(error: Error) -> Self {
        Self { misplaced: BTreeSet::new(), error }
    }
}

/// Checks that `after`, the project read from the planned texts, differs from `before` only by `changes`.
///
/// # Errors
/// The first unplanned difference, or every service that lacks a planned change.
pub(crate) fn prove(
    before: &ComposeModel,
    after: &ComposeModel,
    changes: &ComposeChanges,
) -> Result<(), UnprovenChange> {
    let all = || changes.services.keys().map(String::as_str);
    prove_loads(before, after).map_err(|error| add_paste_lines(error, changes, all()))?;
    compare(before, after, changes)
}

/// Proves that `after` lacks what `reverse` would add to it, and that nothing else separates it from `before`; nor
/// does docker compose refuse anything in it that it does not refuse in `before`.
///
/// # Errors
/// `unsafe-edit`.
pub(crate) fn prove_removed(
    before: &ComposeModel,
    after: &ComposeModel,
    reverse: &ComposeChanges,
) -> Result<(), Error> {
    prove_not_refused(before, after)?;
    compare(after, before, reverse).map_err(|unproven| {
        let text = "more of the project would change than the lines that are removed";
        let services: Vec<&str> = unproven.misplaced.iter().map(String::as_str).collect();
        let error = unsafe_edit(text);
        if services.is_empty() {
            error
        } else {
            error.cause(format!("it concerns {}", services.join(", ")))
        }
    })
}

fn compare(
    before: &ComposeModel,
    after: &ComposeModel,
    changes: &ComposeChanges,
) -> Result<(), UnprovenChange> {
    let added = changes.added.iter().map(String::as_str);
    let expected: BTreeSet<&str> = service_names(before).chain(added).collect();
    if expected != service_names(after).collect() {
        let text = "the project would have other services than planned";
        return Err(unsafe_edit(text).into());
    }
    let nothing = ServiceChanges::default();
    let mut misplaced = BTreeSet::new();
    let mut first = None;
    for old in &before.services {
        let Some(new) = after.service(&old.name) else { continue };
        let planned = changes.services.get(&old.name);
        if planned.is_some_and(|planned| !has_planned(new, planned)) {
            misplaced.insert(new.name.clone());
            first.get_or_insert_with(|| missed_change_error(after, new, changes));
        } else if let Some(key) =
            find_difference(old, new, planned.unwrap_or(&nothing), &changes.renamed)
        {
            let origin = find_origin(after, new, &key);
            misplaced.extend(origin.map(|origin| origin.name.clone()));
            first.get_or_insert_with(|| shared_change_error(after, new, &key, origin, changes));
        }
    }
    match first {
        Some(error) => Err(UnprovenChange { misplaced, error }),
        None => Ok(()),
    }
}

/// Checks that docker compose refuses nothing in `after` that it accepts in `before`, and that no service is lost.
///
/// # Errors
/// The first thing docker compose would refuse.
pub(crate) fn prove_loads(before: &ComposeModel, after: &ComposeModel) -> Result<(), Error> {
    prove_not_refused(before, after)?;
    match before.services.iter().find(|service| after.service(&service.name).is_none()) {
        Some(lost) => {
            let text = format!("the service `{}` would be lost with this change", lost.name);
            Err(unsafe_edit(&text))
        }
        None => Ok(()),
    }
}

/// Proves that docker compose refuses nothing in `after` that it does not refuse in `before`.
///
/// # Errors
/// The first thing that docker compose would refuse.
pub(crate) fn prove_not_refused(before: &ComposeModel, after: &ComposeModel) -> Result<(), Error> {
    let known: HashSet<&str> =
        refusal_warnings(before).map(|warning| warning.text.as_str()).collect();
    if let Some(new) =
        refusal_warnings(after).find(|warning| !known.contains(warning.text.as_str()))
    {
        let text = "docker compose would refuse the project after this change";
        return Err(unsafe_edit(text).cause(&new.text).at(new.place.clone()));
    }
    Ok(())
}

fn refusal_warnings(model: &ComposeModel) -> impl Iterator<Item = &ComposeWarning> {
    model.warnings.iter().filter(|warning| warning.weight == WarningWeight::Refused)
}

fn service_names(model: &ComposeModel) -> impl Iterator<Item = &str> {
    model.services.iter().map(|service| service.name.as_str())
}

fn unsafe_edit(text: &str) -> Error {
    Error::new(ErrorCode::UnsafeEdit, text)
}

fn has_planned(service: &ServiceModel, planned: &ServiceChanges) -> bool {
    let reads = |(name, literal): &(String, String)| {
        let declared = service.declared(name);
        declared.is_some_and(|entry| entry.raw() == Some(literal.as_str()))
    };
    let is_gone =
        |name: &String| service.declared(name).is_none_or(|entry| entry.raw() == Some(""));
    let has_items = |(list, items): (&String, &BTreeSet<String>)| {
        items.iter().all(|item| match list.as_str() {
            "extra_hosts" => service.extra_hosts.iter().any(|host| host.name == *item),
            "volumes" => service.references.iter().any(|reference| {
                reference.kind == ReferenceKind::Volume && reference.name == *item
            }),
            _ => service.depends_on.contains(item),
        })
    };
    planned.set.iter().all(reads)
        && planned.unset.iter().all(is_gone)
        && planned.items.iter().all(has_items)
}

/// Returns the key or variable in which a service differs without a plan.
fn find_difference(
    old: &ServiceModel,
    new: &ServiceModel,
    planned: &ServiceChanges,
    renames: &Renames,
) -> Option<String> {
    let under_new = |name: &String| renamed(name, renames).unwrap_or_else(|| name.clone());
    let is_planned =
        |list: &str, item: &str| planned.items.get(list).is_some_and(|items| items.contains(item));
    let hosts = |service: &ServiceModel| -> BTreeSet<(String, String)> {
        let unplanned =
            service.extra_hosts.iter().filter(|host| !is_planned("extra_hosts", &host.name));
        unplanned.map(|host| (host.name.clone(), host.address.clone())).collect()
    };
    let waits = |service: &ServiceModel| -> BTreeSet<String> {
        service
            .depends_on
            .iter()
            .filter(|dependency| !is_planned("depends_on", dependency))
            .cloned()
            .collect()
    };
    let references = |service: &ServiceModel| -> BTreeSet<(ReferenceKind, String)> {
        let named =
            service.references.iter().map(|reference| (reference.kind, under_new(&reference.name)));
        let unplanned = named.filter(|(kind, name)| {
            let list = if *kind == ReferenceKind::Volume { "volumes" } else { "depends_on" };
            !is_planned(list, name)
        });
        unplanned.collect()
    };
    let keys = [
        ("build", is_same_build(old, new)),
        ("image", old.image.as_ref().map(under_new) == new.image),
        ("provider", old.provided == new.provided),
        ("container_name", old.container_name == new.container_name),
        ("hostname", old.hostname == new.hostname),
        ("links", old.links == new.links),
        ("expose", old.exposed == new.exposed),
        ("aliases", old.aliases == new.aliases),
        ("working_dir", old.working_dir == new.working_dir),
        ("command", old.command == new.command),
        ("network_mode", old.network_mode == new.network_mode),
        ("networks", old.networks == new.networks),
        ("profiles", old.profiles == new.profiles),
        ("volumes", old.mounts == new.mounts),
        (
            "ports",
            is_same_list(&old.ports, &new.ports, |one, other| {
                (&one.host, &one.container, &one.protocol, &one.host_ip)
                    == (&other.host, &other.container, &other.protocol, &other.host_ip)
            }),
        ),
        (
            "env_file",
            is_same_list(&old.env_files, &new.env_files, |env_file, other| {
                (&env_file.path, env_file.required) == (&other.path, other.required)
            }),
        ),
        ("extra_hosts", hosts(old) == hosts(new)),
        ("depends_on", waits(old) == waits(new)),
        ("depends_on", references(old) == references(new)),
    ];
    let key = keys.into_iter().find(|(_, is_same)| !is_same).map(|(key, _)| key.to_owned());
    key.or_else(|| {
        let is_ours = |name: &str| planned.sets(name) || planned.unset.contains(name);
        find_variable(&old.environment, &new.environment, is_ours)
    })
}

fn is_same_list<T>(one: &[T], other: &[T], is_same: impl Fn(&T, &T) -> bool) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
}

fn is_same_build(old: &ServiceModel, new: &ServiceModel) -> bool {
    match (&old.build, &new.build) {
        (Some(was), Some(is)) => {
            let one = (&was.context, &was.dockerfile, &was.dockerfile_inline, &was.target);
            one == (&is.context, &is.dockerfile, &is.dockerfile_inline, &is.target)
                && find_variable(&was.args, &is.args, |_| false).is_none()
        }
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// Returns the first variable, not among ours, whose result differs.
fn find_variable(
    old: &[DeclaredVariable],
    new: &[DeclaredVariable],
    is_ours: impl Fn(&str) -> bool,
) -> Option<String> {
    let others = |entries: &'_ [DeclaredVariable]| -> Vec<usize> {
        let numbers = 0..entries.len();
        numbers.filter(|at| !is_ours(&entries[*at].name)).collect()
    };
    let (before, after) = (others(old), others(new));
    let in_order = before.len() == after.len()
        && before.iter().zip(&after).all(|(one, other)| {
            let (declared, other) = (&old[*one], &new[*other]);
            declared.name == other.name && declared_in_scope(declared) == declared_in_scope(other)
        });
    if in_order {
        return None;
    }
    // The later of two with the same name counts.
    let last = |entries: &'_ [DeclaredVariable],
                numbers: Vec<usize>|
     -> BTreeMap<String, DeclaredVariable> {
        let entries = numbers.into_iter().map(|at| entries[at].clone());
        entries.map(|entry| (entry.name.clone(), entry)).collect()
    };
    let (before, after) = (last(old, before), last(new, after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |name: &&&String| {
        before.get(**name).map(declared_in_scope) != after.get(**name).map(declared_in_scope)
    };
    names.iter().find(differs).map(|name| (*name).clone())
}

/// Returns a declaration, and the scope in which its variables are looked up.
fn declared_in_scope(entry: &DeclaredVariable) -> (&DeclaredValue, ScopeId) {
    let scope = match (&entry.value, entry.form) {
        (DeclaredValue::Passed, VariableForm::Mapping) => ScopeId::PROJECT,
        _ => entry.scope,
    };
    (&entry.value, scope)
}

fn missed_change_error(
    after: &ComposeModel,
    service: &ServiceModel,
    changes: &ComposeChanges,
) -> Error {
    let name = &service.name;
    let text = format!("the planned lines of `{name}` would not reach it");
    let mut error = unsafe_edit(&text);
    if let Some(last) = service.defined_in.last() {
        let place = after.place(last);
        error = error
            .hint(format!(
                "write them into {}, which overrides the other files",
                place.path.display()
            ))
            .at(place);
    }
    add_paste_lines(error, changes, [name.as_str()])
}

/// Returns the service whose lines set a variable of `service`, if they are not its own.
fn find_origin<'m>(
    after: &'m ComposeModel,
    service: &ServiceModel,
    variable: &str,
) -> Option<&'m ServiceModel> {
    let entry = service.declared(variable)?;
    let mut others =
        after.services.iter().filter(|other_service| other_service.name != service.name);
    others.find(|service| service.defines(&entry.name_span))
}

fn shared_change_error<'c>(
    after: &ComposeModel,
    service: &ServiceModel,
    key: &str,
    origin: Option<&'c ServiceModel>,
    changes: &'c ComposeChanges,
) -> Error {
    let name = &service.name;
    let mut error = match origin {
        Some(origin) => {
            let text = format!(
                "the service `{name}` takes variables from `{}` and would change with it",
                origin.name
            );
            unsafe_edit(&text)
                .hint(format!("name `{name}` as well, or give it an `environment: !override`"))
        }
        None => unsafe_edit(&format!("`{key}` of the service `{name}` would change as well")),
    };
    if let Some(span) = service.defined_in.first() {
        error = error.at(after.place(span));
    }
    match origin {
        Some(origin) => add_paste_lines(error, changes, [origin.name.as_str()]),
        None => add_paste_lines(error, changes, changes.services.keys().map(String::as_str)),
    }
}

/// Adds to the error the lines that make the planned changes by hand.
fn add_paste_lines<'s>(
    error: Error,
    changes: &ComposeChanges,
    services: impl IntoIterator<Item = &'s str>,
) -> Error {
    let wanted: Vec<_> = services.into_iter().filter_map(|name| changes.wanted(name)).collect();
    if wanted.is_empty() { error } else { error.paste(environment::paste(&wanted)) }
}
