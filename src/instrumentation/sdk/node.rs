//! The JavaScript SDK on Node.js, as `@opentelemetry/sdk-node` starts it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::node_otlp::{read_grpc, read_http};
use super::number::javascript_number;
use super::otlp::OtlpProtocol;
use super::problem::SdkProblemKind;
use super::reading::{
    NAME, PROPAGATORS, PROTOCOL, RESOURCE, SAMPLER, SAMPLER_RATIO, SWITCH, SdkReading,
    TRACES_EXPORTER, UnsetRule,
};
use super::sampler::TraceSampler;
use super::{SERVICE_NAME, SdkDialect, SdkSetup, SpanExporter, limits};

/// The JavaScript SDK on Node.js.
pub(super) struct NodeSdk;

/// The variable for resource detectors; without `env` among them, no variable is read for the resource.
const DETECTORS: &str = "OTEL_NODE_RESOURCE_DETECTORS";

/// Maximum length of an attribute's name or value, in UTF-16 units.
const MAX_ATTRIBUTE_UNITS: usize = 255;

const PROPAGATOR_NAMES: [&str; 5] = ["tracecontext", "baggage", "b3", "b3multi", "jaeger"];

impl SdkDialect for NodeSdk {
    fn is_disabled(&self, reading: &mut SdkReading<'_>) -> bool {
        let value = reading.get(SWITCH).unwrap_or_default();
        let disabled = value.trim().eq_ignore_ascii_case("true");
        if disabled {
            reading.note_disabled();
        }
        disabled
    }

    fn exporters(&self, reading: &mut SdkReading<'_>) -> Vec<SpanExporter> {
        if let SdkSetup::Code { protocol, .. } = reading.input.setup {
            return vec![read_otlp(reading, *protocol)];
        }
        let mut exporters = Vec::new();
        for name in exporter_names(reading) {
            match name {
                "otlp" => {
                    let protocol = read_node_protocol(reading);
                    exporters.push(read_otlp(reading, protocol));
                }
                "console" => exporters.push(SpanExporter::Console),
                "zipkin" => exporters.push(SpanExporter::Other(name.to_owned())),
                _ => {
                    let text = format!(
                        "{TRACES_EXPORTER} names `{name}`, which the JavaScript SDK ignores"
                    );
                    reading.different(SdkProblemKind::ExporterUnknown, TRACES_EXPORTER, text);
                }
            }
        }
        if !exporters.iter().any(|exporter| matches!(exporter, SpanExporter::Otlp(_))) {
            let value = reading.get(TRACES_EXPORTER).unwrap_or_default();
            let (kind, text) = match value.split(',').next().unwrap_or_default().trim() {
                "none" => (SdkProblemKind::NoExporter, format!("{TRACES_EXPORTER} is none")),
                _ => (
                    SdkProblemKind::OtherExporter,
                    format!("{TRACES_EXPORTER} is {value}, not otlp"),
                ),
            };
            reading.nothing_sent(kind, TRACES_EXPORTER, text);
        }
        exporters
    }

    fn resource(&self, reading: &mut SdkReading<'_>) -> BTreeMap<String, String> {
        let detectors = reading.set(DETECTORS, UnsetRule::Blank);
        let is_read = detectors.is_none_or(|list| {
            let mut names = list.split(',').map(str::trim);
            names.clone().any(|name| name == "all")
                || (names.clone().all(|name| name != "none") && names.any(|name| name == "env"))
        });
        if !is_read {
            let text = format!("{DETECTORS} leaves out env: {NAME} and {RESOURCE} are not read");
            reading.different(SdkProblemKind::ResourceIgnored, DETECTORS, text);
            return BTreeMap::new();
        }
        let list = reading.set(RESOURCE, UnsetRule::Blank).unwrap_or_default();
        let mut resource = parse_resource_attributes(list).unwrap_or_else(|reason| {
            let text = format!("{RESOURCE}: {reason}, so all of it is ignored");
            reading.different(SdkProblemKind::ResourceDropped, RESOURCE, text);
            BTreeMap::new()
        });
        if let Some(name) = reading.set(NAME, UnsetRule::Blank) {
            resource.insert(SERVICE_NAME.to_owned(), name.to_owned());
        }
        resource
    }

    fn sampler(&self, reading: &mut SdkReading<'_>) -> TraceSampler {
        let Some(value) = reading.set(SAMPLER, UnsetRule::Blank) else {
            return TraceSampler::DEFAULT;
        };
        let ratio = reading.set(SAMPLER_RATIO, UnsetRule::Blank).and_then(javascript_number);
        match TraceSampler::named(value, || reading.checked_ratio(ratio)) {
            Some(sampler) => sampler,
            None => reading.unknown_sampler(value),
        }
    }

    fn propagators(&self, reading: &mut SdkReading<'_>) -> Vec<String> {
        let Some(list) = reading.set(PROPAGATORS, UnsetRule::Blank) else {
            return ["tracecontext", "baggage"].map(str::to_owned).into();
        };
        let names = list_unique_entries(list);
        if names.contains(&"none") {
            return Vec::new();
        }
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| PROPAGATOR_NAMES.contains(name));
        for name in unknown {
            let text = format!("{PROPAGATORS} names `{name}`, which the JavaScript SDK ignores");
            reading.different(SdkProblemKind::PropagatorUnknown, PROPAGATORS, text);
        }
        known.into_iter().map(str::to_owned).collect()
    }

    fn limits(&self, reading: &mut SdkReading<'_>) {
        limits::check_node_limits(reading);
    }
}

/// Returns the entries of a list without duplicates.
fn list_unique_entries(list: &str) -> Vec<&str> {
    let mut entries = Vec::new();
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// Returns the exporters that `OTEL_TRACES_EXPORTER` names.
fn exporter_names<'a>(reading: &mut SdkReading<'a>) -> Vec<&'a str> {
    let list = reading.set(TRACES_EXPORTER, UnsetRule::Blank).unwrap_or_default();
    let names: Vec<&str> =
        list_unique_entries(list).into_iter().filter(|name| *name != "null").collect();
    match names.as_slice() {
        ["none", ..] => Vec::new(),
        [] => vec!["otlp"],
        [_, rest @ ..] if rest.contains(&"none") => vec!["otlp"],
        _ => names,
    }
}

fn read_otlp(reading: &mut SdkReading<'_>, protocol: OtlpProtocol) -> SpanExporter {
    SpanExporter::Otlp(Box::new(match protocol {
        OtlpProtocol::Grpc => read_grpc(reading),
        _ => read_http(reading, protocol),
    }))
}

/// Returns the protocol; the default replaces an unknown one.
fn read_node_protocol(reading: &mut SdkReading<'_>) -> OtlpProtocol {
    let Some((variable, value)) = reading.first(PROTOCOL, UnsetRule::Blank) else {
        return OtlpProtocol::HttpProtobuf;
    };
    OtlpProtocol::named(value).unwrap_or_else(|| {
        let text =
            format!("{variable} is `{value}`; the JavaScript SDK sends http/protobuf instead");
        reading.different(SdkProblemKind::ProtocolUnknown, variable, text);
        OtlpProtocol::HttpProtobuf
    })
}

/// Parses the resource attributes: all of them or none.
fn parse_resource_attributes(list: &str) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for entry in list.split(',').filter(|entry| !entry.trim().is_empty()) {
        let parts: Vec<&str> = entry.split('=').collect();
        let [name, value] = parts.as_slice() else {
            return Err(format!("`{entry}` is not `name=value`"));
        };
        let (name, value) = (name.trim(), value.trim());
        let decoded = decode_uri_component(name).zip(decode_uri_component(value));
        let (name, value) = decoded.ok_or_else(|| format!("`{entry}` cannot be decoded"))?;
        let is_short = |text: &str| text.encode_utf16().count() <= MAX_ATTRIBUTE_UNITS;
        if name.is_empty() || !is_short(&name) || !is_short(&value) {
            return Err(format!(
                "`{entry}` has no name, or one of more than {MAX_ATTRIBUTE_UNITS} characters"
            ));
        }
        attributes.insert(name, value);
    }
    Ok(attributes)
}

/// Decodes `%XX`, as `decodeURIComponent` does; `None` if it throws.
pub(super) fn decode_uri_component(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().get(..2)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        rest = &after[2..];
    }
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
