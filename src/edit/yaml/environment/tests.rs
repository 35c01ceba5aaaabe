//! Examples that specify the editor: a text before, the text after, and a second run that changes nothing.

use super::*;

mod bytes;
mod sharing;
mod taking;
mod values;

/// Returns a request for `K: "v"` and `E: "${X}"` in each service.
fn build_wanted_sets(services: &[&str]) -> Vec<Wanted> {
    let set = |service: &&str| Wanted {
        service: (*service).to_owned(),
        set: vec![("K".into(), "v".into()), ("E".into(), "${X}".into())],
        unset: Vec::new(),
    };
    services.iter().map(set).collect()
}

#[track_caller]
fn check_for(services: &[&str], before: &str, after: &str) {
    let wanted = build_wanted_sets(services);
    let edit = set(before, &wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    assert_eq!(set(after, &wanted).map(|edit| edit.text).as_deref(), Ok(after));
}

#[track_caller]
fn assert_environment_edit(before: &str, after: &str) {
    check_for(&["a"], before, after);
}

#[track_caller]
fn expect_environment_refusal(before: &str) -> EditRefusal {
    let refusal = set(before, &build_wanted_sets(&["a"])).unwrap_err();
    assert!(refusal.paste.contains("      K: \"v\"\n"), "{refusal:?}");
    refusal
}

#[test]
fn a_block_mapping_gains_lines_after_its_last_line_of_content() {
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      A: 1 # one\n      # K: commented out\n\n    # dedented\n    image: x\n",
        "services:\n  a:\n    environment:\n      A: 1 # one\n      K: \"v\"\n      E: \"${X}\"\n      # K: commented out\n\n    # dedented\n    image: x\n",
    );
}

#[test]
fn a_block_list_stays_a_list_at_its_own_indentation() {
    assert_environment_edit(
        "services:\n  a:\n    environment:\n    - A=1\n    - B\n    image: x\n",
        "services:\n  a:\n    environment:\n    - A=1\n    - B\n    - K=v\n    - E=${X}\n    image: x\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment:\n        -   A=1\n",
        "services:\n  a:\n    environment:\n        -   A=1\n        - K=v\n        - E=${X}\n",
    );
}

#[test]
fn items_are_quoted_where_their_neighbours_are() {
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      - 'A=1'\n",
        "services:\n  a:\n    environment:\n      - 'A=1'\n      - 'K=v'\n      - 'E=${X}'\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      - \"A=1\"\n",
        "services:\n  a:\n    environment:\n      - \"A=1\"\n      - \"K=v\"\n      - \"E=${X}\"\n",
    );
    for items in ["      - 'A=1'\n      - B=2\n", "      - \"A=1\"\n      - 'B=2'\n"] {
        let before = format!("services:\n  a:\n    environment:\n{items}");
        assert_environment_edit(&before, &format!("{before}      - K=v\n      - E=${{X}}\n"));
    }
}

#[test]
fn a_plain_number_reads_as_its_digits_unless_a_zero_leads_it() {
    for text in ["0", "7", "8080", "v", "a b"] {
        assert!(plain_reads(text), "{text}");
    }
    for text in ["00", "007", "1.0", "1e3", "0x1", "on", "true", "~"] {
        assert!(!plain_reads(text), "{text}");
    }
}

#[test]
fn flow_collections_gain_members_in_their_line() {
    assert_environment_edit(
        "services:\n  a:\n    environment: {A: 1}\n",
        "services:\n  a:\n    environment: {A: 1, K: \"v\", E: \"${X}\"}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: [ A=1, B, ]\n",
        "services:\n  a:\n    environment: [ A=1, B, \"K=v\", \"E=${X}\" ]\n",
    );
}

#[test]
fn an_absent_environment_becomes_a_block() {
    let block = "      K: \"v\"\n      E: \"${X}\"\n";
    for nothing in ["environment:", "environment: ~", "environment: null", "environment: {}"] {
        assert_environment_edit(
            &format!("services:\n  a:\n    {nothing} # c\n    image: x\n"),
            &format!("services:\n  a:\n    environment: # c\n{block}    image: x\n"),
        );
    }
    assert_environment_edit(
        "services:\n  a:\n    image: x\n\n# end\n",
        &format!("services:\n  a:\n    image: x\n    environment:\n{block}\n# end\n"),
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: []\n",
        "services:\n  a:\n    environment:\n      - K=v\n      - E=${X}\n",
    );
}

#[test]
fn an_environment_that_cannot_be_edited_is_refused() {
    let refusal = expect_environment_refusal("services:\n  a:\n    environment: A=1\n");
    assert_eq!((refusal.line, refusal.column), (3, 18));
    assert_eq!(refusal.text, "    environment: A=1");
    assert_eq!(expect_environment_refusal("b: 1\n---\nservices: {c: {}}\n").line, 1);
    let document = "b: 1\n---\nservices:\n  a:\n    environment: A=1\n";
    assert_eq!(expect_environment_refusal(document).line, 5);
    assert_eq!(expect_environment_refusal("services:\n  a: [\n").line, 2);
    assert_eq!(expect_environment_refusal("services:\n  a: x\n").line, 2);
    assert_eq!(expect_environment_refusal("services:\n  b: {}\n").line, 2);
    assert!(expect_environment_refusal("a:\n  image: x\n").hint.unwrap().contains("services:"));
    assert_eq!(expect_environment_refusal("").line, 1);
    assert_eq!(expect_environment_refusal("[]").line, 1);
    assert_eq!(expect_environment_refusal("services: []").line, 1);
}
