//! Tests of line endings, indentation and the end of a text.

use super::*;

#[test]
fn new_lines_end_as_their_neighbour_does() {
    assert_environment_edit(
        "services:\r\n  a:\r\n    environment:\r\n      A: 1\r\n    image: x\n",
        "services:\r\n  a:\r\n    environment:\r\n      A: 1\r\n      K: \"v\"\r\n      E: \"${X}\"\r\n    image: x\n",
    );
    assert_environment_edit(
        "services:\n  a:\r\n    environment:\r\n      A: 1",
        "services:\n  a:\r\n    environment:\r\n      A: 1\r\n      K: \"v\"\r\n      E: \"${X}\"",
    );
}

#[test]
fn a_byte_order_mark_is_kept_and_not_counted_as_a_column() {
    assert_environment_edit(
        "\u{feff}services:\n a:\n  image: x\n",
        "\u{feff}services:\n a:\n  image: x\n  environment:\n   K: \"v\"\n   E: \"${X}\"\n",
    );
    assert_environment_edit(
        "\u{feff}{services: {a: {}}}",
        "\u{feff}{services: {a: {environment: {K: \"v\", E: \"${X}\"}}}}",
    );
}

#[test]
fn each_file_keeps_its_own_step() {
    for step in [1, 2, 3, 4, 8] {
        let pad = |level: usize| " ".repeat(step * level);
        let service = format!("services:\n{}a:\n{}image: x\n", pad(1), pad(2));
        assert_environment_edit(
            &service,
            &format!(
                "{service}{}environment:\n{}K: \"v\"\n{}E: \"${{X}}\"\n",
                pad(2),
                pad(3),
                pad(3)
            ),
        );
    }
}

#[test]
fn a_missing_final_line_break_stays_missing() {
    assert_environment_edit(
        "services:\n  a:\n    image: x",
        "services:\n  a:\n    image: x\n    environment:\n      K: \"v\"\n      E: \"${X}\"",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment:",
        "services:\n  a:\n    environment:\n      K: \"v\"\n      E: \"${X}\"",
    );
    assert_environment_edit(
        "services:\n  a:\n    image: x\n  # end",
        "services:\n  a:\n    image: x\n    environment:\n      K: \"v\"\n      E: \"${X}\"\n  # end",
    );
}

#[test]
fn a_block_scalar_that_ends_the_text_gains_no_line_break() {
    assert_environment_edit(
        "services:\n  a:\n    image: x\n    command: |\n      y",
        "services:\n  a:\n    image: x\n    environment:\n      K: \"v\"\n      E: \"${X}\"\n    command: |\n      y",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      - A=1\n      - |\n        B=1",
        "services:\n  a:\n    environment:\n      - A=1\n      - K=v\n      - E=${X}\n      - |\n        B=1",
    );
}

#[test]
fn block_scalars_keep_their_lines_and_comments_after_them_stay_last() {
    assert_environment_edit(
        "services:\n  a:\n    command: |\n      y\n\n    # c\n  b: {}\n",
        "services:\n  a:\n    command: |\n      y\n    environment:\n      K: \"v\"\n      E: \"${X}\"\n\n    # c\n  b: {}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    command: |+\n      y\n\n  b: {}\n",
        "services:\n  a:\n    command: |+\n      y\n\n    environment:\n      K: \"v\"\n      E: \"${X}\"\n  b: {}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    command: >-\n      y\n        \n  b: {}\n",
        "services:\n  a:\n    command: >-\n      y\n        \n    environment:\n      K: \"v\"\n      E: \"${X}\"\n  b: {}\n",
    );
}

#[test]
fn blank_lines_and_trailing_spaces_stay() {
    assert_environment_edit(
        "services:   \n  a:  \n    environment: \n      A: 1  \n   \n\n  b: {}  \n  \n",
        "services:   \n  a:  \n    environment: \n      A: 1  \n      K: \"v\"\n      E: \"${X}\"\n   \n\n  b: {}  \n  \n",
    );
}

#[test]
fn a_multi_line_flow_mapping_gains_separate_lines() {
    assert_environment_edit(
        "services:\n  a:\n    environment: {\n      A: 1,\n      B: 2\n    }\n",
        "services:\n  a:\n    environment: {\n      K: \"v\",\n      E: \"${X}\",\n      A: 1,\n      B: 2\n    }\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: [\n      A=1, # one\n      # end\n    ]\n",
        "services:\n  a:\n    environment: [\n      A=1, # one\n      \"K=v\",\n      \"E=${X}\",\n      # end\n    ]\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: {\n      A: 1\n    , }\n",
        "services:\n  a:\n    environment: {\n      K: \"v\",\n      E: \"${X}\",\n      A: 1\n    , }\n",
    );
    assert_environment_edit(
        "services:\n  a: {image: x,\n      command: y}\n",
        "services:\n  a: {environment: {K: \"v\", E: \"${X}\"}, image: x,\n      command: y}\n",
    );
}

#[test]
fn a_file_written_as_json_stays_json() {
    assert_environment_edit(
        "{\"services\": {\"a\": {\"image\": \"x\"}}}",
        "{\"services\": {\"a\": {\"image\": \"x\", \"environment\": {\"K\": \"v\", \"E\": \"${X}\"}}}}",
    );
    assert_environment_edit(
        "{\"services\": {\"a\": {\"environment\": {\"A\": \"1\"}}}}\n",
        "{\"services\": {\"a\": {\"environment\": {\"A\": \"1\", \"K\": \"v\", \"E\": \"${X}\"}}}}\n",
    );
    assert_environment_edit(
        "{\n  \"services\": {\n    \"a\": {\n      \"image\": \"x\"\n    }\n  }\n}\n",
        "{\n  \"services\": {\n    \"a\": {\n      \"environment\": {\"K\": \"v\", \"E\": \"${X}\"},\n      \"image\": \"x\"\n    }\n  }\n}\n",
    );
}

#[test]
fn unicode_before_and_after_shifts_nothing() {
    assert_environment_edit(
        "# ünïcödé 🎉\nservices:\n  a:\n    environment: {Ä: \"🎉\"} # é\n",
        "# ünïcödé 🎉\nservices:\n  a:\n    environment: {Ä: \"🎉\", K: \"v\", E: \"${X}\"} # é\n",
    );
}

#[test]
fn thousands_of_services_are_edited_in_one_pass() {
    let mut before = String::from("services:\n");
    let mut after = before.clone();
    let names: Vec<_> = (0..2_000).map(|n| format!("s{n}")).collect();
    for name in &names {
        let head = format!("  {name}:\n    image: x\n    environment:\n      A: {name}\n");
        before += &head;
        after += &format!("{head}      K: \"v\"\n      E: \"${{X}}\"\n");
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    check_for(&names, &before, &after);
}
