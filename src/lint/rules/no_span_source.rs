//! `no-span-source`: a service with an endpoint and nothing that creates spans.

use super::init_missing;
use super::sdk::traced_services;
use crate::instrumentation::{ENDPOINT_VARIABLES, SpanSource};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "no-span-source",
    severity: Severity::Warning,
    why: "variables alone send nothing: without an SDK or an agent no span is created",
    explanation: "The environment names an endpoint, and neither the code, nor its packages, nor its start command \
        has an OpenTelemetry SDK or an agent. Another vendor's tracer sends to that vendor and does not read these \
        variables. Only services whose code and packages were read are checked.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  web:\n    build: ./web\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com # <-\n  go:\n    build: ./go\n    environment:\n      OTEL_SERVICE_NAME: go\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com # <-\n  py:\n    build: ./py\n    environment:\n      OTEL_SERVICE_NAME: py\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com # <-\n",
        ),
        ("web/package.json", "{\"dependencies\": {\"express\": \"5\"}}\n"),
        ("web/Dockerfile", "FROM node\nCOPY . .\nCMD [\"node\", \"index.js\"]\n"),
        ("web/index.js", "require('express')()\n"),
        ("go/go.mod", "module x\nrequire github.com/gin-gonic/gin v1.10.0\n"),
        ("go/Dockerfile", "FROM golang\nCOPY . .\nCMD [\"go\", \"run\", \".\"]\n"),
        ("py/requirements.txt", "django\n"),
        ("py/Dockerfile", "FROM python\nCOPY . .\nCMD [\"python\", \"manage.py\"]\n"),
        ("py/manage.py", "import django\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  web:\n    build: ./web\n    environment:\n      OTEL_SERVICE_NAME: web\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n  other:\n    image: example/other\n    environment:\n      OTEL_SERVICE_NAME: other\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otel.example.com\n",
        ),
        (
            "web/package.json",
            "{\"dependencies\": {\"express\": \"5\", \"@opentelemetry/sdk-node\": \"0.219.0\"}}\n",
        ),
        ("web/Dockerfile", "FROM node\nCOPY . .\nCMD [\"node\", \"index.js\"]\n"),
        ("web/index.js", "require('./tracing')\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for traced in traced_services(inspection) {
        let Some(read) = traced.instrumentation else { continue };
        // An unknown package may set up tracing.
        let may_set_up = |name: &String| {
            ["opentelemetry", "otel", "tracing", "telemetry"].iter().any(|part| name.contains(part))
        };
        let hit = |message: String, advice| {
            let (file, at) = traced.place(ENDPOINT_VARIABLES[1]);
            RuleHit::new(
                file,
                at,
                format!("{} is set up, but {message}", traced.service.name),
                advice,
            )
        };
        match &read.source {
            SpanSource::Nothing
                if !read.packages.iter().flatten().any(may_set_up)
                    && !init_missing::judges(inspection, traced.service) =>
            {
                let message = "nothing in it sends spans: neither an OpenTelemetry SDK nor an agent was found";
                let advice = "add an SDK to its code, or start it with an agent of OpenTelemetry";
                hits.push(hit(message.to_owned(), advice));
            }
            SpanSource::Vendor(vendor) => {
                let message =
                    format!("its tracer is {vendor}'s, which reads none of these variables");
                let advice = "remove the variables, or trace it with OpenTelemetry instead";
                hits.push(hit(message, advice).as_severe_as(Severity::Advice));
            }
            _ => {}
        }
    }
    hits
}
