//! `sdk-value-ignored`: a value that an SDK does not read as intended.

use super::sdk::{TracedService, judge_settings};
use crate::instrumentation::{ProblemEffect, SdkProblem, SdkProblemKind};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "sdk-value-ignored",
    severity: Severity::Warning,
    why: "SDKs replace or drop values that they do not understand, with at most a line in a log",
    explanation: "An invalid sampler, ratio, protocol, compression, timeout or limit is replaced by the default; \
        some SDKs refuse to start instead. An attribute that is not `name=value` is dropped. `$(NAME)`, `{$NAME}` \
        and a bare NAME are sent literally: only `${NAME}` refers to a variable.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io/?a=b # <-\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=HONEYCOMB_API_KEY # <-\n      OTEL_TRACES_SAMPLER: ten_percent # <-\n      OTEL_EXPORTER_OTLP_COMPRESSION: brotli # <-\n      OTEL_RESOURCE_ATTRIBUTES: production # <-\n  web:\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team={$HONEYCOMB_API_KEY} # <-\n  job:\n    environment:\n      OTEL_SERVICE_NAME: job\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=$$(HONEYCOMB_API_KEY) # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://api.honeycomb.io\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=${HONEYCOMB_API_KEY},x-honeycomb-dataset=$DS\n      OTEL_TRACES_SAMPLER: ${SAMPLER:-parentbased_traceidratio}\n      OTEL_TRACES_SAMPLER_ARG: \"1\"\n      OTEL_EXPORTER_OTLP_COMPRESSION: gzip\n      OTEL_RESOURCE_ATTRIBUTES: deployment.environment=production\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let is_judged = |_: &TracedService<'_>, problem: &SdkProblem| {
        let kinds = [
            SdkProblemKind::ExporterUnknown,
            SdkProblemKind::ProtocolUnknown,
            SdkProblemKind::EndpointQuery,
            SdkProblemKind::NotReference,
            SdkProblemKind::InBraces,
            SdkProblemKind::ResourceDropped,
            SdkProblemKind::SamplerUnknown,
            SdkProblemKind::SamplerRatio,
            SdkProblemKind::PropagatorUnknown,
            SdkProblemKind::LimitInvalid,
            SdkProblemKind::Timeout,
            SdkProblemKind::CompressionUnknown,
            SdkProblemKind::ClientFiles,
        ];
        let is_judged = problem.effect == ProblemEffect::Different && kinds.contains(&problem.kind);
        is_judged.then_some(match problem.kind {
            // The name is sent as the key: the provider rejects each request.
            SdkProblemKind::NotReference | SdkProblemKind::InBraces => Severity::Error,
            _ => RULE.severity,
        })
    };
    judge_settings(inspection, is_judged, "write a value that the SDK understands")
}
