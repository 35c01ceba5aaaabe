//! Every shape of an application in [`super::table`]: planned, imported by Python, and sent a request.

use std::path::{Path, PathBuf};

use cruddur_ops::error::Result;
use cruddur_ops::plan::Plan;
use cruddur_ops::plan::instrument::{MistakePolicy, plan_instrumentation};

use super::table::{SHAPES, Shape, same_bytes};

fn files(shape: &Shape) -> Vec<(String, String)> {
    let named = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    shape.files.iter().map(named).collect()
}

fn planned(shape: &Shape, files: &[(String, String)]) -> Result<Plan> {
    plan_instrumentation(&super::service(files, shape.requirements, &[]), shape.mistakes)
}

/// Returns the planned files without requirements.
fn applied(files: &[(String, String)], plan: &Plan) -> Vec<(String, String)> {
    let after = |path: &str| {
        let path = Path::new("/s").join(path);
        plan.changes.iter().find(|change| change.path == path)?.after.as_deref()
    };
    files
        .iter()
        .map(|(path, text)| (path.clone(), after(path).unwrap_or(text).to_owned()))
        .collect()
}

#[test]
fn every_line_stays_and_twice_is_once() {
    for shape in SHAPES {
        let before = files(shape);
        let plan =
            planned(shape, &before).unwrap_or_else(|error| panic!("{}: {error:?}", shape.name));
        let after = applied(&before, &plan);
        for ((path, old), (_, new)) in before.iter().zip(&after) {
            assert!(
                shape.mistakes == MistakePolicy::Fix || same_bytes(old, new),
                "{} {path}:\n{new}",
                shape.name
            );
            assert!(
                !old.contains("\r\n") || !new.replace("\r\n", "").contains('\n'),
                "{}: {new:?}",
                shape.name
            );
        }
        let again = planned(shape, &after).unwrap();
        let touched: Vec<&PathBuf> = again
            .changes
            .iter()
            .map(|change| &change.path)
            .filter(|path| !path.ends_with("requirements.txt"))
            .collect();
        assert!(touched.is_empty(), "{}: {:?}", shape.name, again.changes);
    }
}

#[test]
fn every_shape_is_imported_and_traces_each_request_once() {
    let Some(python) = super::python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for shape in SHAPES {
        let before = files(shape);
        let after = applied(&before, &planned(shape, &before).unwrap());
        let home = folder.path().join(shape.name);
        for (path, text) in after {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        cases.push(serde_json::json!({ "folder": home, "entry": shape.entry }));
    }
    let input = serde_json::Value::from(cases).to_string();
    let output = super::script(&python, "trace_one_request.py", &input);
    let answers: Vec<serde_json::Value> = serde_json::from_str(&output).unwrap();
    let mut wrong = Vec::new();
    for (shape, answer) in SHAPES.iter().zip(answers) {
        let spans = answer["server"].as_array().map(Vec::len);
        if spans != Some(shape.requests) {
            let text =
                std::fs::read_to_string(folder.path().join(shape.name).join(shape.files[0].0))
                    .unwrap();
            wrong.push(format!("{}: {answer:#}\n{text}", shape.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
