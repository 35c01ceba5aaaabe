//! `sdk-sends-nothing`: a variable that prevents a traced service from sending any span.

use super::sdk::{TracedService, judge_settings, untraced_services};
use crate::instrumentation::{ProblemEffect, SdkProblem, SdkProblemKind, SdkSetup};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "sdk-sends-nothing",
    severity: Severity::Error,
    why: "the service has an endpoint and headers, but its SDK sends nothing",
    explanation: "OTEL_SDK_DISABLED=true switches an SDK off, OTEL_TRACES_EXPORTER=none discards its spans, console \
        only prints them, and OTEL_TRACES_SAMPLER=always_off records none. `opentelemetry-instrument` needs the \
        package of the exporter for OTEL_EXPORTER_OTLP_PROTOCOL (gRPC by default): without it, nothing is sent.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment: &api\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_SDK_DISABLED: \"${OTEL_SDK_DISABLED:-true}\" # <-\n  web:\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_TRACES_EXPORTER: console # <-\n      OTEL_TRACES_SAMPLER: always_off # <-\n  py:\n    build: ./py\n    environment:\n      OTEL_SERVICE_NAME: py\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io # <-\n",
        ),
        (
            "py/requirements.txt",
            "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "py/Dockerfile",
            "FROM python\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n      OTEL_SDK_DISABLED: \"false\"\n      OTEL_TRACES_EXPORTER: otlp,console\n      OTEL_TRACES_SAMPLER: always_on\n  db:\n    environment:\n      OTEL_SDK_DISABLED: \"true\"\n  py:\n    environment:\n      OTEL_SERVICE_NAME: py\n      OTEL_EXPORTER_OTLP_ENDPOINT: ${SOMEWHERE}\n      OTEL_TRACES_EXPORTER: otlp_proto_http\n  own:\n    environment:\n      OTEL_SERVICE_NAME: own\n      OTEL_EXPORTER_OTLP_ENDPOINT: api.honeycomb.io\n  agent:\n    build: ./agent\n    environment:\n      OTEL_SERVICE_NAME: agent\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n      OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf\n",
        ),
        (
            "agent/requirements.txt",
            "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "agent/Dockerfile",
            "FROM python\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    // Unknown code may complete an endpoint.
    let is_judged = |traced: &TracedService<'_>, problem: &SdkProblem| {
        let is_known = traced.instrumentation.is_some_and(|read| read.setup != SdkSetup::Unknown);
        let is_judged = problem.effect >= ProblemEffect::NothingSent
            && (problem.kind != SdkProblemKind::EndpointUnusable || is_known);
        is_judged.then_some(RULE.severity)
    };
    let advice = "change it, or run `cruddur-ops init`, which writes what is missing";
    let mut hits = judge_settings(inspection, is_judged, advice);
    // These settings also stop an SDK that has no endpoint yet.
    for untraced in untraced_services(inspection) {
        let problems = untraced.settings.problems.iter();
        let judged = problems.filter(|problem| problem.effect >= ProblemEffect::NothingSent);
        hits.extend(judged.filter_map(|problem| {
            let setting = untraced.scope.setting(problem.variable)?;
            Some(RuleHit::new(setting.file, setting.value_at, &*problem.text, advice))
        }));
    }
    hits
}
