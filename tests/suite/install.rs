//! `install.sh` and the archives that `packaging/archive.sh` makes, on a file server on loopback.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use axum::Router;
use axum::http::{StatusCode, Uri};

use crate::served::Served;

pub const ARCHIVE: &str = "cruddur-ops-x86_64-unknown-linux-musl.tar.gz";

/// Returns the program of a release: a small script that runs the built one.
fn released_program() -> String {
    format!("#!/bin/sh\nexec '{}' \"$@\"\n", crate::sandbox::program().display())
}

/// Returns every file of a folder, by its name.
fn files(folder: PathBuf) -> Router {
    Router::new().fallback(move |uri: Uri| async move {
        std::fs::read(folder.join(uri.path().trim_start_matches('/')))
            .map_err(|_| StatusCode::NOT_FOUND)
    })
}

/// A release on a server, and a machine that installs it.
pub struct Machine {
    pub folder: tempfile::TempDir,
    pub served: Served,
}

impl Machine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let release = folder.path().join("release");
        for name in ["release", "man", "bin", "home"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("man/cruddur-ops.1"), ".TH cruddur-ops 1\n").unwrap();
        program(&folder.path().join("stub"), &released_program());
        let packed = Command::new(root().join("packaging/archive.sh"))
            .arg(folder.path().join("stub"))
            .arg(folder.path().join("man"))
            .arg("x86_64-unknown-linux-musl")
            .arg(&release)
            .output()
            .unwrap();
        assert!(packed.status.success(), "{}", stderr(&packed));
        let served = Served::start(files(release));
        let machine = Self { folder, served };
        machine.is("Linux", "x86_64");
        machine
    }

    /// Makes `uname` print this.
    fn is(&self, system: &str, processor: &str) {
        let text =
            format!("#!/bin/sh\ncase $1 in -s) echo {system};; -m) echo {processor};; esac\n");
        program(&self.folder.path().join("bin/uname"), &text);
    }

    /// Serves the release's files at another path.
    pub fn moves(&self, path: &str) {
        let to = self.folder.path().join("release").join(path);
        std::fs::create_dir_all(&to).unwrap();
        for name in [ARCHIVE.to_owned(), format!("{ARCHIVE}.sha256")] {
            std::fs::rename(self.released(&name), to.join(name)).unwrap();
        }
    }

    pub fn released(&self, name: &str) -> PathBuf {
        self.folder.path().join("release").join(name)
    }

    pub fn installed(&self) -> PathBuf {
        self.folder.path().join("home/.local/bin/cruddur-ops")
    }

    /// Returns the PATH: the machine's programs, after its own `uname`.
    pub fn path(&self) -> String {
        let own = self.folder.path().join("bin");
        format!("{}:{}", own.display(), std::env::var("PATH").unwrap())
    }

    pub fn install(&self, arguments: &[&str]) -> Output {
        self.install_with(&self.path(), arguments)
    }

    pub fn install_with(&self, path: &str, arguments: &[&str]) -> Output {
        Command::new("sh")
            .arg(root().join("packaging/install.sh"))
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("bin"))
            .output()
            .unwrap()
    }

    fn install_release(&self) -> Output {
        self.install(&["--from", &self.served.url()])
    }

    /// Checks that an installation failed with these words and left nothing behind.
    #[track_caller]
    pub fn refused(&self, output: &Output, words: &str) {
        assert!(!output.status.success(), "{output:?}");
        assert!(stderr(output).contains(words), "{}", stderr(output));
        assert!(!self.installed().exists());
        let left: Vec<_> = std::fs::read_dir(self.folder.path().join("bin"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["uname"]);
    }
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_release_is_installed_and_replaced() {
    let machine = Machine::new();
    for _ in 0..2 {
        let output = machine.install_release();
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.starts_with(concat!("cruddur-ops ", env!("CARGO_PKG_VERSION"), " is in ")),
            "{said}"
        );
        assert!(said.contains("/.local/bin:$PATH"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(machine.installed()).unwrap(), released_program());
    let folder = machine.installed().parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn the_folder_can_be_chosen() {
    let machine = Machine::new();
    let to = machine.folder.path().join("a folder");
    let output = machine.install(&["--from", &machine.served.url(), "--to", to.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(to.join("cruddur-ops").exists());
    assert!(!machine.installed().exists());
}

/// Runs the script without a home.
fn install_homeless(machine: &Machine, arguments: &[&str]) -> Output {
    let script = root().join("packaging/install.sh");
    let mut command = Command::new("sh");
    command.arg(script).args(["--from", &machine.served.url()]).args(arguments).env_clear();
    command.env("PATH", machine.path()).current_dir(machine.folder.path()).output().unwrap()
}

#[test]
fn no_home_is_needed_if_the_folder_is_chosen() {
    let machine = Machine::new();
    let to = machine.folder.path().join("to");
    for (folder, installed) in [(to.to_str().unwrap(), "to"), ("rel", "rel"), ("-x", "-x")] {
        let output = install_homeless(&machine, &["--to", folder]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(machine.folder.path().join(installed).join("cruddur-ops").exists());
    }
    machine.refused(&install_homeless(&machine, &[]), "--to is missing");
}

#[test]
fn help_is_not_an_error_and_installs_nothing() {
    let machine = Machine::new();
    let output = machine.install(&["--help"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("Usage: install.sh --from URL"));
    assert!(!machine.installed().exists());
}

#[test]
fn a_failed_installation_leaves_nothing_in_the_folder() {
    let machine = Machine::new();
    let folder = machine.installed().parent().unwrap().to_owned();
    std::fs::create_dir_all(machine.installed().join("x")).unwrap();
    let output = machine.install_release();
    assert!(stderr(&output).contains("is a folder"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(machine.installed()).unwrap();
    std::fs::write(machine.installed(), "the one before").unwrap();
    program(&machine.folder.path().join("bin/chmod"), "#!/bin/sh\nexit 1\n");
    assert!(!machine.install_release().status.success());
    assert_eq!(std::fs::read_to_string(machine.installed()).unwrap(), "the one before");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn an_archive_that_was_changed_is_refused() {
    let machine = Machine::new();
    let mut bytes = std::fs::read(machine.released(ARCHIVE)).unwrap();
    bytes.push(0);
    std::fs::write(machine.released(ARCHIVE), bytes).unwrap();
    machine.refused(&machine.install_release(), "the SHA-256 sum of");
}

#[test]
fn an_archive_without_a_checksum_is_refused() {
    let machine = Machine::new();
    let checksum = format!("{ARCHIVE}.sha256");
    std::fs::remove_file(machine.released(&checksum)).unwrap();
    machine.refused(&machine.install_release(), &format!("{}/{checksum}", machine.served.url()));
}

#[test]
fn an_empty_checksum_is_no_checksum() {
    let machine = Machine::new();
    std::fs::write(machine.released(&format!("{ARCHIVE}.sha256")), "").unwrap();
    machine.refused(&machine.install_release(), "the SHA-256 sum of");
}

#[test]
fn an_unsupported_machine_is_reported() {
    let machine = Machine::new();
    machine.is("Plan9", "mips");
    machine.refused(&machine.install_release(), "there is no build for Plan9 mips");
}

#[test]
fn every_machine_asks_for_its_own_archive() {
    let machine = Machine::new();
    for (system, processor, target) in [
        ("Linux", "aarch64", "aarch64-unknown-linux-musl"),
        ("Darwin", "arm64", "aarch64-apple-darwin"),
        ("Darwin", "x86_64", "x86_64-apple-darwin"),
    ] {
        machine.is(system, processor);
        let wanted = format!("{}/cruddur-ops-{target}.tar.gz", machine.served.url());
        machine.refused(&machine.install_release(), &wanted);
    }
}

#[test]
fn nothing_is_downloaded_over_an_open_line() {
    let machine = Machine::new();
    let port = machine.served.address.port();
    for address in [
        "http://127.0.0.1.example.com/release".to_owned(),
        "http://releases.example/r".to_owned(),
        "ftp://127.0.0.1/r".to_owned(),
        format!("http://localhost:1@127.0.0.1:{port}"),
        format!("http://localhost@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/@v1"),
        format!("http://[::1]:1@127.0.0.1:{port}"),
        format!("http://localhost:1\\@127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}x.example/r"),
        "https://user:password@releases.example/r".to_owned(),
        "https://releases.example/r\nhttp://b".to_owned(),
    ] {
        let output = machine.install(&["--from", &address]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        machine.refused(&output, &format!("will not download from {address}"));
    }
}

/// Returns a PATH with the machine's programs except one.
fn without(machine: &Machine, name: &str) -> String {
    let tools = machine.folder.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name() != name {
                // The first folder that has a program is the one that counts.
                let _ = std::os::unix::fs::symlink(entry.path(), tools.join(entry.file_name()));
            }
        }
    }
    format!("{}:{}", machine.folder.path().join("bin").display(), tools.display())
}

#[test]
fn a_redirect_leads_to_https_alone_whichever_program_downloads() {
    let machine = Machine::new();
    let release = machine.served.url();
    let redirects = Router::new().fallback(move |uri: Uri| async move {
        axum::response::Redirect::temporary(&format!("{release}{}", uri.path()))
    });
    let redirects = Served::start(redirects);
    for missing in ["wget", "curl"] {
        let path = without(&machine, missing);
        let install = |from: &str| machine.install_with(&path, &["--from", from]);
        machine.refused(&install(&redirects.url()), "");
        let straight = install(&machine.served.url());
        assert!(straight.status.success(), "without {missing}: {}", stderr(&straight));
        std::fs::remove_file(machine.installed()).unwrap();
        std::fs::remove_dir_all(machine.folder.path().join("tools")).unwrap();
    }
}

#[test]
fn without_an_address_it_says_how_to_give_one() {
    let machine = Machine::new();
    let output = machine.install(&[]);
    assert_eq!(output.status.code(), Some(2));
    machine.refused(&output, "install.sh --from URL");
}

#[test]
fn an_archive_holds_what_a_release_promises() {
    let machine = Machine::new();
    let output = Command::new("tar").arg("-tzf").arg(machine.released(ARCHIVE)).output().unwrap();
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in [
        "cruddur-ops",
        "man/cruddur-ops.1",
        "completions/cruddur-ops.zsh",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        let whole = format!("cruddur-ops-x86_64-unknown-linux-musl/{name}\n");
        assert!(names.contains(&whole), "{name} is not in\n{names}");
    }
}

#[test]
fn cargo_binstall_finds_the_program() {
    let machine = Machine::new();
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml_edit::DocumentMut = text.parse().unwrap();
    let metadata = &manifest["package"]["metadata"]["binstall"];
    let evaluated = |key: &str| {
        let mut text = metadata[key].as_str().unwrap().to_owned();
        for (name, value) in [
            ("repo", "REPO"),
            ("name", env!("CARGO_PKG_NAME")),
            ("bin", "cruddur-ops"),
            ("version", env!("CARGO_PKG_VERSION")),
            ("target", "x86_64-unknown-linux-musl"),
            ("archive-suffix", ".tar.gz"),
            ("binary-ext", ""),
        ] {
            text = text.replace(&format!("{{ {name} }}"), value);
        }
        text
    };
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let url = format!("REPO/releases/download/{version}/{ARCHIVE}");
    assert_eq!(evaluated("pkg-url"), url);
    let mut tar = Command::new("tar");
    tar.arg("-tzf").arg(machine.released(ARCHIVE)).arg(evaluated("bin-dir"));
    assert!(tar.status().unwrap().success(), "{} is not in it", evaluated("bin-dir"));
}
