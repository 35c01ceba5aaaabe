//! The OTLP exporters of Python's SDK.

use std::time::Duration;

use url::Url;

use super::ExportHeader;
use super::header::{is_token, set_header};
use super::number::python_float;
use super::otlp::{EndpointSource, OtlpCompression, OtlpExporter, OtlpProtocol, TRACES_PATH};
use super::problem::SdkProblemKind;
use super::python::unquote_percent;
use super::reading::{COMPRESSION, ENDPOINT, HEADERS, INSECURE, SdkReading, TIMEOUT, UnsetRule};

/// Reads the settings of the exporter over HTTP.
pub(super) fn read_http(reading: &mut SdkReading<'_>, protocol: OtlpProtocol) -> OtlpExporter {
    let (source, written) = match reading.endpoint_in_code().filter(|endpoint| !endpoint.is_empty())
    {
        Some(endpoint) => (EndpointSource::Code, endpoint),
        None => match reading.first(ENDPOINT, UnsetRule::Empty) {
            Some((name, endpoint)) => (EndpointSource::Variable(name), endpoint.to_owned()),
            None => (EndpointSource::Default, "http://localhost:4318".to_owned()),
        },
    };
    let is_base = matches!(source, EndpointSource::Variable(name) if name == ENDPOINT.general);
    let text = if is_base || source == EndpointSource::Default {
        format!("{}{TRACES_PATH}", written.strip_suffix('/').unwrap_or(&written))
    } else {
        written.clone()
    };
    let url = request_url(&text);
    match &url {
        Ok(_) => reading.check_path(source, &written),
        Err(reason) => reading.unusable_endpoint(source, &written, reason),
    }
    let headers = read_python_headers(reading);
    if let Some(header) = headers.iter().find(|header| !is_sendable(header)) {
        reading.unsendable_header(&header.name);
    }
    OtlpExporter {
        protocol,
        url: url.ok(),
        source,
        headers,
        compression: read_python_compression(reading),
        certificate: reading.certificate(UnsetRule::Empty),
        client: reading.client_files(UnsetRule::Empty),
        timeout: read_python_timeout(reading),
    }
}

/// Reads the settings of the exporter over gRPC.
pub(super) fn read_grpc(reading: &mut SdkReading<'_>) -> OtlpExporter {
    let code = reading.endpoint_in_code().filter(|endpoint| !endpoint.is_empty());
    let (source, written) = match (code, reading.set(ENDPOINT.traces, UnsetRule::Empty)) {
        (Some(endpoint), _) => (EndpointSource::Code, endpoint),
        (None, Some(endpoint)) => (EndpointSource::Variable(ENDPOINT.traces), endpoint.to_owned()),
        (None, None) => match reading.get(ENDPOINT.general) {
            Some(endpoint) => (EndpointSource::Variable(ENDPOINT.general), endpoint.to_owned()),
            None => (EndpointSource::Default, "http://localhost:4317".to_owned()),
        },
    };
    let url = grpc_url(reading, &written);
    if url.is_none() {
        let reason = "not the address of a gRPC server";
        reading.unusable_endpoint(source, &written, reason);
    }
    let headers = read_python_headers(reading);
    let is_metadata = |header: &&ExportHeader| {
        let mut name = header.name.bytes().chain([b'x']);
        name.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
            && header.value.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    if let Some(header) = headers.iter().find(|header| !is_metadata(header)) {
        reading.unsendable_header(&header.name);
    }
    OtlpExporter {
        protocol: OtlpProtocol::Grpc,
        url,
        source,
        headers,
        compression: grpc_compression(reading),
        certificate: reading.certificate(UnsetRule::Empty),
        client: reading.client_files(UnsetRule::Empty),
        timeout: grpc_timeout(reading),
    }
}

/// Parses the URL of a request as `requests` and `urllib3` do.
fn request_url(text: &str) -> Result<Url, String> {
    let missing = || "`http://` or `https://` is missing".to_owned();
    let text = text.trim_start();
    let (scheme, rest) = text.split_once("://").ok_or_else(missing)?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(missing());
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err("a space in the address".to_owned());
    }
    let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    if port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("not a valid port".to_owned());
    }
    if host.is_empty() || host.starts_with(['*', '.', ':']) {
        return Err("no host".to_owned());
    }
    let (path, query) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    let slashes = path.len() - path.trim_start_matches('/').len();
    let path = encode_url_part(&path[slashes.saturating_sub(1)..]);
    let text = format!("{scheme}://{authority}{path}{}", encode_url_part(query));
    let mut url = Url::parse(&text).map_err(|error| error.to_string())?;
    url.set_fragment(None);
    Ok(url)
}

/// Encodes characters that are invalid in a URL, and every `%` unless all of them begin an escape.
fn encode_url_part(part: &str) -> String {
    let is_escape = |at: usize| {
        part.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    };
    let are_escapes = part.match_indices('%').all(|(at, _)| is_escape(at));
    let mut encoded = String::new();
    for character in part.chars() {
        match character {
            ' ' | '\t' | '\n' | '\r' | '\\' | '|' | '^' => {
                encoded.push_str(&format!("%{:02X}", u32::from(character)));
            }
            '%' if !are_escapes => encoded.push_str("%25"),
            _ => encoded.push(character),
        }
    }
    encoded
}

/// Returns the scheme, host and port of a gRPC server; `None` if the address is invalid.
fn grpc_url(reading: &SdkReading<'_>, written: &str) -> Option<Url> {
    let lower = written.trim_start().to_ascii_lowercase();
    let scheme =
        ["https", "http"].into_iter().find(|scheme| lower.starts_with(&format!("{scheme}:")));
    let is_true = |name: &str| reading.get(name).map(|value| value.eq_ignore_ascii_case("true"));
    let insecure = match (scheme, is_true(INSECURE.traces), is_true(INSECURE.general)) {
        (Some("https"), _, _) => false,
        (_, Some(insecure), _) | (_, None, Some(insecure)) => insecure,
        (scheme, None, None) => scheme == Some("http"),
    };
    let after = written
        .split_once("//")
        .map(|(_, rest)| rest)
        .filter(|_| scheme.is_some() || lower.starts_with("//"));
    let authority = after.map(|rest| &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]);
    let target = authority.filter(|target| !target.is_empty()).unwrap_or(written);
    let is_host = |character: char| character.is_alphanumeric() || "-_.:[]%@".contains(character);
    if target.is_empty() || !target.chars().all(is_host) {
        return None;
    }
    let url = format!("{}://{target}", if insecure { "http" } else { "https" });
    Url::parse(&url).ok()
}

/// Reads the headers, and reports those that the SDK drops.
fn read_python_headers(reading: &mut SdkReading<'_>) -> Vec<ExportHeader> {
    let Some((variable, list)) = reading.first(HEADERS, UnsetRule::Empty) else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (at, entry) in list.split(',').enumerate() {
        let entry = entry.trim_matches([' ', '\t']);
        if entry.is_empty() {
            continue;
        }
        let entry = entry.trim();
        let Some((name, value)) = entry.split_once('=') else {
            reading.dropped_header(variable, at + 1, "has no `=`");
            continue;
        };
        let name = name.trim_end_matches([' ', '\t']);
        let value = value.trim_start_matches([' ', '\t']);
        if name.is_empty() || !name.bytes().all(is_token) {
            reading.dropped_header(variable, at + 1, "has no name that Python's SDK accepts");
        } else if let Some(other) = value.chars().find(|character| !is_liberal(*character)) {
            let why = format!(
                "({name}) holds `{}`, which Python's SDK does not accept",
                other.escape_debug()
            );
            reading.dropped_header(variable, at + 1, &why);
        } else if value.contains(' ') {
            let name = name.to_lowercase();
            if value.contains('%') {
                let text =
                    format!("{variable}: {name} has a space in it, so its `%` is not decoded");
                reading.different(SdkProblemKind::HeaderBlank, variable, text);
            } else {
                let text =
                    format!("{variable}: {name} has a space in it; `%20` is understood everywhere");
                reading.different(SdkProblemKind::HeaderBlank, variable, text);
            }
            set_header(&mut headers, &name, value.trim());
        } else {
            set_header(
                &mut headers,
                &unquote_percent(name).trim().to_lowercase(),
                unquote_percent(value).trim(),
            );
        }
    }
    reading.check_headers(variable, &headers);
    headers
}

/// Returns true for a character that is allowed in a value of the list.
fn is_liberal(character: char) -> bool {
    (' '..='~').contains(&character) && !['"', ',', ';', '\\'].contains(&character)
}

/// Returns true if the header can be part of an HTTP request.
fn is_sendable(header: &ExportHeader) -> bool {
    let name = &header.name;
    let value = header.value.expose();
    let is_name = name.is_ascii()
        && !name.starts_with(char::is_whitespace)
        && !name.is_empty()
        && !name.contains([':', '\r', '\n']);
    let is_value =
        value.chars().all(|character| u32::from(character) < 256) && !value.contains(['\r', '\n']);
    is_name && is_value
}

fn read_python_compression(reading: &mut SdkReading<'_>) -> OtlpCompression {
    let Some((variable, value)) = reading.first(COMPRESSION, UnsetRule::Empty) else {
        return OtlpCompression::None;
    };
    match value.trim().to_ascii_lowercase().as_str() {
        "none" => OtlpCompression::None,
        "gzip" => OtlpCompression::Gzip,
        "deflate" => OtlpCompression::Deflate,
        _ => {
            reading.unknown_compression(variable, value);
            OtlpCompression::None
        }
    }
}

/// Reads the compression for gRPC: only `gzip` is valid, any other value prevents the SDK from starting.
fn grpc_compression(reading: &mut SdkReading<'_>) -> OtlpCompression {
    let mut compression = None;
    for variable in [COMPRESSION.traces, COMPRESSION.general] {
        let Some(value) = reading.get(variable).filter(|_| compression.is_none()) else { continue };
        match value.trim().to_ascii_lowercase().as_str() {
            "gzip" => compression = Some(OtlpCompression::Gzip),
            _ => {
                let text = format!(
                    "{variable} is `{value}`; over gRPC Python's SDK knows only gzip, and does not start"
                );
                reading.nothing_starts(SdkProblemKind::CompressionUnknown, variable, text);
                compression = Some(OtlpCompression::None);
            }
        }
    }
    compression.unwrap_or(OtlpCompression::None)
}

/// Reads the timeout, which Python takes in seconds and the specification in milliseconds.
fn read_python_timeout(reading: &mut SdkReading<'_>) -> Option<Duration> {
    let (variable, value) = reading.first(TIMEOUT, UnsetRule::Empty)?;
    match python_float(value) {
        Some(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds).ok(),
        Some(_) => {
            let text = format!("{variable} is {value}: no request can be sent in zero seconds");
            reading.nothing_sent(SdkProblemKind::Timeout, variable, text);
            Some(Duration::ZERO)
        }
        None => {
            reading.invalid_timeout(variable, value);
            None
        }
    }
}

fn grpc_timeout(reading: &mut SdkReading<'_>) -> Option<Duration> {
    let mut timeout = None;
    for variable in [TIMEOUT.traces, TIMEOUT.general] {
        let Some(value) = reading.get(variable).filter(|_| timeout.is_none()) else { continue };
        match python_float(value) {
            Some(0.0) if variable == TIMEOUT.traces => {}
            Some(seconds) => {
                timeout = Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO));
            }
            None => {
                let text = format!(
                    "{variable} is `{value}`, not a number of seconds: the SDK does not start"
                );
                reading.nothing_starts(SdkProblemKind::Timeout, variable, text);
                timeout = Some(Duration::ZERO);
            }
        }
    }
    timeout
}
