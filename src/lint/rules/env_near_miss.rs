//! `env-near-miss`: a misspelt name of a variable.

use std::ops::Range;

use crate::compose::find_references;
use crate::edit::patch::TextPatch;
use crate::lint::known::find_intended_variable;
use crate::lint::scope::{ProgramVariables, VariableAssignment};
use crate::lint::{Inspection, LintRule, PythonFile, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "env-near-miss",
    severity: Severity::Error,
    why: "no program reads a misspelt variable or reports it: the setting is simply missing",
    explanation: "OTEP_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADER without its S, AWS_XRAY_DAEMON_ADDRSES: \
        variables of OpenTelemetry, Honeycomb, X-Ray, Rollbar and Gitpod are compared with every name that is set or \
        referred to, and a name that differs by a letter or two is reported as a typo. So is \
        `${AWS-DEFAULT_REGION}`, which reads the variable AWS with the default text DEFAULT_REGION. The AWS SDK for \
        Python reads AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not AWS_ACCESS_KEY or AWS_SECRET_KEY.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEP_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io # <-\n      BACKEND_URL: https://4567-${GITPOS_WORKSPACE_ID}.x # <-\n      REGION: ${AWS-DEFAULT_REGION} # <-\n  web:\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_SERVICENAME: web # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      MY_HEADERS: x=${HONEYCOMB_API_KEY_BACKEND}\n      REGION: ${AWS_DEFAULT_REGION-us-east-1}\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in &scope.assignments {
            hits.extend(misspelt_name(inspection, &scope, setting));
            hits.extend(misspelt_references(setting));
        }
    }
    hits
}

fn misspelt_name(
    inspection: &Inspection,
    scope: &ProgramVariables<'_>,
    setting: &VariableAssignment<'_>,
) -> Option<RuleHit> {
    let of_aws = || name_of_aws(inspection, scope, setting.name);
    let meant = find_intended_variable(setting.name.trim()).or_else(of_aws)?;
    let hit = |advice| {
        let message = format!("nothing reads {}; did you mean {meant}?", setting.name.trim());
        RuleHit::new(setting.file, setting.name_range.start, message, advice)
    };
    Some(match scope.setting(meant) {
        Some(right) => {
            let hit = hit(format!("remove the line: {meant} is set already"))
                .as_severe_as(Severity::Warning);
            match own_line(setting, right) {
                Some(line) => hit.fixed_by(vec![TextPatch::replace(line, "")]),
                None => hit,
            }
        }
        None => hit(format!("spell it `{meant}`"))
            .fixed_by(vec![TextPatch::replace(setting.name_range.clone(), meant)]),
    })
}

/// Returns the name that the AWS SDK for Python reads instead of one that only other SDKs accept.
fn name_of_aws(
    inspection: &Inspection,
    scope: &ProgramVariables<'_>,
    name: &str,
) -> Option<&'static str> {
    let meant = match name {
        "AWS_ACCESS_KEY" => "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_KEY" => "AWS_SECRET_ACCESS_KEY",
        _ => return None,
    };
    let service = scope.service?;
    let modules = || inspection.python_of(service);
    let uses = |module: &PythonFile| {
        module.module.imports.iter().any(|import| import.path.starts_with("boto"))
    };
    (modules().any(uses) && !modules().any(|module| module.quotes(name))).then_some(meant)
}

/// Returns the byte range of the line that sets only this variable, with its line ending.
fn own_line(
    setting: &VariableAssignment<'_>,
    right: &VariableAssignment<'_>,
) -> Option<Range<usize>> {
    let file = setting.file;
    let number = file.place(setting.name_range.start).line;
    let (at, line) = file.line(number)?;
    let is_right_here =
        right.file.path == file.path && file.place(right.name_range.start).line == number;
    let lead = line.get(..setting.name_range.start.checked_sub(at)?)?;
    let is_alone =
        lead.trim_start_matches(' ').trim_start_matches("- ").trim_matches(['"', '\'']).is_empty();
    let ends_here = match (&setting.value, &setting.value_range) {
        (None, _) => true,
        (Some(_), Some(value)) => value.end <= at + line.len(),
        (Some(_), None) => false,
    };
    file.line_range(number).filter(|_| is_alone && ends_here && !is_right_here)
}

fn misspelt_references(setting: &VariableAssignment<'_>) -> Vec<RuleHit> {
    let value = setting.text();
    find_references(value)
        .into_iter()
        .filter_map(|reference| {
            let meant = find_intended_variable(reference.name)
                .map(|meant| format!("${{{meant}{}}}", reference.rest))
                .or_else(|| find_dashed_name(reference.name, reference.rest))?;
            let hit = RuleHit::new(
                setting.file,
                setting
                    .value_range
                    .as_ref()
                    .map_or(setting.value_at, |range| range.start + reference.range.start),
                format!("nothing sets {}", &value[reference.range.clone()]),
                format!("spell it `{meant}`"),
            );
            Some(match &setting.value_range {
                None => hit,
                Some(bytes) => hit.fixed_by(vec![TextPatch::replace(
                    bytes.start + reference.range.start..bytes.start + reference.range.end,
                    meant,
                )]),
            })
        })
        .collect()
}

/// Recognises `${AWS-DEFAULT_REGION}`, with a dash in place of an underscore.
fn find_dashed_name(name: &str, rest: &str) -> Option<String> {
    const DASHED_NAMES: [&str; 5] = [
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "HONEYCOMB_API_KEY",
        "ROLLBAR_ACCESS_TOKEN",
    ];
    let typed = format!("{name}{rest}").replace('-', "_");
    (rest.starts_with('-') && DASHED_NAMES.contains(&typed.as_str()))
        .then(|| format!("${{{typed}}}"))
}
