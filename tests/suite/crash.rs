//! `kill -9` at any instant of an apply: each file is old or new afterwards, and the next run finishes or takes back.

use std::time::{Duration, Instant};

use crate::fixtures::{COMPOSE, COMPOSE_WIRED, GITPOD, GITPOD_PUBLIC, cruddur};
use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 7] = [
    "init",
    "--yes",
    "--store",
    "env",
    "--no-verify",
    "--no-instrument",
    "--public",
];

fn sandbox() -> Sandbox {
    Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY)
}

/// The program, killed after `delay`.
fn killed_after(sandbox: &Sandbox, delay: Duration) {
    let mut child = sandbox
        .command(&INIT)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while start.elapsed() < delay {
        std::hint::spin_loop();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_killed_apply_is_finished_or_taken_back() {
    let start = Instant::now();
    sandbox().run(&INIT).expect(0);
    let whole = start.elapsed();
    for step in 0..48_u32 {
        let sandbox = sandbox();
        killed_after(&sandbox, whole * step / 40);
        let compose = sandbox.read("docker-compose.yml");
        assert!(
            compose == COMPOSE || compose == COMPOSE_WIRED,
            "half a compose file:\n{compose}"
        );
        if step % 2 == 0 {
            sandbox.run(&INIT).expect(0);
            assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE_WIRED);
            assert_eq!(sandbox.read(".gitpod.yml"), GITPOD_PUBLIC);
        } else {
            sandbox.run(&["undo", "--yes"]).expect(0);
            assert_eq!(sandbox.read("docker-compose.yml"), COMPOSE);
            assert_eq!(sandbox.read(".gitpod.yml"), GITPOD);
        }
        assert!(sandbox.files_with_the_key().is_empty());
    }
}
