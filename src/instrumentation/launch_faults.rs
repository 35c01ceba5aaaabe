//! Finds what a program is started with and cannot use: an agent that is not in its image, a module that Node.js
//! cannot load, worker processes that an old `opentelemetry-instrument` does not reach.

use std::collections::BTreeSet;
use std::path::Path;

use super::agent::{ProgramLaunch, ProgramOption, SpanAgent};
use super::packages::{is_required_below, read_text};
use super::sdk::{ENDPOINT_VARIABLES, ProblemEffect, SdkProblem, SdkProblemKind};
use crate::compose::{ProjectSources, ShellCommand, Startup, resolve_image_path, unwrap_program};

/// The first version of `opentelemetry-instrument` that leaves itself in PYTHONPATH, so that child processes load it
/// too.
const FIRST_VERSION_IN_CHILDREN: [u32; 2] = [0, 63];

/// The evidence on how a program is started.
pub(super) struct LaunchEvidence<'a> {
    pub(super) startup: &'a Startup,
    pub(super) launch: &'a ProgramLaunch,
    pub(super) packages: Option<&'a BTreeSet<String>>,
    pub(super) sources: &'a dyn ProjectSources,
}

impl LaunchEvidence<'_> {
    /// Returns the problems, the options first.
    pub(super) fn find_problems(&self) -> Vec<SdkProblem> {
        let mut problems: Vec<SdkProblem> =
            self.launch.options.iter().filter_map(|option| self.judge_option(option)).collect();
        problems.extend(self.find_unreached_workers());
        problems
    }

    fn judge_option(&self, option: &ProgramOption) -> Option<SdkProblem> {
        let ProgramOption { name, value, variable } = option;
        let text = match *name {
            "-javaagent" => {
                let path = value.split('=').next()?;
                let path = resolve_image_path(&self.startup.folder, path);
                let is_missing = self.startup.lacks_file(&path);
                is_missing
                    .then(|| format!("{path}, which is not in the image: Java does not start"))
            }
            "--require" => self.judge_module(value).or_else(|| self.judge_package(value)),
            _ => self.judge_package(value),
        }?;
        let option = match variable {
            Some(variable) => format!("{variable}: {name}"),
            None => (*name).to_owned(),
        };
        Some(SdkProblem {
            kind: SdkProblemKind::AgentNotLoaded,
            effect: ProblemEffect::NothingStarts,
            variable: variable.unwrap_or(ENDPOINT_VARIABLES[1]),
            text: format!("{option} loads {text}"),
        })
    }

    /// Returns why `--require` does not load a module of the project: the release of Node.js cannot require an ES
    /// module.
    fn judge_module(&self, module: &str) -> Option<String> {
        if !module.starts_with('.') && !module.starts_with('/') {
            return None;
        }
        let path = resolve_image_path(&self.startup.folder, module);
        let file = self.startup.origin(&path, self.sources)?;
        let is_module = match file.extension()?.to_str()? {
            "mjs" => true,
            "js" => is_module_folder(file.parent()?, self.sources),
            _ => false,
        };
        let release = node_release(self.startup.base.as_deref()?)?;
        let shown = release.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        (is_module && !requires_modules(&release)).then(|| {
            format!(
                "{module}, an ES module, which Node.js {shown} cannot require: it does not start"
            )
        })
    }

    /// Returns why a module of an agent's package is not found: no list of packages has it.
    fn judge_package(&self, module: &str) -> Option<String> {
        const AGENT: &str = "@opentelemetry/auto-instrumentations-node";
        let is_agent = module == AGENT || module.strip_prefix(AGENT)?.starts_with('/');
        let packages = self.packages.filter(|_| is_agent && !self.launch.brings_packages)?;
        // Another package of the application may bring it.
        let may_bring = |name: &String| {
            !name.starts_with("@opentelemetry/")
                && (name.contains("otel") || name.contains("telemetry") || name.contains("tracing"))
        };
        let mut built = self.startup.build_commands.iter().chain(&self.startup.commands);
        let is_installed = packages.contains(AGENT)
            || packages.iter().any(may_bring)
            || built.any(|command| installs(command, AGENT));
        (!is_installed)
            .then(|| format!("{module}, and package.json has no {AGENT}: Node.js does not start"))
    }

    /// Reports a program that serves from child processes, which an old `opentelemetry-instrument` does not reach.
    fn find_unreached_workers(&self) -> Option<SdkProblem> {
        const NAMES: [&str; 2] = ["opentelemetry-instrumentation", "opentelemetry-distro"];
        let launched = |command: &&ShellCommand| {
            let is_launcher =
                |word: &String| word.rsplit('/').next() == Some("opentelemetry-instrument");
            command.words.iter().any(is_launcher)
        };
        if self.launch.agent != Some(SpanAgent::OpenTelemetry) {
            return None;
        }
        let mut commands = self.startup.commands.iter().filter(launched);
        let shown = commands.find_map(|command| serves_from_children(&command.words))?;
        is_required_below(&NAMES, &FIRST_VERSION_IN_CHILDREN, self.startup, self.sources).then(|| SdkProblem {
            kind: SdkProblemKind::ChildrenNotReached,
            effect: ProblemEffect::Different,
            variable: ENDPOINT_VARIABLES[1],
            text: format!(
                "`{shown}` serves from processes of its own, which opentelemetry-instrument reaches only since its release 0.63b0"
            ),
        })
    }
}

/// Returns whether the nearest `package.json` makes the `.js` files of a folder ES modules.
fn is_module_folder(folder: &Path, sources: &dyn ProjectSources) -> bool {
    let mut above = folder.ancestors();
    let manifest = above.find_map(|folder| read_text(&folder.join("package.json"), sources));
    let manifest = manifest.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    manifest.is_some_and(|manifest| manifest["type"] == "module")
}

/// Returns the numbers in the tag of an official Node.js image.
fn node_release(image: &str) -> Option<Vec<u32>> {
    let image = image.strip_prefix("docker.io/library/").unwrap_or(image);
    let tag = image.strip_prefix("node:")?.split(['-', '@']).next()?;
    tag.split('.').map(|number| number.parse().ok()).collect()
}

/// Returns whether a release of Node.js can `require` ES modules; missing numbers count as the newest.
fn requires_modules(release: &[u32]) -> bool {
    let minor = release.get(1).copied().unwrap_or(u32::MAX);
    match release.first() {
        Some(20) => minor >= 19,
        Some(22) => minor >= 12,
        Some(major) => *major > 22,
        None => true,
    }
}

/// Returns whether a command names a package to install.
fn installs(command: &ShellCommand, package: &str) -> bool {
    let is_it = |word: &String| {
        let rest = word.strip_prefix(package);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
    };
    command.words.iter().any(is_it)
}

/// Returns the program and option by which a Python server handles requests in child processes that it starts anew.
fn serves_from_children(words: &[String]) -> Option<String> {
    let words = unwrap_program(words);
    let program = words.first()?.rsplit('/').next()?;
    let has = |option: &str| words.iter().any(|word| word == option);
    let workers =
        words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--workers") {
            Some("") => words.get(at + 1)?.parse::<u32>().ok(),
            Some(value) => value.strip_prefix('=')?.parse().ok(),
            None => None,
        });
    match program {
        "uvicorn" if workers.is_some_and(|workers| workers > 1) => Some("uvicorn --workers".into()),
        "uvicorn" if has("--reload") => Some("uvicorn --reload".into()),
        "fastapi" if has("dev") && !has("--no-reload") => Some("fastapi dev".into()),
        "flask" if has("--debug") && !has("--no-reload") => Some("flask --debug".into()),
        _ if has("runserver") && has_manage(words) && !has("--noreload") => {
            Some("manage.py runserver".into())
        }
        _ => None,
    }
}

fn has_manage(words: &[String]) -> bool {
    words.iter().any(|word| word.rsplit('/').next() == Some("manage.py"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrumentation::tests::inspect_service;

    /// Checks the kind and variable of each problem with what a service is started with.
    #[track_caller]
    fn check(service: &str, files: &[(&str, &str)], expected: &[(SdkProblemKind, &str)]) {
        let read = inspect_service(service, files);
        let found: Vec<_> =
            read.launch_problems.iter().map(|problem| (problem.kind, problem.variable)).collect();
        assert_eq!(found, expected, "{service}: {files:?}: {:?}", read.launch_problems);
    }

    #[test]
    fn an_agent_that_the_image_lacks_is_found() {
        let missing = |variable| [(SdkProblemKind::AgentNotLoaded, variable)];
        let none: &[(SdkProblemKind, &str)] = &[];
        let option =
            "{build: ., environment: {JAVA_TOOL_OPTIONS: '-Xmx1g -javaagent:/otel/agent.jar=a'}}";
        let copies = |line: &str| {
            format!(
                "FROM eclipse-temurin:21\nCOPY target/app.jar /app/app.jar\n{line}\nCMD java -jar /app/app.jar\n"
            )
        };
        let command = "FROM openjdk:17\nWORKDIR /app\nCOPY app.jar .\nCMD [\"java\", \"-javaagent:otel.jar\", \"-jar\", \"app.jar\"]\n";
        for (service, dockerfile, expected) in [
            (option, copies("RUN mkdir /otel"), &missing("JAVA_TOOL_OPTIONS")[..]),
            (option, copies("COPY agent.jar /opt/agent.jar"), &missing("JAVA_TOOL_OPTIONS")),
            (option, copies("COPY other.jar /otel/"), &missing("JAVA_TOOL_OPTIONS")),
            ("{build: .}", command.to_owned(), &missing(ENDPOINT_VARIABLES[1])),
            (option, copies("ADD https://example.com/v2/agent.jar /otel/"), none),
            (option, copies("COPY --from=build /src/agent.jar /otel/agent.jar"), none),
            (option, copies("COPY otel /otel"), none),
            (option, copies("COPY lib/*.jar /otel/"), none),
            (option, copies("RUN curl -o /otel/agent.jar https://example.com/agent.jar"), none),
            (option, copies("").replace("eclipse-temurin", "team/java"), none),
            (
                "{image: 'eclipse-temurin:21', command: 'java -javaagent:/otel.jar -jar a.jar'}",
                String::new(),
                none,
            ),
            (
                "{build: ., volumes: ['./otel:/otel'], environment: {JAVA_TOOL_OPTIONS: '-javaagent:/otel/agent.jar'}}",
                copies(""),
                none,
            ),
            (
                "{build: ., volumes: ['agents:/otel'], environment: {JAVA_TOOL_OPTIONS: '-javaagent:/otel/agent.jar'}}",
                copies(""),
                none,
            ),
        ] {
            check(service, &[("Dockerfile", &dockerfile), ("pom.xml", "<project/>")], expected);
        }
    }

    #[test]
    fn a_module_that_node_cannot_load_is_found() {
        let missing = [(SdkProblemKind::AgentNotLoaded, ENDPOINT_VARIABLES[1])];
        let none: &[(SdkProblemKind, &str)] = &[];
        let module = r#"{"type": "module", "dependencies": {"@opentelemetry/sdk-node": "1"}}"#;
        let common = r#"{"dependencies": {"@opentelemetry/sdk-node": "1"}}"#;
        for (release, option, name, manifest, expected) in [
            ("18-slim", "--require", "tracing.js", module, &missing[..]),
            ("20.11-alpine", "-r", "tracing.mjs", common, &missing),
            ("22.3.0", "--require", "tracing.js", module, &missing),
            ("20", "--require", "tracing.js", module, none),
            ("22.12", "--require", "tracing.js", module, none),
            ("lts", "--require", "tracing.js", module, none),
            ("18", "--import", "tracing.js", module, none),
            ("18", "--require", "tracing.cjs", module, none),
            ("18", "--require", "tracing.js", common, none),
        ] {
            let dockerfile = format!(
                "FROM node:{release}\nWORKDIR /srv\nCOPY . .\nCMD [\"node\", \"{option}\", \"./{name}\", \"app.js\"]\n"
            );
            let files = [
                ("Dockerfile", &*dockerfile),
                ("package.json", manifest),
                (name, ""),
                ("app.js", ""),
            ];
            check("{build: .}", &files, expected);
        }
    }

    #[test]
    fn an_agent_that_no_list_of_packages_has_is_found() {
        let register = "@opentelemetry/auto-instrumentations-node/register";
        let none: &[(SdkProblemKind, &str)] = &[];
        let service = |option: &str| {
            format!("{{build: ., environment: {{NODE_OPTIONS: '{option} {register}'}}}}")
        };
        for (manifest, run, expected) in [
            (
                r#"{"dependencies": {"express": "4"}}"#,
                "npm ci",
                &[(SdkProblemKind::AgentNotLoaded, "NODE_OPTIONS")][..],
            ),
            (
                r#"{"dependencies": {"@opentelemetry/api": "1"}}"#,
                "npm ci",
                &[(SdkProblemKind::AgentNotLoaded, "NODE_OPTIONS")],
            ),
            (
                r#"{"dependencies": {"@opentelemetry/auto-instrumentations-node": "0.67"}}"#,
                "npm ci",
                none,
            ),
            (r#"{"dependencies": {"@shop/tracing": "1"}}"#, "npm ci", none),
            (
                r#"{"dependencies": {}}"#,
                "npm install @opentelemetry/auto-instrumentations-node@0.67.0",
                none,
            ),
        ] {
            let dockerfile = format!("FROM node:22\nCOPY . .\nRUN {run}\nCMD node app.js\n");
            let files = [("Dockerfile", &*dockerfile), ("package.json", manifest), ("app.js", "")];
            check(&service("--require"), &files, expected);
            check(&service("--import"), &files, expected);
        }
    }

    #[test]
    fn children_that_an_old_agent_does_not_reach_are_found() {
        let old = "fastapi\nopentelemetry-distro==0.48b0\n";
        let not_reached = [(SdkProblemKind::ChildrenNotReached, ENDPOINT_VARIABLES[1])];
        for (command, is_found) in [
            ("opentelemetry-instrument uvicorn main:app --workers 2", true),
            ("opentelemetry-instrument --traces_exporter otlp uvicorn main:app --workers=4", true),
            ("opentelemetry-instrument uvicorn main:app --reload", true),
            ("opentelemetry-instrument flask --app main --debug run", true),
            ("opentelemetry-instrument python manage.py runserver 0.0.0.0:8000", true),
            ("opentelemetry-instrument python manage.py runserver --noreload", false),
            ("opentelemetry-instrument uvicorn main:app --workers 1", false),
            ("opentelemetry-instrument gunicorn --workers 4 main:app", false),
            ("uvicorn main:app --workers 2", false),
        ] {
            let service = format!("{{build: ., command: '{command}'}}");
            let expected = if is_found { &not_reached[..] } else { &[] };
            check(&service, &[("requirements.txt", old), ("main.py", "")], expected);
            for newer in ["fastapi\nopentelemetry-distro==0.63b0\n", "opentelemetry-distro\n"] {
                check(&service, &[("requirements.txt", newer), ("main.py", "")], &[]);
            }
        }
    }
}
