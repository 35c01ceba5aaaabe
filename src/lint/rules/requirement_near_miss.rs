//! `requirement-near-miss`: a misspelt package name.

use crate::edit::patch::TextPatch;
use crate::edit::requirements::normalize_package_name;
use crate::lint::packages::RequirementsFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-near-miss",
    severity: Severity::Error,
    why: "pip finds no such package and installs none of the others, or finds a malicious one with that name",
    explanation: "OpenTelemetry's package names are long, and a typo in one makes the image build fail. Worse, a \
        package with the misspelt name may exist and run someone else's code.",
    failing: &[(
        "requirements.txt",
        "flask\nopentelemetry-exporter-otlp-pronto-http # <-\npentelemetry-instrumentation-flask==0.37b0 # <-\n",
    )],
    passing: &[(
        "requirements.txt",
        "flask\nopentelemetry-exporter-otlp-proto-http\nopentelemetry-instrumentation-wsgi\nopentelemetry_api\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    inspection.requirements.iter().flat_map(find_misspelt_entries).collect()
}

fn find_misspelt_entries(file: &RequirementsFile) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (at, line) in file.file.lines() {
        let body = line.trim_start_matches('\u{feff}').trim_start();
        let end = body
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(body.len());
        let start = at + line.len() - body.len();
        if let Some(meant) = super::names::nearly(&normalize_package_name(&body[..end])) {
            hits.push(
                RuleHit::new(
                    &file.file,
                    start,
                    format!("there is no package {}", &body[..end]),
                    format!("it is called `{meant}`"),
                )
                .fixed_by(vec![TextPatch::replace(start..start + end, meant)]),
            );
        }
    }
    hits
}
