//! Sends one HTTP request: follows no redirect and reads at most 4 MiB.

use std::borrow::Cow;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{
    CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Method};
use tokio::time::Instant;

use super::decode;
use super::failure::{RequestFailure, RequestPhase};
use super::route::{EndpointRoute, RouteVia};
use crate::otlp::ExportHeader;
use crate::otlp::FailureCode;
use crate::otlp::request::RequestBody;
use crate::otlp::response::{HttpAnswer, LIMIT};

/// The kind of request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HttpRequest<'a> {
    /// `GET`
    Get,
    /// `POST` with a body.
    Post(&'a RequestBody),
    /// `POST` with a JSON text.
    PostJson(&'a str),
    /// `POST` with another program's body; its headers describe it.
    Relay(&'a RelayedBody),
}

/// The body of another program's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelayedBody {
    /// The body as received.
    pub bytes: Bytes,
    /// The body decompressed.
    pub readable: Bytes,
}

impl HttpRequest<'_> {
    /// Returns the uncompressed body.
    fn readable(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Get => Cow::Borrowed(&[]),
            Self::PostJson(text) => Cow::Borrowed(text.as_bytes()),
            Self::Post(body) => body.readable(),
            Self::Relay(body) => Cow::Borrowed(&body.readable),
        }
    }
}

/// A response with its transport details.
#[derive(Debug, Clone)]
pub(crate) struct HttpReply {
    /// The response.
    pub answer: HttpAnswer,
    /// The delay the server asks for.
    pub retry_after: Option<Duration>,
}

/// `cruddur-ops/0.1.0`
pub(crate) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Sends one request and reads its answer before `deadline`.
///
/// # Errors
/// The reason why no answer came.
pub(crate) async fn send(
    route: &EndpointRoute,
    ask: HttpRequest<'_>,
    headers: &[ExportHeader],
    deadline: Instant,
) -> Result<HttpReply, RequestFailure> {
    route.check(headers, &ask.readable())?;
    let left = deadline.saturating_duration_since(Instant::now());
    let client = route.client_cache.client(left, |patience| build_client(route, patience))?;
    let method = match ask {
        HttpRequest::Get => Method::GET,
        HttpRequest::Post(_) | HttpRequest::PostJson(_) | HttpRequest::Relay(_) => Method::POST,
    };
    let mut request =
        client.request(method, route.url.clone()).timeout(left).headers(header_map(headers)?);
    match ask {
        HttpRequest::Get => {}
        HttpRequest::Post(body) => {
            request = request.header("content-type", body.content_type);
            if let Some(encoding) = body.content_encoding {
                request = request.header("content-encoding", encoding);
            }
            request = request.body(body.bytes.clone());
        }
        HttpRequest::PostJson(text) => {
            request = request.header("content-type", "application/json").body(text.to_owned());
        }
        HttpRequest::Relay(body) => request = request.body(body.bytes.clone()),
    }
    let response = request.send().await.map_err(|error| request_failure(&error))?;
    read_response(response).await
}

/// Builds a client that only connects as `route` says.
fn build_client(route: &EndpointRoute, patience: Duration) -> Result<Client, RequestFailure> {
    install_provider();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(patience)
        // Reusing an idle connection that the server has closed would look like a broken response.
        .pool_max_idle_per_host(0)
        .http1_only();
    if let RouteVia::Addresses(addresses) = &route.via {
        builder = builder.no_proxy();
        if let Some(host) = route.url.domain() {
            builder = builder.resolve_to_addrs(host, addresses);
        }
    }
    // Plain HTTP needs no certificate authorities, and must work on a machine without any.
    if route.url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    } else if let Some(roots) = &route.material.roots {
        let roots = Certificate::from_pem_bundle(roots).map_err(unusable_client_failure)?;
        builder = builder.tls_certs_only(roots);
    }
    if let Some(identity) = &route.material.identity {
        let mut pem = identity.key.clone();
        pem.push(b'\n');
        pem.extend_from_slice(&identity.certificate);
        builder = builder.identity(Identity::from_pem(&pem).map_err(unusable_client_failure)?);
    }
    builder.build().map_err(|error| {
        RequestFailure::before(
            FailureCode::Tls,
            format!(
                "no certificate authority could be loaded here: {}",
                format_cause_chain(&error)
            ),
        )
        .hint("install the package `ca-certificates`, or name a bundle in SSL_CERT_FILE")
    })
}

/// Installs the process-wide cryptography provider that both clients use.
pub(super) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A provider that is already installed works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn unusable_client_failure(error: reqwest::Error) -> RequestFailure {
    RequestFailure::before(
        FailureCode::Tls,
        format!("a certificate file is not valid PEM: {}", format_cause_chain(&error)),
    )
}

pub(super) fn header_map(headers: &[ExportHeader]) -> Result<HeaderMap, RequestFailure> {
    let mut map = HeaderMap::new();
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value.expose().as_bytes());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err(RequestFailure::before(
                FailureCode::RequestRejected,
                format!("the header {} cannot be sent", header.name),
            ));
        };
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

async fn read_response(mut response: reqwest::Response) -> Result<HttpReply, RequestFailure> {
    let text = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let encoding = text(CONTENT_ENCODING);
    let retry_after = text(RETRY_AFTER).and_then(|value| parse_retry_after(&value));
    let mut answer = HttpAnswer {
        status: response.status().as_u16(),
        content_type: text(reqwest::header::CONTENT_TYPE),
        location: text(LOCATION),
        body: Vec::new(),
        oversized: false,
    };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                answer.body.extend_from_slice(&chunk);
                if answer.body.len() > LIMIT {
                    answer.body.truncate(LIMIT);
                    answer.oversized = true;
                    break;
                }
            }
            Ok(None) => {
                decode::unpack(&mut answer, encoding.as_deref())?;
                break;
            }
            // The status is already a failure; the rest of the body would only explain it.
            Err(_) if answer.status >= 300 => break,
            Err(error) => return Err(request_failure(&error)),
        }
    }
    Ok(HttpReply { answer, retry_after })
}

/// Parses `Retry-After`: seconds or a date.
fn parse_retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

fn request_failure(error: &reqwest::Error) -> RequestFailure {
    let phase =
        if error.is_connect() { RequestPhase::Connecting } else { RequestPhase::Exchanging };
    if error.is_timeout() {
        return match phase {
            RequestPhase::Connecting => {
                RequestFailure::before(FailureCode::Timeout, "no connection in time")
            }
            RequestPhase::Exchanging => {
                RequestFailure::after(FailureCode::Timeout, "no answer in time")
            }
        };
    }
    RequestFailure::from_chain(error, phase)
}

/// Returns the causes of `error`. Its own text is left out because it contains the URL, which may be private.
fn format_cause_chain(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() {
        return "no reason given".to_owned();
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::ClearedDestination;
    use crate::net;

    #[test]
    fn a_client_is_reused_while_its_timeout_fits() {
        let address = "127.0.0.1:4318".parse().unwrap();
        let url = "http://collector:1/".parse().unwrap();
        let cleared = ClearedDestination::on_this_machine(&url, Some(address)).unwrap();
        let route = net::block_on(EndpointRoute::find(&cleared, Instant::now())).unwrap().unwrap();
        let made = std::cell::Cell::new(Duration::ZERO);
        let patience = |left: u64| {
            let way = route.at_path("/1/auth");
            let make = |patience| {
                made.set(patience);
                build_client(&way, patience)
            };
            way.client_cache.client(Duration::from_secs(left), make).unwrap();
            made.get().as_millis()
        };
        assert_eq!(patience(100), 95_000);
        assert_eq!(patience(99), 95_000);
        assert_eq!(patience(20), 19_000);
    }
}
