//! Random environments with a fixed seed.

use cruddur_ops::instrumentation::{Language, OtlpProtocol, SdkSetup};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{Environment, compare};

/// Values of each variable: correct ones, and mistakes that people make.
const VALUES: [(&str, &[&str]); 25] = [
    ("OTEL_SDK_DISABLED", &["false", "", "0", "no"]),
    ("OTEL_SERVICE_NAME", &["api", "", " ", "\"api\"", "a b", "caf\u{e9}"]),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        &[
            "service.name=from-attributes",
            "service.name=",
            "SERVICE.NAME=x",
            "a=1, b = 2 ,c=%20x",
            "a=b=c",
            "a,b=1",
            "a=%zz",
            "",
            "deployment.environment=dev",
            ",a=1,",
            "a%20b=1",
        ],
    ),
    (
        "OTEL_TRACES_EXPORTER",
        &[
            "otlp",
            "otlp",
            "otlp",
            " otlp ",
            "",
            "none",
            "console",
            "otlp,console",
            "otlp_proto_http",
            "OTLP",
            "otlp,",
            "none,otlp",
        ],
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        &["http/protobuf", "http/protobuf", "grpc", "http/json", "", " grpc", "http"],
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &["http/protobuf", "grpc", "", "HTTP/PROTOBUF"]),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        &[
            "http://otel:4318",
            "http://otel:4318/",
            "http://otel:4318 ",
            "http://otel:4318/v1/traces",
            "https://api.example.com",
            "https://api.example.com/base/",
            "http://h/x?q=1",
            "otel:4318",
            "api.example.com",
            "",
            " ",
            "http://otel",
            "HTTP://OTEL:4318",
            "\"http://otel:4318\"",
            "http://otel:port",
            "http://otel:4318//",
        ],
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        &[
            "http://traces:4318/v1/traces",
            "http://traces:4318",
            "http://traces:4318/ ",
            "",
            "traces:4318/v1/traces",
            "https://traces.example.com/v1/traces?a=b",
        ],
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        &[
            "x-team=abc",
            "x-team=",
            "x-team=abc,x-dataset=",
            ",x-dataset=d",
            "X-Team=abc",
            "x-team = abc , b=2",
            "x-team=\"abc\"",
            "x-team=abc;x=1",
            "x-team=a%20b",
            "authorization=Basic%20dXNlcjpw==",
            "authorization=Bearer abc",
            "authorization=Bearer abc%3D",
            "x-team",
            "=abc",
            "x-team: abc",
            "x-team=%zz",
            "x team=abc",
            "",
            "x-team=\u{201c}abc\u{201d}",
            "a=1,A=2",
            "x-team=a%0Ab",
            "x-team='abc'",
            "x-team=%20abc",
        ],
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", &["x-team=traces", "", "other=1", " "]),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", &["gzip", "none", "GZIP", " gzip", "deflate", "br", ""]),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", &["gzip", "none", ""]),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", &["10", "10000", "0.5", "abc", "", "-1"]),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", &["5000", "", "7"]),
    ("OTEL_EXPORTER_OTLP_INSECURE", &["true", "false", "TRUE", ""]),
    (
        "OTEL_TRACES_SAMPLER",
        &[
            "always_on",
            "always_off",
            "parentbased_always_off",
            "traceidratio",
            "parentbased_traceidratio",
            "ALWAYS_OFF",
            " always_off",
            "jaeger_remote",
            "",
        ],
    ),
    ("OTEL_TRACES_SAMPLER_ARG", &["0", "0.25", "1", "1.5", "-1", "abc", "", " 0 ", "50%"]),
    (
        "OTEL_PROPAGATORS",
        &[
            "tracecontext,baggage",
            "tracecontext",
            "baggage",
            "xray",
            "none",
            " tracecontext , baggage ",
            "",
            "tracecontext,none",
        ],
    ),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &["0", "128", ""]),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", &["0", "64"]),
    ("OTEL_BSP_MAX_QUEUE_SIZE", &["2048", "100", "512", ""]),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &["512", "1", "600"]),
    ("OTEL_BSP_SCHEDULE_DELAY", &["100", "x", ""]),
    ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", &["true", "false"]),
    ("OTEL_PYTHON_ID_GENERATOR", &["random"]),
];

/// Returns in how many of ten environments a variable is set: those of the exporter more often than the rest.
fn odds(name: &str) -> u32 {
    match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" | "OTEL_EXPORTER_OTLP_HEADERS" => 8,
        "OTEL_SERVICE_NAME" | "OTEL_EXPORTER_OTLP_PROTOCOL" | "OTEL_RESOURCE_ATTRIBUTES" => 5,
        name if name.contains("BSP") || name.contains("LIMIT") || name.contains("INSECURE") => 1,
        _ => 2,
    }
}

fn environments(count: usize, seed: u64) -> Vec<Environment> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut environments = Vec::new();
    for _ in 0..count {
        let mut environment = super::table::only_traces();
        for (name, values) in VALUES {
            if random.random_ratio(odds(name), 10) {
                let value = values.choose(&mut random).unwrap();
                environment.insert(name.to_owned(), (*value).to_owned());
            }
        }
        environments.push(environment);
    }
    environments
}

#[test]
fn python_agrees_on_generated_environments_read_by_its_distribution() {
    compare(Language::Python, &SdkSetup::Variables, &environments(300, 1));
}

#[test]
fn python_agrees_on_generated_environments_read_by_code() {
    for protocol in [OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc] {
        let setup = SdkSetup::Code { protocol, endpoint: None };
        compare(Language::Python, &setup, &environments(150, 2));
    }
}

#[test]
fn node_agrees_on_generated_environments() {
    compare(Language::Node, &SdkSetup::Variables, &environments(300, 3));
}
