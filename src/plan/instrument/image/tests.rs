//! Tests the kinds of images: which file is edited, or the exact step left to the user.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::compose::{Dockerignore, resolve_image_path};
use crate::plan::instrument::{MistakePolicy, PythonService, plan_instrumentation};

/// A service `api` built from `/p/api`, whose folder is mounted at `/mounted`.
struct ImageCase {
    /// The Dockerfile after `FROM python:3.12`, or all of it if it contains a `FROM`.
    dockerfile: &'static str,
    /// Files of the build context other than `app.py`.
    files: &'static [(&'static str, &'static str)],
    command: Option<&'static str>,
    /// `edit FILE`, or a step in which `…` replaces the packages.
    expected: &'static str,
}

const fn image_case(
    dockerfile: &'static str,
    files: &'static [(&'static str, &'static str)],
    expected: &'static str,
) -> ImageCase {
    ImageCase { dockerfile, files, command: None, expected }
}

const fn started_case(
    dockerfile: &'static str,
    files: &'static [(&'static str, &'static str)],
    command: &'static str,
    expected: &'static str,
) -> ImageCase {
    ImageCase { dockerfile, files, command: Some(command), expected }
}

const FLASK: (&str, &str) = ("requirements.txt", "flask\n");
const PYPROJECT: (&str, &str) =
    ("pyproject.toml", "[project]\nname = \"api\"\ndependencies = [\"flask\"]\n");
const POETRY: (&str, &str) =
    ("pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.12\"\nflask = \"*\"\n");
const LOCK: &str = "version = 1\n[[package]]\nname = \"flask\"\nversion = \"3.1.0\"\n";
const UV: &[(&str, &str)] = &[PYPROJECT, ("uv.lock", LOCK), FLASK];
const POETRY_LOCKED: &[(&str, &str)] = &[POETRY, ("poetry.lock", LOCK)];
const PIPFILE: (&str, &str) = ("Pipfile", "[packages]\nflask = \"*\"\n");
const CONDA: (&str, &str) =
    ("environment.yml", "dependencies:\n  - flask\n  - pip:\n    - pytest\n");

const SHAPES: &[ImageCase] = &[
    // A list that pip is given, under any name and in any way.
    image_case("COPY . .\nRUN pip install -r requirements.txt", &[FLASK], "edit requirements.txt"),
    image_case(
        "WORKDIR /app\nCOPY ./requirements /app/requirements\nRUN pip install --no-cache-dir \\\n  -r /app/requirements/prod.txt\n",
        &[FLASK, ("requirements/prod.txt", "flask\n")],
        "edit requirements/prod.txt",
    ),
    image_case(
        "COPY --chown=a deps/base.txt /tmp/\nRUN python -m pip install -qr /tmp/base.txt",
        &[FLASK, ("deps/base.txt", "Flask\n")],
        "edit deps/base.txt",
    ),
    image_case(
        "ARG ENVIRONMENT=prod\nENV LISTS=deps\nCOPY . /srv\nWORKDIR /srv\nRUN pip install -r ${LISTS}/$ENVIRONMENT.txt",
        &[FLASK, ("deps/prod.txt", "flask\n"), ("deps/dev.txt", "pytest\n")],
        "edit deps/prod.txt",
    ),
    image_case(
        "COPY . /srv\nRUN cd /srv/deps && REQ=main.txt && /venv/bin/pip3.12 install -r $REQ",
        &[FLASK, ("deps/main.txt", "flask\n")],
        "edit deps/main.txt",
    ),
    image_case(
        "COPY *.txt /x/\nRUN pip install -r /x/dev.txt\nRUN pip install -c /x/pins.txt -r /x/requirements.txt",
        &[FLASK, ("dev.txt", "pytest\n"), ("pins.txt", "flask==3.0.0\n")],
        "edit requirements.txt",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN uv pip install --system -r requirements.txt",
        &[FLASK],
        "edit requirements.txt",
    ),
    image_case(
        "RUN --mount=type=bind,source=deps/a.txt,target=/tmp/r.txt pip install -r /tmp/r.txt",
        &[FLASK, ("deps/a.txt", "flask\n")],
        "edit deps/a.txt",
    ),
    image_case(
        "FROM python:3.12 AS build\nCOPY . /x\nRUN python -m venv /venv && /venv/bin/pip install -r /x/all.txt\n\
         FROM python:3.12-slim\nCOPY requirements.txt .\nCOPY --from=build /venv /venv\nCOPY . .",
        &[FLASK, ("all.txt", "flask\n")],
        "edit all.txt",
    ),
    image_case(
        "FROM python:3.12 AS build\nCOPY requirements.txt /x/\nRUN pip wheel -r /x/requirements.txt -w /wheels\n\
         FROM python:3.12-slim\nCOPY --from=build /wheels /wheels\nRUN pip install /wheels/*.whl",
        &[FLASK],
        "edit requirements.txt",
    ),
    image_case(
        "FROM python:3.12 AS other\nRUN pip install flask\nFROM python:3.12\nCOPY . /x\nRUN pip install -r /x/requirements.txt",
        &[FLASK],
        "edit requirements.txt",
    ),
    image_case(
        "COPY . /x\nRUN <<EOF\nset -e\npip install -r /x/requirements.txt\nEOF",
        &[FLASK],
        "edit requirements.txt",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN bash scripts/setup.sh",
        &[FLASK, ("scripts/setup.sh", "#!/bin/bash\nset -e\npip install -r requirements.txt\n")],
        "edit requirements.txt",
    ),
    image_case("FROM python:3-onbuild", &[FLASK], "edit requirements.txt"),
    // The project itself.
    image_case("COPY . /x\nRUN pip install /x", &[PYPROJECT], "edit pyproject.toml"),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN pip install -e .[web]",
        &[PYPROJECT, FLASK],
        "edit pyproject.toml",
    ),
    image_case("COPY . /x\nWORKDIR /x\nRUN poetry install", &[POETRY], "edit pyproject.toml"),
    image_case("COPY . /x\nWORKDIR /x\nRUN uv sync", &[PYPROJECT], "edit pyproject.toml"),
    image_case(
        "COPY . /x\nRUN pip install /x",
        &[("setup.py", "")],
        "api/Dockerfile, after line 3: RUN pip install …",
    ),
    // A lock decides.
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN pip install uv && uv sync --frozen --no-dev",
        UV,
        "uv add --no-sync --project api …",
    ),
    image_case(
        "WORKDIR /app\nRUN --mount=type=cache,target=/root/.cache/uv \\\n    --mount=type=bind,source=uv.lock,target=uv.lock \\\n    \
         --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n    uv sync --locked --no-install-project\nCOPY . /app",
        UV,
        "uv add --no-sync --project api …",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nCMD [\"uv\", \"run\", \"flask\", \"run\"]",
        UV,
        "uv add --no-sync --project api …",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN uv export --frozen -o requirements.txt && pip install -r requirements.txt",
        UV,
        "uv add --no-sync --project api …",
    ),
    image_case(
        "FROM python:3.12 AS lock\nWORKDIR /l\nCOPY pyproject.toml poetry.lock ./\nRUN poetry export -f requirements.txt > list.txt\n\
         FROM python:3.12\nCOPY --from=lock /l/list.txt .\nRUN pip install -r list.txt",
        POETRY_LOCKED,
        "poetry -C api add --lock …",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN poetry install --only main --no-root",
        POETRY_LOCKED,
        "poetry -C api add --lock …",
    ),
    image_case(
        "COPY Pipfile* /x/\nWORKDIR /x\nRUN pipenv sync --system",
        &[
            PIPFILE,
            ("Pipfile.lock", "{\"default\": {\"flask\": {\"version\": \"==3.1.0\"}}}"),
            FLASK,
        ],
        "PIPENV_PIPFILE=api/Pipfile pipenv install …",
    ),
    image_case(
        "COPY Pipfile ./\nRUN pipenv install --deploy --system",
        &[PIPFILE],
        "PIPENV_PIPFILE=api/Pipfile pipenv install …",
    ),
    image_case(
        "COPY . .\nRUN pdm install",
        &[PYPROJECT, ("pdm.lock", LOCK)],
        "pdm add --no-sync -p api …",
    ),
    // A line of the Dockerfile decides.
    image_case(
        "COPY . .\nRUN pip install flask",
        &[FLASK],
        "api/Dockerfile, after line 3: RUN pip install …",
    ),
    image_case(
        "RUN apt-get update \\\n && python3 -m pip install --no-cache-dir --index-url https://u:p@x/ \\\n    'flask>2' gunicorn\nCOPY . .",
        &[],
        "api/Dockerfile, after line 4: RUN python3 -m pip install --no-cache-dir …",
    ),
    image_case(
        "FROM python:3.12 AS build\nRUN uv pip install --target /deps flask\nFROM python:3.12\nCOPY --from=build /deps /deps",
        &[],
        "api/Dockerfile, after line 2: RUN uv pip install --target /deps …",
    ),
    image_case(
        "COPY . /x\nRUN pip install -r /x/$UNKNOWN",
        &[FLASK],
        "api/Dockerfile, after line 3: RUN pip install …",
    ),
    image_case(
        "COPY <<EOF /x.txt\nflask\nEOF\nRUN pip install -r /x.txt",
        &[FLASK],
        "api/Dockerfile, after line 5: RUN pip install …",
    ),
    image_case(
        "FROM debian:12\nRUN apt-get install -y python3-flask python3-dev",
        &[FLASK],
        "api/Dockerfile, after line 2: RUN apt-get update && apt-get install -y python3-pip && python3 -m pip install --break-system-packages …",
    ),
    image_case(
        "FROM alpine\nRUN apk add python3 py3-flask",
        &[],
        "api/Dockerfile, after line 2: RUN apk add --no-cache py3-pip && python3 -m pip install --break-system-packages …",
    ),
    image_case(
        "FROM continuumio/miniconda3\nRUN conda install -y flask=3",
        &[],
        "api/Dockerfile, after line 2: RUN python -m pip install …",
    ),
    image_case(
        "FROM mambaorg/micromamba\nCOPY environment.yml /e.yml\nRUN micromamba install -f /e.yml",
        &[CONDA],
        "api/environment.yml, below `- pip:`: …",
    ),
    // The base image decides.
    image_case(
        "FROM registry.example.com/base:4 AS base\nFROM base\nCOPY . /x\nCMD flask run",
        &[FLASK],
        "api/Dockerfile, after line 2: RUN python -m pip install …",
    ),
    // The list does not reach the image, or must name every dependency.
    image_case(
        "COPY . /x\nRUN pip install -r /x/requirements.txt",
        &[FLASK, (".dockerignore", "*.txt\n")],
        "api/.dockerignore, last line: !requirements.txt",
    ),
    image_case(
        "COPY . /x\nWORKDIR /x\nRUN uv pip sync requirements.txt",
        &[(
            "requirements.txt",
            "# This file was autogenerated by uv via the following command:\n#    uv pip compile requirements.in -o requirements.txt\nflask\n    # via -r requirements.in\n",
        )],
        "api/requirements.in: …; then `uv pip compile api/requirements.in --output-file api/requirements.txt`",
    ),
    image_case(
        "COPY . /x\nRUN pip install --no-deps -r /x/requirements.txt",
        &[FLASK],
        "api/requirements.txt, with all they depend on: …",
    ),
    // The container installs each time it starts.
    started_case(
        "CMD flask run",
        &[FLASK],
        "sh -c \"pip install -r /mounted/requirements.txt && flask run\"",
        "edit requirements.txt",
    ),
    started_case(
        "WORKDIR /mounted",
        &[FLASK, ("deps/dev.txt", "flask\n")],
        "bash -c 'pip install -r deps/dev.txt; flask run'",
        "edit deps/dev.txt",
    ),
    started_case(
        "WORKDIR /mounted",
        &[FLASK, ("run.sh", "pip install -r requirements.txt\nexec flask run\n")],
        "./run.sh",
        "edit requirements.txt",
    ),
    started_case(
        "CMD flask run",
        &[FLASK],
        "sh -c 'pip install flask && flask run'",
        "the command of `api`, first: pip install …",
    ),
];

/// Files in memory: the context at `/p/api`, which is also mounted at `/mounted`.
struct MemoryFiles {
    files: BTreeMap<PathBuf, String>,
    ignored: Dockerignore,
}

impl MemoryFiles {
    fn new(files: &[(&str, &str)]) -> Self {
        let ignored = files.iter().find(|(path, _)| *path == ".dockerignore");
        let file =
            |(path, text): &(&str, &str)| (Path::new("/p/api").join(path), (*text).to_owned());
        Self {
            ignored: ignored.map(|(_, text)| Dockerignore::parse(text)).unwrap_or_default(),
            files: files.iter().map(file).collect(),
        }
    }
}

impl ImageFiles for MemoryFiles {
    fn in_context(&self, path: &str) -> Result<Option<PythonSourceFile>> {
        self.at(&Path::new("/p/api").join(path))
    }

    fn is_ignored(&self, path: &str) -> bool {
        self.ignored.excludes(path)
    }

    fn mounted(&self, path: &str) -> Result<Option<PythonSourceFile>> {
        match path.strip_prefix("/mounted") {
            Some(rest) => self.in_context(rest.trim_start_matches('/')),
            None => Ok(None),
        }
    }

    fn at(&self, path: &Path) -> Result<Option<PythonSourceFile>> {
        let text = self.files.get(path);
        Ok(text.map(|text| PythonSourceFile { path: path.to_owned(), text: text.clone() }))
    }
}

const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n";

const PACKAGES: [&str; 5] = [
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-flask",
    "opentelemetry-instrumentation-requests",
];

/// Returns the files a plan changes below `/p/api`, and the steps it leaves to the user.
fn plan_image_case(
    dockerfile: &str,
    files: &[(&str, &str)],
    command: Option<&str>,
) -> (Vec<String>, Vec<String>) {
    planned_with(dockerfile, files, command, APP)
}

fn planned_with(
    dockerfile: &str,
    files: &[(&str, &str)],
    command: Option<&str>,
    app: &str,
) -> (Vec<String>, Vec<String>) {
    let text = if dockerfile.starts_with("FROM ") {
        dockerfile.to_owned()
    } else {
        format!("FROM python:3.12\n{dockerfile}")
    };
    let dockerfile = Dockerfile::parse(&text, &[]).unwrap();
    let command = command.map(|line| ServiceCommand::Words(shell_words::split(line).unwrap()));
    let memory = MemoryFiles::new(files);
    let recipe = ImageRecipe {
        dockerfile: Some(&dockerfile),
        shown: "api/Dockerfile",
        target: None,
        pulled: None,
        command: command.as_ref(),
        folder: None,
        service: "api",
        root: Path::new("/p"),
    };
    let image = read(&recipe, &memory).unwrap();
    let service = PythonService {
        name: "api".to_owned(),
        base: "/p".into(),
        python: vec![PythonSourceFile { path: "/p/api/app.py".into(), text: app.to_owned() }],
        packages: vec![image.packages],
        version: image.python,
        start: image.start,
        ..PythonService::default()
    };
    let plan = plan_instrumentation(&service, MistakePolicy::Say).unwrap();
    let below = |path: &Path| path.strip_prefix("/p/api").unwrap().display().to_string();
    (plan.changes.iter().map(|change| below(&change.path)).collect(), plan.steps)
}

#[test]
fn every_kind_of_image_is_edited_at_its_source_or_gets_the_exact_step() {
    for shape in SHAPES {
        let (changes, steps) = plan_image_case(shape.dockerfile, shape.files, shape.command);
        let steps: Vec<String> = steps
            .iter()
            .map(|step| step.replace(&PACKAGES.join(" "), "…").replace(&PACKAGES.join(", "), "…"))
            .collect();
        match shape.expected.strip_prefix("edit ") {
            Some(list) => {
                assert_eq!(changes, [list, "app.py"], "{}", shape.dockerfile);
                assert_eq!(steps, [""; 0], "{}", shape.dockerfile);
            }
            None => {
                assert_eq!(steps, [shape.expected], "{}", shape.dockerfile);
                assert_eq!(changes, [""; 0], "{}", shape.dockerfile);
            }
        }
    }
}

/// Returns a lock with entries for these packages of ours.
fn lock_with_packages(packages: &[&str]) -> String {
    let tables =
        packages.iter().map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\n"));
    format!("{LOCK}{}", tables.collect::<String>())
}

#[test]
fn once_the_packages_are_installed_only_the_code_changes() {
    let names = PACKAGES.join(" ");
    let lock = lock_with_packages(&PACKAGES);
    let pipfile = format!(
        "{{\"default\": {{{}}}}}",
        PACKAGES.map(|name| format!("\"{name}\": {{}}")).join(", ")
    );
    let conda = format!(
        "dependencies:\n  - flask\n  - pip:\n{}",
        PACKAGES.map(|name| format!("    - {name}\n")).concat()
    );
    let cases: [(String, Vec<(&str, &str)>); 7] = [
        ("COPY . .\nRUN uv sync".to_owned(), vec![PYPROJECT, ("uv.lock", &lock)]),
        ("COPY . .\nRUN poetry install".to_owned(), vec![POETRY, ("poetry.lock", &lock)]),
        ("COPY . .\nRUN pipenv sync".to_owned(), vec![PIPFILE, ("Pipfile.lock", &pipfile)]),
        (format!("RUN pip install flask\nRUN pip install {names}"), vec![]),
        (format!("FROM base\nRUN python -m pip install {names}\nCOPY . ."), vec![FLASK]),
        (
            format!(
                "FROM debian\nRUN apt-get install -y python3-flask\nRUN python3 -m pip install {names}"
            ),
            vec![],
        ),
        (
            "FROM conda\nCOPY . .\nRUN conda env create".to_owned(),
            vec![("environment.yml", &conda)],
        ),
    ];
    for (dockerfile, files) in cases {
        assert_eq!(
            plan_image_case(&dockerfile, &files, None),
            (vec!["app.py".to_owned()], Vec::new()),
            "{dockerfile}"
        );
    }
}

#[test]
fn an_unreadable_image_is_assumed_to_have_what_its_code_uses() {
    let traced =
        "from opentelemetry import trace\nfrom flask import Flask\napp = Flask(__name__)\n";
    let plan_of = |dockerfile: &str| planned_with(dockerfile, &[FLASK], None, traced);
    assert_eq!(plan_of("FROM registry/base\nCOPY . ."), (Vec::new(), Vec::new()));
    let (changes, steps) = plan_of("COPY . .\nRUN pip install flask");
    assert_eq!((changes.len(), steps.len()), (0, 1));
}

#[test]
fn a_declared_package_missing_from_the_lock_is_missing() {
    let project = format!(
        "[project]\nname = \"api\"\ndependencies = [\"flask\", \"{}\"]\n",
        PACKAGES.join("\", \"")
    );
    let files = [("pyproject.toml", project.as_str()), ("uv.lock", LOCK)];
    let (changes, steps) = plan_image_case("COPY . .\nRUN uv sync --frozen", &files, None);
    assert_eq!(changes, [""; 0]);
    assert_eq!(steps, [format!("uv add --no-sync --project api {}", PACKAGES.join(" "))]);
}

#[test]
fn an_image_that_is_only_pulled_gets_its_packages_when_it_starts() {
    let pulled = |command: &str| {
        let command = ServiceCommand::Words(shell_words::split(command).unwrap());
        let memory = MemoryFiles::new(&[FLASK]);
        let recipe = ImageRecipe {
            dockerfile: None,
            shown: "",
            target: None,
            pulled: Some("python:3.12-slim"),
            command: Some(&command),
            folder: Some("/mounted"),
            service: "api",
            root: Path::new("/p"),
        };
        read(&recipe, &memory).unwrap()
    };
    let image = pulled("sh -c 'pip install -r requirements.txt && flask run'");
    assert!(matches!(image.packages, PackageList::Requirements { .. }), "{image:?}");
    assert_eq!(image.python.as_deref(), Some("3.12-slim"));
    let image = pulled("flask run");
    let PackageList::Fixed(fixed) = image.packages else { panic!() };
    let step = fixed.remedy.step(&[]);
    assert!(step.starts_with("the command of `api`, first: python -m pip install"), "{step}");
    let advice = fixed.remedy.advice(&[]);
    assert!(advice.starts_with("the command of `api`, first: `python -m pip"), "{advice}");
    assert!(advice.ends_with('`'), "{advice}");
}

#[test]
fn versions_that_constraints_pin_are_not_pinned_again() {
    let files = [
        ("requirements.txt", "flask==3.0.0\n"),
        ("pins.txt", "flask==3.0.0\nopentelemetry-api==1.33.1\n"),
    ];
    let memory = MemoryFiles::new(&files);
    let file = |path: &str| memory.in_context(path).unwrap().unwrap();
    let text = "FROM python:3.12\nCOPY . .\nRUN pip install -c pins.txt -r requirements.txt";
    let dockerfile = Dockerfile::parse(text, &[]).unwrap();
    let recipe = ImageRecipe {
        dockerfile: Some(&dockerfile),
        shown: "api/Dockerfile",
        target: None,
        pulled: None,
        command: None,
        folder: None,
        service: "api",
        root: Path::new("/p"),
    };
    let image = read(&recipe, &memory).unwrap();
    let PackageList::Requirements { constraints, .. } = &image.packages else { panic!() };
    assert_eq!(constraints, &[file("pins.txt")]);
    let service = PythonService {
        name: "api".to_owned(),
        base: "/p".into(),
        python: vec![PythonSourceFile {
            path: "/p/api/app.py".into(),
            text: "import flask\napp = flask.Flask('x')\n".to_owned(),
        }],
        packages: vec![image.packages],
        version: image.python,
        start: image.start,
        ..PythonService::default()
    };
    let plan = plan_instrumentation(&service, MistakePolicy::Say).unwrap();
    let list = plan.changes.iter().find(|change| change.path.ends_with("requirements.txt"));
    let after = list.unwrap().after.as_deref().unwrap();
    assert!(after.contains("opentelemetry-sdk==1.33.1\n"), "{after}");
    assert!(after.contains("opentelemetry-instrumentation-flask==0.54b1\n"), "{after}");
}

#[test]
fn a_zero_code_start_and_the_python_version_are_read() {
    let start_of = |text: &str, command: Option<&ServiceCommand>| {
        let dockerfile = Dockerfile::parse(text, &[]).unwrap();
        let recipe = ImageRecipe {
            dockerfile: Some(&dockerfile),
            shown: "Dockerfile",
            target: None,
            pulled: None,
            command,
            folder: None,
            service: "api",
            root: Path::new("/p"),
        };
        start(&recipe)
    };
    let agent = "FROM a\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n";
    assert_eq!(start_of(agent, None), TracingStart::ZeroCode);
    assert_eq!(start_of(&format!("{agent}CMD flask run\n"), None), TracingStart::InCode);
    let own = ServiceCommand::Line("flask run".to_owned());
    assert_eq!(start_of(agent, Some(&own)), TracingStart::InCode);
    let entry = "FROM a\nENTRYPOINT opentelemetry-instrument flask run\n";
    assert_eq!(start_of(entry, Some(&own)), TracingStart::ZeroCode);
    assert_eq!(python_version("docker.io/library/python:3.9@sha256:0").as_deref(), Some("3.9"));
    assert_eq!(python_version("python:slim"), None);
    assert_eq!(python_version("node:18"), None);
    assert_eq!(resolve_image_path("/a", "../b"), "/b");
}
