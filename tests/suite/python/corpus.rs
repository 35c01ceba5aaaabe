//! Requirements files of public repositories, extended, then read by pip's own parser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cruddur_ops::edit::requirements::Requirements;
use cruddur_ops::error::Result;
use cruddur_ops::plan::Plan;
use cruddur_ops::plan::instrument::{MistakePolicy, plan_instrumentation};

use super::table::same_bytes;
use crate::sandbox::list_files;

/// Returns every `*requirements*.txt` of the corpus, or the reason to skip.
fn corpus() -> Option<Vec<PathBuf>> {
    let named = std::env::var_os("CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Some(home) = named.or_else(|| beside.exists().then_some(beside)) else {
        println!("skipped: CORPUS names no folder of real files");
        return None;
    };
    let mut found = list_files(&home);
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.contains("requirements") && name.ends_with(".txt")
    });
    assert!(!found.is_empty());
    Some(found)
}

fn planned(text: &str) -> Result<Plan> {
    let app = "from flask import Flask\napp = Flask(__name__)\n".to_owned();
    let service = super::service(&[("app.py".to_owned(), app)], text, &[]);
    plan_instrumentation(&service, MistakePolicy::Say)
}

fn after(text: &str) -> Result<String> {
    let plan = planned(text)?;
    let is_list = |path: &Path| path.ends_with("requirements.txt");
    let change = plan.changes.iter().find(|change| is_list(&change.path));
    let after = change.and_then(|change| change.after.as_deref());
    Ok(after.unwrap_or(text).to_owned())
}

#[test]
fn lines_keep_their_bytes_and_twice_is_once() {
    let Some(paths) = corpus() else { return };
    for path in paths {
        let before = std::fs::read_to_string(&path).unwrap();
        let after = after(&before).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        if Requirements::parse(&before).pasted.is_empty() {
            assert!(same_bytes(&before, &after), "{}:\n{after}", path.display());
        }
        assert_eq!(self::after(&after).unwrap(), after, "{}", path.display());
    }
}

#[test]
fn pip_reads_the_result_and_no_name_came_twice() {
    let (Some(paths), Some(python)) = (corpus(), super::python()) else {
        return;
    };
    let before: Vec<String> =
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let texts: Vec<String> =
        before.iter().cloned().chain(before.iter().map(|text| after(text).unwrap())).collect();
    let input = serde_json::to_string(&texts).unwrap();
    let output = super::script(&python, "read_requirements.py", &input);
    let answers: Vec<serde_json::Value> = serde_json::from_str(&output).unwrap();
    let (old, new) = answers.split_at(before.len());
    for ((path, old), new) in paths.iter().zip(old).zip(new) {
        let Some(names) = new.as_array() else {
            panic!("{}: {new}", path.display());
        };
        let count = |names: &[serde_json::Value]| {
            let mut count: BTreeMap<String, usize> = BTreeMap::new();
            for name in names {
                *count.entry(name.as_str().unwrap().to_owned()).or_default() += 1;
            }
            count
        };
        let old = count(old.as_array().map(Vec::as_slice).unwrap_or_default());
        for (name, times) in count(names) {
            let allowed = old.get(&name).copied().unwrap_or(1);
            assert!(times <= allowed, "{}: {name} stands there {times} times", path.display());
        }
    }
}
