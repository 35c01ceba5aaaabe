//! Python's SDK, started by `opentelemetry-instrument` with its distro, or by code.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::number::python_float;
use super::otlp::OtlpProtocol;
use super::problem::SdkProblemKind;
use super::python_otlp::{read_grpc, read_http};
use super::reading::{
    NAME, PROPAGATORS, PROTOCOL, RESOURCE, SAMPLER, SAMPLER_RATIO, SWITCH, SdkReading,
    TRACES_EXPORTER, UnsetRule,
};
use super::sampler::TraceSampler;
use super::{SERVICE_NAME, SdkDialect, SdkSetup, SpanExporter, limits};

/// Python's SDK.
pub(super) struct PythonSdk;

/// A signal whose exporters `opentelemetry-instrument` starts.
struct PythonSignal {
    exporter: &'static str,
    protocol: &'static str,
    others: &'static [(&'static str, &'static str)],
}

const TRACES: PythonSignal = PythonSignal {
    exporter: TRACES_EXPORTER,
    protocol: PROTOCOL.traces,
    others: &[
        ("zipkin", "opentelemetry-exporter-zipkin"),
        ("zipkin_json", "opentelemetry-exporter-zipkin-json"),
        ("zipkin_proto", "opentelemetry-exporter-zipkin-proto-http"),
        ("jaeger", "opentelemetry-exporter-jaeger"),
        ("jaeger_proto", "opentelemetry-exporter-jaeger-proto-grpc"),
        ("jaeger_thrift", "opentelemetry-exporter-jaeger-thrift"),
    ],
};

/// Signals whose exporters are loaded together with those of traces; if one cannot be loaded, all three stop.
const OTHER_SIGNALS: [PythonSignal; 2] = [
    PythonSignal {
        exporter: "OTEL_METRICS_EXPORTER",
        protocol: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        others: &[("prometheus", "opentelemetry-exporter-prometheus")],
    },
    PythonSignal {
        exporter: "OTEL_LOGS_EXPORTER",
        protocol: "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
        others: &[],
    },
];

/// The propagators in separate packages.
const PROPAGATOR_PACKAGES: [(&str, &str); 6] = [
    ("b3", "opentelemetry-propagator-b3"),
    ("b3multi", "opentelemetry-propagator-b3"),
    ("jaeger", "opentelemetry-propagator-jaeger"),
    ("ottrace", "opentelemetry-propagator-ot-trace"),
    ("xray", "opentelemetry-propagator-aws-xray"),
    ("xray-lambda", "opentelemetry-propagator-aws-xray"),
];

/// The exporter that an entry of `OTEL_…_EXPORTER` loads.
#[derive(PartialEq, Eq)]
enum LoadedExporter {
    Otlp(OtlpProtocol),
    Console,
    Other(String),
}

impl SdkDialect for PythonSdk {
    fn is_disabled(&self, reading: &mut SdkReading<'_>) -> bool {
        let disabled =
            reading.get(SWITCH).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        if disabled {
            reading.note_disabled();
        }
        disabled
    }

    fn exporters(&self, reading: &mut SdkReading<'_>) -> Vec<SpanExporter> {
        let loaded = match reading.input.setup {
            SdkSetup::Code { protocol, .. } => vec![LoadedExporter::Otlp(*protocol)],
            _ => load_exporters(reading, &TRACES),
        };
        if *reading.input.setup == SdkSetup::Variables {
            for signal in &OTHER_SIGNALS {
                load_exporters(reading, signal);
            }
        }
        if !loaded.is_empty() {
            limits::check_python_batch(reading);
        }
        loaded
            .into_iter()
            .map(|exporter| match exporter {
                LoadedExporter::Otlp(OtlpProtocol::Grpc) => {
                    SpanExporter::Otlp(Box::new(read_grpc(reading)))
                }
                LoadedExporter::Otlp(protocol) => {
                    SpanExporter::Otlp(Box::new(read_http(reading, protocol)))
                }
                LoadedExporter::Console => SpanExporter::Console,
                LoadedExporter::Other(name) => SpanExporter::Other(name),
            })
            .collect()
    }

    fn resource(&self, reading: &mut SdkReading<'_>) -> BTreeMap<String, String> {
        let mut resource = BTreeMap::new();
        for item in
            reading.set(RESOURCE, UnsetRule::Empty).into_iter().flat_map(|list| list.split(','))
        {
            match item.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    resource.insert(name.trim().to_owned(), unquote_percent(value.trim()));
                }
                _ if item.trim().is_empty() => {}
                _ => {
                    let text = format!("{RESOURCE}: `{item}` is not `name=value` and is left out");
                    reading.different(SdkProblemKind::ResourceDropped, RESOURCE, text);
                }
            }
        }
        if let Some(name) = reading.set(NAME, UnsetRule::Empty) {
            resource.insert(SERVICE_NAME.to_owned(), name.to_owned());
        }
        resource
    }

    fn sampler(&self, reading: &mut SdkReading<'_>) -> TraceSampler {
        let Some(value) = reading.get(SAMPLER) else { return TraceSampler::DEFAULT };
        let ratio = python_float(reading.get(SAMPLER_RATIO).unwrap_or_default());
        let by_code = matches!(reading.input.setup, SdkSetup::Code { .. });
        if !by_code {
            if value.is_empty() {
                return TraceSampler::DEFAULT;
            }
            // The name is looked up without the blanks around it, but its number is used only if there are none.
            let is_bare = value.trim() == value;
            let is_valid = is_bare && ratio.is_some_and(|ratio| (0.0..=1.0).contains(&ratio));
            let known = TraceSampler::named(value.trim(), || {
                if is_valid { ratio.unwrap_or(1.0) } else { -1.0 }
            });
            if let Some(sampler) = known.filter(|sampler| sampler.ratio >= 0.0) {
                return sampler;
            }
        }
        let lower = value.to_lowercase();
        match TraceSampler::named(&lower, || reading.checked_ratio(ratio)) {
            Some(sampler) => sampler,
            None => reading.unknown_sampler(value),
        }
    }

    fn propagators(&self, reading: &mut SdkReading<'_>) -> Vec<String> {
        let Some(list) = reading.set(PROPAGATORS, UnsetRule::Empty) else {
            return ["tracecontext", "baggage"].map(str::to_owned).into();
        };
        let mut propagators = Vec::new();
        for name in list.split(',').map(str::trim) {
            if name.eq_ignore_ascii_case("none") {
                return Vec::new();
            }
            let package = PROPAGATOR_PACKAGES.iter().find(|(known, _)| *known == name);
            match package {
                _ if name == "tracecontext" || name == "baggage" => {}
                Some((_, package)) if reading.may_have(&[package]) => {}
                Some((_, package)) => {
                    let text = format!(
                        "{PROPAGATORS} names {name}, but {package} is not installed: the SDK does not start"
                    );
                    reading.nothing_starts(SdkProblemKind::PropagatorMissing, PROPAGATORS, text);
                }
                None => {
                    let text = format!(
                        "{PROPAGATORS} names `{name}`, which does not exist: the SDK does not start"
                    );
                    reading.nothing_starts(SdkProblemKind::PropagatorUnknown, PROPAGATORS, text);
                }
            }
            propagators.push(name.to_owned());
        }
        propagators
    }

    fn limits(&self, reading: &mut SdkReading<'_>) {
        limits::check_python_limits(reading);
    }
}

/// Decodes `%XX`, as `urllib.parse.unquote` does.
pub(super) fn unquote_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Returns the exporters of a signal's variables, or reports why the SDK does not start.
fn load_exporters(reading: &mut SdkReading<'_>, signal: &PythonSignal) -> Vec<LoadedExporter> {
    let is_traces = signal.exporter == TRACES_EXPORTER;
    let is_distribution = *reading.input.setup == SdkSetup::Variables;
    let unset = if is_distribution { UnsetRule::Empty } else { UnsetRule::Blank };
    let list = match reading.set(signal.exporter, unset) {
        Some(list) => list,
        None if is_distribution && reading.get(signal.exporter).is_some() => "none",
        None => "otlp",
    };
    if list.trim().eq_ignore_ascii_case("none") {
        if is_traces {
            let text = match reading.get(signal.exporter) {
                Some("") => {
                    format!("{TRACES_EXPORTER} is empty, which names no exporter to Python's SDK")
                }
                _ => format!("{TRACES_EXPORTER} is none"),
            };
            reading.nothing_sent(SdkProblemKind::NoExporter, TRACES_EXPORTER, text);
        }
        return Vec::new();
    }
    let mut loaded = Vec::new();
    for name in list.split(',').map(str::trim) {
        if let Some(exporter) = load_exporter(reading, signal, name)
            && !loaded.contains(&exporter)
        {
            loaded.push(exporter);
        }
    }
    if is_traces
        && !loaded.is_empty()
        && !loaded.iter().any(|exporter| matches!(exporter, LoadedExporter::Otlp(_)))
    {
        let text = format!("{TRACES_EXPORTER} is {list}, not otlp");
        reading.nothing_sent(SdkProblemKind::OtherExporter, TRACES_EXPORTER, text);
    }
    loaded
}

fn load_exporter(
    reading: &mut SdkReading<'_>,
    signal: &PythonSignal,
    name: &str,
) -> Option<LoadedExporter> {
    let protocol = match name {
        "otlp" => read_python_protocol(reading, signal)?,
        "otlp_proto_http" => OtlpProtocol::HttpProtobuf,
        "otlp_proto_grpc" => OtlpProtocol::Grpc,
        "console" => return Some(LoadedExporter::Console),
        _ => return load_other(reading, signal, name),
    };
    let package = match protocol {
        OtlpProtocol::Grpc => "opentelemetry-exporter-otlp-proto-grpc",
        _ => "opentelemetry-exporter-otlp-proto-http",
    };
    if *reading.input.setup == SdkSetup::Variables
        && !reading.may_have(&[package, "opentelemetry-exporter-otlp"])
    {
        let text = format!(
            "{} needs {package} for {}, which is not installed: the SDK does not start",
            signal.exporter,
            protocol.as_str()
        );
        reading.nothing_starts(SdkProblemKind::ExporterMissing, signal.exporter, text);
        return None;
    }
    Some(LoadedExporter::Otlp(protocol))
}

fn load_other(
    reading: &mut SdkReading<'_>,
    signal: &PythonSignal,
    name: &str,
) -> Option<LoadedExporter> {
    let package = signal.others.iter().find(|(known, _)| *known == name);
    let text = match package {
        Some((_, package)) if reading.may_have(&[package]) => {
            return Some(LoadedExporter::Other(name.to_owned()));
        }
        Some((_, package)) => {
            format!(
                "{} names {name}, but {package} is not installed: the SDK does not start",
                signal.exporter
            )
        }
        None => format!(
            "{} names `{name}`, which does not exist: the SDK does not start",
            signal.exporter
        ),
    };
    let kind = match package {
        Some(_) => SdkProblemKind::ExporterMissing,
        None => SdkProblemKind::ExporterUnknown,
    };
    reading.nothing_starts(kind, signal.exporter, text);
    None
}

/// Returns the protocol of `otlp`, or reports that it is unknown.
fn read_python_protocol(
    reading: &mut SdkReading<'_>,
    signal: &PythonSignal,
) -> Option<OtlpProtocol> {
    let names = [signal.protocol, PROTOCOL.general];
    let set = names.into_iter().find_map(|name| Some((name, reading.set(name, UnsetRule::Empty)?)));
    let Some((variable, value)) = set else {
        return Some(match reading.input.setup {
            SdkSetup::Variables => OtlpProtocol::Grpc,
            _ => OtlpProtocol::HttpProtobuf,
        });
    };
    match OtlpProtocol::named(value.trim()) {
        Some(protocol @ (OtlpProtocol::Grpc | OtlpProtocol::HttpProtobuf)) => Some(protocol),
        _ => {
            let text = format!(
                "{variable} is `{value}`; Python's SDK knows grpc and http/protobuf, and does not start"
            );
            reading.nothing_starts(SdkProblemKind::ProtocolUnknown, variable, text);
            None
        }
    }
}
