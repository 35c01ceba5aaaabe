//! Determines how a service's JavaScript sets up tracing, from the files that are loaded first.

use std::path::{Path, PathBuf};

use super::OtlpProtocol;
use super::packages::read_text;
use super::python_code::{CodeEndpoint, CodeExporter, CodeTracing};
use crate::compose::{ProjectSources, Startup, resolve_image_path};

/// Maximum number of folders in which the usual files are looked for; images are made of fewer.
const MAX_FOLDERS: usize = 16;

/// Maximum number of files read; real programs set up tracing earlier.
const MAX_FILES: usize = 32;

/// Texts that identify a setup of OpenTelemetry's SDK.
const SDK_SETUP_TEXTS: [&str; 7] = [
    "new NodeSDK(",
    "new opentelemetry.NodeSDK(",
    "new NodeTracerProvider(",
    "new HoneycombSDK(",
    "registerOTel(",
    "auto-instrumentations-node/register",
    "startNodeSDK(",
];
/// Texts that identify tracers of other vendors.
const VENDORS: [(&str, &str); 8] = [
    ("require('dd-trace')", "Datadog"),
    ("from 'dd-trace'", "Datadog"),
    ("require('newrelic')", "New Relic"),
    ("import 'newrelic'", "New Relic"),
    ("require('elastic-apm-node')", "Elastic APM"),
    ("useAzureMonitor(", "Azure Monitor"),
    ("require('honeycomb-beeline')", "Honeycomb Beeline"),
    ("from 'honeycomb-beeline'", "Honeycomb Beeline"),
];
/// Packages of exporters, and their protocols.
const EXPORTERS: [(&str, OtlpProtocol); 3] = [
    ("@opentelemetry/exporter-trace-otlp-grpc", OtlpProtocol::Grpc),
    ("@opentelemetry/exporter-trace-otlp-proto", OtlpProtocol::HttpProtobuf),
    ("@opentelemetry/exporter-trace-otlp-http", OtlpProtocol::HttpJson),
];

/// Reads the files loaded before the program, the program's first file, and the files that these load.
pub(super) fn read_node(
    startup: &Startup,
    preloaded: &[String],
    sources: &dyn ProjectSources,
) -> CodeTracing {
    let mut tracing = CodeTracing::default();
    let first = preloaded
        .iter()
        .map(|module| resolve_image_path(&startup.folder, module))
        .filter_map(|path| startup.origin(&path, sources));
    let mut open: Vec<PathBuf> = first.chain(startup.started_files(sources)).collect();
    let folders = startup.code_folders(sources);
    let existing = folders.iter().filter(|(folder, _)| sources.exists(folder));
    for (folder, _) in existing.take(MAX_FOLDERS) {
        let usual_paths = ["instrumentation.ts", "instrumentation.js", "src/instrumentation.ts"];
        open.extend(usual_paths.iter().map(|name| folder.join(name)));
    }
    open.reverse();
    let mut read: Vec<PathBuf> = Vec::new();
    while let Some(path) = open.pop() {
        if read.len() >= MAX_FILES || read.contains(&path) {
            continue;
        }
        let Some(text) = read_source(&path, sources) else { continue };
        read.push(path.clone());
        read_file(&text, &mut tracing);
        open.extend(list_loaded_files(&text).filter_map(|name| Some(path.parent()?.join(name))));
    }
    tracing
}

fn read_file(text: &str, tracing: &mut CodeTracing) {
    let plain: String = without_comments(text).replace('"', "'");
    tracing.sets_up |= SDK_SETUP_TEXTS.iter().any(|mark| plain.contains(mark));
    if let Some((_, vendor)) = VENDORS.iter().find(|(mark, _)| plain.contains(mark)) {
        tracing.vendor.get_or_insert_with(|| (*vendor).to_owned());
    }
    tracing.ignores_resource |= creates_bare_provider(&plain);
    if tracing.exporter.is_none()
        && let Some((_, protocol)) = EXPORTERS.iter().find(|(package, _)| plain.contains(package))
        && let Some((_, arguments)) = plain.split_once("new OTLPTraceExporter(")
    {
        let inner = arguments.split_once("})").map_or("", |(inner, _)| inner);
        let url = inner.split_once("url:").map(|(_, value)| value.trim_start());
        let endpoint = url.map_or(CodeEndpoint::Absent, read_url);
        tracing.exporter = Some(CodeExporter { protocol: Some(*protocol), endpoint, place: None });
    }
    if tracing.service_name.is_none() {
        let keys = ["serviceName:", "'service.name':", "[ATTR_SERVICE_NAME]:", "SERVICE_NAME]:"];
        let behind = keys.iter().find_map(|key| Some(plain.split_once(key)?.1.trim_start()));
        let quoted = behind.and_then(|behind| behind.strip_prefix('\''));
        tracing.computes_name |= behind.is_some() && quoted.is_none();
        tracing.service_name = quoted.and_then(|text| Some(text.split_once('\'')?.0.to_owned()));
    }
}

/// Returns whether a provider is created without a resource. Unlike `NodeSDK`, it then asks no detector for one.
fn creates_bare_provider(text: &str) -> bool {
    let providers = ["new NodeTracerProvider(", "new BasicTracerProvider("];
    let mut created = providers.iter().flat_map(|provider| text.split(provider).skip(1));
    !text.contains("NodeSDK(")
        && created.any(|behind| {
            let mut depth = 1;
            let end = behind.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let arguments = behind[..end.unwrap_or(behind.len())].trim();
            let is_known =
                arguments.is_empty() || arguments.starts_with('{') && !arguments.contains("...");
            is_known && !arguments.contains("resource")
        })
}

/// Reads the endpoint at the start of a value: a literal, or a variable of the process.
fn read_url(value: &str) -> CodeEndpoint {
    let end = |text: &str| text.trim_start().starts_with([',', '}']) || text.trim().is_empty();
    if let Some((text, behind)) = value.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        return if end(behind) {
            CodeEndpoint::Literal(text.to_owned())
        } else {
            CodeEndpoint::Computed
        };
    }
    let Some(rest) = value.strip_prefix("process.env.") else { return CodeEndpoint::Computed };
    let at = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, behind) = rest.split_at(at);
    let behind = behind.trim_start();
    let default =
        behind.strip_prefix("||").or_else(|| behind.strip_prefix("??")).map(str::trim_start);
    match default.and_then(|text| text.strip_prefix('\'')).and_then(|text| text.split_once('\'')) {
        Some((default, rest)) if end(rest) => {
            CodeEndpoint::Variable(name.to_owned(), Some(default.to_owned()))
        }
        None if end(behind) => CodeEndpoint::Variable(name.to_owned(), None),
        _ => CodeEndpoint::Computed,
    }
}

/// Reads a file by its path, which may lack the extension.
fn read_source(path: &Path, sources: &dyn ProjectSources) -> Option<String> {
    if let Some(text) = read_text(path, sources) {
        return Some(text);
    }
    let name = path.file_name()?.to_str()?;
    let ends = [".js", ".ts", ".mjs", ".cjs", "/index.js", "/index.ts"];
    ends.iter().find_map(|end| read_text(&path.with_file_name(format!("{name}{end}")), sources))
}

/// Returns the local files that a text loads: `require('./tracing')`, `import './tracing.js'`.
fn list_loaded_files(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| line.contains("require(") || line.contains("import"));
    lines.filter_map(|line| {
        let start = line.find(['\'', '"'])?;
        let quoted = &line[start + 1..];
        let name = &quoted[..quoted.find(['\'', '"'])?];
        name.starts_with('.').then_some(name)
    })
}

/// Removes line comments from a text, assuming that no string contains two slashes.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") || comment.starts_with('*') => "",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}
