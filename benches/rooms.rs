//! Times of the modules without I/O: `cargo bench`, or `cargo bench -- edit` for one of them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use cruddur_ops::compose::{self, ComposeLocation, ComposeModel, ProjectSources, SourceText};
use cruddur_ops::edit::python::source::PythonSource;
use cruddur_ops::edit::requirements::Requirements;
use cruddur_ops::edit::yaml::environment::{self, Wanted};
use cruddur_ops::otlp::{TestTrace, span};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

const SERVICES: [usize; 4] = [10, 100, 1_000, 10_000];

fn main() {
    divan::main();
}

/// Returns a project of one file.
struct OneFile(String);

const FILE: &str = "/project/compose.yml";

impl ProjectSources for OneFile {
    fn text(&self, path: &Path) -> SourceText {
        match path == Path::new(FILE) {
            true => SourceText::Found(self.0.as_str().into()),
            false => SourceText::Missing,
        }
    }

    fn exists(&self, path: &Path) -> bool {
        Path::new(FILE).starts_with(path)
    }

    fn is_foreign(&self, _: &Path) -> bool {
        false
    }
}

impl OneFile {
    fn start(&self) -> ComposeLocation {
        compose::find_compose_project(self, &BTreeMap::new(), Path::new("/project")).unwrap()
    }
}

fn project(services: usize) -> OneFile {
    let mut text = "x-common: &common\n  restart: always  # by hand\n\nservices:\n".to_owned();
    for at in 0..services {
        write!(
            text,
            "
  svc-{at}:
    <<: *common
    build: ./svc-{at}
    environment:
      PUBLIC_URL: \"https://3000-${{WORKSPACE_ID}}.${{WORKSPACE_HOST:-example.com}}\"
      LOG_LEVEL:   'info'     # aligned by hand
      SCALE: 010
    ports:
    - \"{}:80\"
    command: [\"sh\", \"-c\", 'exec run --flag={at}']
",
            1024 + at
        )
        .unwrap();
    }
    OneFile(text)
}

fn names(services: usize) -> Vec<Wanted> {
    let one = |at| Wanted {
        service: format!("svc-{at}"),
        set: vec![("OTEL_SERVICE_NAME".to_owned(), format!("svc-{at}"))],
        unset: Vec::new(),
    };
    (0..services).map(one).collect()
}

#[divan::bench(args = SERVICES)]
fn compose_load(bencher: Bencher<'_, '_>, services: usize) {
    let project = project(services);
    let start = project.start();
    bencher
        .counter(BytesCount::of_str(&project.0))
        .bench_local(|| ComposeModel::load(&project, &start, &BTreeMap::new()).unwrap());
}

#[divan::bench(args = SERVICES)]
fn effective_environments(bencher: Bencher<'_, '_>, services: usize) {
    let project = project(services);
    let model = ComposeModel::load(&project, &project.start(), &BTreeMap::new()).unwrap();
    bencher.bench_local(|| {
        for service in &model.services {
            black_box(service.effective(model.plain()));
        }
    });
}

#[divan::bench(args = SERVICES)]
fn edit_environment(bencher: Bencher<'_, '_>, services: usize) {
    let (text, wanted) = (project(services).0, names(services));
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| environment::set(&text, &wanted).unwrap());
}

#[divan::bench]
fn requirements(bencher: Bencher<'_, '_>) {
    let line = |at| format!("package-{at}[extra]>=1.{at},<2 ; python_version > '3.8'  # pinned\n");
    let text: String = (0..200).map(line).collect();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| Requirements::parse(&text));
}

#[divan::bench]
fn python(bencher: Bencher<'_, '_>) {
    let text = include_str!("../examples/cruddur/backend-flask/app.py");
    bencher.counter(BytesCount::of_str(text)).bench_local(|| PythonSource::parse(text).unwrap());
}

#[divan::bench]
fn otlp_decode(bencher: Bencher<'_, '_>) {
    let trace = TestTrace::new("backend", Duration::from_secs(1_700_000_000), [7; 3]);
    let body = trace.request().encode_to_vec();
    bencher.counter(BytesCount::of_slice(&body)).bench_local(|| {
        span::flatten_export(ExportTraceServiceRequest::decode(&body[..]).unwrap())
    });
}
