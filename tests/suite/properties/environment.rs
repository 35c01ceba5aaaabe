//! The editor of a service's environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use cruddur_ops::edit::yaml::environment::{Wanted, set};
use proptest::prelude::*;
use serde_yaml::Value;

use super::{lost, read};

/// Returns a plan in which each of `services` gets `K: "v"` and `E: "${X}"`.
fn wanted(services: &[String]) -> Vec<Wanted> {
    let set = |service: &String| Wanted {
        service: service.clone(),
        set: vec![("K".into(), "v".into()), ("E".into(), "${X}".into())],
        unset: Vec::new(),
    };
    services.iter().map(set).collect()
}

/// Generates one service: the lines under its name, at column 0, two spaces a level.
fn body() -> impl Strategy<Value = String> {
    let environment = prop_oneof![
        Just(String::new()),
        Just("environment:\n".to_owned()),
        Just("environment: {}\n".to_owned()),
        Just("environment: ~ # none\n".to_owned()),
        Just("environment: []\n".to_owned()),
        Just("environment: *map\n".to_owned()),
        Just("environment: *list\n".to_owned()),
        Just("environment:\n  <<: *map\n  Z: 1\n".to_owned()),
        Just("<<: *service\n".to_owned()),
        Just("<<: [*service]\nuser: x\n".to_owned()),
        prop::collection::vec(entry(), 1..5).prop_map(|lines| block("environment:", &lines, "  ")),
        prop::collection::vec(item(), 1..5).prop_map(|lines| block("environment:", &lines, "  - ")),
        prop::collection::vec(item(), 1..5).prop_map(|lines| block("environment:", &lines, "- ")),
        Just("environment: {A: \"1\", K: w}\n".to_owned()),
        Just("environment: [\n    A=1,\n    \"B=2\", # c\n  ]\n".to_owned()),
        Just("environment: {\n    A: 1\n  }\n".to_owned()),
    ];
    let rest = prop::sample::subsequence(
        vec![
            "image: x # é\n",
            "ports: [\"1:1\"]\n",
            "command: |\n  one\n\n  two\n",
            "labels: >+\n  three\n\n",
            "# comment\n",
            "volumes:\n- a:b\n- c:d\n",
            "\n",
        ],
        0..7,
    );
    (environment, rest, any::<bool>()).prop_map(|(environment, rest, first)| {
        let rest = rest.concat();
        match first {
            true => format!("build: .\n{environment}{rest}"),
            false => format!("build: .\n{rest}{environment}"),
        }
    })
}

fn entry() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "A: 1",
        "B: \"two\" # c",
        "C:",
        "K: w",
        "K: 'v'",
        "E: \"${X}\"",
        "D: |\n    x\n    y",
        "# K: v",
        "E:",
    ])
    .prop_map(str::to_owned)
}

fn item() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["A=1", "\"B=two\" # c", "C", "K=w", "'K=v'", "E=${X}"])
        .prop_map(str::to_owned)
}

fn block(head: &str, members: &[String], lead: &str) -> String {
    let mut seen = std::collections::HashSet::new();
    let mut text = format!("{head}\n");
    for member in members {
        let name: String = member.chars().filter(char::is_ascii_alphabetic).take(1).collect();
        if seen.insert(name) {
            text += &format!("{}{member}\n", if member.starts_with('#') { "  " } else { lead });
        }
    }
    text
}

fn file() -> impl Strategy<Value = (String, Vec<String>)> {
    let services = prop::collection::vec((body(), any::<bool>()), 1..5);
    (services, 0_usize..4, any::<bool>(), any::<bool>()).prop_map(|(services, extra, windows, open)| {
        let mut text = String::from(
            "x-map: &map {A: 1, M: 2}\nx-list: &list\n  - A=1\n  - L\nx-service: &service\n  environment:\n    A: 1\n    S: |\n      s\n  image: x\nservices:\n",
        );
        let mut names = Vec::new();
        for (index, (body, is_wanted)) in services.into_iter().enumerate() {
            let name = format!("s{index}");
            text += &format!("{:>width$}{name}:\n", "", width = 1 + extra);
            for line in body.split_inclusive('\n') {
                let blank = line.trim().is_empty();
                let pad = if blank { 0 } else { (1 + extra) * 2 };
                text += &format!("{:>pad$}{line}", "");
            }
            if is_wanted {
                names.push(name);
            }
        }
        if open {
            text.truncate(text.trim_end().len());
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        (text, names)
    })
}

/// Returns a service's variables; those of a list by their names.
fn variables(service: &Value) -> BTreeMap<String, Value> {
    match service.get("environment") {
        Some(Value::Mapping(map)) => map
            .iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), value.clone()))
            .collect(),
        Some(Value::Sequence(items)) => items
            .iter()
            .map(|item| {
                let item = item.as_str().unwrap();
                let (name, value) = item.split_once('=').unwrap_or((item, ""));
                (name.to_owned(), Value::from(value))
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn without_environment(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(Value::Mapping(services)) = value.get_mut("services") {
        for (_, service) in services.iter_mut() {
            service.as_mapping_mut().unwrap().remove("environment");
        }
    }
    value
}

/// Checks the edited text: only environments may differ between both parsed texts.
fn edited(before: &str, wanted: &[Wanted]) -> Result<(Arc<str>, Value, Value), TestCaseError> {
    let edit = set(before, wanted);
    prop_assert!(edit.is_ok(), "{before}\n{edit:#?}");
    let after = edit.unwrap().text;
    let (old, new) = (read(before), read(&after));
    prop_assert_eq!(without_environment(&old), without_environment(&new));
    Ok((after, old, new))
}

proptest! {
    #[test]
    fn the_edit_means_the_plan_and_keeps_every_other_line((before, names) in file()) {
        let wanted = wanted(&names);
        let (after, old, new) = edited(&before, &wanted)?;
        for (name, service) in old["services"].as_mapping().unwrap() {
            let mut planned = variables(service);
            if wanted.iter().any(|wanted| Some(wanted.service.as_str()) == name.as_str()) {
                planned.insert("K".into(), "v".into());
                planned.insert("E".into(), "${X}".into());
            }
            prop_assert_eq!(planned, variables(&new["services"][name]), "{}\n{}", before, after);
        }
        let lost = lost(&before, &after, &["K", "E=", "E:", "environment"]);
        prop_assert_eq!(lost, None, "lost from\n{}\n{}", before, after);
        prop_assert_eq!(&set(&after, &wanted).unwrap().text, &after);
    }

    #[test]
    fn what_is_taken_away_is_gone_or_empty_and_nothing_else_is(
        (before, names) in file(),
        set_too in any::<bool>(),
        unset in prop::sample::subsequence(vec!["A", "B", "C", "D", "M", "S", "L", "Z"], 1..8),
    ) {
        let mut wanted = wanted(&names);
        for wanted in &mut wanted {
            wanted.unset = unset.iter().map(|name| (*name).to_owned()).collect();
            wanted.set.truncate(if set_too { 2 } else { 0 });
        }
        let (after, old, new) = edited(&before, &wanted)?;
        for (name, service) in old["services"].as_mapping().unwrap() {
            let (mut planned, mut found) = (variables(service), variables(&new["services"][name]));
            if wanted.iter().any(|wanted| Some(wanted.service.as_str()) == name.as_str()) {
                if set_too {
                    planned.insert("K".into(), "v".into());
                    planned.insert("E".into(), "${X}".into());
                }
                for name in &unset {
                    planned.remove(*name);
                    let left = found.remove(*name);
                    prop_assert!(left.is_none_or(|left| left == ""), "{name}\n{before}\n{after}");
                }
            }
            prop_assert_eq!(planned, found, "{}\n{}", before, after);
        }
        let marks = [unset.as_slice(), &["K", "E", "environment", "x", "y"]].concat();
        let lost = lost(&before, &after, &marks);
        prop_assert_eq!(lost, None, "lost from\n{}\n{}", before, after);
        prop_assert_eq!(&set(&after, &wanted).unwrap().text, &after);
    }

    #[test]
    fn broken_bytes_are_edited_right_or_refused(
        (before, names) in file(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[ \\n\\t:#&*{}\\[\\]|>'\"-]{0,2}"), 1..4),
    ) {
        let mut text: Vec<char> = before.chars().collect();
        for (at, junk) in cuts {
            let at = at.index(text.len());
            text.splice(at..(at + 1).min(text.len()), junk.chars());
        }
        let text: String = text.into_iter().collect();
        let mut wanted = wanted(&names);
        for wanted in &mut wanted {
            wanted.unset = vec!["A".into(), "M".into()];
        }
        if let Ok(edit) = set(&text, &wanted) {
            let again = set(&edit.text, &wanted);
            prop_assert_eq!(again.map(|again| again.text), Ok(edit.text));
        }
    }
}
