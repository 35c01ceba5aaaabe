//! `init` on services that already send to a collector of the project: each keeps its port, and uses the port's
//! protocol.

use serde_yaml::Value;

use crate::sandbox::{KEY, Sandbox};

const INIT: [&str; 6] = ["init", "--yes", "--store", "env", "--no-ports", "--no-verify"];

/// The files of a service in the folder `NAME`, and its variables.
struct Sender {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    environment: String,
}

/// Python that `opentelemetry-instrument` starts, with the exporter for gRPC.
const GRPC_AGENT: &[(&str, &str)] = &[
    ("requirements.txt", "django\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-grpc\n"),
    ("Dockerfile", "FROM python:3.12\nCOPY . .\nCMD opentelemetry-instrument python main.py\n"),
    ("main.py", "import django\n"),
];
/// Python that `opentelemetry-instrument` starts, with the exporter for HTTP.
const HTTP_AGENT: &[(&str, &str)] = &[
    ("requirements.txt", "django\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n"),
    ("Dockerfile", "FROM python:3.12\nCOPY . .\nCMD opentelemetry-instrument python main.py\n"),
    ("main.py", "import django\n"),
];
/// Node.js that loads its agent, which has both exporters.
const NODE: &[(&str, &str)] = &[
    (
        "package.json",
        "{\"dependencies\": {\"express\": \"4\", \"@opentelemetry/auto-instrumentations-node\": \"0.67.0\"}}\n",
    ),
    (
        "Dockerfile",
        "FROM node:22\nCOPY . .\nCMD node --require @opentelemetry/auto-instrumentations-node/register app.js\n",
    ),
    ("app.js", "require('express')()\n"),
];
/// Java with the agent of release 2.
const JAVA: &[(&str, &str)] = &[
    ("pom.xml", "<project/>\n"),
    (
        "Dockerfile",
        "FROM eclipse-temurin:21\nADD https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/download/v2.9.0/opentelemetry-javaagent.jar /opentelemetry-javaagent.jar\nCOPY app.jar /\nCMD java -javaagent:/opentelemetry-javaagent.jar -jar /app.jar\n",
    ),
];
/// Java with the agent of release 1.
const OLD_JAVA: &[(&str, &str)] = &[
    ("pom.xml", "<project/>\n"),
    (
        "Dockerfile",
        "FROM eclipse-temurin:17\nADD https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/download/v1.32.0/opentelemetry-javaagent.jar /opentelemetry-javaagent.jar\nCOPY app.jar /\nCMD java -javaagent:/opentelemetry-javaagent.jar -jar /app.jar\n",
    ),
];

fn sender(
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    endpoint: &str,
) -> Sender {
    let environment =
        format!("      OTEL_SERVICE_NAME: {name}\n      OTEL_EXPORTER_OTLP_ENDPOINT: {endpoint}\n");
    Sender { name, files, environment }
}

fn project(senders: &[Sender]) -> Sandbox {
    let mut compose = "services:\n".to_owned();
    for Sender { name, environment, .. } in senders {
        compose += &format!("  {name}:\n    build: ./{name}\n    environment:\n{environment}");
    }
    compose += "  otel-collector:\n    image: otel/opentelemetry-collector-contrib:0.119.0\n    ports: [\"14317:4317\", \"14318:4318\"]\n";
    let sandbox = Sandbox::new(&[("compose.yaml", &compose)]);
    for Sender { name, files, .. } in senders {
        files.iter().for_each(|(path, text)| sandbox.write(&format!("{name}/{path}"), text));
    }
    sandbox
}

/// Returns the endpoint and the protocol that a service gets.
fn told(sandbox: &Sandbox, service: &str) -> (String, Option<String>) {
    let file: Value = serde_yaml::from_str(&sandbox.read("compose.yaml")).unwrap();
    let environment = &file["services"][service]["environment"];
    let text = |name: &str| environment[name].as_str().map(str::to_owned);
    (text("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap(), text("OTEL_EXPORTER_OTLP_PROTOCOL"))
}

#[test]
fn each_service_keeps_the_port_of_the_protocol_that_it_speaks() {
    let (grpc, http) = ("http://otel-collector:4317", "http://otel-collector:4318");
    for senders in [
        [sender("api", GRPC_AGENT, grpc), sender("worker", NODE, http)],
        [sender("api", OLD_JAVA, grpc), sender("worker", JAVA, http)],
        [sender("api", NODE, http), sender("worker", GRPC_AGENT, grpc)],
    ] {
        let sandbox = project(&senders);
        let before = sandbox.read("compose.yaml");
        sandbox.run(&INIT).expect(0);
        assert_eq!(sandbox.read("compose.yaml"), before);
        let findings = sandbox.run(&["doctor", "--json"]).json()["findings"].clone();
        assert_eq!(findings.as_array().unwrap().len(), 0, "{findings:#}");
    }
}

#[test]
fn a_service_on_the_other_protocols_port_gets_the_protocol_or_the_port() {
    let (grpc, http) = ("http://otel-collector:4317", "http://otel-collector:4318");
    for (one, before, after, protocol) in [
        (NODE, grpc, grpc, Some("grpc")),
        (JAVA, grpc, grpc, Some("grpc")),
        (OLD_JAVA, http, http, Some("http/protobuf")),
        // It has no exporter for the protocol of the port.
        (HTTP_AGENT, grpc, http, Some("http/protobuf")),
        (GRPC_AGENT, http, grpc, None),
        // Without a scheme, gRPC begins with TLS.
        (GRPC_AGENT, "otel-collector:4317", grpc, None),
    ] {
        let sandbox = project(&[sender("api", one, before), sender("worker", GRPC_AGENT, grpc)]);
        sandbox.run(&INIT).expect(0);
        let (endpoint, said) = told(&sandbox, "api");
        assert_eq!((&*endpoint, said.as_deref()), (after, protocol), "{before}: {one:?}");
        assert_eq!(told(&sandbox, "worker"), (grpc.to_owned(), None));
        let findings = sandbox.run(&["doctor", "--json"]).json()["findings"].clone();
        assert_eq!(findings.as_array().unwrap().len(), 0, "{findings:#}");
        let compose = sandbox.read("compose.yaml");
        sandbox.run(&INIT).expect(0);
        assert_eq!(sandbox.read("compose.yaml"), compose);
    }
}

#[test]
fn a_collector_that_an_env_file_names_is_kept() {
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    for (file, line, dotenv) in [
        ("env_file: otel.env", "http://otel-collector:4318", ""),
        ("env_file: [{path: otel.env, format: raw}]", "http://otel-collector:4318", ""),
        ("env_file: otel.env", "http://${COLLECTOR}:4318", "COLLECTOR=otel-collector\n"),
    ] {
        let sandbox = project(&[sender("worker", NODE, "http://otel-collector:4318")]);
        let api = format!("services:\n  api:\n    build: ./api\n    {file}\n");
        sandbox.write("compose.yaml", &sandbox.read("compose.yaml").replace("services:\n", &api));
        sandbox.write("otel.env", &format!("OTEL_SERVICE_NAME=api\n{endpoint}={line}\n"));
        sandbox.write(".env", dotenv);
        NODE.iter().for_each(|(path, text)| sandbox.write(&format!("api/{path}"), text));
        let before = sandbox.read("compose.yaml");
        sandbox.run(&INIT).expect(0);
        assert_eq!(sandbox.read("compose.yaml"), before);
    }
}

#[test]
fn another_address_in_an_env_file_is_replaced_and_said() {
    let sandbox = project(&[]).with("HONEYCOMB_API_KEY", KEY);
    let api = "services:\n  api:\n    build: ./api\n    env_file: otel.env\n";
    sandbox.write("compose.yaml", &sandbox.read("compose.yaml").replace("services:\n", api));
    sandbox.write("otel.env", "OTEL_EXPORTER_OTLP_ENDPOINT=https://elsewhere.example\n");
    NODE.iter().for_each(|(path, text)| sandbox.write(&format!("api/{path}"), text));
    let notes = sandbox.run(&[&INIT[..], &["--json"]].concat()).expect(0).json()["notes"].clone();
    let mut texts = notes.as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap());
    assert!(texts.any(|text| text.contains("otel.env:1")), "{notes:#}");
    assert_eq!(told(&sandbox, "api").0, "https://api.honeycomb.io");
}
