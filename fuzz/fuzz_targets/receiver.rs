//! The body of a request to the receiver: it stays within its limits, and every accepted span has ids. The waterfall
//! of the spans and the error for a refused body are printed as our own lines, without a key.

#![no_main]

use std::time::Instant;

use cruddur_ops::net::receiver::{MessageFormat, TelemetrySignal, read, unpacked};
use cruddur_ops::otlp::assembly::{AssemblyRules, TraceAssembly};
use cruddur_ops::otlp::span::{OtlpSpan, attributes_to_json};
use cruddur_ops::ui::{Verbosity, waterfall};
use cruddur_ops_fuzz::screen::SCREEN;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const MAX_BODY_BYTES: usize = 1 << 18;
const MAX_TOTAL_BYTES: usize = 1 << 22;

/// Returns a span as JSON.
fn document(span: &OtlpSpan) -> Value {
    json!({ "name": span.name, "attributes": attributes_to_json(&span.attributes) })
}

fuzz_target!(|data: &[u8]| {
    let [choice, body @ ..] = data else {
        return;
    };
    let signal = [
        TelemetrySignal::Traces,
        TelemetrySignal::Traces,
        TelemetrySignal::Metrics,
        TelemetrySignal::Logs,
    ][usize::from(choice >> 2) % 4];
    let format = match choice & 1 {
        0 => MessageFormat::Protobuf,
        _ => MessageFormat::Json,
    };
    let packed = choice & 2 != 0;
    let body = match packed {
        false => body.to_vec(),
        true => match unpacked(body, MAX_BODY_BYTES) {
            Ok(body) => body,
            Err(_) => return,
        },
    };
    assert!(!packed || body.len() <= MAX_BODY_BYTES);
    let batch = match read(signal, format, &body, MAX_TOTAL_BYTES) {
        Ok(batch) => batch,
        Err(refusal) => {
            SCREEN.shows(|ui| ui.detail(refusal.to_string()));
            return;
        }
    };
    assert!((batch.spans.len() + batch.rejected) * 300 <= MAX_TOTAL_BYTES);
    for span in &batch.spans {
        for id in [span.trace_id.to_string(), span.span_id.to_string()] {
            assert!(id.bytes().any(|byte| byte != b'0'));
        }
        let _ = attributes_to_json(&span.attributes);
        assert!(span.weight() > 0);
        let _ = (span.duration_ns(), span.service(), span.is_error());
    }
    let mut assembly = TraceAssembly::new(AssemblyRules::default());
    assembly.add(batch.spans, Instant::now());
    let spans =
        json!(assembly.traces().flat_map(|trace| &trace.spans).map(document).collect::<Vec<_>>());
    SCREEN.shows(|ui| {
        let pen = ui.result_pen();
        for trace in assembly.traces().take(4) {
            for line in waterfall::draw(trace, &pen, Verbosity::Verbose) {
                ui.result(line);
            }
        }
        ui.document(&spans).expect("a span is no JSON");
    });
});
