//! Determines the packages a service lacks, and their versions.

use super::Addon;
use super::catalogue::{InstrumentedLibrary, PythonCatalogue, TracingPackage, VersionSet};
use crate::edit::python::framework::PythonFramework;
use crate::edit::requirements::{PackageAddition, RequirementEntry, VersionBounds};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Note;

/// The packages missing from a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MissingPackages {
    /// Packages to add, in writing order.
    pub missing: Vec<PackageAddition>,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// The way tracing starts in a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TracingStart {
    /// By lines in its code.
    #[default]
    InCode,
    /// By `opentelemetry-instrument` before its command.
    ZeroCode,
}

/// The way a service is traced.
#[derive(Debug, Clone, Default)]
pub(crate) struct PackageRequest<'w> {
    /// Its Python version.
    pub python: Option<&'w str>,
    /// How tracing starts.
    pub start: TracingStart,
    /// The requested addons.
    pub addons: &'w [Addon],
    /// The frameworks its applications may use; empty if unknown.
    pub frameworks: Vec<&'static PythonFramework>,
}

/// Returns what `direct` lacks, given the lists it includes and the versions that `constraints` allow.
///
/// # Errors
/// `no-version-set` when no versions fit the pinned ones.
pub(crate) fn wanted(
    catalogue: &PythonCatalogue,
    direct: &[RequirementEntry],
    included: &[RequirementEntry],
    constraints: &[RequirementEntry],
    request: PackageRequest<'_>,
) -> Result<MissingPackages> {
    let entries: Vec<&RequirementEntry> = direct.iter().chain(included).collect();
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    let set = match constraints.iter().find_map(|entry| version_set_of(catalogue, entry)) {
        Some(set) => Some(set),
        // pip takes the versions of unpinned packages from the constraints.
        None if !constraints.is_empty() => None,
        None => chosen_set(catalogue, &entries, request.python)?,
    };
    let contrib = set.as_ref().map(|set| set.contrib.as_str());
    let mut notes = version_mismatch_notes(catalogue, &entries);
    let mut packages = base_packages(catalogue, &entries, set.as_ref(), &request);
    let names = entries.iter().map(|entry| entry.name.as_str());
    let addon_packages = request
        .addons
        .iter()
        .filter_map(|addon| catalogue.addon(*addon))
        .flat_map(|facts| &facts.packages)
        .map(|pinned| pinned.package.as_str());
    let names: Vec<&str> = names.chain(addon_packages).collect();
    for library in used_libraries(catalogue, &entries) {
        notes.extend(refused_release(library, &entries));
        if let Some(other) = library.clash(names.iter().copied()) {
            notes.push(Note::fact(format!(
                "{} is left out, because {other} is installed",
                library.package
            )));
        } else if is_available(library, set.as_ref()) {
            packages.push((&library.package, contrib));
        } else if !has(&library.package) {
            notes.push(too_old(library, set.as_ref()));
        }
    }
    let addons = request.addons.iter().filter_map(|addon| catalogue.addon(*addon));
    for pinned in addons.flat_map(|facts| &facts.packages) {
        let version = set.as_ref().map(|_| pinned.version.as_str());
        packages.push((&pinned.package, version));
    }
    let missing =
        packages.into_iter().filter(|(package, _)| !has(package)).map(|(package, version)| {
            PackageAddition { name: package.to_owned(), version: version.map(str::to_owned) }
        });
    Ok(MissingPackages { missing: missing.collect(), notes })
}

/// Returns the packages that every service needs, with the versions of `set`.
fn base_packages<'c>(
    catalogue: &'c PythonCatalogue,
    entries: &[&RequirementEntry],
    set: Option<&'c VersionSet>,
    request: &PackageRequest<'_>,
) -> Vec<(&'c str, Option<&'c str>)> {
    let contrib = set.map(|set| set.contrib.as_str());
    let brought = |package: &&TracingPackage| {
        let within = package.within.as_deref();
        within.is_some_and(|within| entries.iter().any(|entry| entry.name == within))
    };
    let mut packages: Vec<(&str, Option<&str>)> = catalogue
        .core
        .iter()
        .filter(|package| !brought(package))
        .map(|package| (package.package.as_str(), set.map(|set| set.core.as_str())))
        .collect();
    if request.start == TracingStart::ZeroCode {
        packages.push((&catalogue.zero_code, contrib));
    }
    let instrumentations =
        catalogue.contrib.iter().filter(|package| package.is_for(&request.frameworks));
    packages.extend(instrumentations.map(|package| (package.package.as_str(), contrib)));
    packages
}

/// Returns the instrumentations of libraries that these packages show to be used.
fn used_libraries<'c>(
    catalogue: &'c PythonCatalogue,
    entries: &[&RequirementEntry],
) -> Vec<&'c InstrumentedLibrary> {
    catalogue
        .libraries
        .iter()
        .filter(|library| entries.iter().any(|entry| library.uses.contains(&entry.name)))
        .collect()
}

fn is_available(library: &InstrumentedLibrary, set: Option<&VersionSet>) -> bool {
    set.is_none_or(|set| set.contrib_minor() >= library.since)
}

/// Returns a note if the list pins a release that the library's instrumentation does not support.
fn refused_release(library: &InstrumentedLibrary, entries: &[&RequirementEntry]) -> Option<Note> {
    let below = library.below.as_ref()?;
    let name = library.uses.first()?;
    let takes_newest = match entries.iter().find(|entry| entry.name == *name) {
        None => true,
        Some(RequirementEntry { pin: Some(pin), .. }) => {
            package_version_numbers(pin) >= package_version_numbers(below)
        }
        Some(entry) => entry.bounds == VersionBounds::Any,
    };
    takes_newest.then(|| {
        Note::warning(format!(
            "{} makes no span for {name} {below} and newer, which this list may install",
            library.package
        ))
        .hint(format!("add `{name}<{below}` to it; the spans of its driver come either way"))
    })
}

/// Returns the leading numbers of a version.
fn package_version_numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

fn too_old(library: &InstrumentedLibrary, set: Option<&VersionSet>) -> Note {
    let version = set.map(|set| set.contrib.as_str()).unwrap_or_default();
    Note::warning(format!(
        "{} does not exist in {version}, the version the pinned packages ask for; {} stays untraced",
        library.package, library.uses[0]
    ))
    .hint(format!(
        "pin the opentelemetry packages to a newer set, at least 0.{}b0",
        library.since
    ))
}

/// Returns the versions to pin, or `None` if the list does not pin.
fn chosen_set(
    catalogue: &PythonCatalogue,
    entries: &[&RequirementEntry],
    python: Option<&str>,
) -> Result<Option<VersionSet>> {
    let telemetry_entries: Vec<&&RequirementEntry> = entries
        .iter()
        .filter(|entry| entry.name.starts_with("opentelemetry-"))
        .filter(|entry| {
            version_set_of(catalogue, entry).is_some() || is_ours(catalogue, &entry.name)
        })
        .collect();
    if let Some(entry) = telemetry_entries
        .iter()
        .find(|entry| entry.pin.as_ref().is_some_and(|pin| catalogue.without_contrib.contains(pin)))
    {
        return Err(no_version_set_error(catalogue, entry));
    }
    if let Some(set) = telemetry_entries.iter().find_map(|entry| version_set_of(catalogue, entry)) {
        return Ok(Some(set));
    }
    let versions: Vec<&&RequirementEntry> =
        entries.iter().filter(|entry| entry.bounds != VersionBounds::Address).collect();
    let pinned = versions.iter().filter(|entry| entry.pin.is_some()).count();
    if !telemetry_entries.is_empty() || pinned * 2 <= versions.len() {
        return Ok(None);
    }
    match catalogue.newest_for(python) {
        Some(set) => Ok(Some(set.clone())),
        None => Err(Error::new(
            ErrorCode::NoVersionSet,
            format!("no OpenTelemetry release runs on Python {}", python.unwrap_or("this old")),
        )
        .hint("move the service to Python 3.10 or newer")),
    }
}

fn is_ours(catalogue: &PythonCatalogue, name: &str) -> bool {
    let named = |package: &TracingPackage| package.package == name;
    catalogue.core.iter().any(named) || catalogue.contrib.iter().any(named)
}

/// Returns the set of a pinned core or contrib package.
fn version_set_of(catalogue: &PythonCatalogue, entry: &RequirementEntry) -> Option<VersionSet> {
    let pin = entry.pin.as_deref()?;
    if catalogue.core.iter().any(|core| core.package == entry.name) {
        VersionSet::of_core(pin)
    } else if entry.name.starts_with("opentelemetry-instrumentation") {
        VersionSet::of_contrib(pin)
    } else {
        None
    }
}

fn no_version_set_error(catalogue: &PythonCatalogue, entry: &RequirementEntry) -> Error {
    let set = catalogue.versions.first();
    let core = set.map(|set| set.core.as_str()).unwrap_or_default();
    let pin = entry.pin.as_deref().unwrap_or_default();
    Error::new(
        ErrorCode::NoVersionSet,
        format!("{}=={pin} has no matching instrumentation packages", entry.name),
    )
    .cause(format!("no contrib release was made for {pin}: pip would find no set of versions"))
    .hint(format!("pin the opentelemetry core packages to {core}"))
}

/// Returns notes on pinned packages that pip cannot install together.
fn version_mismatch_notes(catalogue: &PythonCatalogue, entries: &[&RequirementEntry]) -> Vec<Note> {
    let mut sets =
        entries.iter().filter_map(|entry| Some((entry, version_set_of(catalogue, entry)?)));
    let Some((first, set)) = sets.next() else {
        return Vec::new();
    };
    sets.filter(|(_, other)| *other != set)
        .map(|(entry, _)| {
            Note::warning(format!(
                "{}=={} (line {}) and {}=={} (line {}) do not belong together",
                first.name,
                first.pin.as_deref().unwrap_or_default(),
                first.line,
                entry.name,
                entry.pin.as_deref().unwrap_or_default(),
                entry.line
            ))
            .hint(format!("core {} goes with instrumentation {}", set.core, set.contrib))
        })
        .collect()
}
