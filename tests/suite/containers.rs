//! Docker as a child process: no project chooses the engine it talks to, what it fetches, or which program it is;
//! under `--no-verify` no program is started at all.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cruddur_ops::docker::{ComposeProject, Engine};
use cruddur_ops::error::ErrorCode;
use cruddur_ops::shell::Shell;

use crate::compose_oracle::docker_compose;
use crate::fixtures::COMPOSE;
use crate::sandbox::{KEY, Sandbox};

/// Programs in a separate folder that record how they were started.
pub struct Recorder {
    pub folder: tempfile::TempDir,
}

/// A start of a recorded program.
pub struct Started {
    /// The program's name, then its arguments.
    pub words: String,
    folder: PathBuf,
    /// Its environment as `NAME=VALUE` lines.
    environment: String,
}

impl Recorder {
    pub fn new(names: &[&str]) -> Self {
        let recorder = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(recorder.folder.path().join("bin")).unwrap();
        for name in names {
            recorder.program(name, "");
        }
        recorder
    }

    /// Adds a program that runs this script after it recorded its start.
    pub fn program(&self, name: &str, script: &str) {
        let folder = self.folder.path().display();
        let text = format!(
            "#!/bin/sh\nn={folder}/$$\necho \"{name} $*\" >$n.words\npwd >$n.folder\nenv >$n.environment\n{script}\n"
        );
        let path = self.folder.path().join("bin").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Adds a docker with one running container of the service `backend-flask` of the project in `root`.
    fn docker(root: &Path) -> Self {
        let recorder = Self::new(&[]);
        let inspected = serde_json::json!({
            "id": "a1",
            "state": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-26T01:52:07.98Z"},
            "labels": {
                "com.docker.compose.service": "backend-flask",
                "com.docker.compose.config-hash": "of-before",
            },
        });
        recorder.program(
            "docker",
            &format!(
                "case \"$1 $2\" in\n'ps --all') echo 'a1 {}';;\n'inspect --format') echo '{inspected}';;\n\
                 'compose config') echo 'backend-flask of-now';;\nesac",
                root.display()
            ),
        );
        recorder
    }

    /// Returns a PATH with these programs before those of the machine.
    pub fn path(&self) -> String {
        let own = self.folder.path().join("bin");
        format!("{}:{}", own.display(), std::env::var("PATH").unwrap())
    }

    pub fn started(&self) -> Vec<Started> {
        let mut started = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "words") {
                let read = |end| std::fs::read_to_string(path.with_extension(end)).unwrap();
                started.push(Started {
                    words: read("words").trim_end().to_owned(),
                    folder: PathBuf::from(read("folder").trim_end()),
                    environment: read("environment"),
                });
            }
        }
        started
    }
}

impl Started {
    fn variable(&self, name: &str) -> Option<&str> {
        let mut lines = self.environment.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Creates a project for `verify --app`, with nothing listening at its address.
fn project(compose: &str) -> Sandbox {
    Sandbox::new(&[("compose.yaml", compose)]).with("HONEYCOMB_API_KEY", KEY)
}

const VERIFY: [&str; 5] = ["verify", "--app", "http://127.0.0.1:9/", "--timeout", "1s"];

/// A traced service with an endpoint on this machine that nothing listens on.
const TRACED: &str = "services:\n  backend-flask:\n    image: x\n    environment:\n      OTEL_SERVICE_NAME: backend-flask\n      \
     OTEL_EXPORTER_OTLP_ENDPOINT: http://127.0.0.1:9\n";

#[test]
fn without_verification_no_program_is_started() {
    let names = [
        "docker",
        "docker-compose",
        "git",
        "gh",
        "gp",
        "gitpod",
        "aws",
        "xdg-open",
        "python3",
        "pip",
        "npm",
        "node",
        "ssh",
        "curl",
        "sh",
    ];
    let recorder = Recorder::new(&names);
    let (listener, port) = listener();
    for include in [
        format!("http://127.0.0.1:{port}/x.git"),
        format!("{{path: 'git://127.0.0.1:{port}/x'}}"),
        format!("{{path: 'oci://127.0.0.1:{port}/x'}}"),
    ] {
        let sandbox = Sandbox::new(&[
            ("docker-compose.yml", &format!("{COMPOSE}\ninclude: [{include}]\n")),
            (".env", &format!("DOCKER_HOST=tcp://127.0.0.1:{port}\n")),
            (".git/HEAD", "ref: refs/heads/main\n"),
            (".git/objects/x", ""),
            (".git/refs/x", ""),
        ]);
        let sandbox = sandbox
            .with("HONEYCOMB_API_KEY", KEY)
            .with("PATH", &recorder.path())
            .with("DOCKER_HOST", &format!("tcp://127.0.0.1:{port}"));
        for store in ["env", "dotenv"] {
            let init =
                ["init", "--yes", "--no-verify", "--all-services", "--store", store, "--public"];
            sandbox.run(&init).expect(0);
        }
        assert!(sandbox.read("docker-compose.yml").contains("OTEL_SERVICE_NAME"));
    }
    let started: Vec<String> = recorder.started().into_iter().map(|one| one.words).collect();
    assert!(started.is_empty(), "{started:?}");
    assert!(listener.accept().is_err(), "a connection was made");
    let sandbox = project(TRACED).with("PATH", &recorder.path());
    sandbox.run(&["init", "--yes", "--no-verify", "--restart"]).expect(2);
    sandbox.run(&VERIFY);
    assert!(!recorder.started().is_empty(), "the programs are not found at all");
}

#[test]
fn docker_is_asked_from_nowhere_and_compose_with_what_is_the_users() {
    let headers = "a=${DOCKER_HOST},b=${DOCKER_CONFIG},c=${COMPOSE_EXPERIMENTAL_GIT_REMOTE},d=${LD_PRELOAD},e=${PATH}";
    let sandbox = project(&format!("{TRACED}      OTEL_EXPORTER_OTLP_HEADERS: \"{headers}\"\n"));
    let recorder = Recorder::docker(&sandbox.project());
    sandbox.write(
        ".env",
        "DOCKER_HOST=tcp://evil.example\nDOCKER_CONTEXT=evil\nDOCKER_CONFIG=./evil\nCOMPOSE_BAKE=1\n\
         COMPOSE_TEST_DESKTOP_ENDPOINT=unix:///evil\nCOMPOSE_EXPERIMENTAL_GIT_REMOTE=1\nTAG=1\n\
         LD_PRELOAD=./evil.so\n",
    );
    let path = format!("{}:.:./bin:{}", recorder.path(), sandbox.project().display());
    let sandbox = sandbox.with("PATH", &path).with("DOCKER_TLS_VERIFY", "1");
    sandbox.run(&VERIFY);
    let started = recorder.started();
    let found = |words: &str| {
        let found = started.iter().find(|one| one.words.starts_with(words));
        found.unwrap_or_else(|| panic!("{words} was not started"))
    };
    for words in ["docker ps", "docker inspect", "docker logs"] {
        if words == "docker logs" && !started.iter().any(|one| one.words.starts_with(words)) {
            continue;
        }
        assert_eq!(found(words).folder, Path::new("/"), "{words}");
    }
    let compose = found("docker compose config");
    assert_eq!(compose.folder, sandbox.project().canonicalize().unwrap());
    for (name, value) in [
        ("DOCKER_HOST", Some("")),
        ("DOCKER_CONTEXT", Some("")),
        ("DOCKER_CONFIG", Some("")),
        ("DOCKER_TLS_VERIFY", Some("1")),
        ("COMPOSE_BAKE", Some("")),
        ("COMPOSE_TEST_DESKTOP_ENDPOINT", Some("")),
        ("COMPOSE_EXPERIMENTAL_GIT_REMOTE", Some("false")),
        ("COMPOSE_EXPERIMENTAL_OCI_REMOTE", Some("false")),
        ("TAG", None),
        ("LD_PRELOAD", None),
    ] {
        assert_eq!(compose.variable(name), value, "{name}");
    }
    for one in &started {
        let path = one.variable("PATH").unwrap();
        let own = sandbox.project().display().to_string();
        let strange = path.split(':').find(|entry| !entry.starts_with('/') || **entry == own);
        assert_eq!(strange, None, "{}", one.words);
    }
}

#[test]
fn compose_is_not_started_where_it_would_fetch_or_run_something() {
    let service = "services:\n  other:\n    image: x\n";
    for (more, files) in [
        ("include: ['https://evil.example/x.git']\n", &[][..]),
        ("include: ['git@evil.example:x/y.git']\n", &[]),
        ("include: [{path: ['a.yaml', 'ssh://evil.example/x']}]\n", &[("a.yaml", service)]),
        ("include: ['oci://evil.example/x']\n", &[("oci:/evil.example/x", service)]),
        ("include: ['evil:x']\n", &[("evil:x", service)]),
        ("include: ['github.com/x/y']\n", &[("github.com/x/y", service)]),
        (
            "include: [{path: a.yaml, env_file: 'https://evil.example/x.git'}]\n",
            &[("a.yaml", service)],
        ),
        (
            "include: [{path: a.yaml, project_directory: 'https://evil.example/x.git'}]\n",
            &[("a.yaml", service)],
        ),
        ("include: ['${FROM}']\n", &[(".env", "FROM=https://evil.example/x.git\n")]),
        ("include: ['a.yaml']\n", &[("a.yaml", "include: ['https://evil.example/x.git']\n")]),
        ("  o:\n    extends: {file: 'https://evil.example/x.git', service: o}\n", &[]),
        (
            "  o:\n    extends: {file: 'b.yaml', service: o}\n",
            &[(
                "b.yaml",
                "services:\n  o:\n    extends: {file: 'oci://evil.example/x', service: o}\n",
            )],
        ),
        ("  o:\n    build: https://evil.example/x.git\n", &[]),
        ("  o:\n    build: {context: 'git@evil.example:x'}\n", &[]),
        (
            "  o:\n    build: {context: ., additional_contexts: {a: 'https://evil.example/x'}}\n",
            &[],
        ),
        ("  o:\n    build: {context: ., additional_contexts: ['a=github.com/x/y']}\n", &[]),
        ("  o:\n    provider: {type: ./evil}\n", &[]),
        (
            "",
            &[
                (
                    ".env",
                    "COMPOSE_FILE=compose.yaml,oci://evil.example/x\nCOMPOSE_PATH_SEPARATOR=,\n",
                ),
                ("oci:/evil.example/x", service),
            ],
        ),
    ] {
        let text = format!("{TRACED}{more}");
        let sandbox = project(&text);
        for (path, text) in files {
            sandbox.write(path, text);
        }
        let recorder = Recorder::docker(&sandbox.project());
        let sandbox = sandbox.with("PATH", &recorder.path());
        let run = sandbox.run(&[&VERIFY[..], &["--restart"]].concat());
        let started: Vec<String> = recorder.started().into_iter().map(|one| one.words).collect();
        assert!(started.iter().any(|one| one.starts_with("docker ps")), "{more}{}", run.stderr);
        assert!(!started.iter().any(|one| one.contains("compose config")), "{more}: {started:?}");
        assert!(!started.iter().any(|one| one.contains("compose up")), "{more}: {started:?}");
    }
    // Without anything of the kind it is started, and the old container replaced.
    let sandbox = project(&format!(
        "{TRACED}  o:\n    build: {{context: ., additional_contexts: {{a: 'docker-image://x', b: ./b}}}}\n"
    ));
    let recorder = Recorder::docker(&sandbox.project());
    let sandbox = sandbox.with("PATH", &recorder.path());
    sandbox.run(&[&VERIFY[..], &["--restart"]].concat());
    let started = recorder.started();
    assert!(started.iter().any(|one| one.words.ends_with("--force-recreate -- backend-flask")));
}

/// Adds a `docker` that supports only `compose`.
fn real_compose() -> Option<(Recorder, Shell)> {
    let program = docker_compose()?;
    let recorder = Recorder::new(&[]);
    recorder.program("docker", &format!("shift\nexec {} \"$@\"", program.display()));
    let variables =
        [("PATH", recorder.path()), ("HOME", recorder.folder.path().display().to_string())];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Some((recorder, Shell::new(variables, "/".into())))
}

#[test]
fn the_real_compose_fetches_nothing_for_us() {
    let Some((recorder, shell)) = real_compose() else { return };
    let (listener, port) = listener();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let engine = Engine::find(&shell, folder.path().to_owned()).unwrap();
    // As if the look at the model had missed it.
    let project = ComposeProject {
        folder: folder.path().to_owned(),
        assigned: vec!["COMPOSE_EXPERIMENTAL_GIT_REMOTE".to_owned()],
        ..ComposeProject::default()
    };
    write(".env", "COMPOSE_EXPERIMENTAL_GIT_REMOTE=true\nCOMPOSE_EXPERIMENTAL_OCI_REMOTE=true\n");
    for address in [
        format!("http://127.0.0.1:{port}/x.git"),
        format!("git://127.0.0.1:{port}/x"),
        format!("oci://127.0.0.1:{port}/x"),
    ] {
        write("compose.yaml", &format!("services: {{a: {{image: x}}}}\ninclude: ['{address}']\n"));
        let error = engine.digests(&project).unwrap_err();
        assert_eq!(error.code, ErrorCode::DockerFailed);
        assert!(listener.accept().is_err(), "{address}: a connection was made");
    }
    // Docker compose itself does make one.
    write("compose.yaml", &format!("include: ['http://127.0.0.1:{port}/x.git']\n"));
    let mut plain = Command::new(docker_compose().unwrap());
    let plain = plain.arg("config").current_dir(folder.path()).env_clear();
    let plain = plain.env("PATH", recorder.path()).env("HOME", recorder.folder.path());
    let plain = plain.env("GIT_TERMINAL_PROMPT", "0").stderr(Stdio::null());
    let mut plain = plain.spawn().unwrap();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let connected = loop {
        match listener.accept() {
            Ok(_) => break true,
            Err(_) if std::time::Instant::now() > limit => break false,
            Err(_) => std::thread::yield_now(),
        }
    };
    plain.kill().unwrap();
    plain.wait().unwrap();
    assert!(connected, "docker compose made no connection either");
}

#[test]
fn variables_of_a_dotenv_change_no_digest_and_lead_to_no_engine() {
    let Some((_recorder, shell)) = real_compose() else { return };
    let (listener, port) = listener();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("compose.yaml", "services: {a: {image: 'x:${TAG}'}}\n");
    write(".env", "TAG=1\n");
    let engine = Engine::find(&shell, folder.path().to_owned()).unwrap();
    let mut project =
        ComposeProject { folder: folder.path().to_owned(), ..ComposeProject::default() };
    let before = engine.digests(&project).unwrap();
    assert_eq!(before.len(), 1);
    let names = [
        "COMPOSE_ANSI",
        "COMPOSE_BAKE",
        "COMPOSE_COMPATIBILITY",
        "COMPOSE_ENV_FILES",
        "COMPOSE_EXPERIMENTAL",
        "COMPOSE_IGNORE_ORPHANS",
        "COMPOSE_MENU",
        "COMPOSE_PARALLEL_LIMIT",
        "COMPOSE_PROGRESS",
        "COMPOSE_REMOVE_ORPHANS",
        "COMPOSE_STATUS_STDOUT",
        "COMPOSE_TEST_DESKTOP_ENDPOINT",
        "DOCKER_CONFIG",
        "DOCKER_CONTEXT",
        "DOCKER_HOST",
    ];
    let address = format!("tcp://127.0.0.1:{port}");
    let lines: String = names.iter().map(|name| format!("{name}={address}\n")).collect();
    write(".env", &format!("TAG=1\n{lines}"));
    project.assigned = names.map(str::to_owned).into();
    assert_eq!(engine.digests(&project).unwrap(), before);
    assert!(listener.accept().is_err(), "a connection was made");
}

#[test]
fn a_service_that_waits_for_an_agent_is_restarted_together_with_it() {
    let restart = |base: &str| {
        let compose = "services:\n  backend-flask:\n    build: .\n";
        let docker = format!("FROM {base}\nCOPY . .\nCMD uvicorn main:app\n");
        let sandbox = Sandbox::new(&[
            ("compose.yaml", compose),
            ("Dockerfile", docker.as_str()),
            ("requirements.txt", "fastapi\n"),
            ("main.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
        ]);
        let recorder = Recorder::docker(&sandbox.project());
        let sandbox = sandbox.with("PATH", &recorder.path());
        sandbox.run(&["init", "--yes", "--provider", "local", "--no-ports", "--restart"]).expect(0);
        let mut started = recorder.started().into_iter();
        started.find(|one| one.words.starts_with("docker compose up")).unwrap().words
    };
    let alone = "docker compose up --detach --build --no-deps --force-recreate -- backend-flask";
    assert_eq!(restart("team/base"), alone);
    assert_eq!(restart("python:3.12"), alone.replace(" --no-deps", ""));
}
