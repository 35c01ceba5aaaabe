//! Agents that trace a program without changes to its code: in front of the command, in its options, or in variables.

use std::collections::{BTreeMap, BTreeSet};

use super::Language;
use crate::compose::{ShellCommand, Startup};
use crate::secret::Secret;

/// An agent that is started with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanAgent {
    /// OpenTelemetry's agent or a distribution of it, which reads the `OTEL_…` variables.
    OpenTelemetry,
    /// Another vendor's agent, which sends to that vendor.
    Vendor(String),
}

/// How a program is started, as far as its command and variables show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProgramLaunch {
    /// The agent.
    pub(super) agent: Option<SpanAgent>,
    /// Whether the agent is mounted as a volume and includes its packages, so that the program's packages are
    /// irrelevant.
    pub(super) brings_packages: bool,
    /// Modules that Node.js loads before the program, as written.
    pub(super) preloaded: Vec<String>,
    /// The options that load an agent or a module.
    pub(super) options: Vec<ProgramOption>,
}

/// An option that loads an agent or a module before the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProgramOption {
    /// `-javaagent`, `--require` or `--import`.
    pub(super) name: &'static str,
    /// The archive or module, as written.
    pub(super) value: String,
    /// The variable that holds it; `None` for the command.
    pub(super) variable: Option<&'static str>,
}

/// Programs that start an agent in front of a command.
const LAUNCHERS: [(&str, Option<&str>); 4] = [
    ("opentelemetry-instrument", None),
    ("ddtrace-run", Some("Datadog")),
    ("newrelic-admin", Some("New Relic")),
    ("elasticapm-run", Some("Elastic APM")),
];

/// Parts of the names of modules and archives that contain an agent.
const MODULES: [(&str, Option<&str>); 14] = [
    ("auto-instrumentations-node/register", None),
    ("otel-auto-instrumentation", None),
    ("autoinstrumentation", None),
    ("@splunk/otel", None),
    ("@elastic/opentelemetry-node", None),
    ("opentelemetry-javaagent", None),
    ("aws-opentelemetry-agent", None),
    ("otel-agent", None),
    ("opentelemetry", None),
    ("dd-trace", Some("Datadog")),
    ("dd-java-agent", Some("Datadog")),
    ("newrelic", Some("New Relic")),
    ("elastic-apm", Some("Elastic APM")),
    ("applicationinsights", Some("Azure Monitor")),
];

/// Variables that start an agent if their value contains this text.
const SWITCHES: [(&str, &str, Option<&str>); 9] = [
    ("PYTHONPATH", "opentelemetry/instrumentation/auto_instrumentation", None),
    ("PYTHONPATH", "otel-auto-instrumentation", None),
    ("DOTNET_STARTUP_HOOKS", "OpenTelemetry.AutoInstrumentation", None),
    ("CORECLR_PROFILER", "{918728DD-259F-4A6A-AC2B-B85E1B658318}", None),
    ("CORECLR_PROFILER", "{846F5F1C-F9AE-4B07-969E-05C26BC060D8}", Some("Datadog")),
    ("CORECLR_PROFILER", "{36032161-FFC0-4B61-B559-F6C5D41BAE5A}", Some("New Relic")),
    ("OTEL_PHP_AUTOLOAD_ENABLED", "true", None),
    ("RUBYOPT", "opentelemetry", None),
    ("RUBYOPT", "datadog", Some("Datadog")),
];

/// Part of the folder where OpenTelemetry's agent images are mounted.
const VOLUME: &str = "/otel-auto-instrumentation-";

/// Returns the packages that matter for exports of the agent for a language; `None` if the agent includes all
/// exporters.
pub fn agent_packages(language: Language) -> Option<BTreeSet<String>> {
    let names = ["opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http"];
    (language == Language::Python).then(|| names.map(str::to_owned).into())
}

/// Variables that hold options of Node.js or Java.
const OPTIONS: [&str; 5] =
    ["NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "CATALINA_OPTS"];

/// Reads how a program is started.
pub(super) fn read_launch(
    startup: &Startup,
    environment: &BTreeMap<String, Secret>,
) -> ProgramLaunch {
    let mut launch = ProgramLaunch::default();
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let command_variables = startup
        .commands
        .iter()
        .flat_map(|command| &command.variables)
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in variables.chain(command_variables) {
        launch.variable(name, value);
    }
    for command in &startup.commands {
        launch.command(command);
    }
    launch
}

impl ProgramLaunch {
    fn variable(&mut self, name: &str, value: &str) {
        if let Some(variable) = OPTIONS.iter().find(|known| **known == name) {
            let words: Vec<&str> = value.split_whitespace().collect();
            self.options(&words, Some(variable));
        }
        self.brings_packages |= value.contains(VOLUME);
        let value = value.to_ascii_lowercase();
        let mut switches = SWITCHES.iter();
        let found = switches.find(|(variable, part, _)| {
            *variable == name && value.contains(&part.to_ascii_lowercase())
        });
        if let Some((_, _, vendor)) = found {
            self.found(*vendor);
        }
    }

    fn command(&mut self, command: &ShellCommand) {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        for word in &words {
            let program = word.rsplit('/').next().unwrap_or(word);
            if let Some((_, vendor)) = LAUNCHERS.iter().find(|(name, _)| *name == program) {
                self.found(*vendor);
            }
            // `cross-env NODE_OPTIONS='--require ./tracing.js' node app.js`
            if let Some((name, value)) = word.split_once('=') {
                self.variable(name, value);
            }
        }
        self.options(&words, None);
    }

    /// Reads `--require MODULE`, `--import=MODULE`, `-javaagent:FILE`.
    fn options(&mut self, words: &[&str], variable: Option<&'static str>) {
        for (at, word) in words.iter().enumerate() {
            let word = word.trim_matches(['"', '\'']);
            if let Some(archive) = word.strip_prefix("-javaagent:") {
                self.archive(archive);
                self.option("-javaagent", archive, variable);
                continue;
            }
            let (name, module) = match word {
                "--require" | "-r" => ("--require", words.get(at + 1).copied()),
                "--import" => ("--import", words.get(at + 1).copied()),
                _ => match word.strip_prefix("--require=") {
                    Some(module) => ("--require", Some(module)),
                    None => ("--import", word.strip_prefix("--import=")),
                },
            };
            if let Some(module) = module {
                let module = module.trim_matches(['"', '\'']);
                self.module(module);
                self.preloaded.push(module.to_owned());
                self.option(name, module, variable);
            }
        }
    }

    fn option(&mut self, name: &'static str, value: &str, variable: Option<&'static str>) {
        self.options.push(ProgramOption { name, value: value.to_owned(), variable });
    }

    /// Reads `FILE=OPTIONS` of `-javaagent`. A Java agent with `otel` in its path is OpenTelemetry's, whatever the rest
    /// of its name.
    fn archive(&mut self, archive: &str) {
        let path = archive.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let is_otel = path.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "otel");
        if !self.known_module(&path) && is_otel {
            self.found(None);
        }
    }

    fn module(&mut self, module: &str) {
        // A module of the application can have any name.
        if module.starts_with("./") || module.starts_with("../") {
            return;
        }
        self.known_module(&module.to_ascii_lowercase());
    }

    /// Notes the agent of a module known by a part of its name, in small letters; returns whether it is known.
    fn known_module(&mut self, name: &str) -> bool {
        let known = MODULES.iter().find(|(part, _)| name.contains(part));
        if let Some((_, vendor)) = known {
            self.found(*vendor);
        }
        known.is_some()
    }

    fn found(&mut self, vendor: Option<&str>) {
        self.agent = match vendor {
            None => Some(SpanAgent::OpenTelemetry),
            Some(vendor) => {
                let vendor_agent = SpanAgent::Vendor(vendor.to_owned());
                Some(self.agent.take().unwrap_or(vendor_agent))
            }
        };
    }
}
