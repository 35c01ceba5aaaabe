//! Relays HTTP requests; a secret path segment comes before the signal's path.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::{RelayState, RelayedExport, forwarded_headers};
use crate::net::failure::RequestFailure;
use crate::net::http::{self, HttpReply, HttpRequest, RelayedBody};
use crate::net::receiver::http::{self as otlp_http, HttpBody};
use crate::net::receiver::{RequestRefusal, TelemetrySignal};
use crate::net::route::EndpointRoute;
use crate::otlp::FailureCode;
use crate::otlp::response;

impl RelayState {
    /// Forwards a request, or refuses it.
    pub(super) async fn take_request(&self, from: IpAddr, parts: &Parts, body: Body) -> Response {
        let answered = match self.find_target(from, parts).await {
            Ok((signal, route)) => self.pass_on(signal, &route, parts, body).await,
            Err(refusal) => Err(self.count(refusal)),
        };
        answered.unwrap_or_else(|refusal| {
            let status = otlp_http::http_refusal_status(&refusal);
            (status, format!("{refusal}\n")).into_response()
        })
    }

    /// Returns the signal and target of a request, if it is from the permitted sender.
    async fn find_target(
        &self,
        from: IpAddr,
        parts: &Parts,
    ) -> Result<(TelemetrySignal, EndpointRoute), RequestRefusal> {
        self.admit(from, &parts.headers).await?;
        let path = parts.uri.path();
        let unknown = || RequestRefusal::Unknown(path.to_owned());
        let below = path.strip_prefix('/').and_then(|path| path.strip_prefix(&*self.token));
        let signal = below.and_then(TelemetrySignal::at_path).ok_or_else(unknown)?;
        if parts.method != Method::POST {
            return Err(RequestRefusal::Method);
        }
        let route = match signal {
            TelemetrySignal::Traces => self.route.clone(),
            TelemetrySignal::Metrics | TelemetrySignal::Logs => {
                let traces = self.route.url.path();
                let base =
                    traces.strip_suffix(TelemetrySignal::Traces.path()).ok_or_else(unknown)?;
                self.route.at_path(&format!("{base}{}", signal.path()))
            }
        };
        Ok((signal, route))
    }

    /// Forwards a request and returns the response.
    async fn pass_on(
        &self,
        signal: TelemetrySignal,
        route: &EndpointRoute,
        parts: &Parts,
        body: Body,
    ) -> Result<Response, RequestRefusal> {
        let HttpBody { packed: bytes, message: readable, mut held, .. } =
            otlp_http::read_http_body(&self.bodies, &parts.headers, body).await?;
        let spans =
            self.spans(signal, otlp_http::message_format(&parts.headers), &readable, &mut held)?;
        let started = Instant::now();
        let body = RelayedBody { bytes, readable };
        let deadline = started + self.patience;
        let received = http::send(
            route,
            HttpRequest::Relay(&body),
            &forwarded_headers(&parts.headers),
            deadline,
        )
        .await;
        let took = started.elapsed();
        let response = relayed_http_response(&received);
        let outcome = received.map(|received| response::read(&received.answer));
        self.publish(RelayedExport { signal, spans, outcome, took, _held: held }).await;
        Ok(response)
    }
}

/// Returns the endpoint's response for the sender, without the target of a redirect, which is not followed.
fn relayed_http_response(received: &Result<HttpReply, RequestFailure>) -> Response {
    let received = match received {
        Ok(received) => received,
        Err(failure) => {
            let status = match failure.code {
                FailureCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
                FailureCode::UntrustedHost => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_GATEWAY,
            };
            return (status, "the endpoint gave no answer\n").into_response();
        }
    };
    let mut response = Response::new(Body::from(received.answer.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(received.answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = received.answer.content_type.as_deref().map(HeaderValue::from_str);
    if let Some(Ok(kind)) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    if let Some(pause) = received.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(pause.as_secs()));
    }
    response
}
