//! Each system call that writes, made to fail or interrupted with `strace`: the key is where the program says, or
//! nowhere.
//!
//! A part of the calls is taken; `WRITE_FAULTS=all` takes all of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{APP, GITPOD, assert_same, in_place_of, tree};
use crate::fixtures::COMPOSE;
use crate::gp::run_with_input;
use crate::sandbox::{KEY, Run, Sandbox};

const INIT: [&str; 7] =
    ["init", "--yes", "--key-stdin", "--store", "dotenv", "--no-verify", "--public"];

/// The system calls that write. Each architecture has some of them.
const WRITING: &str = "?open,openat,write,fsync,fdatasync,linkat,?rename,?renameat,?renameat2,?mkdir,mkdirat,\
                       fchmod,fchown,ftruncate,?unlink,unlinkat,?rmdir,flock";

/// Creates a repository with everything that `init` writes, with or without a `.env` that git does not ignore.
fn sandbox(env: Option<&str>) -> Sandbox {
    let mut files = vec![
        ("docker-compose.yml", COMPOSE),
        (".gitpod.yml", GITPOD),
        ("backend-flask/requirements.txt", "flask\n"),
        ("backend-flask/app.py", APP),
    ];
    files.extend(env.map(|text| (".env", text)));
    let sandbox = Sandbox::new(&files);
    git(&sandbox, &["init", "--quiet"]);
    sandbox
}

fn git(sandbox: &Sandbox, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(sandbox.project()).env("HOME", sandbox.home());
    command.output().unwrap().status.success()
}

/// Returns whether `git add --all` would add the key.
fn git_takes_the_key(sandbox: &Sandbox) -> bool {
    assert!(git(sandbox, &["add", "--all"]));
    let takes = git(sandbox, &["grep", "--cached", "--quiet", KEY]);
    assert!(git(sandbox, &["rm", "-r", "--cached", "--quiet", "--force", "."]));
    takes
}

/// Returns the project's files, without git's.
fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = tree(&sandbox.project());
    files.retain(|path, _| !path.starts_with(".git"));
    files
}

fn leftovers(sandbox: &Sandbox) -> Vec<PathBuf> {
    let ours = |path: &PathBuf| path.to_string_lossy().contains(".cruddur-ops-");
    let folders = [sandbox.project(), sandbox.path("backend-flask")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    entries.map(|entry| entry.unwrap().path()).filter(ours).collect()
}

/// One system call of a run: the `nth` of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    name: String,
    nth: usize,
    line: String,
}

/// Runs the program under `strace`, with the key on its input; `None`, with a message, if that is impossible.
fn traced(
    sandbox: &Sandbox,
    arguments: &[&str],
    options: &[&str],
    trace: &Path,
) -> Option<Command> {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("skipped: no `strace`, or it may not trace here");
        return None;
    }
    let key = sandbox.home().with_file_name("input");
    std::fs::write(&key, KEY).unwrap();
    let program = sandbox.command(arguments);
    let mut command = Command::new("strace");
    command.args(["-qq", "-s", "512", "-o"]).arg(trace);
    command.arg("-e").arg(format!("trace={WRITING}")).args(options);
    command.arg(program.get_program()).args(arguments);
    let mut command = in_place_of(&program, command);
    command.stdin(File::open(&key).unwrap());
    // Only the store and the trace may hold the key afterwards.
    std::fs::remove_file(key).unwrap();
    Some(command)
}

/// Returns the writing calls between the first access to the journal and the last write to it.
fn calls(sandbox: &Sandbox, arguments: &[&str]) -> Option<Vec<Call>> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    Run::of(traced(sandbox, arguments, &[], &trace)?).expect(0);
    let text = std::fs::read_to_string(&trace).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let count = counts.entry(name).or_default();
        *count += 1;
        let reads = name.starts_with("open") && !rest.contains("O_WRONLY");
        let speaks = name == "write" && (rest.starts_with("1,") || rest.starts_with("2,"));
        let failed = rest.contains(" = -1 ");
        let call = Call { name: name.to_owned(), nth: *count, line: line.to_owned() };
        calls.push((call, reads || speaks || failed || rest.contains("/dev/null")));
    }
    let is_journal = |(call, _): &(Call, bool)| call.line.contains("/.local/state/cruddur-ops");
    let first = calls.iter().position(is_journal)?;
    let last = calls.iter().rposition(is_journal)?;
    let within = calls.into_iter().skip(first).take(last + 1 - first);
    Some(within.filter(|(_, harmless)| !harmless).map(|(call, _)| call).collect())
}

/// Returns every `step`th of the calls, or all if the variable asks for that.
fn chosen(calls: Vec<Call>, step: usize, from: usize) -> Vec<Call> {
    let step = if std::env::var("WRITE_FAULTS").is_ok_and(|all| all == "all") { 1 } else { step };
    calls.into_iter().skip(from % step).step_by(step).collect()
}

fn fault(call: &Call) -> &'static str {
    match call.name.as_str() {
        "write" | "mkdir" | "mkdirat" | "linkat" | "open" | "openat" => "ENOSPC",
        "fchmod" | "fchown" => "EROFS",
        "flock" => "ENOLCK",
        _ => "EIO",
    }
}

/// Runs `init` with one fault at one call.
fn init_with(sandbox: &Sandbox, call: &Call, what: &str) -> Option<Run> {
    let inject = format!("inject={}:{what}:when={}", call.name, call.nth);
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let run = Run::of(traced(sandbox, &INIT, &["-e", &inject], &trace)?);
    let text = std::fs::read_to_string(&trace).unwrap();
    assert!(text.contains("INJECTED") || text.contains("SIGKILL"), "{call:?} did not happen");
    Some(run)
}

/// Checks that the next run finishes, that everything can be undone, and that no file of ours is left.
fn ends_well(
    sandbox: &Sandbox,
    before: &BTreeMap<PathBuf, Vec<u8>>,
    env: Option<&str>,
    call: &Call,
) {
    run_with_input(sandbox, &INIT, KEY).expect(0);
    assert_eq!(leftovers(sandbox), Vec::<PathBuf>::new(), "after {call:?}");
    assert_eq!(sandbox.files_with_the_key(), [sandbox.path(".env")], "after {call:?}");
    assert!(!git_takes_the_key(sandbox), "after {call:?}");
    sandbox.run(&["key", "forget", "--store", "dotenv", "--yes"]).expect(0);
    sandbox.run(&["undo", "--yes"]).expect(0);
    if env.is_none() {
        let _ = std::fs::remove_file(sandbox.path(".env"));
    }
    assert_same(&files(sandbox), before);
}

#[test]
fn a_write_that_fails_leaves_the_key_where_it_is_said_to_be_or_nowhere() {
    let mut names = BTreeMap::new();
    for (at, env) in [None, Some("A=1\n")].into_iter().enumerate() {
        let Some(calls) = calls(&sandbox(env), &INIT) else { return };
        for call in chosen(calls, 4, at) {
            let sandbox = sandbox(env);
            let before = files(&sandbox);
            let Some(run) = init_with(&sandbox, &call, &format!("error={}", fault(&call))) else {
                return;
            };
            *names.entry(call.name.clone()).or_insert(0) += 1;
            let is_stored = sandbox.files_with_the_key().contains(&sandbox.path(".env"));
            let says_as_before = run.stderr.contains("no file was changed");
            match run.status {
                0 => assert!(is_stored, "{call:?}"),
                2 if is_stored => {
                    assert!(!says_as_before, "{call:?}: {}", run.stderr);
                    assert!(run.stderr.contains("is stored in .env"), "{call:?}: {}", run.stderr);
                }
                2 => assert_same(&files(&sandbox), &before),
                status => panic!("{status} at {call:?}: {}", run.stderr),
            }
            assert!(!git_takes_the_key(&sandbox), "{call:?}: {}", run.stderr);
            ends_well(&sandbox, &before, env, &call);
        }
    }
    let faults: usize = names.values().sum();
    println!("{faults} faults: {names:?}");
    assert!(faults >= 16 && names.len() >= 8, "{names:?}");
}

#[test]
fn a_kill_at_any_call_leaves_no_key_that_git_would_take() {
    let mut kills = 0;
    for (at, env) in [None, Some("A=1\n")].into_iter().enumerate() {
        let whole = sandbox(env);
        let Some(calls) = calls(&whole, &INIT) else { return };
        let after = files(&whole);
        for call in chosen(calls, 6, at) {
            let sandbox = sandbox(env);
            let before = files(&sandbox);
            let Some(_) = init_with(&sandbox, &call, "signal=KILL") else { return };
            kills += 1;
            for (path, now) in files(&sandbox) {
                let is_ours = path.to_string_lossy().contains(".cruddur-ops-");
                let old_or_new = [before.get(&path), after.get(&path)].contains(&Some(&now));
                let in_place = path.ends_with(".gitpod.yml");
                assert!(is_ours || in_place || old_or_new, "{} after {call:?}", path.display());
            }
            assert!(!git_takes_the_key(&sandbox), "{call:?}");
            ends_well(&sandbox, &before, env, &call);
        }
    }
    println!("{kills} kills");
    assert!(kills >= 16);
}

/// Returns the call that links the new text of `file` under a name, and the one that moves it into place.
fn placing(calls: &[Call], file: &str) -> (Call, Call) {
    let ends = format!("/{file}\"");
    let is_rename = |call: &&Call| call.name.starts_with("rename") && call.line.contains(&ends);
    let at = calls.iter().position(|call| is_rename(&call)).unwrap();
    let link = calls[..at].iter().rfind(|call| call.name == "linkat").unwrap();
    (link.clone(), calls[at].clone())
}

#[test]
fn leftovers_of_a_kill_are_hidden_from_git_and_removed_by_the_next_run() {
    let env = Some("A=1\n");
    let Some(calls) = calls(&sandbox(env), &INIT) else { return };
    for (file, next) in [
        (".env", &["doctor", "--fix", "--yes"][..]),
        (".env", &["undo", "--yes"]),
        ("backend-flask/requirements.txt", &["ports", "--private", "--yes"]),
        ("docker-compose.yml", &["instrument", "--yes"]),
    ] {
        let sandbox = sandbox(env);
        let (_, rename) = placing(&calls, file);
        let Some(_) = init_with(&sandbox, &rename, "signal=KILL") else { return };
        let left = leftovers(&sandbox);
        assert_eq!(left.len(), 1, "{file}");
        let mode = left[0].metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let new = left[0].join("new");
        assert_eq!(new.metadata().unwrap().permissions().mode() & 0o077 == 0, file == ".env");
        assert!(git(&sandbox, &["check-ignore", "--quiet", new.to_str().unwrap()]), "{file}");
        assert!(!git_takes_the_key(&sandbox), "{file}");
        sandbox.run(next);
        assert_eq!(leftovers(&sandbox), Vec::<PathBuf>::new(), "{file} {next:?}");
    }
}

/// Waits until `seen` returns true.
fn wait_for(child: &mut Child, seen: impl Fn() -> bool) {
    let began = Instant::now();
    while !seen() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before that");
        assert!(began.elapsed() < Duration::from_secs(60), "it never came so far");
        std::thread::yield_now();
    }
}

#[test]
fn a_line_written_meanwhile_is_not_lost() {
    let env = Some("A=1\n");
    let Some(calls) = calls(&sandbox(env), &INIT) else { return };
    for file in
        ["docker-compose.yml", "backend-flask/requirements.txt", "backend-flask/app.py", ".env"]
    {
        let sandbox = sandbox(env);
        let mut before = files(&sandbox);
        let (link, _) = placing(&calls, file);
        // Long enough for a line; the run is let go on by the clock alone.
        let inject = format!("inject=linkat:delay_enter=1500000:when={}", link.nth);
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let mut command = traced(&sandbox, &INIT, &["-e", &inject], &trace).unwrap();
        let stderr = folder.path().join("stderr");
        command.stdout(Stdio::null()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let parent = sandbox.path(file).parent().unwrap().to_owned();
        let is_about_to = || {
            let text = std::fs::read_to_string(&trace).unwrap_or_default();
            let links = text.lines().filter(|line| line.starts_with("linkat(")).count();
            let ours = leftovers(&sandbox);
            links >= link.nth && ours.iter().any(|path| path.starts_with(&parent))
        };
        wait_for(&mut child, is_about_to);
        let line = b"# written by somebody else\n";
        let text = before.get_mut(Path::new(file)).unwrap();
        text.extend_from_slice(line);
        let mut open = File::options().append(true).open(sandbox.path(file)).unwrap();
        std::io::Write::write_all(&mut open, line).unwrap();
        let status = child.wait().unwrap();
        let said = std::fs::read_to_string(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{file}: {said}");
        assert!(said.contains("changed since it was read"), "{file}: {said}");
        assert_same(&files(&sandbox), &before);
        assert!(sandbox.files_with_the_key().is_empty(), "{file}");
    }
}
