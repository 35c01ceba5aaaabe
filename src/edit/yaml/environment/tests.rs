//! Examples that specify the editor: a text before, the text after, and a second run that changes nothing.

use super::*;

mod bytes;
mod sharing;
mod taking;
mod values;

/// Returns a request for `K: "v"` and `E: "${X}"` in each service.
fn wanted(services: &[&str]) -> Vec<Wanted> {
    let set = |service: &&str| Wanted {
        service: (*service).to_owned(),
        set: vec![("K".into(), "v".into()), ("E".into(), "${X}".into())],
        unset: Vec::new(),
    };
    services.iter().map(set).collect()
}

#[track_caller]
fn check_for(services: &[&str], before: &str, after: &str) {
    let wanted = wanted(services);
    let edit = set(before, &wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    assert_eq!(set(after, &wanted).map(|edit| edit.text).as_deref(), Ok(after));
}

#[track_caller]
fn check(before: &str, after: &str) {
    check_for(&["a"], before, after);
}

#[track_caller]
fn refused(before: &str) -> Refusal {
    let refusal = set(before, &wanted(&["a"])).unwrap_err();
    assert!(refusal.paste.contains("      K: \"v\"\n"), "{refusal:?}");
    refusal
}

#[test]
fn a_block_mapping_gains_lines_after_its_last_line_of_content() {
    check(
        "services:\n  a:\n    environment:\n      A: 1 # one\n      # K: commented out\n\n    # dedented\n    image: x\n",
        "services:\n  a:\n    environment:\n      A: 1 # one\n      K: \"v\"\n      E: \"${X}\"\n      # K: commented out\n\n    # dedented\n    image: x\n",
    );
}

#[test]
fn a_block_list_stays_a_list_at_its_own_indentation() {
    check(
        "services:\n  a:\n    environment:\n    - A=1\n    - B\n    image: x\n",
        "services:\n  a:\n    environment:\n    - A=1\n    - B\n    - K=v\n    - E=${X}\n    image: x\n",
    );
    check(
        "services:\n  a:\n    environment:\n        -   A=1\n",
        "services:\n  a:\n    environment:\n        -   A=1\n        - K=v\n        - E=${X}\n",
    );
}

#[test]
fn items_are_quoted_where_their_neighbours_are() {
    check(
        "services:\n  a:\n    environment:\n      - 'A=1'\n",
        "services:\n  a:\n    environment:\n      - 'A=1'\n      - 'K=v'\n      - 'E=${X}'\n",
    );
    check(
        "services:\n  a:\n    environment:\n      - \"A=1\"\n",
        "services:\n  a:\n    environment:\n      - \"A=1\"\n      - \"K=v\"\n      - \"E=${X}\"\n",
    );
    for items in ["      - 'A=1'\n      - B=2\n", "      - \"A=1\"\n      - 'B=2'\n"] {
        let before = format!("services:\n  a:\n    environment:\n{items}");
        check(&before, &format!("{before}      - K=v\n      - E=${{X}}\n"));
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
    check(
        "services:\n  a:\n    environment: {A: 1}\n",
        "services:\n  a:\n    environment: {A: 1, K: \"v\", E: \"${X}\"}\n",
    );
    check(
        "services:\n  a:\n    environment: [ A=1, B, ]\n",
        "services:\n  a:\n    environment: [ A=1, B, \"K=v\", \"E=${X}\" ]\n",
    );
}

#[test]
fn an_absent_environment_becomes_a_block() {
    let block = "      K: \"v\"\n      E: \"${X}\"\n";
    for nothing in ["environment:", "environment: ~", "environment: null", "environment: {}"] {
        check(
            &format!("services:\n  a:\n    {nothing} # c\n    image: x\n"),
            &format!("services:\n  a:\n    environment: # c\n{block}    image: x\n"),
        );
    }
    check(
        "services:\n  a:\n    image: x\n\n# end\n",
        &format!("services:\n  a:\n    image: x\n    environment:\n{block}\n# end\n"),
    );
    check(
        "services:\n  a:\n    environment: []\n",
        "services:\n  a:\n    environment:\n      - K=v\n      - E=${X}\n",
    );
}

#[test]
fn an_environment_that_cannot_be_edited_is_refused() {
    let refusal = refused("services:\n  a:\n    environment: A=1\n");
    assert_eq!((refusal.line, refusal.column), (3, 18));
    assert_eq!(refusal.text, "    environment: A=1");
    assert_eq!(refused("b: 1\n---\nservices: {c: {}}\n").line, 1);
    let document = "b: 1\n---\nservices:\n  a:\n    environment: A=1\n";
    assert_eq!(refused(document).line, 5);
    assert_eq!(refused("services:\n  a: [\n").line, 2);
    assert_eq!(refused("services:\n  a: x\n").line, 2);
    assert_eq!(refused("services:\n  b: {}\n").line, 2);
    assert!(refused("a:\n  image: x\n").hint.unwrap().contains("services:"));
    assert_eq!(refused("").line, 1);
    assert_eq!(refused("[]").line, 1);
    assert_eq!(refused("services: []").line, 1);
}
