//! The typed view of a compose project compared with the real Docker Compose, on projects of every form.
//!
//! `tests/tools/docker-compose.sh` installs it; `DOCKER_COMPOSE` names another. With `COMPOSE_CORPUS`, a folder, every
//! compose file below it is compared as well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cruddur_ops::compose::{ComposeModel, EnvFileState, NAMES, ServiceModel, VariableValue};
use cruddur_ops::project::Project;
use cruddur_ops::shell::Shell;
use serde_json::{Value as Json, json};

use crate::sandbox::tools;

/// Returns the real Docker Compose, or prints that it is missing.
pub fn docker_compose() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKER_COMPOSE").map(PathBuf::from);
    let own = tools().join("docker-compose");
    let own = own.is_file().then_some(own);
    let found = named.or(own).or_else(|| which::which("docker-compose").ok());
    if found.is_none() {
        println!("skipped: no docker-compose; tests/tools/docker-compose.sh installs it");
    }
    found
}

/// Returns Docker Compose's view of the project in `folder`: its services, or its error.
pub fn oracle(
    program: &Path,
    folder: &Path,
    shell: &BTreeMap<String, String>,
) -> Result<serde_json::Map<String, Json>, String> {
    let output = Command::new(program)
        .args(["--profile", "*", "config", "--format", "json"])
        .current_dir(folder)
        .env_clear()
        .envs(shell)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap().replace("$$", "$");
    let project: Json = serde_json::from_str(&text).unwrap();
    Ok(project["services"].as_object().cloned().unwrap_or_default())
}

/// Returns our view of a service in the form of Docker Compose's JSON.
fn ours(model: &ComposeModel, service: &ServiceModel) -> Json {
    let settings = service.effective(model.plain());
    let environment: serde_json::Map<String, Json> = settings
        .into_iter()
        .map(|one| match one.value {
            VariableValue::Known(value) => (one.name, value.expose().into()),
            VariableValue::Absent => (one.name, Json::Null),
            VariableValue::Unknown(reason) => (one.name, json!({ "unknown": reason })),
        })
        .collect();
    // Docker Compose makes one port of each of a range.
    let ports = service.ports.iter().flat_map(|port| {
        port.container.clone().map(move |container| {
            let picked = port.host.as_ref().map(|host| format!("{}-{}", host.start(), host.end()));
            let host = port.host_of(container).map(|host| host.to_string()).or(picked);
            let ip = port.host_ip.as_deref().unwrap_or_default();
            format!("{ip}:{}:{container}/{}", host.unwrap_or_default(), port.protocol)
        })
    });
    let ports: BTreeSet<String> = ports.collect();
    let mounts =
        service.mounts.iter().map(|mount| format!("{}:{}", mount.source.display(), mount.target));
    json!({
        "environment": environment,
        "image": service.image,
        "context": service.build.as_ref().map(|build| build.context.display().to_string()),
        "ports": sorted(ports.into_iter()),
        "mounts": sorted(mounts),
        "depends_on": sorted(service.depends_on.iter().cloned()),
        "profiles": sorted(service.profiles.iter().cloned()),
    })
}

/// Returns Docker Compose's own view of a service in the same form.
fn theirs(service: &Json) -> Json {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let list = |key: &str| service[key].as_array().cloned().unwrap_or_default();
    let ports = list("ports").into_iter().map(|port| {
        format!(
            "{}:{}:{}/{}",
            text(&port["host_ip"]),
            text(&port["published"]),
            port["target"],
            text(&port["protocol"])
        )
    });
    let binds = list("volumes").into_iter().filter(|one| one["type"] == "bind");
    let depends_on = service["depends_on"].as_object().cloned().unwrap_or_default();
    json!({
        "environment": service["environment"].as_object().cloned().unwrap_or_default(),
        "image": service["image"],
        "context": service["build"]["context"],
        "ports": sorted(ports),
        "mounts": sorted(binds.map(|one| format!("{}:{}", text(&one["source"]).trim_end_matches('/'), text(&one["target"])))),
        "depends_on": sorted(depends_on.into_iter().map(|(name, _)| name)),
        "profiles": sorted(list("profiles").iter().map(text)),
    })
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort();
    values
}

/// The result of a comparison.
enum Compared {
    /// Docker Compose loads the project; these are the differences.
    Accepted(Vec<String>),
    /// Docker Compose refuses it, for this reason; whether we refuse it too.
    Refused(String, bool),
}

fn compare(program: &Path, folder: &Path, shell: &BTreeMap<String, String>) -> Compared {
    let start = Shell::new(shell.clone(), folder.to_owned());
    let project = Project::discover(&start, None);
    let model = project.as_ref().map_err(Clone::clone).and_then(Project::model);
    let refusals = match &model {
        Ok(model) => model.refusals(model.plain()),
        Err(error) => vec![error.clone()],
    };
    let services = match oracle(program, folder, shell) {
        Ok(services) => services,
        Err(reason) => {
            let reason = reason.trim().lines().last().unwrap_or_default().to_owned();
            return Compared::Refused(reason, !refusals.is_empty());
        }
    };
    let mut out: Vec<String> = refusals
        .iter()
        .map(|error| format!("we refuse: {} {:?}", error.message, error.place))
        .collect();
    let Ok(model) = model else {
        return Compared::Accepted(out);
    };
    let names = sorted(services.keys().cloned());
    let own = sorted(model.services.iter().map(|one| one.name.clone()));
    if names != own {
        out.push(format!("services: {own:?}, docker compose: {names:?}"));
    }
    for service in &model.services {
        if let Some(expected) = services.get(&service.name) {
            differ(&service.name, &ours(model, service), &theirs(expected), &mut out);
        }
    }
    Compared::Accepted(out)
}

fn differ(path: &str, ours: &Json, theirs: &Json, out: &mut Vec<String>) {
    if let (Some(own), Some(expected)) = (ours.as_object(), theirs.as_object()) {
        let keys: BTreeSet<&String> = own.keys().chain(expected.keys()).collect();
        for key in keys {
            let missing = json!("(not there)");
            let of = |map: &serde_json::Map<String, Json>| map.get(key).unwrap_or(&missing).clone();
            differ(&format!("{path} {key}"), &of(own), &of(expected), out);
        }
    } else if ours != theirs {
        out.push(format!("{path}: {ours}, docker compose: {theirs}"));
    }
}

/// Checks a project that docker compose accepts: both views are the same.
#[track_caller]
pub fn agree(files: &[(&str, &str)], shell: &[(&str, &str)]) {
    match compare_texts(files, shell) {
        Some(Compared::Refused(reason, _)) => panic!("docker compose refuses this: {reason}"),
        Some(Compared::Accepted(differences)) => {
            assert!(differences.is_empty(), "{}", differences.join("\n"));
        }
        None => {}
    }
}

/// Checks a project that both refuse.
#[track_caller]
pub fn refuse(files: &[(&str, &str)], shell: &[(&str, &str)]) {
    match compare_texts(files, shell) {
        Some(Compared::Refused(reason, ours)) => assert!(ours, "we accept this: {reason}"),
        Some(Compared::Accepted(_)) => panic!("docker compose accepts this"),
        None => {}
    }
}

fn compare_texts(files: &[(&str, &str)], shell: &[(&str, &str)]) -> Option<Compared> {
    let program = docker_compose()?;
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().canonicalize().unwrap();
    for (path, text) in files {
        let path = top.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let home = ("HOME".to_owned(), "/home/me".to_owned());
    let mut variables: BTreeMap<String, String> = [home].into();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.extend(shell.iter().map(owned));
    Some(compare(&program, &top, &variables))
}

/// Copies a project, adding each missing required env_file.
fn with_env_files(project: &Path) -> tempfile::TempDir {
    let copied = tempfile::tempdir().unwrap();
    let to = copied.path().join("project");
    let mut folders = Vec::new();
    if project.is_dir() {
        folders.push((project.to_owned(), to.clone()));
    } else {
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(project, to.join("compose.yaml")).unwrap();
    }
    while let Some((from, to)) = folders.pop() {
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            let (path, copy) = (entry.path(), to.join(entry.file_name()));
            if path.is_dir() {
                folders.push((path, copy));
            } else {
                std::fs::copy(path, copy).unwrap();
            }
        }
    }
    let start = Shell::new([], to.canonicalize().unwrap());
    if let Ok(project) = Project::discover(&start, None)
        && let Ok(model) = project.model()
    {
        for file in model.services.iter().flat_map(|service| &service.env_files) {
            if matches!(file.state, EnvFileState::Missing(_))
                && file.path.starts_with(copied.path())
            {
                std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
                std::fs::write(&file.path, "").unwrap();
            }
        }
    }
    copied
}

/// Returns every folder that is a project, and every other compose file.
fn projects(corpus: &Path) -> Vec<PathBuf> {
    let mut folders = vec![corpus.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let yaml = path.extension().is_some_and(|one| one == "yml" || one == "yaml");
            if path.is_dir() {
                folders.push(path);
            } else if NAMES.iter().any(|name| path.ends_with(name)) {
                found.push(folder.clone());
            } else if yaml
                && std::fs::read_to_string(&path).is_ok_and(|text| text.contains("services:"))
            {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn corpus() {
    let (Some(program), Some(corpus)) = (docker_compose(), std::env::var_os("COMPOSE_CORPUS"))
    else {
        println!("skipped: COMPOSE_CORPUS names no folder of compose files");
        return;
    };
    let shell: BTreeMap<String, String> = [("HOME".to_owned(), "/home/me".to_owned())].into();
    let projects = projects(Path::new(&corpus));
    let (mut failures, mut refused) = (Vec::new(), 0);
    for original in &projects {
        let copied = with_env_files(original);
        let folder = copied.path().join("project").canonicalize().unwrap();
        match compare(&program, &folder, &shell) {
            Compared::Refused(_, true) => refused += 1,
            Compared::Refused(reason, false) => {
                refused += 1;
                println!("only docker compose refuses {}: {reason}", original.display());
            }
            Compared::Accepted(differences) => failures.extend(
                differences
                    .iter()
                    .map(|difference| format!("{}: {difference}", original.display())),
            ),
        }
    }
    println!("{} projects compared, {refused} refused", projects.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn scalars_and_merge_keys() {
    let compose = "x-a: &a {A1: one, B1: base}\nx-b: &b\n  B1: other\n  C1: 3\nservices:\n  s:\n    image: x\n    \
                   environment:\n      <<: [*a, *b]\n      OCT: 010\n      FLT: 1.0\n      YES: yes\n      T: True\n      \
                   N08: 08\n      U: 1_000\n      HEX: 0x1F\n      E3: 1e3\n      E21: 1e21\n      DATE: 2020-01-01\n      \
                   SEX: 22:22\n      BIG: 123456789012345678901234567890\n      SMALL: 0.0000001\n      TILDE: ~\n      \
                   NOVAL:\n      Q010: \"010\"\n      TAG: !!str 010\n      LIT: |\n        a $HOME\n        b\n      \
                   FOLD: >-\n        a\n        b\n  t:\n    image: x\n    environment: *b\n";
    agree(&[("compose.yaml", compose)], &[]);
}

#[test]
fn interpolation() {
    let compose = "services:\n  s:\n    image: x\n    environment:\n      A: '5$ and $1 and $'\n      B: '${UNSET:-{}}'\n      \
                   C: '${UNSET:-a}-${UNSET:-b}'\n      D: '${HOME:-${UNSET:?nope}}'\n      E: '[${UNSET:-}]'\n      F: \
                   '${SET:+yes}${EMPTY:+no}${EMPTY+set}'\n      G: '${UNSET:-${EMPTY:-${SET}}}'\n      H: '$$SET $$$SET'\n      \
                   I: '${SET:?m}${EMPTY?m}${EMPTY-d}${EMPTY:-d}'\n      J: 'x${UNSET}y$UNSET'\n      K: '${UNSET:-a:b-c?d+e}'\n    \
                   ports: ['${PORT:-3000}:3000']\n    profiles: ['${SET}']\n";
    agree(&[("compose.yaml", compose)], &[("SET", "v"), ("EMPTY", "")]);
    for template in ["${A B}", "${}", "${A", "${1A}", "${A:x}", "${A:-${B}", "${A:?why}", "${A?}"] {
        let compose = format!("services:\n  s:\n    image: x\n    labels: {{a: '{template}'}}\n");
        refuse(&[("compose.yaml", &compose)], &[]);
    }
}

#[test]
fn lists_env_files_and_dotenv() {
    let compose = "services:\n  s:\n    image: x\n    env_file:\n      - a.env\n      - {path: b.env, format: raw}\n      - {path: \
                   none.env, required: false}\n    environment:\n      - LIST=1\n      - PASS\n      - NOPASS\n      - FROMDOT\n      \
                   - ${NAME}=named\n      - E=\n      - DUP=1\n      - DUP=2\n      - SVC=svc\n      - A3\n";
    let file = "A1=plain # comment\nA2=\"dq ${HOME} \\t \\$X $$Y \\x \\0101\" # c\nA3='single'\nA4= #foo\nA5=#foo\nA6=a#b\n\
                export A7 = spaced  \nA8: yaml\nA9\nHOME\nA10=${SVC}-${A1}-${FROMDOT}\nA11=${UNSET:-def}\nLIST=file\n\
                A12=$$x $5 \\$HOME\nA13=\"multi\nline\"\nA.B-C=1\n5X=1\r\nA14='it\\'s ${HOME}'\r\n";
    let files = [
        ("compose.yaml", compose),
        (".env", "FROMDOT=dot${HOME}\nNAME=the_name\nexport EX=1\nCOL: x\n"),
        ("a.env", file),
        ("b.env", "R1=\"kept\" # c ${HOME}\n  R2= a \n#c\nR3\nLIST=raw\n"),
    ];
    agree(&files, &[("PASS", "p"), ("R3", "r")]);
    let one = "services:\n  s: {image: x, env_file: a.env}\n";
    agree(&[("compose.yaml", one), ("a.env", "\u{feff}A=1")], &[]);
    refuse(&[("compose.yaml", one)], &[]);
    for text in ["A B=1\n", "A='x\n", "A%=1\n"] {
        refuse(&[("compose.yaml", one), ("a.env", text)], &[]);
    }
}

#[test]
fn overrides_and_tags() {
    let base = "services:\n  a:\n    build: ./a\n    command: x\n    environment: {A: 1, B: 1, C: 1}\n    env_file: a.env\n    ports: \
                ['80:80', '81:81/udp']\n    volumes: ['./x:/x', './y:/y']\n    depends_on: [b]\n  b: {image: y, profiles: [p]}\n  c: \
                {image: z, environment: {A: 1}, ports: ['1:1']}\n";
    let over = "services:\n  a:\n    build: {context: ./other}\n    environment: {B: 2, C: !reset null, D: }\n    env_file: [b.env]\n    \
                ports: ['80:80', '82:82']\n    volumes: ['./z:/x']\n    depends_on: {c: {condition: service_started}}\n  c:\n    \
                environment: !override {B: 2}\n    ports: !reset []\n  d: {image: new}\n";
    let files = [
        ("docker-compose.yml", base),
        ("compose.override.yaml", over),
        ("a.env", "X=a\nY=a\n"),
        ("b.env", "X=b\n"),
    ];
    agree(&files, &[("D", "shell")]);
    let gone = "services:\n  a: {environment: {Z: 1}}\n  b: !reset null\n";
    let small = "services:\n  a: {image: x}\n  b: {image: y}\n";
    agree(&[("compose.yml", small), ("compose.override.yml", gone)], &[]);
}

#[test]
fn compose_file_and_env_files() {
    let one = "services:\n  a: {image: x, build: ., environment: {A: $V, B: $W}}\n";
    let two = "services:\n  a: {environment: {C: $V}, volumes: ['./r:/r']}\n";
    let files = [
        ("sub/one.yml", one),
        ("two.yml", two),
        (".env", "V=here\n"),
        ("sub/.env", "V=sub\nW=sub\n"),
        ("x.env", "V=x\n"),
        ("y.env", "W=$V\n"),
    ];
    agree(&files, &[("COMPOSE_FILE", "sub/one.yml:two.yml")]);
    let separated = [
        ("COMPOSE_FILE", "sub/one.yml,two.yml"),
        ("COMPOSE_PATH_SEPARATOR", ","),
        ("COMPOSE_ENV_FILES", "x.env,y.env"),
    ];
    agree(&files, &separated);
    let disabled = [("COMPOSE_FILE", "sub/one.yml"), ("COMPOSE_DISABLE_ENV_FILE", "1")];
    agree(&files, &disabled);
    let named = [("sub/one.yml", one), (".env", "COMPOSE_FILE=sub/one.yml\nV=here\n")];
    agree(&named, &[]);
    let project = "services:\n  a: {image: x, environment: {N: $COMPOSE_PROJECT_NAME, P: $PWD}}\n";
    agree(&[("compose.yaml", project)], &[]);
    agree(&[("compose.yaml", &format!("name: own\n{project}"))], &[]);
    agree(&[("compose.yaml", project)], &[("COMPOSE_PROJECT_NAME", "shell")]);
}

#[test]
fn includes() {
    let compose = "include:\n  - sub/compose.yml\n  - path: [other/one.yml, other/two.yml]\n    project_directory: other/dir\n    \
                   env_file: extra.env\nservices:\n  a: {image: x, environment: {A: $V}}\n";
    let included = "services:\n  b:\n    build: .\n    env_file: b.env\n    environment: {A: $V, B: $W, C: $$V, W: }\n    volumes: \
                    ['./v:/v']\n";
    let files = [
        ("compose.yaml", compose),
        ("sub/compose.yml", included),
        ("sub/b.env", "X=$V\nY=$W\n"),
        ("other/one.yml", "services:\n  c: {build: ./c, environment: [A=$V, V]}\n"),
        ("other/two.yml", "services:\n  c: {environment: [A=two, B=$V]}\n"),
        ("other/dir/keep", ""),
        ("extra.env", "V=extra\n"),
        (".env", "V=outer\n"),
        ("sub/.env", "V=inner\nW=inner\n"),
    ];
    agree(&files, &[]);
    let over = ("compose.override.yaml", "services:\n  b: {environment: {A: over}}\n");
    agree(&[files.as_slice(), &[over]].concat(), &[]);
    refuse(&[("compose.yaml", "include: [gone.yml]\nservices:\n  a: {image: x}\n")], &[]);
    refuse(&[("compose.yaml", "include: [compose.yaml]\nservices:\n  a: {image: x}\n")], &[]);
    let twice = "include: [b.yml, c.yml]\nservices:\n  a: {image: x, environment: {L: 1}}\n";
    let files = [
        ("compose.yaml", twice),
        ("b.yml", "services:\n  a: {image: y, environment: {A: 1, L: 2}}\n  z: {image: b}\n"),
        ("c.yml", "services:\n  z: {image: z, environment: {A: 1}}\n"),
    ];
    agree(&files, &[]);
}

#[test]
fn extends() {
    let compose = "services:\n  a:\n    extends: {file: sub/base.yml, service: mid}\n    environment: {A: 1}\n    ports: ['2:2']\n  \
                   b:\n    extends: c\n    environment: {C: !reset null}\n  c: {image: x, environment: {C: 1, D: 1}, command: [a, b]}\n";
    let base = "services:\n  mid:\n    extends: {service: low}\n    environment: {A: 0, B: $V}\n    ports: ['1:1']\n  low:\n    \
                build: ./low\n    env_file: low.env\n    volumes: ['./v:/v']\n";
    let files = [
        ("compose.yaml", compose),
        ("sub/base.yml", base),
        ("sub/low.env", "E=$V\n"),
        (".env", "V=outer\n"),
        ("sub/.env", "V=inner\n"),
    ];
    agree(&files, &[]);
    for service in ["{extends: a}", "{extends: {file: gone.yml, service: b}}", "{extends: gone}"] {
        refuse(&[("compose.yaml", &format!("services:\n  a: {service}\n"))], &[]);
    }
}

#[test]
fn what_is_no_project() {
    for compose in [
        "",
        "services: []\n",
        "services:\n",
        "services:\n  a: x\n",
        "services:\n  a: {}\n",
        "services:\n  a: {image: x, environment: text}\n",
        "services:\n  a: {image: x, environment: }\n",
        "services:\n  a: {image: x, environment: [5]}\n",
        "services:\n  a: {image: x, environment: {A: [1]}}\n",
        "services:\n  a: {image: x, environment: ['A =1']}\n",
        "services:\n  a: {image: x, ports: ['x:1']}\n",
        "services:\n  a: {image: x, image: y}\n",
        "x-a: &a {A: 1}\nservices:\n  a:\n    image: x\n    environment:\n      <<: *a\n      <<: *a\n",
        "a: {image: x}\n",
        "services:\n  a: [\n",
    ] {
        refuse(&[("compose.yaml", compose)], &[]);
    }
}

#[test]
fn overrides_of_every_form() {
    let pairs = [
        ("environment: [A=1, B=1]", "environment: {A: , C: 3}"),
        ("environment: [A=1]", "environment:"),
        ("environment: {A: 1}", "environment: [A, B=2]"),
        ("environment: {A: 1}", "environment: {A: !override 5}"),
        ("environment: {A: 1}", "environment: {A: !reset null, B: 2}"),
        ("env_file: a.env", "env_file: [a.env, {path: b.env, required: false}]"),
        ("env_file: [a.env, b.env]", "env_file: []"),
        ("env_file: [a.env, b.env]", "env_file: !reset []"),
        ("env_file: [a.env, b.env]", "env_file: !override [b.env]"),
        ("build: {context: ./a, dockerfile: D, args: {X: 1}}", "build: ./b"),
        ("build: ./a", "build: {dockerfile: D, args: [X=1]}"),
        ("ports: ['80:80']", "ports: [{target: 80, published: 8080}, '81']"),
        ("ports: ['3000-3002:3000-3002']", "ports: ['127.0.0.1:3000:3000', '9000-9001:5']"),
        ("ports: ['80:80']", "ports:"),
        ("profiles: [a, b]", "profiles: [b, c]"),
        ("depends_on: [b]", "links: ['b:alias']"),
        ("network_mode: 'service:b'", "image: y"),
        (
            "volumes: ['./a:/a', 'v:/v', '~/x:/x']",
            "volumes: [{type: bind, source: ./b, target: /a}]",
        ),
        ("command: one", "command: [two, three]"),
        ("image: '${I:-x}:${T-latest}'", "platform: linux/amd64"),
    ];
    for (base, over) in pairs {
        let image = if base.contains("image:") { "" } else { "image: x\n    " };
        let base =
            format!("services:\n  a:\n    {image}{base}\n  b: {{image: y}}\nvolumes: {{v: }}\n");
        let over = format!("services:\n  a:\n    {over}\n");
        let files = [
            ("compose.yaml", base.as_str()),
            ("compose.override.yaml", over.as_str()),
            ("a.env", "X=a\nY=$A\n"),
            ("b.env", "X=b\nY=$X\n"),
        ];
        agree(&files, &[("B", "shell")]);
    }
}

#[test]
fn anchors_in_every_place() {
    let compose = "x-common: &common\n  image: x\n  environment: &env\n    A: 1\n    B: ${V:-b}\n  ports: &ports\n    - 80\n\
                   x-more: &more {C: 3}\nservices:\n  a: *common\n  b:\n    <<: *common\n    environment:\n      <<: *env\n      \
                   B: own\n  c:\n    image: y\n    environment:\n      <<: [*more, *env]\n      A: own\n    ports: *ports\n  d:\n    \
                   <<: [{image: z}, *common]\n    environment:\n      - A=1\n      - &item B=2\n      - *item\n  e:\n    image: \
                   &name nn\n    container_name: *name\n    environment: {<<: {X: 1}, Y: *name}\n";
    agree(&[("compose.yaml", compose)], &[]);
}

#[test]
fn extends_across_files() {
    let files = [
        (
            "compose.yaml",
            "include: [inc/compose.yml]\nservices:\n  a: {image: x, environment: {A: base}, env_file: a.env}\n",
        ),
        (
            "compose.override.yaml",
            "services:\n  b: {extends: {file: compose.yaml, service: a}, environment: {B: 1}}\n  d:\n    extends: {file: \
             inc/compose.yml, service: c}\n",
        ),
        (
            "inc/compose.yml",
            "services:\n  c:\n    extends: {file: deep/base.yml, service: base}\n    environment: {V: $V, P: }\n",
        ),
        (
            "inc/deep/base.yml",
            "services:\n  base:\n    build: {context: .., args: [X]}\n    env_file: base.env\n    profiles: [p]\n    \
             environment: {V: $V, W: $W}\n",
        ),
        ("inc/deep/base.env", "E=$V$W\n"),
        ("inc/.env", "V=inc\nW=inc\nP=inc\n"),
        (".env", "V=top\n"),
        ("a.env", "E=a\n"),
    ];
    agree(&files, &[]);
}
