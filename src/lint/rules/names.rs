//! Package names that the rules about requirements compare with.

use std::sync::LazyLock;

use crate::lint::known::find_nearest_name;

/// OpenTelemetry packages for Python and related ones, as package indexes spell them.
const PUBLISHED_PACKAGES: &[&str] = &[
    "aws-xray-sdk",
    "blinker",
    "boto3",
    "flask",
    "flask-awscognito",
    "flask-cors",
    "gunicorn",
    "psycopg",
    "python-jose",
    "requests",
    "rollbar",
    "watchtower",
    "opentelemetry-api",
    "opentelemetry-distro",
    "opentelemetry-exporter-jaeger",
    "opentelemetry-exporter-jaeger-proto-grpc",
    "opentelemetry-exporter-jaeger-thrift",
    "opentelemetry-exporter-otlp",
    "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-prometheus",
    "opentelemetry-exporter-prometheus-remote-write",
    "opentelemetry-exporter-zipkin",
    "opentelemetry-exporter-zipkin-json",
    "opentelemetry-exporter-zipkin-proto-http",
    "opentelemetry-instrumentation",
    "opentelemetry-opentracing-shim",
    "opentelemetry-opencensus-shim",
    "opentelemetry-processor-baggage",
    "opentelemetry-propagator-aws-xray",
    "opentelemetry-propagator-b3",
    "opentelemetry-propagator-jaeger",
    "opentelemetry-propagator-ot-trace",
    "opentelemetry-proto",
    "opentelemetry-sdk",
    "opentelemetry-sdk-extension-aws",
    "opentelemetry-semantic-conventions",
    "opentelemetry-semantic-conventions-ai",
    "opentelemetry-test-utils",
    "opentelemetry-util-http",
    "opentelemetry-util-genai",
];

/// Suffixes of `opentelemetry-instrumentation-`.
const INSTRUMENTED: &[&str] = &[
    "aio-pika",
    "aiohttp-client",
    "aiohttp-server",
    "aiokafka",
    "aiopg",
    "asgi",
    "asyncclick",
    "asyncio",
    "asyncpg",
    "aws-lambda",
    "boto",
    "boto3sqs",
    "botocore",
    "cassandra",
    "celery",
    "click",
    "confluent-kafka",
    "dbapi",
    "django",
    "elasticsearch",
    "falcon",
    "fastapi",
    "flask",
    "google-genai",
    "grpc",
    "httpx",
    "jinja2",
    "kafka-python",
    "langchain",
    "logging",
    "mysql",
    "mysqlclient",
    "openai",
    "openai-v2",
    "pika",
    "psycopg",
    "psycopg2",
    "pymemcache",
    "pymongo",
    "pymssql",
    "pymysql",
    "pyramid",
    "redis",
    "remoulade",
    "requests",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "system-metrics",
    "threading",
    "tornado",
    "tortoiseorm",
    "urllib",
    "urllib3",
    "vertexai",
    "wsgi",
];

/// Every known name, normalised.
pub(super) static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let instrumentations =
        INSTRUMENTED.iter().map(|library| format!("opentelemetry-instrumentation-{library}"));
    PUBLISHED_PACKAGES.iter().map(|name| (*name).to_owned()).chain(instrumentations).collect()
});

/// Returns the package that the normalised `name` is a misspelling of.
///
/// Short names are similar to too many other packages.
pub(super) fn nearly(name: &str) -> Option<&'static str> {
    const MIN_NAME_CHARS: usize = 12;
    if NAMES.iter().any(|known| known == name) {
        return None;
    }
    let (_, known) = find_nearest_name(&NAMES, name)?;
    (known.len() >= MIN_NAME_CHARS).then_some(known)
}
