//! Which services are traced by default, and the evidence a plan prints for it.

mod images;
mod manifest;

use std::path::Path;

use super::dockerfile::{BuildAction, CopyOrigin, Dockerfile, ImageStage};
use super::service::{Build, Service};
use super::source::{SourceText, Sources};

use images::Purpose;
use manifest::Evidence;

/// What a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user's own program, which serves requests or works in the background.
    Backend,
    /// Pages for a browser: what they hold is public.
    Frontend,
    /// Keeps things.
    Database,
    /// Passes messages on.
    Queue,
    /// Stands before others.
    Proxy,
    /// Receives or shows telemetry.
    TracingDaemon,
    /// Shows and changes what other services keep.
    Administration,
    /// Somebody else's program.
    Other,
}

/// What was decided of a service, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// What it is for.
    pub role: Role,
    /// Whether it is traced unless the user says otherwise.
    pub traced: bool,
    /// One line for the plan: lowercase, without a full stop.
    pub evidence: String,
}

/// Prefixes of variables that a bundler puts into what the browser gets.
const BUNDLED: [&str; 6] =
    ["REACT_APP_", "VITE_", "NEXT_PUBLIC_", "VUE_APP_", "NUXT_PUBLIC_", "GATSBY_"];

/// Decides from the image, the build context's files and, where they are missing, the service's name and variables.
pub fn classify(service: &Service, sources: &dyn Sources) -> Classification {
    match (&service.build, &service.image) {
        (Some(build), _) => built(service, build, sources),
        (None, Some(image)) => pulled(service, image),
        (None, None) => Classification::new(Role::Other, "neither `build` nor `image`".to_owned()),
    }
}

impl Classification {
    fn new(role: Role, evidence: String) -> Self {
        Self { role, traced: role == Role::Backend, evidence }
    }
}

impl From<Purpose> for Role {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Database => Self::Database,
            Purpose::Queue => Self::Queue,
            Purpose::Proxy => Self::Proxy,
            Purpose::TracingDaemon => Self::TracingDaemon,
            Purpose::Administration => Self::Administration,
            Purpose::Tool => Self::Other,
        }
    }
}

/// Whether a service runs an OpenTelemetry Collector, as far as its image tells.
pub fn is_collector(service: &Service) -> bool {
    let image = service.image.as_deref().map(images::without_version);
    let program = image.and_then(|image| image.rsplit('/').next());
    program.is_some_and(|program| {
        program.contains("opentelemetry-collector")
            || program.contains("otel-collector")
            || program.starts_with("otelcol")
    })
}

fn pulled(service: &Service, image: &str) -> Classification {
    if let Some((name, purpose)) = images::purpose(image) {
        let evidence = format!("{name} is {}", purpose.named());
        return Classification::new(purpose.into(), evidence);
    }
    let evidence = format!(
        "the image {} is not built here; `--service {}` includes it",
        images::without_version(image),
        service.name
    );
    Classification::new(Role::Other, evidence)
}

fn built(service: &Service, build: &Build, sources: &dyn Sources) -> Classification {
    let written = match build.written.as_str() {
        "" | "." => "this folder",
        written => written,
    };
    let from = format!("built here from {written}");
    if let Some(decided) = by_final_stage(build, sources) {
        return decided;
    }
    match by_files(&build.context, sources).or_else(|| by_variables(service)) {
        Some(Evidence::Frontend(why)) => {
            Classification::new(Role::Frontend, format!("{from}, a browser frontend: {why}"))
        }
        Some(Evidence::Backend(why)) => {
            Classification::new(Role::Backend, format!("{from}, {why}"))
        }
        None => by_name(service, &from),
    }
}

/// An image that is a known program with a configuration of its own is still that program.
fn by_final_stage(build: &Build, sources: &dyn Sources) -> Option<Classification> {
    let text = build.dockerfile_text(sources)?;
    let file = Dockerfile::parse(&text, &build.arguments(None))?;
    let image = file.image(build.target.as_deref())?;
    let (name, purpose) = images::purpose(&image.first()?.from)?;
    if purpose == Purpose::Proxy && image.last().is_some_and(|stage| copies_files(stage)) {
        let evidence = format!("built here on {name}, which serves pages to browsers");
        return Some(Classification::new(Role::Frontend, evidence));
    }
    let evidence = format!("built here on {name}, {}", purpose.named());
    Some(Classification::new(purpose.into(), evidence))
}

/// What another stage built, or web pages, is copied into a stage.
fn copies_files(stage: &ImageStage) -> bool {
    stage.steps.iter().any(|step| match &step.action {
        BuildAction::Copy(paths) => paths.iter().any(|path| match path.origin {
            CopyOrigin::Stage(_) | CopyOrigin::Elsewhere => true,
            _ => format!("/{} {}/", path.source, path.target).contains("/html"),
        }),
        _ => false,
    })
}

fn by_files(context: &Path, sources: &dyn Sources) -> Option<Evidence> {
    if let Some(text) = text(sources, &context.join("requirements.txt")) {
        return Some(manifest::requirements(&text));
    }
    for (file, language) in manifest::PROGRAMS {
        if sources.exists(&context.join(file)) {
            return Some(Evidence::Backend(format!("{language}: {file}")));
        }
    }
    manifest::package(&text(sources, &context.join("package.json"))?)
}

fn by_variables(service: &Service) -> Option<Evidence> {
    let args = service.build.iter().flat_map(|build| &build.args);
    let mut entries = service.environment.iter().chain(args);
    let prefix = entries.find_map(|entry| {
        let mut prefixes = BUNDLED.iter();
        prefixes.find(|prefix| entry.name.starts_with(**prefix))
    })?;
    Some(Evidence::Frontend(format!("it has {prefix} variables")))
}

/// Nothing but the name is left to go by.
fn by_name(service: &Service, from: &str) -> Classification {
    let lower = service.name.to_ascii_lowercase();
    let mut parts = lower.split(['-', '_', '.']);
    let frontend = lower.contains("frontend")
        || lower.contains("front-end")
        || parts.clone().any(|part| matches!(part, "react" | "vue" | "angular" | "svelte"));
    if frontend {
        let evidence = format!("{from}, a browser frontend by its name");
        return Classification::new(Role::Frontend, evidence);
    }
    if let Some((name, purpose)) = parts.find_map(images::purpose) {
        let evidence = format!("{from}, {} by its name `{name}`", purpose.named());
        return Classification::new(purpose.into(), evidence);
    }
    Classification::new(Role::Backend, from.to_owned())
}

fn text(sources: &dyn Sources, path: &Path) -> Option<String> {
    match sources.text(path) {
        SourceText::Found(text) => Some(text.to_string()),
        SourceText::Missing | SourceText::Unreadable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::texts::{Texts, load};

    #[track_caller]
    fn check(service: &str, files: &[(&str, &str)], role: Role, evidence: &str) {
        let compose = format!("services:\n  {service}\n");
        let mut all = vec![("compose.yaml", compose.as_str())];
        all.extend_from_slice(files);
        let model = load(&all, &[]).unwrap();
        let got = classify(&model.services[0], &Texts::new(&all));
        assert_eq!((got.role, got.evidence.as_str()), (role, evidence));
        assert_eq!(got.traced, role == Role::Backend);
    }

    #[test]
    fn what_is_built_here_is_judged_by_its_files() {
        check(
            "backend-flask: {build: ./backend-flask}",
            &[("backend-flask/requirements.txt", "flask\nflask-cors")],
            Role::Backend,
            "built here from ./backend-flask, Flask in requirements.txt",
        );
        check(
            "web: {build: ./web}",
            &[("web/package.json", r#"{"dependencies":{"react":"18"}}"#)],
            Role::Frontend,
            "built here from ./web, a browser frontend: react in package.json",
        );
        check(
            "api: {build: .}",
            &[("go.mod", ""), ("Dockerfile", "FROM golang\n")],
            Role::Backend,
            "built here from this folder, Go: go.mod",
        );
    }

    #[test]
    fn what_stands_on_a_known_image_is_that_image() {
        check(
            "db: {build: db}",
            &[("db/Dockerfile", "FROM postgres:16\nCOPY init.sql /\n")],
            Role::Database,
            "built here on postgres, a database",
        );
        check(
            "db: {build: {context: db, target: data, args: {BASE: 'redis:7'}}}",
            &[("db/Dockerfile", "ARG BASE=python\nFROM ${BASE} AS data\nFROM node\n")],
            Role::Database,
            "built here on redis, a database",
        );
        check(
            "db: {build: db}",
            &[("db/Dockerfile", "FROM --platform=linux/amd64 \\\n  postgres:16\n")],
            Role::Database,
            "built here on postgres, a database",
        );
        check(
            "db: {build: {dockerfile_inline: \"FROM \\\\\\n# the queue\\n  rabbitmq:3\\n\"}}",
            &[],
            Role::Queue,
            "built here on rabbitmq, a queue",
        );
        check(
            "site: {build: site}",
            &[("site/Dockerfile", "FROM node AS b\nFROM nginx\nCOPY --from=b /a /b\n")],
            Role::Frontend,
            "built here on nginx, which serves pages to browsers",
        );
    }

    #[test]
    fn without_a_context_variables_and_names_are_left() {
        check(
            "web: {build: ./gone, environment: {REACT_APP_BACKEND_URL: x}}",
            &[],
            Role::Frontend,
            "built here from ./gone, a browser frontend: it has REACT_APP_ variables",
        );
        check(
            "frontend-react-js: {build: ./gone}",
            &[],
            Role::Frontend,
            "built here from ./gone, a browser frontend by its name",
        );
        check(
            "my-redis: {build: ./gone}",
            &[],
            Role::Database,
            "built here from ./gone, a database by its name `redis`",
        );
        check("api: {build: ./gone}", &[], Role::Backend, "built here from ./gone");
    }

    #[test]
    fn what_is_pulled_is_left_alone() {
        check(
            "xray-daemon: {image: amazon/aws-xray-daemon}",
            &[],
            Role::TracingDaemon,
            "aws-xray-daemon is a telemetry daemon",
        );
        check(
            "app: {image: 'me/app:1'}",
            &[],
            Role::Other,
            "the image me/app is not built here; `--service app` includes it",
        );
    }
}
