//! Tests of variables that exist already: right, wrong, without a value, or twice.

use super::*;

const RIGHT: &str = "      E: '${X}' # kept\n";

#[test]
fn a_right_value_keeps_its_bytes() {
    for right in [
        "    environment:\n      K: v\n      E: '${X}'\n",
        "    environment: {E: \"${X}\", K: v}\n",
        "    environment: [K=v, 'E=${X}']\n",
        "    environment:\n    - \"K=v\" # c\n    - E=${X}\n",
    ] {
        let text = format!("services:\n  a:\n{right}");
        assert_environment_edit(&text, &text);
    }
}

#[test]
fn a_wrong_value_is_replaced_on_its_line_in_its_own_quotes() {
    for (old, new) in [
        ("K: w # c", "K: v # c"),
        ("K: 'w'  # c", "K: 'v'  # c"),
        ("K:   \"w\"", "K:   \"v\""),
        ("\"K\": w", "\"K\": v"),
        ("K:", "K: \"v\""),
        ("K: # c", "K: \"v\" # c"),
        ("K: ~", "K: v"),
        ("K: 1", "K: v"),
        ("K: w\n        x", "K: v"),
        ("K: |\n        w\n        x", "K: \"v\""),
        ("K: !!str w", "K: !!str v"),
        ("K : w", "K : v"),
    ] {
        assert_environment_edit(
            &format!("services:\n  a:\n    environment:\n      {old}\n{RIGHT}"),
            &format!("services:\n  a:\n    environment:\n      {new}\n{RIGHT}"),
        );
    }
}

#[test]
fn an_absent_value_is_replaced_wherever_the_colon_is() {
    for key in ["K:", "K :", "K \t :", "\"K\"  :"] {
        for rest in ["", " # c", "   # c"] {
            let before = format!("services:\n  a:\n    environment:\n      {key}{rest}\n");
            let after = format!(
                "services:\n  a:\n    environment:\n      {key} \"v\"{rest}\n      E: \"${{X}}\"\n"
            );
            assert_environment_edit(&before, &after);
        }
    }
}

#[test]
fn a_wrong_item_is_replaced_on_its_line_in_its_own_quotes() {
    for (old, new) in [
        ("- K=w # c", "- K=v # c"),
        ("- 'K=w'", "- 'K=v'"),
        ("-   \"K=w\"", "-   \"K=v\""),
        ("- K", "- K=v"),
        ("- K=", "- K=v"),
        ("- |\n        K=w", "- \"K=v\""),
    ] {
        assert_environment_edit(
            &format!("services:\n  a:\n    environment:\n      {old}\n      - E=${{X}}\n"),
            &format!("services:\n  a:\n    environment:\n      {new}\n      - E=${{X}}\n"),
        );
    }
}

#[test]
fn braces_hold_replaced_values_too() {
    assert_environment_edit(
        "services:\n  a:\n    environment: {E: old, K: , A: 1}\n",
        "services:\n  a:\n    environment: {E: \"${X}\", K: \"v\" , A: 1}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: {K, E: '1'}\n",
        "services:\n  a:\n    environment: {K: \"v\", E: '${X}'}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: [K, E=1]\n",
        "services:\n  a:\n    environment: [K=v, \"E=${X}\"]\n",
    );
}

#[test]
fn only_the_last_duplicate_is_kept() {
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      K: v # one\n      A: 1\n      K: w # two\n      E: ${X}\n",
        "services:\n  a:\n    environment:\n      A: 1\n      K: v # two\n      E: ${X}\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      - K=w\n      - E=${X}\n      - K=v\n",
        "services:\n  a:\n    environment:\n      - E=${X}\n      - K=v\n",
    );
    assert_environment_edit(
        "services:\n  a:\n    environment: {K: w, E: '${X}', K: v}\n",
        "services:\n  a:\n    environment: {E: '${X}', K: v}\n",
    );
}

#[test]
fn a_commented_out_variable_does_not_count() {
    assert_environment_edit(
        "services:\n  a:\n    environment:\n      # K: v\n      E: ${X}\n      #K: v\n",
        "services:\n  a:\n    environment:\n      # K: v\n      E: ${X}\n      K: \"v\"\n      #K: v\n",
    );
}

#[test]
fn a_key_twice_elsewhere_is_a_warning_with_its_line() {
    let text = "services:\n  a:\n    image: x\n    image: y\n    environment: {K: v, E: '${X}'}\n";
    let edit = set(text, &build_wanted_sets(&["a"])).unwrap();
    assert_eq!(*edit.text, *text);
    assert_eq!(edit.warnings.len(), 1);
    assert_eq!(edit.warnings[0].line, 4);
    assert!(edit.warnings[0].text.contains("`image`"));
}

#[test]
fn literal_values_survive_whatever_they_hold() {
    for literal in
        ["", " a ", "a: b #c", "\"q\" 'q' \\", "tab\tline\n", "no", "1.0", "é🎉", "{}[],"]
    {
        let wanted = [Wanted {
            service: "a".into(),
            set: vec![("K".into(), literal.into())],
            unset: Vec::new(),
        }];
        for shape in [
            "environment:\n      K: w",
            "environment:\n      - K=w",
            "environment: ['K=w']",
            "image: x",
        ] {
            let before = format!("services:\n  a:\n    {shape}\n");
            let edit = set(&before, &wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
            assert_eq!(set(&edit.text, &wanted).unwrap().text, edit.text);
            let read: serde_yaml::Value = serde_yaml::from_str(&edit.text).unwrap();
            let environment = &read["services"]["a"]["environment"];
            let item = format!("K={literal}");
            let found = environment
                .get("K")
                .or_else(|| environment.get(0))
                .and_then(|value| value.as_str())
                .unwrap();
            assert!(found == literal || found == item, "{literal:?} {}", edit.text);
        }
    }
}
