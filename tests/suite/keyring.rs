//! The keyring, with a real gnome-keyring on a separate bus, and with buses that do not work.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::gp::run_with_input;
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: (&str, &str) = (
    "compose.yaml",
    "services:\n  api:\n    build: .\n    environment:\n      H: x=${HONEYCOMB_API_KEY}\n",
);
const SET: [&str; 5] = ["key", "set", "--store", "keyring", "--stdin"];
const PATIENCE: Duration = Duration::from_secs(30);

/// The configuration of a session bus that starts no service.
const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>LISTEN</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// A session bus and a keyring service in a separate home; dropping it stops both.
struct Bus {
    home: tempfile::TempDir,
    address: String,
    daemon: Child,
    keyring: Option<Child>,
}

impl Drop for Bus {
    fn drop(&mut self) {
        for child in [self.keyring.as_mut(), Some(&mut self.daemon)].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Bus {
    /// Starts a bus without a keyring; `None`, with the reason printed, if the programs are not installed.
    fn start() -> Option<Self> {
        for program in ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"] {
            if which::which(program).is_err() {
                println!("skipped: {program} is not installed");
                return None;
            }
        }
        let home = tempfile::tempdir().unwrap();
        for folder in ["run", "data/keyrings"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let config = home.path().join("bus.conf");
        let listen = format!("unix:dir={}", home.path().join("run").display());
        std::fs::write(&config, BUS.replace("LISTEN", &listen)).unwrap();
        let mut daemon = Self::in_home(Command::new("dbus-daemon"), home.path())
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { home, address: address.trim().to_owned(), daemon, keyring: None })
    }

    /// Starts the keyring, unlocked with a password or locked, and waits until its name is on the bus.
    fn with_keyring(mut self, password: Option<&str>) -> Self {
        let mut keyring = self
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .args(password.map(|_| "--unlock"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = keyring.stdin.take().unwrap();
        input.write_all(password.unwrap_or_default().as_bytes()).unwrap();
        drop(input);
        self.keyring = Some(keyring);
        let begun = Instant::now();
        while !self.has_secrets() {
            assert!(begun.elapsed() < PATIENCE, "the keyring does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    fn has_secrets(&self) -> bool {
        self.command("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"])
            .arg("org.freedesktop.DBus.GetNameOwner")
            .arg("string:org.freedesktop.secrets")
            .output()
            .unwrap()
            .status
            .success()
    }

    fn in_home(mut command: Command, home: &std::path::Path) -> Command {
        command
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env_remove("DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Self::in_home(Command::new(program), self.home.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    fn sandbox(&self) -> Sandbox {
        Sandbox::new(&[COMPOSE]).with("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }
}

#[test]
fn a_key_lives_in_the_keyring_of_one_project_and_nowhere_else() {
    let Some(bus) = Bus::start() else { return };
    let bus = bus.with_keyring(Some("test"));
    let sandbox = bus.sandbox();
    let set = run_with_input(
        &sandbox,
        &SET[..2].iter().chain(&SET[4..]).copied().collect::<Vec<_>>(),
        KEY,
    )
    .expect(0);
    assert!(set.stdout.contains("keyring (Secret Service)"), "{}", set.stdout);
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());

    let found = bus
        .command("secret-tool")
        .args(["search", "--all", "service", "cruddur-ops"])
        .output()
        .unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.matches(KEY).count(), 1, "the key, and no probe beside it");
    assert_eq!(found.matches("secret = ").count(), 1, "the key, and no probe beside it");

    let status = sandbox.run(&["key", "status", "--json"]).expect(0).json();
    assert_eq!(status["run_takes"], "keyring");
    let run = sandbox.run(&["run", "--", "sh", "-c", "echo ${#HONEYCOMB_API_KEY}"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("64\n", ""));

    bus.sandbox().run(&["key", "status"]).expect(1);

    sandbox.run(&["key", "forget", "--yes"]).expect(0);
    sandbox.run(&["key", "status"]).expect(1);
}

#[test]
fn clones_of_one_repository_share_their_key() {
    let Some(bus) = Bus::start() else { return };
    let bus = bus.with_keyring(Some("test"));
    let clone = |remote: &str| {
        let sandbox = bus.sandbox();
        sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
        sandbox.write(".git/config", &format!("[remote \"origin\"]\n\turl = {remote}\n"));
        sandbox
    };
    let first = clone("git@example.com:me/app.git");
    run_with_input(&first, &SET, KEY).expect(0);
    clone("https://user:token@example.com/me/app").run(&["key", "status"]).expect(0);
    clone("https://example.com/me/other").run(&["key", "status"]).expect(1);
}

#[test]
fn a_locked_keyring_is_a_failure_and_no_reason_to_store_elsewhere() {
    let Some(bus) = Bus::start() else { return };
    let bus = bus.with_keyring(None);
    let sandbox = bus.sandbox();
    let set = run_with_input(&sandbox, &SET, KEY).expect(2);
    assert!(set.stderr.contains("error[store-locked]"), "{}", set.stderr);
    assert!(!sandbox.path(".env").exists());
    assert_eq!(sandbox.files_with_the_key(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_bus_without_a_keyring_says_so() {
    let Some(bus) = Bus::start() else { return };
    let sandbox = bus.sandbox();
    let set = run_with_input(&sandbox, &["key", "set", "--stdin"], KEY).expect(2);
    assert!(set.stderr.contains("error[store-unavailable]"), "{}", set.stderr);
    assert!(set.stderr.contains("--store dotenv"), "{}", set.stderr);
}

#[test]
fn a_store_that_cannot_take_the_key_stops_init_before_the_diff() {
    let sandbox = Sandbox::new(&crate::fixtures::cruddur()).with("HONEYCOMB_API_KEY", KEY);
    let stores = sandbox.run(&["key", "status", "--json"]).json()["stores"].clone();
    for store in ["keyring", "gp", "codespaces"] {
        let mut states = stores.as_array().unwrap().iter();
        let state = states.find(|state| state["store"] == store).unwrap();
        if state["state"] != "unavailable" {
            println!("skipped: {store} is {}", state["state"]);
            continue;
        }
        let run = sandbox.run(&["init", "--yes", "--no-verify", "--store", store]).expect(2);
        assert!(run.stderr.contains("error[store-unavailable]"), "{}", run.stderr);
        for words in ["+++", "nothing else"] {
            assert!(!run.stderr.contains(words), "{store}: {}", run.stderr);
        }
    }
}

#[test]
fn a_bus_that_never_answers_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    let address = format!("unix:path={}", path.display());
    let sandbox = Sandbox::new(&[COMPOSE]).with("DBUS_SESSION_BUS_ADDRESS", &address);
    let begun = Instant::now();
    let status = sandbox.run(&["key", "status"]).expect(1);
    assert!(begun.elapsed() < PATIENCE);
    assert!(status.stdout.contains("no answer within 5 seconds"), "{}", status.stdout);
    drop(listener);
}

#[test]
fn the_kernels_keyring_is_a_last_resort_and_says_what_it_is() {
    if which::which("keyctl").is_err() {
        println!("skipped: keyctl is not installed");
        return;
    }
    let sandbox = Sandbox::new(&[COMPOSE]);
    let program = sandbox.command(&[]).get_program().to_str().unwrap().to_owned();
    let script = format!(
        "printf %s '{KEY}' | {program} key set --store keyring --stdin && {program} run -- sh -c 'echo ${{#HONEYCOMB_API_KEY}}' && {program} key forget --yes"
    );
    let output = Command::new("keyctl")
        .args(["session", "-", "sh", "-c", &script])
        .current_dir(sandbox.project())
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", sandbox.home())
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if err.contains("Joined session") && !err.contains("store-unavailable") {
        assert!(out.contains("until this machine restarts"), "{out}{err}");
        assert!(out.contains("\n64\n"), "{out}{err}");
        assert!(!out.contains(KEY) && !err.contains(KEY));
    } else {
        println!("skipped: the kernel gives out no keyrings here: {err}");
    }
}

#[test]
fn a_shell_without_a_session_leaves_nothing_in_the_kernel() {
    let sandbox = Sandbox::new(&[COMPOSE]);
    run_with_input(&sandbox, &["key", "set", "--stdin"], KEY).expect(2);
    let keys = std::fs::read_to_string("/proc/keys").unwrap_or_default();
    let ours = sandbox.project().display().to_string();
    assert!(!keys.contains(&ours), "{keys}");
}
