//! The OTLP exporters of the JavaScript SDK.

use std::time::Duration;

use url::Url;

use super::ExportHeader;
use super::header::{is_token, set_header};
use super::node::decode_uri_component;
use super::number::javascript_number;
use super::otlp::{EndpointSource, OtlpCompression, OtlpExporter, OtlpProtocol, TRACES_PATH};
use super::problem::SdkProblemKind;
use super::reading::{COMPRESSION, ENDPOINT, HEADERS, SdkReading, TIMEOUT, UnsetRule};

/// Reads the settings of an exporter over HTTP.
pub(super) fn read_http(reading: &mut SdkReading<'_>, protocol: OtlpProtocol) -> OtlpExporter {
    let (source, url, written) = http_endpoint(reading);
    if url.is_none() && source == EndpointSource::Code {
        let text = format!("{} is `{written}`, which the exporter refuses", source.describe());
        reading.nothing_starts(SdkProblemKind::EndpointUnusable, ENDPOINT.general, text);
    }
    let url =
        url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    match &url {
        Some(_) => reading.check_path(source, &written),
        None => reading.unusable_endpoint(source, &written, "`http://` or `https://` is missing"),
    }
    let headers = read_node_headers(reading);
    let is_value = |value: &str| {
        value.chars().all(|character| {
            character == '\t'
                || (' '..='~').contains(&character)
                || ('\u{80}'..='\u{ff}').contains(&character)
        })
    };
    let refused = headers
        .iter()
        .find(|header| !header.name.bytes().all(is_token) || !is_value(header.value.expose()));
    if let Some(header) = refused {
        reading.unsendable_header(&header.name);
    }
    build_node_exporter(reading, protocol, (source, url), headers)
}

/// Reads the settings of an exporter over gRPC.
pub(super) fn read_grpc(reading: &mut SdkReading<'_>) -> OtlpExporter {
    let (source, written) = match reading.endpoint_in_code() {
        Some(endpoint) => (EndpointSource::Code, endpoint),
        None => match reading.first(ENDPOINT, UnsetRule::Blank) {
            Some((name, value)) => (EndpointSource::Variable(name), value.trim().to_owned()),
            None => (EndpointSource::Default, "http://localhost:4317".to_owned()),
        },
    };
    let url = grpc_url(reading, &written);
    if url.is_none() {
        let text = format!("{} is `{written}`: the SDK does not start", source.describe());
        reading.nothing_starts(SdkProblemKind::EndpointUnusable, ENDPOINT.general, text);
    }
    let headers = read_node_headers(reading);
    let is_metadata = |header: &&ExportHeader| {
        let mut name = header.name.bytes();
        name.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
            && header.value.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    if let Some(header) = headers.iter().find(|header| !is_metadata(header)) {
        let text = format!(
            "{}: gRPC cannot carry {}, and the SDK does not start",
            HEADERS.general, header.name
        );
        reading.nothing_starts(SdkProblemKind::HeaderUnsendable, HEADERS.general, text);
    }
    build_node_exporter(reading, OtlpProtocol::Grpc, (source, url), headers)
}

/// Creates an exporter from the settings that both transports read alike.
fn build_node_exporter(
    reading: &mut SdkReading<'_>,
    protocol: OtlpProtocol,
    (source, url): (EndpointSource, Option<Url>),
    headers: Vec<ExportHeader>,
) -> OtlpExporter {
    OtlpExporter {
        protocol,
        url,
        source,
        headers,
        compression: read_node_compression(reading),
        certificate: reading.certificate(UnsetRule::Blank),
        client: reading.client_files(UnsetRule::Blank),
        timeout: read_node_timeout(reading),
    }
}

/// Returns the source and URL of requests, and the value it was made from. An invalid value is replaced by the next:
/// the endpoint for traces, the general one, the default.
fn http_endpoint(reading: &mut SdkReading<'_>) -> (EndpointSource, Option<Url>, String) {
    if let Some(endpoint) = reading.endpoint_in_code() {
        let url = Url::parse(&endpoint).ok().map(|mut url| {
            url.set_fragment(None);
            url
        });
        return (EndpointSource::Code, url, endpoint);
    }
    for variable in [ENDPOINT.traces, ENDPOINT.general] {
        let Some(value) = reading.set(variable, UnsetRule::Blank) else { continue };
        let is_base = variable == ENDPOINT.general;
        let url = if is_base {
            Url::parse(value).and_then(|_| {
                let slash = if value.ends_with('/') { "" } else { "/" };
                Url::parse(&format!("{value}{slash}{}", TRACES_PATH.trim_start_matches('/')))
            })
        } else {
            Url::parse(value)
        };
        match url {
            Ok(mut url) => {
                url.set_fragment(None);
                return (EndpointSource::Variable(variable), Some(url), value.to_owned());
            }
            Err(reason) => {
                let general = reading.set(ENDPOINT.general, UnsetRule::Blank);
                let instead = match general.filter(|_| !is_base) {
                    Some(_) => ENDPOINT.general,
                    None => "http://localhost:4318",
                };
                let text = format!(
                    "{variable} is `{value}` ({reason}): the JavaScript SDK uses {instead}"
                );
                reading.different(SdkProblemKind::EndpointIgnored, variable, text);
            }
        }
    }
    let written = format!("http://localhost:4318{TRACES_PATH}");
    (EndpointSource::Default, Url::parse(&written).ok(), written)
}

/// Returns the scheme, host and port of a gRPC server.
fn grpc_url(reading: &SdkReading<'_>, written: &str) -> Option<Url> {
    let trimmed = written.trim();
    let scheme = trimmed.split_once("://").map(|(scheme, _)| scheme);
    let has_scheme = scheme.is_some_and(|scheme| {
        (1..=8).contains(&scheme.len())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    let parsed =
        if has_scheme { Url::parse(trimmed) } else { Url::parse(&format!("https://{trimmed}")) };
    let parsed = parsed.ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()))?;
    let plain = written.starts_with("http://")
        || (!written.starts_with("https://") && reading.is_insecure());
    let host = parsed.host_str()?;
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    Url::parse(&format!("{}://{host}{port}", if plain { "http" } else { "https" })).ok()
}

/// Reads the headers: those for traces override the general ones.
fn read_node_headers(reading: &mut SdkReading<'_>) -> Vec<ExportHeader> {
    let mut headers = Vec::new();
    for variable in [HEADERS.general, HEADERS.traces] {
        let Some(list) = reading.set(variable, UnsetRule::Blank) else { continue };
        let mut variable_headers = Vec::new();
        for (at, entry) in list.split(',').enumerate() {
            if entry.trim().is_empty() {
                continue;
            }
            let (pair, cut) =
                entry.split_once(';').map_or((entry, None), |(pair, cut)| (pair, Some(cut)));
            let Some((name, value)) = pair.split_once('=') else {
                reading.dropped_header(variable, at + 1, "has no `=`");
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() || value.is_empty() {
                reading.dropped_header(variable, at + 1, "has no name or no value");
                continue;
            }
            let Some((name, value)) = decode_uri_component(name).zip(decode_uri_component(value))
            else {
                reading.dropped_header(variable, at + 1, &format!("({name}) cannot be decoded"));
                continue;
            };
            let name = name.to_lowercase();
            if cut.is_some() {
                let text = format!("{variable}: {name} is cut at `;`, which `%3B` stands for");
                reading.different(SdkProblemKind::HeaderCut, variable, text);
            }
            set_header(&mut variable_headers, &name, &value);
        }
        reading.check_headers(variable, &variable_headers);
        for header in variable_headers {
            set_header(&mut headers, &header.name, header.value.expose());
        }
    }
    headers
}

/// Reads the compression; an unknown one counts as unset.
fn read_node_compression(reading: &mut SdkReading<'_>) -> OtlpCompression {
    for variable in [COMPRESSION.traces, COMPRESSION.general] {
        let Some(value) = reading.set(variable, UnsetRule::Blank) else { continue };
        match value.trim() {
            "gzip" => return OtlpCompression::Gzip,
            "none" => return OtlpCompression::None,
            _ => reading.unknown_compression(variable, value),
        }
    }
    OtlpCompression::None
}

fn read_node_timeout(reading: &mut SdkReading<'_>) -> Option<Duration> {
    for variable in [TIMEOUT.traces, TIMEOUT.general] {
        let Some(value) = reading.set(variable, UnsetRule::Blank) else { continue };
        match javascript_number(value).filter(|number| number.is_finite() && *number > 0.0) {
            Some(milliseconds) => return reading.milliseconds(variable, milliseconds),
            None => reading.invalid_timeout(variable, value),
        }
    }
    None
}
