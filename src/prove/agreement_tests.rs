//! Compares doctor and verify on every project of `COMPOSE_CORPUS`: does it load, which setting wins, which variables
//! are unset, which services have a name.

#![expect(clippy::print_stdout, reason = "a test says why it is skipped, and what it compared")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::subject::EffectiveSettings;
use crate::compose::{ComposeModel, NAMES, ServiceModel, VariableOrigin};
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES, UNNAMED_SERVICE};
use crate::lint::{self, Inspection, LintFinding, OutsideFacts};
use crate::project::Project;
use crate::session::collect::inspect_project;
use crate::shell::Shell;

/// Returns the projects of the corpus: folders with a compose file, and compose files with other names.
fn find_corpus_projects(corpus: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![corpus.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let is_yaml =
                path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
            let speaks =
                || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("services:"));
            if path.is_dir() {
                folders.push(path);
            } else if NAMES.iter().any(|name| path.ends_with(name)) {
                found.push(folder.clone());
            } else if is_yaml && speaks() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn open_corpus_project(path: &Path) -> Option<Project> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let mut variables = BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned())]);
    if path.is_file() {
        variables.insert("COMPOSE_FILE".to_owned(), path.display().to_string());
    }
    Project::discover(&Shell::new(variables, folder.to_owned()), None).ok()
}

#[test]
fn doctor_and_verify_say_the_same_of_every_project_of_the_corpus() {
    let Some(corpus) = std::env::var_os("COMPOSE_CORPUS") else {
        println!("skipped: COMPOSE_CORPUS names no folder of compose files");
        return;
    };
    let (mut disagreements, mut read, mut services, mut telling) = (Vec::new(), 0, 0, 0);
    for path in find_corpus_projects(Path::new(&corpus)) {
        let Some(project) = open_corpus_project(&path) else { continue };
        let Ok(mut inspection) = inspect_project(&project) else {
            assert!(project.model().is_err(), "{}", path.display());
            continue;
        };
        inspection.outside = Some(OutsideFacts::default());
        let findings = lint::examine(&inspection);
        let mut differ =
            |difference: String| disagreements.push(format!("{}: {difference}", path.display()));
        read += 1;
        let has = |codes: &[&str]| findings.iter().any(|finding| codes.contains(&finding.code));
        let Ok(model) = project.model() else {
            if !has(&["yaml-syntax", "compose-refused"]) {
                differ("verify cannot read it, doctor finds nothing".to_owned());
            }
            continue;
        };
        let refused = model.lasting_refusals().next().is_some();
        if refused != has(&["compose-refused", "yaml-duplicate-key"]) {
            differ(format!("verify says refused: {refused}, doctor does not"));
        }
        services += model.services.len();
        telling += compare_services(&project, model, &inspection, &findings, &mut differ);
    }
    println!("{read} projects, {services} services, {telling} with telemetry settings");
    assert!(read > 100, "{read} projects in {}", Path::new(&corpus).display());
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}

/// Compares service by service; returns the number of services with telemetry settings.
fn compare_services(
    project: &Project,
    model: &ComposeModel,
    inspection: &Inspection,
    findings: &[LintFinding],
    differ: &mut impl FnMut(String),
) -> usize {
    let none = BTreeSet::new();
    let mut unset: BTreeSet<String> = BTreeSet::new();
    let mut telling = 0;
    for (_, service, scope) in inspection.service_scopes() {
        let effective = EffectiveSettings::new(model, service, model.plain(), &none);
        for setting in effective.settings.iter() {
            let uses = setting
                .uses
                .iter()
                .filter(|variable_use| variable_use.won_by == VariableOrigin::Unset);
            unset.extend(uses.map(|variable_use| variable_use.name.clone()));
            if !setting.name.starts_with("OTEL_") {
                continue;
            }
            let position = model.place(setting.source.span());
            let Some(assignment) = scope.setting(&setting.name) else {
                differ(format!("{}: doctor does not see {}", service.name, setting.name));
                continue;
            };
            let assigned_at = assignment.file.place(assignment.name_range.start);
            if (&assigned_at.path, assigned_at.line) != (&position.path, position.line) {
                differ(format!("{}: {} is won elsewhere", service.name, setting.name));
            }
            let is_whole = setting
                .uses
                .iter()
                .all(|variable_use| variable_use.won_by != VariableOrigin::Unset);
            if let (true, Some(value)) = (is_whole, setting.value.known())
                && *assignment.resolved() != *value
            {
                differ(format!("{}: {} has another value", service.name, setting.name));
            }
        }
        if !effective.is_traced() {
            continue;
        }
        telling += 1;
        for name in effective.lacking() {
            let is_reported = |finding: &LintFinding| {
                finding.message.contains(&name) || finding.code == "env-near-miss"
            };
            if !findings.iter().any(is_reported) {
                differ(format!("{}: verify lacks {name}, doctor does not", service.name));
            }
        }
        compare_names(project, model, service, &effective, findings, differ);
    }
    for finding in findings.iter().filter(|finding| finding.code == "variable-unstored") {
        let names = finding
            .message
            .split(" is ")
            .next()
            .unwrap_or_default()
            .split(" are ")
            .next()
            .unwrap_or_default();
        for name in names.split(", ") {
            let is_near = |typed: &String| lint::find_intended_variable(typed) == Some(name);
            if !unset.contains(name) && !unset.iter().any(is_near) {
                differ(format!("doctor says {name} is unset, which it is not"));
            }
        }
    }
    telling
}

fn compare_names(
    project: &Project,
    model: &ComposeModel,
    service: &ServiceModel,
    effective: &EffectiveSettings<'_>,
    findings: &[LintFinding],
    differ: &mut impl FnMut(String),
) {
    const UNNAMED_CASES: [&str; 4] =
        ["name-missing", "name-from-variable", "env-near-miss", "variable-unstored"];
    let line = model.place(&service.name_span).line;
    let is_unnamed = effective.subject(project, None).name.starts_with(UNNAMED_SERVICE);
    let missing =
        findings.iter().any(|finding| finding.code == "name-missing" && finding.place.line == line);
    if missing && !is_unnamed {
        differ(format!("{}: doctor misses a name that verify has", service.name));
    }
    let is_sending = [ENDPOINT_VARIABLES, HEADERS_VARIABLES]
        .iter()
        .any(|names| effective.winner(*names).is_some());
    let is_known = lint::inspection::has_unread_settings(service);
    let is_reported = findings.iter().any(|finding| UNNAMED_CASES.contains(&finding.code));
    if is_unnamed && is_sending && service.build.is_some() && !is_known && !is_reported {
        differ(format!("{}: verify misses a name, doctor does not", service.name));
    }
}
