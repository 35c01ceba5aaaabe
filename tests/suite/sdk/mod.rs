//! `SdkSettings` of an environment, compared with the real SDKs of Python and Node.js.

mod generated;
mod oracle;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cruddur_ops::instrumentation::{
    Language, OtlpCompression, OtlpExporter, OtlpProtocol, SdkInput, SdkProblemKind, SdkSettings,
    SdkSetup, SpanExporter, TraceSampler,
};
use cruddur_ops::secret::Secret;
use serde_json::Value;

use oracle::Oracle;

/// Variables by name.
type Environment = BTreeMap<String, String>;

/// The packages of the Python that `tests/tools/python.sh` installs, as far as an SDK needs them.
const PYTHON_PACKAGES: [&str; 3] = [
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-propagator-aws-xray",
];

/// The headers that an SDK adds to each request.
const OWN_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

fn settings(language: Language, setup: &SdkSetup, environment: &Environment) -> SdkSettings {
    let packages: BTreeSet<String> = PYTHON_PACKAGES.map(str::to_owned).into();
    let variables =
        environment.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str())));
    SdkSettings::read(&SdkInput {
        language: Some(language),
        setup,
        packages: Some(&packages),
        environment: &variables.collect(),
    })
}

/// Runs the real SDK in each environment, and fails if our settings differ.
fn compare(language: Language, setup: &SdkSetup, environments: &[Environment]) {
    let cases = environments.iter().map(|environment| (setup.clone(), environment.clone()));
    compare_cases(language, &cases.collect::<Vec<_>>());
}

/// Runs the real SDK in each environment with each setup, and fails if our settings differ.
fn compare_cases(language: Language, cases: &[(SdkSetup, Environment)]) {
    let Some(mut oracle) = Oracle::start(language) else { return };
    let mut wrong = Vec::new();
    for (setup, environment) in cases {
        let answer = oracle.ask(setup, environment);
        let ours = settings(language, setup, environment);
        let differences = differences(language, &ours, &answer);
        if !differences.is_empty() {
            let shown: Vec<String> =
                ours.problems.iter().map(|problem| format!("{:?}", problem.kind)).collect();
            wrong.push(format!(
                "{setup:?} {environment:?}\n  {}\n  {shown:?}\n  {answer}",
                differences.join("\n  ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} environments differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

fn differences(language: Language, ours: &SdkSettings, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("{what}: {ours}, the SDK {theirs}"));
        }
    };
    let starts = theirs["error"].is_null();
    differ("starts", ours.starts().to_string(), starts.to_string());
    if !starts || !ours.starts() {
        return found;
    }
    differ("disabled", ours.disabled.to_string(), theirs["disabled"].to_string());
    if language == Language::Node && ours.disabled {
        return found;
    }
    let kinds: Vec<&str> = theirs["exporters"].as_array().unwrap().iter().map(kind).collect();
    let own: Vec<&str> = ours.exporters.iter().map(own_kind).collect();
    differ("exporters", own.join(","), kinds.join(","));
    let (resource, name) = resource(&theirs["resource"]);
    differ("name", format!("{:?}", ours.service_name), format!("{name:?}"));
    let mut attributes = ours.resource.clone();
    attributes.remove("service.name");
    differ("resource", format!("{attributes:?}"), format!("{resource:?}"));
    if let Some(text) = theirs["sampler"].as_str() {
        differ("sampler", format!("{:?}", ours.sampler), format!("{:?}", sampler(text)));
    }
    let fields: BTreeSet<&str> =
        theirs["fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let own: BTreeSet<&str> =
        ours.propagators.iter().flat_map(|name| fields_of(name)).copied().collect();
    differ("fields", format!("{own:?}"), format!("{fields:?}"));
    let no_attributes = ours.problems.iter().any(|problem| {
        problem.kind == SdkProblemKind::LimitZero && problem.text.contains("no attributes")
    });
    if theirs["attributes"] == 0 {
        differ("attributes", no_attributes.to_string(), "true".to_owned());
    }
    let own = ours.exporters.iter();
    for (own, theirs) in own.zip(theirs["exporters"].as_array().unwrap()) {
        if let SpanExporter::Otlp(own) = own {
            match own.protocol {
                OtlpProtocol::Grpc => found.extend(grpc_differences(own, theirs)),
                _ => found.extend(http_differences(own, theirs)),
            }
        }
    }
    found.extend(request_differences(ours, theirs));
    found
}

/// Returns what arrived at the receiver, if anything.
fn request_differences(ours: &SdkSettings, theirs: &Value) -> Vec<String> {
    let is_http = |one: &SpanExporter| matches!(one, SpanExporter::Otlp(one) if one.protocol != OtlpProtocol::Grpc);
    let is_patient = ours.otlp().is_some_and(|one| {
        one.timeout.is_none_or(|timeout| timeout.is_zero() || timeout >= Duration::from_millis(100))
    });
    let is_certain = is_patient && (ours.sampler.ratio == 0.0 || ours.sampler.ratio == 1.0);
    if ours.exporters.is_empty() || !ours.exporters.iter().all(is_http) || !is_certain {
        return Vec::new();
    }
    let requests = theirs["requests"].as_array().unwrap();
    let sends = ours.blocker().is_none() && ours.sampler.ratio == 1.0;
    let expected = if sends { ours.exporters.len() } else { 0 };
    if requests.len() != expected {
        return vec![format!("{expected} requests, the SDK {}", requests.len())];
    }
    let mut found = Vec::new();
    for request in requests {
        let ours = ours.otlp().unwrap();
        let url = ours.url.as_ref().unwrap();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", url.path());
        if request["path"] != path {
            found.push(format!("path {path}, the SDK {}", request["path"]));
        }
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for pair in request["headers"].as_array().unwrap() {
            let text = |at: usize| pair[at].as_str().unwrap().to_owned();
            headers.insert(text(0).to_lowercase(), text(1));
        }
        let host = headers.get("host").cloned().unwrap_or_default();
        let host = host.trim_end_matches(":443").trim_end_matches(":80");
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let own = format!("{}{port}", url.host_str().unwrap());
        if host != own {
            found.push(format!("host {own}, the SDK {host}"));
        }
        headers.retain(|name, _| !OWN_HEADERS.contains(&name.as_str()));
        let own: BTreeMap<String, String> = ours
            .headers
            .iter()
            .map(|header| (header.name.clone(), header.value.expose().trim().to_owned()))
            .filter(|(name, _)| !OWN_HEADERS.contains(&name.as_str()))
            .collect();
        if own != headers {
            found.push(format!("headers {own:?}, the SDK {headers:?}"));
        }
    }
    found
}

fn http_differences(ours: &OtlpExporter, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let compression = match ours.compression {
        OtlpCompression::None => "none",
        OtlpCompression::Gzip => "gzip",
        OtlpCompression::Deflate => "deflate",
    };
    if theirs["compression"] != compression {
        found.push(format!("compression {compression}, the SDK {}", theirs["compression"]));
    }
    let scale = if theirs["url"].is_null() { 1.0 } else { 1000.0 };
    let timeout = ours.timeout.unwrap_or(Duration::from_secs(10)).as_secs_f64();
    let real = theirs["timeout"].as_f64().unwrap().max(0.0) / scale;
    if (timeout - real).abs() > 1e-6 {
        found.push(format!("time-out {timeout}, the SDK {real}"));
    }
    if let Some(real) = theirs["url"].as_str() {
        let url = ours.url.as_ref().map(|url| url.as_str().to_owned());
        let mut real = url::Url::parse(real).unwrap();
        real.set_fragment(None);
        if url.is_some_and(|url| url != real.as_str()) {
            found.push(format!("url {:?}, the SDK {real}", ours.url));
        }
    }
    found
}

fn grpc_differences(ours: &OtlpExporter, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(url) = &ours.url {
        let target = theirs["target"].as_str().unwrap();
        let real = url::Url::parse(&format!("{}://{target}", url.scheme())).unwrap();
        let own = (url.host_str(), url.port());
        if own != (real.host_str(), real.port()) {
            let own = url.as_str();
            found.push(format!("target {own}, the SDK {target}"));
        }
        if theirs["insecure"] != (url.scheme() == "http") {
            found.push(format!("{}, the SDK insecure {}", url.scheme(), theirs["insecure"]));
        }
    }
    let real: BTreeMap<String, String> = theirs["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()))
        .filter(|(name, _)| name != "user-agent")
        .collect();
    let own: BTreeMap<String, String> = ours
        .headers
        .iter()
        .map(|header| (header.name.clone(), header.value.expose().to_owned()))
        .collect();
    if own != real {
        found.push(format!("headers {own:?}, the SDK {real:?}"));
    }
    found
}

fn kind(exporter: &Value) -> &str {
    match exporter["kind"].as_str().unwrap() {
        "ConsoleSpanExporter" => "console",
        "ZipkinExporter" => "zipkin",
        other => other,
    }
}

fn own_kind(exporter: &SpanExporter) -> &str {
    match exporter {
        SpanExporter::Otlp(exporter) => exporter.protocol.as_str(),
        SpanExporter::Console => "console",
        SpanExporter::Other(name) => name,
    }
}

/// Returns the attributes that come from variables, and the name unless the SDK generated it.
fn resource(real: &Value) -> (BTreeMap<String, String>, Option<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = real.as_object().unwrap();
    let name = all.get("service.name").map(text);
    let name = name.filter(|name| !name.is_empty() && !name.starts_with("unknown_service"));
    let own = ["telemetry.", "process.", "host.", "os.", "service.name", "service.instance.id"];
    let others = all.iter().filter(|(key, _)| !own.iter().any(|own| key.starts_with(own)));
    (others.map(|(key, value)| (key.clone(), text(value))).collect(), name)
}

/// Returns a sampler from its description, which both SDKs write almost alike.
fn sampler(text: &str) -> TraceSampler {
    let inner = text.strip_prefix("ParentBased{root");
    let root = inner.map_or(text, |inner| inner.trim_start_matches([':', '=']));
    let ratio = match root.strip_prefix("TraceIdRatioBased{") {
        Some(ratio) => ratio.split('}').next().unwrap().parse().unwrap(),
        None if root.starts_with("AlwaysOn") => 1.0,
        None => {
            assert!(root.starts_with("AlwaysOff"), "{text}");
            0.0
        }
    };
    TraceSampler { parent_based: inner.is_some(), ratio }
}

/// Returns the headers that a propagator reads and writes.
fn fields_of(propagator: &str) -> &'static [&'static str] {
    match propagator {
        "tracecontext" => &["traceparent", "tracestate"],
        "baggage" => &["baggage"],
        "xray" | "xray-lambda" => &["X-Amzn-Trace-Id"],
        "b3" => &["b3"],
        "b3multi" => {
            &["x-b3-flags", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]
        }
        "jaeger" => &["uber-trace-id"],
        other => panic!("{other}"),
    }
}
