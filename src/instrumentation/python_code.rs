//! What a service's Python does about tracing: providers, exporters, processors, names, and lines that do nothing.

use std::path::{Path, PathBuf};

use super::Protocol;
use crate::edit::python::bindings::imports;
use crate::edit::python::calls::{Call, Scope, calls};
use crate::edit::python::source::Source;

/// A text of the service's code.
#[derive(Debug, Clone, Copy)]
pub struct CodeText<'a> {
    /// Absolute.
    pub path: &'a Path,
    /// As it was read.
    pub text: &'a str,
}

/// What the code of a service does about tracing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeTracing {
    /// It sets up an SDK.
    pub sets_up: bool,
    /// Another vendor's tracer that it starts.
    pub vendor: Option<String>,
    /// The exporter of OTLP that it builds, the first of several.
    pub exporter: Option<CodeExporter>,
    /// The name of the service that it gives to the SDK.
    pub service_name: Option<String>,
    /// What becomes of spans on the console.
    pub console: ConsoleExporter,
    /// Lines that lose spans, or send them twice.
    pub findings: Vec<CodeFinding>,
}

/// An exporter of OTLP that code builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeExporter {
    /// Of its class; `None` where the import does not tell.
    pub protocol: Option<Protocol>,
    /// What it is given as endpoint.
    pub endpoint: CodeEndpoint,
    /// The file and the line that build it, where they are known; 1 for the first line.
    pub place: Option<(PathBuf, usize)>,
}

/// The endpoint that code gives to an exporter, which the SDK uses as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeEndpoint {
    /// None: variables decide.
    Absent,
    /// This one.
    Literal(String),
    /// The value of a variable, or else this default.
    Variable(String, Option<String>),
    /// One that is worked out.
    Computed,
}

/// What becomes of an exporter to the console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConsoleExporter {
    /// There is none.
    #[default]
    Absent,
    /// It is made and given no span.
    Unused,
    /// It writes every span.
    Used,
}

/// A line of code that loses spans, or sends them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFinding {
    /// What is wrong.
    pub kind: CodeFindingKind,
    /// The file.
    pub path: PathBuf,
    /// 1 for the first line.
    pub line: usize,
}

/// What is wrong with a line of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFindingKind {
    /// The same exporter gets each span a second time.
    ProcessorTwice,
    /// An exporter is made, and no processor gives it spans.
    ProcessorMissing,
    /// A provider is made and never set.
    ProviderNotSet,
    /// The line that traces the application is a comment.
    HookCommentedOut,
}

/// Calls of other vendors' tracers: the end of what is called, and the vendor.
const VENDORS: [(&str, &str); 7] = [
    ("ddtrace.patch_all", "Datadog"),
    ("ddtrace.patch", "Datadog"),
    ("newrelic.agent.initialize", "New Relic"),
    ("elasticapm.Client", "Elastic APM"),
    ("elasticapm.contrib.flask.ElasticAPM", "Elastic APM"),
    ("azure.monitor.opentelemetry.configure_azure_monitor", "Azure Monitor"),
    ("logfire.configure", "Logfire"),
];

/// Calls that set up OpenTelemetry's SDK as a whole.
const SET_UPS: [&str; 2] = ["set_tracer_provider", "configure_opentelemetry"];

/// One of these is in each text that has a call or a comment which is looked for: most files of a project have none, and
/// parsing them takes nearly all of the time.
const WORDS: [&str; 11] = [
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
];

/// How often a name is followed to what it is bound to.
const DEEPEST: usize = 3;

/// Reads what a service's Python does about tracing; files that are not Python are passed over.
pub(super) fn read_python(texts: &[CodeText<'_>]) -> CodeTracing {
    let may_trace = |text: &&CodeText<'_>| WORDS.iter().any(|word| text.text.contains(word));
    let read = texts.iter().filter(may_trace).filter_map(|text| {
        let source = Source::parse(text.text).ok()?;
        let calls = calls(&source, &imports(&source));
        Some(PythonText { text: *text, calls })
    });
    let files: Vec<PythonText<'_>> = read.collect();
    let any = |name: &str| files.iter().any(|file| file.named(name).next().is_some());
    let mut tracing =
        CodeTracing { sets_up: SET_UPS.iter().any(|name| any(name)), ..CodeTracing::default() };
    for file in &files {
        file.read_vendor(&mut tracing);
        if tracing.exporter.is_none() {
            tracing.exporter = file.exporter();
        }
        if tracing.service_name.is_none() {
            tracing.service_name = file.service_name();
        }
        if file.named("ConsoleSpanExporter").next().is_some()
            && tracing.console != ConsoleExporter::Used
        {
            let used =
                file.processors().any(|one| file.resolved(one).contains("ConsoleSpanExporter("));
            tracing.console = if used { ConsoleExporter::Used } else { ConsoleExporter::Unused };
        }
        file.find_twice(&mut tracing.findings);
    }
    find_missing(&files, &mut tracing.findings);
    tracing
}

/// Pieces of a set-up that no file has.
fn find_missing(files: &[PythonText<'_>], findings: &mut Vec<CodeFinding>) {
    let any = |name: &str| files.iter().any(|file| file.named(name).next().is_some());
    let hands_on = files.iter().flat_map(|file| &file.calls).any(|call| {
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

/// `TracerProvider(active_span_processor=…)`
fn hands_processors(files: &[PythonText<'_>]) -> bool {
    let providers = files.iter().flat_map(|file| file.named("TracerProvider"));
    providers.flat_map(|call| &call.arguments).any(|argument| argument.contains("processor"))
}

/// One module and its calls.
struct PythonText<'a> {
    text: CodeText<'a>,
    calls: Vec<Call>,
}

impl PythonText<'_> {
    fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Call> {
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
            path if path.contains(".proto.grpc.") => Some(Protocol::Grpc),
            path if path.contains(".proto.http.") => Some(Protocol::HttpProtobuf),
            _ => None,
        };
        let endpoint = call.arguments.iter().find_map(|argument| {
            let (name, value) = argument.split_once('=')?;
            (name.trim() == "endpoint").then(|| value.trim())
        });
        let endpoint =
            endpoint.map_or(CodeEndpoint::Absent, |value| read_endpoint(&self.resolved(value)));
        Some(CodeExporter { protocol, endpoint, place: Some(self.line(call.range.start)) })
    }

    /// The name of the service in a resource: `Resource.create({"service.name": "api"})`.
    fn service_name(&self) -> Option<String> {
        let resources = self.calls.iter().filter(|call| call.callee.contains("Resource"));
        resources.flat_map(|call| &call.arguments).find_map(|argument| {
            let text = self.resolved(argument);
            let keys = ["\"service.name\"", "'service.name'", "SERVICE_NAME"];
            let behind = keys.iter().find_map(|key| Some(text.split_once(key)?.1))?;
            literal(behind.trim_start().strip_prefix(':')?.trim_start())
        })
    }

    /// What is added to a provider while the module is imported.
    fn processors(&self) -> impl Iterator<Item = &str> {
        self.named("add_span_processor")
            .filter_map(|call| call.arguments.first().map(String::as_str))
    }

    /// An expression with the names in it replaced by what this module binds them to.
    fn resolved(&self, expression: &str) -> String {
        let mut text = expression.trim().to_owned();
        for _ in 0..DEEPEST {
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

    /// The last value that a line of the module binds to a name.
    fn bound(&self, name: &str) -> Option<String> {
        let mut lines = self.text.text.lines().rev();
        lines.find_map(|line| {
            let rest = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?;
            (!rest.starts_with('='))
                .then(|| rest.split(" #").next().unwrap_or(rest).trim().to_owned())
        })
    }

    fn find_twice(&self, findings: &mut Vec<CodeFinding>) {
        let mut seen: Vec<(String, String, &Scope)> = Vec::new();
        for call in self.named("add_span_processor") {
            let Some(argument) = call.arguments.first() else { continue };
            let processor: String = self.resolved(argument).split_whitespace().collect();
            if call.scope == Scope::Conditional || !processor.contains("OTLPSpanExporter(") {
                continue;
            }
            let one = (call.callee.clone(), processor, &call.scope);
            match seen.contains(&one) {
                true => {
                    let (path, line) = self.line(call.range.start);
                    findings.push(CodeFinding {
                        kind: CodeFindingKind::ProcessorTwice,
                        path,
                        line,
                    });
                }
                false => seen.push(one),
            }
        }
    }

    /// A comment that would trace the application.
    fn commented_hook(&self) -> Option<(PathBuf, usize)> {
        let mut lines = self.text.text.lines().enumerate();
        lines.find_map(|(at, line)| {
            let comment: String = line.trim_start().strip_prefix('#')?.split_whitespace().collect();
            let is_hook = comment.contains("FlaskInstrumentor().instrument_app(");
            // Words behind the call are its author's reason.
            (is_hook && comment.starts_with("FlaskInstr") && comment.ends_with(')'))
                .then(|| (self.text.path.to_owned(), at + 1))
        })
    }
}

/// The endpoint that an expression comes to.
fn read_endpoint(value: &str) -> CodeEndpoint {
    if let Some(text) = literal(value) {
        return CodeEndpoint::Literal(text);
    }
    let readers =
        ["os.getenv(", "getenv(", "os.environ.get(", "environ.get(", "os.environ[", "environ["];
    let Some(rest) = readers.iter().find_map(|reader| value.strip_prefix(reader)) else {
        return CodeEndpoint::Computed;
    };
    let Some(name) = literal(rest.trim_start()) else { return CodeEndpoint::Computed };
    let behind = rest.trim_start().get(name.len() + 2..).unwrap_or_default().trim_start();
    match behind.strip_prefix(',') {
        Some(default) => match literal(default.trim_start()) {
            Some(default) => CodeEndpoint::Variable(name, Some(default)),
            None => CodeEndpoint::Computed,
        },
        None if behind == ")" || behind == "]" => CodeEndpoint::Variable(name, None),
        None => CodeEndpoint::Computed,
    }
}

/// The text of a string literal that an expression begins with; `None` if something is put into it.
fn literal(expression: &str) -> Option<String> {
    let quote = expression.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (text, behind) = expression[1..].split_once(quote)?;
    let ends =
        behind.trim_start().chars().next().is_none_or(|next| matches!(next, ',' | ')' | '}' | ']'));
    (ends && !text.contains('\\')).then(|| text.to_owned())
}
