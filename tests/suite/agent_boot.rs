//! The files of `templates/agents` that start OpenTelemetry's agents: the application runs as without them, whatever
//! the agent does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::python::{installed_from, python};
use crate::sandbox::tool;

/// The agent's volume as a container sees it: the agent, and our file in its folder.
struct AgentVolume {
    folder: tempfile::TempDir,
}

impl AgentVolume {
    fn new(language: &str, file: &str, text: &str) -> Option<Self> {
        let agent = tool(&format!("agents/{language}/autoinstrumentation"), "agent-images.sh")?;
        let volume = Self::without_agent(file, text);
        for entry in std::fs::read_dir(agent).unwrap() {
            let entry = entry.unwrap();
            let place = volume.folder.path().join(entry.file_name());
            std::os::unix::fs::symlink(entry.path(), place).unwrap();
        }
        Some(volume)
    }

    fn without_agent(file: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cruddur-ops")).unwrap();
        std::fs::write(folder.path().join("cruddur-ops").join(file), text).unwrap();
        Self { folder }
    }

    fn for_python() -> Option<Self> {
        let text = include_str!("../../templates/agents/python/sitecustomize.py");
        Self::new("python", "sitecustomize.py", text)
    }

    fn for_node() -> Option<Self> {
        Self::new("nodejs", "register.cjs", NODE_BOOT)
    }

    /// Returns a Python whose agent prints its spans; `behind` follows our folder in PYTHONPATH.
    fn python(&self, python: &Path, behind: &[&Path]) -> Command {
        let ours = self.folder.path().join("cruddur-ops");
        let path = std::iter::once(ours.as_path()).chain(behind.iter().copied());
        let mut command = traced(python);
        command.env("PYTHONPATH", std::env::join_paths(path).unwrap());
        command
    }

    fn node(&self) -> Command {
        let ours = self.folder.path().join("cruddur-ops/register.cjs");
        let mut command = traced(Path::new("node"));
        command.env("NODE_OPTIONS", format!("--require {}", ours.display()));
        command
    }
}

const NODE_BOOT: &str = include_str!("../../templates/agents/nodejs/register.cjs");

/// Returns a command with only the variables that make an agent print its spans.
fn traced(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).envs([
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_NODE_RESOURCE_DETECTORS", "env"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    command
}

fn text_of(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Creates a separate Python environment with these packages, from wheels only.
fn application(folder: &Path, requirements: &str) -> Option<PathBuf> {
    let wheels = tool("agent-apps/wheels", "agent-apps.sh")?;
    let file = folder.join("requirements.txt");
    std::fs::write(&file, requirements).unwrap();
    installed_from(folder, &file, &[&wheels])
}

#[test]
fn an_application_in_python_keeps_its_own_packages_and_is_traced() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(volume), Some(python)) = (
        AgentVolume::for_python(),
        application(folder.path(), "flask==3.1.3\nprotobuf==4.25.3\nrequests==2.28.0\n"),
    ) else {
        return;
    };
    let app = "import flask, google.protobuf, requests\n\
        app = flask.Flask('shop')\n\
        app.add_url_rule('/items/<int:item>', view_func=lambda item: 'ok', endpoint='item')\n\
        assert app.test_client().get('/items/5').data == b'ok'\n\
        print(google.protobuf.__version__, requests.__version__)\n";
    let output = volume.python(&python, &[]).args(["-c", app]).output().unwrap();
    let (stdout, stderr) = text_of(&output);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("4.25.3 2.28.0"), "{stdout}{stderr}");
    assert!(stdout.contains(r#""name": "GET /items/<int:item>""#), "{stdout}{stderr}");
    // The agent has both in other versions, so the test can fail.
    let versions = "import google.protobuf, requests; print(google.protobuf.__version__, requests.__version__)";
    let output = traced(&python)
        .env("PYTHONPATH", volume.folder.path())
        .args(["-c", versions])
        .output()
        .unwrap();
    assert!(!text_of(&output).0.contains("4.25.3"));
    assert!(!text_of(&output).0.contains("2.28.0"));
}

#[test]
fn a_sitecustomize_of_the_application_runs_once_as_without_the_agent() {
    let (Some(volume), Some(python)) = (AgentVolume::for_python(), python()) else {
        return;
    };
    let own = tempfile::tempdir().unwrap();
    let app = "import opentelemetry.trace, sys; print('app', 'sitecustomize' in sys.modules)";
    for (text, runs, in_place) in [
        ("import sys; print('own', __name__, sys.path[-1], flush=True)", "own", true),
        ("import sys; print('own', file=sys.stderr); raise ValueError('trouble')", "own", false),
        ("import a_module_that_is_not_there", "a_module_that_is_not_there", false),
    ] {
        std::fs::write(own.path().join("sitecustomize.py"), text).unwrap();
        let lines = |command: &mut Command| {
            let output = command.args(["-c", app]).output().unwrap();
            let (stdout, stderr) = text_of(&output);
            assert!(output.status.success(), "{stdout}{stderr}");
            format!("{stdout}{stderr}")
        };
        let without = lines(traced(&python).env("PYTHONPATH", own.path()));
        let with = lines(&mut volume.python(&python, &[own.path()]));
        assert_eq!(with, without);
        assert_eq!(with.matches(runs).count(), 1, "{with}");
        assert!(with.contains(if in_place { "app True" } else { "app False" }), "{with}");
    }
}

#[test]
fn a_failure_of_the_python_agent_is_one_line() {
    let (Some(volume), Some(python)) = (AgentVolume::for_python(), python()) else {
        return;
    };
    let old = tempfile::tempdir().unwrap();
    // As an application that brings a version the agent cannot work with.
    std::fs::write(old.path().join("typing_extensions.py"), "").unwrap();
    std::fs::create_dir(old.path().join("opentelemetry")).unwrap();
    let broken = |name: &str| old.path().join("opentelemetry").join(name);
    let run = |volume: &AgentVolume| {
        let app = "import sys; print('ran', len([entry for entry in sys.path if entry.startswith(sys.argv[1])]))";
        let mut command = volume.python(&python, &[old.path()]);
        let output = command.args(["-c", app]).arg(volume.folder.path()).output().unwrap();
        let (stdout, stderr) = text_of(&output);
        assert!(output.status.success(), "{stderr}");
        // The agent's folder is gone from the path: nothing of it is half there.
        assert_eq!(stdout.trim(), "ran 0", "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("not traced"), "{stderr}");
    };
    run(&volume);
    std::fs::remove_file(old.path().join("typing_extensions.py")).unwrap();
    std::fs::write(broken("__init__.py"), "raise RuntimeError('two\\nlines')").unwrap();
    run(&volume);
    std::fs::remove_dir_all(old.path().join("opentelemetry")).unwrap();
    let empty = AgentVolume::without_agent(
        "sitecustomize.py",
        include_str!("../../templates/agents/python/sitecustomize.py"),
    );
    std::fs::write(old.path().join("opentelemetry.py"), "").unwrap();
    run(&empty);
}

#[test]
fn switches_that_ignore_the_environment_leave_python_alone() {
    let (Some(volume), Some(python)) = (AgentVolume::for_python(), python()) else {
        return;
    };
    for switch in ["-S", "-I", "-E"] {
        let app =
            "import sys; print([name for name in sys.modules if name.startswith('opentelemetry')])";
        let output = volume.python(&python, &[]).args([switch, "-c", app]).output().unwrap();
        let (stdout, stderr) = text_of(&output);
        assert_eq!((stdout.trim(), stderr.trim()), ("[]", ""), "{switch}");
    }
}

#[test]
fn a_python_older_than_the_agent_runs_untraced() {
    let Some(volume) = AgentVolume::for_python() else {
        return;
    };
    let mut tried = 0;
    for version in ["python3.6", "python3.7", "python3.8", "python3.9"] {
        let mut command = volume.python(Path::new(version), &[]);
        let Ok(output) = command.args(["-c", "print('ran')"]).output() else {
            continue;
        };
        let (stdout, stderr) = text_of(&output);
        if stdout.is_empty() {
            continue;
        }
        tried += 1;
        assert_eq!(stdout.trim(), "ran", "{version}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{version}: {stderr}");
    }
    if tried == 0 {
        println!("skipped: no Python older than 3.10 here");
    }
}

#[test]
fn django_is_traced_with_the_settings_it_chooses_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(volume), Some(python)) =
        (AgentVolume::for_python(), application(folder.path(), "django==5.1.4\n"))
    else {
        return;
    };
    std::fs::write(
        folder.path().join("chosen.py"),
        "SECRET_KEY = 'of-a-test'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'served'\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("served.py"),
        "import logging, os, sys\n\
         from django.http import HttpResponse\n\
         from django.urls import path\n\
         urlpatterns = [path('items/<int:item>', lambda request, item: HttpResponse('ok'))]\n\
         if __name__ == '__main__':\n    \
             os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'chosen')\n    \
             from django.core.wsgi import get_wsgi_application\n    \
             from django.test import RequestFactory\n    \
             application = get_wsgi_application()\n    \
             answer = application.get_response(RequestFactory().get('/items/5'))\n    \
             print(answer.status_code, answer.content, logging.root.handlers)\n",
    )
    .unwrap();
    let output = volume.python(&python, &[]).arg(folder.path().join("served.py")).output().unwrap();
    let (stdout, stderr) = text_of(&output);
    assert!(output.status.success(), "{stdout}{stderr}");
    // No handler of the agent takes the application's place in the log either.
    assert!(stdout.contains("200 b'ok' []"), "{stdout}{stderr}");
    assert!(stdout.contains(r#""name": "GET items/<int:item>""#), "{stdout}{stderr}");
    let disabled = volume
        .python(&python, &[])
        .env("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, django")
        .arg(folder.path().join("served.py"))
        .output()
        .unwrap();
    assert!(disabled.status.success());
    assert!(!text_of(&disabled).0.contains("GET items"));
}

/// Runs an Express application in `folder` that sends itself one request and exits.
fn express(folder: &Path, file: &str, first_lines: &str) -> Option<PathBuf> {
    let packages = tool("agent-apps/gateway/node_modules", "agent-apps.sh")?;
    std::os::unix::fs::symlink(packages, folder.join("node_modules")).unwrap();
    let rest = "const app = express();\n\
        app.get('/items/:id', (request, response) => response.send('ok'));\n\
        const server = app.listen(0, '127.0.0.1', () => http.get(\n\
        { port: server.address().port, path: '/items/5' }, (answer) => { answer.resume(); answer.on('end', () => server.close()); }));\n";
    std::fs::write(folder.join(file), format!("{first_lines}{rest}")).unwrap();
    Some(folder.join(file))
}

#[test]
fn an_application_in_node_is_traced_by_route_whatever_its_modules() {
    let Some(volume) = AgentVolume::for_node() else {
        return;
    };
    for (file, first_lines) in [
        ("server.mjs", "import express from 'express';\nimport http from 'node:http';\n"),
        ("server.cjs", "const express = require('express');\nconst http = require('http');\n"),
        (
            "late.mjs",
            "const express = (await import('express')).default;\nconst http = await import('http');\n",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let Some(server) = express(folder.path(), file, first_lines) else {
            return;
        };
        let output = volume.node().arg(server).output().unwrap();
        let (stdout, stderr) = text_of(&output);
        assert!(output.status.success(), "{file}: {stderr}");
        assert!(stdout.contains("name: 'GET /items/:id'"), "{file}: {stdout}{stderr}");
        assert_eq!(stderr, "", "{file}");
    }
}

#[test]
fn a_process_in_node_ends_at_sigterm_as_without_the_agent() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;
    let Some(volume) = AgentVolume::for_node() else {
        return;
    };
    let ready = "setInterval(() => 0, 1000); console.log('ready');";
    let graceful = "process.once('SIGTERM', () => setTimeout(() => process.exit(3), 200));";
    for (before, code, signal) in [("", None, Some(15)), (graceful, Some(3), None)] {
        let mut command = volume.node();
        let mut child = command
            .args(["-e", &format!("{before}{ready}")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let id = i32::try_from(child.id()).unwrap();
        let process = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (code, signal), "{before}");
    }
}

#[test]
fn tools_that_only_start_others_run_without_the_agent() {
    let Some(volume) = AgentVolume::for_node() else {
        return;
    };
    // The agent says at this level that it has started.
    let started = |command: &mut Command| {
        let output = command.env("OTEL_LOG_LEVEL", "info").output().unwrap();
        let (stdout, stderr) = text_of(&output);
        assert!(output.status.success(), "{stderr}");
        stdout.contains("started successfully")
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["npm-cli.js", "npx", "yarn.js", "pnpm.cjs", "nodemon.js"] {
        std::fs::write(folder.path().join(name), "").unwrap();
        assert!(!started(volume.node().arg(folder.path().join(name))), "{name}");
    }
    std::fs::write(folder.path().join("ts-node.js"), "").unwrap();
    assert!(started(volume.node().arg(folder.path().join("ts-node.js"))));
    std::fs::write(
        folder.path().join("package.json"),
        r#"{"name": "shop", "scripts": {"start": "node ts-node.js"}}"#,
    )
    .unwrap();
    let node = volume.node();
    let node_options = node.get_envs().find(|(name, _)| *name == "NODE_OPTIONS").unwrap().1;
    let mut npm = traced(Path::new("npm"));
    npm.env("NODE_OPTIONS", node_options.unwrap()).env("HOME", folder.path());
    assert!(started(npm.args(["start", "--silent"]).current_dir(folder.path())));
}

#[test]
fn a_failure_of_the_node_agent_is_one_line() {
    let volume = AgentVolume::without_agent("register.cjs", NODE_BOOT);
    let Ok(output) = volume.node().args(["-e", "console.log('ran')"]).output() else {
        println!("skipped: no node; tests/tools/system.sh installs it");
        return;
    };
    let (stdout, stderr) = text_of(&output);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout, "ran\n");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_worker_thread_in_node_runs() {
    let Some(volume) = AgentVolume::for_node() else {
        return;
    };
    let app = "const { Worker, isMainThread } = require('worker_threads');\n\
        if (isMainThread) new Worker(__filename).on('exit', (code) => console.log('ended', code));\n\
        else console.log('worker');\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.js"), app).unwrap();
    let output = volume.node().arg(folder.path().join("app.js")).output().unwrap();
    let (stdout, stderr) = text_of(&output);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("worker\nended 0\n", ""));
}
