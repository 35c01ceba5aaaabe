//! `dotenv-unread`: telemetry settings in a `.env` file that no service refers to.

use super::name_in_shell;
use crate::compose::find_references;
use crate::lint::{DotenvFile, Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "dotenv-unread",
    severity: Severity::Warning,
    why: "docker compose uses .env only for `${…}` in compose files, and passes nothing of it to containers",
    explanation: "A line of the project's .env reaches a service only if its environment refers to it \
        (`OTEL_EXPORTER_OTLP_ENDPOINT: ${OTEL_EXPORTER_OTLP_ENDPOINT}`, or the bare name in a list) or if the \
        service has `env_file: .env`. Projects whose code loads a .env file itself are not checked.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    build: .\n    environment:\n      OTEL_SERVICE_NAME: api\n",
        ),
        (
            ".env",
            "PORT=1\nOTEL_EXPORTER_OTLP_ENDPOINT=https://otel.example.com # <-\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\n",
        ),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  api:\n    image: example/api\n    environment:\n      - OTEL_SERVICE_NAME=api\n      - OTEL_EXPORTER_OTLP_ENDPOINT\n      - OTEL_EXPORTER_OTLP_PROTOCOL=${OTEL_EXPORTER_OTLP_PROTOCOL:-grpc}\n",
        ),
        (
            ".env",
            "OTEL_EXPORTER_OTLP_ENDPOINT=https://otel.example.com\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc\n",
        ),
    ],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    if inspection.model.is_none() || reads_dotenv_itself(inspection) {
        return Vec::new();
    }
    inspection.dotenvs.iter().filter_map(|dotenv| find_unread(inspection, dotenv)).collect()
}

/// Returns a hit at the first line that no service refers to, which names all such lines.
fn find_unread(inspection: &Inspection, dotenv: &DotenvFile) -> Option<RuleHit> {
    let mut env_files = inspection.every_service().flat_map(|service| &service.env_files);
    if env_files.any(|file| file.path == dotenv.file.path) {
        return None;
    }
    let is_unread = |name: &str| name.starts_with("OTEL_") && !is_referred_to(inspection, name);
    let unread: Vec<_> =
        dotenv.statements.iter().filter(|statement| is_unread(&statement.name)).collect();
    // `name-in-shell` covers a file with a name.
    if unread.iter().any(|statement| name_in_shell::NAMES.contains(&&*statement.name)) {
        return None;
    }
    let first = unread.first()?;
    let names: Vec<&str> = unread.iter().map(|statement| statement.name.as_str()).collect();
    let message = format!(
        "no service refers to {}, and no container gets the .env file itself",
        names.join(", ")
    );
    let advice = format!(
        "add `{0}: ${{{0}}}` to the service's environment, or `env_file: .env`",
        first.name
    );
    Some(RuleHit::new(&dotenv.file, first.range.start, message, advice))
}

fn is_referred_to(inspection: &Inspection, name: &str) -> bool {
    let mut scopes = inspection.every_service_scope();
    scopes.any(|scope| {
        scope.assignments.iter().chain(&scope.build_args).any(|assignment| {
            let mut references = find_references(assignment.text()).into_iter();
            assignment.name == name && assignment.value.is_none()
                || references.any(|used| used.name == name)
        })
    })
}

/// Returns whether some program loads a `.env` file itself.
fn reads_dotenv_itself(inspection: &Inspection) -> bool {
    let python = inspection.python.iter().map(|file| &file.file);
    python.chain(&inspection.manifests).any(|file| file.text.contains("dotenv"))
}
