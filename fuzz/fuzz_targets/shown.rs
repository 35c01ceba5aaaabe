//! Any text, with a secret in any form: every kind of output consists of our lines and contains no secret.

#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cruddur_ops::error::{Error, ErrorCode, FilePosition};
use cruddur_ops::otlp::assembly::Trace;
use cruddur_ops::otlp::span::{
    AttributeValue, BatchSource, OtlpSpan, ReceivedSpanKind, SpanEvent, SpanId, SpanStatus, TraceId,
};
use cruddur_ops::otlp::{Check, ProofMode, ProofReport, ProvenRung, Rung, ServiceVerdict};
use cruddur_ops::plan::diff::{DiffLine, DiffLineKind};
use cruddur_ops::ui::table::Table;
use cruddur_ops::ui::{PaintedLine, TextRole, Ui, Verbosity, waterfall};
use cruddur_ops_fuzz::screen::{KEY, Screen};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

/// A key, a password with characters that are escaped in some format, one with a space at which a line may break, and
/// one with tabs.
const SECRETS: [&str; 4] =
    [KEY, "p\"a\\ss \u{e9}/word+1%41", "first-half second-half", "tab\tbed\r\npassword"];

static SCREEN: LazyLock<Screen> = LazyLock::new(|| Screen::without(&SECRETS).nor_piece_of(KEY));

/// Returns a secret in one of its forms; `choice` selects the form, `at` a position in it or the number of bytes
/// before it.
fn written(secret: &str, choice: u8, at: usize) -> String {
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let boundary =
        |from: usize| (from..).find(|at| secret.is_char_boundary(*at)).unwrap_or_default();
    let (begin, end) = secret.split_at(boundary(1 + at % (secret.len() - 1)));
    // What is left of a secret is looked for from eight bytes on.
    let cut = boundary(8 + at % (secret.len() - 8));
    let rest = boundary(secret.len() - cut);
    let behind = |text: &str| format!("{}{text}{}", &"us:"[..at % 3], &":x"[..at / 3 % 3]);
    match choice % 20 {
        0 => secret.to_owned(),
        1 => secret.to_ascii_lowercase(),
        2 => secret.to_ascii_uppercase(),
        3 => percent(secret),
        4 => percent(&percent(secret)),
        5 => percent(begin) + end,
        6 => begin.to_owned() + &percent(end),
        7 => json(secret),
        8 => json(&json(secret)),
        9 => secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
        10 => STANDARD.encode(behind(secret)),
        11 => URL_SAFE_NO_PAD.encode(behind(secret)),
        12 => percent(&STANDARD.encode(behind(secret))),
        13 => secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        14 => secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
        15 => format!("{begin}\u{200b}\u{202e}\u{e0041}{end}"),
        16 => format!("{begin}\u{1b}[1;31m{end}"),
        17 => format!("{}\u{2026}", &secret[..cut]),
        18 => format!("...{}", &secret[rest..]),
        _ => json(&percent(secret)).replace('%', "%25"),
    }
}

fn trace(text: &str) -> Option<Trace> {
    let id = TraceId::from_bytes(&[1; 16])?;
    let attributes = vec![(text.to_owned(), AttributeValue::Text(text.to_owned()))];
    let span = |number: u8, parent: u8| {
        Some(OtlpSpan {
            trace_id: id,
            span_id: SpanId::from_bytes(&[number; 8])?,
            parent_id: SpanId::from_bytes(&[parent; 8]),
            name: text.to_owned(),
            kind: ReceivedSpanKind::Server,
            source: Arc::new(BatchSource {
                service: format!("{number}{text}").into(),
                resource: Arc::new([]),
                scope: text.to_owned(),
                scope_version: String::new(),
            }),
            start_ns: 1,
            end_ns: 2,
            status: SpanStatus::Error(text.to_owned()),
            attributes: attributes.clone(),
            events: vec![SpanEvent {
                at_ns: 1,
                name: text.to_owned(),
                attributes: attributes.clone(),
            }],
            copies: 1,
        })
    };
    Some(Trace { id, spans: vec![span(1, 0)?, span(2, 1)?] })
}

/// Prints a text in every way there is.
fn show(ui: &mut Ui, text: &str, at: usize) {
    let at = (at.min(text.len())..).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (one, other) = text.split_at(at);
    ui.result(text);
    ui.result(TextRole::Error.paint(text));
    ui.result(PaintedLine::link(text));
    ui.result(TextRole::Good.paint(one) + other);
    ui.result_after(TextRole::Strong.paint("ours:") + " ", text, 4);
    ui.say(text);
    ui.detail(text);
    ui.warn(text, Some(text));
    ui.usage(text);
    let place = FilePosition { path: text.into(), line: 1, column: at, text: text.to_owned() };
    ui.error(&Error::new(ErrorCode::Internal, text).cause(text).hint(text).paste(text).at(place));
    let sorts = [
        DiffLineKind::File,
        DiffLineKind::Hunk,
        DiffLineKind::Context,
        DiffLineKind::Removed,
        DiffLineKind::Added,
    ];
    let lines = text.split('\n').zip(sorts.into_iter().cycle());
    let lines: Vec<DiffLine> =
        lines.map(|(text, kind)| DiffLine { kind, text: format!("+{text}") }).collect();
    ui.diff(&lines);
    let mut check = Check::new(Rung::Accepted, cruddur_ops::otlp::CheckStatus::Fail, text);
    check.hint = Some(text.to_owned());
    let mut verdict = ServiceVerdict::new(text, text);
    verdict.endpoint = Some(text.to_owned());
    verdict.link = Some(text.to_owned());
    verdict.prove(ProvenRung::None);
    verdict.check(check);
    ui.verdict(&ProofReport::new(ProofMode::Trace, vec![verdict]));
    let row = (vec![text.to_owned(), "a".to_owned()], vec![text.to_owned()]);
    let table = Table {
        names: vec!["name".to_owned(), text.to_owned()],
        figures: vec!["n"],
        rows: vec![row],
    };
    let pen = ui.result_pen();
    let drawn = trace(text).map(|trace| waterfall::draw(&trace, &pen, Verbosity::Verbose));
    for line in table.draw(&pen).into_iter().chain(drawn.into_iter().flatten()) {
        ui.result(line);
    }
    ui.document(&json!({ text: [text, {"a": text}] })).expect("a text is no JSON");
}

fuzz_target!(|data: &[u8]| {
    let [secret, choice, at, rest @ ..] = data else {
        return;
    };
    let at = usize::from(*at);
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    // A fuzzer that sees what is compared makes up pieces itself; nothing says of those that they were cut.
    if SCREEN.holds_piece(text) {
        return;
    }
    let planted = written(SECRETS[usize::from(*secret) % SECRETS.len()], *choice, at);
    // It stands where a zero is, else at the end of a text of its own.
    let text = match text.split_once('\0') {
        Some((before, after)) => format!("{before}{planted}{after}"),
        None => format!("{text} {planted}"),
    };
    let redactor = &SCREEN.redactor;
    let shown = redactor.show(&text);
    SCREEN.allows(shown.as_str());
    SCREEN.allows(&redactor.show_line(&text).as_str().replace('\t', " "));
    SCREEN.allows(redactor.show(shown.as_str()).as_str());
    SCREEN.shows(|ui| show(ui, &text, at));
});
