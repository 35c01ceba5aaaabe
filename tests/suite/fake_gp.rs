//! A fake `gp` on `PATH` that behaves as Gitpod's source code does and keeps its state in a separate folder.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::sandbox::Sandbox;

/// The way in which the fake fails.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// It works.
    Well,
    /// Every call takes a second.
    Slow,
    /// It never answers.
    Sleep,
    /// `ports list` ends with a Go panic.
    Panic,
    /// `ports visibility` reports success and does nothing.
    Stuck,
    /// `env NAME=VALUE` reports success and stores something else.
    Lossy,
}

/// The program and its state.
pub struct FakeGp {
    folder: tempfile::TempDir,
}

impl FakeGp {
    pub fn new(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["repo", "user", "ports", "bin"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let word = format!("{mode:?}").to_lowercase();
        std::fs::write(folder.path().join("mode"), word).unwrap();
        let state = folder.path().display().to_string();
        let text = include_str!("fake_gp.sh").replace("STATE", &state);
        let program = folder.path().join("bin/gp");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// Makes the sandbox a Gitpod workspace with this program.
    pub fn workspace(&self, sandbox: Sandbox) -> Sandbox {
        let bin = self.folder.path().join("bin").display().to_string();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        sandbox
            .with("PATH", &path)
            .with("GITPOD_WORKSPACE_ID", "me-app-1")
            .with("GITPOD_WORKSPACE_URL", "https://me-app.ws-eu11.gitpod.io")
    }

    fn file(&self, folder: &str, name: &str) -> PathBuf {
        self.folder.path().join(folder).join(name)
    }

    /// Stores a variable for the repository, or for the `user`.
    pub fn keep(&self, scope: &str, name: &str, value: &str) {
        std::fs::write(self.file(scope, name), value).unwrap();
    }

    /// Returns the variables stored for the repository.
    pub fn kept(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.file("repo", name)).ok()
    }

    /// Adds a served port with this visibility, or an `unserved` one.
    pub fn port(&self, port: u16, visibility: &str) {
        self.keep("ports", &port.to_string(), visibility);
    }

    /// Returns the visibility of a port.
    pub fn visibility(&self, port: u16) -> Option<String> {
        std::fs::read_to_string(self.file("ports", &port.to_string())).ok()
    }

    /// Returns the arguments it was called with, without values.
    pub fn calls(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }
}
