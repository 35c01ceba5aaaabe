//! `sdk-leaves-out`: a variable that makes an SDK drop traces, or parts of spans.

use super::sdk::{TracedService, judge_settings};
use crate::instrumentation::{ProblemEffect, SdkProblem, SdkProblemKind};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "sdk-leaves-out",
    severity: Severity::Warning,
    why: "spans arrive, but not the ones you expect: a sampler, a propagator or a limit drops them",
    explanation: "With OTEL_TRACES_SAMPLER=parentbased_always_off only requests that bring a sampled `traceparent` \
        are recorded: those of a test do, those of a browser do not. Without tracecontext in OTEL_PROPAGATORS, each \
        service has separate traces. A limit of 0 removes every attribute. OTEL_NODE_RESOURCE_DETECTORS without env \
        hides the service's name.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_TRACES_SAMPLER: parentbased_always_off # <-\n      OTEL_PROPAGATORS: b3 # <-\n      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: \"0\" # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n      OTEL_TRACES_SAMPLER: parentbased_traceidratio\n      OTEL_TRACES_SAMPLER_ARG: \"0.1\"\n      OTEL_PROPAGATORS: b3,tracecontext\n      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: \"64\"\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let is_judged = |_: &TracedService<'_>, problem: &SdkProblem| {
        let kinds = [
            SdkProblemKind::NothingSampled,
            SdkProblemKind::NoTraceContext,
            SdkProblemKind::LimitZero,
            SdkProblemKind::ResourceIgnored,
        ];
        let is_judged = problem.effect == ProblemEffect::Different && kinds.contains(&problem.kind);
        is_judged.then_some(RULE.severity)
    };
    judge_settings(inspection, is_judged, "remove it, unless this is intended")
}
