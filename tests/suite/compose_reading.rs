//! Documents, tags, aliases, names and references, read as the real Docker Compose reads them.

use crate::compose_oracle::{agree, refuse};

#[test]
fn documents_of_one_file_lie_over_one_another() {
    let three = "services:\n  s: {image: x, environment: {A: 1, B: 1}, ports: ['1:1']}\n---\nservices:\n  s: \
                 {environment: {B: 2}, ports: ['2:2']}\n  t: {image: y}\n---\nservices:\n  s: {image: z, environment: \
                 !override {C: $COMPOSE_PROJECT_NAME}}\nname: last\n";
    agree(&[("compose.yaml", three)], &[]);
    let anchors = "x-x: &x {A: 1}\nservices:\n  s: {image: x, environment: *x}\n---\nx-x: &x {A: 2, B: 2}\nservices:\n  \
                   s: {environment: *x}\n  t: {image: y, environment: {<<: *x, C: 3}}\n";
    let over = "services:\n  t: {environment: {D: 4}}\n---\nservices:\n  s: !reset null\n";
    agree(&[("compose.yaml", anchors), ("compose.override.yaml", over)], &[]);
    let base = "services:\n  b: {image: x, environment: {A: 1, B: 1}}\n---\nservices:\n  b: {environment: {B: 2}}\n";
    let uses = "services:\n  s: {extends: {file: base.yaml, service: b}, environment: {C: 3}}\n---\ninclude: \
                [more.yaml]\n";
    let more = "services:\n  m: {image: x, environment: {A: 1}}\n---\nservices:\n  m: {environment: {A: 2}}\n";
    agree(&[("compose.yaml", uses), ("base.yaml", base), ("more.yaml", more)], &[]);
    refuse(
        &[("compose.yaml", "services:\n  s: {image: x}\n---\n---\nservices:\n  t: {image: y}\n")],
        &[],
    );
    refuse(
        &[(
            "compose.yaml",
            "services:\n  s: {image: x}\n---\nservices:\n  s: {image: 'x', image: y}\n",
        )],
        &[],
    );
}

#[test]
fn a_service_without_anything_is_none_by_itself_and_changes_none() {
    let base = "services:\n  s: {image: x, environment: {A: 1}}\n  t: {image: y}\n";
    let over = "services:\n  s:\n  t: {command: z}\n";
    agree(&[("compose.yaml", base), ("compose.override.yaml", over)], &[]);
    agree(&[("compose.yaml", &format!("{base}---\nservices:\n  s: ~\n"))], &[]);
    let extends = "services:\n  s: {extends: {file: b.yaml, service: b}, image: x}\n";
    agree(&[("compose.yaml", extends), ("b.yaml", "services:\n  b:\n")], &[]);
    refuse(&[("compose.yaml", "services:\n  s:\n  t: {image: y}\n")], &[]);
    let late = "services:\n  s: {image: x}\n";
    refuse(&[("compose.yaml", "services:\n  s:\n"), ("compose.override.yaml", late)], &[]);
    refuse(&[("compose.yaml", "services:\n  s: {extends: b, image: x}\n  b:\n")], &[]);
}

#[test]
fn a_provider_runs_a_service_without_an_image() {
    agree(&[("compose.yaml", "services:\n  s: {provider: {type: model}}\n")], &[]);
    let waits = "services:\n  s: {provider: {type: model, options: {a: [b, c]}}}\n  t: {image: y, depends_on: [s]}\n";
    agree(&[("compose.yaml", waits)], &[]);
    let over = "services:\n  s: {provider: {type: model}}\n";
    let files = [
        ("compose.yaml", "services:\n  s: {environment: {A: 1}, profiles: [p]}\n"),
        ("compose.override.yaml", over),
    ];
    agree(&files, &[]);
}

#[test]
fn a_reset_keeps_merged_values_and_removes_lower_ones() {
    let compose = "x-b: &b {environment: {A: 1, B: 2}, ports: ['1:1']}\nx-r: &r {environment: !reset null}\nservices:\n  s: \
                   {image: x, <<: *b, environment: !reset null}\n  t: {image: x, <<: *b, environment: !override {C: 1}}\n  \
                   u: {image: x, environment: {<<: {Z: 1}, Z: !reset null, Y: 1}}\n  v: {image: x, environment: !reset \
                   {A: 1}, <<: [*r, *b]}\n  w: {image: x, <<: *b, ports: !reset []}\n";
    agree(&[("compose.yaml", compose)], &[]);
    let base = "services:\n  s: {image: x, environment: {L: low, A: low}}\n  u: {image: x, environment: {Z: low, X: low}}\n  \
                v: {image: x, environment: [L=low]}\n  w: {image: x, ports: ['2:2']}\n";
    agree(&[("compose.yaml", base), ("compose.override.yaml", compose)], &[]);
    let tagged = "x-r: &r !reset null\nx-o: &o !override {N: new}\nservices:\n  s: {environment: *r}\n  v: {environment: *o}\n";
    agree(&[("compose.yaml", base), ("compose.override.yaml", tagged)], &[]);
}

#[test]
fn one_anchor_at_a_place_and_inside_of_it_is_refused() {
    for services in [
        "s: {<<: *b, image: x, environment: *b}",
        "s: {<<: *b, image: x}, s.labels: {<<: *b, image: x}",
        "a.b: {<<: *b, image: x, environment: {X: 1}}, a: {<<: *b, image: x}",
        "s: {image: x, environment: {<<: *b}}, s.environment.x: {image: x, environment: {<<: *b}}",
    ] {
        let compose = format!("x-b: &b {{labels: {{A: a}}}}\nservices: {{{services}}}\n");
        refuse(&[("compose.yaml", &compose)], &[]);
    }
    for services in [
        "web.one: &b {image: x, environment: {A: 1}}, web: *b, web.two: *b",
        "s.t: {image: x, environment: *e}, s: {image: x, environment: *e, labels: *e}",
        "a: {<<: *s, labels: *e}, b: {<<: *s, environment: {<<: *e}}, a-b: *s",
        "a: {<<: [*s, {labels: *e}]}, a0: {<<: *s}",
    ] {
        let compose = format!(
            "x-e: &e {{A: '1'}}\nx-s: &s {{image: x, environment: *e}}\nservices: {{{services}}}\n"
        );
        agree(&[("compose.yaml", &compose)], &[]);
    }
}

#[test]
fn a_project_is_called_as_docker_compose_spells_it() {
    let service = "services:\n  s: {image: x, environment: {P: $COMPOSE_PROJECT_NAME}}\n";
    let compose = |name: &str| format!("name: {name}\n{service}");
    for name in ["My_Proj", "'-_a.b C'", "$NAMED", "ok-1", "''"] {
        agree(&[("compose.yaml", &compose(name))], &[("NAMED", "From Shell")]);
    }
    for name in ["'!!'", "_", "$NAMED"] {
        refuse(&[("compose.yaml", &compose(name))], &[("NAMED", "-")]);
    }
}

#[test]
fn files_of_labels_have_to_be_there() {
    let compose = |service: &str| format!("services:\n  s: {{image: x, {service}}}\n");
    let there = ("sub/a.labels", "l=1\n");
    agree(&[("compose.yaml", &compose("label_file: sub/a.labels")), there], &[]);
    agree(
        &[("compose.yaml", &compose("label_file: ['./sub/a.labels', '${D}/a.labels']")), there],
        &[("D", "sub")],
    );
    refuse(&[("compose.yaml", &compose("label_file: gone.labels"))], &[]);
    refuse(&[("compose.yaml", &compose("label_file: [sub/a.labels, gone.labels]")), there], &[]);
    let base = "services:\n  b: {image: x, label_file: a.labels}\n";
    refuse(
        &[
            ("compose.yaml", &compose("extends: {file: sub/b.yaml, service: b}")),
            ("sub/b.yaml", base),
        ],
        &[],
    );
    agree(
        &[
            ("compose.yaml", &compose("extends: {file: sub/b.yaml, service: b}")),
            ("sub/b.yaml", base),
            there,
        ],
        &[],
    );
}

#[test]
fn a_service_waits_for_those_whose_volumes_and_namespaces_it_takes() {
    for key in [
        "volumes_from: [b]",
        "ipc: 'service:b'",
        "pid: 'service:b'",
        "volumes_from: ['b:ro', 'container:c']",
    ] {
        let compose = format!("services:\n  s: {{image: x, {key}}}\n  b: {{image: y}}\n");
        agree(&[("compose.yaml", &compose)], &[]);
    }
}
