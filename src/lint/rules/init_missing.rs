//! `init-missing`: packages are installed, but nothing is traced.

use crate::compose::ServiceModel;
use crate::lint::packages::{PythonFile, RequirementsFile};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "init-missing",
    severity: Severity::Warning,
    why: "the packages are installed but nothing calls them, so no span is created",
    explanation: "requirements.txt names OpenTelemetry's SDK or an instrumentation, the folder has a Flask application, and no module sets a \
        tracer provider or instruments the application, nor does `opentelemetry-instrument` start it. \
        `cruddur-ops instrument` writes the lines.",
    failing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n"),
        (
            "api/requirements.txt",
            "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        ("api/app.py", "from flask import Flask\napp = Flask(__name__) # <-\n"),
    ],
    passing: &[
        ("compose.yaml", "services:\n  api: {build: ./api}\n  b: {build: ./b}\n"),
        (
            "api/requirements.txt",
            "flask\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n",
        ),
        (
            "api/app.py",
            "from flask import Flask\nfrom lib.tracing import init\napp = Flask(__name__)\ninit(app)\n",
        ),
        (
            "api/lib/tracing.py",
            "from opentelemetry import trace\ndef init(app):\n    trace.set_tracer_provider(None)\n",
        ),
        ("b/requirements.txt", "flask\nopentelemetry-distro[otlp]\n"),
        ("b/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("b/Dockerfile", "FROM python\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n"),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    // Without the compose project, it is unknown how the program starts.
    if inspection.model.is_none() {
        return Vec::new();
    }
    inspection.requirements.iter().filter_map(|file| find_missing_init(inspection, file)).collect()
}

/// Returns whether this rule reports on the code of a service.
pub(super) fn judges(inspection: &Inspection, service: &ServiceModel) -> bool {
    inspection.requirements_of(service).any(|file| find_missing_init(inspection, file).is_some())
}

fn find_missing_init(inspection: &Inspection, file: &RequirementsFile) -> Option<RuleHit> {
    let wanted =
        ["opentelemetry-sdk", "opentelemetry-distro", "opentelemetry-instrumentation-flask"];
    if !wanted.iter().any(|name| file.read.has(name)) {
        return None;
    }
    let started = |module: &PythonFile| {
        let telemetry = &module.module.telemetry;
        telemetry.provider.is_some()
            || telemetry.class_wide.is_some()
            || !telemetry.hooks.is_empty()
            || !telemetry.instrumentors.is_empty()
            || module
                .module
                .imports
                .iter()
                .any(|import| import.path.starts_with("opentelemetry.sdk"))
            || inspection.is_started_by_the_agent(module)
    };
    if inspection.modules_of(file).any(started) {
        return None;
    }
    let (module, app) = inspection
        .modules_of(file)
        .find_map(|module| Some((module, module.module.apps.first()?)))?;
    Some(RuleHit::new(
        &module.file,
        app.statement.start,
        "nothing traces the application",
        "`cruddur-ops instrument` adds the initialisation",
    ))
}
