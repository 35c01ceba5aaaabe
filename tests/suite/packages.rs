//! The packages for npm and pip: packed from the built program, installed from local files only, and run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::install::root;
use crate::sandbox::{Run, program, tools};

/// The release target that runs on this machine, as npm sees it.
const TARGET: &str = match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
    (false, false) => "x86_64-unknown-linux-musl",
    (false, true) => "aarch64-unknown-linux-musl",
    (true, false) => "x86_64-apple-darwin",
    (true, true) => "aarch64-apple-darwin",
};

/// A machine without network for package managers: a separate home, and registries at a closed port.
struct Offline {
    folder: tempfile::TempDir,
}

impl Offline {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.env("HOME", self.path("home")).env("NO_COLOR", "1").stdin(Stdio::null());
        for name in ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry"] {
            command.env(name, "http://127.0.0.1:1/");
        }
        command
    }

    /// Packs the package that starts the program, or the one of a platform, which contains this program.
    fn pack(&self, platform: Option<(&Path, &str)>) -> Command {
        let mut command = self.command("node");
        command.arg(root().join("packaging/npm/pack.js")).arg(self.path("packed"));
        if let Some((program, target)) = platform {
            command.arg(program).arg(target);
        }
        command
    }

    /// Installs everything packed so far in `prefix`; returns the program's path.
    fn install_packed(&self) -> PathBuf {
        let mut npm = self.command("npm");
        npm.args(["install", "--offline", "--global", "--no-audit", "--no-fund", "--prefix"]);
        npm.arg(self.path("prefix"));
        for packed in std::fs::read_dir(self.path("packed")).unwrap() {
            npm.arg(packed.unwrap().path());
        }
        Run::of(npm).expect(0);
        self.path("prefix/bin/cruddur-ops")
    }

    /// Returns the `package.json` of an installed package.
    fn manifest(&self, name: &str) -> serde_json::Value {
        let path = self.path("prefix/lib/node_modules").join(name).join("package.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Runs the installed program: its version, `try`, and a failure with its exit status.
    fn prove(&self, program: &[&std::ffi::OsStr]) {
        let run = |arguments: &[&str]| {
            let mut command = self.command(program[0]);
            command.args(&program[1..]).args(arguments).current_dir(self.path("home"));
            Run::of(command)
        };
        let version = concat!("cruddur-ops ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(run(&["--version"]).expect(0).stdout, version);
        run(&["try"]).expect(0);
        run(&["doctor"]).failed("no-compose-file", &[]);
    }
}

/// Writes a small program to a file.
fn stub(offline: &Offline, text: &str) -> PathBuf {
    let path = offline.path("stub");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn npm_installs_the_program_without_a_network_or_a_script() {
    let offline = Offline::new();
    Run::of(offline.pack(None)).expect(0);
    Run::of(offline.pack(Some((program(), TARGET)))).expect(0);
    let program = offline.install_packed();
    offline.prove(&[program.as_os_str()]);
    let launcher = offline.manifest("cruddur-ops");
    for name in launcher["optionalDependencies"].as_object().unwrap().keys() {
        if offline.path("prefix/lib/node_modules").join(name).exists() {
            assert_eq!(offline.manifest(name).get("scripts"), None);
        }
    }
    assert_eq!(launcher.get("scripts"), None);
}

#[test]
fn every_target_of_a_release_has_a_package_for_npm_and_no_other_has() {
    let offline = Offline::new();
    let text = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let workflow: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let matrix = workflow["jobs"]["archive"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let program = stub(&offline, "#!/bin/sh\n");
    for row in matrix {
        Run::of(offline.pack(Some((&program, row["target"].as_str().unwrap())))).expect(0);
    }
    let refused = Run::of(offline.pack(Some((&program, "x86_64-pc-windows-msvc"))));
    assert_ne!(refused.status, 0);
    let packed: BTreeSet<_> = std::fs::read_dir(offline.path("packed"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    Run::of(offline.pack(None)).expect(0);
    std::fs::create_dir(offline.path("unpacked")).unwrap();
    let archive = format!("cruddur-ops-{}.tgz", env!("CARGO_PKG_VERSION"));
    let mut tar = offline.command("tar");
    tar.arg("-xzf").arg(offline.path("packed").join(archive));
    tar.arg("-C").arg(offline.path("unpacked"));
    Run::of(tar).expect(0);
    let manifest = std::fs::read_to_string(offline.path("unpacked/package/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let asked: BTreeSet<_> = manifest["optionalDependencies"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, version)| {
            let name = name.trim_start_matches('@').replace('/', "-");
            format!("{name}-{}.tgz", version.as_str().unwrap())
        })
        .collect();
    assert_eq!(packed.len(), matrix.len());
    assert_eq!(packed, asked);
}

#[test]
fn without_a_package_for_this_machine_the_launcher_says_so() {
    let offline = Offline::new();
    Run::of(offline.pack(None)).expect(0);
    let program = offline.install_packed();
    let run = Run::of(offline.command(program)).expect(2);
    assert!(run.stderr.starts_with("error: @cruddur-ops/"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_reaches_the_program_and_ends_the_launcher_as_it() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;

    let offline = Offline::new();
    let wait = "for second in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & wait $!; done";
    for (text, signal, code, killed_by) in [
        ("trap 'exit 130' INT\n", rustix::process::Signal::INT, Some(130), None),
        ("trap 'exit 7' TERM\n", rustix::process::Signal::TERM, Some(7), None),
        ("", rustix::process::Signal::TERM, None, Some(15)),
    ] {
        let program = stub(&offline, &format!("#!/bin/sh\n{text}echo ready\n{wait}\n"));
        Run::of(offline.pack(None)).expect(0);
        Run::of(offline.pack(Some((&program, TARGET)))).expect(0);
        let mut command = offline.command(offline.install_packed());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, signal).unwrap();
        let status = crate::sandbox::end_in_time(child, &command).status;
        assert_eq!((status.code(), status.signal()), (code, killed_by), "{text}");
    }
}

#[test]
fn a_wheel_installs_the_program_without_a_network() {
    // The tests beside this one keep a link to the program that cargo built, when the wheel's build replaces it.
    program();
    let offline = Offline::new();
    let mut build = Command::new(root().join("packaging/wheel.sh"));
    build.arg(offline.path("wheels")).args(["--profile", "dev", "--compatibility", "linux"]);
    // What cargo tells its tests of a package would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "CARGO" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        {
            build.env_remove(name);
        }
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let wheels: Vec<_> = std::fs::read_dir(offline.path("wheels")).unwrap().collect();
    assert_eq!(wheels.len(), 1);
    let wheel = wheels.into_iter().next().unwrap().unwrap().path();

    let mut venv = offline.command("python3");
    venv.args(["-m", "venv"]).arg(offline.path("venv"));
    Run::of(venv).expect(0);
    let mut pip = offline.command(offline.path("venv/bin/pip"));
    pip.args(["install", "--no-index", "--quiet"]).arg(&wheel);
    Run::of(pip).expect(0);
    offline.prove(&[offline.path("venv/bin/cruddur-ops").as_os_str()]);
    let mut files = offline.command(offline.path("venv/bin/pip"));
    files.args(["show", "--files", "cruddur-ops"]);
    let files = Run::of(files).expect(0).stdout;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(files.contains(&format!("/licenses/{licence}\n")), "{files}");
    }

    let uv = tools().join("package-managers/bin/uv");
    let words = ["tool", "run", "--offline", "--quiet", "--from"].map(std::ffi::OsStr::new);
    let mut uvx = vec![uv.as_os_str()];
    uvx.extend(words);
    uvx.extend([wheel.as_os_str(), "cruddur-ops".as_ref()]);
    offline.prove(&uvx);
}
