//! `kill -9` at random moments of the commands that write, with the key in `.env`: afterwards `git add --all` never
//! adds the key, and the next run finishes. `CRASH_SEED` repeats a run, `CRASH_KILLS` sets the number of kills.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::fixtures::cruddur;
use crate::sandbox::{KEY, Sandbox, list_files};

const INIT: [&str; 5] = ["init", "--yes", "--store", "dotenv", "--no-verify"];

/// The state of the project before the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Before `init`.
    Bare,
    /// After `init`.
    Wired,
    /// After `init`, with mistakes that `doctor` fixes.
    Broken,
}

const COMMANDS: [(&[&str], Before); 4] = [
    (&INIT, Before::Bare),
    (&["undo", "--yes"], Before::Wired),
    (&["ports", "--public", "--yes"], Before::Wired),
    (&["doctor", "--fix", "--yes"], Before::Broken),
];

const KILLS: usize = 48;

const WORKERS: u64 = 2;

/// The file that is overwritten in place.
const IN_PLACE: &str = ".gitpod.yml";

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn git(sandbox: &Sandbox, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(sandbox.project()).env("HOME", sandbox.home());
    command.output().unwrap().status.success()
}

fn sandbox(start: Before) -> Sandbox {
    let sandbox = Sandbox::new(&cruddur()).with("HONEYCOMB_API_KEY", KEY);
    sandbox.write("backend-flask/app.py", "from flask import Flask\n\napp = Flask(__name__)\n");
    assert!(git(&sandbox, &["init", "--quiet"]));
    if start != Before::Bare {
        sandbox.run(&INIT).expect(0);
    }
    if start == Before::Broken {
        let compose = sandbox.read("docker-compose.yml");
        sandbox.write("docker-compose.yml", &compose.replace("team=${", "team:${"));
        let packages = sandbox.read("backend-flask/requirements.txt");
        sandbox.write("backend-flask/requirements.txt", &format!("{packages}flask-cors\n"));
    }
    sandbox
}

/// Returns every file of the project except git's own and temporary ones.
fn files(sandbox: &Sandbox) -> Files {
    let files = list_files(&sandbox.project()).into_iter().map(|path| {
        let bytes = std::fs::read(&path).unwrap();
        (path.strip_prefix(sandbox.project()).unwrap().to_owned(), bytes)
    });
    files.filter(|(path, _)| !path.starts_with(".git") && !is_temporary(path)).collect()
}

fn is_temporary(path: &std::path::Path) -> bool {
    path.to_string_lossy().contains(".cruddur-ops-")
}

/// Returns the journal's latest time, which changes when it is written.
fn journal_print(sandbox: &Sandbox) -> Option<SystemTime> {
    let state = std::fs::read_dir(sandbox.home().join(".local/state/cruddur-ops")).ok()?;
    let folders = state.flatten().filter_map(|folder| std::fs::read_dir(folder.path()).ok());
    let entries = folders.flatten().flatten().map(|entry| entry.path());
    let entries =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    entries.filter_map(|path| path.metadata().ok()?.modified().ok()).max()
}

/// Starts the command and kills it `delay` after its start, or after its first write.
fn kill(sandbox: &Sandbox, command: &[&str], from_writing: bool, delay: Duration) {
    let before = journal_print(sandbox);
    let mut child =
        sandbox.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while from_writing && journal_print(sandbox) == before && child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    let start = Instant::now();
    while start.elapsed() < delay {
        std::hint::spin_loop();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

fn git_takes_the_key(sandbox: &Sandbox) -> bool {
    assert!(git(sandbox, &["add", "--all"]));
    let takes = git(sandbox, &["grep", "--cached", "--quiet", KEY]);
    assert!(git(sandbox, &["rm", "-r", "--cached", "--quiet", "--force", "."]));
    takes
}

/// Returns whether a file is torn between its old and its new bytes.
fn is_torn(now: &[u8], old: &[u8], new: &[u8]) -> bool {
    let same = now.iter().zip(new).take_while(|(one, other)| one == other).count();
    !(0..=same).any(|cut| now.get(cut..) == Some(old.get(cut..).unwrap_or_default()))
}

/// Kills some runs; returns how many were killed before, during and after their writes, and how many left a temporary
/// file.
fn kills(seed: u64, count: usize) -> [usize; 4] {
    let mut random = StdRng::seed_from_u64(seed);
    let mut seen = [0; 4];
    for at in 0..count {
        let (command, start_from) = COMMANDS[at % COMMANDS.len()];
        let whole = sandbox(start_from);
        let old = files(&whole);
        let start = Instant::now();
        whole.run(command);
        let run = start.elapsed();
        let new = files(&whole);
        assert_ne!(old, new, "{command:?} has nothing to do");

        let sandbox = sandbox(start_from);
        let from_writing = random.random_range(0..4) > 0;
        let span = if from_writing { Duration::from_millis(30) } else { run.mul_f64(1.2) };
        kill(&sandbox, command, from_writing, span.mul_f64(random.random()));
        let now = files(&sandbox);
        let mut written = 0;
        for path in old.keys().chain(new.keys()) {
            let (now, old, new) = (now.get(path), old.get(path), new.get(path));
            let is_whole = now == old || now == new;
            let [now, old_text, new_text] =
                [now, old, new].map(|text| text.map_or(&[][..], |text| &text[..]));
            let may_be_cut = path.ends_with(IN_PLACE) && !is_torn(now, old_text, new_text);
            assert!(is_whole || may_be_cut, "{} is torn by {command:?}", path.display());
            written += usize::from(old != new && now == new_text);
        }
        let all =
            old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)).count();
        seen[usize::from(written > 0) + usize::from(written == all)] += 1;
        let with_the_key = sandbox.files_with_the_key();
        seen[3] += usize::from(with_the_key.iter().any(|path| is_temporary(path)));
        assert!(!git_takes_the_key(&sandbox), "after {command:?}");
        let known = |path: &PathBuf| path.ends_with(".env") || is_temporary(path);
        assert!(with_the_key.iter().all(known), "{with_the_key:?} after {command:?}");

        sandbox.run(&INIT).expect(0);
        assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")], "after {command:?}");
        assert!(!git_takes_the_key(&sandbox), "after {command:?} and init");
    }
    seen
}

#[test]
fn a_killed_run_leaves_no_key_that_git_would_take() {
    let given = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = given("CRASH_SEED").unwrap_or_else(rand::random);
    let count = given("CRASH_KILLS").map_or(KILLS, |count| count as usize);
    println!("CRASH_SEED={seed} CRASH_KILLS={count}");
    let seen = std::thread::scope(|scope| {
        let worker = |number| {
            scope.spawn(move || kills(seed.wrapping_add(number), count / WORKERS as usize))
        };
        let workers: Vec<_> = (0..WORKERS).map(worker).collect();
        let seen = workers.into_iter().map(|worker| worker.join().unwrap());
        seen.fold([0; 4], |sum, more| std::array::from_fn(|at| sum[at] + more[at]))
    });
    let [before, amid, after, left] = seen;
    println!(
        "{before} before the first file, {amid} amid the files, {after} after the last; {left} temporary keys"
    );
    assert!(amid > 0, "no kill hit the writing");
}
