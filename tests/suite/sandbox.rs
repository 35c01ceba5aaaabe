//! A project in a temporary folder, and the built program run in it with no variable of this process except `PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// A key in Honeycomb's form that may not appear in any output or in any file except a store's.
pub const KEY: &str = "hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst";

/// A token in Rollbar's form, as secret as the key.
pub const TOKEN: &str = "5f0e7a210d9c7a558f624a3e8a392c5f";

/// A secret key in AWS's form, as secret as the key.
pub const AWS_SECRET: &str = "wJq9rXUtnFEMIzK7MDENGzbPxRfiCYqPlanted01";

/// The secrets that may not appear in any output or in any file except a store's.
pub const PLANTED: [&str; 3] = [KEY, TOKEN, AWS_SECRET];

/// A temporary home and project.
pub struct Sandbox {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

/// The result of a run of the program.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// Creates a project with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home")).unwrap();
        std::fs::create_dir_all(folder.path().join("project")).unwrap();
        let mut variables = BTreeMap::new();
        variables.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        variables.insert("HOME".to_owned(), folder.path().join("home").display().to_string());
        let sandbox = Self { folder, variables };
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    /// Sets a variable for every later run.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.project().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Returns a command for the program with these arguments, in the project's folder, without a terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program and checks that no planted secret is in either stream.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments))
    }

    /// Returns every file in home and project that contains a planted secret.
    pub fn files_with_the_key(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if holds_the_key(&path) {
                    found.push(path);
                }
            }
        }
        found
    }
}

#[cfg(unix)]
fn end(id: u32) {
    if let Some(id) = rustix::process::Pid::from_raw(id as i32) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn end(_: u32) {}

fn holds_the_key(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else {
        return false;
    };
    PLANTED.iter().any(|secret| {
        let mut windows = bytes.windows(secret.len());
        windows.any(|window| window == secret.as_bytes())
    })
}

/// The time limit of a run: slower ones hang, even on the slowest machine.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Returns every file in a folder.
pub fn list_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in std::fs::read_dir(open).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Waits for the end of the process started by `command`, up to the time limit.
pub fn end_in_time(child: Child, command: &Command) -> Output {
    let id = child.id();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let Ok(output) = ended.recv_timeout(TIME_LIMIT) else {
        end(id);
        panic!("{command:?} hangs");
    };
    output.unwrap()
}

/// Waits until `holds` returns true, for at most a minute.
pub fn wait_until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the file or folder of this name that `tests/tools/MADE_BY` creates, or the reason to skip.
pub fn tool(name: &str, made_by: &str) -> Option<PathBuf> {
    let path = tools().join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there; tests/tools/{made_by} makes it", path.display());
    None
}

/// Returns the program under test, at a separate path, because building a wheel replaces cargo's.
pub fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program");
        std::fs::create_dir_all(&folder).unwrap();
        let new = folder.join(format!("new-{}", std::process::id()));
        std::fs::hard_link(env!("CARGO_BIN_EXE_cruddur-ops"), &new).unwrap();
        let program = folder.join("cruddur-ops");
        // Of two links to one file, a rename leaves both.
        std::fs::rename(&new, &program).unwrap();
        if new.exists() {
            std::fs::remove_file(&new).unwrap();
        }
        program
    });
    &PROGRAM
}

/// Returns the folder where `tests/tools` installs what the tests need.
pub fn tools() -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| home.join("target"), PathBuf::from).join("tools")
}

impl Run {
    /// Runs `command` until it exits and checks that no planted secret is in either stream.
    pub fn of(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = end_in_time(child, &command);
        let run = Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for (name, stream) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            let found = PLANTED.iter().any(|secret| stream.contains(secret));
            assert!(!found, "a secret is on {name} of {command:?}");
        }
        run
    }

    /// Returns the run, after checking that it failed with this error, names everything in `said`, and gives a hint.
    #[track_caller]
    pub fn failed(self, code: &str, said: &[&str]) -> Self {
        let run = self.expect(2);
        let head = format!("error[{code}]: ");
        for part in said.iter().copied().chain([head.as_str(), "  hint: "]) {
            assert!(run.stderr.contains(part), "no {part:?} in\n{}", run.stderr);
        }
        run
    }

    /// Returns the run, after checking that it exited with `status`.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that no diff was shown, because nothing was planned.
    #[track_caller]
    pub fn shows_no_diff(&self) {
        let mut lines = self.stdout.lines().chain(self.stderr.lines());
        assert!(!lines.any(|line| line.starts_with("+++ ")), "{}", self.stderr);
    }

    /// Returns the only JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
