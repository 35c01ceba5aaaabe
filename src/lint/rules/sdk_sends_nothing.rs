//! `sdk-sends-nothing`: a variable for which no span of a traced service leaves.

use super::sdk::judge_settings;
use crate::instrumentation::{ProblemEffect, SdkProblem, SdkProblemKind};
use crate::lint::{Hit, Inspection, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "sdk-sends-nothing",
    severity: Severity::Error,
    why: "the service has an endpoint and headers, and its SDK sends nothing in spite of them",
    explanation: "OTEL_SDK_DISABLED=true switches an SDK off, OTEL_TRACES_EXPORTER=none or console gives its spans to nobody or to the \
        log, and OTEL_TRACES_SAMPLER=always_off records none.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment: &api\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_SDK_DISABLED: \"${OTEL_SDK_DISABLED:-true}\" # <-\n  web:\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_TRACES_EXPORTER: console # <-\n      OTEL_TRACES_SAMPLER: always_off # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_SDK_DISABLED: \"false\"\n      OTEL_TRACES_EXPORTER: otlp,console\n      OTEL_TRACES_SAMPLER: always_on\n  db:\n    environment:\n      OTEL_SDK_DISABLED: \"true\"\n  py:\n    environment:\n      OTEL_SERVICE_NAME: py\n      OTEL_EXPORTER_OTLP_ENDPOINT: ${SOMEWHERE}\n      OTEL_TRACES_EXPORTER: otlp_proto_http\n  own:\n    environment:\n      OTEL_SERVICE_NAME: own\n      OTEL_EXPORTER_OTLP_ENDPOINT: api.honeycomb.io\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<Hit> {
    // Code of one's own may add to an endpoint what is missing: only with the code can it be judged.
    let is_judged = |problem: &SdkProblem| {
        problem.effect >= ProblemEffect::NothingSent
            && problem.kind != SdkProblemKind::EndpointUnusable
    };
    let advice = "change it, or run `cruddur-ops init`, which writes what is missing";
    judge_settings(inspection, is_judged, advice)
}
