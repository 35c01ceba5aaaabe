//! The list of packages a service installs, extended by what tracing needs.

use super::catalogue::{Library, catalogue};
use super::packages::{self, Wanted, Wish};
use super::{PackageList, Service, SourceFile, shown, slips};
use crate::edit::pyproject;
use crate::edit::requirements::{self, Entry, Locking, Requirements};
use crate::error::{Error, Result};
use crate::plan::{Change, Note, Plan, Writing};

/// What a service installs in the end, as far as its code must know.
pub(super) struct Listed {
    /// The libraries whose instrumentation is there.
    pub(super) libraries: Vec<&'static Library>,
    /// What its Flask still has.
    pub(super) flask: Flask,
}

/// Flask, before and after it dropped `before_first_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flask {
    /// Pinned below 2.3.
    Old,
    /// 2.3 or newer, or not pinned.
    Current,
}

/// Plans the missing packages; `None` where nobody knows what is installed.
pub(super) fn extend(service: &Service, plan: &mut Plan) -> Result<Option<Listed>> {
    let (before, after, wanted, entries) = match &service.packages {
        PackageList::Requirements { file, included } => {
            let included =
                included.iter().flat_map(|file| Requirements::parse(&file.text).entries).collect();
            let (after, wanted, entries) = requirements(service, file, included, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Pyproject(file) => {
            let (after, wanted, entries) = project(service, file, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Missing => {
            plan.notes.push(missing(service));
            return Ok(None);
        }
    };
    plan.notes.extend(wanted.notes);
    plan.change(Change {
        path: before.path.clone(),
        before: Some(before.text.as_str().into()),
        after: Some(after.into()),
        writing: Writing::Replace,
    });
    let installed = |package: &str| {
        entries.iter().any(|entry| entry.name == package)
            || wanted.missing.iter().any(|added| added.name == package)
    };
    let libraries = catalogue().libraries.iter().filter(|library| {
        let names = entries.iter().map(|entry| entry.name.as_str());
        let added = wanted.missing.iter().map(|added| added.name.as_str());
        installed(&library.package) && library.clash(names.chain(added)).is_none()
    });
    Ok(Some(Listed { libraries: libraries.collect(), flask: flask(&entries) }))
}

fn flask(entries: &[Entry]) -> Flask {
    let pin =
        entries.iter().find(|entry| entry.name == "flask").and_then(|entry| entry.pin.as_deref());
    let numbers = pin.map(|pin| {
        let mut parts = pin.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    });
    match numbers {
        Some(version) if version < (2, 3) => Flask::Old,
        _ => Flask::Current,
    }
}

fn wish(service: &Service) -> Wish<'_> {
    Wish { python: service.version.as_deref(), start: service.start, addons: &service.addons }
}

type Extended = (String, Wanted, Vec<Entry>);

fn requirements(
    service: &Service,
    file: &SourceFile,
    included: Vec<Entry>,
    plan: &mut Plan,
) -> Result<Extended> {
    let name = shown(service, &file.path);
    let (read, notes) = slips::read(catalogue(), &name, &file.text);
    let wanted = packages::wanted(catalogue(), &read.entries, &included, wish(service))?;
    if !wanted.missing.is_empty() || !read.pasted.is_empty() {
        if read.locking == Locking::Hashes {
            return Err(locked(&name, &read, &wanted));
        }
        if let Some(source) = &read.compiled_from {
            plan.notes.push(
                Note::warning(format!(
                    "{name} is written from {source}, which will forget what is added here"
                ))
                .hint(format!("add the same lines to {source}")),
            );
        }
    }
    plan.notes.extend(notes);
    let after = requirements::extend(&file.text, &wanted.missing)
        .map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })?;
    Ok((after, wanted, [read.entries, included].concat()))
}

fn project(service: &Service, file: &SourceFile, plan: &mut Plan) -> Result<Extended> {
    let name = shown(service, &file.path);
    let named = |error: Error| Error { message: format!("{name}: {}", error.message), ..error };
    let read = pyproject::parse(&file.text).map_err(named)?;
    let entries = read.map(|read| read.entries).unwrap_or_default();
    let wanted = packages::wanted(catalogue(), &entries, &[], wish(service))?;
    let after = pyproject::extend(&file.text, &wanted.missing).map_err(named)?;
    if !wanted.missing.is_empty() {
        plan.notes.push(Note::fact(format!(
            "{name} changes: a lock file beside it needs `poetry lock` or `uv lock`"
        )));
    }
    Ok((after, wanted, entries))
}

fn locked(file: &str, read: &Requirements, wanted: &Wanted) -> Error {
    let source = read.compiled_from.as_deref().unwrap_or("requirements.in");
    let lines: Vec<String> = wanted.missing.iter().map(|added| added.line()).collect();
    Error::new(
        "hash-locked",
        format!("{file} locks every package to hashes; a line without one would break it"),
    )
    .hint(format!("add the lines below to {source}, then"))
    .hint(format!("`pip-compile --generate-hashes --output-file {file} {source}`"))
    .paste(lines.join("\n"))
}

fn missing(service: &Service) -> Note {
    let names: Vec<&str> = catalogue()
        .core
        .iter()
        .chain(&catalogue().contrib)
        .map(|package| package.package.as_str())
        .collect();
    Note::warning(format!(
        "{}: nothing says what it installs, so its code is left alone; it needs {}",
        service.name,
        names.join(", ")
    ))
    .hint("list its packages in a requirements.txt that its Dockerfile installs")
}
