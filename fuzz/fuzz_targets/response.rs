//! An answer to an export request: only a 2xx with an OTLP body of its type, or with an empty body, is a success. The
//! server's text is printed as one line, without a key.

#![no_main]

use cruddur_ops::otlp::response::{ExportMeaning, HttpAnswer, read, response_message};
use cruddur_ops::otlp::{
    Check, CheckStatus, ProofMode, ProofReport, ProvenRung, Rung, ServiceVerdict,
};
use cruddur_ops_fuzz::screen::SCREEN;
use libfuzzer_sys::fuzz_target;

const TYPES: [Option<&str>; 5] = [
    Some("application/x-protobuf"),
    Some("application/json; charset=utf-8"),
    Some("text/html"),
    Some(""),
    None,
];

/// Checks the evidence of a rung, as text and as JSON.
fn is_shown(evidence: String) {
    let mut verdict = ServiceVerdict::new("a", "a");
    verdict.prove(ProvenRung::None);
    verdict.check(Check::new(Rung::Accepted, CheckStatus::Fail, evidence));
    let report = ProofReport::new(ProofMode::Trace, vec![verdict]);
    SCREEN.shows(|ui| {
        ui.verdict(&report);
        ui.document(&report).expect("a report is no JSON");
    });
}

fuzz_target!(|data: &[u8]| {
    let [status, kind, body @ ..] = data else {
        return;
    };
    let statuses = [200, 202, 204, 302, 400, 401, 403, 404, 413, 429, 500, 503, 100, 999];
    let answer = HttpAnswer {
        status: statuses[usize::from(*status) % statuses.len()],
        content_type: TYPES[usize::from(*kind) % TYPES.len()].map(str::to_owned),
        location: (kind & 64 != 0).then(|| String::from_utf8_lossy(body).into_owned()),
        body: body.to_vec(),
        oversized: kind & 128 != 0,
    };
    if let Some(words) = response_message(&answer) {
        is_shown(words);
    }
    match read(&answer) {
        ExportMeaning::Accepted { warning } => {
            if let Some(warning) = warning {
                is_shown(warning);
            }
            assert!((200..300).contains(&answer.status));
            assert!(!answer.oversized);
            let kind = answer.content_type.as_deref().unwrap_or_default();
            let is_json = kind.starts_with("application/json");
            assert!(is_json || kind == "application/x-protobuf" || answer.body.is_empty());
            assert!(
                !is_json
                    || answer.body.trim_ascii().is_empty()
                    || answer.body.trim_ascii().starts_with(b"{")
            );
        }
        ExportMeaning::Refused { evidence, .. } => {
            assert!(evidence.len() < 4096 + answer.body.len());
            is_shown(evidence);
        }
    }
});
