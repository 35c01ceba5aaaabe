//! The OTLP settings of an SDK, and the checks that all SDKs share.

use std::time::Duration;

use url::Url;

use super::ExportHeader;
use super::header::{is_in_braces, opening_quote, unresolved_name};
use super::problem::SdkProblemKind;
use super::reading::{
    CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY, ENDPOINT, HEADERS, SdkReading, UnsetRule,
};

/// The path that is appended to a general endpoint.
pub(super) const TRACES_PATH: &str = "/v1/traces";

/// The OTLP settings of an SDK: where and how it sends spans.
#[derive(Debug, Clone)]
pub struct OtlpExporter {
    /// The encoding and transport.
    pub protocol: OtlpProtocol,
    /// The full URL of a request, or scheme, host and port for gRPC; `None` if requests cannot be sent.
    pub url: Option<Url>,
    /// The source of the URL.
    pub source: EndpointSource,
    /// Headers sent with each request.
    pub headers: Vec<ExportHeader>,
    /// The compression of the body.
    pub compression: OtlpCompression,
    /// PEM file with the only trusted certificates, as the service names it.
    pub certificate: Option<String>,
    /// PEM files that identify the service to the server.
    pub client: Option<ClientFiles>,
    /// The timeout of a request; `None` for the SDK's default of 10 seconds.
    pub timeout: Option<Duration>,
}

/// A client certificate and its key: PEM files, as the service names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate chain.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// The source of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointSource {
    /// A variable.
    Variable(&'static str),
    /// The code of the service.
    Code,
    /// The SDK's default, a collector on the same machine.
    Default,
}

/// `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// `http/protobuf`
    HttpProtobuf,
    /// `http/json`
    HttpJson,
    /// `grpc`
    Grpc,
}

/// `OTEL_EXPORTER_OTLP_COMPRESSION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpCompression {
    /// No compression.
    None,
    /// `gzip`
    Gzip,
    /// `deflate`, which only Python's SDK supports.
    Deflate,
}

impl OtlpProtocol {
    /// Returns the protocol as written in the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
            Self::Grpc => "grpc",
        }
    }

    /// Returns the protocol with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::HttpProtobuf, Self::HttpJson, Self::Grpc]
            .into_iter()
            .find(|protocol| protocol.as_str() == name)
    }
}

impl EndpointSource {
    /// Returns the variable, or the general one if the endpoint comes from no variable.
    fn variable(self) -> &'static str {
        match self {
            Self::Variable(name) => name,
            Self::Code | Self::Default => ENDPOINT.general,
        }
    }

    /// Returns a description of the source.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Variable(name) => name,
            Self::Code => "the endpoint in the code",
            Self::Default => "the default endpoint",
        }
    }
}

impl SdkReading<'_> {
    /// Returns the endpoint that the code passes, if any.
    pub(super) fn endpoint_in_code(&self) -> Option<String> {
        match self.input.setup {
            super::SdkSetup::Code { endpoint, .. } => endpoint.clone(),
            _ => None,
        }
    }

    /// Reports that no endpoint is set, unless one is set that the SDK ignores.
    pub(super) fn check_endpoint(&mut self, source: EndpointSource) {
        let ignored = SdkProblemKind::EndpointIgnored;
        if source != EndpointSource::Default
            || self.problems.iter().any(|problem| problem.kind == ignored)
        {
            return;
        }
        let mut names = [ENDPOINT.traces, ENDPOINT.general].into_iter();
        let (name, text) = match names.find(|name| self.get(name).is_some()) {
            Some(name) => (name, format!("{name} is empty, which counts as unset")),
            None => (ENDPOINT.general, format!("{} is not set", ENDPOINT.general)),
        };
        self.different(SdkProblemKind::EndpointMissing, name, text);
    }

    /// Reports an endpoint to which no request can be sent.
    pub(super) fn unusable_endpoint(&mut self, source: EndpointSource, text: &str, reason: &str) {
        let text = format!("{} is `{text}`: {reason}", source.describe());
        self.nothing_sent(SdkProblemKind::EndpointUnusable, source.variable(), text);
    }

    /// Reports a path of an HTTP address that is probably not intended.
    pub(super) fn check_path(&mut self, source: EndpointSource, written: &str) {
        let written = written.trim();
        let variable = source.variable();
        let name = source.describe();
        let Some((_, rest)) = written.split_once("://") else { return };
        let path_at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (path, query) = rest[path_at..]
            .split_at(rest[path_at..].find(['?', '#']).unwrap_or(rest.len() - path_at));
        if source == EndpointSource::Variable(ENDPOINT.general) {
            if !query.is_empty() {
                let text =
                    format!("{name} is `{written}`: {TRACES_PATH} is appended behind the query");
                self.different(SdkProblemKind::EndpointQuery, variable, text);
            } else if path.trim_end_matches('/').ends_with(TRACES_PATH) {
                let text = format!("{name} is `{written}`: {TRACES_PATH} is appended once more");
                self.different(SdkProblemKind::EndpointPathTwice, variable, text);
            }
        } else if path.trim_matches('/').is_empty() && source != EndpointSource::Default {
            let text = format!("{name} is `{written}`: used unchanged, without {TRACES_PATH}");
            self.different(SdkProblemKind::EndpointPathMissing, variable, text);
        }
    }

    /// Reports header values that are sent but look wrong.
    pub(super) fn check_headers(&mut self, variable: &'static str, headers: &[ExportHeader]) {
        for ExportHeader { name, value } in headers {
            let value = value.expose();
            if value.is_empty() {
                let text = format!("{variable}: {name} is empty");
                self.different(SdkProblemKind::HeaderEmpty, variable, text);
            } else if let Some(quote) = opening_quote(value) {
                let text = format!("{variable}: {name} is in {quote} quotes, which are sent along");
                self.different(SdkProblemKind::Quoted, variable, text);
            } else if let Some(reference) = unresolved_name(value) {
                let text = format!(
                    "{variable}: {name} holds the name {reference}, not its value: `${{{reference}}}` refers to it"
                );
                self.different(SdkProblemKind::NotReference, variable, text);
            } else if is_in_braces(value) {
                let text = format!(
                    "{variable}: {name} is in braces, which are sent along: `${{NAME}}` refers to a variable"
                );
                self.different(SdkProblemKind::InBraces, variable, text);
            }
        }
    }

    /// Reports a header entry that is dropped; `entry` counts from 1.
    pub(super) fn dropped_header(&mut self, variable: &'static str, entry: usize, why: &str) {
        let text = format!("{variable}: entry {entry} {why} and is left out");
        self.different(SdkProblemKind::HeaderDropped, variable, text);
    }

    /// Reports a header that prevents every request from being sent.
    pub(super) fn unsendable_header(&mut self, name: &str) {
        let text = format!("{}: no request can carry the header {name}", HEADERS.general);
        self.nothing_sent(SdkProblemKind::HeaderUnsendable, HEADERS.general, text);
    }

    /// Returns the file of trusted certificates.
    pub(super) fn certificate(&mut self, unset: UnsetRule) -> Option<String> {
        self.first(CERTIFICATE, unset).map(|(_, file)| file.to_owned())
    }

    /// Returns the client certificate and its key, or reports that one is missing.
    pub(super) fn client_files(&mut self, unset: UnsetRule) -> Option<ClientFiles> {
        let certificate = self.first(CLIENT_CERTIFICATE, unset);
        let key = self.first(CLIENT_KEY, unset);
        match (certificate, key) {
            (Some((_, certificate)), Some((_, key))) => {
                Some(ClientFiles { certificate: certificate.to_owned(), key: key.to_owned() })
            }
            (None, None) => None,
            _ => {
                let text = format!(
                    "{} and {} only work together",
                    CLIENT_CERTIFICATE.general, CLIENT_KEY.general
                );
                self.different(SdkProblemKind::ClientFiles, CLIENT_CERTIFICATE.general, text);
                None
            }
        }
    }

    /// Reports a timeout that the SDK cannot parse.
    pub(super) fn invalid_timeout(&mut self, variable: &'static str, value: &str) {
        let text = format!("{variable} is `{value}`, not a time: 10 seconds are used");
        self.different(SdkProblemKind::Timeout, variable, text);
    }

    /// Returns milliseconds as a duration, and reports a timeout that is too short for a request.
    pub(super) fn milliseconds(&mut self, variable: &'static str, value: f64) -> Option<Duration> {
        if value < 100.0 {
            let text = format!("{variable} is {value} milliseconds, too short for most requests");
            self.different(SdkProblemKind::Timeout, variable, text);
        }
        Duration::try_from_secs_f64(value / 1000.0).ok()
    }

    /// Reports a compression that the SDK does not support.
    pub(super) fn unknown_compression(&mut self, variable: &'static str, value: &str) {
        let text = format!("{variable} is `{value}`: sent without compression");
        self.different(SdkProblemKind::CompressionUnknown, variable, text);
    }
}
