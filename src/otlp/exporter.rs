//! The exporter that a service's SDK creates, if it sends anything.
//!
//! How SDKs read values is known to [`crate::instrumentation`] alone.

use std::time::Duration;

use url::Url;

use crate::instrumentation::{
    ClientFiles, EndpointSource, ExportHeader, OtlpCompression, OtlpProtocol, SdkProblemKind,
    SdkSettings,
};

/// The settings an SDK takes from its environment to send traces.
#[derive(Debug, Clone)]
pub(crate) struct Exporter {
    /// The full URL of requests; for gRPC only scheme, host and port count.
    pub url: Url,
    /// The encoding and transport.
    pub protocol: OtlpProtocol,
    /// Headers of each request, with names in lower case.
    pub headers: Vec<ExportHeader>,
    /// The compression of the body.
    pub compression: OtlpCompression,
    /// The path of a PEM file with the only trusted certificates, as the service names it.
    pub certificate: Option<String>,
    /// PEM files of the client certificate.
    pub client: Option<ClientFiles>,
    /// The SDK's own timeout.
    pub timeout: Option<Duration>,
    /// Values that the SDK reads differently than intended.
    pub warnings: Vec<String>,
}

/// The reason why a service sends no traces over OTLP, in one line.
pub(crate) type NotConfigured = String;

impl Exporter {
    /// Returns the exporter of these settings.
    ///
    /// # Errors
    /// The reason why nothing is sent: no or an unusable endpoint, or a disabled SDK or exporter.
    pub(crate) fn from_settings(settings: &SdkSettings) -> Result<Self, NotConfigured> {
        if let Some(problem) = settings.blocker() {
            return Err(problem.text.clone());
        }
        let no_endpoint = |kind| settings.problems.iter().find(|problem| problem.kind == kind);
        let kinds = [SdkProblemKind::EndpointIgnored, SdkProblemKind::EndpointMissing];
        let no_endpoint =
            || kinds.into_iter().find_map(no_endpoint).map(|problem| problem.text.clone());
        let otlp = settings.otlp().filter(|otlp| otlp.source != EndpointSource::Default);
        let url = otlp.and_then(|otlp| otlp.url.clone());
        let (Some(otlp), Some(url)) = (otlp, url) else {
            return Err(no_endpoint().unwrap_or_else(|| "no traces are sent over OTLP".to_owned()));
        };
        let is_seen = |kind| !matches!(kind, SdkProblemKind::HeaderEmpty);
        let warnings = settings.problems.iter().filter(|problem| is_seen(problem.kind));
        Ok(Self {
            url,
            protocol: otlp.protocol,
            headers: otlp.headers.clone(),
            compression: otlp.compression,
            certificate: otlp.certificate.clone(),
            client: otlp.client.clone(),
            timeout: otlp.timeout,
            warnings: warnings.map(|problem| problem.text.clone()).collect(),
        })
    }

    /// Returns the header of that name, if it is sent.
    pub(crate) fn header(&self, name: &str) -> Option<&ExportHeader> {
        self.headers.iter().find(|header| header.name == name)
    }
}
