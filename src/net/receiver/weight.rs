//! Estimates the memory of a decoded trace request: an empty span takes two bytes on the wire and hundreds in memory,
//! so the length of a request says little.

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::MessageFormat;

/// Returns the approximate memory of a decoded trace request, in bytes; never too low.
pub(super) fn estimate_memory(format: MessageFormat, body: &[u8]) -> usize {
    let entries = match format {
        MessageFormat::Json => scan_json(body),
        MessageFormat::Protobuf => weigh_fields(body, &REQUEST, 0),
    };
    body.len() + entries
}

/// The bytes for one span. A list that grows by doubling needs up to three times its entries while it is copied, and
/// a span exists twice while it is converted.
const SPAN_BYTES: usize = 1500;

/// The decoder's approximate limit for JSON nesting.
const MAX_JSON_DEPTH: usize = 128;

const PAIR_BYTES: usize = 300;

/// Returns the bytes for the entries of all lists in a JSON text. Anything outside a list is part of an entry.
fn scan_json(text: &[u8]) -> usize {
    // The weight of an entry in each open collection; 0 for objects.
    let mut open: Vec<usize> = Vec::new();
    let mut key: &[u8] = b"";
    let (mut bytes, mut at) = (0, 0);
    let mut fresh = false;
    while let Some(byte) = text.get(at) {
        let begins = !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b':');
        if begins && fresh {
            bytes += open.last().copied().unwrap_or(0);
            fresh = false;
        }
        match byte {
            b'"' => {
                let start = at + 1;
                at = start;
                while text.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                key = text.get(start..at).unwrap_or_default();
            }
            // The decoder goes no deeper.
            b'{' | b'[' if open.len() > MAX_JSON_DEPTH => return bytes,
            b'{' => open.push(0),
            b'[' => {
                open.push(match key {
                    b"attributes" | b"values" => PAIR_BYTES,
                    _ => SPAN_BYTES,
                });
                key = b"";
                fresh = true;
            }
            b'}' | b']' => {
                open.pop();
                fresh = false;
            }
            b',' => fresh = true,
            _ => {}
        }
        at += 1;
    }
    bytes
}

/// The fields of a message that are messages themselves: field number, bytes each, nested fields. The numbers are
/// from opentelemetry.proto.trace.v1.
#[derive(Debug)]
struct MessageShape(&'static [(u32, usize, &'static MessageShape)]);

static REQUEST: MessageShape = MessageShape(&[(1, 900, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: MessageShape = MessageShape(&[(1, 0, &PAIRS), (2, 900, &SCOPE_SPANS)]);
static SCOPE_SPANS: MessageShape = MessageShape(&[(1, 0, &SCOPE), (2, SPAN_BYTES, &SPAN)]);
static SCOPE: MessageShape = MessageShape(&[(3, PAIR_BYTES, &PAIR)]);
static SPAN: MessageShape =
    MessageShape(&[(9, PAIR_BYTES, &PAIR), (11, 500, &EVENT), (13, 500, &LINK)]);
static EVENT: MessageShape = MessageShape(&[(3, PAIR_BYTES, &PAIR)]);
static LINK: MessageShape = MessageShape(&[(4, PAIR_BYTES, &PAIR)]);
static PAIRS: MessageShape = MessageShape(&[(1, PAIR_BYTES, &PAIR)]);
static PAIR: MessageShape = MessageShape(&[(2, 0, &VALUE)]);
static VALUE: MessageShape = MessageShape(&[(5, 0, &VALUES), (6, 0, &PAIRS)]);
static VALUES: MessageShape = MessageShape(&[(1, 200, &VALUE)]);

/// The decoder's limit.
const MAX_NESTING: usize = 100;

/// Returns the bytes for the entries below a message. Unreadable parts are left for the decoder to refuse.
fn weigh_fields(mut message: &[u8], shape: &MessageShape, depth: usize) -> usize {
    let mut bytes = 0;
    if depth > MAX_NESTING {
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
        bytes += each + weigh_fields(inner, below, depth + 1);
        message = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes field 1 of field 2 of field 2: `spans` empty spans in one scope of one resource.
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
    fn the_weight_of_empty_spans_covers_their_memory() {
        let body = empty_spans(1000);
        assert!(body.len() < 2100);
        assert!(estimate_memory(MessageFormat::Protobuf, &body) > 1000 * SPAN_BYTES);
    }

    #[test]
    fn json_weighs_by_its_lists_however_their_entries_are_written() {
        for entry in ["[]", "{}", "null", "0", "\"\"", " {\"a\" : {} } "] {
            let list = vec![entry; 1000].join(",");
            for text in [
                format!("{{\"spans\":[{list}]}}"),
                format!("[{list}]"),
                format!("{{\"x\": {{\"spans\" :\n[ {list}\n]}}}}"),
            ] {
                let bytes = estimate_memory(MessageFormat::Json, text.as_bytes());
                assert!(bytes >= 1000 * SPAN_BYTES, "{entry}: {bytes}");
                assert!(bytes < 1010 * (SPAN_BYTES + entry.len() + 20), "{entry}: {bytes}");
            }
        }
        let attributes = vec!["{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}"; 1000].join(",");
        let bytes = estimate_memory(
            MessageFormat::Json,
            format!("{{\"attributes\":[{attributes}]}}").as_bytes(),
        );
        assert!((1000 * PAIR_BYTES..1000 * (PAIR_BYTES + 60)).contains(&bytes), "{bytes}");
        assert_eq!(estimate_memory(MessageFormat::Json, b"{\"a\": \"[[[,,,\\\"[,\"}"), 19);
    }

    #[test]
    fn invalid_messages_weigh_their_length() {
        assert_eq!(estimate_memory(MessageFormat::Protobuf, b"\xff\xff\xff"), 3);
        assert_eq!(estimate_memory(MessageFormat::Protobuf, b""), 0);
    }
}
