//! Tests of removed variables: the line is deleted, or an empty value overrides them.

use super::*;

#[track_caller]
fn assert_taken_out(before: &str, after: &str) {
    let wanted =
        [Wanted { service: "a".into(), set: Vec::new(), unset: vec!["H".into(), "I".into()] }];
    let edit = set(before, &wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    assert_eq!(set(after, &wanted).map(|edit| edit.text).as_deref(), Ok(after));
}

/// Removes variables from the lines below the `environment` of service `a`.
#[track_caller]
fn take_lines(before: &str, after: &str) {
    let head = "services:\n  a:\n    environment:\n";
    let tail = "    image: x # c\n";
    assert_taken_out(&format!("{head}{before}{tail}"), &format!("{head}{after}{tail}"));
}

#[test]
fn a_deleted_line_takes_only_its_own_comment() {
    take_lines(
        "      # above\n      H: \"h\" # c\n      # between\n\n      A: 1 # one\n      I:\n",
        "      # above\n      # between\n\n      A: 1 # one\n",
    );
    take_lines("    - A=1\n    - 'H=h' # c\n    -   I\n    # end\n", "    - A=1\n    # end\n");
    take_lines(
        "      A: 1\n      H: |\n        x\n\n        y\n      I: >-\n        z\n      B: 2\n",
        "      A: 1\n      B: 2\n",
    );
    take_lines("      H: one\n        two\n      A: 1\n      H: x\n", "      A: 1\n");
}

#[test]
fn line_endings_marks_and_the_end_of_the_text_stay() {
    assert_taken_out(
        "\u{feff}services:\r\n a:\r\n  environment:\r\n   H: h\r\n   A: 1\n   I: i\r\n  image: x",
        "\u{feff}services:\r\n a:\r\n  environment:\r\n   A: 1\n  image: x",
    );
    assert_taken_out(
        "services:\n  a:\n    environment:\n      A: 1\n      H: h",
        "services:\n  a:\n    environment:\n      A: 1\n",
    );
    assert_taken_out(
        "services:\n  a:\n    environment:\n      A: 1\n      H: |+\n        h\n\n\n  b: {}\n",
        "services:\n  a:\n    environment:\n      A: 1\n  b: {}\n",
    );
}

#[test]
fn flow_collections_shrink_on_their_line() {
    for (before, after) in [
        ("{A: 1, H: h}", "{A: 1}"),
        ("{H: h, A: 1}", "{A: 1}"),
        ("{ H: 'h' , I: , A: 1 }", "{ A: 1 }"),
        ("{A: 1, H: h, I, }", "{A: 1, }"),
        ("{A: 1, H: h, B: 2, I: i}", "{A: 1, B: 2}"),
        ("[H=h, A=1, I]", "[A=1]"),
        ("{\"A\": \"1\", \"H\": \"#\"}", "{\"A\": \"1\"}"),
    ] {
        assert_taken_out(
            &format!("services: {{a: {{environment: {before}}}}}\n"),
            &format!("services: {{a: {{environment: {after}}}}}\n"),
        );
    }
}

#[test]
fn a_multi_line_flow_mapping_loses_whole_lines() {
    for (before, after) in [
        (
            "      A: 1, # one\n      H: h, # two\n      # three\n      B: 2\n",
            "      A: 1, # one\n      # three\n      B: 2\n",
        ),
        ("      A: 1, # one\n      H: h # two\n", "      A: 1, # one\n"),
        ("      A: 1,\n      H: h\n", "      A: 1,\n"),
        ("      \"A\": \"1\",\n      \"H\": \"h\"\n", "      \"A\": \"1\"\n"),
        ("      H: h,\n      I: i,\n      A: 1\n", "      A: 1\n"),
    ] {
        assert_taken_out(
            &format!("services:\n  a:\n    environment: {{\n{before}    }}\n"),
            &format!("services:\n  a:\n    environment: {{\n{after}    }}\n"),
        );
    }
}

#[test]
fn the_last_variable_is_set_to_an_empty_value() {
    take_lines("      H: h # c\n", "      H: \"\" # c\n");
    take_lines("      - H=h\n      - I\n", "      - H=\n      - I=\n");
    assert_taken_out(
        "services: {a: {environment: [H=h]}}\n",
        "services: {a: {environment: [H=]}}\n",
    );
}

#[test]
fn an_inherited_variable_is_overridden_with_an_empty_value() {
    assert_taken_out(
        "x-e: &e {H: h, A: 1}\nservices:\n  a:\n    environment: *e\n  b:\n    environment: *e\n",
        "x-e: &e {H: h, A: 1}\nservices:\n  a:\n    environment:\n      <<: *e\n      H: \"\"\n  b:\n    environment: *e\n",
    );
    assert_taken_out(
        "x-e: &e {H: h}\nservices:\n  a:\n    environment:\n      <<: *e\n      H: mine\n      I: i\n",
        "x-e: &e {H: h}\nservices:\n  a:\n    environment:\n      <<: *e\n      H: \"\"\n",
    );
    assert_taken_out(
        "x-e: &e [H=h, A=1]\nservices:\n  a:\n    environment: *e\n",
        "x-e: &e [H=h, A=1]\nservices:\n  a:\n    environment:\n      - A=1\n",
    );
    assert_taken_out(
        "x-s: &s\n  environment:\n    H: h\n    A: 1\nservices:\n  a:\n    <<: *s\n",
        "x-s: &s\n  environment:\n    H: h\n    A: 1\nservices:\n  a:\n    <<: *s\n    environment:\n      A: 1\n",
    );
}

#[test]
fn other_services_keep_what_they_inherited() {
    assert_taken_out(
        "services:\n  a:\n    environment: &e\n      H: h\n      A: 1\n  b:\n    environment: *e\n",
        "services:\n  a:\n    environment: &e\n      A: 1\n  b:\n    environment:\n      H: h\n      A: 1\n",
    );
    assert_taken_out(
        "services:\n  a: &a\n    image: x\n    environment: {H: h, A: 1}\n  b:\n    <<: *a\n",
        "services:\n  a: &a\n    image: x\n    environment: {A: 1}\n  b:\n    <<: *a\n    environment:\n      H: h\n      A: 1\n",
    );
}

#[test]
fn a_shared_value_is_refused_at_its_line() {
    let wanted = [Wanted {
        service: "a".into(),
        set: vec![("K".into(), "v".into())],
        unset: vec!["H".into()],
    }];
    let text = "services:\n  a:\n    environment:\n      A: 1\n      H: &h x\n  b:\n    environment: {N: *h}\n";
    let refusal = set(text, &wanted).unwrap_err();
    assert!(refusal.paste.contains("      H: \"\"\n"), "{refusal:?}");
    assert!(!refusal.reason.is_empty());
}

#[test]
fn variables_are_set_and_removed_in_one_edit() {
    let wanted = [Wanted {
        service: "a".into(),
        set: vec![("K".into(), "v".into())],
        unset: vec!["H".into()],
    }];
    let text = "services:\n  a:\n    environment:\n      H: h\n      K: w\n";
    let edit = set(text, &wanted).unwrap();
    assert_eq!(&*edit.text, "services:\n  a:\n    environment:\n      K: v\n");
}
