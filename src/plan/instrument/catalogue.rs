//! What is installed and called for which library, and which versions belong together: `instrumentations.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::edit::python::framework::Framework;
use crate::provider::Addon;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Newest first.
    pub versions: Vec<Set>,
    /// Core releases without a contrib release beside them.
    pub alone: Vec<String>,
    /// Packages that share the core version.
    pub core: Vec<Package>,
    /// Packages that share the contrib version.
    pub contrib: Vec<Package>,
    /// What `opentelemetry-instrument` needs besides.
    pub zero_code: String,
    /// Instrumentations of libraries.
    pub libraries: Vec<Library>,
    /// What is added only where it is asked for.
    pub addons: Vec<AddonFacts>,
}

/// What an addon installs and calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddonFacts {
    /// Which.
    pub name: Addon,
    /// What it installs.
    pub packages: Vec<Pinned>,
    /// What it reads from the service's environment.
    pub variables: Vec<String>,
    /// The end of the call that starts it, once.
    pub start: String,
    /// The end of the call that each application is handed to.
    pub hook: String,
    /// The names its lines use.
    pub imports: Vec<Symbol>,
}

/// A package and the version for lists that pin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// Normalised name.
    pub package: String,
    /// Newest known to work.
    pub version: String,
}

/// A name that inserted lines use, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbol {
    /// `opentelemetry.sdk.trace`; empty for a module of its own.
    pub module: String,
    /// `TracerProvider`
    pub name: String,
}

impl Symbol {
    pub(super) fn new(module: &str, name: &str) -> Self {
        Self { module: module.to_owned(), name: name.to_owned() }
    }

    /// As imports resolve it.
    pub(super) fn path(&self) -> String {
        if self.module.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{}", self.module, self.name)
        }
    }
}

/// One package every traced service needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Normalised name.
    pub package: String,
    /// A package that brings it along.
    #[serde(default)]
    pub within: Option<String>,
    /// The framework it traces; a service of another one does without.
    #[serde(default)]
    pub framework: Option<String>,
}

impl Package {
    /// Returns whether a service of these frameworks needs it; without any, each may be the service's.
    pub fn is_for(&self, frameworks: &[&Framework]) -> bool {
        let framework = self.framework.as_deref();
        frameworks.is_empty()
            || framework.is_none_or(|name| frameworks.iter().any(|one| one.package == name))
    }
}

/// The instrumentation of a library.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Normalised names of packages that show the library to be used.
    pub uses: Vec<String>,
    /// The modules it is imported as.
    pub imports: Vec<String>,
    /// What `instrument()` reaches.
    #[serde(default)]
    pub reach: Reach,
    /// The first release that its instrumentation refuses.
    #[serde(default)]
    pub below: Option<String>,
    /// Packages beside which its instrumentation is left out.
    #[serde(default)]
    pub clashes: Vec<String>,
    /// The package that instruments it.
    pub package: String,
    /// Where its class lies.
    pub module: String,
    /// `….instrument()` is called on an instance of it.
    pub class: String,
    /// The first contrib minor release that has it.
    #[serde(default)]
    pub since: u32,
}

/// What of a library an `instrument()` reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Every connection, whenever it was made.
    #[default]
    All,
    /// Connections made from then on.
    Later,
}

impl Library {
    /// Whether this name, as imports resolve it, belongs to the library.
    pub fn owns(&self, path: &str) -> bool {
        self.imports.iter().any(|own| {
            let rest = path.strip_prefix(own.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Whether what has this name may connect by itself. An extension of Flask's waits until it is handed the application.
    pub fn connects(&self, path: &str) -> bool {
        self.owns(path) && !path.starts_with("flask_")
    }

    /// A package of these beside which its instrumentation does harm.
    pub fn clash<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        names.into_iter().find(|name| self.clashes.iter().any(|other| other == name))
    }
}

/// A core and a contrib version that pip accepts together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The oldest Python it runs on, `3.10`.
    #[serde(default)]
    pub python: String,
    /// `1.45.1`
    pub core: String,
    /// `0.66b1`
    pub contrib: String,
}

/// Contrib minor versions are this much ahead of core's.
const AHEAD: u32 = 21;

impl Set {
    /// The set a core version belongs to: `1.45.1` with `0.66b1`.
    pub fn of_core(core: &str) -> Option<Self> {
        let mut parts = core.strip_prefix("1.")?.splitn(2, '.');
        let minor: u32 = parts.next()?.parse().ok()?;
        let patch: u32 = parts.next().unwrap_or("0").parse().ok()?;
        Some(Self {
            python: String::new(),
            core: format!("1.{minor}.{patch}"),
            contrib: format!("0.{}b{patch}", minor + AHEAD),
        })
    }

    /// The set a contrib version belongs to.
    pub fn of_contrib(contrib: &str) -> Option<Self> {
        let (minor, patch) = contrib.strip_prefix("0.")?.split_once('b')?;
        let minor: u32 = minor.parse().ok()?;
        let patch: u32 = patch.parse().ok()?;
        Self::of_core(&format!("1.{}.{patch}", minor.checked_sub(AHEAD)?))
    }

    /// The contrib version's minor number.
    pub fn contrib_minor(&self) -> u32 {
        let digits = self.contrib.trim_start_matches("0.");
        let digits = digits.split('b').next().unwrap_or_default();
        digits.parse().unwrap_or_default()
    }
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../../../templates/instrumentations.yaml"))
        .unwrap_or_default()
});

/// The catalogue.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// What an addon installs and calls.
    pub fn addon(&self, addon: Addon) -> Option<&AddonFacts> {
        self.addons.iter().find(|facts| facts.name == addon)
    }

    /// The newest set that runs on `python` (`3.9`, `3.12.1`), or the newest of all where nobody says.
    pub fn newest_for(&self, python: Option<&str>) -> Option<&Set> {
        let Some(python) = python.and_then(minor) else {
            return self.versions.first();
        };
        self.versions.iter().find(|set| minor(&set.python).is_some_and(|oldest| oldest <= python))
    }
}

fn minor(python: &str) -> Option<(u32, u32)> {
    let mut numbers = python.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_its_sets_belong_together() {
        let catalogue = catalogue();
        assert!(catalogue.libraries.len() > 10);
        assert!(
            catalogue.addon(Addon::Xray).is_some() && catalogue.addon(Addon::Rollbar).is_some()
        );
        for set in &catalogue.versions {
            assert_eq!(Set::of_core(&set.core).unwrap().contrib, set.contrib);
            assert_eq!(Set::of_contrib(&set.contrib).unwrap().core, set.core);
        }
    }

    #[test]
    fn an_old_python_gets_a_set_it_can_run() {
        let newest = |python| catalogue().newest_for(python).map(|set| set.core.as_str());
        assert_eq!(newest(None), Some("1.45.1"));
        assert_eq!(newest(Some("3.12-slim")), Some("1.45.1"));
        assert_eq!(newest(Some("3.9.2")), Some("1.41.1"));
        assert_eq!(newest(Some("2.7")), None);
    }
}
