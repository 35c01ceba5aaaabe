//! Instrumentation of realistic services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::compose::texts::{TestSources, load_texts};
use crate::secret::Secret;

const PROVIDER: &str = "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\n\
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter\n\
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nimport os\n";

pub(super) fn inspect_service(service: &str, files: &[(&str, &str)]) -> Instrumentation {
    let compose = format!("services:\n  x: {service}\n");
    let mut all = vec![("compose.yaml", compose.as_str())];
    all.extend_from_slice(files);
    let model = load_texts(&all, &[]).unwrap();
    let texts = TestSources::new(&all);
    let startup = model.services[0].startup(&texts, None);
    let settings = model.services[0].effective(model.plain());
    let known = settings
        .iter()
        .filter_map(|variable| Some((variable.name.clone(), Secret::new(variable.value.known()?))));
    let python = files.iter().filter(|(path, _)| path.ends_with(".py"));
    let paths: Vec<(PathBuf, &str)> =
        python.map(|(path, text)| (Path::new("/p").join(path), *text)).collect();
    Instrumentation::read(&ServiceEvidence {
        startup: &startup,
        environment: known.collect::<BTreeMap<_, _>>(),
        python: paths.iter().map(|(path, text)| CodeText { path, text, calls: None }).collect(),
        sources: &texts,
    })
}

#[track_caller]
fn assert_span_source(
    service: &str,
    files: &[(&str, &str)],
    language: Option<Language>,
    source: &SpanSource,
) {
    let got = inspect_service(service, files);
    assert_eq!((got.language, &got.source), (language, source), "{service}: {files:?}");
}

#[test]
fn an_agent_is_found_in_the_command_and_in_variables() {
    let agent = SpanSource::Agent;
    let python = [("requirements.txt", "flask\nopentelemetry-distro\n"), ("app.py", "")];
    let with_dockerfile = |dockerfile: &'static str| {
        [("Dockerfile", dockerfile), ("requirements.txt", "flask"), ("app.py", "")]
    };
    let dockerfile = with_dockerfile(
        "FROM python:3.12\nCOPY . .\nCMD [\"opentelemetry-instrument\", \"flask\", \"run\"]\n",
    );
    assert_span_source("{build: .}", &dockerfile, Some(Language::Python), &agent);
    let command = "{build: ., command: 'uv run opentelemetry-instrument --service_name api gunicorn app:app'}";
    assert_span_source(command, &python, Some(Language::Python), &agent);
    let operator = "{build: ., command: flask run, environment: {PYTHONPATH: '/otel-auto-instrumentation-python/opentelemetry/instrumentation/auto_instrumentation'}}";
    assert_span_source(operator, &python, Some(Language::Python), &agent);

    let node = [("package.json", r#"{"dependencies":{"express":"4"}}"#), ("app.js", "")];
    for service in [
        "{build: ., command: node --require @opentelemetry/auto-instrumentations-node/register app.js}",
        "{build: ., command: node app.js, environment: {NODE_OPTIONS: '--import @opentelemetry/auto-instrumentations-node/register'}}",
        "{build: ., command: 'sh -c \"NODE_OPTIONS=--require=/otel-auto-instrumentation-nodejs/autoinstrumentation.js node app.js\"'}",
    ] {
        assert_span_source(service, &node, Some(Language::Node), &agent);
    }
    let java = [
        ("pom.xml", "<project/>"),
        (
            "Dockerfile",
            "FROM eclipse-temurin:21\nCOPY target/a.jar /a.jar\nENV JAVA_TOOL_OPTIONS=\"-Xmx1g -javaagent:/otel/opentelemetry-javaagent.jar\"\nCMD [\"java\", \"-jar\", \"/a.jar\"]\n",
        ),
    ];
    assert_span_source("{build: .}", &java, Some(Language::Java), &agent);
    for archive in ["otel-javaagent.jar", "./opentelemetry-javaagent.jar", "/otel/agent.jar=a=b"] {
        let service = format!("{{build: ., command: 'java -javaagent:{archive} -jar a.jar'}}");
        assert_span_source(&service, &[("pom.xml", "<project/>")], Some(Language::Java), &agent);
    }
    let php = [
        ("composer.json", "{}"),
        ("Dockerfile", "FROM php:8-fpm\nCOPY . .\nENV OTEL_PHP_AUTOLOAD_ENABLED=true\n"),
    ];
    assert_span_source("{build: .}", &php, Some(Language::Php), &agent);
}

#[test]
fn other_vendors_send_elsewhere() {
    let vendor = |name: &str| SpanSource::Vendor(name.to_owned());
    let python = [("requirements.txt", "flask\nddtrace\n"), ("app.py", "")];
    assert_span_source(
        "{build: ., command: ddtrace-run flask run}",
        &python,
        Some(Language::Python),
        &vendor("Datadog"),
    );
    let patched = [
        ("requirements.txt", "flask\nddtrace\n"),
        ("app.py", "import ddtrace\nddtrace.patch_all()\n"),
    ];
    assert_span_source(
        "{build: ., command: flask run}",
        &patched,
        Some(Language::Python),
        &vendor("Datadog"),
    );
    let node = [("package.json", "{}"), ("app.js", "require(\"newrelic\")\n")];
    assert_span_source(
        "{build: ., command: node app.js}",
        &node,
        Some(Language::Node),
        &vendor("New Relic"),
    );
    let java = [("pom.xml", "<project/>")];
    let service = "{build: ., command: 'java -javaagent:/dd-java-agent.jar -jar a.jar'}";
    assert_span_source(service, &java, Some(Language::Java), &vendor("Datadog"));
}

#[test]
fn an_sdk_set_up_in_code_is_found() {
    let app =
        format!("{PROVIDER}provider = TracerProvider()\ntrace.set_tracer_provider(provider)\n");
    let python = [("requirements.txt", "flask"), ("app.py", app.as_str())];
    assert_span_source(
        "{build: ., command: flask run}",
        &python,
        Some(Language::Python),
        &SpanSource::Code,
    );
    let vendor = [
        ("requirements.txt", "flask"),
        (
            "app.py",
            "from honeycomb.opentelemetry import configure_opentelemetry\nconfigure_opentelemetry()\n",
        ),
    ];
    assert_span_source("{build: .}", &vendor, Some(Language::Python), &SpanSource::Code);

    let tracing = "const { NodeSDK } = require('@opentelemetry/sdk-node')\nnew NodeSDK({ serviceName: 'shop' }).start()\n";
    let node = [
        (
            "package.json",
            r#"{"dependencies":{"@opentelemetry/sdk-node":"1"},"scripts":{"start":"node -r ./tracing.js app.js"}}"#,
        ),
        ("tracing.js", tracing),
        ("app.js", ""),
        ("other.js", "import './lib/tracing'\n"),
        ("lib/tracing.ts", tracing),
        ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nCMD npm start\n"),
    ];
    assert_span_source("{build: .}", &node, Some(Language::Node), &SpanSource::Code);
    assert_span_source(
        "{build: ., command: node other.js}",
        &node,
        Some(Language::Node),
        &SpanSource::Code,
    );
    assert_eq!(
        inspect_service("{build: .}", &node).settings().service_name.as_deref(),
        Some("shop")
    );
    for (file, text, language) in [
        ("go.mod", "require (\n\tgo.opentelemetry.io/otel/sdk v1.30.0\n)\n", Language::Go),
        ("Cargo.toml", "[dependencies]\nopentelemetry-otlp = \"0.27\"\n", Language::Rust),
        ("Gemfile", "gem 'opentelemetry-sdk'\n", Language::Ruby),
        ("pom.xml", "<artifactId>opentelemetry-spring-boot-starter</artifactId>\n", Language::Java),
    ] {
        assert_span_source("{build: .}", &[(file, text)], Some(language), &SpanSource::Code);
    }
}

#[test]
fn no_span_source_is_reported_only_for_code_that_was_read() {
    for (file, text, language) in [
        (
            "go.mod",
            "require (\n\tgo.opentelemetry.io/otel/sdk v1.30.0 // indirect\n)\n",
            Language::Go,
        ),
        (
            "Cargo.toml",
            "[dependencies]\n# opentelemetry = \"0.27\"\naxum = \"0.7\"\n",
            Language::Rust,
        ),
        ("Gemfile", "gem 'rails'\n", Language::Ruby),
        ("pom.xml", "<artifactId>spring-boot-starter-web</artifactId>\n", Language::Java),
        ("package.json", r#"{"dependencies":{"express":"4"}}"#, Language::Node),
    ] {
        assert_span_source("{build: .}", &[(file, text)], Some(language), &SpanSource::Nothing);
    }
    let django = [("requirements.txt", "django"), ("manage.py", "import django\n")];
    assert_span_source(
        "{build: ., command: python manage.py runserver}",
        &django,
        Some(Language::Python),
        &SpanSource::Nothing,
    );
    // A file that was not read may set it up.
    let hidden = [("package.json", r#"{"dependencies":{"@opentelemetry/sdk-node":"1"}}"#)];
    assert_span_source("{build: .}", &hidden, Some(Language::Node), &SpanSource::Unknown);
    assert_span_source(
        "{build: .}",
        &[("requirements.txt", "flask")],
        Some(Language::Python),
        &SpanSource::Unknown,
    );
    assert_span_source("{build: ./gone}", &[], None, &SpanSource::Unknown);
    assert_span_source("{image: 'me/app'}", &[], None, &SpanSource::Unknown);
}

#[test]
fn the_protocol_in_force_needs_its_exporter() {
    let missing = |packages: &str, service: &str| {
        let files = [("requirements.txt", packages), ("app.py", "")];
        let settings = inspect_service(service, &files).settings();
        settings.problems.iter().any(|problem| problem.kind == SdkProblemKind::ExporterMissing)
    };
    let agent = "{build: ., command: opentelemetry-instrument flask run}";
    let http = "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-http\n";
    assert!(missing(http, agent));
    assert!(!missing("flask\nopentelemetry-distro\nopentelemetry-exporter-otlp\n", agent));
    assert!(!missing(
        "flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-grpc\n",
        agent
    ));
    let set = "{build: ., command: opentelemetry-instrument flask run, environment: {OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf}}";
    assert!(!missing(http, set));
    assert!(missing("flask\nopentelemetry-distro\nopentelemetry-exporter-otlp-proto-grpc\n", set));
    // The image installs a package that is in no list.
    let files = [
        (
            "Dockerfile",
            "FROM python:3.12\nCOPY . .\nRUN pip install -r deps/prod.txt && pip install opentelemetry-exporter-otlp\nCMD opentelemetry-instrument flask run\n",
        ),
        ("deps/prod.txt", "-r base.txt\nflask\n"),
        ("deps/base.txt", "opentelemetry-distro\n"),
    ];
    let packages = inspect_service("{build: .}", &files).packages.unwrap();
    for name in ["flask", "opentelemetry-distro", "opentelemetry-exporter-otlp"] {
        assert!(packages.contains(name), "{packages:?}");
    }
}

#[test]
fn image_and_command_can_set_the_service_name() {
    let files = [
        ("Dockerfile", "FROM python:3.12\nENV OTEL_SERVICE_NAME=api\nCOPY . .\nCMD flask run\n"),
        ("requirements.txt", "flask"),
    ];
    let name = |service: &str| inspect_service(service, &files).settings().service_name;
    assert_eq!(name("{build: .}").as_deref(), Some("api"));
    assert_eq!(name("{build: ., environment: {OTEL_SERVICE_NAME: web}}").as_deref(), Some("web"));
    let command = "command: opentelemetry-instrument --service_name shop flask run";
    assert_eq!(name(&format!("{{build: ., {command}}}")).as_deref(), Some("shop"));
    assert_eq!(
        name("{build: ., command: 'sh -c \"OTEL_SERVICE_NAME=sh flask run\"'}").as_deref(),
        Some("sh")
    );
}

#[test]
fn endpoint_and_name_in_code_are_used_unchanged() {
    let endpoint = |made: &str, service: &str| {
        let app = format!("{PROVIDER}{made}\ntrace.set_tracer_provider(TracerProvider())\n");
        let files = [("requirements.txt", "flask"), ("app.py", app.as_str())];
        inspect_service(service, &files).setup
    };
    let http = |endpoint: Option<&str>| SdkSetup::Code {
        protocol: OtlpProtocol::HttpProtobuf,
        endpoint: endpoint.map(str::to_owned),
    };
    let set = "{build: ., environment: {OTEL_EXPORTER_OTLP_ENDPOINT: 'https://h'}}";
    let unset = "{build: .}";
    assert_eq!(endpoint("OTLPSpanExporter()", set), http(None));
    assert_eq!(
        endpoint("OTLPSpanExporter(endpoint=os.getenv(\"OTEL_EXPORTER_OTLP_ENDPOINT\"))", set),
        http(Some("https://h"))
    );
    assert_eq!(
        endpoint("OTLPSpanExporter(endpoint=os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'])", set),
        http(Some("https://h"))
    );
    assert_eq!(
        endpoint(
            "url = os.getenv('URL', 'http://c:4318/v1/traces')\nOTLPSpanExporter(timeout=3, endpoint=url)",
            unset
        ),
        http(Some("http://c:4318/v1/traces"))
    );
    assert_eq!(
        endpoint("OTLPSpanExporter(endpoint='http://c:4318/v1/traces', headers=h)", unset),
        http(Some("http://c:4318/v1/traces"))
    );
    assert_eq!(
        endpoint("OTLPSpanExporter(endpoint=f'{base}/v1/traces')", unset),
        SdkSetup::Unknown
    );
    let grpc = PROVIDER.replace(".http.", ".grpc.");
    let app = format!("{grpc}OTLPSpanExporter()\ntrace.set_tracer_provider(TracerProvider())\n");
    let files = [("requirements.txt", "flask"), ("app.py", app.as_str())];
    assert_eq!(
        inspect_service(unset, &files).setup,
        SdkSetup::Code { protocol: OtlpProtocol::Grpc, endpoint: None }
    );

    for resource in [
        "Resource.create({\"service.name\": \"x\"})",
        "Resource(attributes={SERVICE_NAME: 'x', 'a': 'b'})",
        "Resource.create(attributes={ 'service.name' : 'x' })",
    ] {
        let app =
            format!("{PROVIDER}trace.set_tracer_provider(TracerProvider(resource={resource}))\n");
        let files = [("requirements.txt", "flask"), ("app.py", app.as_str())];
        let name = inspect_service("{build: ., environment: {OTEL_SERVICE_NAME: api}}", &files)
            .settings()
            .service_name;
        assert_eq!(name.as_deref(), Some("x"), "{resource}");
    }
}

#[test]
fn lines_that_lose_spans_or_double_them_are_found() {
    use CodeFindingKind::{HookCommentedOut, ProcessorMissing, ProcessorTwice, ProviderNotSet};
    let set = "trace.set_tracer_provider(provider)\n";
    let made = "provider = TracerProvider()\nexporter = OTLPSpanExporter()\n";
    let add = "provider.add_span_processor(BatchSpanProcessor(exporter))\n";
    let named = "processor = BatchSpanProcessor(OTLPSpanExporter())\nprovider.add_span_processor(processor)\n";
    let kinds = |code: &str| {
        let app = format!("{PROVIDER}{code}");
        let files = [("requirements.txt", "flask"), ("app.py", app.as_str())];
        let findings = inspect_service("{build: .}", &files).code.findings;
        findings.into_iter().map(|finding| (finding.kind, finding.line)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&format!("{made}{add}{set}")), []);
    assert_eq!(kinds(&format!("{made}{add}{set}{add}")), [(ProcessorTwice, 10)]);
    assert_eq!(
        kinds(&format!("{made}{named}{set}provider.add_span_processor(processor)\n")),
        [(ProcessorTwice, 11)]
    );
    assert_eq!(kinds(&format!("{made}{set}")), [(ProcessorMissing, 7)]);
    assert_eq!(kinds(&format!("{made}{add}")), [(ProviderNotSet, 6)]);
    let hook = "# FlaskInstrumentor().instrument_app(app)\n";
    assert_eq!(kinds(&format!("{made}{add}{set}{hook}")), [(HookCommentedOut, 10)]);
    assert_eq!(kinds(&format!("{made}{add}{set}{hook}x.instrument_app(app)\n")), []);
    // Two addresses are two exporters; of two branches, only one runs.
    let other =
        "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint='http://b')))\n";
    assert_eq!(kinds(&format!("{made}{add}{other}{set}")), []);
    assert_eq!(kinds(&format!("{made}{set}if a:\n  {add}else:\n  {add}")), []);
    assert_eq!(
        kinds(&format!("{made}FlaskInstrumentor().instrument(tracer_provider=provider)\n{add}")),
        []
    );
}

#[test]
fn a_console_exporter_counts_where_it_gets_spans() {
    let console = |code: &str| {
        let app = format!(
            "{PROVIDER}provider = TracerProvider()\ntrace.set_tracer_provider(provider)\n{code}"
        );
        inspect_service("{build: .}", &[("requirements.txt", "flask"), ("app.py", app.as_str())])
            .code
            .console
    };
    assert_eq!(console(""), ConsoleExporter::Absent);
    assert_eq!(
        console("simple = SimpleSpanProcessor(ConsoleSpanExporter())\n"),
        ConsoleExporter::Unused
    );
    assert_eq!(console("a = ConsoleSpanExporter()\nprint(a)\n"), ConsoleExporter::Unused);
    let used = "simple = SimpleSpanProcessor(ConsoleSpanExporter())\nprovider.add_span_processor(simple)\n";
    assert_eq!(console(used), ConsoleExporter::Used);
    let inline = "provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n";
    assert_eq!(console(inline), ConsoleExporter::Used);
    let exporter =
        "out = ConsoleSpanExporter()\nprovider.add_span_processor(SimpleSpanProcessor(out))\n";
    assert_eq!(console(exporter), ConsoleExporter::Used);
}
