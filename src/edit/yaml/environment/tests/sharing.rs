//! Tests of anchors, aliases, merge keys and `extends`: services that are not edited keep their variables.

use super::*;

#[test]
fn an_alias_becomes_a_merge_and_our_keys() {
    assert_environment_edit(
        "x-e: &e\n  A: 1\nservices:\n  a:\n    environment: *e # c\n  b:\n    environment: *e\n",
        "x-e: &e\n  A: 1\nservices:\n  a:\n    environment: # c\n      <<: *e\n      K: \"v\"\n      E: \"${X}\"\n  b:\n    environment: *e\n",
    );
    assert_environment_edit(
        "x-e: &e {A: 1}\nservices: {a: {environment: *e}}\n",
        "x-e: &e {A: 1}\nservices: {a: {environment: {<<: *e, K: \"v\", E: \"${X}\"}}}\n",
    );
}

#[test]
fn an_alias_of_a_list_becomes_a_copy_and_our_items() {
    assert_environment_edit(
        "x-e: &e\n  - A=1\n  - 'B=2'\n  - K=w\nservices:\n  a:\n    environment: *e\n",
        "x-e: &e\n  - A=1\n  - 'B=2'\n  - K=w\nservices:\n  a:\n    environment:\n      - A=1\n      - 'B=2'\n      - K=v\n      - E=${X}\n",
    );
    assert_environment_edit(
        "x-e: &e [A=1, B]\nservices: {a: {environment: *e}}\n",
        "x-e: &e [A=1, B]\nservices: {a: {environment: [A=1, B, K=v, \"E=${X}\"]}}\n",
    );
}

#[test]
fn a_merge_inside_the_environment_stays() {
    assert_environment_edit(
        "x-e: &e {A: 1, K: w}\nservices:\n  a:\n    environment:\n      <<: *e\n      B: 2\n",
        "x-e: &e {A: 1, K: w}\nservices:\n  a:\n    environment:\n      <<: *e\n      B: 2\n      K: \"v\"\n      E: \"${X}\"\n",
    );
    let right = "x-e: &e {K: v, E: '${X}'}\nservices:\n  a:\n    environment:\n      <<: *e\n";
    assert_environment_edit(right, right);
}

#[test]
fn an_inherited_environment_is_copied_into_one_of_its_own() {
    assert_environment_edit(
        "x-s: &s\n  image: x\n  environment:\n    A: 1\n    B:\n    K: w\nservices:\n  a:\n    <<: *s\n",
        "x-s: &s\n  image: x\n  environment:\n    A: 1\n    B:\n    K: w\nservices:\n  a:\n    <<: *s\n    environment:\n      A: 1\n      B:\n      K: \"v\"\n      E: \"${X}\"\n",
    );
    assert_environment_edit(
        "x-s: &s\n  environment: &e\n    A: 1\nservices:\n  a:\n    <<: *s\n    image: x\n",
        "x-s: &s\n  environment: &e\n    A: 1\nservices:\n  a:\n    <<: *s\n    image: x\n    environment:\n      <<: *e\n      K: \"v\"\n      E: \"${X}\"\n",
    );
    assert_environment_edit(
        "x-s: &s\n  environment:\n    - A=a b\nservices:\n  a:\n    <<: [*s]\n",
        "x-s: &s\n  environment:\n    - A=a b\nservices:\n  a:\n    <<: [*s]\n    environment:\n      - A=a b\n      - K=v\n      - E=${X}\n",
    );
}

#[test]
fn copies_of_merges_and_of_several_lines_are_written_out() {
    assert_environment_edit(
        "x-b: &b {B: 2}\nx-s: &s\n  environment:\n    <<: *b\n    A: |\n      one\n      two\nservices:\n  a:\n    <<: *s\n",
        "x-b: &b {B: 2}\nx-s: &s\n  environment:\n    <<: *b\n    A: |\n      one\n      two\nservices:\n  a:\n    <<: *s\n    environment:\n      <<: *b\n      A: \"one\\ntwo\\n\"\n      K: \"v\"\n      E: \"${X}\"\n",
    );
    let lent = "x-s: &s\n  environment:\n    P: one\n      two\n    N: 1\n    Q: 'three\n      four'\n    B: |-\n      five\nservices:\n  a:\n    <<: *s\n";
    let copied = "    environment:\n      P: one two\n      N: 1\n      Q: \"three four\"\n      B: \"five\"\n      K: \"v\"\n      E: \"${X}\"\n";
    assert_environment_edit(lent, &format!("{lent}{copied}"));
}

#[test]
fn a_redefined_anchor_is_not_confused() {
    assert_environment_edit(
        "x-s: &s\n  environment: &e {A: 1}\nx-e: &e {A: 2}\nservices:\n  a:\n    <<: *s\n",
        "x-s: &s\n  environment: &e {A: 1}\nx-e: &e {A: 2}\nservices:\n  a:\n    <<: *s\n    environment:\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n",
    );
}

#[test]
fn a_service_that_is_an_alias_gets_a_body() {
    assert_environment_edit(
        "services:\n  b: &b\n    image: x\n    environment: {A: 1}\n  a: *b\n",
        "services:\n  b: &b\n    image: x\n    environment: {A: 1}\n  a:\n    <<: *b\n    environment:\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n",
    );
}

#[test]
fn others_who_use_the_alias_keep_what_they_had() {
    assert_environment_edit(
        "services:\n  a:\n    environment: &e\n      A: 1\n  b:\n    environment: *e\n",
        "services:\n  a:\n    environment: &e\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n  b:\n    environment:\n      A: 1\n",
    );
    check_for(
        &["a", "b"],
        "services:\n  a:\n    environment: &e\n      A: 1\n  b:\n    environment: *e\n",
        "services:\n  a:\n    environment: &e\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n  b:\n    environment:\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n",
    );
}

#[test]
fn others_who_merge_the_service_keep_what_they_had() {
    assert_environment_edit(
        "services:\n  a: &a\n    image: x\n    environment: {A: 1}\n  b:\n    <<: *a\n    image: y\n",
        "services:\n  a: &a\n    image: x\n    environment: {A: 1, K: \"v\", E: \"${X}\"}\n  b:\n    <<: *a\n    image: y\n    environment:\n      A: 1\n",
    );
    assert_environment_edit(
        "services:\n  a: &a\n    image: x\n  b: *a\n  c:\n    <<: *a\n    environment: {A: 1}\n",
        "services:\n  a: &a\n    image: x\n    environment:\n      K: \"v\"\n      E: \"${X}\"\n  b:\n    <<: *a\n    environment: {}\n  c:\n    <<: *a\n    environment: {A: 1}\n",
    );
}

#[test]
fn a_shared_value_or_merged_environment_that_would_change_is_refused() {
    expect_environment_refusal(
        "services:\n  a:\n    environment: &e {A: 1}\n  b:\n    environment:\n      <<: *e\n      B: 2\n",
    );
    expect_environment_refusal(
        "x: &x w\nservices:\n  a:\n    environment: {K: &k w}\n  b:\n    environment: {N: *k}\n",
    );
    expect_environment_refusal("services:\n  a: &a\n    image: x\nx-copy: *a\n");
}

#[test]
fn a_service_that_extends_a_wanted_one_must_be_named_too() {
    let text =
        "services:\n  a:\n    image: x\n  b:\n    extends: a\n  c:\n    extends: {service: b}\n";
    let refusal = expect_environment_refusal(text);
    assert_eq!(refusal.line, 5);
    let wanted_sets = build_wanted_sets(&["a", "b", "c"]);
    assert!(set(text, &wanted_sets).is_ok());
    assert!(set(text, &build_wanted_sets(&["c"])).is_ok());
    let elsewhere =
        "services:\n  a:\n    image: x\n  b:\n    extends: {service: a, file: other.yml}\n";
    assert!(set(elsewhere, &build_wanted_sets(&["a"])).is_ok());
}

#[test]
fn tags_of_compose_are_respected() {
    assert_environment_edit(
        "services:\n  a:\n    environment: !override\n      A: 1\n    ports: !reset []\n",
        "services:\n  a:\n    environment: !override\n      A: 1\n      K: \"v\"\n      E: \"${X}\"\n    ports: !reset []\n",
    );
    expect_environment_refusal("services:\n  a:\n    environment: !reset null\n");
    expect_environment_refusal("services:\n  a:\n    environment: !reset {}\n");
}
