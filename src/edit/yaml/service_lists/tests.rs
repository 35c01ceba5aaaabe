use super::*;

fn build_both_members(service: &str) -> [WantedMember; 2] {
    let volume = ListMember::Volume("v-1:/v:ro".to_owned());
    let waits = ListMember::Dependency {
        service: "agent".to_owned(),
        condition: "service_healthy".to_owned(),
    };
    [volume, waits].map(|member| WantedMember { service: service.to_owned(), member })
}

#[track_caller]
fn check_for(services: &[&str], before: &str, after: &str) {
    let wanted: Vec<WantedMember> =
        services.iter().flat_map(|service| build_both_members(service)).collect();
    let edit = add(before, &wanted).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    assert_eq!(&*edit.text, after);
    assert_eq!(&*add(after, &wanted).unwrap().text, after, "a second run changes something");
}

#[track_caller]
fn assert_service_lists(before: &str, after: &str) {
    check_for(&["a"], before, after);
}

#[track_caller]
fn expect_service_list_refusal(before: &str) -> EditRefusal {
    add(before, &build_both_members("a")).unwrap_err()
}

#[test]
fn a_service_without_lists_gets_both() {
    assert_service_lists(
        "services:\n  a:\n    image: x\n  b: {}\n",
        "services:\n  a:\n    image: x\n    volumes:\n      - v-1:/v:ro\n    depends_on:\n      agent:\n        condition: service_healthy\n  b: {}\n",
    );
    assert_service_lists(
        "services: {a: {image: x}}\n",
        "services: {a: {image: x, volumes: [v-1:/v:ro], depends_on: {agent: {condition: service_healthy}}}}\n",
    );
    assert_service_lists(
        "services:\n  a:\n    volumes: []\n    depends_on: # later\n",
        "services:\n  a:\n    volumes:\n      - v-1:/v:ro\n    depends_on: # later\n      agent:\n        condition: service_healthy\n",
    );
}

#[test]
fn a_list_of_services_becomes_a_mapping_of_them() {
    assert_service_lists(
        "services:\n  a:\n    depends_on:\n      - db # first\n      - 'cache'\n    volumes:\n    - .:/app\n",
        "services:\n  a:\n    depends_on:\n      db: {condition: service_started} # first\n      'cache': {condition: service_started}\n      agent:\n        condition: service_healthy\n    volumes:\n    - .:/app\n    - v-1:/v:ro\n",
    );
    assert_service_lists(
        "services:\n  a:\n    depends_on:\n    - db\n    volumes: [\".:/app\"]\n",
        "services:\n  a:\n    depends_on:\n      db: {condition: service_started}\n      agent:\n        condition: service_healthy\n    volumes: [\".:/app\", v-1:/v:ro]\n",
    );
    assert_service_lists(
        "services:\n  a:\n    depends_on: [ db, \"c\", ]\n    volumes:\n      - type: bind\n        source: .\n        target: /app\n",
        "services:\n  a:\n    depends_on: { db: {condition: service_started}, \"c\": {condition: service_started}, agent: {condition: service_healthy}, }\n    volumes:\n      - type: bind\n        source: .\n        target: /app\n      - v-1:/v:ro\n",
    );
}

#[test]
fn conditions_are_kept() {
    assert_service_lists(
        "services:\n  a:\n    depends_on:\n      db:\n        condition: service_healthy\n        restart: true\n",
        "services:\n  a:\n    depends_on:\n      db:\n        condition: service_healthy\n        restart: true\n      agent:\n        condition: service_healthy\n    volumes:\n      - v-1:/v:ro\n",
    );
    assert_service_lists(
        "services:\n  a:\n    depends_on: {db: {condition: service_healthy}}\n    volumes: [x:/x]\n",
        "services:\n  a:\n    depends_on: {db: {condition: service_healthy}, agent: {condition: service_healthy}}\n    volumes: [x:/x, v-1:/v:ro]\n",
    );
}

#[test]
fn shared_values_are_copied_and_other_services_keep_theirs() {
    assert_service_lists(
        "x-v: &v\n  - .:/app\nservices:\n  a:\n    volumes: *v\n    depends_on: &d [db]\n  b:\n    volumes: *v\n    depends_on: *d\n  db: {image: x}\n",
        "x-v: &v\n  - .:/app\nservices:\n  a:\n    volumes:\n      - .:/app\n      - v-1:/v:ro\n    depends_on: &d {db: {condition: service_started}, agent: {condition: service_healthy}}\n  b:\n    volumes: *v\n    depends_on:\n      - db\n  db: {image: x}\n",
    );
    assert_service_lists(
        "services:\n  a: &a\n    image: x\n  b:\n    <<: *a\n    image: y\n  c: *a\n",
        "services:\n  a: &a\n    image: x\n    volumes:\n      - v-1:/v:ro\n    depends_on:\n      agent:\n        condition: service_healthy\n  b:\n    <<: *a\n    image: y\n    volumes: []\n    depends_on: []\n  c:\n    <<: *a\n    volumes: []\n    depends_on: []\n",
    );
    check_for(
        &["a", "b"],
        "x-s: &s\n  depends_on:\n    db: {condition: service_healthy}\nservices:\n  a:\n    <<: *s\n    volumes: [x:/x]\n  b:\n    <<: *s\n    volumes: [y:/y]\n",
        "x-s: &s\n  depends_on:\n    db: {condition: service_healthy}\nservices:\n  a:\n    <<: *s\n    volumes: [x:/x, v-1:/v:ro]\n    depends_on:\n      db:\n        condition: service_healthy\n      agent:\n        condition: service_healthy\n  b:\n    <<: *s\n    volumes: [y:/y, v-1:/v:ro]\n    depends_on:\n      db:\n        condition: service_healthy\n      agent:\n        condition: service_healthy\n",
    );
}

#[test]
fn what_cannot_be_kept_is_refused() {
    assert_eq!(
        expect_service_list_refusal("services:\n  a:\n    depends_on:\n      - ${DB}\n").line,
        4
    );
    expect_service_list_refusal("services:\n  a:\n    depends_on: [db, db]\n");
    expect_service_list_refusal("services:\n  a:\n    depends_on: db\n");
    expect_service_list_refusal("services:\n  a:\n    volumes: !reset []\n");
    expect_service_list_refusal("services:\n  a: &a\n    image: x\nx-copy: *a\n");
    expect_service_list_refusal("services:\n  b: {}\n");
    expect_service_list_refusal("x: &x [*x]\nservices:\n  a:\n    volumes: *x\n");
}

#[test]
fn the_lines_to_paste_say_it_by_hand() {
    let refusal = expect_service_list_refusal("services:\n  a:\n    depends_on: db\n");
    assert_eq!(refusal.paste, paste(&build_both_members("a")));
}

#[test]
fn each_service_gets_its_lists_in_the_last_document_that_describes_it() {
    let wired = "    volumes:\n      - v-1:/v:ro\n    depends_on:\n      agent:\n        condition: service_healthy\n";
    let (a, b) = ("services:\n  a:\n    image: x\n", "services:\n  b:\n    image: y\n");
    for between in ["---\n", "...\n--- # next\n", "# above\n---\n"] {
        let apart = format!("{a}{wired}{between}{b}{wired}");
        check_for(&["a", "b"], &format!("{a}{between}{b}"), &apart);
        let last = format!("{a}{between}{a}{wired}");
        check_for(&["a"], &format!("{a}{between}{a}"), &last);
    }
    assert_eq!(expect_service_list_refusal(&format!("{b}---\n{b}")).line, 1);
    let shared = "services:\n  a: {volumes: &v [.:/app]}\n  c: {volumes: *v}\n";
    let edit = add(&format!("{b}---\n{shared}"), &build_both_members("a")).unwrap();
    assert!(edit.text.starts_with(&format!("{b}---\n")), "{}", edit.text);
    assert!(YamlTree::parse(edit.text).unwrap().documents() == 2);
}
