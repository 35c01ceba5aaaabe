//! Where a service sends its traces: the exporter that its SDK builds, as long as that sends anything.
//!
//! Which values an SDK reads, and how, is known to [`crate::instrumentation`] alone.

use std::time::Duration;

use url::Url;

use crate::instrumentation::{
    ClientFiles, Compression, EndpointSource, Header, Protocol, SdkProblemKind, SdkSettings,
};

/// Everything an SDK takes from its environment to send traces.
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
    /// What the SDK reads differently than the author meant.
    pub warnings: Vec<String>,
}

/// Why a service sends no traces over OTLP, in one line.
pub type NotConfigured = String;

impl Exporter {
    /// Returns the exporter of these settings.
    ///
    /// # Errors
    /// Why nothing would be sent: no endpoint, an unusable one, the SDK or its exporter switched off.
    pub fn from_settings(settings: &SdkSettings) -> Result<Self, NotConfigured> {
        if let Some(problem) = settings.blocker() {
            return Err(problem.text.clone());
        }
        let no_endpoint = |kind| settings.problems.iter().find(|problem| problem.kind == kind);
        let kinds = [SdkProblemKind::EndpointIgnored, SdkProblemKind::EndpointMissing];
        let no_endpoint = || kinds.into_iter().find_map(no_endpoint).map(|one| one.text.clone());
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

    /// Returns a header, if one of that name is sent.
    pub fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.name == name)
    }
}
