//! Keys in Gitpod's variables, through a fake `gp` that behaves like the real one.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cruddur_ops::error::{ErrorCode, Result};
use cruddur_ops::shell::Shell;
use cruddur_ops::workspace::{ChangeProof, LiveVisibility, VisibilityRequest, Workspace};

use crate::fake_gp::{FakeGp, Mode};
use crate::sandbox::{KEY, PLANTED, Run, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      H: x=${HONEYCOMB_API_KEY}\n",
);

/// Runs the program with `input` on stdin.
pub fn run_with_input(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Run {
    let mut child = sandbox
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let run = Run {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    for stream in [&run.stdout, &run.stderr] {
        let found = PLANTED.iter().any(|secret| stream.contains(secret));
        assert!(!found, "a secret is in the output of {arguments:?}");
    }
    run
}

fn workspace(gp: &FakeGp) -> Sandbox {
    gp.workspace(Sandbox::new(&[COMPOSE]))
}

#[test]
fn in_gitpod_a_new_key_goes_to_gp_and_nowhere_else() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp);
    let set = run_with_input(&sandbox, &["key", "set", "--stdin"], &format!("{KEY}\n")).expect(0);
    set.shows("gp_key_set");
    assert_eq!(gp.kept("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());

    let status = sandbox.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["run_takes"], "gp");
    assert_eq!(status["compose_takes"], serde_json::Value::Null);
    assert_eq!(status["stores"][0]["masked"], "****qrst");

    let run = sandbox.run(&["run", "--", "sh", "-c", "echo ${#HONEYCOMB_API_KEY}"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("64\n", ""));

    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    assert_eq!(gp.kept("HONEYCOMB_API_KEY"), None);
    sandbox.run(&["key", "status"]).expect(1);
}

#[test]
fn values_with_quotes_and_lines_come_back_as_they_were() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp);
    gp.keep("repo", "OTHER", "a\nB=2");
    for token in ["say-\"hi\"-$x-`y`-z", "ends-with-a-backslash-\\"] {
        let arguments = ["key", "set", "--variable", "TOKEN", "--stdin"];
        run_with_input(&sandbox, &arguments, token).expect(0);
        assert_eq!(gp.kept("TOKEN").as_deref(), Some(token));
    }
}

#[test]
fn a_value_that_does_not_read_back_is_a_failure() {
    let gp = FakeGp::new(Mode::Lossy);
    let sandbox = workspace(&gp);
    let set = run_with_input(&sandbox, &["key", "set", "--stdin"], KEY).expect(2);
    assert!(set.stderr.contains("error[store-failed]"), "{}", set.stderr);
    set.shows("gp_key_not_kept");
}

#[test]
fn gp_that_never_answers_is_given_up() {
    let gp = FakeGp::new(Mode::Sleep);
    let sandbox = workspace(&gp);
    let begun = Instant::now();
    let set = run_with_input(&sandbox, &["key", "set", "--store", "gp", "--stdin"], KEY).expect(2);
    set.shows("gp_silent");
    assert!(begun.elapsed() < Duration::from_secs(120));
    assert_eq!(gp.kept("HONEYCOMB_API_KEY"), None);
}

#[test]
fn outside_a_workspace_gp_is_no_store() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp).with("GITPOD_WORKSPACE_ID", "");
    let set = run_with_input(&sandbox, &["key", "set", "--store", "gp", "--stdin"], KEY).expect(2);
    assert!(set.stderr.contains("error[store-unavailable]"), "{}", set.stderr);
    assert_eq!(gp.calls(), "", "gp was not even asked");
}

#[test]
fn a_variable_of_the_user_cannot_be_removed_from_here_and_that_is_said() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp);
    gp.keep("user", "HONEYCOMB_API_KEY", KEY);
    let forget = sandbox.run(&["key", "forget", "--yes"]).expect(2);
    forget.shows("gp_key_of_the_user");
}

#[test]
fn a_service_name_in_gitpods_variables_is_warned_of() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp);
    gp.keep("repo", "HONEYCOMB_API_KEY", KEY);
    gp.keep("repo", "OTEL_SERVICE_NAME", "backend");
    let status = sandbox.run(&["key", "status"]).expect(0);
    status.shows("gp_service_name");
}

#[test]
fn an_old_value_of_this_shell_is_named_with_what_loads_the_new_one() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp).with("HONEYCOMB_API_KEY", "an-older-key-of-this-shell");
    gp.keep("repo", "HONEYCOMB_API_KEY", KEY);
    let status = sandbox.run(&["key", "status"]).expect(0);
    status.shows("gp_stale_shell");
    assert!(!status.stderr.contains("an-older-key"), "{}", status.stderr);
}

/// Returns the workspace as the library sees it.
fn ports(gp: &FakeGp) -> Workspace {
    let command = workspace(gp).command(&[]);
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())));
    Workspace::detect(&Shell::new(variables, std::env::temp_dir()))
}

/// Makes a port public.
fn open(gp: &FakeGp, port: u16) -> Result<ChangeProof> {
    let opening =
        VisibilityRequest { port, visibility: LiveVisibility::Public, name: "web".to_owned() };
    let opened = ports(gp).open(&[opening]).remove(0)?;
    Ok(opened.proof)
}

#[test]
fn live_ports_are_listed_opened_and_looked_at_again() {
    let gp = FakeGp::new(Mode::Well);
    assert_eq!(ports(&gp).live_ports().unwrap(), []);
    gp.port(3000, "private");
    gp.port(5432, "unserved");
    let listed = ports(&gp).live_ports().unwrap();
    assert_eq!(listed[0].visibility, Some(LiveVisibility::Private));
    assert_eq!(listed[0].url.as_deref(), Some("https://3000-me-app.ws-eu11.gitpod.io"));
    assert!(listed[0].served && !listed[1].served);

    let opened = open(&gp, 3000);
    assert_eq!(opened, Ok(ChangeProof::Listed));
    assert_eq!(gp.visibility(3000).as_deref(), Some("public"));
    assert_eq!(open(&gp, 5432), Ok(ChangeProof::Said));
}

#[test]
fn a_port_that_stays_as_it_was_is_no_success() {
    let gp = FakeGp::new(Mode::Stuck);
    gp.port(3000, "private");
    let error = open(&gp, 3000);
    assert_eq!(error.unwrap_err().code, ErrorCode::VisibilityUnchanged);
}

#[test]
fn a_list_that_crashes_is_an_error_and_hinders_no_change() {
    let gp = FakeGp::new(Mode::Panic);
    gp.port(3000, "private");
    let error = ports(&gp).live_ports().unwrap_err();
    assert_eq!(error.code, ErrorCode::WorkspaceFailed);
    assert!(error.message.contains("crashed"), "{error}");
    assert_eq!(open(&gp, 3000), Ok(ChangeProof::Said));
}

#[test]
fn init_in_gitpod_stores_the_key_with_gp_and_in_no_file() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = workspace(&gp);
    let arguments = ["init", "--yes", "--no-verify", "--no-instrument", "--key-stdin"];
    let init = run_with_input(&sandbox, &arguments, KEY).expect(0);
    init.shows("gp_init");
    assert_eq!(gp.kept("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());
    let compose = sandbox.read("compose.yaml");
    assert!(compose.contains("x-honeycomb-team=${HONEYCOMB_API_KEY}"), "{compose}");

    let again = sandbox.run(&arguments[..4]).expect(0);
    again.shows_no_diff();

    // A wired project, and a key that its store does not have: another one, the same, or any where there is none.
    let other = KEY.replace('a', "b");
    let pending = [&arguments[..1], &arguments[2..], &["--check"]].concat();
    run_with_input(&sandbox, &pending, &other).expect(1);
    assert_eq!(gp.kept("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
    run_with_input(&sandbox, &arguments, &other).expect(0);
    assert_eq!(gp.kept("HONEYCOMB_API_KEY"), Some(other.clone()));
    let same = run_with_input(&sandbox, &arguments, &other).expect(0);
    same.shows_no_diff();
    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    run_with_input(&sandbox, &arguments, KEY).expect(0);
    assert_eq!(gp.kept("HONEYCOMB_API_KEY").as_deref(), Some(KEY));
}

#[test]
fn an_empty_key_in_the_shell_is_loaded_from_gp_not_unset() {
    let honeycomb =
        crate::fake_honeycomb::Honeycomb::start(&[(KEY, crate::fake_honeycomb::Key::Ingest)]);
    let gp = FakeGp::new(Mode::Well);
    gp.keep("repo", "HONEYCOMB_API_KEY", KEY);
    let sandbox = gp.workspace(crate::verify::project(&honeycomb.url()));
    let loads = "gp env -e";
    for (value, says_so) in [("", true), (&KEY[..40], true), (KEY, false)] {
        let sandbox =
            gp.workspace(crate::verify::project(&honeycomb.url())).with("HONEYCOMB_API_KEY", value);
        let status = sandbox.run(&["key", "status", "--json"]).json();
        assert_eq!(status["warnings"].to_string().contains(loads), says_so, "{status}");
        let verdict = sandbox.run(&["verify", "--json"]).expect(0).json();
        let configured = &verdict["services"][0]["checks"][0];
        assert_eq!(configured["hint"].to_string().contains(loads), says_so, "{configured}");
    }
    let found = sandbox.with("HONEYCOMB_API_KEY", "").run(&["doctor", "--json"]).json();
    let unset = found["findings"].as_array().unwrap().iter().find(|one| one["code"] == "key-unset");
    assert!(unset.unwrap().to_string().contains(loads), "{found:#}");
}

#[test]
fn a_terminal_that_is_older_than_its_key_is_named_with_what_loads_it() {
    let honeycomb =
        crate::fake_honeycomb::Honeycomb::start(&[(KEY, crate::fake_honeycomb::Key::Ingest)]);
    let wired = |gp: &FakeGp| {
        let sandbox = gp.workspace(crate::verify::project(&honeycomb.url()));
        sandbox.without("HONEYCOMB_API_KEY")
    };
    for (store, line, is_named) in
        [("gp", "", true), ("gp", "HONEYCOMB_API_KEY=", false), ("nowhere", "", false)]
    {
        let gp = FakeGp::new(Mode::Well);
        if store == "gp" {
            gp.keep("repo", "HONEYCOMB_API_KEY", KEY);
        }
        let sandbox = wired(&gp);
        if !line.is_empty() {
            sandbox.write(".env", &format!("{line}{KEY}\n"));
        }
        let document = sandbox.run(&["doctor", "--json"]).json();
        let mut findings = document["findings"].as_array().unwrap().iter();
        let found = findings.find(|one| one["code"] == "key-stale").map(ToString::to_string);
        let says = |words: &str| found.as_ref().is_some_and(|text| text.contains(words));
        assert_eq!(says("gp env -e") && says("cruddur-ops run --"), is_named, "{document:#}");
        if store == "gp" && line.is_empty() {
            let verdict = sandbox.run(&["verify", "--json"]).expect(0).json();
            let configured = verdict["services"][0]["checks"][0].to_string();
            assert!(configured.contains("cruddur-ops run --"), "{configured}");
            let plan = sandbox.run(&["init", "--yes", "--no-verify", "--no-instrument"]).expect(0);
            assert!(plan.stderr.contains("cruddur-ops run -- docker compose"), "{}", plan.stderr);
        }
    }
}
