use super::*;

fn removal(path: &str, members: &[&str]) -> Removal {
    let path = path.split('/').filter(|key| !key.is_empty()).map(str::to_owned).collect();
    Removal { path, members: members.iter().map(|name| (*name).to_owned()).collect() }
}

#[track_caller]
fn check(before: &str, removals: &[Removal], after: &str) {
    let edit = take(before, removals).unwrap_or_else(|refusal| panic!("{before}: {refusal:?}"));
    assert_eq!(&*edit.text, after, "{before}");
    assert_eq!(&*take(after, removals).unwrap().text, after);
}

#[test]
fn members_go_with_their_lines_and_what_is_left_empty_goes_too() {
    let ours = [removal("services/a/environment", &["X", "Y", "X=1", "Y=2"])];
    for (before, after) in [
        (
            "services:\n  a:\n    image: i # c\n    environment:\n      X: \"1\"\n      Y: \"2\"\n    ports: []\n",
            "services:\n  a:\n    image: i # c\n    ports: []\n",
        ),
        (
            "services:\n  a:\n    environment:\n      # mine\n      A: 1\n      X: \"1\"\n",
            "services:\n  a:\n    environment:\n      # mine\n      A: 1\n",
        ),
        (
            "services:\r\n  a:\r\n    environment:\r\n    - X=1\r\n    - A=1\r\n    - \"Y=2\"",
            "services:\r\n  a:\r\n    environment:\r\n    - A=1",
        ),
        ("services: {a: {image: i, environment: {X: 1, Y: 2}}}\n", "services: {a: {image: i}}\n"),
        ("services: {a: {environment: {A: 1, X: 1}}}\n", "services: {a: {environment: {A: 1}}}\n"),
        (
            "services:\n  a:\n    environment:\n      X: 1\n  b:\n    image: i\n",
            "services:\n  a:\n  b:\n    image: i\n",
        ),
        ("services: {a: {environment: {X: 1}}}\n", "services: {a: {}}\n"),
        ("services:\n  a: {image: i}", "services:\n  a: {image: i}"),
    ] {
        check(before, &ours, after);
    }
}

#[test]
fn services_and_their_volume_go_with_the_blank_line_above() {
    let ours = [removal("services", &["o"]), removal("volumes", &["v"])];
    for (before, after) in [
        (
            "services:\n  a:\n    image: i\n\n  b:\n    image: i\n\n  o:\n    image: x\n    volumes: [v:/v]\n\nvolumes:\n  v:\n",
            "services:\n  a:\n    image: i\n\n  b:\n    image: i\n\n",
        ),
        (
            "services:\n  a:\n    image: i\n  o:\n    image: x\nvolumes:\n  v:",
            "services:\n  a:\n    image: i",
        ),
        (
            "volumes:\n  w: {}\n  v:\nservices:\n  o:\n    image: x\n  a:\n    image: i\n",
            "volumes:\n  w: {}\nservices:\n  a:\n    image: i\n",
        ),
    ] {
        check(before, &ours, after);
    }
}

#[test]
fn each_document_loses_its_own() {
    let ours = [removal("services/a/environment", &["X"])];
    let text = "services:\n  a:\n    image: i\n---\nservices:\n  a:\n    environment:\n      X: 1\n      Z: 1\n";
    check(text, &ours, &text.replace("      X: 1\n", ""));
}

#[test]
fn what_others_use_too_is_refused() {
    let text =
        "services:\n  a:\n    environment: &e\n      X: 1\n      Z: 1\n  b:\n    environment: *e\n";
    assert!(take(text, &[removal("services/a/environment", &["X"])]).is_err());
    let emptied = "services:\n  a:\n    environment: &e\n      X: 1\n  b:\n    environment: *e\n";
    assert!(take(emptied, &[removal("services/a/environment", &["X"])]).is_err());
    // An alias holds nothing of its own.
    let text = "x: &e {X: 1}\nservices:\n  a:\n    environment: *e\n";
    check(text, &[removal("services/a/environment", &["X"])], text);
}
