//! Reads the packages that lock files and their sources name.
//!
//! Lock files are never written here: their own tool does that.

use serde_json::Value;
use toml_edit::{Document, Item};

use super::requirements::{RequirementEntry, Requirements, VersionBounds, normalize_package_name};

/// Reads the packages of a `uv.lock`, `poetry.lock` or `pdm.lock`, with their versions; `None` if it is not TOML.
pub(crate) fn toml_lock(text: &str) -> Option<Vec<RequirementEntry>> {
    let document = Document::parse(text).ok()?;
    let packages = document
        .as_table()
        .get("package")
        .and_then(Item::as_array_of_tables)
        .into_iter()
        .flatten()
        .filter_map(|table| {
            let version = table.get("version").and_then(Item::as_str);
            Some(locked_entry(table.get("name")?.as_str()?, version.map(str::to_owned)))
        });
    Some(packages.collect())
}

/// Reads the packages of a `Pipfile.lock` except those only for development; `None` if it is not a JSON object.
pub(crate) fn pipfile_lock(text: &str) -> Option<Vec<RequirementEntry>> {
    let lock: Value = serde_json::from_str(text).ok()?;
    let packages = lock
        .as_object()?
        .get("default")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, package)| {
            let version = package.get("version").and_then(Value::as_str);
            locked_entry(name, version.map(|version| version.trim_start_matches('=').to_owned()))
        });
    Some(packages.collect())
}

/// Reads the `[packages]` of a `Pipfile`; `None` if it is not TOML.
pub(crate) fn pipfile(text: &str) -> Option<Vec<RequirementEntry>> {
    let document = Document::parse(text).ok()?;
    let packages = document
        .as_table()
        .get("packages")
        .and_then(Item::as_table)
        .into_iter()
        .flat_map(|table| table.iter())
        .map(|(name, item)| {
            let version = item.as_str().and_then(|version| version.strip_prefix("=="));
            locked_entry(name, version.map(str::to_owned))
        });
    Some(packages.collect())
}

/// Reads the packages of a conda `environment.yml`, including those under `pip`; `None` if it is not a YAML mapping.
pub(crate) fn conda_environment(text: &str) -> Option<Vec<RequirementEntry>> {
    let environment: Value = serde_yaml::from_str(text).ok()?;
    let mut found = Vec::new();
    for dependency in environment.as_object()?.get("dependencies")?.as_array()? {
        match dependency {
            Value::String(package) => {
                let name = package.rsplit("::").next().unwrap_or(package);
                let end = name.find(['=', '<', '>', ' ', '[']).unwrap_or(name.len());
                found.push(locked_entry(&name[..end], None));
            }
            Value::Object(table) => {
                let lines: Vec<&str> = table
                    .get("pip")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                found.extend(Requirements::parse(&lines.join("\n")).entries);
            }
            _ => {}
        }
    }
    Some(found)
}

fn locked_entry(name: &str, pin: Option<String>) -> RequirementEntry {
    let bounds = if pin.is_some() { VersionBounds::Version } else { VersionBounds::Any };
    let conditions = pin.iter().map(|pin| format!("=={pin}")).collect();
    RequirementEntry { name: normalize_package_name(name), pin, bounds, conditions, line: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entries: Option<Vec<RequirementEntry>>) -> Vec<String> {
        let entries = entries.unwrap().into_iter();
        entries.map(|entry| format!("{} {}", entry.name, entry.pin.unwrap_or_default())).collect()
    }

    #[test]
    fn every_kind_of_lock_names_its_packages() {
        let lock = "version = 1\n[[package]]\nname = \"Flask\"\nversion = \"3.1.0\"\n[[package]]\nname = \"app\"\n\
                    source = { virtual = \".\" }\n";
        assert_eq!(shown(toml_lock(lock)), ["flask 3.1.0", "app "]);
        assert_eq!(shown(toml_lock("")), [""; 0]);
        let lock =
            r#"{"_meta": {}, "default": {"flask": {"version": "==2.2.5"}}, "develop": {"x": {}}}"#;
        assert_eq!(shown(pipfile_lock(lock)), ["flask 2.2.5"]);
        let file = "[packages]\nFlask = \"*\"\nredis = {version = \"==5\"}\nx = \"==1.0\"\n[dev-packages]\ny = \"*\"\n";
        assert_eq!(shown(pipfile(file)), ["flask ", "redis ", "x 1.0"]);
        let file = "name: a\ndependencies:\n  - python=3.12\n  - conda-forge::Flask>=2\n  - pip:\n    - redis==5.0\n";
        assert_eq!(shown(conda_environment(file)), ["python ", "flask ", "redis 5.0"]);
        for broken in ["{", "[", "\t- a: b: c"] {
            assert!(toml_lock(broken).is_none() && pipfile_lock(broken).is_none());
            assert!(conda_environment(broken).is_none() && pipfile(broken).is_none());
        }
    }
}
