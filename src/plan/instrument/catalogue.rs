//! The catalogue of packages and calls for each library, and the versions that fit together: `instrumentations.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::edit::python::framework::PythonFramework;
use crate::provider::Addon;

/// The catalogue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PythonCatalogue {
    /// Matching versions, newest first.
    pub versions: Vec<VersionSet>,
    /// Core releases without a matching contrib release.
    pub without_contrib: Vec<String>,
    /// Packages that share the core version.
    pub core: Vec<TracingPackage>,
    /// Packages that share the contrib version.
    pub contrib: Vec<TracingPackage>,
    /// The package needed for `opentelemetry-instrument`.
    pub zero_code: String,
    /// Instrumentations of libraries.
    pub libraries: Vec<InstrumentedLibrary>,
    /// Packages and calls that are added only on request.
    pub addons: Vec<AddonFacts>,
}

/// The packages and calls of an addon.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddonFacts {
    /// The addon.
    pub name: Addon,
    /// Its packages.
    pub packages: Vec<PinnedPackage>,
    /// The variables it reads from the service's environment.
    pub variables: Vec<String>,
    /// The end of the call that starts it, once per service.
    pub start: String,
    /// The end of the call that each application is passed to.
    pub hook: String,
    /// The names its lines use.
    pub imports: Vec<ImportedSymbol>,
}

/// A package, and its version for lists that pin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinnedPackage {
    /// The normalised name.
    pub package: String,
    /// The newest version known to work.
    pub version: String,
}

/// A name used by inserted lines, and where it is imported from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportedSymbol {
    /// `opentelemetry.sdk.trace`; empty if the name is itself a module.
    pub module: String,
    /// `TracerProvider`
    pub name: String,
}

impl ImportedSymbol {
    pub(super) fn new(module: &str, name: &str) -> Self {
        Self { module: module.to_owned(), name: name.to_owned() }
    }

    /// Returns the dotted path, as imports resolve it.
    pub(super) fn path(&self) -> String {
        if self.module.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{}", self.module, self.name)
        }
    }
}

/// A package that traced services need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracingPackage {
    /// The normalised name.
    pub package: String,
    /// Another package that depends on it.
    #[serde(default)]
    pub within: Option<String>,
    /// The framework it traces; services of other frameworks do not need it.
    #[serde(default)]
    pub framework: Option<String>,
}

impl TracingPackage {
    /// Returns whether a service of these frameworks needs it; an empty list means that the framework is unknown.
    pub(crate) fn is_for(&self, frameworks: &[&PythonFramework]) -> bool {
        let framework = self.framework.as_deref();
        frameworks.is_empty()
            || framework
                .is_none_or(|name| frameworks.iter().any(|framework| framework.package == name))
    }
}

/// The instrumentation of one library.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstrumentedLibrary {
    /// Normalised names of packages that show that the library is used.
    pub uses: Vec<String>,
    /// The module names it is imported by.
    pub imports: Vec<String>,
    /// The connections that `instrument()` affects.
    #[serde(default)]
    pub reach: InstrumentReach,
    /// The first release that its instrumentation does not support.
    #[serde(default)]
    pub below: Option<String>,
    /// Packages with which its instrumentation is not added.
    #[serde(default)]
    pub clashes: Vec<String>,
    /// The package that instruments it.
    pub package: String,
    /// The module of its class.
    pub module: String,
    /// Its class; `….instrument()` is called on an instance.
    pub class: String,
    /// The first contrib minor release that contains it.
    #[serde(default)]
    pub since: u32,
}

/// The connections of a library that `instrument()` affects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InstrumentReach {
    /// All connections, whenever they were made.
    #[default]
    All,
    /// Only connections made afterwards.
    Later,
}

impl InstrumentedLibrary {
    /// Returns whether this dotted name, as imports resolve it, belongs to the library.
    pub(crate) fn owns(&self, path: &str) -> bool {
        self.imports.iter().any(|prefix| {
            let rest = path.strip_prefix(prefix.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Returns whether the object with this name may connect on construction. A Flask extension waits until it gets
    /// the application.
    pub(crate) fn connects(&self, path: &str) -> bool {
        self.owns(path) && !path.starts_with("flask_")
    }

    /// Returns one of these packages with which the instrumentation causes harm.
    pub(crate) fn clash<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        names.into_iter().find(|name| self.clashes.iter().any(|other| other == name))
    }
}

/// A core and a contrib version that pip can install together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionSet {
    /// The oldest supported Python, `3.10`.
    #[serde(default)]
    pub python: String,
    /// `1.45.1`
    pub core: String,
    /// `0.66b1`
    pub contrib: String,
}

/// The difference between the minor versions of contrib and core.
const CONTRIB_MINOR_OFFSET: u32 = 21;

impl VersionSet {
    /// Returns the set of a core version: `1.45.1` with `0.66b1`.
    pub(crate) fn of_core(core: &str) -> Option<Self> {
        let mut parts = core.strip_prefix("1.")?.splitn(2, '.');
        let minor: u32 = parts.next()?.parse().ok()?;
        let patch: u32 = parts.next().unwrap_or("0").parse().ok()?;
        Some(Self {
            python: String::new(),
            core: format!("1.{minor}.{patch}"),
            contrib: format!("0.{}b{patch}", minor + CONTRIB_MINOR_OFFSET),
        })
    }

    /// Returns the set of a contrib version.
    pub(crate) fn of_contrib(contrib: &str) -> Option<Self> {
        let (minor, patch) = contrib.strip_prefix("0.")?.split_once('b')?;
        let minor: u32 = minor.parse().ok()?;
        let patch: u32 = patch.parse().ok()?;
        Self::of_core(&format!("1.{}.{patch}", minor.checked_sub(CONTRIB_MINOR_OFFSET)?))
    }

    /// Returns the minor number of the contrib version.
    pub(crate) fn contrib_minor(&self) -> u32 {
        let digits = self.contrib.trim_start_matches("0.").split('b').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }
}

static CATALOGUE: LazyLock<PythonCatalogue> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../../../templates/instrumentations.yaml"))
        .unwrap_or_default()
});

/// Returns the catalogue.
pub(crate) fn python_catalogue() -> &'static PythonCatalogue {
    &CATALOGUE
}

impl PythonCatalogue {
    /// Returns the facts about an addon.
    pub(crate) fn addon(&self, addon: Addon) -> Option<&AddonFacts> {
        self.addons.iter().find(|facts| facts.name == addon)
    }

    /// Returns the newest set that runs on `python` (`3.9`, `3.12.1`), or the newest of all if the version is
    /// unknown.
    pub(crate) fn newest_for(&self, python: Option<&str>) -> Option<&VersionSet> {
        let Some(python) = python.and_then(minor_version) else {
            return self.versions.first();
        };
        self.versions
            .iter()
            .find(|set| minor_version(&set.python).is_some_and(|oldest| oldest <= python))
    }
}

fn minor_version(python: &str) -> Option<(u32, u32)> {
    let mut numbers = python.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_valid_and_its_version_sets_match() {
        let catalogue = python_catalogue();
        assert!(catalogue.libraries.len() > 10);
        assert!(
            catalogue.addon(Addon::Xray).is_some() && catalogue.addon(Addon::Rollbar).is_some()
        );
        for set in &catalogue.versions {
            assert_eq!(VersionSet::of_core(&set.core).unwrap().contrib, set.contrib);
            assert_eq!(VersionSet::of_contrib(&set.contrib).unwrap().core, set.core);
        }
    }

    #[test]
    fn an_old_python_gets_a_set_it_can_run() {
        let newest = |python| python_catalogue().newest_for(python).map(|set| set.core.as_str());
        assert_eq!(newest(None), Some("1.45.1"));
        assert_eq!(newest(Some("3.12-slim")), Some("1.45.1"));
        assert_eq!(newest(Some("3.9.2")), Some("1.41.1"));
        assert_eq!(newest(Some("2.7")), None);
    }
}
