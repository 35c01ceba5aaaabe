//! Decompresses the body of an HTTP response.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::failure::RequestFailure;
use crate::otlp::FailureCode;
use crate::otlp::response::{HttpAnswer, LIMIT};

/// Decompresses the body of `answer`, and keeps at most [`LIMIT`] bytes.
///
/// # Errors
/// `response-broken` for an unknown encoding, and for bytes that do not decode.
pub(super) fn unpack(
    answer: &mut HttpAnswer,
    encodings: Option<&str>,
) -> Result<(), RequestFailure> {
    // The encodings are listed in the order they were applied, so they are undone from the last.
    let encodings = encodings.unwrap_or_default().rsplit(',').map(str::trim);
    for encoding in encodings.filter(|encoding| !encoding.is_empty()) {
        if answer.body.is_empty() {
            return Ok(());
        }
        let packed = answer.body.as_slice();
        let unpacked = match encoding.to_ascii_lowercase().as_str() {
            "identity" => continue,
            "gzip" | "x-gzip" => read_bounded(MultiGzDecoder::new(packed)),
            // The specification means zlib; some servers send raw deflate.
            "deflate" => read_bounded(ZlibDecoder::new(packed))
                .or_else(|_| read_bounded(DeflateDecoder::new(packed))),
            other => {
                let text = format!("the answer is encoded as {other}, which was not requested");
                return Err(RequestFailure::after(FailureCode::ResponseBroken, text));
            }
        };
        let body = unpacked.map_err(|error| {
            let text = format!("the answer is not valid {encoding}: {error}");
            RequestFailure::after(FailureCode::ResponseBroken, text)
        })?;
        answer.oversized |= body.len() > LIMIT;
        answer.body = body;
        answer.body.truncate(LIMIT);
    }
    Ok(())
}

/// Reads up to one byte beyond the limit, which shows that the data is longer.
fn read_bounded(packed: impl Read) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    packed.take(LIMIT as u64 + 1).read_to_end(&mut body)?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn answer(body: Vec<u8>) -> HttpAnswer {
        HttpAnswer { status: 200, content_type: None, location: None, body, oversized: false }
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_and_both_kinds_of_deflate_are_unpacked() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}").unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"{}").unwrap();
        for (encoding, packed) in [
            ("gzip", gzip(b"{}")),
            ("X-GZIP", gzip(b"{}")),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("identity", b"{}".to_vec()),
            ("gzip, gzip", gzip(&gzip(b"{}"))),
        ] {
            let mut answer = answer(packed);
            unpack(&mut answer, Some(encoding)).unwrap();
            assert_eq!(answer.body, b"{}", "{encoding}");
        }
        let mut plain = answer(b"{}".to_vec());
        unpack(&mut plain, None).unwrap();
        assert_eq!(plain.body, b"{}");
        unpack(&mut answer(Vec::new()), Some("gzip")).unwrap();
    }

    #[test]
    fn wrong_encodings_are_errors_and_a_bomb_is_cut_off() {
        for (encoding, body) in [("gzip", &b"{}"[..]), ("br", b"{}"), ("deflate", b"\xff\xff\xff")]
        {
            let failure = unpack(&mut answer(body.to_vec()), Some(encoding)).unwrap_err();
            assert_eq!(failure.code, FailureCode::ResponseBroken, "{encoding}");
        }
        let mut bomb = answer(gzip(&vec![0; LIMIT * 3]));
        unpack(&mut bomb, Some("gzip")).unwrap();
        assert!(bomb.oversized && bomb.body.len() == LIMIT);
    }
}
