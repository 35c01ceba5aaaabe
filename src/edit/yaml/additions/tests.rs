use super::*;

fn entry_addition(path: &[&str], key: &str, body: &str) -> Addition {
    Addition::Entry {
        path: path.iter().map(|key| (*key).to_owned()).collect(),
        key: key.to_owned(),
        body: body.to_owned(),
    }
}

fn host_addition() -> Addition {
    Addition::Item {
        path: ["services", "a", "extra_hosts"].map(str::to_owned).into(),
        item: "h:gateway".into(),
        entry: ("h".into(), "gateway".into()),
    }
}

#[track_caller]
fn assert_additions(before: &str, additions: &[Addition], after: &str) {
    let edit = add(before, additions).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    assert_eq!(add(after, additions).map(|edit| edit.text).as_deref(), Ok(after));
}

const BODY: &str = "image: x # c\ncommand: |\n  one\n\nports:\n  - \"1:1\"\n";

#[test]
fn a_service_is_added_after_the_last_one_at_its_indentation() {
    let service = [entry_addition(&["services"], "n", BODY)];
    assert_additions(
        "services:\n    a:\n        image: y\n# end\nvolumes: {}\n",
        &service,
        "services:\n    a:\n        image: y\n    n:\n        image: x # c\n        command: |\n          one\n\n        ports:\n          - \"1:1\"\n# end\nvolumes: {}\n",
    );
    assert_additions(
        "services:\r\n  a: {}\r\n\r\n  b: {}",
        &service[..],
        "services:\r\n  a: {}\r\n\r\n  b: {}\r\n\r\n  n:\r\n    image: x # c\r\n    command: |\r\n      one\r\n\r\n    ports:\r\n      - \"1:1\"",
    );
}

#[test]
fn keys_that_are_missing_or_empty_are_filled() {
    let volume = [entry_addition(&["volumes"], "v", ""), entry_addition(&["volumes"], "w", "")];
    assert_additions("a: 1\n", &volume, "a: 1\nvolumes:\n  v:\n  w:\n");
    assert_additions("volumes: # c\na: 1\n", &volume, "volumes: # c\n  v:\n  w:\na: 1\n");
    assert_additions("volumes: {}\n", &volume, "volumes:\n  v:\n  w:\n");
    assert_additions("", &volume, "volumes:\n  v:\n  w:\n");
    assert_additions("a: 1\n", &[entry_addition(&[], "b", "[1, 2]")], "a: 1\nb: [1, 2]\n");
    assert_additions(
        "a: 1\n",
        &[entry_addition(&["b", "c"], "d", "e: 1\n")],
        "a: 1\nb:\n  c:\n    d:\n      e: 1\n",
    );
}

#[test]
fn what_is_there_stays_if_it_means_the_same() {
    let service = [entry_addition(&["services"], "n", "image: x\nports: [\"1:1\"]\n")];
    let text = "services:\n  n: {ports: ['1:1'], image: \"x\"}\n";
    let refusal = add(text, &service).unwrap_err();
    assert_eq!((refusal.line, refusal.column), (2, 3));
    assert_eq!(refusal.paste, "services:\n  n:\n    image: x\n    ports: [\"1:1\"]\n");
    assert_additions(
        "services:\n  n: {ports: ['1:1'], image: x}\n",
        &service,
        "services:\n  n: {ports: ['1:1'], image: x}\n",
    );
}

#[test]
fn an_item_is_added_to_a_list_a_mapping_or_nothing() {
    for (before, after) in [
        ("    image: x\n", "    image: x\n    extra_hosts:\n      - h:gateway\n"),
        ("    extra_hosts:\n    - b:c\n", "    extra_hosts:\n    - b:c\n    - h:gateway\n"),
        ("    extra_hosts: [b:c]\n", "    extra_hosts: [b:c, h:gateway]\n"),
        ("    extra_hosts:\n      b: c\n", "    extra_hosts:\n      b: c\n      h: gateway\n"),
        ("    extra_hosts: {b: c}\n", "    extra_hosts: {b: c, h: gateway}\n"),
        ("    extra_hosts:\n", "    extra_hosts:\n      - h:gateway\n"),
        ("    extra_hosts: ['h:gateway']\n", "    extra_hosts: ['h:gateway']\n"),
    ] {
        assert_additions(
            &format!("services:\n  a:\n{before}"),
            &[host_addition()],
            &format!("services:\n  a:\n{after}"),
        );
    }
}

#[test]
fn an_edit_that_affects_others_is_refused() {
    for text in [
        "services:\n  a: &a\n    image: x\n  b: *a\n",
        "x: &x [b:c]\nservices:\n  a:\n    extra_hosts: *x\n",
        "x: &x {extra_hosts: [b:c]}\nservices:\n  a:\n    <<: *x\n",
        "services:\n  b: {}\n",
        "services:\n  a:\n    extra_hosts: x\n",
        "a: [\n",
        "a: 1\n---\nb: 1\n",
        "[]\n",
    ] {
        let refusal = add(text, &[host_addition()]).unwrap_err();
        assert!(
            refusal.paste.ends_with("    extra_hosts:\n      - h:gateway\n"),
            "{text}\n{refusal:?}"
        );
    }
}

#[test]
fn a_mapping_in_brackets_takes_an_entry_in_brackets() {
    assert_additions(
        "services: {a: {}}\n",
        &[entry_addition(&["services"], "n", BODY)],
        "services: {a: {}, n: {image: x, command: \"one\\n\", ports: [\"1:1\"]}}\n",
    );
}
