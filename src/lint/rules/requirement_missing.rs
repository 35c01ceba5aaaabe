//! `requirement-missing`: an import that no requirement installs.

use crate::edit::patch::TextPatch;
use crate::edit::python::bindings::ImportDepth;
use crate::edit::requirements::{HashLocking, VersionBounds};
use crate::lint::packages::{PythonFile, RequirementsFile};
use crate::lint::{FindingFix, Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-missing",
    severity: Severity::Error,
    why: "the image is built without the package: a program that imports it stops with ModuleNotFoundError, and without an exporter no span is sent",
    explanation: "A module imports OpenTelemetry, X-Ray's SDK or Rollbar, and the requirements file of its folder \
        does not list a package that provides it. A file that includes others (`-r`) is not checked. Instrumentation \
        packages without an exporter send nothing, and are reported at their own line.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n  b: {build: ./b}\n"),
        ("api/requirements.txt", "flask\nopentelemetry-sdk\n"),
        (
            "api/app.py",
            "from flask import Flask\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter # <-\nimport rollbar # <-\n",
        ),
        ("b/requirements.txt", "opentelemetry-instrumentation-flask # <-\n"),
    ],
    passing: &[
        (
            "api/requirements.txt",
            "flask\nopentelemetry-exporter-otlp\nopentelemetry-instrumentation-psycopg2\n",
        ),
        (
            "api/app.py",
            "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let whole = |file: &&RequirementsFile| {
        file.read.includes.is_empty()
            && file.read.pasted.is_empty()
            && file.read.unreadable.is_empty()
    };
    let mut hits = Vec::new();
    for file in inspection.requirements.iter().filter(whole) {
        hits.extend(without_exporter(file));
    }
    for module in &inspection.python {
        if let [file] = inspection.requirements_for(module)[..]
            && whole(&file)
        {
            hits.extend(find_unlisted_imports(inspection, file, module));
        }
    }
    hits
}

fn without_exporter(file: &RequirementsFile) -> Option<RuleHit> {
    let names = |part: &str| file.read.entries.iter().any(|entry| entry.name.contains(part));
    let first = file
        .read
        .entries
        .iter()
        .find(|entry| entry.name.starts_with("opentelemetry-instrumentation-"))?;
    // Another package, such as a vendor's distro, may install an exporter.
    let brought = ["exporter", "distro", "otlp", "honeycomb", "azure-monitor", "splunk", "elastic"];
    let pronounced =
        file.read.entries.iter().any(|entry| super::names::nearly(&entry.name).is_some());
    (!pronounced && !brought.iter().any(|part| names(part))).then(|| {
        let missing: Vec<String> = ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"]
            .into_iter()
            .filter(|name| !file.read.has(name))
            .map(str::to_owned)
            .collect();
        let mut hit = RuleHit::new(
            &file.file,
            file.offset(first.line),
            "an instrumentation is listed here, but no exporter",
            format!("add `{}`", missing.join("` and `")),
        )
        .as_severe_as(Severity::Warning);
        hit.fix = build_append_fix(file, &missing);
        hit
    })
}

fn find_unlisted_imports(
    inspection: &Inspection,
    file: &RequirementsFile,
    module: &PythonFile,
) -> Vec<RuleHit> {
    let mut hits: Vec<RuleHit> = Vec::new();
    for import in module.module.imports.iter().filter(|import| import.depth == ImportDepth::Top) {
        let packages = list_providing_packages(&import.path);
        let brought = |entry: &str| {
            packages.iter().any(|package| {
                entry == package || super::names::nearly(entry) == Some(package.as_str())
            })
        };
        if packages.is_empty() || file.read.entries.iter().any(|entry| brought(&entry.name)) {
            continue;
        }
        if hits.iter().any(|hit| hit.offset == import.start) {
            continue;
        }
        let mut hit = RuleHit::new(
            &module.file,
            import.start,
            format!(
                "{} does not name {}",
                inspection.shown(&file.file.path).display(),
                packages[0]
            ),
            format!("add `{}` to it", packages[0]),
        );
        hit.fix = build_append_fix(file, &packages[..1]);
        hits.push(hit);
    }
    hits
}

/// Appends lines to a list that pins no OpenTelemetry package; with pins, the matching version is unknown here.
fn build_append_fix(file: &RequirementsFile, packages: &[String]) -> Option<FindingFix> {
    let read = &file.read;
    let is_pinned = read
        .entries
        .iter()
        .any(|entry| entry.name.starts_with("opentelemetry") && entry.bounds != VersionBounds::Any);
    if is_pinned || read.locking == HashLocking::Hashes || read.compiled_from.is_some() {
        return None;
    }
    let patch = TextPatch::append_lines(&file.file.text, packages);
    Some(FindingFix { path: file.file.path.clone(), patches: vec![patch] })
}

/// Returns the packages that provide an import, of which one is needed; empty if that is uncertain.
fn list_providing_packages(path: &str) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let below = |module: &str| path == module || path.starts_with(&format!("{module}."));
    if below("opentelemetry.exporter.otlp.proto.http") {
        return owned(&["opentelemetry-exporter-otlp-proto-http", "opentelemetry-exporter-otlp"]);
    }
    if below("opentelemetry.exporter.otlp.proto.grpc") {
        return owned(&["opentelemetry-exporter-otlp-proto-grpc", "opentelemetry-exporter-otlp"]);
    }
    if below("aws_xray_sdk") {
        return owned(&["aws-xray-sdk"]);
    }
    if below("rollbar") {
        return owned(&["rollbar"]);
    }
    let rest = path.strip_prefix("opentelemetry.instrumentation.");
    match rest.and_then(|rest| rest.split('.').next()) {
        Some(
            what @ ("flask" | "requests" | "psycopg2" | "psycopg" | "botocore" | "redis" | "django"
            | "fastapi"),
        ) => {
            vec![format!("opentelemetry-instrumentation-{what}")]
        }
        _ => Vec::new(),
    }
}
