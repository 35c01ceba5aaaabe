//! Extends a service's list of packages by those that tracing needs.

use super::catalogue::{InstrumentedLibrary, python_catalogue};
use super::packages::{self, MissingPackages, PackageRequest};
use super::{
    FixedPackages, ImageContents, LockTool, PackageList, PythonService, PythonSourceFile,
    display_service_path, slips,
};
use crate::edit::pyproject;
use crate::edit::requirements::{self, HashLocking, RequirementEntry, Requirements};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{FileChange, Note, Plan, WriteMethod};

/// The packages that a service's code can rely on.
#[derive(Debug, Clone)]
pub(super) struct InstalledForCode {
    /// The libraries whose instrumentation is installed.
    pub(super) libraries: Vec<&'static InstrumentedLibrary>,
    /// The generation of Flask.
    pub(super) flask: FlaskGeneration,
}

impl InstalledForCode {
    /// Returns what code that runs in both images can rely on.
    fn in_both(self, other: &Self) -> Self {
        let shared = |library: &&InstrumentedLibrary| other.libraries.contains(library);
        let old = self.flask == FlaskGeneration::Old || other.flask == FlaskGeneration::Old;
        Self {
            libraries: self.libraries.into_iter().filter(shared).collect(),
            flask: if old { FlaskGeneration::Old } else { FlaskGeneration::Current },
        }
    }
}

/// The generation of Flask: before or after it removed `before_first_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlaskGeneration {
    /// Only releases below 2.3 are allowed.
    Old,
    /// 2.3 or newer is allowed.
    Current,
}

/// Plans the missing packages; `None` if this plan does not add them to every image of the service.
pub(super) fn extend(service: &PythonService, plan: &mut Plan) -> Result<Option<InstalledForCode>> {
    let mut all: Option<InstalledForCode> = None;
    let mut waits = service.packages.is_empty();
    for list in &service.packages {
        match extend_list(service, list, plan)? {
            Some(installed) => {
                all = Some(all.map_or(installed.clone(), |all| all.in_both(&installed)))
            }
            None => waits = true,
        }
    }
    Ok(all.filter(|_| !waits))
}

/// Plans the packages missing from one list.
fn extend_list(
    service: &PythonService,
    list: &PackageList,
    plan: &mut Plan,
) -> Result<Option<InstalledForCode>> {
    let (before, after, wanted, entries) = match list {
        PackageList::Requirements { file, included, constraints, also_installed } => {
            let read = |file: &PythonSourceFile| Requirements::parse(&file.text).entries;
            let included =
                included.iter().flat_map(read).chain(also_installed.iter().cloned()).collect();
            let constraints: Vec<RequirementEntry> = constraints.iter().flat_map(read).collect();
            let (after, wanted, entries) =
                extend_requirements_list(service, file, included, &constraints, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Pyproject { file, lock, also_installed } => {
            let (after, wanted, entries) =
                extend_pyproject(service, file, *lock, also_installed, plan)?;
            (file, after, wanted, entries)
        }
        PackageList::Fixed(fixed) => return left_alone(service, fixed, plan),
        PackageList::Missing => {
            plan.notes.push(missing_list_note(service));
            return Ok(None);
        }
    };
    plan.notes.extend(wanted.notes);
    plan.change(FileChange {
        path: before.path.clone(),
        before: Some(before.text.as_str().into()),
        after: Some(after.into()),
        writing: WriteMethod::Replace,
    });
    let added = wanted.missing.iter().map(|added| added.name.clone());
    let names = entries.iter().map(|entry| entry.name.clone()).chain(added).collect();
    Ok(Some(relied_on_packages(names, &entries)))
}

/// Returns what code can rely on if packages of these names are installed.
fn relied_on_packages(names: Vec<String>, entries: &[RequirementEntry]) -> InstalledForCode {
    let libraries = python_catalogue().libraries.iter().filter(|library| {
        names.contains(&library.package)
            && library.clash(names.iter().map(String::as_str)).is_none()
    });
    InstalledForCode { libraries: libraries.collect(), flask: flask_generation(entries) }
}

/// Notes the step that adds the missing packages by hand; the code is left unchanged until then.
fn left_alone(
    service: &PythonService,
    fixed: &FixedPackages,
    plan: &mut Plan,
) -> Result<Option<InstalledForCode>> {
    let is_installed = |name: &str| fixed.installed.iter().any(|entry| entry.name == name);
    let is_ours = |entry: &&RequirementEntry| entry.name.starts_with("opentelemetry-");
    // A package that is declared and not installed still counts as missing.
    let declared =
        fixed.declared.iter().filter(|entry| !is_ours(entry) || is_installed(&entry.name));
    let declared: Vec<RequirementEntry> = declared.cloned().collect();
    let installed =
        fixed.installed.iter().map(|entry| RequirementEntry { pin: None, ..entry.clone() });
    let installed: Vec<RequirementEntry> = installed.filter(is_named).collect();
    let wanted =
        packages::wanted(python_catalogue(), &declared, &installed, &[], package_request(service))?;
    plan.notes.extend(wanted.notes);
    if wanted.missing.is_empty() {
        let names = fixed.installed.iter().map(|entry| entry.name.clone()).collect();
        return Ok(Some(relied_on_packages(names, &fixed.installed)));
    }
    let imports = |file: &PythonSourceFile| {
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
            "{}: {}, so its packages and code are not changed",
            service.name, fixed.decided_by
        ))
        .hint(format!("{}, then `cruddur-ops init` again", fixed.remedy.advice(&wanted.missing))),
    );
    plan.steps.push(step);
    Ok(None)
}

/// Returns whether this program may have added the package; such packages do not show which libraries are used.
pub(super) fn is_named(entry: &RequirementEntry) -> bool {
    let facts = python_catalogue();
    let base = facts.core.iter().chain(&facts.contrib).map(|package| &package.package);
    let libraries = facts.libraries.iter().map(|library| &library.package);
    let addons = facts.addons.iter().flat_map(|addon| &addon.packages);
    let mut names = base
        .chain(libraries)
        .chain([&facts.zero_code])
        .chain(addons.map(|package| &package.package));
    names.any(|name| *name == entry.name)
}

fn flask_generation(entries: &[RequirementEntry]) -> FlaskGeneration {
    let flask = entries.iter().find(|entry| entry.name == "flask");
    if flask.is_some_and(|entry| entry.is_older_than(&[2, 3])) {
        FlaskGeneration::Old
    } else {
        FlaskGeneration::Current
    }
}

pub(super) fn package_request(service: &PythonService) -> PackageRequest<'_> {
    PackageRequest {
        python: service.version.as_deref(),
        start: service.start,
        addons: &service.addons,
        frameworks: service.frameworks(),
    }
}

type ExtendedList = (String, MissingPackages, Vec<RequirementEntry>);

fn extend_requirements_list(
    service: &PythonService,
    file: &PythonSourceFile,
    included: Vec<RequirementEntry>,
    constraints: &[RequirementEntry],
    plan: &mut Plan,
) -> Result<ExtendedList> {
    let name = display_service_path(service, &file.path);
    let (read, notes) = slips::read(python_catalogue(), &name, &file.text);
    let wanted = packages::wanted(
        python_catalogue(),
        &read.entries,
        &included,
        constraints,
        package_request(service),
    )?;
    if !wanted.missing.is_empty() || !read.pasted.is_empty() {
        if read.locking == HashLocking::Hashes {
            return Err(locked_list_error(&name, &read, &wanted));
        }
        if let Some(source) = &read.compiled_from {
            plan.notes.push(
                Note::warning(format!(
                    "{name} is generated from {source}, so lines added here would be lost"
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

fn extend_pyproject(
    service: &PythonService,
    file: &PythonSourceFile,
    lock: Option<LockTool>,
    also_installed: &[RequirementEntry],
    plan: &mut Plan,
) -> Result<ExtendedList> {
    let name = display_service_path(service, &file.path);
    let named = |error: Error| Error { message: format!("{name}: {}", error.message), ..error };
    let read = pyproject::parse_pyproject(&file.text).map_err(named)?;
    let entries = read.map(|read| read.entries).unwrap_or_default();
    let wanted = packages::wanted(
        python_catalogue(),
        &entries,
        also_installed,
        &[],
        package_request(service),
    )?;
    let after = pyproject::extend(&file.text, &wanted.missing).map_err(named)?;
    if let (false, Some(tool)) = (wanted.missing.is_empty(), lock) {
        let lock = tool.lock_file();
        plan.notes.push(Note::warning(format!("{name} changes, and {lock} next to it does not")));
    }
    Ok((after, wanted, [entries, also_installed.to_vec()].concat()))
}

fn locked_list_error(file: &str, read: &Requirements, wanted: &MissingPackages) -> Error {
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

fn missing_list_note(service: &PythonService) -> Note {
    let frameworks = service.frameworks();
    let names: Vec<&str> = python_catalogue()
        .core
        .iter()
        .chain(&python_catalogue().contrib)
        .filter(|package| package.is_for(&frameworks))
        .map(|package| package.package.as_str())
        .collect();
    Note::warning(format!(
        "{}: what it installs is unknown, so its code is not changed; it needs {}",
        service.name,
        names.join(", ")
    ))
    .hint("list its packages in a requirements.txt that its Dockerfile installs")
}
