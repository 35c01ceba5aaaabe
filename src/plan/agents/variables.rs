//! Determines the variables of a service that is started with an agent.

use super::objection::AgentEvidence;
use super::template::{AgentTemplate, AgentVariable, CLibrary, JoinSide, VariableRule};
use crate::compose::VariableSource;
use crate::provider::Variable;
use crate::secret::is_secret;

/// The signals a service sends in addition to traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OtherSignals {
    /// Metrics.
    pub metrics: bool,
    /// Logs.
    pub logs: bool,
}

/// Returns the variables that a service needs to be started with an agent, including those it already has.
///
/// # Errors
/// The reason why one of them cannot be written, as a clause.
pub(crate) fn list_variables(
    agent: &AgentTemplate,
    library: CLibrary,
    signals: OtherSignals,
    evidence: &AgentEvidence<'_>,
) -> Result<Vec<Variable>, String> {
    let mut variables = Vec::new();
    for variable in &agent.variables {
        let value = match (library, &variable.musl) {
            (CLibrary::Musl, Some(value)) => value,
            _ => &variable.value,
        };
        let value = match variable.rule {
            VariableRule::Set => Some(value.clone()),
            VariableRule::Default => is_silent(&variable.name, evidence).then(|| value.clone()),
            VariableRule::Join => Some(join_values(variable, value, evidence)?),
        };
        variables.extend(value.map(|value| Variable { name: variable.name.clone(), value }));
    }
    for (name, is_sent) in
        [("OTEL_METRICS_EXPORTER", signals.metrics), ("OTEL_LOGS_EXPORTER", signals.logs)]
    {
        if is_silent(name, evidence) {
            let value = if is_sent { "otlp" } else { "none" };
            variables.push(Variable { name: name.to_owned(), value: value.to_owned() });
        }
    }
    Ok(variables)
}

/// Returns whether neither the service nor its image sets a variable.
fn is_silent(name: &str, evidence: &AgentEvidence<'_>) -> bool {
    evidence.settings.get(name).is_none() && !evidence.startup.environment.contains_key(name)
}

/// Returns the service's own value joined with the agent's, or unchanged if it already contains the agent's.
fn join_values(
    variable: &AgentVariable,
    value: &str,
    evidence: &AgentEvidence<'_>,
) -> Result<String, String> {
    let own_value = own_value(&variable.name, evidence)?.unwrap_or_default();
    let separator = variable.separator.as_str();
    Ok(match variable.join {
        _ if own_value.contains(value) => own_value,
        _ if own_value.trim().is_empty() => value.to_owned(),
        JoinSide::Before => format!("{value}{separator}{own_value}"),
        JoinSide::After => format!("{own_value}{separator}{value}"),
    })
}

/// Returns the value of a variable in the syntax of `environment`: the service's, else its image's.
fn own_value(name: &str, evidence: &AgentEvidence<'_>) -> Result<Option<String>, String> {
    let Some(setting) = evidence.settings.get(name) else {
        let image = evidence.startup.environment.get(name);
        return Ok(image.map(|value| escape_dollars(value)));
    };
    match (&setting.source, &setting.raw) {
        (VariableSource::Environment(_), Some(raw)) => Ok(Some(raw.clone())),
        (VariableSource::Environment(_), None) => Ok(Some(format!("${{{name}:-}}"))),
        (VariableSource::EnvFile(_), _) => {
            let Some(value) = setting.value.known() else {
                return Err(format!("the value of {name} is not known"));
            };
            let mut words = value.split_whitespace();
            let is_telling = words.any(|word| {
                let pair = word.trim_start_matches('-').split_once('=');
                pair.is_some_and(|(key, value)| is_secret(key, value))
            });
            if is_telling || is_secret(name, value) {
                Err(format!("{name} of its env_file holds a secret"))
            } else {
                Ok(Some(escape_dollars(value)))
            }
        }
    }
}

/// Escapes a literal value for `environment`: docker compose reads a single dollar sign as the start of a variable.
fn escape_dollars(value: &str) -> String {
    value.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::texts::{TestSources, load_texts};
    use crate::instrumentation::{Instrumentation, Language, ServiceEvidence, known_variables};
    use crate::plan::agents::{find_objection, find_template};

    /// Returns the variables of the service `a` in these files as `NAME=value`, or the objection.
    fn listed(language: Language, files: &[(&str, &str)]) -> Vec<String> {
        let model = load_texts(files, &[]).unwrap();
        let sources = TestSources::new(files);
        let service = model.service("a").unwrap();
        let settings = service.intended(model.plain());
        let startup = service.startup(&sources, Some(model.plain()));
        let instrumentation = Instrumentation::read(&ServiceEvidence {
            startup: &startup,
            environment: known_variables(&settings),
            python: Vec::new(),
            sources: &sources,
        });
        let evidence = AgentEvidence {
            startup: &startup,
            instrumentation: &instrumentation,
            settings: &settings,
            sources: &sources,
        };
        let agent = find_template(language).unwrap().agent.as_ref().unwrap();
        if let Some(objection) = find_objection(agent, &evidence) {
            return vec![objection];
        }
        let library = super::super::find_library(&startup);
        match list_variables(agent, library, OtherSignals::default(), &evidence) {
            Ok(variables) => variables
                .iter()
                .map(|variable| format!("{}={}", variable.name, variable.value))
                .collect(),
            Err(objection) => vec![objection],
        }
    }

    fn first(language: Language, files: &[(&str, &str)]) -> String {
        listed(language, files).swap_remove(0)
    }

    const NODE: &str = "--require /otel-auto-instrumentation-nodejs/cruddur-ops/register.cjs";
    const PYTHON: &str = "/otel-auto-instrumentation-python/cruddur-ops";

    #[test]
    fn a_value_of_the_service_is_kept_wherever_it_is_set() {
        let compose = "services:\n  a:\n    image: node:22\n    ";
        for (said, files, value) in [
            ("", vec![], NODE.to_owned()),
            ("environment: {NODE_OPTIONS: --inspect}", vec![], format!("--inspect {NODE}")),
            ("environment: ['NODE_OPTIONS=${X:-}']", vec![], format!("${{X:-}} {NODE}")),
            (
                "environment: [NODE_OPTIONS]",
                vec![(".env", "NODE_OPTIONS=-r x\n")],
                format!("${{NODE_OPTIONS:-}} {NODE}"),
            ),
            (
                "env_file: n.env",
                vec![("n.env", "NODE_OPTIONS='--title=$x'\n")],
                format!("--title=$$x {NODE}"),
            ),
            ("environment: {NODE_OPTIONS: ''}", vec![], NODE.to_owned()),
        ] {
            let text = format!("{compose}{said}\n");
            let mut all = vec![("compose.yml", text.as_str())];
            all.extend(files);
            assert_eq!(first(Language::Node, &all), format!("NODE_OPTIONS={value}"), "{said}");
        }
        let built = "services:\n  a:\n    build: .\n";
        let python = "FROM python:3.12\nENV PYTHONPATH=/app/src\nCMD python main.py\n";
        let files = [("compose.yml", built), ("Dockerfile", python)];
        assert_eq!(first(Language::Python, &files), format!("PYTHONPATH={PYTHON}:/app/src"));
    }

    #[test]
    fn the_image_determines_the_c_library_and_its_variables_are_kept() {
        let files = [(
            "compose.yml",
            "services:\n  a:\n    image: mcr.microsoft.com/dotnet/aspnet:8.0-alpine\n    environment: {OTEL_LOGS_EXPORTER: console}\n",
        )];
        let lines = listed(Language::Dotnet, &files);
        assert!(lines.iter().any(|line| line.contains("/linux-musl/")), "{lines:?}");
        assert!(lines.iter().any(|line| line == "OTEL_METRICS_EXPORTER=none"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("OTEL_LOGS_EXPORTER")), "{lines:?}");
    }

    #[test]
    fn objections_to_an_agent_are_found() {
        let compose = "services:\n  a:\n    build: .\n";
        for (language, docker, requirements, more) in [
            (Language::Python, "FROM python:3.8\nCMD python a.py\n", "", ""),
            (Language::Python, "FROM team/python:3.12\nCMD python a.py\n", "", ""),
            (Language::Python, "FROM ${BASE}\nCMD python a.py\n", "", ""),
            (Language::Python, "FROM python:3.12\nCMD python -I a.py\n", "", ""),
            (Language::Python, "FROM python:3.12\nCMD python3.12 -sE a.py\n", "", ""),
            (Language::Python, "FROM python:3.12\nCMD PYTHONPATH=x python a.py\n", "", ""),
            (Language::Python, "FROM python:3.12\nCMD uwsgi --ini a.ini\n", "", ""),
            (Language::Python, "FROM python:3.12\nCMD python a.py\n", "gevent==24.1\n", ""),
            (Language::Python, "FROM python:3.12\nCMD python a.py\n", "protobuf==3.11.0\n", ""),
            (Language::Python, "FROM python:3.12\nCMD python a.py\n", "opentelemetry-api\n", ""),
            (
                Language::Python,
                "FROM python:3.12\nCOPY . /\nCMD python a.py\n",
                "",
                "sitecustomize.py",
            ),
            (Language::Node, "FROM node:16-alpine\nCMD node a.js\n", "", ""),
            (Language::Node, "FROM node:22\nCMD bun a.js\n", "", ""),
            (Language::Node, "FROM node:22\nCMD NODE_OPTIONS=--inspect node a.js\n", "", ""),
            (Language::Node, "FROM gcr.io/distroless/nodejs22\nCMD a.js\n", "", ""),
            (
                Language::Java,
                "FROM maven AS b\nRUN jlink --output /j\nFROM debian\nCMD java -jar a.jar\n",
                "",
                "",
            ),
            (
                Language::Java,
                "FROM maven AS b\nRUN mvn -Pnative package\nFROM debian\nCMD /a\n",
                "",
                "",
            ),
            (
                Language::Dotnet,
                "FROM mcr.microsoft.com/dotnet/sdk:8.0\nRUN dotnet publish -p:PublishAot=true\nCMD dotnet a.dll\n",
                "",
                "",
            ),
        ] {
            let files = [
                ("compose.yml", compose),
                ("Dockerfile", docker),
                ("requirements.txt", requirements),
                (if more.is_empty() { "x" } else { more }, ""),
            ];
            let lines = listed(language, &files);
            assert!(!lines[0].contains("/otel-auto-instrumentation"), "{docker}: {lines:?}");
        }
        for (language, docker, requirements) in [
            (Language::Python, "FROM python:3.12-slim\nCMD python -u -m app\n", "gunicorn\n"),
            (Language::Python, "FROM python:3\nCMD gunicorn -w 4 a:app\n", "protobuf==4.25.3\n"),
            (Language::Node, "FROM node:20\nCMD npm start\n", ""),
            (Language::Java, "FROM eclipse-temurin:21-jre\nCMD java -jar a.jar\n", ""),
        ] {
            let files = [
                ("compose.yml", compose),
                ("Dockerfile", docker),
                ("requirements.txt", requirements),
            ];
            let lines = listed(language, &files);
            assert!(lines[0].contains("/otel-auto-instrumentation"), "{docker}: {lines:?}");
        }
    }

    #[test]
    fn a_secret_of_an_env_file_is_not_copied() {
        let files = [
            (
                "compose.yml",
                "services:\n  a:\n    image: eclipse-temurin:21\n    env_file: j.env\n",
            ),
            ("j.env", "JAVA_TOOL_OPTIONS=-Ddb.password=hunter2correcthorse\n"),
        ];
        let lines = listed(Language::Java, &files);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!lines[0].contains("hunter2"), "{lines:?}");
    }
}
