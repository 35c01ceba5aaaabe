//! Relays gRPC calls; the sender is identified by its address, or by a token in a header.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;

use super::{RelayState, RelayedExport, forwarded_headers};
use crate::net::failure::RequestFailure;
use crate::net::grpc::{self, RelayedCall, RelayedReply};
use crate::net::http::RelayedBody;
use crate::net::receiver::grpc::{
    call_path, grpc_refusal_status, grpc_status_response, is_grpc, read_grpc_message,
};
use crate::net::receiver::{MessageFormat, RequestRefusal, TelemetrySignal};
use crate::otlp::FailureCode;

impl RelayState {
    /// Forwards a call, or refuses it.
    pub(super) async fn take_call(&self, from: IpAddr, parts: &Parts, body: Body) -> Response {
        let answered = match self.signal_of(from, parts).await {
            Ok(signal) => self.pass_call_on(signal, parts, body).await,
            Err(refusal) => Err(self.count(refusal)),
        };
        answered.unwrap_or_else(|refusal| grpc_status_response(grpc_refusal_status(&refusal)))
    }

    /// Returns the signal of a call, if it is from the permitted sender.
    async fn signal_of(
        &self,
        from: IpAddr,
        parts: &Parts,
    ) -> Result<TelemetrySignal, RequestRefusal> {
        self.admit(from, &parts.headers).await?;
        let path = parts.uri.path();
        let signal = TelemetrySignal::ALL.into_iter().find(|signal| call_path(*signal) == path);
        match signal.filter(|_| is_grpc(&parts.headers)) {
            Some(signal) => Ok(signal),
            None => Err(RequestRefusal::Unknown(path.to_owned())),
        }
    }

    async fn pass_call_on(
        &self,
        signal: TelemetrySignal,
        parts: &Parts,
        body: Body,
    ) -> Result<Response, RequestRefusal> {
        let (bytes, mut held) = self.bodies.read(body).await?;
        let (_, readable) =
            read_grpc_message(&self.bodies, &parts.headers, bytes.clone(), &mut held)?;
        let spans = self.spans(signal, Some(MessageFormat::Protobuf), &readable, &mut held)?;
        let started = Instant::now();
        let (headers, body) = (forwarded_headers(&parts.headers), RelayedBody { bytes, readable });
        let call = RelayedCall { path: call_path(signal), headers: &headers, body: &body };
        let received = grpc::relay_call(&self.route, call, started + self.patience).await;
        let took = started.elapsed();
        let outcome = received.as_ref().map(RelayedReply::meaning).map_err(RequestFailure::clone);
        self.publish(RelayedExport { signal, spans, outcome, took, _held: held }).await;
        Ok(match received {
            Ok(reply) => relayed_grpc_response(reply),
            Err(failure) => relay_failure_response(&failure),
        })
    }
}

/// Returns the endpoint's response for the sender.
fn relayed_grpc_response(reply: RelayedReply) -> Response {
    let RelayedReply { head, body, trailers } = reply;
    let with_trailers =
        Full::new(body).with_trailers(std::future::ready(Some(Ok::<HeaderMap, _>(trailers))));
    let mut response = Response::new(Body::new(with_trailers));
    *response.status_mut() = head.status;
    let own_headers = head.headers.into_iter().filter(|(name, _)| {
        name.as_ref()
            .is_some_and(|name| name == "content-type" || name.as_str().starts_with("grpc-"))
    });
    response.headers_mut().extend(own_headers);
    response
}

fn relay_failure_response(failure: &RequestFailure) -> Response {
    let text = "the endpoint gave no answer";
    grpc_status_response(match failure.code {
        FailureCode::Timeout => tonic::Status::deadline_exceeded(text),
        FailureCode::UntrustedHost => tonic::Status::permission_denied(text),
        _ => tonic::Status::unavailable(text),
    })
}
