//! Determines what sends spans in a service, from its start command, its image, its packages and its code.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::{ProgramLaunch, SpanAgent, agent_packages, read_launch};
use super::language::find_language;
use super::launch_faults::LaunchEvidence;
use super::manifest::read_manifest;
use super::node_code::read_node;
use super::packages::read_packages;
use super::python_code::{CodeText, CodeTracing, read_python};
use super::{
    Language, OtlpProtocol, PROTOCOL_VARIABLES, ProblemEffect, SdkInput, SdkProblem,
    SdkProblemKind, SdkSettings, SdkSetup, UNNAMED_SERVICE, image_defaults, launch_variables,
};
use crate::compose::{ProjectSources, Startup};
use crate::secret::Secret;

/// The inputs about one service.
pub struct ServiceEvidence<'a> {
    /// The commands and files of its container.
    pub startup: &'a Startup,
    /// The variables of its compose environment whose values are known.
    pub environment: BTreeMap<String, Secret>,
    /// The Python files of the service.
    pub python: Vec<CodeText<'a>>,
    /// The files of the project.
    pub sources: &'a dyn ProjectSources,
}

impl std::fmt::Debug for ServiceEvidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceEvidence").finish_non_exhaustive()
    }
}

/// The instrumentation of a service: what creates and sends its spans.
#[derive(Debug, Clone)]
pub struct Instrumentation {
    /// The language of its program; `None` if unknown.
    pub language: Option<Language>,
    /// The source of its spans.
    pub source: SpanSource,
    /// How the SDK is set up.
    pub setup: SdkSetup,
    /// The names of its packages, if they are listed.
    pub packages: Option<BTreeSet<String>>,
    /// The variables of its process: from the command, the environment, and the image.
    pub environment: BTreeMap<String, Secret>,
    /// The tracing setup in its code.
    pub code: CodeTracing,
    /// The problems with what its program is started with.
    pub launch_problems: Vec<SdkProblem>,
}

/// The source of a service's spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanSource {
    /// The service's code, or a library of its framework, which sets up an SDK.
    Code,
    /// An OpenTelemetry agent, configured by variables.
    Agent,
    /// Another vendor's tracer, which sends to that vendor.
    Vendor(String),
    /// Nothing.
    Nothing,
    /// Unknown, because its files do not show it.
    Unknown,
}

impl SpanSource {
    /// Returns its name in JSON output: `code`, `agent`, `vendor`, `nothing`, `unknown`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Agent => "agent",
            Self::Vendor(_) => "vendor",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
        }
    }
}

/// Packages of SDKs that send spans from pages in browsers.
const PAGE_SDKS: [&str; 5] = [
    "@opentelemetry/sdk-trace-web",
    "@opentelemetry/auto-instrumentations-web",
    "@honeycombio/opentelemetry-web",
    "@splunk/otel-web",
    "@grafana/faro-web-tracing",
];

/// Returns true for a Node.js package that may set up an SDK, in a process or in a page.
fn may_set_up(package: &str) -> bool {
    package.starts_with("@opentelemetry/sdk-")
        || package == "@opentelemetry/auto-instrumentations-node"
        || (!package.starts_with("@opentelemetry/")
            && (package.contains("opentelemetry") || package.contains("otel")))
}

impl Instrumentation {
    /// Determines what sends spans in a service.
    pub fn read(evidence: &ServiceEvidence<'_>) -> Self {
        let ServiceEvidence { startup, sources, .. } = *evidence;
        let language = find_language(startup, sources);
        let mut environment = process_environment(language, startup, evidence.environment.clone());
        let launch = read_launch(startup, &environment);
        if copies_first_java_agent(startup) {
            let grpc = Secret::new(OtlpProtocol::Grpc.as_str());
            environment.entry(PROTOCOL_VARIABLES[1].to_owned()).or_insert(grpc);
        }
        let packages = language.and_then(|language| {
            if launch.brings_packages {
                agent_packages(language)
            } else {
                read_packages(language, startup, sources)
            }
        });
        let code = match language {
            Some(Language::Python) => read_python(&evidence.python),
            Some(Language::Node) => read_node(startup, &launch.preloaded, sources),
            _ => CodeTracing::default(),
        };
        let source = match (&launch.agent, language) {
            (Some(SpanAgent::OpenTelemetry), _) => SpanSource::Agent,
            (Some(SpanAgent::Vendor(vendor)), _) if !code.sets_up => {
                SpanSource::Vendor(vendor.clone())
            }
            (_, None) => SpanSource::Unknown,
            (_, Some(language)) => by_code(language, &code, packages.as_ref(), evidence),
        };
        let setup = set_up(&source, &code, &launch, &environment);
        let packages_read = packages.as_ref();
        let launched =
            LaunchEvidence { startup, launch: &launch, packages: packages_read, sources };
        let launch_problems = launched.find_problems();
        Self { language, source, setup, packages, environment, code, launch_problems }
    }

    /// Returns the SDK's configuration with the variables of the process.
    pub fn settings(&self) -> SdkSettings {
        self.settings_with(&self.environment)
    }

    /// Returns the SDK's configuration with other variables. A service name in code overrides them.
    pub fn settings_with(&self, environment: &BTreeMap<String, Secret>) -> SdkSettings {
        let mut settings = SdkSettings::read(&SdkInput {
            language: self.language,
            setup: &self.setup_with(environment),
            packages: self.packages.as_ref(),
            environment,
        });
        let in_code = self.code.service_name.as_ref().filter(|_| self.source == SpanSource::Code);
        if let Some(name) = in_code {
            settings.service_name = Some(name.clone());
        }
        if in_code.is_some() || self.may_name_itself() {
            settings.problems.retain(|problem| problem.kind != SdkProblemKind::NameMissing);
        }
        if self.code.ignores_resource
            && let Some((attribute, name)) = self.find_ignored_name(&settings)
        {
            settings.problems.push(SdkProblem {
                kind: SdkProblemKind::ResourceIgnored,
                effect: ProblemEffect::Different,
                variable: name,
                text: format!(
                    "the code creates a provider without a resource, which does not read {name}: the traces are named {UNNAMED_SERVICE}, not {attribute}"
                ),
            });
            settings.service_name = None;
            settings.resource.clear();
        }
        settings.problems.extend(self.launch_problems.iter().cloned());
        settings
    }

    /// Returns how the SDK is set up with other variables, one of which may hold the endpoint that its code passes on.
    fn setup_with(&self, environment: &BTreeMap<String, Secret>) -> SdkSetup {
        match (&self.setup, &self.code.exporter) {
            (SdkSetup::Code { .. }, Some(exporter)) => exporter.set_up(environment),
            (setup, _) => setup.clone(),
        }
    }

    /// Returns whether its code may set a service name that is not known: it computes one, or its language is not read.
    fn may_name_itself(&self) -> bool {
        let is_read = |language| matches!(language, Language::Python | Language::Node);
        match self.source {
            SpanSource::Code | SpanSource::Unknown => {
                self.code.computes_name || self.language.is_some_and(|language| !is_read(language))
            }
            SpanSource::Agent | SpanSource::Vendor(_) | SpanSource::Nothing => false,
        }
    }

    /// Returns the name in variables that a provider without a resource ignores, and the variable.
    fn find_ignored_name(&self, settings: &SdkSettings) -> Option<(String, &'static str)> {
        const NAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"];
        if self.source != SpanSource::Code || self.code.service_name.is_some() {
            return None;
        }
        let variable = NAMES.into_iter().find(|name| self.environment.contains_key(*name))?;
        Some((settings.service_name.clone()?, variable))
    }

    /// Returns whether its packages include an SDK for pages in browsers.
    pub fn has_page_sdk(&self) -> bool {
        let packages = self.packages.as_ref();
        packages.is_some_and(|packages| PAGE_SDKS.iter().any(|name| packages.contains(*name)))
    }
}

/// Returns the variables of a process: those of the command override the service's own, which override the image's.
fn process_environment(
    language: Option<Language>,
    startup: &Startup,
    mut environment: BTreeMap<String, Secret>,
) -> BTreeMap<String, Secret> {
    let image =
        startup.environment.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str())));
    image_defaults(&mut environment, image.collect());
    for command in &startup.commands {
        let assigned = command.variables.iter();
        environment
            .extend(assigned.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))));
        if let Some(language) = language {
            environment.extend(launch_variables(language, &command.words));
        }
    }
    environment
}

/// Returns whether an image copies the Java agent of a release before 2, whose default protocol is gRPC.
fn copies_first_java_agent(startup: &Startup) -> bool {
    const FIRST: &str = "opentelemetry-java-instrumentation/releases/download/v1.";
    let copied = startup.copied.iter().map(|copied| copied.source.as_str());
    let built = startup.build_commands.iter().flat_map(|command| &command.words);
    copied.chain(built.map(String::as_str)).any(|source| source.contains(FIRST))
}

fn by_code(
    language: Language,
    code: &CodeTracing,
    packages: Option<&BTreeSet<String>>,
    evidence: &ServiceEvidence<'_>,
) -> SpanSource {
    if code.sets_up {
        return SpanSource::Code;
    }
    if let Some(vendor) = &code.vendor {
        return SpanSource::Vendor(vendor.clone());
    }
    match language {
        Language::Python if evidence.python.is_empty() => SpanSource::Unknown,
        Language::Python => SpanSource::Nothing,
        Language::Node => match packages {
            Some(packages) if !packages.iter().any(|name| may_set_up(name)) => SpanSource::Nothing,
            _ => SpanSource::Unknown,
        },
        _ => read_manifest(language, evidence.startup, evidence.sources),
    }
}

fn set_up(
    source: &SpanSource,
    code: &CodeTracing,
    launch: &ProgramLaunch,
    environment: &BTreeMap<String, Secret>,
) -> SdkSetup {
    match (source, &code.exporter) {
        (SpanSource::Agent, _) => SdkSetup::Variables,
        (SpanSource::Code, Some(exporter)) => exporter.set_up(environment),
        // A setup that is loaded before the program and names no exporter is configured by variables.
        (SpanSource::Code, None) if !launch.preloaded.is_empty() => SdkSetup::Variables,
        _ => SdkSetup::Unknown,
    }
}
