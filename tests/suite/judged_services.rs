//! `init` on small projects of the kinds that public repositories have: the source of each service's spans, compared
//! with a person's judgement.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 9] = [
    "init",
    "--dry-run",
    "--yes",
    "--all-services",
    "--json",
    "--store",
    "env",
    "--no-ports",
    "--no-verify",
];

/// The minimum share of services on which the program and the person agree.
const AGREEMENT: f64 = 0.97;

#[derive(Deserialize)]
struct JudgedProject {
    kind: String,
    judged: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

/// Returns the source of each service's spans, from `init`.
fn instrumented(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let sandbox = Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY);
    let document = sandbox.run(&INIT).expect(0).json();
    let services = document["instrumentation"].as_object().unwrap().iter();
    let of = |one: &Value| one["instrumented"].as_str().unwrap().to_owned();
    services.map(|(name, one)| (name.clone(), of(one))).collect()
}

#[test]
fn init_instruments_services_as_a_person_would() {
    let projects: Vec<JudgedProject> =
        serde_yaml::from_str(include_str!("judged_services.yaml")).unwrap();
    let (mut judged, mut agreed, mut others) = (0_u32, 0_u32, Vec::new());
    for project in &projects {
        let said = instrumented(&project.files);
        for (service, right) in &project.judged {
            judged += 1;
            match said.get(service) {
                Some(said) if said == right => agreed += 1,
                said => others.push(format!("{}: {service}: {right}, not {said:?}", project.kind)),
            }
        }
        for (service, said) in &said {
            assert!(project.judged.contains_key(service) || said == "none", "{service}: {said}");
        }
    }
    let agreement = f64::from(agreed) / f64::from(judged);
    println!("{agreed} of {judged} services as judged, {agreement:.3}: {others:#?}");
    assert!(judged > 50 && agreement >= AGREEMENT, "{agreement:.3} {others:#?}");
}
