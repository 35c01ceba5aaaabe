//! What a trace request takes in memory once it is decoded: an empty span is two bytes on the wire and hundreds in
//! memory, so the length of a request says little.

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::Format;

/// Bytes that a trace request takes once decoded, about; more than is true rather than less.
pub(super) fn decoded(format: Format, body: &[u8]) -> usize {
    let entries = match format {
        // Every entry of a list stands in braces; the largest kind is a span.
        Format::Json => body.iter().filter(|byte| **byte == b'{').count() * SPAN_BYTES,
        Format::Protobuf => walk(body, &REQUEST, 0),
    };
    body.len() + entries
}

const SPAN_BYTES: usize = 350;
const PAIR_BYTES: usize = 90;

/// Which fields of a message are messages of their own: field number, bytes each, what is below it. The numbers are
/// those of opentelemetry.proto.trace.v1.
#[derive(Debug)]
struct Shape(&'static [(u32, usize, &'static Shape)]);

static REQUEST: Shape = Shape(&[(1, 200, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Shape = Shape(&[(1, 0, &PAIRS), (2, 200, &SCOPE_SPANS)]);
static SCOPE_SPANS: Shape = Shape(&[(1, 0, &SCOPE), (2, SPAN_BYTES, &SPAN)]);
static SCOPE: Shape = Shape(&[(3, PAIR_BYTES, &PAIR)]);
static SPAN: Shape = Shape(&[(9, PAIR_BYTES, &PAIR), (11, 120, &EVENT), (13, 150, &LINK)]);
static EVENT: Shape = Shape(&[(3, PAIR_BYTES, &PAIR)]);
static LINK: Shape = Shape(&[(4, PAIR_BYTES, &PAIR)]);
static PAIRS: Shape = Shape(&[(1, PAIR_BYTES, &PAIR)]);
static PAIR: Shape = Shape(&[(2, 0, &VALUE)]);
static VALUE: Shape = Shape(&[(5, 0, &VALUES), (6, 0, &PAIRS)]);
static VALUES: Shape = Shape(&[(1, 50, &VALUE)]);

/// The decoder's own limit.
const DEEPEST: usize = 100;

/// Bytes of the entries below a message. What cannot be read is left to the decoder to refuse.
fn walk(mut message: &[u8], shape: &Shape, depth: usize) -> usize {
    let mut bytes = 0;
    if depth > DEEPEST {
        return bytes;
    }
    while message.has_remaining() {
        let Ok((field, wire)) = decode_key(&mut message) else {
            return bytes;
        };
        let known = shape.0.iter().find(|(number, ..)| *number == field);
        let (WireType::LengthDelimited, Some((_, each, below))) = (wire, known) else {
            if skip_field(wire, field, &mut message, DecodeContext::default()).is_err() {
                return bytes;
            }
            continue;
        };
        let Some((inner, rest)) = decode_varint(&mut message)
            .ok()
            .and_then(|length| message.split_at_checked(usize::try_from(length).ok()?))
        else {
            return bytes;
        };
        bytes += each + walk(inner, below, depth + 1);
        message = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field 1 of field 2 of field 2: `spans` empty spans in one scope of one resource.
    fn empty_spans(spans: usize) -> Vec<u8> {
        let wrap = |tag: u8, inner: Vec<u8>| {
            let mut out = vec![tag];
            prost::encoding::encode_varint(inner.len() as u64, &mut out);
            out.extend(inner);
            out
        };
        wrap(0x0a, wrap(0x12, [0x12, 0x00].repeat(spans)))
    }

    #[test]
    fn empty_spans_weigh_what_they_take() {
        let body = empty_spans(1000);
        assert!(body.len() < 2100);
        assert!(decoded(Format::Protobuf, &body) > 1000 * SPAN_BYTES);
    }

    #[test]
    fn bytes_that_are_no_message_weigh_themselves() {
        assert_eq!(decoded(Format::Protobuf, b"\xff\xff\xff"), 3);
        assert_eq!(decoded(Format::Protobuf, b""), 0);
    }
}
