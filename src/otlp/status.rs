//! The meaning of a gRPC status for an export request.

use std::time::Duration;

use prost::Message;

use super::response::{ExportMeaning, excerpt_line};
use super::verdict::FailureCode;

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAdvice {
    /// The same request would fail again.
    Never,
    /// At a time of the sender's choice.
    Anytime,
    /// After the delay that the server asks for.
    After(Duration),
}

impl RetryAdvice {
    /// Returns the advice for a request that may be sent again, after the server's delay if it names one.
    pub fn after(delay: Option<Duration>) -> Self {
        delay.map_or(Self::Anytime, Self::After)
    }
}

/// The status of a gRPC call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrpcStatus {
    /// The code, 0 to 16.
    pub code: i32,
    /// The server's message.
    pub message: String,
    /// An encoded `google.rpc.Status`; may be empty.
    pub details: Vec<u8>,
    /// The status of the HTTP response.
    pub http: Option<u16>,
    /// Whether the response was gRPC, by its content type.
    pub is_grpc: bool,
}

#[derive(Clone, PartialEq, Message)]
struct WireGrpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<WireAny>,
}

#[derive(Clone, PartialEq, Message)]
struct WireAny {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct WireRetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<WireDuration>,
}

#[derive(Clone, PartialEq, Message)]
struct WireDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl GrpcStatus {
    /// Returns the meaning of the status.
    pub(crate) fn meaning(&self) -> ExportMeaning {
        let code = match (self.is_grpc, self.http) {
            (false, Some(300..=399)) => FailureCode::Redirected,
            (false, Some(401 | 403)) => FailureCode::KeyRejected,
            (false, Some(429)) => FailureCode::Throttled,
            (false, Some(500..=599)) => FailureCode::ServerError,
            (false, Some(_)) => FailureCode::NotOtlp,
            _ => of_code(self.code),
        };
        ExportMeaning::refused(code, self.evidence())
    }

    fn evidence(&self) -> String {
        if !self.is_grpc
            && let Some(http) = self.http
        {
            return format!("HTTP {http} that is not a gRPC answer");
        }
        let words = excerpt_line(&self.message);
        if words.is_empty() {
            format!("gRPC status {}", self.code)
        } else {
            format!("gRPC status {}: {words}", self.code)
        }
    }

    /// Returns when the same request may be sent again.
    pub(crate) fn retry(&self) -> RetryAdvice {
        let delay = self.asked_delay();
        let may_retry = match self.code {
            _ if !self.is_grpc => self.http.is_some_and(super::response::may_retry),
            1 | 4 | 10 | 11 | 14 | 15 => true,
            8 => delay.is_some(),
            _ => false,
        };
        if may_retry { RetryAdvice::after(delay) } else { RetryAdvice::Never }
    }

    fn asked_delay(&self) -> Option<Duration> {
        let status = WireGrpcStatus::decode(self.details.as_slice()).ok()?;
        let entry =
            status.details.iter().find(|entry| entry.type_url.ends_with("google.rpc.RetryInfo"))?;
        let delay = WireRetryInfo::decode(entry.value.as_slice()).ok()?.retry_delay?;
        let seconds = u64::try_from(delay.seconds).unwrap_or(0);
        Some(Duration::new(seconds, u32::try_from(delay.nanos).unwrap_or(0)))
    }
}

fn of_code(code: i32) -> FailureCode {
    match code {
        7 | 16 => FailureCode::KeyRejected,
        8 => FailureCode::Throttled,
        // A server without the trace service answers with this code.
        12 => FailureCode::NotOtlp,
        3 | 5 | 6 | 9 => FailureCode::RequestRejected,
        4 => FailureCode::Timeout,
        _ => FailureCode::ServerError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: i32) -> GrpcStatus {
        GrpcStatus {
            code,
            message: "no".to_owned(),
            details: Vec::new(),
            http: Some(200),
            is_grpc: true,
        }
    }

    #[test]
    fn resource_exhausted_is_retried_only_with_a_delay() {
        let mut full = status(8);
        assert_eq!(full.retry(), RetryAdvice::Never);
        let info = WireRetryInfo { retry_delay: Some(WireDuration { seconds: 2, nanos: 0 }) };
        let any = WireAny {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        };
        full.details = WireGrpcStatus { details: vec![any] }.encode_to_vec();
        assert_eq!(full.retry(), RetryAdvice::After(Duration::from_secs(2)));
        assert_eq!(status(14).retry(), RetryAdvice::Anytime);
        assert_eq!(status(16).retry(), RetryAdvice::Never);
    }

    #[test]
    fn a_response_without_grpc_is_judged_by_its_http_status() {
        let mut answer = status(2);
        answer.is_grpc = false;
        answer.http = Some(302);
        let ExportMeaning::Refused { code, .. } = answer.meaning() else { panic!("accepted") };
        assert_eq!(code, FailureCode::Redirected);
        answer.http = Some(200);
        assert!(matches!(
            answer.meaning(),
            ExportMeaning::Refused { code: FailureCode::NotOtlp, .. }
        ));
    }

    #[test]
    fn each_status_has_its_code() {
        for (statuses, expected) in [
            (&[7, 16][..], FailureCode::KeyRejected),
            (&[8], FailureCode::Throttled),
            (&[12], FailureCode::NotOtlp),
            (&[3, 5, 6, 9], FailureCode::RequestRejected),
            (&[4], FailureCode::Timeout),
            (&[1, 2, 10, 13, 14], FailureCode::ServerError),
        ] {
            for number in statuses {
                assert_eq!(of_code(*number), expected, "{number}");
            }
        }
    }
}
