use super::*;
use crate::edit::yaml::ports::Visibility;

mod properties;

fn build_forward(port: u16, label: &str, opens_browser: bool) -> Forward {
    Forward { port, label: Some(label.to_owned()), opens_browser }
}

/// Returns a frontend port and a backend port.
fn build_wanted_ports() -> Wanted {
    Wanted {
        forwards: vec![build_forward(3000, "web", true), build_forward(4567, "api", false)],
        at_start: None,
    }
}

fn at_start(ports: &[u16]) -> Wanted {
    let opened = ports.iter().map(|port| (*port, Visibility::Public));
    Wanted { forwards: Vec::new(), at_start: Some(opened.collect()) }
}

#[track_caller]
fn assert_devcontainer_edit(wanted: &Wanted, before: &str, after: &str) {
    let edit = set(before, wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    let again = set(after, wanted).map(|edit| edit.text);
    assert_eq!(again.as_deref(), Ok(after), "twice is once");
}

const NEW: &str = "  \"forwardPorts\": [3000, 4567],
  \"portsAttributes\": {
    \"3000\": {
      \"label\": \"web\",
      \"onAutoForward\": \"openBrowser\"
    },
    \"4567\": {
      \"label\": \"api\"
    }
  }";

#[test]
fn a_file_without_ports_gains_them_behind_its_last_member() {
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\n  \"name\": \"x\" // c\n  // \"forwardPorts\": [],\n}",
        &format!("{{\n  \"name\": \"x\", // c\n{NEW}\n  // \"forwardPorts\": [],\n}}"),
    );
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "// top\n{\n  \"name\": \"x\", /* c */ \n}\n",
        &format!("// top\n{{\n  \"name\": \"x\", /* c */ \n{NEW},\n}}\n"),
    );
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\n  \"a\": {}\n  /* c */ , // d\n}\n",
        &format!("{{\n  \"a\": {{}}\n  /* c */ , // d\n{NEW},\n}}\n"),
    );
    assert_devcontainer_edit(&build_wanted_ports(), "{}\n", &format!("{{\n{NEW}\n}}\n"));
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{ // c\n}\n",
        &format!("{{ // c\n{NEW}\n}}\n"),
    );
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\n  \"a\": 1 /* two\nlines */ }",
        &format!("{{\n  \"a\": 1, /* two\nlines */\n{NEW} }}"),
    );
}

#[test]
fn byte_order_mark_tabs_and_line_endings_are_kept() {
    let before = "\u{feff}{\r\n\t\"name\": \"x\"\r\n}\r\n";
    let new = NEW.replace("  ", "\t").replace('\n', "\r\n");
    let after = format!("\u{feff}{{\r\n\t\"name\": \"x\",\r\n{new}\r\n}}\r\n");
    assert_devcontainer_edit(&build_wanted_ports(), before, &after);
}

#[test]
fn a_file_on_one_line_stays_on_one_line() {
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\"name\": \"x\", \"forwardPorts\": [ 3000 ]}",
        "{\"name\": \"x\", \"forwardPorts\": [ 3000, 4567 ], \"portsAttributes\": {\"3000\": {\"label\": \"web\", \"onAutoForward\": \"openBrowser\"}, \"4567\": {\"label\": \"api\"}}}",
    );
}

#[test]
fn forwarded_ports_and_labels_of_the_user_are_kept() {
    let text = "{\n  \"forwardPorts\": [\"localhost:3000\", 4567, \"db:5432\"],\n  \"portsAttributes\": {\n    \"3000-3999\": {\"label\": \"mine\"},\n    \"45\\\\d\\\\d\": {}\n  }\n}\n";
    assert_devcontainer_edit(&build_wanted_ports(), text, text);
    assert_eq!(
        read_devcontainer(text).unwrap(),
        DevcontainerPort {
            forwards: vec![3000, 4567, 5432],
            attributes: vec![
                ("3000-3999".to_owned(), Some("mine".to_owned())),
                ("45\\d\\d".to_owned(), None)
            ],
            at_start: PostStartState::Nothing,
        }
    );
    assert_eq!(read_devcontainer(text).unwrap().label(3001), Some("mine"));
}

#[test]
fn lists_and_entries_are_continued_as_they_are_written() {
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\n\t\"forwardPorts\": [\n\t\t3000 // web\n\t],\n\t\"portsAttributes\": {\n\t\t\"3000\": { \"label\": \"w\" },\n\t},\n}\n",
        "{\n\t\"forwardPorts\": [\n\t\t3000, // web\n\t\t4567\n\t],\n\t\"portsAttributes\": {\n\t\t\"3000\": { \"label\": \"w\" },\n\t\t\"4567\": {\n\t\t\t\"label\": \"api\"\n\t\t},\n\t},\n}\n",
    );
    assert_devcontainer_edit(
        &build_wanted_ports(),
        "{\n  \"forwardPorts\": [ ],\n  \"portsAttributes\": {\n    // none yet\n  }\n}\n",
        &format!("{{\n{}\n    // none yet\n  }}\n}}\n", NEW.strip_suffix("\n  }").unwrap()),
    );
}

#[test]
fn a_command_that_cannot_be_continued_is_refused_with_lines_to_paste() {
    for (text, line) in [
        ("[]\n", 1),
        ("{\n  \"forwardPorts\": 3000\n}\n", 2),
        ("{\n  \"portsAttributes\": []\n}\n", 2),
        ("{\n  \"forwardPorts\": [],\n  \"forwardPorts\": []\n}\n", 3),
    ] {
        let refusal = set(text, &build_wanted_ports()).unwrap_err();
        assert_eq!(refusal.line, line, "{text} {refusal:?}");
        assert_eq!(refusal.paste, format!("{NEW}\n"), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    assert!(set(&deep, &build_wanted_ports()).is_err());
}

#[test]
fn a_syntax_error_is_reported_without_lines_to_paste() {
    for (text, line) in [
        ("", 1),
        ("// only this\n", 1),
        ("{\n  \"a\": 1\n  \"b\": 2\n}\n", 2),
        ("{\n  \"a\": 'x'\n}\n", 2),
        ("{} {}\n", 1),
        ("{\"a\": \"\n", 1),
    ] {
        let refusal = set(text, &build_wanted_ports()).unwrap_err();
        assert_eq!(refusal.line, line, "{text} {refusal:?}");
        assert_eq!(refusal.paste, "", "{text}");
    }
}

const OPEN: &str = "test -z \\\"$CODESPACE_NAME\\\" || gh codespace ports visibility 3000:public -c \\\"$CODESPACE_NAME\\\"";

#[test]
fn the_command_is_alone_or_with_the_users() {
    let wanted = at_start(&[3000]);
    assert_devcontainer_edit(
        &wanted,
        "{\n  \"a\": 1\n}\n",
        &format!("{{\n  \"a\": 1,\n  \"postStartCommand\": \"{OPEN}\"\n}}\n"),
    );
    for theirs in ["\"make dev\"", "[\"make\", // why\n    \"dev\"]"] {
        assert_devcontainer_edit(
            &wanted,
            &format!("{{\n  \"postStartCommand\": {theirs} // c\n}}\n"),
            &format!(
                "{{\n  \"postStartCommand\": {{\n    \"start\": {theirs},\n    \"open-ports\": \"{OPEN}\"\n  }} // c\n}}\n"
            ),
        );
    }
    assert_devcontainer_edit(
        &wanted,
        "{\n  \"postStartCommand\": {\n    \"a\": \"b\"\n  }\n}\n",
        &format!(
            "{{\n  \"postStartCommand\": {{\n    \"a\": \"b\",\n    \"open-ports\": \"{OPEN}\"\n  }}\n}}\n"
        ),
    );
}

#[test]
fn an_outdated_command_is_updated_in_place() {
    let wanted = at_start(&[3000, 4567]);
    let longer = OPEN.replace("3000:public", "3000:public 4567:public");
    for around in [("", ""), ("{\"start\": \"x\", \"mine\": ", "}")] {
        let file = |command: &str| {
            format!("{{\"postStartCommand\": {}\"{command}\"{}}}", around.0, around.1)
        };
        assert_devcontainer_edit(&wanted, &file(OPEN), &file(&longer));
    }
}

#[test]
fn a_user_command_that_opens_ports_is_recognised() {
    for (command, found) in [
        (
            "\"gh codespace ports  visibility 3000:public -c $CODESPACE_NAME\"",
            PostStartState::Theirs,
        ),
        (
            "[\"gh\", \"codespace\", \"ports\", \"visibility\", \"3000:public\"]",
            PostStartState::Theirs,
        ),
        ("{\"a\": [\"make\"]}", PostStartState::Nothing),
        (
            &format!("{{\"x\": \"{OPEN}\"}}"),
            PostStartState::Ours(PortVisibilities::from([(3000, Visibility::Public)])),
        ),
    ] {
        let text = format!("{{\"postStartCommand\": {command}}}");
        assert_eq!(read_devcontainer(&text).unwrap().at_start, found, "{command}");
    }
}

#[test]
fn an_invalid_start_command_is_refused() {
    for value in ["null", "3", "{\"open-ports\": \"make\"}"] {
        let text = format!("{{\"postStartCommand\": {value}}}");
        assert!(set(&text, &at_start(&[3000])).is_err(), "{value}");
    }
}
