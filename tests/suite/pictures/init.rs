//! `init`: plans, writes, questions, refusals.

use super::Transcript;
use crate::fake_honeycomb::{Honeycomb, Key};
use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox, TOKEN};

fn project() -> Sandbox {
    Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY)
}

#[test]
fn a_plan_that_is_only_shown() {
    Transcript::of(&project())
        .run(&["init", "--no-verify", "--public", "--dry-run"])
        .run(&["init", "--no-verify", "--check"])
        .matches("init_shown");
}

#[test]
fn a_plan_that_is_written_and_a_second_run() {
    let init = ["init", "--yes", "--store", "env", "--no-verify"];
    Transcript::of(&project())
        .run(&init)
        .run(&init)
        .run(&["init", "--no-verify", "--check"])
        .matches("init_written");
}

#[test]
fn a_key_from_standard_input_is_kept_in_dotenv() {
    let sandbox = Sandbox::new(&cruddur());
    Transcript::of(&sandbox)
        .feed(&["init", "--yes", "--store", "dotenv", "--key-stdin", "--no-verify"], KEY)
        .matches("init_dotenv");
}

#[test]
fn the_plan_as_json() {
    Transcript::of(&project())
        .run(&["init", "--yes", "--store", "env", "--no-verify", "--json"])
        .matches("init_json");
}

#[test]
fn answers_that_are_missing() {
    Transcript::of(&Sandbox::new(&cruddur()))
        .run(&["init", "--no-verify"])
        .run(&["init", "--no-verify", "--yes"])
        .run(&["init", "--no-verify", "--store", "none"])
        .run(&["init", "--no-verify", "--yes", "--store", "none", "--with", "xray"])
        .run(&["init", "--no-verify", "--json"])
        .matches("init_missing_answers");
}

#[test]
fn answers_that_cannot_be_used() {
    Transcript::of(&project())
        .run(&["init", "--no-verify", "--yes", "--region", "mars"])
        .run(&["init", "--no-verify", "--yes", "--service", "api"])
        .run(&["init", "--no-verify", "--yes", "--provider", "nobody"])
        .run(&["init", "--no-verify", "--yes", "--provider", "dynatrace"])
        .run(&["init", "--no-verify", "--yes", "--provider", "aws-xray"])
        .run(&["init", "--no-verify", "--yes", "--provider", "otlp"])
        .run(&["init", "--no-verify", "--yes", "--endpoint", "collector:4318"])
        .matches("init_wrong_answers");
}

#[test]
fn a_file_that_cannot_be_edited_gets_lines_to_paste() {
    let string = "services:\n  api:\n    build: .\n    environment: FOO=1\n";
    let sandbox = Sandbox::new(&[("docker-compose.yml", string)]).with("HONEYCOMB_API_KEY", KEY);
    let init = ["init", "--yes", "--store", "env", "--no-verify", "--service", "api"];
    Transcript::of(&sandbox)
        .run(&init)
        .run(&[&init[..], &["--json"]].concat())
        .matches("init_refused_edit");
}

#[test]
fn files_that_cannot_be_read() {
    let sandbox = Sandbox::new(&[("compose.yaml", "services:\n  api:\n\tbuild: .\n")])
        .with("HONEYCOMB_API_KEY", KEY);
    let circle = Sandbox::new(&[("compose.yaml", "services: {a: {build: ., extends: a}}\n")])
        .with("HONEYCOMB_API_KEY", KEY);
    let init = ["init", "--yes", "--store", "env", "--no-verify"];
    Transcript::of(&sandbox).run(&init).matches("init_invalid_yaml");
    Transcript::of(&circle).run(&init).matches("init_compose_cycle");
}

#[test]
fn add_ons_and_other_providers() {
    let sandbox = project().with("ROLLBAR_ACCESS_TOKEN", TOKEN);
    let region = ["--aws-region", "eu-west-3"];
    Transcript::of(&sandbox)
        .run(
            &[&["init", "--no-verify", "--dry-run", "--with", "xray,rollbar"][..], &region]
                .concat(),
        )
        .run(&["init", "--no-verify", "--dry-run", "--provider", "collector"])
        .run(&["init", "--no-verify", "--dry-run", "--all-services"])
        .matches("init_other_ways");
}

#[test]
fn a_key_that_honeycomb_does_not_know_and_one_that_it_knows() {
    let sandbox = project();
    let (stranger, friend) = (Honeycomb::start(&[]), Honeycomb::start(&[(KEY, Key::Ingest)]));
    let init = ["init", "--yes", "--store", "env", "--no-instrument", "--endpoint"];
    Transcript::of(&sandbox)
        .run(&[&init[..], &[&stranger.url()]].concat())
        .run(&[&init[..], &[&friend.url()]].concat())
        .matches("init_verified");
}
