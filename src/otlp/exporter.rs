//! Where a service sends its traces, read from its `OTEL_…` variables as the specification says.
//!
//! Knows nothing of where the variables came from.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::headers::{self, Header};
use crate::secret::Secret;

/// Everything an SDK would take from the environment to send traces.
#[derive(Debug, Clone)]
pub struct Exporter {
    /// The full address of a request; for gRPC only scheme, host and port count.
    pub url: Url,
    /// How spans are encoded and carried.
    pub protocol: Protocol,
    /// Sent with each request, names in lower case.
    pub headers: Vec<Header>,
    /// How the body is compressed.
    pub compression: Compression,
    /// A PEM file with the only certificates to be trusted, as the service names it.
    pub certificate: Option<String>,
    /// PEM files the service shows to the server.
    pub client: Option<ClientFiles>,
    /// How long the SDK itself would wait for an answer.
    pub timeout: Option<Duration>,
    /// The variables that said so.
    pub used: Vec<&'static str>,
    /// What an SDK would read differently than the author meant.
    pub warnings: Vec<String>,
}

/// A client certificate and its key: PEM files as the service names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate chain.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`, the default.
    HttpProtobuf,
    /// `http/json`
    HttpJson,
    /// `grpc`
    Grpc,
}

/// `OTEL_EXPORTER_OTLP_COMPRESSION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Sent as it is.
    None,
    /// `gzip`
    Gzip,
}

/// Why a service sends no traces over OTLP, in one line.
pub type NotConfigured = String;

impl Protocol {
    /// As written in the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
            Self::Grpc => "grpc",
        }
    }
}

/// A variable of the traces signal, and the general one it beats.
struct Names {
    traces: &'static str,
    general: &'static str,
}

macro_rules! names {
    ($suffix:literal) => {
        Names {
            traces: concat!("OTEL_EXPORTER_OTLP_TRACES_", $suffix),
            general: concat!("OTEL_EXPORTER_OTLP_", $suffix),
        }
    };
}

const ENDPOINT: Names = names!("ENDPOINT");
const HEADERS: Names = names!("HEADERS");
const PROTOCOL: Names = names!("PROTOCOL");
const TIMEOUT: Names = names!("TIMEOUT");
const COMPRESSION: Names = names!("COMPRESSION");
const CERTIFICATE: Names = names!("CERTIFICATE");
const CLIENT_CERTIFICATE: Names = names!("CLIENT_CERTIFICATE");
const CLIENT_KEY: Names = names!("CLIENT_KEY");
const INSECURE: Names = names!("INSECURE");

/// The variables that hold an endpoint, the one that wins first.
pub const ENDPOINT_VARIABLES: [&str; 2] = [ENDPOINT.traces, ENDPOINT.general];

/// The variables that hold headers, the one that wins first.
pub const HEADERS_VARIABLES: [&str; 2] = [HEADERS.traces, HEADERS.general];

/// Variables of one service, remembering which were used.
struct Reader<'a> {
    variables: &'a BTreeMap<String, Secret>,
    used: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// A variable that says something, the one for traces first.
    fn read(&mut self, names: &Names) -> Option<(&'static str, &'a str)> {
        [names.traces, names.general].into_iter().find_map(|name| {
            let value = self.variables.get(name)?.expose().trim();
            if value.is_empty() {
                return None;
            }
            self.used.push(name);
            Some((name, value))
        })
    }

    fn value(&mut self, names: &Names) -> Option<String> {
        self.read(names).map(|(_, value)| value.to_owned())
    }

    fn is(&self, name: &str, wanted: &str) -> bool {
        self.variables
            .get(name)
            .is_some_and(|value| value.expose().trim().eq_ignore_ascii_case(wanted))
    }
}

impl Exporter {
    /// What the variables of a service say; empty ones count as unset.
    ///
    /// # Errors
    /// Why nothing would be sent: no endpoint, an unusable one, the SDK or its exporter switched off.
    pub fn from_environment(variables: &BTreeMap<String, Secret>) -> Result<Self, NotConfigured> {
        let mut reader = Reader { variables, used: Vec::new() };
        let mut warnings = Vec::new();
        switched_on(&reader)?;
        let endpoint = reader.read(&ENDPOINT).ok_or_else(|| absent(variables))?;
        let protocol = protocol(&mut reader, &mut warnings);
        let url = url(&mut reader, endpoint, protocol)?;
        let headers = headers(&mut reader, &mut warnings);
        let client_certificate = reader.value(&CLIENT_CERTIFICATE);
        let client = match (client_certificate, reader.value(&CLIENT_KEY)) {
            (Some(certificate), Some(key)) => Some(ClientFiles { certificate, key }),
            (None, None) => None,
            _ => {
                warnings.push(format!(
                    "{} and {} only work together",
                    CLIENT_CERTIFICATE.general, CLIENT_KEY.general
                ));
                None
            }
        };
        Ok(Self {
            url,
            protocol,
            headers,
            compression: compression(&mut reader, &mut warnings),
            certificate: reader.value(&CERTIFICATE),
            client,
            timeout: timeout(&mut reader, &mut warnings),
            used: reader.used,
            warnings,
        })
    }

    /// The value of a header, if it is sent at all.
    pub fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.name == name)
    }
}

fn switched_on(reader: &Reader<'_>) -> Result<(), NotConfigured> {
    if reader.is("OTEL_SDK_DISABLED", "true") {
        return Err("OTEL_SDK_DISABLED is true: the SDK sends nothing".to_owned());
    }
    let exporter = reader.variables.get("OTEL_TRACES_EXPORTER");
    match exporter.map(|value| value.expose().trim()) {
        Some(value) if !value.is_empty() && !value.split(',').any(|one| one.trim() == "otlp") => {
            Err(format!("OTEL_TRACES_EXPORTER is {value}, not otlp"))
        }
        _ => Ok(()),
    }
}

fn absent(variables: &BTreeMap<String, Secret>) -> NotConfigured {
    match ENDPOINT_VARIABLES.iter().find(|name| variables.contains_key(**name)) {
        Some(name) => format!("{name} is empty, which counts as unset"),
        None => format!("{} is not set", ENDPOINT.general),
    }
}

fn protocol(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Protocol {
    match reader.read(&PROTOCOL) {
        None => Protocol::HttpProtobuf,
        Some((name, value)) => match value {
            "grpc" => Protocol::Grpc,
            "http/json" => Protocol::HttpJson,
            "http/protobuf" => Protocol::HttpProtobuf,
            _ => {
                warnings.push(format!(
                    "{name} is `{value}`; only grpc, http/protobuf and http/json are known"
                ));
                Protocol::HttpProtobuf
            }
        },
    }
}

fn url(
    reader: &mut Reader<'_>,
    (name, value): (&'static str, &str),
    protocol: Protocol,
) -> Result<Url, NotConfigured> {
    let text = match (protocol, value.contains("://")) {
        (_, true) => value.to_owned(),
        (Protocol::Grpc, false) => {
            let insecure =
                reader.value(&INSECURE).is_some_and(|value| value.eq_ignore_ascii_case("true"));
            let scheme = if insecure { "http" } else { "https" };
            format!("{scheme}://{value}")
        }
        (_, false) => return Err(format!("{name} is `{value}`: `https://` is missing")),
    };
    let mut url = Url::parse(&text).map_err(|error| format!("{name} is `{value}`: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("{name} is `{value}`: no http or https address"));
    }
    url.set_fragment(None);
    if name == ENDPOINT.general && protocol != Protocol::Grpc {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

fn headers(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Vec<Header> {
    match reader.read(&HEADERS) {
        None => Vec::new(),
        Some((name, value)) => {
            let (headers, mut found) = headers::parse(value);
            warnings.extend(found.drain(..).map(|text| format!("{name}: {text}")));
            headers
        }
    }
}

fn compression(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Compression {
    match reader.read(&COMPRESSION) {
        Some((_, value)) if value.eq_ignore_ascii_case("gzip") => Compression::Gzip,
        Some((name, value)) if !value.eq_ignore_ascii_case("none") => {
            warnings.push(format!("{name} is `{value}`; sent without compression"));
            Compression::None
        }
        _ => Compression::None,
    }
}

fn timeout(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Option<Duration> {
    let (name, value) = reader.read(&TIMEOUT)?;
    match value.parse::<u64>() {
        Ok(milliseconds) => {
            if milliseconds < 100 {
                warnings.push(format!(
                    "{name} is {milliseconds} milliseconds (only Python reads it as seconds)"
                ));
            }
            Some(Duration::from_millis(milliseconds))
        }
        Err(_) => {
            warnings.push(format!("{name} is `{value}`, no number of milliseconds"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exporter(pairs: &[(&str, &str)]) -> Result<Exporter, NotConfigured> {
        let variables =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        Exporter::from_environment(&variables)
    }

    #[track_caller]
    fn url_of(pairs: &[(&str, &str)], expected: &str) {
        assert_eq!(exporter(pairs).unwrap().url.as_str(), expected);
    }

    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const EXACT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    #[test]
    fn the_general_endpoint_is_a_base_and_the_one_for_traces_is_taken_as_it_is() {
        url_of(&[(BASE, "https://h")], "https://h/v1/traces");
        url_of(&[(BASE, "https://h/")], "https://h/v1/traces");
        url_of(&[(BASE, "https://h:1/otlp/")], "https://h:1/otlp/v1/traces");
        url_of(&[(BASE, "https://a"), (EXACT, "https://b")], "https://b/");
        url_of(&[(BASE, "https://a"), (EXACT, "")], "https://a/v1/traces");
        url_of(&[(EXACT, "http://h/x/y")], "http://h/x/y");
    }

    #[test]
    fn grpc_needs_no_scheme_and_then_insecure_counts() {
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE");
        url_of(&[grpc, (BASE, "h:4317")], "https://h:4317/");
        url_of(&[grpc, insecure, (BASE, "h:4317")], "http://h:4317/");
        url_of(&[grpc, insecure, (BASE, "https://h:4317")], "https://h:4317/");
        assert!(exporter(&[(BASE, "h:4317")]).is_err());
    }

    #[test]
    fn nothing_is_sent_where_the_sdk_or_its_exporter_is_off() {
        let on = (BASE, "https://h");
        assert!(exporter(&[on, ("OTEL_SDK_DISABLED", "True")]).is_err());
        assert!(exporter(&[on, ("OTEL_SDK_DISABLED", "1")]).is_ok());
        assert!(exporter(&[on, ("OTEL_TRACES_EXPORTER", "none")]).is_err());
        assert!(exporter(&[on, ("OTEL_TRACES_EXPORTER", "console,otlp")]).is_ok());
        assert!(exporter(&[on, ("OTEL_TRACES_EXPORTER", "")]).is_ok());
    }

    #[test]
    fn the_traces_variant_wins_for_every_setting() {
        let exporter = exporter(&[
            (BASE, "https://h"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ])
        .unwrap();
        assert_eq!(exporter.headers.len(), 1);
        assert!(exporter.header("b").is_some());
        assert_eq!(exporter.protocol, Protocol::HttpJson);
        assert_eq!(exporter.compression, Compression::Gzip);
        assert_eq!(exporter.timeout, Some(Duration::from_millis(500)));
        assert!(exporter.used.contains(&"OTEL_EXPORTER_OTLP_TRACES_HEADERS"));
        assert!(!exporter.used.contains(&"OTEL_EXPORTER_OTLP_HEADERS"));
    }
}
