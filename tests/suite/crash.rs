//! `kill -9` at random moments of an apply over five files, one of them in place: each file is old or new afterwards,
//! and the next run finishes or reverts. `CRASH_SEED` repeats a run.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 6] = ["init", "--yes", "--store", "env", "--no-verify", "--public"];

const IN_PLACE: &str = ".gitpod.yml";

const CHANGED: [&str; 5] =
    ["docker-compose.yml", IN_PLACE, "api/requirements.txt", "api/app.py", "worker/app.py"];

const COMPOSE: &str = "services:\n  api:\n    build: ./api\n    ports: ['4567:4567']\n  worker:\n    build: ./worker\n";

const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n";

const PACKAGES: &str = "flask\nopentelemetry-api\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n\
                        opentelemetry-instrumentation-flask\nopentelemetry-instrumentation-requests\n";

const INSTANTS: usize = 200;

const WORKERS: u64 = 2;

fn sandbox() -> Sandbox {
    // Long enough for a kill to find it half written.
    let gitpod = format!("{}tasks: []\n", "# what a person wrote here\n".repeat(4000));
    let files = [
        ("docker-compose.yml", COMPOSE),
        (IN_PLACE, &gitpod),
        ("api/requirements.txt", "flask\n"),
        ("api/app.py", APP),
        ("worker/requirements.txt", PACKAGES),
        ("worker/app.py", APP),
    ];
    Sandbox::new(&files).with("HONEYCOMB_API_KEY", KEY)
}

type Texts = BTreeMap<&'static str, String>;

fn texts(sandbox: &Sandbox) -> Texts {
    CHANGED.iter().map(|path| (*path, sandbox.read(path))).collect()
}

/// Returns whether `text` is `new` up to some byte and `old` from there.
fn is_torn(text: &str, old: &str, new: &str) -> bool {
    let (text, old, new) = (text.as_bytes(), old.as_bytes(), new.as_bytes());
    let same = text.iter().zip(new).take_while(|(one, two)| one == two).count();
    (0..=same).any(|cut| text.get(cut..) == old.get(cut..))
}

/// Returns what changes when a file is written.
fn print(sandbox: &Sandbox) -> Vec<(u64, SystemTime)> {
    let about = CHANGED.iter().map(|path| sandbox.path(path).metadata().unwrap());
    about.map(|about| (about.ino(), about.modified().unwrap())).collect()
}

/// The start of the delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The start of the process.
    Start,
    /// The journal's folder was made: the apply has begun.
    Apply,
    /// This many files were written.
    Files(usize),
}

impl From {
    fn is_reached(self, sandbox: &Sandbox, before: &[(u64, SystemTime)]) -> bool {
        match self {
            Self::Start => true,
            Self::Apply => sandbox.home().join(".local/state/cruddur-ops").exists(),
            Self::Files(count) => {
                let now = print(sandbox);
                let written = now.iter().zip(before).filter(|(now, before)| now != before);
                written.count() >= count
            }
        }
    }
}

/// Starts `init` and kills it `delay` after `from`.
fn killed(sandbox: &Sandbox, from: From, delay: Duration) {
    let before = print(sandbox);
    let mut child = sandbox.command(&INIT).stderr(Stdio::null()).spawn().unwrap();
    while !from.is_reached(sandbox, &before) && child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    let start = Instant::now();
    while start.elapsed() < delay {
        std::hint::spin_loop();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_killed_apply_is_finished_or_taken_back() {
    let given = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(rand::random);
    println!("CRASH_SEED={seed}");
    let whole = sandbox();
    let old = texts(&whole);
    whole.run(&INIT).expect(0);
    let new = texts(&whole);
    assert!(CHANGED.iter().all(|path| old[path] != new[path]));
    let start = Instant::now();
    sandbox().run(&INIT).expect(0);
    let run = start.elapsed();

    let reached = std::thread::scope(|scope| {
        let worker = |number: u64| {
            let (old, new) = (&old, &new);
            scope.spawn(move || kills(seed.wrapping_add(number), run, old, new))
        };
        let workers: Vec<_> = (0..WORKERS).map(worker).collect();
        let reached = workers.into_iter().map(|worker| worker.join().unwrap());
        reached.fold([0; 4], |sum, more| std::array::from_fn(|at| sum[at] + more[at]))
    });
    let [before, amid, done, torn] = reached;
    println!(
        "{before} kills before the first file, {amid} amid the files ({torn} inside one), {done} after the last"
    );
    assert!(amid > 0, "no kill hit the apply");
}

/// Kills some runs; returns how many were killed before, during and after their writes, and how many tore a file.
fn kills(seed: u64, run: Duration, old: &Texts, new: &Texts) -> [usize; 4] {
    let mut random = StdRng::seed_from_u64(seed);
    let mut reached = [0_usize; 4];
    for instant in 0..INSTANTS / WORKERS as usize {
        let sandbox = sandbox();
        // Most of a run is reading and planning: what is written is hit by waiting for it.
        let (from, span) = match instant % 8 {
            0 => (From::Start, run.mul_f64(1.1)),
            1 | 2 => (From::Apply, Duration::from_millis(20)),
            _ => {
                let files = random.random_range(1..CHANGED.len());
                (From::Files(files), Duration::from_millis(2))
            }
        };
        killed(&sandbox, from, span.mul_f64(random.random()));
        let now = texts(&sandbox);
        let mut written = 0;
        for path in CHANGED {
            let (text, old, new) = (&now[path], &old[path], &new[path]);
            written += usize::from(text == new);
            let whole = text == old || text == new;
            let torn = path == IN_PLACE && is_torn(text, old, new);
            assert!(whole || torn, "{path} is half written, at {instant}");
            reached[3] += usize::from(!whole);
        }
        reached[usize::from(written > 0) + usize::from(written == CHANGED.len())] += 1;
        let (command, after): (&[&str], _) = match random.random::<bool>() {
            true => (&INIT, new),
            false => (&["undo", "--yes"], old),
        };
        sandbox.run(command).expect(0);
        assert_eq!(&texts(&sandbox), after, "{command:?} after {instant}");
        assert!(sandbox.files_with_the_key().is_empty());
    }
    reached
}
