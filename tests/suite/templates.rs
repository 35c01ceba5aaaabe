//! Every file of `templates/`: rendered with its variables filled in, and read by the real program that uses it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cruddur_ops::provider::{
    AccountSettings, Destination, NamedService, collector, known_providers,
    render_service_environments,
};
use minijinja::{Environment, context};
use serde_yaml::Value;

use crate::compose_oracle::docker_compose;
use crate::python::python;
use crate::sandbox::tool;

/// The reader of a rendered template.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Docker Compose.
    Compose,
    /// A collector; checked here as YAML with known keys.
    Collector,
    /// Python.
    Python,
    /// Node.js.
    Node,
    /// The tools that start dev containers: JSON with comments.
    DevContainer,
    /// This program, as data.
    Ourselves,
    /// A person, through `help`.
    Person,
    /// A browser; `web::browser` tests it in a real one.
    Browser,
}

fn reader(path: &str) -> Option<Reader> {
    Some(match path {
        "docker-compose.yml" | "collector/docker-compose.yml" => Reader::Compose,
        "xray/daemon.yml" | "xray/environment.yml" | "rollbar/environment.yml" => Reader::Compose,
        "collector/otel-collector.yaml" => Reader::Collector,
        ".devcontainer/devcontainer.json" => Reader::DevContainer,
        "bundlers.yaml"
        | "images.yaml"
        | "instrumentations.yaml"
        | "keys.yaml"
        | "ports.yaml"
        | "programs.yaml" => Reader::Ourselves,
        "compose-spec/compose-spec.json" => Reader::Ourselves,
        _ if path.starts_with("providers/") && path.ends_with(".yaml") => Reader::Ourselves,
        _ if path.starts_with("addons/") && path.ends_with(".yaml") => Reader::Ourselves,
        _ if path.starts_with("agents/") && path.ends_with(".yaml") => Reader::Ourselves,
        _ if path.starts_with("web/") => Reader::Browser,
        _ if path.starts_with("help/") && path.ends_with(".md") => Reader::Person,
        "agents/service.yml" => Reader::Compose,
        "agents/python/sitecustomize.py" => Reader::Python,
        "agents/nodejs/register.cjs" => Reader::Node,
        _ if path.starts_with("python/") && path.ends_with(".py") => Reader::Python,
        _ => return None,
    })
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn templates() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![home()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let path = path.strip_prefix(home()).unwrap();
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
    }
    found
}

/// Returns the templates of one reader.
fn of(wanted: Reader) -> Vec<String> {
    let all = templates().into_iter();
    all.filter(|path| reader(path) == Some(wanted)).collect()
}

/// Returns every provider with an endpoint, with its settings filled in.
fn destinations() -> Vec<Destination> {
    let known = known_providers().iter().filter(|one| one.refused.is_none());
    let catalogued = known.map(|provider| {
        let settings = provider.settings.iter();
        let settings: Vec<_> =
            settings.map(|setting| (setting.name.clone(), "word".to_owned())).collect();
        let account = AccountSettings {
            endpoint: provider.regions.is_empty().then_some("https://x.example"),
            settings: &settings,
            ..AccountSettings::default()
        };
        Destination::of(provider, account).unwrap()
    });
    let headers = ["x-a=A".to_owned(), "x-b=B".to_owned()];
    let otlp = Destination::otlp("http://x.example:4318/\"odd\"", &headers).unwrap();
    catalogued.chain([otlp, Destination::local()]).collect()
}

#[test]
fn no_template_is_without_a_reader() {
    let unread: Vec<String> =
        templates().into_iter().filter(|path| reader(path).is_none()).collect();
    assert!(unread.is_empty(), "nothing here reads {unread:?}");
    assert!(templates().len() > 20);
}

#[test]
fn every_text_for_people_is_a_topic_of_help() {
    for path in of(Reader::Person) {
        let topics = cruddur_ops::commands::list_topics();
        let name = path.trim_start_matches("help/").trim_end_matches(".md");
        assert!(topics.iter().any(|topic| topic.name == name), "{path}");
    }
}

#[test]
fn what_is_data_is_yaml() {
    for path in of(Reader::Ourselves) {
        let text = std::fs::read_to_string(home().join(&path)).unwrap();
        let read: Value = serde_yaml::from_str(&text).unwrap();
        assert!(read.is_mapping() || read.is_sequence(), "{path}");
    }
    let files = templates();
    let files = files.iter().filter(|path| path.starts_with("providers/"));
    assert_eq!(known_providers().len(), files.count());
}

#[test]
fn a_dev_container_is_json_with_an_image() {
    for path in of(Reader::DevContainer) {
        let text = std::fs::read_to_string(home().join(&path)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(read["image"].is_string(), "{path}");
    }
}

#[test]
fn docker_compose_takes_services_and_collectors() {
    let Some(program) = docker_compose() else {
        return;
    };
    for to in destinations() {
        for (published, networks) in
            [(None, vec![]), (Some("127.0.0.1:4318:4318"), vec!["default".to_owned()])]
        {
            let folder = tempfile::tempdir().unwrap();
            let body = collector::service(&to, published, &networks).unwrap();
            let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
            let traced = [NamedService {
                name: "a".to_owned(),
                traced_as: "a \"b\"".to_owned(),
                endpoint: to.endpoint.clone(),
            }];
            let variables = render_service_environments(&to, &traced).unwrap().concat();
            let variables: String = variables
                .iter()
                .map(|one| format!("      {}: {:?}\n", one.name, one.value))
                .collect();
            let text = format!(
                "services:\n  otel-collector:\n{body}  a:\n    image: a\n    environment:\n{variables}"
            );
            std::fs::write(folder.path().join("compose.yaml"), &text).unwrap();
            let output = Command::new(&program)
                .args(["config", "--format", "json"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
            let project: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let service = &project["services"]["otel-collector"];
            for variable in to.variables() {
                assert!(service["environment"].get(variable).is_some(), "{service}");
            }
            assert_eq!(service["ports"].is_array(), published.is_some());
            assert!(service["image"].as_str().unwrap().contains(':'), "no version: {service}");
        }
    }
}

#[test]
fn docker_compose_takes_what_addons_add() {
    let Some(program) = docker_compose() else {
        return;
    };
    let added = of(Reader::Compose).into_iter();
    let added = added.filter(|path| path.starts_with("xray/") || path.starts_with("rollbar/"));
    for path in added {
        let text = rendered(&std::fs::read_to_string(home().join(&path)).unwrap());
        let (head, indent) = match path.ends_with("environment.yml") {
            true => ("services:\n  a:\n    image: a\n    environment:\n", 6),
            false => ("networks: {inner: {}}\nservices:\n  a:\n", 4),
        };
        let body = text.lines().map(|line| format!("{:indent$}{line}\n", ""));
        let text = head.to_owned() + &body.collect::<String>();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("compose.yaml"), &text).unwrap();
        let output = Command::new(&program)
            .args(["config", "-q"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{path}:\n{text}\n{words}");
    }
}

#[test]
fn a_collectors_configuration_has_the_keys_it_knows_and_whole_pipelines() {
    assert_eq!(of(Reader::Collector).len(), 1);
    for to in destinations() {
        for origins in [
            vec![],
            vec!["http://localhost:3000".to_owned(), "https://3000-*.gitpod.io".to_owned()],
        ] {
            let text = collector::render_collector_configuration(&to, &origins).unwrap();
            let read: Value = serde_yaml::from_str(&text).unwrap();
            let keys = |value: &Value| -> BTreeSet<String> {
                let keys = value.as_mapping().unwrap().keys();
                keys.map(|key| key.as_str().unwrap().to_owned()).collect()
            };
            let known = |value: &Value, names: &[&str]| {
                for key in keys(value) {
                    assert!(names.contains(&key.as_str()), "{key} in\n{text}");
                }
            };
            known(&read, &["receivers", "processors", "exporters", "service"]);
            let protocols = &read["receivers"]["otlp"]["protocols"];
            known(protocols, &["grpc", "http"]);
            known(&protocols["http"], &["endpoint", "cors"]);
            assert_eq!(protocols["http"]["cors"].is_mapping(), !origins.is_empty());
            for (protocol, port) in [("grpc", 4317), ("http", 4318)] {
                assert_eq!(protocols[protocol]["endpoint"], format!("0.0.0.0:{port}"));
            }
            let exporter = &read["exporters"]["otlphttp"];
            known(
                exporter,
                &["endpoint", "traces_endpoint", "headers", "retry_on_failure", "sending_queue"],
            );
            assert_eq!(exporter["retry_on_failure"]["enabled"], true);
            assert_eq!(exporter["sending_queue"]["enabled"], true);
            known(&read["service"], &["pipelines"]);
            let pipeline = &read["service"]["pipelines"]["traces"];
            for part in ["receivers", "processors", "exporters"] {
                let defined = keys(&read[part]);
                for name in pipeline[part].as_sequence().unwrap() {
                    assert!(defined.contains(name.as_str().unwrap()), "{text}");
                }
            }
        }
    }
}

/// Returns a configuration for a collector without an OTLP receiver and traces pipeline: lines of a file are received
/// as logs and take the same path.
fn with_a_file_for_input(text: &str, input: &Path) -> String {
    let mut read: Value = serde_yaml::from_str(text).unwrap();
    let receiver = format!("filelog: {{include: [{:?}], start_at: beginning}}", input.display());
    read["receivers"] = serde_yaml::from_str(&receiver).unwrap();
    let pipelines = read["service"]["pipelines"].as_mapping_mut().unwrap();
    let mut pipeline = pipelines.remove("traces").unwrap();
    pipeline["receivers"] = serde_yaml::from_str("[filelog]").unwrap();
    pipelines.insert("logs".into(), pipeline);
    if let Some(exact) =
        read["exporters"]["otlphttp"].as_mapping_mut().unwrap().remove("traces_endpoint")
    {
        read["exporters"]["otlphttp"]["logs_endpoint"] = exact;
    }
    serde_yaml::to_string(&read).unwrap()
}

#[test]
fn a_real_collector_takes_each_configuration() {
    let Some(program) = tool("otelcol", "collector.sh") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let valid = |text: &str, to: &Destination| {
        let file = folder.path().join("otel-collector.yaml");
        std::fs::write(&file, with_a_file_for_input(text, &folder.path().join("in"))).unwrap();
        let mut command = Command::new(&program);
        command.arg("validate").arg("--config").arg(&file).env_clear();
        let variables = to.variables().into_iter().map(|name| (name, "abc123"));
        let output = command.envs(variables).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for to in destinations() {
        let text = collector::render_collector_configuration(&to, &[]).unwrap();
        let (takes, words) = valid(&text, &to);
        assert!(takes, "{text}\n{words}");
        let (takes, _) = valid(&text.replace("queue_size", "queue_length"), &to);
        assert!(!takes, "it takes anything");
    }
}

#[test]
fn a_real_collector_sends_the_key_from_its_environment() {
    let Some(program) = tool("otelcol", "collector.sh") else {
        return;
    };
    let (tell, told) = std::sync::mpsc::channel();
    let routes = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let key = request.headers().get("authorization").cloned();
        // Nobody may listen any more when the collector says goodbye.
        let _ = tell.send((request.uri().path().to_owned(), key));
        async { "" }
    });
    let server = crate::served::Served::start(routes);
    let settings = [("zone".to_owned(), "word".to_owned())];
    let account = AccountSettings {
        endpoint: Some(&server.url()),
        settings: &settings,
        ..AccountSettings::default()
    };
    let grafana = cruddur_ops::provider::find_provider("grafana-cloud").unwrap();
    let to = Destination::of(grafana, account).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (input, file) = (folder.path().join("in"), folder.path().join("otel-collector.yaml"));
    std::fs::write(&input, "a line\n").unwrap();
    let text = collector::render_collector_configuration(&to, &[]).unwrap();
    std::fs::write(&file, with_a_file_for_input(&text, &input)).unwrap();
    let mut child = Command::new(&program)
        .arg("--config")
        .arg(&file)
        .env_clear()
        .env("GRAFANA_CLOUD_OTLP_CREDENTIALS", "MTIzOmFiYw==")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let came = told.recv_timeout(std::time::Duration::from_secs(60));
    child.kill().unwrap();
    child.wait().unwrap();
    let (path, key) = came.expect("the collector sends nothing");
    assert_eq!(path, "/v1/logs");
    assert_eq!(key.unwrap(), "Basic MTIzOmFiYw==");
}

/// Returns a template as a module that defines every name in it.
fn rendered(text: &str) -> String {
    let mut environment = Environment::new();
    environment.add_filter("quoted", |value: String| format!("{value:?}"));
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Lenient);
    let names = [
        "FlaskInstrumentor",
        "RequestsInstrumentor",
        "TracerProvider",
        "BatchSpanProcessor",
        "OTLPSpanExporter",
        "trace",
        "rollbar",
        "environ",
        "got_request_exception",
        "report_exception",
        "xray_recorder",
        "XRayMiddleware",
    ];
    let names: std::collections::BTreeMap<&str, &str> =
        names.into_iter().map(|name| (name, name)).collect();
    let import = context! { module => "a.b", name => "c", alias => "d" };
    let values = context! {
        names => minijinja::value::Serde(names),
        app => "app",
        title => "Title",
        imports => vec![import.clone(), context! { name => "e" }],
        import => import,
        provider => "provider",
        instrumentors => vec!["RequestsInstrumentor"],
        span => "span",
        key => "a.\"key\"",
        expression => "1 + 1",
        tracer => "tracer",
        trace => "trace",
        name => "a 'name'",
        module => "a.b",
        service => "backend",
        region => "us-east-1",
        networks => vec!["default", "inner"],
        address => "xray-daemon:2000",
        port => 4567,
        workspace => "gitpod",
    };
    environment.render_str(text, values).unwrap()
}

#[test]
fn python_reads_its_templates() {
    let Some(python) = python() else {
        return;
    };
    for path in of(Reader::Python) {
        let text = rendered(&std::fs::read_to_string(home().join(&path)).unwrap());
        // A head and a decorator stand before something.
        let after = match text.trim_end() {
            head if head.ends_with(':') => "\n    pass\n",
            line if line.starts_with('@') => "\ndef f(): pass\n",
            _ => "\n",
        };
        let status = Command::new(&python)
            .args(["-c", "import ast, sys; ast.parse(sys.argv[1])"])
            .arg(text.trim_end().to_owned() + after)
            .status()
            .unwrap();
        assert!(status.success(), "{path}:\n{text}");
    }
}
