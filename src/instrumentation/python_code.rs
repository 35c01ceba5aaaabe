//! Determines how a service's Python sets up tracing: providers, exporters, processors, names, and ineffective lines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{OtlpProtocol, SdkSetup};
use crate::edit::python::bindings::list_imports;
use crate::edit::python::calls::{CallScope, PythonCall, list_calls};
use crate::edit::python::source::PythonSource;
use crate::secret::Secret;

/// A file of the service's code.
#[derive(Debug, Clone, Copy)]
pub struct CodeText<'a> {
    /// Absolute path.
    pub path: &'a Path,
    /// The text as read.
    pub text: &'a str,
    /// Its calls, if it was parsed before.
    pub calls: Option<&'a [PythonCall]>,
}

/// The tracing setup in the code of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTracing {
    /// Whether it sets up an SDK.
    pub sets_up: bool,
    /// Another vendor's tracer that it starts.
    pub vendor: Option<String>,
    /// The OTLP exporter that it creates; the first of several.
    pub exporter: Option<CodeExporter>,
    /// The service name that it gives to the SDK.
    pub service_name: Option<String>,
    /// Whether it computes the service name that it gives to the SDK.
    pub computes_name: bool,
    /// Whether it creates a provider without a resource, which ignores the variables with the name and the attributes.
    pub ignores_resource: bool,
    /// Whether spans are written to the console.
    pub console: ConsoleExporter,
    /// Lines that lose spans, or send them twice.
    pub findings: Vec<CodeFinding>,
}

/// An OTLP exporter that code creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeExporter {
    /// The protocol of its class; `None` if the import does not show it.
    pub protocol: Option<OtlpProtocol>,
    /// The endpoint passed to it.
    pub endpoint: CodeEndpoint,
    /// The file and line that create it, if known; lines count from 1.
    pub place: Option<(PathBuf, usize)>,
}

impl CodeExporter {
    /// Returns how the code sets up its SDK, given the variables of which one may hold the endpoint.
    pub(super) fn set_up(&self, environment: &BTreeMap<String, Secret>) -> SdkSetup {
        let Some(protocol) = self.protocol else { return SdkSetup::Unknown };
        let endpoint = match &self.endpoint {
            CodeEndpoint::Absent => None,
            CodeEndpoint::Literal(endpoint) => Some(endpoint.clone()),
            CodeEndpoint::Variable(name, default) => {
                let value = environment.get(name).map(|value| value.expose().to_owned());
                value.or_else(|| default.clone())
            }
            CodeEndpoint::Computed => return SdkSetup::Unknown,
        };
        SdkSetup::Code { protocol, endpoint }
    }
}

/// The endpoint that code passes to an exporter, which the SDK uses unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeEndpoint {
    /// None: variables decide.
    Absent,
    /// A literal.
    Literal(String),
    /// The value of a variable, with an optional default.
    Variable(String, Option<String>),
    /// A computed value, which is unknown.
    Computed,
}

/// The use of a console exporter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConsoleExporter {
    /// No console exporter.
    #[default]
    Absent,
    /// It is created, but gets no spans.
    Unused,
    /// It gets every span.
    Used,
}

/// A line of code that loses spans, or sends them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFinding {
    /// The problem.
    pub kind: CodeFindingKind,
    /// The file.
    pub path: PathBuf,
    /// Line number, starting at 1.
    pub line: usize,
}

/// The problem with a line of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFindingKind {
    /// The same exporter receives each span twice.
    ProcessorTwice,
    /// An exporter is created, but no processor passes it spans.
    ProcessorMissing,
    /// A provider is created, but never set.
    ProviderNotSet,
    /// The line that instruments the application is commented out.
    HookCommentedOut,
}

/// Calls that start tracers of other vendors: the end of the callee, and the vendor.
const VENDORS: [(&str, &str); 8] = [
    ("ddtrace.patch_all", "Datadog"),
    ("ddtrace.patch", "Datadog"),
    ("newrelic.agent.initialize", "New Relic"),
    ("elasticapm.Client", "Elastic APM"),
    ("elasticapm.contrib.flask.ElasticAPM", "Elastic APM"),
    ("azure.monitor.opentelemetry.configure_azure_monitor", "Azure Monitor"),
    ("logfire.configure", "Logfire"),
    ("beeline.init", "Honeycomb Beeline"),
];

/// Calls that set up the whole OpenTelemetry SDK.
const SDK_SETUP_CALLS: [&str; 2] = ["set_tracer_provider", "configure_opentelemetry"];

/// Each relevant file contains one of these words. Other files are not parsed, which saves most of the time.
const WORDS: [&str; 12] = [
    "opentelemetry",
    "tracer_provider",
    "TracerProvider",
    "span_processor",
    "Exporter",
    "Resource",
    "instrument_app",
    "ddtrace",
    "newrelic",
    "elasticapm",
    "logfire",
    "beeline",
];

/// Maximum number of bindings that a name is followed through.
const MAX_BINDINGS: usize = 3;

/// Reads how a service's Python sets up tracing; files that are not Python are skipped.
pub(super) fn read_python(texts: &[CodeText<'_>]) -> CodeTracing {
    let may_trace = |text: &&CodeText<'_>| WORDS.iter().any(|word| text.text.contains(word));
    let read = texts.iter().filter(may_trace).filter_map(|text| {
        let calls = match text.calls {
            Some(calls) => Cow::Borrowed(calls),
            None => {
                let source = PythonSource::parse(text.text).ok()?;
                Cow::Owned(list_calls(&source, &list_imports(&source)))
            }
        };
        Some(PythonText { text: *text, calls })
    });
    let files: Vec<PythonText<'_>> = read.collect();
    let any = |name: &str| files.iter().any(|file| file.named(name).next().is_some());
    let mut tracing = CodeTracing {
        sets_up: SDK_SETUP_CALLS.iter().any(|name| any(name)),
        ..CodeTracing::default()
    };
    for file in &files {
        file.read_vendor(&mut tracing);
        if tracing.exporter.is_none() {
            tracing.exporter = file.exporter();
        }
        for value in file.service_names() {
            let literal = parse_string_literal(&value);
            tracing.computes_name |= literal.is_none();
            tracing.service_name = tracing.service_name.or(literal);
        }
        if file.named("ConsoleSpanExporter").next().is_some()
            && tracing.console != ConsoleExporter::Used
        {
            let used = file
                .processors()
                .any(|processor| file.resolved(processor).contains("ConsoleSpanExporter("));
            tracing.console = if used { ConsoleExporter::Used } else { ConsoleExporter::Unused };
        }
        file.find_twice(&mut tracing.findings);
    }
    find_missing(&files, &mut tracing.findings);
    tracing
}

/// Finds the parts of a tracing setup that are in none of the files.
fn find_missing(files: &[PythonText<'_>], findings: &mut Vec<CodeFinding>) {
    let any = |name: &str| files.iter().any(|file| file.named(name).next().is_some());
    let hands_on = files.iter().flat_map(|file| file.calls.iter()).any(|call| {
        call.arguments
            .iter()
            .any(|argument| argument.replace(' ', "").starts_with("tracer_provider="))
    });
    let first = |name: &str| {
        files
            .iter()
            .find_map(|file| file.named(name).next().map(|call| file.line(call.range.start)))
    };
    let mut add = |kind, place: Option<(PathBuf, usize)>| {
        findings.extend(place.map(|(path, line)| CodeFinding { kind, path, line }));
    };
    if !any("set_tracer_provider") && !any("configure_opentelemetry") && !hands_on {
        add(CodeFindingKind::ProviderNotSet, first("TracerProvider"));
    }
    if any("TracerProvider") && !any("add_span_processor") && !hands_processors(files) {
        add(CodeFindingKind::ProcessorMissing, first("OTLPSpanExporter"));
    }
    if !any("instrument_app") && !any("configure_opentelemetry") {
        add(CodeFindingKind::HookCommentedOut, files.iter().find_map(PythonText::commented_hook));
    }
}

/// Returns whether processors are passed to the provider: `TracerProvider(active_span_processor=…)`.
fn hands_processors(files: &[PythonText<'_>]) -> bool {
    let providers = files.iter().flat_map(|file| file.named("TracerProvider"));
    providers.flat_map(|call| &call.arguments).any(|argument| argument.contains("processor"))
}

/// A module and its calls.
struct PythonText<'a> {
    text: CodeText<'a>,
    calls: Cow<'a, [PythonCall]>,
}

impl PythonText<'_> {
    fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s PythonCall> {
        self.calls.iter().filter(move |call| call.name == name)
    }

    fn line(&self, at: usize) -> (PathBuf, usize) {
        let line = self.text.text[..at].matches('\n').count() + 1;
        (self.text.path.to_owned(), line)
    }

    fn read_vendor(&self, tracing: &mut CodeTracing) {
        let paths = self.calls.iter().filter_map(|call| call.path.as_deref());
        for path in paths {
            if let Some((_, vendor)) = VENDORS.iter().find(|(call, _)| *call == path) {
                tracing.vendor.get_or_insert_with(|| (*vendor).to_owned());
            }
        }
    }

    fn exporter(&self) -> Option<CodeExporter> {
        let call = self.named("OTLPSpanExporter").next()?;
        let path = call.path.as_deref().unwrap_or_default();
        let protocol = match path {
            path if path.contains(".proto.grpc.") => Some(OtlpProtocol::Grpc),
            path if path.contains(".proto.http.") => Some(OtlpProtocol::HttpProtobuf),
            _ => None,
        };
        let endpoint = call
            .arguments
            .iter()
            .find_map(|argument| {
                let (name, value) = argument.split_once('=')?;
                (name.trim() == "endpoint").then(|| value.trim())
            })
            .map_or(CodeEndpoint::Absent, |value| read_endpoint(&self.resolved(value)));
        Some(CodeExporter { protocol, endpoint, place: Some(self.line(call.range.start)) })
    }

    /// Returns the service names in resources, as written: `Resource.create({"service.name": "api"})`.
    fn service_names(&self) -> impl Iterator<Item = String> {
        let resources = self.calls.iter().filter(|call| call.callee.contains("Resource"));
        resources.flat_map(|call| &call.arguments).filter_map(|argument| {
            let text = self.resolved(argument);
            let keys = ["\"service.name\"", "'service.name'", "SERVICE_NAME"];
            let behind = keys.iter().find_map(|key| Some(text.split_once(key)?.1))?;
            Some(behind.trim_start().strip_prefix(':')?.trim_start().to_owned())
        })
    }

    /// Returns the processors added to a provider while the module is imported.
    fn processors(&self) -> impl Iterator<Item = &str> {
        self.named("add_span_processor")
            .filter_map(|call| call.arguments.first().map(String::as_str))
    }

    /// Replaces the names in an expression with the values this module binds to them.
    fn resolved(&self, expression: &str) -> String {
        let mut text = expression.trim().to_owned();
        for _ in 0..MAX_BINDINGS {
            let name =
                text.rsplit(['(', '=']).next().unwrap_or_default().trim_end_matches(')').trim();
            let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let Some(value) = self.bound(name).filter(|_| is_name) else { break };
            let Some(at) = text.rfind(name) else { break };
            text.replace_range(at..at + name.len(), &value);
        }
        text
    }

    /// Returns the last value that the module binds to a name.
    fn bound(&self, name: &str) -> Option<String> {
        let mut lines = self.text.text.lines().rev();
        lines.find_map(|line| {
            let rest = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?;
            (!rest.starts_with('='))
                .then(|| rest.split(" #").next().unwrap_or(rest).trim().to_owned())
        })
    }

    fn find_twice(&self, findings: &mut Vec<CodeFinding>) {
        let mut seen: Vec<(String, String, &CallScope)> = Vec::new();
        for call in self.named("add_span_processor") {
            let Some(argument) = call.arguments.first() else { continue };
            let processor: String = self.resolved(argument).split_whitespace().collect();
            if call.scope == CallScope::Conditional || !processor.contains("OTLPSpanExporter(") {
                continue;
            }
            let registration = (call.callee.clone(), processor, &call.scope);
            if seen.contains(&registration) {
                let (path, line) = self.line(call.range.start);
                findings.push(CodeFinding { kind: CodeFindingKind::ProcessorTwice, path, line });
            } else {
                seen.push(registration)
            }
        }
    }

    /// Finds a comment that would instrument the application.
    fn commented_hook(&self) -> Option<(PathBuf, usize)> {
        let mut lines = self.text.text.lines().enumerate();
        lines.find_map(|(at, line)| {
            let comment: String = line.trim_start().strip_prefix('#')?.split_whitespace().collect();
            let is_hook = comment.contains("FlaskInstrumentor().instrument_app(");
            // Text after the call is an explanation by the author.
            (is_hook && comment.starts_with("FlaskInstr") && comment.ends_with(')'))
                .then(|| (self.text.path.to_owned(), at + 1))
        })
    }
}

/// Reads the endpoint from an expression.
fn read_endpoint(value: &str) -> CodeEndpoint {
    if let Some(text) = parse_string_literal(value) {
        return CodeEndpoint::Literal(text);
    }
    let readers =
        ["os.getenv(", "getenv(", "os.environ.get(", "environ.get(", "os.environ[", "environ["];
    let Some(rest) = readers.iter().find_map(|reader| value.strip_prefix(reader)) else {
        return CodeEndpoint::Computed;
    };
    let Some(name) = parse_string_literal(rest.trim_start()) else { return CodeEndpoint::Computed };
    let behind = rest.trim_start().get(name.len() + 2..).unwrap_or_default().trim_start();
    match behind.strip_prefix(',') {
        Some(default) => match parse_string_literal(default.trim_start()) {
            Some(default) => CodeEndpoint::Variable(name, Some(default)),
            None => CodeEndpoint::Computed,
        },
        None if behind == ")" || behind == "]" => CodeEndpoint::Variable(name, None),
        None => CodeEndpoint::Computed,
    }
}

/// Returns the text of a string literal at the start of an expression; `None` if it is formatted.
fn parse_string_literal(expression: &str) -> Option<String> {
    let quote = expression.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (text, behind) = expression[1..].split_once(quote)?;
    let ends =
        behind.trim_start().chars().next().is_none_or(|next| matches!(next, ',' | ')' | '}' | ']'));
    (ends && !text.contains('\\')).then(|| text.to_owned())
}
