//! Slow programs are called once a run, and the user is told what the run waits for.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::closed::Closed;
use crate::fake_cloud::{FakeCloud, Mode as CloudMode};
use crate::fake_gp::{FakeGp, Mode};
use crate::fixtures::{COMPOSE, COMPOSE_WIRED, cruddur};
use crate::sandbox::{KEY, Sandbox};

#[test]
fn gp_is_asked_once_for_its_variables_and_before_and_after_a_change_for_its_ports() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = gp.workspace(Sandbox::new(&cruddur()));
    gp.keep("repo", "HONEYCOMB_API_KEY", KEY);
    for port in [3000, 4567, 5432] {
        gp.port(port, "private");
    }
    let closed = Closed::new();
    let arguments = ["init", "--yes", "--public", "--no-instrument", "--endpoint", &closed.url()];
    // The test trace finds nobody.
    sandbox.run(&arguments).expect(1);
    assert_eq!(
        gp.calls().lines().collect::<Vec<_>>(),
        [
            "env",
            "ports list --no-color",
            "ports visibility 3000:public",
            "ports visibility 4567:public",
            "ports list --no-color",
        ]
    );
    assert_eq!(gp.visibility(4567).as_deref(), Some("public"));
}

#[test]
fn gp_is_asked_again_after_a_change_alone() {
    let gp = FakeGp::new(Mode::Well);
    let sandbox = gp.workspace(Sandbox::new(&[("compose.yaml", COMPOSE_WIRED)]));
    let set = ["key", "set", "--stdin"];
    crate::gp::run_with_input(&sandbox, &set, KEY).expect(0);
    let calls = gp.calls();
    assert_eq!(calls.lines().collect::<Vec<_>>(), ["env", "env HONEYCOMB_API_KEY=…", "env"]);
    sandbox.run(&["run", "--", "true"]).expect(0);
    sandbox.run(&["key", "status"]).expect(0);
    assert_eq!(gp.calls().lines().count(), 5);
    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    let last: Vec<String> = gp.calls().lines().skip(5).map(str::to_owned).collect();
    assert_eq!(last, ["env", "env -u HONEYCOMB_API_KEY", "env"]);
}

#[test]
fn a_bus_that_never_answers_is_asked_once_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            count.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    let closed = Closed::new();
    let url = closed.url();
    let address = format!("unix:path={}", path.display());
    for (compose, arguments, status) in [
        (COMPOSE, &["init", "--yes", "--no-instrument", "--endpoint", &url][..], 1),
        (COMPOSE_WIRED, &["verify", "--local"], 0),
        (COMPOSE_WIRED, &["key", "status"], 0),
        (COMPOSE_WIRED, &["run", "--", "true"], 0),
    ] {
        let sandbox = Sandbox::new(&[("compose.yaml", compose)])
            .with("HONEYCOMB_API_KEY", KEY)
            .with("DBUS_SESSION_BUS_ADDRESS", &address);
        asked.store(0, Ordering::SeqCst);
        let run = sandbox.run(arguments).expect(status);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{arguments:?}");
        assert_eq!(run.stderr.matches("asking the keyring").count(), 1, "{}", run.stderr);
    }
}

/// Adds a slow `docker` without containers to the sandbox.
fn with_slow_docker(sandbox: Sandbox, folder: &std::path::Path) -> Sandbox {
    let program = folder.join("docker");
    std::fs::write(&program, "#!/bin/sh\nsleep 1\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.with("PATH", &format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()))
}

#[test]
fn a_slow_program_is_named_once_unless_quiet() {
    let (gp, gh) = (FakeGp::new(Mode::Slow), FakeCloud::codespace(CloudMode::Slow));
    let folder = tempfile::tempdir().unwrap();
    let key = |sandbox: Sandbox| sandbox.with("HONEYCOMB_API_KEY", KEY);
    let wired = || Sandbox::new(&cruddur());
    let closed = Closed::new();
    let init = ["init", "--yes", "--no-instrument", "--store", "env", "--endpoint", &closed.url()];
    for (sandbox, arguments, whom) in [
        (gp.workspace(key(wired())), &["key", "status"][..], "asking gp env"),
        (gp.workspace(key(wired())), &["ports"], "asking gp ports"),
        (gh.workspace(key(wired())), &["ports"], "asking gh codespace"),
        (with_slow_docker(key(wired()), folder.path()), &init, "asking docker"),
    ] {
        // The test trace of `init` finds nobody.
        let status = i32::from(arguments[0] == "init");
        let run = sandbox.run(arguments).expect(status);
        assert_eq!(run.stderr.matches(whom).count(), 1, "{}", run.stderr);
        let json = sandbox.run(&[arguments, &["--json"]].concat()).expect(status);
        assert!(json.json().is_object(), "{}", json.stdout);
        let quiet = sandbox.run(&[arguments, &["--quiet"]].concat()).expect(status);
        assert!(!quiet.stderr.contains("asking"), "{}", quiet.stderr);
    }
    let quick = FakeGp::new(Mode::Well);
    let run = quick.workspace(key(wired())).run(&["key", "status"]).expect(0);
    assert!(!run.stderr.contains("asking"), "{}", run.stderr);
}
