//! Applications whose packages come from a lock, a Pipfile, a Dockerfile or a base image: after `init` the image
//! installs and starts as before, and after the printed step and a second `init` it is traced. The package managers
//! are real; the program runs none.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::sample::Flask;
use crate::listening::Listening;
use crate::sandbox::{KEY, Sandbox};

const COMPOSE: &str = "services:\n  backend-flask:\n    build: ./backend-flask\n";
const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route('/')\ndef home():\n    return 'home'\n";

/// A package index on loopback with the wheels of `tests/tools`.
struct Index {
    child: Child,
    address: String,
}

impl Index {
    fn start(folder: &Path, tools: &Path) -> Self {
        let simple = folder.join("simple");
        for wheels in ["python/wheels", "package-managers/wheels"] {
            for entry in std::fs::read_dir(tools.join(wheels)).unwrap() {
                let wheel = entry.unwrap().path();
                let file = wheel.file_name().unwrap().to_str().unwrap();
                let name = file.split('-').next().unwrap().replace('_', "-").to_lowercase();
                std::fs::create_dir_all(simple.join(&name)).unwrap();
                // Of a wheel that both have the first is enough.
                let _ = std::os::unix::fs::symlink(&wheel, simple.join(&name).join(file));
            }
        }
        let mut child = Command::new(tools.join("python/bin/python"))
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().nth(5).unwrap();
        Self { address: format!("http://127.0.0.1:{port}/simple/"), child }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project and what its tools need.
struct Workbench {
    sandbox: Sandbox,
    index: Index,
    tools: PathBuf,
}

impl Workbench {
    /// Creates a project with these files; `INDEX` stands for the index's address.
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        let python = super::python()?;
        let tools = python.ancestors().nth(3).unwrap().to_owned();
        if !tools.join("package-managers/wanted").exists() {
            println!("skipped: tests/tools/package-managers.sh has not been run");
            return None;
        }
        let sandbox =
            Sandbox::new(&[("docker-compose.yml", COMPOSE), ("backend-flask/app.py", APP)])
                .with("HONEYCOMB_API_KEY", KEY);
        let index = Index::start(&sandbox.home().join("index"), &tools);
        for (path, text) in files {
            let text = text.replace("INDEX", &index.address);
            sandbox.write(&format!("backend-flask/{path}"), &text);
        }
        Some(Self { sandbox, index, tools })
    }

    /// Runs a shell command as the user would, with the real tools.
    fn shell(&self, folder: &Path, command: &str) {
        let bin = |name: &str| self.tools.join(name).join("bin").display().to_string();
        let own = folder.join(".venv/bin").display().to_string();
        let path = std::env::var("PATH").unwrap();
        let python = self.tools.join("python/bin/python");
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{own}:{}:{path}", bin("package-managers")))
            .env("HOME", self.sandbox.home())
            .env("NO_PROXY", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PIP_INDEX_URL", &self.index.address)
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("UV_DEFAULT_INDEX", &self.index.address)
            .env("UV_PYTHON", &python)
            .env("POETRY_VIRTUALENVS_IN_PROJECT", "true")
            .env("POETRY_NO_INTERACTION", "1")
            .env("PIPENV_VENV_IN_PROJECT", "1")
            .env("PIPENV_DEFAULT_PYTHON_VERSION", &python)
            .env("PIPENV_NOSPIN", "1")
            .env("PIPENV_YES", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{command}:\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }

    fn service(&self) -> PathBuf {
        self.sandbox.path("backend-flask")
    }

    /// Builds the image's folder as its Dockerfile does, on a Python that has `baked`, and imports the application.
    fn build(&self, name: &str, baked: Option<&str>) -> PathBuf {
        let image = self.sandbox.home().join(name);
        std::fs::create_dir_all(&image).unwrap();
        for entry in std::fs::read_dir(self.service()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, image.join(path.file_name().unwrap())).unwrap();
            }
        }
        if let Some(baked) = baked {
            let python = self.tools.join("python/bin/python");
            self.shell(&image, &format!("{} -m venv .venv", python.display()));
            self.shell(&image, &format!("python -m pip install --quiet pip {baked}"));
        }
        let dockerfile = std::fs::read_to_string(image.join("Dockerfile")).unwrap();
        for line in dockerfile.lines().filter_map(|line| line.strip_prefix("RUN ")) {
            self.shell(&image, line);
        }
        self.shell(&image, ".venv/bin/python -c 'import app'");
        image
    }

    fn init(&self) -> Value {
        let init = ["init", "--yes", "--no-verify", "--store", "none", "--json"];
        self.sandbox.run(&init).expect(0).json()
    }

    /// Runs `init`, the printed step, and `init`; checks the image after each.
    fn check(&self, baked: Option<&str>) {
        let first = self.init();
        let step = first["next"][0].as_str().unwrap().to_owned();
        assert_eq!(self.sandbox.read("backend-flask/app.py"), APP);
        self.build("untouched", baked);

        self.take(&step);
        let second = self.init();
        let again = second["next"][0].as_str().unwrap();
        assert_ne!(again, step);
        assert!(self.sandbox.read("backend-flask/app.py").contains("instrument_app(app)"));
        assert_eq!(self.init()["changes"], serde_json::json!([]));
        let image = self.build("traced", baked);

        let mut listening = Listening::start(&self.sandbox, &["--json"]);
        let python = image.join(".venv/bin/python");
        let flask = Flask::start(&python, &image, listening.http, &[]);
        assert!(flask.get("/").contains("200 OK"));
        let line = listening.stdout().lines().next().unwrap().unwrap();
        let span: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&span["name"], &span["service"]), (&"GET /".into(), &"backend-flask".into()));
        listening.interrupt();
        listening.end().expect(0);
    }

    /// Carries out a step: a command, or `FILE, after line N: LINE`.
    fn take(&self, step: &str) {
        let Some((file, rest)) = step.split_once(", after line ") else {
            self.shell(&self.sandbox.project(), step);
            return;
        };
        let (after, line) = rest.split_once(": ").unwrap();
        let text = self.sandbox.read(file);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(after.parse().unwrap(), line);
        self.sandbox.write(file, &(lines.join("\n") + "\n"));
    }
}

#[test]
fn a_project_locked_by_uv() {
    let Some(bench) = Workbench::new(&[
        (
            "pyproject.toml",
            "[project]\nname = \"api\"\nversion = \"0\"\nrequires-python = \">=3.10\"\ndependencies = [\"flask\"]\n",
        ),
        (
            "Dockerfile",
            "FROM python:3.12\nCOPY . .\nRUN uv sync --frozen --no-dev\nCMD uv run flask run\n",
        ),
    ]) else {
        return;
    };
    bench.shell(&bench.service(), "uv lock --quiet");
    bench.check(None);
}

#[test]
fn a_project_locked_by_poetry() {
    let Some(bench) = Workbench::new(&[
        (
            "pyproject.toml",
            "[tool.poetry]\npackage-mode = false\n\n[tool.poetry.dependencies]\npython = \">=3.10,<4\"\nflask = \"*\"\n\n\
             [[tool.poetry.source]]\nname = \"local\"\nurl = \"INDEX\"\n",
        ),
        (
            "Dockerfile",
            "FROM python:3.12\nCOPY pyproject.toml poetry.lock ./\nRUN poetry install --only main\nCOPY . .\n",
        ),
    ]) else {
        return;
    };
    bench.shell(&bench.service(), "poetry lock --quiet");
    bench.check(None);
}

#[test]
fn a_pipfile() {
    let Some(bench) = Workbench::new(&[
        (
            "Pipfile",
            "[[source]]\nurl = \"INDEX\"\nverify_ssl = false\nname = \"local\"\n\n[packages]\nflask = \"*\"\n",
        ),
        ("Dockerfile", "FROM python:3.12\nCOPY Pipfile* ./\nRUN pipenv sync\nCOPY . .\n"),
    ]) else {
        return;
    };
    bench.shell(&bench.service(), "pipenv lock --quiet");
    std::fs::remove_dir_all(bench.service().join(".venv")).unwrap();
    bench.check(None);
}

#[test]
fn packages_that_the_dockerfile_names() {
    let dockerfile = "FROM python:3.12\nCOPY . .\nRUN pip install --quiet flask\nCMD flask run\n";
    let Some(bench) = Workbench::new(&[("Dockerfile", dockerfile)]) else {
        return;
    };
    bench.check(Some(""));
}

#[test]
fn packages_of_the_base_image() {
    let dockerfile = "FROM registry.example.com/flask:3\nCOPY . .\nCMD flask run\n";
    let files = [("Dockerfile", dockerfile), ("requirements.txt", "flask\n")];
    let Some(bench) = Workbench::new(&files) else {
        return;
    };
    bench.check(Some("flask"));
    assert_eq!(bench.sandbox.read("backend-flask/requirements.txt"), "flask\n");
}
