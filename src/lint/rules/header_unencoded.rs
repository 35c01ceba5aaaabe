//! `header-unencoded`: a header value with characters that must be percent-encoded.

use super::telemetry;
use crate::compose::find_references;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "header-unencoded",
    severity: Severity::Warning,
    why: "SDKs percent-decode these values: some drop the pair, others send a different value",
    explanation: "Values in OTEL_EXPORTER_OTLP_HEADERS follow the W3C baggage syntax: a space, comma, quote, \
        semicolon, backslash or anything outside ASCII is written as %XX (`Authorization=Basic%20…`), and a `%` of \
        the value itself as %25. Quotes around a value become part of it.",
    failing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: Authorization=Basic ${TOKEN} # <-\n      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-honeycomb-team=\"${HONEYCOMB_API_KEY}\"' # <-\n      OTEL_SERVICE_NAME: api\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  api:\n    environment:\n      OTEL_EXPORTER_OTLP_HEADERS: Authorization=Basic%20${TOKEN:-a b},x=${Y}\n      OTEL_SERVICE_NAME: api\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for scope in inspection.scopes() {
        for setting in
            scope.assignments.iter().filter(|assignment| telemetry::is_headers(assignment.name))
        {
            // Another rule reports quotes around the whole list.
            if super::value_quoted::is_quoted(setting.text()) {
                continue;
            }
            let fault = telemetry::split_header_pairs(setting.text())
                .into_iter()
                .filter_map(|(_, pair)| pair.split_once('='))
                .find_map(|(name, value)| {
                    Some((name.trim().to_owned(), find_unencoded_char(value.trim())?))
                });
            if let Some((name, character)) = fault {
                hits.push(RuleHit::new(
                    setting.file,
                    setting.value_at,
                    format!("the value of {name} holds {}", describe_char(character)),
                    format!(
                        "write it as `%{:02X}`, or remove it if it is not part of the value",
                        u32::from(character)
                    ),
                ));
            }
        }
    }
    hits
}

/// Returns the first character that must be encoded; values of variables are not checked.
fn find_unencoded_char(value: &str) -> Option<char> {
    let mut literal = value.to_owned();
    for reference in find_references(value).into_iter().rev() {
        literal.replace_range(reference.range, "");
    }
    literal.char_indices().find_map(|(at, character)| {
        let encoded = || {
            let digits = literal.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))
        };
        let bad = match character {
            '%' => !encoded(),
            ' ' | '"' | '\'' | ';' | '\\' => true,
            other => !other.is_ascii() || other.is_ascii_control(),
        };
        // Another rule reports curly quotes.
        (bad && !super::curly_quotes::is_curly(character)).then_some(character)
    })
}

fn describe_char(character: char) -> String {
    match character {
        ' ' => "a blank".to_owned(),
        '"' | '\'' => "a quote".to_owned(),
        other => format!("`{other}`"),
    }
}
