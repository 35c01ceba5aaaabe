use super::*;

fn build_port_entry(port: u16, visibility: Visibility) -> PortEntry {
    PortEntry { port, name: Some("web".into()), visibility: Some(visibility), on_open: None }
}

#[track_caller]
fn check_for(wanted: &[PortEntry], before: &str, after: &str) {
    let edit = set(before, wanted).unwrap_or_else(|refusal| panic!("{refusal:#?}"));
    assert_eq!(*edit.text, *after);
    assert_eq!(set(after, wanted).map(|edit| edit.text).as_deref(), Ok(after));
}

#[track_caller]
fn assert_ports_edit(before: &str, after: &str) {
    check_for(&[build_port_entry(3000, Visibility::Public)], before, after);
}

const NEW: &str = "ports:\n  - name: web\n    port: 3000\n    visibility: public\n";

#[test]
fn a_file_without_ports_gains_them_after_its_last_line() {
    assert_ports_edit("", NEW);
    assert_ports_edit("\u{feff}", &format!("\u{feff}{NEW}"));
    assert_ports_edit("# only this", &format!("# only this\n{}", NEW.trim_end()));
    assert_ports_edit("# only this\n\n", &format!("# only this\n{NEW}\n"));
    assert_ports_edit("---\n", &format!("---\n{NEW}"));
    assert_ports_edit("image: x\n# end\n", &format!("image: x\n# end\n{NEW}"));
    assert_ports_edit("image: x\n...\n# end\n", &format!("image: x\n{NEW}...\n# end\n"));
    assert_ports_edit("image: x\r\n", &format!("image: x\r\n{}", NEW.replace('\n', "\r\n")));
    assert_ports_edit("image: x", &format!("image: x\n{}", NEW.trim_end()));
    assert_ports_edit("a: |\n  x", &format!("{NEW}a: |\n  x"));
}

#[test]
fn new_items_are_indented_as_the_lists_of_the_file_are() {
    assert_ports_edit(
        "tasks:\n- init: x\n",
        "tasks:\n- init: x\nports:\n- name: web\n  port: 3000\n  visibility: public\n",
    );
    assert_ports_edit(
        "tasks:\n    - init: x\n",
        "tasks:\n    - init: x\nports:\n    - name: web\n      port: 3000\n      visibility: public\n",
    );
}

#[test]
fn empty_ports_gain_their_items() {
    for nothing in ["ports:", "ports: ~", "ports: []", "ports: null"] {
        assert_ports_edit(
            &format!("{nothing} # c\n#  - port: 1\nimage: x\n"),
            "ports: # c\n  - name: web\n    port: 3000\n    visibility: public\n#  - port: 1\nimage: x\n",
        );
    }
}

#[test]
fn a_visibility_is_added_or_replaced_on_its_line() {
    assert_ports_edit(
        "ports:\n  - port: 3000 # web\n    onOpen: ignore\n  - port: 1\nimage: x\n",
        "ports:\n  - port: 3000 # web\n    onOpen: ignore\n    visibility: public\n  - port: 1\nimage: x\n",
    );
    assert_ports_edit(
        "ports:\n- visibility: 'private' # c\n  port: \"3000\"\n",
        "ports:\n- visibility: 'public' # c\n  port: \"3000\"\n",
    );
    assert_ports_edit(
        "ports:\n  - port: 3000\n    visibility:\n    name: x\n",
        "ports:\n  - port: 3000\n    visibility: public\n    name: x\n",
    );
    assert_ports_edit(
        "ports: [{port: 3000}, {port: 1, visibility: public}]\n",
        "ports: [{port: 3000, visibility: public}, {port: 1, visibility: public}]\n",
    );
    assert_ports_edit(
        "{\"ports\": [{\"port\": 3000}]}",
        "{\"ports\": [{\"port\": 3000, \"visibility\": public}]}",
    );
}

#[test]
fn an_entry_is_private_by_default() {
    let wanted = [build_port_entry(3000, Visibility::Private)];
    let text = "ports:\n  - port: 3000\n";
    check_for(&wanted, text, text);
    check_for(
        &wanted,
        "ports:\n  - port: 3000\n    visibility: public\n",
        "ports:\n  - port: 3000\n    visibility: private\n",
    );
}

#[test]
fn a_range_does_not_count_as_an_entry_of_its_ends() {
    for range in ["3000-3010", "2990-3000", "2990-3010"] {
        let before = format!("ports:\n  - port: {range}\n");
        assert_ports_edit(
            &before,
            &format!("{before}  - name: web\n    port: 3000\n    visibility: public\n"),
        );
    }
}

#[test]
fn the_first_of_two_entries_counts() {
    assert_ports_edit(
        "ports:\n  - port: 3000\n  - port: 3000\n    visibility: public\n",
        "ports:\n  - port: 3000\n    visibility: public\n  - port: 3000\n    visibility: public\n",
    );
}

#[test]
fn a_port_of_a_range_gains_an_entry_of_its_own_where_it_differs() {
    assert_ports_edit(
        "ports:\n  - port: 2000-4000\n    onOpen: ignore\n    description: \"a: b\"\n",
        "ports:\n  - port: 2000-4000\n    onOpen: ignore\n    description: \"a: b\"\n  - name: web\n    port: 3000\n    onOpen: ignore\n    visibility: public\n    description: \"a: b\"\n",
    );
    let covered = "ports:\n  - port: 2000-4000\n    visibility: public\n";
    assert_ports_edit(covered, covered);
}

#[test]
fn what_is_no_list_is_refused() {
    for text in ["ports: 3000\n", "ports:\n  3000: x\n", "[]\n", "a: 1\n---\nb: 1\n"] {
        let refusal = set(text, &[build_port_entry(3000, Visibility::Public)]).unwrap_err();
        assert_eq!(refusal.paste, NEW, "{text}");
    }
}

#[test]
fn invalid_yaml_is_reported_without_lines_to_paste() {
    let text = "ports:\n  - port: 3000\n\t  visibility: public\n";
    let refusal = set(text, &[build_port_entry(3000, Visibility::Public)]).unwrap_err();
    assert_eq!((refusal.line, refusal.column), (3, 1), "{refusal:?}");
    assert_eq!(refusal.paste, "", "these ports stand in the file already");
}

#[test]
fn a_merged_visibility_is_overridden_in_the_entry() {
    assert_ports_edit(
        "x: &x {visibility: private}\nports:\n  - <<: *x\n    port: 3000\n",
        "x: &x {visibility: private}\nports:\n  - <<: *x\n    port: 3000\n    visibility: public\n",
    );
}

#[test]
fn reading_tells_ports_from_ranges_and_skips_what_gitpod_skips() {
    let text = "ports:\n  - port: 3000\n    name: web\n  - port: 5-9\n  - port: 9-5\n  - port: 70000\n  - x\n";
    let found = read_gitpod_ports(text).unwrap();
    let short: Vec<_> = found.iter().map(|entry| (entry.first, entry.last, entry.line)).collect();
    assert_eq!(short, [(3000, 3000, 2), (5, 9, 4)]);
    assert_eq!(found[0].name.as_deref(), Some("web"));
}
