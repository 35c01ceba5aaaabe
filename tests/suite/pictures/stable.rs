//! Replaces the parts of a text that differ between runs: times, ids, versions, loopback ports.

use std::borrow::Cow;

use regex_lite::Regex;

const CHANGING: [(&str, &str); 13] = [
    // Said of a program only once it takes long.
    (r"(?m)^asking [^\n]*\.\.\.\n", ""),
    (r"\b[0-9a-f]{32}\b", "[TRACE ID]"),
    (r"\b[0-9a-f]{16}\b", "[SPAN ID]"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "[TIME]"),
    (r"\btook \d+ ms\b", "took [TIME]"),
    (r"(trace_start_ts|trace_end_ts)=\d+", "$1=[TIME]"),
    (r#"("ms":)\d+"#, "$1[MS]"),
    (r"\b(127\.0\.0\.1|localhost|\[::1\]):\d{5}\b", "$1:[PORT]"),
    (r"\bport \d{5}\b", "port [PORT]"),
    (r"/tmp/[.\w-]+", "[TMP]"),
    (r"\bcruddur-ops \d+\.\d+\.\d+\b", "cruddur-ops [VERSION]"),
    // Which keyring answers depends on the machine.
    (r"(?s)(\n  keyring  ).*?(\n  dotenv)", "$1[THIS MACHINE]$2"),
    (r"[ \t]+\n", "\n"),
];

/// Replaces each part that changes by a word.
pub fn without_changing_parts(text: &str) -> String {
    let mut text = Cow::from(text);
    for (pattern, word) in CHANGING {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, word).into_owned().into();
    }
    text.into_owned()
}
