//! An SDK that follows the specification, with the known deviations of its language.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::header::{ExportHeader, is_token, set_header};
use super::otlp::{EndpointSource, OtlpCompression, OtlpExporter, OtlpProtocol, TRACES_PATH};
use super::problem::SdkProblemKind;
use super::reading::{
    COMPRESSION, ENDPOINT, HEADERS, NAME, PROPAGATORS, PROTOCOL, RESOURCE, SAMPLER, SAMPLER_RATIO,
    SWITCH, SdkReading, TIMEOUT, TRACES_EXPORTER, UnsetRule,
};
use super::sampler::TraceSampler;
use super::{SERVICE_NAME, SdkDialect, SdkSetup, SpanExporter, limits};
use crate::instrumentation::Language;

/// An SDK that follows the specification.
pub(super) struct SpecifiedSdk;

impl SdkDialect for SpecifiedSdk {
    fn is_disabled(&self, reading: &mut SdkReading<'_>) -> bool {
        let equals = |name: &str, wanted: &str| {
            reading.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
        };
        let is_on = equals(SWITCH, "true");
        let agent = "OTEL_JAVAAGENT_ENABLED";
        if is_java(reading) && equals(agent, "false") {
            let text = format!("{agent} is false: the agent does nothing");
            reading.nothing_sent(SdkProblemKind::Disabled, agent, text);
            return true;
        }
        match reading.input.language {
            Some(Language::Go) if is_on => {
                let text = format!("{SWITCH} is true, which the Go SDK does not read");
                reading.different(SdkProblemKind::SwitchIgnored, SWITCH, text);
                false
            }
            _ => {
                if is_on {
                    reading.note_disabled();
                }
                is_on
            }
        }
    }

    fn exporters(&self, reading: &mut SdkReading<'_>) -> Vec<SpanExporter> {
        if let SdkSetup::Code { protocol, .. } = reading.input.setup {
            return vec![SpanExporter::Otlp(Box::new(read_otlp(reading, *protocol)))];
        }
        let list = reading.set(TRACES_EXPORTER, UnsetRule::Blank).unwrap_or("otlp");
        let mut exporters = Vec::new();
        for name in list.split(',').map(str::trim) {
            let is_any = reading.input.language.is_none();
            match name {
                "none" | "" => {}
                "otlp" => exporters.push(read_named(reading, None)),
                "otlp_proto_http" if is_any => {
                    exporters.push(read_named(reading, Some(OtlpProtocol::HttpProtobuf)));
                }
                "otlp_proto_grpc" if is_any => {
                    exporters.push(read_named(reading, Some(OtlpProtocol::Grpc)))
                }
                "console" | "logging" => exporters.push(SpanExporter::Console),
                "zipkin" | "jaeger" => exporters.push(SpanExporter::Other(name.to_owned())),
                _ => {
                    let text = format!("{TRACES_EXPORTER} names `{name}`, which does not exist");
                    note_unknown(reading, SdkProblemKind::ExporterUnknown, TRACES_EXPORTER, text);
                }
            }
        }
        if !exporters.iter().any(|exporter| matches!(exporter, SpanExporter::Otlp(_))) {
            let kind = if exporters.is_empty() {
                SdkProblemKind::NoExporter
            } else {
                SdkProblemKind::OtherExporter
            };
            let text = format!("{TRACES_EXPORTER} is {list}, not otlp");
            reading.nothing_sent(kind, TRACES_EXPORTER, text);
        }
        exporters
    }

    fn resource(&self, reading: &mut SdkReading<'_>) -> BTreeMap<String, String> {
        let mut resource = BTreeMap::new();
        let list = reading.set(RESOURCE, UnsetRule::Blank).unwrap_or_default();
        for item in list.split(',').filter(|item| !item.trim().is_empty()) {
            match item.split_once('=').filter(|(name, _)| !name.trim().is_empty()) {
                Some((name, value)) => {
                    resource.insert(name.trim().to_owned(), decode_percent_utf8(value.trim()));
                }
                None => {
                    let text = format!("{RESOURCE}: `{item}` is not `name=value` and is left out");
                    note_unknown(reading, SdkProblemKind::ResourceDropped, RESOURCE, text);
                }
            }
        }
        if let Some(name) = reading.set(NAME, UnsetRule::Blank) {
            resource.insert(SERVICE_NAME.to_owned(), name.trim().to_owned());
        }
        resource
    }

    fn sampler(&self, reading: &mut SdkReading<'_>) -> TraceSampler {
        let Some(value) = reading.set(SAMPLER, UnsetRule::Blank) else {
            return TraceSampler::DEFAULT;
        };
        let ratio = reading.get(SAMPLER_RATIO).and_then(|ratio| ratio.trim().parse().ok());
        match TraceSampler::named(value.trim(), || reading.checked_ratio(ratio)) {
            Some(sampler) => sampler,
            None if is_java(reading) => {
                let text = format!("{SAMPLER} is `{value}`, which does not exist");
                note_unknown(reading, SdkProblemKind::SamplerUnknown, SAMPLER, text);
                TraceSampler::DEFAULT
            }
            None => reading.unknown_sampler(value),
        }
    }

    fn propagators(&self, reading: &mut SdkReading<'_>) -> Vec<String> {
        let Some(list) = reading.set(PROPAGATORS, UnsetRule::Blank) else {
            return ["tracecontext", "baggage"].map(str::to_owned).into();
        };
        let names: Vec<String> = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        if names.iter().any(|name| name == "none") { Vec::new() } else { names }
    }

    fn limits(&self, reading: &mut SdkReading<'_>) {
        limits::check_limits(reading);
    }
}

fn is_java(reading: &SdkReading<'_>) -> bool {
    reading.input.language == Some(Language::Java)
}

/// Reports an unknown value: Java's SDK refuses to start, the others ignore the value.
fn note_unknown(
    reading: &mut SdkReading<'_>,
    kind: SdkProblemKind,
    variable: &'static str,
    text: String,
) {
    if is_java(reading) {
        reading.nothing_starts(kind, variable, format!("{text}: Java's SDK does not start"));
    } else {
        reading.different(kind, variable, text)
    }
}

/// Reads the OTLP exporter that `OTEL_TRACES_EXPORTER` names, with the protocol if its name includes one.
fn read_named(reading: &mut SdkReading<'_>, protocol: Option<OtlpProtocol>) -> SpanExporter {
    let protocol = protocol.unwrap_or_else(|| protocol_in_force(reading));
    SpanExporter::Otlp(Box::new(read_otlp(reading, protocol)))
}

fn protocol_in_force(reading: &mut SdkReading<'_>) -> OtlpProtocol {
    let Some((variable, value)) = reading.first(PROTOCOL, UnsetRule::Blank) else {
        return OtlpProtocol::HttpProtobuf;
    };
    let named = OtlpProtocol::named(value.trim()).filter(|protocol| match reading.input.language {
        Some(Language::Ruby) => *protocol == OtlpProtocol::HttpProtobuf,
        Some(Language::Java | Language::Dotnet | Language::Go) => {
            *protocol != OtlpProtocol::HttpJson
        }
        _ => true,
    });
    named.unwrap_or_else(|| {
        let text = format!("{variable} is `{value}`, which this SDK does not know");
        note_unknown(reading, SdkProblemKind::ProtocolUnknown, variable, text);
        OtlpProtocol::HttpProtobuf
    })
}

fn read_otlp(reading: &mut SdkReading<'_>, protocol: OtlpProtocol) -> OtlpExporter {
    let (source, written) = match reading.endpoint_in_code() {
        Some(endpoint) => (EndpointSource::Code, endpoint),
        None => match reading.first(ENDPOINT, UnsetRule::Blank) {
            Some((name, value)) => (EndpointSource::Variable(name), value.to_owned()),
            None => (EndpointSource::Default, default_endpoint(protocol).to_owned()),
        },
    };
    let url = request_url(reading, source, &written, protocol);
    match &url {
        Ok(_) if protocol != OtlpProtocol::Grpc => reading.check_path(source, &written),
        Ok(_) => {}
        Err(reason) => reading.unusable_endpoint(source, &written, reason),
    }
    OtlpExporter {
        protocol,
        url: url.ok(),
        source,
        headers: read_specified_headers(reading),
        compression: read_specified_compression(reading),
        certificate: reading.certificate(UnsetRule::Blank),
        client: reading.client_files(UnsetRule::Blank),
        timeout: read_specified_timeout(reading),
    }
}

fn default_endpoint(protocol: OtlpProtocol) -> &'static str {
    match protocol {
        OtlpProtocol::Grpc => "http://localhost:4317",
        _ => "http://localhost:4318",
    }
}

fn request_url(
    reading: &SdkReading<'_>,
    source: EndpointSource,
    written: &str,
    protocol: OtlpProtocol,
) -> Result<Url, String> {
    let is_grpc = protocol == OtlpProtocol::Grpc;
    if written.trim() != written {
        return Err("a space is part of the address".to_owned());
    }
    let text = if written.contains("://") {
        written.to_owned()
    } else if is_grpc && !is_java(reading) {
        format!("{}://{written}", if reading.is_insecure() { "http" } else { "https" })
    } else {
        return Err("`http://` or `https://` is missing".to_owned());
    };
    let mut url = Url::parse(&text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("not an http or https address".to_owned());
    }
    url.set_fragment(None);
    let is_base =
        source == EndpointSource::Default || source == EndpointSource::Variable(ENDPOINT.general);
    if is_base && !is_grpc {
        let path = format!("{}{TRACES_PATH}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

fn read_specified_headers(reading: &mut SdkReading<'_>) -> Vec<ExportHeader> {
    let Some((variable, list)) = reading.first(HEADERS, UnsetRule::Blank) else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (at, pair) in list.split(',').enumerate() {
        if pair.trim().is_empty() {
            continue;
        }
        let Some((name, value)) = pair.split_once('=') else {
            reading.dropped_header(variable, at + 1, "has no `=`");
            continue;
        };
        let name = decode_percent_utf8(name.trim()).to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            reading.dropped_header(variable, at + 1, "has no usable name");
            continue;
        }
        let value = value.trim();
        if value.contains([' ', '\t']) {
            let text =
                format!("{variable}: {name} has a space in it; `%20` is understood everywhere");
            reading.different(SdkProblemKind::HeaderBlank, variable, text);
        }
        if value.contains(';') {
            let text = format!(
                "{variable}: {name} holds `;`, where many SDKs cut or drop it; `%3B` is understood everywhere"
            );
            reading.different(SdkProblemKind::HeaderCut, variable, text);
        }
        let value = if is_java(reading) {
            decode_percent_utf8(&value.replace('+', " "))
        } else {
            decode_percent_utf8(value)
        };
        if value.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            reading.dropped_header(
                variable,
                at + 1,
                &format!("({name}) holds a control character"),
            );
            continue;
        }
        set_header(&mut headers, &name, &value);
    }
    reading.check_headers(variable, &headers);
    headers
}

/// Decodes `%XX`; if the result is not UTF-8, the text is unchanged.
fn decode_percent_utf8(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

fn read_specified_compression(reading: &mut SdkReading<'_>) -> OtlpCompression {
    match reading.first(COMPRESSION, UnsetRule::Blank) {
        Some((_, value)) if value.trim().eq_ignore_ascii_case("gzip") => OtlpCompression::Gzip,
        Some((variable, value)) if !value.trim().eq_ignore_ascii_case("none") => {
            reading.unknown_compression(variable, value);
            OtlpCompression::None
        }
        _ => OtlpCompression::None,
    }
}

fn read_specified_timeout(reading: &mut SdkReading<'_>) -> Option<Duration> {
    let (variable, value) = reading.first(TIMEOUT, UnsetRule::Blank)?;
    match value.trim().parse::<u32>() {
        Ok(milliseconds) => reading.milliseconds(variable, f64::from(milliseconds)),
        Err(_) => {
            reading.invalid_timeout(variable, value);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SdkInput, SdkSettings};
    use super::*;
    use crate::secret::Secret;

    fn read(language: Option<Language>, pairs: &[(&str, &str)]) -> SdkSettings {
        let variables =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        SdkSettings::read(&SdkInput {
            language,
            setup: &SdkSetup::Unknown,
            packages: None,
            environment: &variables,
        })
    }

    fn url(pairs: &[(&str, &str)]) -> Option<String> {
        read(None, pairs).otlp()?.url.as_ref().map(Url::to_string)
    }

    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const EXACT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    #[test]
    fn a_general_endpoint_is_a_base_and_one_for_traces_is_used_as_it_stands() {
        for (pairs, expected) in [
            (&[(BASE, "https://h")][..], "https://h/v1/traces"),
            (&[(BASE, "https://h/")], "https://h/v1/traces"),
            (&[(BASE, "https://h:1/otlp/")], "https://h:1/otlp/v1/traces"),
            (&[(BASE, "https://a"), (EXACT, "https://b")], "https://b/"),
            (&[(BASE, "https://a"), (EXACT, "")], "https://a/v1/traces"),
            (&[(EXACT, "http://h/x/y")], "http://h/x/y"),
        ] {
            assert_eq!(url(pairs).as_deref(), Some(expected), "{pairs:?}");
        }
    }

    #[test]
    fn only_grpc_accepts_an_endpoint_without_scheme() {
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE");
        assert_eq!(url(&[grpc, (BASE, "h:4317")]).as_deref(), Some("https://h:4317/"));
        assert_eq!(url(&[grpc, insecure, (BASE, "h:4317")]).as_deref(), Some("http://h:4317/"));
        assert_eq!(
            url(&[grpc, insecure, (BASE, "https://h:4317")]).as_deref(),
            Some("https://h:4317/")
        );
        for unusable in ["h:4318", "ftp://h", "http://", "http://otel:4318 ", "\"http://h\""] {
            let settings = read(None, &[(BASE, unusable)]);
            let kind = settings.blocker().map(|problem| problem.kind);
            assert_eq!(kind, Some(SdkProblemKind::EndpointUnusable), "{unusable}");
        }
    }

    #[test]
    fn only_java_refuses_to_start_with_what_does_not_exist() {
        for pair in [
            ("OTEL_TRACES_EXPORTER", "otlp,nonsense"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http"),
            ("OTEL_TRACES_SAMPLER", "nonsense"),
            ("OTEL_RESOURCE_ATTRIBUTES", "nonsense"),
        ] {
            let pairs = [(BASE, "http://h"), pair];
            assert!(!read(Some(Language::Java), &pairs).starts(), "{pair:?}");
            for language in [None, Some(Language::Ruby), Some(Language::Go), Some(Language::Dotnet)]
            {
                let settings = read(language, &pairs);
                assert!(
                    settings.starts() && !settings.problems.is_empty(),
                    "{language:?} {pair:?}"
                );
            }
        }
    }

    #[test]
    fn a_switch_is_read_by_all_but_go() {
        let pairs = [(BASE, "http://h"), ("OTEL_SDK_DISABLED", " True ")];
        assert!(read(None, &pairs).disabled && read(Some(Language::Ruby), &pairs).disabled);
        assert!(!read(Some(Language::Go), &pairs).disabled);
        let agent = [(BASE, "http://h"), ("OTEL_JAVAAGENT_ENABLED", "false")];
        assert!(read(Some(Language::Java), &agent).disabled && !read(None, &agent).disabled);
    }

    #[test]
    fn headers_are_split_trimmed_and_decoded_and_problems_repeat_no_value() {
        let name = "OTEL_EXPORTER_OTLP_HEADERS";
        let check =
            |language, list: &str, expected: &[(&str, &str)], problems: &[SdkProblemKind]| {
                let settings =
                    read(language, &[(BASE, "http://h"), ("OTEL_SERVICE_NAME", "a"), (name, list)]);
                let headers: Vec<(&str, &str)> = settings
                    .otlp()
                    .unwrap()
                    .headers
                    .iter()
                    .map(|header| (header.name.as_str(), header.value.expose()))
                    .collect();
                assert_eq!(headers, expected, "{list}");
                let kinds: Vec<SdkProblemKind> =
                    settings.problems.iter().map(|problem| problem.kind).collect();
                assert_eq!(kinds, problems, "{list}");
                assert!(
                    settings.problems.iter().all(|problem| !problem.text.contains("s3cret")),
                    "{list}"
                );
            };
        check(None, " A=1 , b = two%2Cthree ,", &[("a", "1"), ("b", "two,three")], &[]);
        check(
            None,
            "authorization=Basic%20dXNlcjpw==",
            &[("authorization", "Basic dXNlcjpw==")],
            &[],
        );
        check(None, "a=1,A=2", &[("a", "2")], &[]);
        check(None, "a=b+c", &[("a", "b+c")], &[]);
        check(Some(Language::Java), "a=b+c", &[("a", "b c")], &[]);
        check(None, "x-team=", &[("x-team", "")], &[SdkProblemKind::HeaderEmpty]);
        check(None, "s3cret,a=1", &[("a", "1")], &[SdkProblemKind::HeaderDropped]);
        check(None, "na me=s3cret", &[], &[SdkProblemKind::HeaderDropped]);
        check(None, "a=s3cret%0Ay", &[], &[SdkProblemKind::HeaderDropped]);
        check(None, "a=Bearer s3cret", &[("a", "Bearer s3cret")], &[SdkProblemKind::HeaderBlank]);
        check(None, "a='s3cret'", &[("a", "'s3cret'")], &[SdkProblemKind::Quoted]);
        check(None, "a=\u{201c}s3cret", &[("a", "\u{201c}s3cret")], &[SdkProblemKind::Quoted]);
        check(None, "a=$(MY_KEY)", &[("a", "$(MY_KEY)")], &[SdkProblemKind::NotReference]);
    }

    #[test]
    fn compression_time_and_files_are_read() {
        let settings = read(
            None,
            &[
                (BASE, "http://h"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem"),
                ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k.pem"),
            ],
        );
        let otlp = settings.otlp().unwrap();
        assert_eq!(otlp.compression, OtlpCompression::Gzip);
        assert_eq!(otlp.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(otlp.certificate.as_deref(), Some("ca.pem"));
        assert_eq!(otlp.client, None);
        assert!(
            settings.problems.iter().any(|problem| problem.kind == SdkProblemKind::ClientFiles)
        );
    }
}
