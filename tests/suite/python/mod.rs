//! Real Python runs what is written for Python services.

mod addons;
mod compile;
mod corpus;
mod early;
mod images;
mod sample;
mod shapes;
mod spans;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cruddur_ops::plan::instrument::{Addon, PackageList, PythonService, PythonSourceFile};

use crate::sandbox::tool;

/// Returns a Flask service with these files, in `/s`, that installs what `requirements` lists.
pub fn service(python: &[(String, String)], requirements: &str, addons: &[Addon]) -> PythonService {
    let file = |path: &str, text: &str| PythonSourceFile {
        path: Path::new("/s").join(path),
        text: text.to_owned(),
    };
    PythonService {
        name: "backend-flask".to_owned(),
        base: "/s".into(),
        python: python.iter().map(|(path, text)| file(path, text)).collect(),
        packages: vec![PackageList::Requirements {
            file: file("requirements.txt", requirements),
            included: Vec::new(),
            constraints: Vec::new(),
            also_installed: Vec::new(),
        }],
        addons: addons.to_vec(),
        ..PythonService::default()
    }
}

/// Returns the Python that `tests/tools/python.sh` installs, or the reason to skip.
pub fn python() -> Option<PathBuf> {
    tool("python/bin/python", "python.sh")
}

/// Creates a Python in `folder` with only what `requirements` lists, installed by the real pip; or returns the reason
/// to skip.
pub fn installed(folder: &Path, requirements: &Path) -> Option<PathBuf> {
    installed_from(folder, requirements, &[])
}

/// Creates the same with packages in other folders too.
pub fn installed_from(folder: &Path, requirements: &Path, others: &[&Path]) -> Option<PathBuf> {
    let python = python()?;
    let run = |command: &mut Command| {
        let status = command.status().unwrap();
        assert!(status.success(), "{command:?} failed");
    };
    let own = folder.join("venv");
    run(Command::new(&python).args(["-m", "venv", "--without-pip"]).arg(&own));
    let own = own.join("bin/python");
    let wheels = python.ancestors().nth(2).unwrap().join("wheels");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "--python"]).arg(&own);
    pip.args(["--disable-pip-version-check", "install", "--quiet", "--no-index"]);
    for place in std::iter::once(wheels.as_path()).chain(others.iter().copied()) {
        pip.arg("--find-links").arg(place);
    }
    run(pip.arg("--requirement").arg(requirements));
    Some(own)
}

/// Runs a script of `tests/tools/` with `input` on stdin; returns its output.
pub fn script(python: &Path, name: &str, input: &str) -> String {
    use std::io::Write;
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(name))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("OTEL_SERVICE_NAME", "backend-flask")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} failed");
    String::from_utf8(output.stdout).unwrap()
}
