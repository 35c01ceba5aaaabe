//! Property tests over random files: an independent reader finds the planned ports, every other line is unchanged, and
//! a second edit changes nothing.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Parses a text without its comments and trailing commas, independently of the editor.
fn parse_without_comments(text: &str) -> Value {
    let mut out = String::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let length = end.unwrap() + 2;
                out.push_str(&rest[..length]);
                length
            }
            '/' if rest.starts_with("//") => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '/' => rest.find("*/").unwrap() + 2,
            '}' | ']' => {
                let kept = out.trim_end().trim_end_matches(',').len();
                out.truncate(kept);
                out.push(next);
                1
            }
            _ => {
                out.push(next);
                next.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Returns `before` with `wanted` applied, computed independently of the editor.
fn build_expected(mut before: Value, wanted: &Wanted) -> Value {
    let root = before.as_object_mut().unwrap();
    for forward in &wanted.forwards {
        let list =
            root.entry("forwardPorts").or_insert(Value::Array(vec![])).as_array_mut().unwrap();
        let number = forward.port.to_string();
        let there = list.iter().any(|value| match value {
            Value::String(text) => text.rsplit(':').next() == Some(&number),
            value => value.as_u64() == Some(forward.port.into()),
        });
        if !there {
            list.push(Value::from(forward.port));
        }
        let entries = root
            .entry("portsAttributes")
            .or_insert_with(|| serde_json::json!({}))
            .as_object_mut()
            .unwrap();
        let covers = |key: &String| {
            *key == number || (key == "3000-4999" && (3000..5000).contains(&forward.port))
        };
        if !entries.keys().any(covers) {
            let mut entry = serde_json::json!({"label": forward.label});
            if forward.opens_browser {
                entry["onAutoForward"] = "openBrowser".into();
            }
            entries.insert(number, entry);
        }
    }
    if let Some(opened) = &wanted.at_start {
        let command = Value::from(render_start_command(opened));
        let value = root.get("postStartCommand").cloned();
        let after = match value {
            None => command,
            Some(Value::Object(mut members)) => {
                members.insert("open-ports".to_owned(), command);
                Value::Object(members)
            }
            Some(theirs) => serde_json::json!({"start": theirs, "open-ports": command}),
        };
        root.insert("postStartCommand".to_owned(), after);
    }
    before
}

/// Returns whether `after` contains every byte of `before`, in the same order.
fn keeps_bytes(before: &str, after: &str) -> bool {
    let mut new = after.bytes();
    before.bytes().all(|byte| new.any(|other| other == byte))
}

fn any_gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        " ",
        " // é, \"x\": {",
        " /* , */",
        "\n// own line",
        " /* a\n b */",
    ])
}

fn any_comma() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![",", ",", " ,", " /* c */,"])
}

fn any_member() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "\"name\": \"a // b, \\\" c\"",
        "\"n\": [1, 2 , ]",
        "\"features\": {\"x\": {},}",
        "\"mounts\": [\n    \"a\", // c\n    \"b\"\n  ]",
        "\"é\\u00e9\": null",
        "\"v\": -1.5e3",
        "\"forwardPorts\": []",
        "\"forwardPorts\": [3000]",
        "\"forwardPorts\": [\n    \"db:3000\", // c\n  ]",
        "\"portsAttributes\": {}",
        "\"portsAttributes\": {\n    // c\n  }",
        "\"portsAttributes\": {\"3000\": {\"label\": \"mine\"}}",
        "\"portsAttributes\": {\n    \"3000-4999\": {},\n  }",
        "\"postStartCommand\": \"make\"",
        "\"postStartCommand\": [\"make\", \"x\"]",
        "\"postStartCommand\": {\"a\": \"b\"}",
    ])
}

fn any_devcontainer_file() -> impl Strategy<Value = String> {
    let members = prop::collection::vec((any_member(), any_gap(), any_comma(), any_gap()), 0..7);
    let ends = prop::sample::select(vec!["}", "}\n", "\n}\n// end", "\n}\n\n"]);
    (members, any::<bool>(), any::<bool>(), any::<bool>(), ends).prop_map(
        |(members, lines, trailing, windows, end)| {
            let mut text = String::from("{");
            let mut seen: Vec<&str> = Vec::new();
            let mut kept = Vec::new();
            for (member, before, comma, after) in members {
                let key = member.split(':').next().unwrap();
                if !seen.contains(&key) {
                    seen.push(key);
                    kept.push((member, before, comma, after));
                }
            }
            let count = kept.len();
            for (index, (member, before, comma, after)) in kept.into_iter().enumerate() {
                let comma = if index + 1 < count || trailing { comma } else { "" };
                let start = if lines || before.contains("//") || after.contains("//") {
                    "\n  "
                } else {
                    " "
                };
                let safe = |gap: &'static str| {
                    if gap.contains("//") { format!("{gap}\n") } else { gap.to_owned() }
                };
                text.push_str(&format!("{start}{member}{}{comma}{}", safe(before), safe(after)));
            }
            text.push_str(end);
            if windows { text.replace('\n', "\r\n") } else { text }
        },
    )
}

fn any_wanted_ports() -> impl Strategy<Value = Wanted> {
    let ports = prop::sample::subsequence(vec![3000, 4567, 5432], 0..=3);
    (ports, any::<bool>()).prop_map(|(ports, start)| Wanted {
        forwards: ports.iter().map(|port| build_forward(*port, "a \"b\"", *port == 3000)).collect(),
        at_start: (start && !ports.is_empty())
            .then(|| ports.iter().map(|port| (*port, Visibility::Public)).collect()),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_edit_means_the_plan_and_keeps_the_rest(text in any_devcontainer_file(), wanted in any_wanted_ports()) {
        let edit = set(&text, &wanted).unwrap();
        prop_assert_eq!(parse_without_comments(&edit.text), build_expected(parse_without_comments(&text), &wanted), "{}", edit.text);
        prop_assert!(keeps_bytes(&text, &edit.text), "{}
{}", text, edit.text);
        prop_assert_eq!(set(&edit.text, &wanted).unwrap().text, edit.text);
    }

    #[test]
    fn nothing_wanted_changes_nothing(text in any_devcontainer_file()) {
        prop_assert_eq!(&*set(&text, &Wanted::default()).unwrap().text, text);
    }

    #[test]
    fn any_text_is_edited_or_refused(text in "[\\[\\]{}\",:/* \n0a\\\\]{0,40}") {
        let _ = set(&text, &build_wanted_ports());
    }
}
