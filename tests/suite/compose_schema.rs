//! Projects that the Compose Specification's schema refuses, compared with the real Docker Compose: each property of
//! a service and of a file with values of each type.

use std::collections::BTreeMap;
use std::path::Path;

use cruddur_ops::project::Project;
use cruddur_ops::shell::Shell;
use serde_json::Value as Json;

use crate::compose_oracle::{docker_compose, oracle};

const SCHEMA: &str = include_str!("../../templates/compose-spec/compose-spec.json");

/// Values of each type, as a file writes them.
const VALUES: [&str; 10] =
    ["", "word", "\"5\"", "5", "true", "\"\"", "[one, two]", "{one: two}", "[{one: two}]", "[5]"];

/// `label_file` names files, whose existence the schema does not check; without a value `pid` makes docker compose
/// 5.6.1 panic.
const EXCEPTIONS: [(&str, &str); 1] = [("pid", "")];

/// Returns our error for the project in `folder`, if we refuse it.
fn refusals(folder: &Path) -> Vec<String> {
    let shell = Shell::new(BTreeMap::<String, String>::new(), folder.to_owned());
    let project = Project::discover(&shell, None);
    match project.as_ref().map_err(Clone::clone).and_then(Project::model) {
        Ok(model) => model.refusals(model.plain()).into_iter().map(|one| one.message).collect(),
        Err(error) => vec![error.message],
    }
}

fn properties() -> Vec<String> {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let of = |name: &str| schema["$defs"][name]["properties"].as_object().unwrap().clone();
    let mut names: Vec<String> = ["container_spec", "workload_spec", "service"]
        .iter()
        .flat_map(|name| of(name).keys().cloned().collect::<Vec<_>>())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn each_property_is_refused_as_docker_compose_refuses_it() {
    let Some(program) = docker_compose() else { return };
    let every = std::env::var("EVERY_VALUE").is_ok();
    let mut cases: Vec<(String, String)> = Vec::new();
    for (at, property) in properties().iter().enumerate() {
        for (number, value) in VALUES.iter().enumerate() {
            let is_exception =
                property == "label_file" || EXCEPTIONS.contains(&(property.as_str(), *value));
            if is_exception {
                continue;
            }
            if every || (at + number) % 4 == 0 {
                let text = format!("services:\n  s:\n    image: a\n    {property}: {value}\n");
                let text = match property.as_str() {
                    "image" => format!("services:\n  s:\n    image: {value}\n"),
                    _ => text,
                };
                cases.push((format!("{property}: {value}"), text));
            }
        }
    }
    compare_all(&program, cases);
}

/// Projects whose parts refer to each other, correctly and incorrectly.
#[test]
fn each_reference_is_refused_as_docker_compose_refuses_it() {
    let Some(program) = docker_compose() else { return };
    let services = [
        "s: {image: a, depends_on: {b: {condition: service_started, required: false}}}",
        "s: {image: a, depends_on: [b]}, b: {image: a}",
        "s: {image: a, depends_on: [b]}, b: {image: a, depends_on: [s]}",
        "s: {image: a, links: [\"b:alias\"]}, b: {image: a, volumes_from: [s]}",
        "s: {image: a, links: [\"b:alias\"]}, b: {image: a}",
        "a: {image: a, depends_on: [b]}, b: {image: a, depends_on: [c]}, c: {image: a, ipc: \"service:b\"}",
        "s: {image: a, depends_on: [s]}",
        "s: {image: a, ipc: \"service:b\"}",
        "s: {image: a, ipc: host, pid: host}",
        "s: {image: a, pid: \"service:b\"}, b: {image: a}",
        "s: {image: a, network_mode: \"service:b\"}",
        "s: {image: a, network_mode: \"container:b\"}",
        "s: {image: a, networks: [default]}",
        "s: {image: a, networks: [known]}",
        "s: {image: a, networks: [other]}",
        "s: {image: a, networks: {known: {aliases: [x]}}}",
        "s: {image: a, networks: {other: {aliases: [x]}}}",
        "s: {image: a, volumes: [\"known:/x\"]}",
        "s: {image: a, volumes: [\"other:/x\"]}",
        "s: {image: a, volumes: [\"./other:/x\", /y, \"~/z:/z\"]}",
        "s: {image: a, volumes: [{type: volume, source: known, target: /x}]}",
        "s: {image: a, volumes: [{type: volume, source: other, target: /x}]}",
        "s: {image: a, volumes: [{type: bind, source: other, target: /x}]}",
        "s: {image: a, volumes: [{type: tmpfs, target: /x}]}",
        "s: {image: a, volumes_from: [\"b:ro\"]}",
        "s: {image: a, volumes_from: [\"container:b\"]}",
        "s: {image: a, secrets: [known]}",
        "s: {image: a, secrets: [other]}",
        "s: {image: a, secrets: [{source: other, target: x}]}",
        "s: {image: a, configs: [known]}",
        "s: {image: a, configs: [{source: other, target: /x}]}",
        "s: {image: a, extra_hosts: [\"x:1.2.3.4\", \"y=1.2.3.4\"]}",
        "s: {image: a, extra_hosts: [x]}",
        "s: {image: \"${NOWHERE}\"}",
        "s: {image: a, cpus: \"${NOWHERE:-0.5}\", tty: \"${NOWHERE:-yes}\"}",
        "s: {image: a, cpus: \"${NOWHERE:-some}\"}",
        "s: {image: a, ports: [{target: 80, published: \"8080\"}]}",
        "s: {image: a, ports: [{target: web}]}",
        "s: {image: a, ports: {}}",
        "s: {image: a, healthcheck: {interval: 10s, timeout: 1m30s, retries: 3}}",
        "s: {image: a, healthcheck: {interval: often}}",
        "s: {image: a, enviroment: {A: 1}}",
        "s: {image: a, x-own: {A: 1}}",
        "s: {image: a, environment: [{A: 1}]}",
        "s: {image: a, environment: {A: {B: 1}}}",
        "s: {image: a, deploy: {replicas: 2, resources: {limits: {cpus: \"0.5\", memory: 50M}}}}",
        "s: {image: a, deploy: {replica: 2}}",
        "s: {provider: {type: x}}",
        "s: {container_name: x1}",
        "\"s s\": {image: a}",
    ];
    let below = "networks: {known: }\nvolumes: {known: }\nsecrets: {known: {environment: A}}\nconfigs: {known: {content: a}}\n";
    let cases = services.iter().map(|services| {
        let text = format!("services: {{{services}}}\n{below}");
        ((*services).to_owned(), text)
    });
    let mut cases: Vec<(String, String)> = cases.collect();
    for top in [
        "servises: {}",
        "networks: []",
        "volumes: {v: {drivers: local}}",
        "x-a: 1",
        "name: 5",
        "version: 3",
    ] {
        cases.push((top.to_owned(), format!("services: {{s: {{image: a}}}}\n{top}\n")));
    }
    compare_all(&program, cases);
}

/// Loads each project with docker compose and with our reader; fails if only one of them refuses it.
fn compare_all(program: &Path, cases: Vec<(String, String)>) {
    let wrong = std::sync::Mutex::new(Vec::new());
    let cases = std::sync::Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((name, text)) = cases.lock().unwrap().next() else { break };
                    let folder = tempfile::tempdir().unwrap();
                    std::fs::write(folder.path().join("compose.yaml"), text).unwrap();
                    let theirs = oracle(program, folder.path(), &BTreeMap::new());
                    let ours = refusals(folder.path());
                    if theirs.is_err() == ours.is_empty() {
                        let theirs = theirs.err().unwrap_or_else(|| "accepts".to_owned());
                        wrong.lock().unwrap().push(format!("{name}: {theirs} | ours: {ours:?}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
