//! Extends a service's list of packages by those that tracing needs.

use super::catalogue::{Library, catalogue};
use super::packages::{self, Wanted, Wish};
use super::{
    FixedPackages, ImageContents, LockTool, PackageList, Service, SourceFile, shown, slips,
};
use crate::edit::pyproject;
use crate::edit::requirements::{self, Entry, Locking, Requirements};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Change, Note, Plan, Writing};

/// The packages that a service's code can rely on.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// The libraries whose instrumentation is installed.
    pub(super) libraries: Vec<&'static Library>,
    /// The generation of Flask.
    pub(super) flask: Flask,
}

impl Listed {
    /// Returns what code that runs in both images can rely on.
    fn in_both(self, other: &Self) -> Self {
        let shared = |library: &&Library| other.libraries.contains(library);
        let old = self.flask == Flask::Old || other.flask == Flask::Old;
        Self {
            libraries: self.libraries.into_iter().filter(shared).collect(),
            flask: if old { Flask::Old } else { Flask::Current },
        }
    }
}

/// The generation of Flask: before or after it removed `before_first_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flask {
    /// Only releases below 2.3 are allowed.
    Old,
    /// 2.3 or newer is allowed.
    Current,
}

/// Plans the missing packages; `None` if this plan does not add them to every image of the service.
pub(super) fn extend(service: &Service, plan: &mut Plan) -> Result<Option<Listed>> {
    let mut all: Option<Listed> = None;
    let mut waits = service.packages.is_empty();
    for list in &service.packages {
        match extend_list(service, list, plan)? {
            Some(one) => all = Some(all.map_or(one.clone(), |all| all.in_both(&one))),
            None => waits = true,
        }
    }
    Ok(all.filter(|_| !waits))
}

/// Plans the packages missing from one list.
fn extend_list(service: &Service, list: &PackageList, plan: &mut Plan) -> Result<Option<Listed>> {
    let (before, after, wanted, entries) = match list {
        PackageList::Requirements { file, included, constraints, beside } => {
            let read = |file: &SourceFile| Requirements::parse(&file.text).entries;
            let included = included.iter().flat_map(read).chain(beside.iter().cloned()).collect();
            let constraints: Vec<Entry> = constraints.iter().flat_map(read).collect();
            let (after, wanted, entries) =
                requirements(service, file, included, &constraints, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Pyproject { file, lock, beside } => {
            let (after, wanted, entries) = project(service, file, *lock, beside, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Fixed(fixed) => return left_alone(service, fixed, plan),
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
    let added = wanted.missing.iter().map(|added| added.name.clone());
    let names = entries.iter().map(|entry| entry.name.clone()).chain(added).collect();
    Ok(Some(listed(names, &entries)))
}

/// Returns what code can rely on if packages of these names are installed.
fn listed(names: Vec<String>, entries: &[Entry]) -> Listed {
    let libraries = catalogue().libraries.iter().filter(|library| {
        names.contains(&library.package)
            && library.clash(names.iter().map(String::as_str)).is_none()
    });
    Listed { libraries: libraries.collect(), flask: flask(entries) }
}

/// Notes the step that adds the missing packages by hand; the code is left unchanged until then.
fn left_alone(service: &Service, fixed: &FixedPackages, plan: &mut Plan) -> Result<Option<Listed>> {
    let is_installed = |name: &str| fixed.installed.iter().any(|entry| entry.name == name);
    let is_ours = |entry: &&Entry| entry.name.starts_with("opentelemetry-");
    // A package that is declared and not installed still counts as missing.
    let declared =
        fixed.declared.iter().filter(|entry| !is_ours(entry) || is_installed(&entry.name));
    let declared: Vec<Entry> = declared.cloned().collect();
    let installed = fixed.installed.iter().map(|entry| Entry { pin: None, ..entry.clone() });
    let installed: Vec<Entry> = installed.filter(is_named).collect();
    let wanted = packages::wanted(catalogue(), &declared, &installed, &[], wish(service))?;
    plan.notes.extend(wanted.notes);
    if wanted.missing.is_empty() {
        let names = fixed.installed.iter().map(|entry| entry.name.clone()).collect();
        return Ok(Some(listed(names, &fixed.installed)));
    }
    let imports = |file: &SourceFile| {
        let mut words = file.text.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "opentelemetry")
    };
    if fixed.contents == ImageContents::Hidden && service.python.iter().any(imports) {
        plan.notes.push(Note::fact(format!(
            "{}: {}, and its code uses OpenTelemetry already",
            service.name, fixed.decided_by
        )));
        return Ok(None);
    }
    let step = fixed.remedy.step(&wanted.missing);
    plan.notes.push(
        Note::warning(format!(
            "{}: {}, so its packages and code are left alone",
            service.name, fixed.decided_by
        ))
        .hint(format!("`{step}`, then `cruddur-ops init` once more")),
    );
    plan.steps.push(step);
    Ok(None)
}

/// Returns whether this program may have added the package; such packages do not show which libraries are used.
pub(super) fn is_named(entry: &Entry) -> bool {
    let facts = catalogue();
    let base = facts.core.iter().chain(&facts.contrib).map(|package| &package.package);
    let libraries = facts.libraries.iter().map(|library| &library.package);
    let addons = facts.addons.iter().flat_map(|addon| &addon.packages);
    let mut names = base
        .chain(libraries)
        .chain([&facts.zero_code])
        .chain(addons.map(|package| &package.package));
    names.any(|name| *name == entry.name)
}

fn flask(entries: &[Entry]) -> Flask {
    let flask = entries.iter().find(|entry| entry.name == "flask");
    match flask.is_some_and(|entry| entry.is_older_than(&[2, 3])) {
        true => Flask::Old,
        false => Flask::Current,
    }
}

pub(super) fn wish(service: &Service) -> Wish<'_> {
    Wish {
        python: service.version.as_deref(),
        start: service.start,
        addons: &service.addons,
        frameworks: service.frameworks(),
    }
}

type Extended = (String, Wanted, Vec<Entry>);

fn requirements(
    service: &Service,
    file: &SourceFile,
    included: Vec<Entry>,
    constraints: &[Entry],
    plan: &mut Plan,
) -> Result<Extended> {
    let name = shown(service, &file.path);
    let (read, notes) = slips::read(catalogue(), &name, &file.text);
    let wanted =
        packages::wanted(catalogue(), &read.entries, &included, constraints, wish(service))?;
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

fn project(
    service: &Service,
    file: &SourceFile,
    lock: Option<LockTool>,
    beside: &[Entry],
    plan: &mut Plan,
) -> Result<Extended> {
    let name = shown(service, &file.path);
    let named = |error: Error| Error { message: format!("{name}: {}", error.message), ..error };
    let read = pyproject::parse(&file.text).map_err(named)?;
    let entries = read.map(|read| read.entries).unwrap_or_default();
    let wanted = packages::wanted(catalogue(), &entries, beside, &[], wish(service))?;
    let after = pyproject::extend(&file.text, &wanted.missing).map_err(named)?;
    if let (false, Some(tool)) = (wanted.missing.is_empty(), lock) {
        let lock = tool.lock_file();
        plan.notes.push(Note::warning(format!("{name} changes, and {lock} next to it does not")));
    }
    Ok((after, wanted, [entries, beside.to_vec()].concat()))
}

fn locked(file: &str, read: &Requirements, wanted: &Wanted) -> Error {
    let source = read.compiled_from.as_deref().unwrap_or("requirements.in");
    let lines: Vec<String> = wanted.missing.iter().map(|added| added.line()).collect();
    Error::new(
        ErrorCode::HashLocked,
        format!("{file} locks every package to hashes; a line without one would break it"),
    )
    .hint(format!("add the lines below to {source}, then"))
    .hint(format!("`pip-compile --generate-hashes --output-file {file} {source}`"))
    .paste(lines.join("\n"))
}

fn missing(service: &Service) -> Note {
    let frameworks = service.frameworks();
    let names: Vec<&str> = catalogue()
        .core
        .iter()
        .chain(&catalogue().contrib)
        .filter(|package| package.is_for(&frameworks))
        .map(|package| package.package.as_str())
        .collect();
    Note::warning(format!(
        "{}: what it installs is unknown, so its code is left alone; it needs {}",
        service.name,
        names.join(", ")
    ))
    .hint("list its packages in a requirements.txt that its Dockerfile installs")
}
