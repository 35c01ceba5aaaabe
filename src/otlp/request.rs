//! Encodes export requests.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{OtlpCompression, OtlpProtocol};
use crate::error::{Error, ErrorCode, Result};

/// The body of a POST and the headers that describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestBody {
    /// `Content-Type`, without parameters: Honeycomb refuses `; charset`.
    pub content_type: &'static str,
    /// `Content-Encoding`, if compressed.
    pub content_encoding: Option<&'static str>,
    /// The bytes to send.
    pub bytes: Vec<u8>,
}

impl RequestBody {
    /// Returns the uncompressed bytes; as sent if they cannot be decompressed.
    pub fn readable(&self) -> Cow<'_, [u8]> {
        let mut unpacked = Vec::new();
        let is_unpacked = self.content_encoding == Some("gzip")
            && GzDecoder::new(self.bytes.as_slice()).read_to_end(&mut unpacked).is_ok();
        if is_unpacked { Cow::Owned(unpacked) } else { Cow::Borrowed(&self.bytes) }
    }
}

/// Encodes the request for `protocol` and `compression`, without gRPC framing, which the transport adds.
///
/// # Errors
/// `internal`, when the request cannot be encoded.
pub fn encode(
    request: &ExportTraceServiceRequest,
    protocol: OtlpProtocol,
    compression: OtlpCompression,
) -> Result<RequestBody> {
    let (content_type, bytes) = match protocol {
        OtlpProtocol::HttpJson => {
            ("application/json", serde_json::to_vec(request).map_err(unwritable_request_error)?)
        }
        OtlpProtocol::HttpProtobuf | OtlpProtocol::Grpc => {
            ("application/x-protobuf", request.encode_to_vec())
        }
    };
    Ok(match compression {
        OtlpCompression::None => RequestBody { content_type, content_encoding: None, bytes },
        OtlpCompression::Gzip => RequestBody {
            content_type,
            content_encoding: Some("gzip"),
            bytes: gzip_request_body(&bytes)?,
        },
        OtlpCompression::Deflate => RequestBody {
            content_type,
            content_encoding: Some("deflate"),
            bytes: deflate_request_body(&bytes)?,
        },
    })
}

fn gzip_request_body(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).map_err(unwritable_request_error)?;
    encoder.finish().map_err(unwritable_request_error)
}

fn deflate_request_body(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).map_err(unwritable_request_error)?;
    encoder.finish().map_err(unwritable_request_error)
}

fn unwritable_request_error(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::Internal, "the test trace could not be encoded").cause(cause)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::otlp::TestTrace;

    fn trace() -> TestTrace {
        TestTrace::new("backend", Duration::from_secs(1_700_000_000), [0xABCD_EF01_2345_6789, 2, 4])
    }

    #[test]
    fn json_has_hex_ids_numbers_for_enums_and_strings_for_nanoseconds() {
        let body =
            encode(&trace().request(), OtlpProtocol::HttpJson, OtlpCompression::None).unwrap();
        assert_eq!(body.content_type, "application/json");
        let json: serde_json::Value = serde_json::from_slice(&body.bytes).unwrap();
        let span = &json["resourceSpans"][0]["scopeSpans"][0]["spans"][1];
        assert_eq!(span["traceId"], "abcdef01234567890000000000000002");
        assert_eq!(span["kind"], 2);
        assert_eq!(span["endTimeUnixNano"], "1700000000000000000");
        assert_eq!(span["attributes"][1]["value"]["boolValue"], true);
    }

    #[test]
    fn gzip_unpacks_to_the_same_request() {
        let request = trace().request();
        let body = encode(&request, OtlpProtocol::HttpProtobuf, OtlpCompression::Gzip).unwrap();
        assert_eq!(body.content_encoding, Some("gzip"));
        assert_ne!(body.readable(), body.bytes.as_slice());
        let unpacked = ExportTraceServiceRequest::decode(&*body.readable()).unwrap();
        assert_eq!(unpacked, request);
    }
}
