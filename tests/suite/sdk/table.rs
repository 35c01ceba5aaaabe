//! Environments written by hand, grouped by kind.

use cruddur_ops::instrumentation::{Language, OtlpProtocol, SdkSetup};

use super::{Environment, compare, compare_cases};

/// The endpoint of a table entry that sets none.
const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318");

/// Returns an environment that exports neither metrics nor logs.
pub(super) fn only_traces() -> Environment {
    ["OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"]
        .into_iter()
        .map(|name| (name.to_owned(), "none".to_owned()))
        .collect()
}

/// Returns each entry as an environment: `NAME=value`, separated by line breaks.
fn environments(entries: &[&str], more: &[(&str, &str)]) -> Vec<Environment> {
    let mut environments = Vec::new();
    for entry in entries {
        let mut environment = only_traces();
        environment.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        for line in entry.split('\n').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').unwrap();
            environment.insert(name.to_owned(), value.to_owned());
        }
        environments.push(environment);
    }
    environments
}

/// Returns environments that set only one variable, to each of these values.
fn values(name: &str, values: &[&str], more: &[(&str, &str)]) -> Vec<Environment> {
    let entries: Vec<String> = values.iter().map(|value| format!("{name}={value}")).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    environments(&entries, more)
}

fn table() -> Vec<Environment> {
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let http: &[(&str, &str)] = &[http, ENDPOINT];
    let grpc: &[(&str, &str)] = &[grpc, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4317")];
    let mut all = Vec::new();
    let switch = ["true", "TRUE", " true ", "1", "yes", "false", ""];
    all.extend(values("OTEL_SDK_DISABLED", &switch, http));
    all.extend(names());
    all.extend(exporters(http));
    all.extend(endpoints());
    all.extend(headers(http));
    all.extend(headers(grpc));
    all.extend(samplers(http));
    let propagators = [
        "tracecontext",
        "baggage",
        "tracecontext,baggage",
        "baggage,tracecontext",
        "none",
        "NONE",
        "tracecontext,none",
        "xray",
        "",
        " ",
        ",",
        "TraceContext",
        "nonsense",
        "tracecontext,tracecontext",
    ];
    all.extend(values("OTEL_PROPAGATORS", &propagators, http));
    all.extend(limits(http));
    for (name, values_of) in [
        (
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            &["gzip", "GZIP", " gzip ", "none", "deflate", "zstd", ""][..],
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", &["gzip", "none", "x", ""]),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", &["10", "10000", "0.5", "1e3", "0", "-5", "ten", "", " 5 "]),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", &["3000", "", "x"]),
        ("OTEL_EXPORTER_OTLP_INSECURE", &["true", "false", ""]),
    ] {
        all.extend(values(name, values_of, http));
        all.extend(values(name, values_of, grpc));
    }
    all.extend(environments(
        &["OTEL_EXPORTER_OTLP_COMPRESSION=gzip\nOTEL_EXPORTER_OTLP_TRACES_COMPRESSION=none"],
        http,
    ));
    all
}

fn names() -> Vec<Environment> {
    let mut all = values(
        "OTEL_RESOURCE_ATTRIBUTES",
        &[
            "service.name=api",
            "service.name=",
            "SERVICE.NAME=x",
            "Service.Name=x,service.name=y",
            "service.name=a%20b",
            "service.name=caf%C3%A9",
            "service.name=%zz",
            "service.name=%",
            "service.name=a%ff",
            "service.name=a=b",
            "service.name=api,deployment.environment=dev",
            "service.name",
            "a,service.name=api",
            " service.name = api ",
            "service.name=\"api\"",
            "service.name=a,service.name=b",
            "service%2Ename=api",
            "=x,service.name=api",
            "a=1;b=2,service.name=api",
            ",,",
            "a=,b=2",
            "service.name=a+b",
        ],
        &[],
    );
    all.extend(values(
        "OTEL_SERVICE_NAME",
        &["api", "", " ", " api ", "\"api\"", "'api'", "a%20b", "unknown"],
        &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=attributes,a=1")],
    ));
    all
}

fn exporters(http: &[(&str, &str)]) -> Vec<Environment> {
    let names = [
        "otlp",
        "OTLP",
        " otlp",
        "otlp,otlp",
        "otlp,console",
        "console",
        "none",
        " none ",
        "None",
        "none,otlp",
        "otlp,none",
        "",
        " ",
        ",",
        "otlp,",
        "otlp_proto_http",
        "otlp_proto_grpc",
        "otlp_proto_http,otlp",
        "nonsense",
        "otlp,nonsense",
        "null",
        "otlphttp",
        "http",
        "console,none",
    ];
    let mut all = values("OTEL_TRACES_EXPORTER", &names, http);
    all.extend(values("OTEL_TRACES_EXPORTER", &["otlp", "otlp_proto_http", ""], &[]));
    let protocols =
        ["grpc", "http/protobuf", "http/json", "http", "GRPC", " grpc ", "", " ", "protobuf"];
    all.extend(values("OTEL_EXPORTER_OTLP_PROTOCOL", &protocols, &[ENDPOINT]));
    all.extend(values("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &protocols, http));
    all.extend(environments(
        &[
            "OTEL_METRICS_EXPORTER=nonsense",
            "OTEL_METRICS_EXPORTER=console",
            "OTEL_LOGS_EXPORTER=otlp_proto_nonsense",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=nonsense",
        ],
        http,
    ));
    all
}

/// Addresses: correct ones, and mistakes that people make.
const ADDRESSES: &[&str] = &[
    "http://otel:4318",
    "http://otel:4318/",
    "http://otel:4318//",
    "http://otel:4318/v1/traces",
    "http://otel:4318 ",
    " http://otel:4318",
    "http://otel:4318/ ",
    "http://otel:4318/a b",
    "http://h/x?q=1",
    "http://h/x#f",
    "https://api.example.com",
    "https://api.example.com:443",
    "http://h:80",
    "otel:4318",
    "localhost:4318",
    "api.example.com",
    "//otel:4318",
    "/v1/traces",
    "http:/otel",
    "http:otel",
    "http://",
    "http://:4318",
    "http://otel:",
    "http://otel:99999",
    "http://otel:port",
    "HTTP://Otel:4318/Base",
    "ftp://otel:4318",
    "grpc://otel:4317",
    "\"http://otel:4318\"",
    "'http://otel:4318'",
    "",
    " ",
    "http://otel:4318/%7Ex/%zz",
    "http://otel:4318/a/../b",
    "http://*otel:4318",
    "http://[::1]:4318",
    "http://127.0.0.1:4318",
    "http://caf\u{e9}:4318",
    "http:\\\\otel:4318",
    "http://otel /x",
    "http://otel:4318/x?a=b c",
    "http://otel,other:4318",
    "http://ot_el:4318",
    "http:///otel:4318",
    "https//otel",
];

fn endpoints() -> Vec<Environment> {
    let addresses = ADDRESSES;
    let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let mut all = values("OTEL_EXPORTER_OTLP_ENDPOINT", addresses, &[http]);
    all.extend(values("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", addresses, &[http]));
    all.extend(values(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        addresses,
        &[http, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:1/base/")],
    ));
    let grpc_addresses = [
        "http://otel:4317",
        "https://otel:4317",
        "otel:4317",
        "http://otel:4317/path",
        "http://otel:4317 ",
        "https://api.example.com",
        "https://api.example.com:443",
        "",
        "localhost:4317",
    ];
    for insecure in ["", "true", "false"] {
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            let more: Vec<(&str, &str)> = match insecure {
                "" => vec![grpc],
                _ => vec![grpc, ("OTEL_EXPORTER_OTLP_INSECURE", insecure)],
            };
            all.extend(values(name, &grpc_addresses, &more));
        }
    }
    all
}

fn headers(more: &[(&str, &str)]) -> Vec<Environment> {
    let lists = [
        "x-team=abc",
        "x-team=",
        "x-team=abc,x-dataset=",
        ",x-dataset=d",
        "x-team=abc,",
        "X-Team=abc",
        "x-team = abc",
        " x-team=abc ",
        "x-team=abc;x-dataset=d",
        "x-team=a;b,c=d",
        "x-team=\"abc\"",
        "x-team='abc'",
        "\"x-team=abc\"",
        "x-team=a b",
        "authorization=Bearer a%3D",
        "authorization=Bearer%20a%3D",
        "authorization=Basic%20dXNlcjpw==",
        "x-team=a=b",
        "x-team",
        "x-team:abc",
        "x-team: abc",
        "=abc",
        "=",
        "x-team=%zz",
        "x-team=%",
        "x-team=%e9",
        "x-team=%E2%80%9Cabc",
        "x-team=caf\u{e9}",
        "x-team=\u{201c}abc\u{201d}",
        "x team=abc",
        "x/team=abc",
        "x%2Dteam=abc",
        "x-team=a%0Ab",
        "x-team=%20abc%20",
        "x-team=a%2Cb",
        "a=1,A=2",
        "a=1,b=2,a=3",
        "x-team=a\\b",
        "x-team=a+b",
        "x-team={abc}",
        "x-team=$(TEAM_KEY)",
        "x-team=TEAM_KEY",
        "x-team=a/b:c@d",
        "x_team=abc",
        "x.team=abc",
        "\tx-team=abc",
        "content-type=text/plain",
        "",
        " ",
        ",",
        "x-team=a\tb",
        "x-team=<abc>",
    ];
    let mut all = values("OTEL_EXPORTER_OTLP_HEADERS", &lists, more);
    all.extend(environments(
        &[
            "OTEL_EXPORTER_OTLP_HEADERS=a=1,b=2\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=b=3,c=4",
            "OTEL_EXPORTER_OTLP_HEADERS=a=1\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=",
            "OTEL_EXPORTER_OTLP_HEADERS=a=1\nOTEL_EXPORTER_OTLP_TRACES_HEADERS= ",
            "OTEL_EXPORTER_OTLP_HEADERS=a=1\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=nonsense",
        ],
        more,
    ));
    all
}

fn samplers(http: &[(&str, &str)]) -> Vec<Environment> {
    let names = [
        "always_on",
        "always_off",
        "parentbased_always_on",
        "parentbased_always_off",
        "traceidratio",
        "parentbased_traceidratio",
        "ALWAYS_OFF",
        " always_off",
        "always_off ",
        "AlwaysOff",
        "off",
        "",
        " ",
        "xray",
        "jaeger_remote",
        "TRACEIDRATIO",
        " traceidratio",
    ];
    let mut all = values("OTEL_TRACES_SAMPLER", &names, http);
    let ratios = [
        "0", "0.0", "0.5", "1", "1.0", "1.5", "-1", "abc", "", " 0.5 ", "50%", "1e-3", "nan",
        "inf", ".5", "0x0", "0,5", "+0.5", "0_1",
    ];
    for name in ["traceidratio", "parentbased_traceidratio", " traceidratio", "TRACEIDRATIO"] {
        let more: Vec<(&str, &str)> =
            http.iter().copied().chain([("OTEL_TRACES_SAMPLER", name)]).collect();
        all.extend(values("OTEL_TRACES_SAMPLER_ARG", &ratios, &more));
    }
    all
}

fn limits(http: &[(&str, &str)]) -> Vec<Environment> {
    let mut all = Vec::new();
    for name in [
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
    ] {
        all.extend(values(name, &["0", "5", "", "-1", "x", "1.5", " 7 "], http));
    }
    for name in
        ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY"]
    {
        all.extend(values(name, &["0", "-1", "x", "", "100", "4096"], http));
    }
    all
}

#[test]
fn python_agrees_on_the_table_read_by_its_distribution() {
    compare(Language::Python, &SdkSetup::Variables, &table());
}

#[test]
fn python_agrees_on_the_table_read_by_code() {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc] {
        compare(Language::Python, &SdkSetup::Code { protocol, endpoint: None }, &table());
    }
}

#[test]
fn node_agrees_on_the_table() {
    compare(Language::Node, &SdkSetup::Variables, &table());
}

#[test]
fn an_endpoint_in_code_is_used_unchanged() {
    let environment = environments(&[""], &[ENDPOINT, ("OTEL_SERVICE_NAME", "api")]);
    let mut cases = Vec::new();
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc] {
        cases.extend(ADDRESSES.iter().map(|address| {
            let endpoint = Some((*address).to_owned());
            (SdkSetup::Code { protocol, endpoint }, environment[0].clone())
        }));
    }
    for language in [Language::Python, Language::Node] {
        compare_cases(language, &cases);
    }
}

#[test]
fn node_agrees_on_the_table_read_by_code() {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc] {
        compare(Language::Node, &SdkSetup::Code { protocol, endpoint: None }, &table());
    }
}
