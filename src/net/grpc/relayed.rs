//! Forwards another program's call unchanged.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::time::Instant;
use tonic::codegen::{Service, http};

use super::{broken_call_failure, connect_channel, meaning_of};
use crate::net::failure::{RequestFailure, RequestPhase};
use crate::net::http::{RelayedBody, header_map};
use crate::net::receiver::grpc::{is_grpc, split_grpc_frame};
use crate::net::route::EndpointRoute;
use crate::otlp::response::{ExportMeaning, LIMIT};
use crate::otlp::status::GrpcStatus;
use crate::otlp::{ExportHeader, FailureCode};

/// Another program's call, with path and body as received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelayedCall<'a> {
    /// `/SERVICE/METHOD`
    pub path: &'a str,
    /// The metadata.
    pub headers: &'a [ExportHeader],
    /// The frame, and its message.
    pub body: &'a RelayedBody,
}

/// The answer to another program's call.
#[derive(Debug, Clone)]
pub(crate) struct RelayedReply {
    /// The status and headers.
    pub head: http::response::Parts,
    /// The frames.
    pub body: Bytes,
    /// The trailers.
    pub trailers: http::HeaderMap,
}

/// Forwards a call and reads its answer before `deadline`.
///
/// # Errors
/// The reason why no answer came.
pub(crate) async fn relay_call(
    route: &EndpointRoute,
    call: RelayedCall<'_>,
    deadline: Instant,
) -> Result<RelayedReply, RequestFailure> {
    route.check(call.headers, &call.body.readable)?;
    let (mut channel, opening) = connect_channel(route, deadline).await?;
    let unsendable =
        |_| RequestFailure::before(FailureCode::RequestRejected, "the call cannot be sent");
    let body = tonic::body::Body::new(Full::new(call.body.bytes.clone()));
    let mut request = http::Request::post(call.path).body(body).map_err(unsendable)?;
    *request.version_mut() = http::Version::HTTP_2;
    *request.headers_mut() = header_map(call.headers)?;
    request.headers_mut().insert(http::header::TE, http::HeaderValue::from_static("trailers"));
    let exchange = async {
        std::future::poll_fn(|context| channel.poll_ready(context)).await?;
        let (head, body) = channel.call(request).await?.into_parts();
        Ok::<_, tonic::transport::Error>((head, Limited::new(body, LIMIT).collect().await))
    };
    match tokio::time::timeout_at(deadline, exchange).await {
        Err(_) => Err(RequestFailure::after(FailureCode::Timeout, "no answer in time")),
        Ok(Err(error)) => Err(broken_call_failure(route, &error, &opening)),
        Ok(Ok((_, Err(error)))) => {
            Err(RequestFailure::from_chain(&*error, RequestPhase::Exchanging))
        }
        Ok(Ok((head, Ok(collected)))) => {
            let trailers = collected.trailers().cloned().unwrap_or_default();
            Ok(RelayedReply { head, body: collected.to_bytes(), trailers })
        }
    }
}

impl RelayedReply {
    /// Returns the meaning of the answer to a trace export.
    pub(crate) fn meaning(&self) -> ExportMeaning {
        let status = tonic::Status::from_header_map(&self.trailers)
            .or_else(|| tonic::Status::from_header_map(&self.head.headers));
        match status {
            Some(status) if status.code() == tonic::Code::Ok => self.accepted(),
            status => GrpcStatus {
                code: status.as_ref().map_or(tonic::Code::Unknown, tonic::Status::code).into(),
                message: status.as_ref().map(tonic::Status::message).unwrap_or_default().to_owned(),
                details: status.map(|status| status.details().to_vec()).unwrap_or_default(),
                http: Some(self.head.status.as_u16()),
                is_grpc: is_grpc(&self.head.headers),
            }
            .meaning(),
        }
    }

    /// Returns the meaning of a successful answer. An empty answer is a failure, because the sender cannot decode it.
    fn accepted(&self) -> ExportMeaning {
        let answer = match split_grpc_frame(self.body.clone()) {
            Ok((false, message)) => ExportTraceServiceResponse::decode(message).ok(),
            _ => None,
        };
        let no_answer =
            || ExportMeaning::refused(FailureCode::NotOtlp, "the answer is not an OTLP message");
        answer.map_or_else(no_answer, meaning_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_accepted_only_with_one_complete_message() {
        for (body, is_taken) in [
            (&b"\0\0\0\0\0"[..], true),
            (b"\0\0\0\0\x02\x0a\0", true),
            (b"", false),
            (b"\0\0", false),
            (b"\0\0\0\0\x02\x0a", false),
            (b"\0\0\0\0\0\0\0\0\0\0", false),
            (b"\x01\0\0\0\0", false),
            (b"\0\0\0\0\x01\xff", false),
        ] {
            let head = http::Response::builder().header("content-type", "application/grpc");
            let (head, ()) = head.body(()).unwrap().into_parts();
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
            let meaning = RelayedReply { head, body: body.into(), trailers }.meaning();
            let expected = if is_taken {
                ExportMeaning::Accepted { warning: None }
            } else {
                ExportMeaning::refused(FailureCode::NotOtlp, "the answer is not an OTLP message")
            };
            assert_eq!(meaning, expected, "{body:?}");
        }
    }
}
