//! A request's body as the receiver takes it: within its bounds whatever it claims, and every span it takes has ids.

#![no_main]

use cruddur_ops::net::receiver::{Format, Signal, read, unpacked};
use cruddur_ops::otlp::span::attributes_to_json;
use libfuzzer_sys::fuzz_target;

const BODY: usize = 1 << 18;
const MOST: usize = 1 << 22;

fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else {
        return;
    };
    let signal = [Signal::Traces, Signal::Traces, Signal::Metrics, Signal::Logs]
        [usize::from(choice >> 2) % 4];
    let format = match choice & 1 {
        0 => Format::Protobuf,
        _ => Format::Json,
    };
    let packed = choice & 2 != 0;
    let body = match packed {
        false => body.to_vec(),
        true => match unpacked(body, BODY) {
            Ok(body) => body,
            Err(_) => return,
        },
    };
    assert!(!packed || body.len() <= BODY);
    let Ok(batch) = read(signal, format, &body, MOST) else {
        return;
    };
    assert!((batch.spans.len() + batch.rejected) * 300 <= MOST);
    for span in &batch.spans {
        for id in [span.trace_id.to_string(), span.span_id.to_string()] {
            assert!(id.bytes().any(|byte| byte != b'0'));
        }
        let _ = attributes_to_json(&span.attributes);
        assert!(span.weight() > 0);
        let _ = (span.duration_ns(), span.service(), span.is_error());
    }
});
