//! Fake programs on `PATH`, `gh` of a codespace and `gitpod` of an Ona environment, each with its state in a separate
//! folder.

use std::os::unix::fs::PermissionsExt;

use crate::sandbox::Sandbox;

/// The way in which a fake fails.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// It works.
    Well,
    /// Every call takes a second.
    Slow,
    /// It never answers.
    Sleep,
    /// The user is not signed in.
    SignedOut,
    /// The organisation forbids public ports.
    Policy,
    /// It reports success and changes nothing.
    Stuck,
    /// Its token may not write secrets.
    Unscoped,
    /// Its list is not machine-readable.
    Table,
}

/// The program that is faked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cloud {
    Codespace,
    Ona,
}

/// The program and its state.
pub struct FakeCloud {
    folder: tempfile::TempDir,
    cloud: Cloud,
}

impl FakeCloud {
    /// Creates a codespace with `gh`.
    pub fn codespace(mode: Mode) -> Self {
        Self::new(Cloud::Codespace, "gh", include_str!("fake_gh.sh"), mode)
    }

    /// Creates an Ona environment with `gitpod`.
    pub fn ona(mode: Mode) -> Self {
        Self::new(Cloud::Ona, "gitpod", include_str!("fake_ona.sh"), mode)
    }

    fn new(cloud: Cloud, name: &str, text: &str, mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ports", "secrets", "bin"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let state = folder.path().display().to_string();
        let program = folder.path().join("bin").join(name);
        std::fs::write(&program, text.replace("STATE", &state)).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let fake = Self { folder, cloud };
        fake.becomes(mode);
        fake
    }

    /// Changes the way in which it fails.
    pub fn becomes(&self, mode: Mode) {
        let word = format!("{mode:?}").to_lowercase();
        std::fs::write(self.folder.path().join("mode"), word).unwrap();
    }

    /// Makes the sandbox an environment of this cloud.
    pub fn workspace(&self, sandbox: Sandbox) -> Sandbox {
        let bin = self.folder.path().join("bin").display().to_string();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        let sandbox = sandbox.with("PATH", &path);
        match self.cloud {
            Cloud::Codespace => sandbox
                .with("CODESPACES", "true")
                .with("CODESPACE_NAME", "odd-owl")
                .with("GITHUB_REPOSITORY", "me/app")
                .with("GITHUB_TOKEN", "ghu_token0123456789"),
            Cloud::Ona => sandbox.with("GITPOD_ENVIRONMENT_ID", "0198-an-environment"),
        }
    }

    /// Forwards a port with this visibility.
    pub fn port(&self, port: u16, visibility: &str) {
        let file = self.folder.path().join("ports").join(port.to_string());
        std::fs::write(file, visibility).unwrap();
    }

    /// Returns the visibility of a port.
    pub fn visibility(&self, port: u16) -> Option<String> {
        let file = self.folder.path().join("ports").join(port.to_string());
        std::fs::read_to_string(file).ok()
    }

    /// Returns a secret that it stores.
    pub fn secret(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("secrets").join(name)).ok()
    }

    /// Returns every argument list it was called with.
    pub fn calls(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }
}
