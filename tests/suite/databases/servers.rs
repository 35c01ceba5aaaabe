//! Real database servers: Debian's programs on loopback, in separate folders.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A user without rights, for programs that refuse to run as root.
const NOBODY: u32 = 65_534;

/// A running server, stopped when it is dropped.
pub struct DatabaseServer {
    child: Child,
    address: SocketAddr,
    stop: Signal,
    _folder: TempDir,
}

impl DatabaseServer {
    /// Starts PostgreSQL with one empty database; or prints why not.
    pub fn start_postgres() -> Option<Self> {
        let programs = postgres_programs()?;
        let folder = owned_folder();
        let data = folder.path().join("data");
        let initialised = unprivileged(&programs.join("initdb"))
            .args(["--username=app", "--auth=trust", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(initialised.status.success(), "{initialised:?}");
        let start = |port: u16| {
            unprivileged(&programs.join("postgres"))
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
                .args(["-c", "fsync=off", "-p", &port.to_string(), "-D"])
                .arg(&data)
                .spawn()
                .unwrap()
        };
        Some(Self::start(folder, Signal::QUIT, start))
    }

    /// Starts Redis; or prints why not.
    pub fn start_redis() -> Option<Self> {
        let program = Path::new("/usr/bin/redis-server");
        if !program.exists() {
            println!("skipped: no redis-server; tests/tools/system.sh installs it");
            return None;
        }
        let folder = owned_folder();
        let home = folder.path().to_owned();
        let start = |port: u16| {
            unprivileged(program)
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
                .arg(port.to_string())
                .arg("--dir")
                .arg(&home)
                .spawn()
                .unwrap()
        };
        Some(Self::start(folder, Signal::TERM, start))
    }

    fn start(folder: TempDir, stop: Signal, spawn: impl Fn(u16) -> Child) -> Self {
        // Another process may take the port in between.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut child = spawn(free.port());
            if answers(&mut child, free) {
                return Self { child, address: free, stop, _folder: folder };
            }
        }
        panic!("the database server did not start");
    }

    /// Returns the address on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        // A server that ended by itself has no process to stop.
        let _ = kill_process(Pid::from_child(&self.child), self.stop);
        let _ = self.child.wait();
    }
}

/// Waits until the server accepts connections; false if it exited instead.
fn answers(child: &mut Child, address: SocketAddr) -> bool {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{address}");
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> =
        versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").exists());
    folders.sort();
    let newest = folders.pop();
    if newest.is_none() {
        println!("skipped: no PostgreSQL; tests/tools/system.sh installs it");
    }
    newest
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Creates a temporary folder that the server's user may write to.
fn owned_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

/// Returns a command run by the user without rights if the tests run as root.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_clear().env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
