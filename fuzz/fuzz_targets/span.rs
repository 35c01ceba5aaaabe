//! A span around a function: the file is still Python, everything is in order, and a second run changes nothing.

#![no_main]

use cruddur_ops::edit::python::source::PythonSource;
use cruddur_ops::plan::instrument::PythonSourceFile;
use cruddur_ops::plan::instrument::span::{SpanAttributeRequest, SpanRequest, plan};
use libfuzzer_sys::fuzz_target;

fn after(text: &str, request: &SpanRequest) -> Option<String> {
    let file = PythonSourceFile { path: "/p/app.py".into(), text: text.to_owned() };
    let plan = plan(&file, "app.py", request).ok()?;
    let change = plan.changes.into_iter().next();
    Some(
        change
            .and_then(|change| change.after)
            .map_or_else(|| text.to_owned(), |after| after.to_string()),
    )
}

/// Returns every character except white space, which may move or become a line break.
fn ink(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !character.is_whitespace())
}

fuzz_target!(|data: &[u8]| {
    let Ok(before) = std::str::from_utf8(data) else {
        return;
    };
    let Some((_, rest)) = before.split_once("def ") else {
        return;
    };
    let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
    let attribute = SpanAttributeRequest { key: "app.k".to_owned(), expression: "1".to_owned() };
    for attributes in [Vec::new(), vec![attribute]] {
        let request = SpanRequest {
            function: name.unwrap_or_default().to_owned(),
            name: "a span".to_owned(),
            attributes,
        };
        let Some(first) = after(before, &request) else {
            continue;
        };
        assert!(PythonSource::parse(&first).is_ok());
        let mut new = ink(&first);
        for character in ink(before) {
            assert!(new.any(|have| have == character), "{character:?} is lost");
        }
        assert_eq!(after(&first, &request).as_deref(), Some(first.as_str()));
    }
});
