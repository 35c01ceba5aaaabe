//! The names of well-known variables, and the search for misspellings of them.

use std::sync::LazyLock;

use strsim::osa_distance;

/// Variables that an SDK, the daemon or the workspace reads.
pub(super) const KNOWN: &[&str] = &[
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_LOG_LEVEL",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BLRP_SCHEDULE_DELAY",
    "OTEL_BLRP_EXPORT_TIMEOUT",
    "OTEL_BLRP_MAX_QUEUE_SIZE",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_CONFIG_FILE",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "OTEL_PYTHON_EXCLUDED_URLS",
    "OTEL_PYTHON_FLASK_EXCLUDED_URLS",
    "OTEL_PYTHON_LOG_CORRELATION",
    "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
    "OTEL_NODE_RESOURCE_DETECTORS",
    "OTEL_NODE_ENABLED_INSTRUMENTATIONS",
    "OTEL_NODE_DISABLED_INSTRUMENTATIONS",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
    "OTEL_EXPORTER_JAEGER_ENDPOINT",
    "OTEL_EXPORTER_JAEGER_AGENT_HOST",
    "OTEL_EXPORTER_JAEGER_AGENT_PORT",
    "OTEL_EXPORTER_PROMETHEUS_HOST",
    "OTEL_EXPORTER_PROMETHEUS_PORT",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    "HONEYCOMB_API_KEY",
    "HONEYCOMB_API_ENDPOINT",
    "HONEYCOMB_API_HOST",
    "HONEYCOMB_DATASET",
    "HONEYCOMB_SERVICE_NAME",
    "HONEYCOMB_TRACES_APIKEY",
    "HONEYCOMB_TRACES_ENDPOINT",
    "HONEYCOMB_METRICS_APIKEY",
    "HONEYCOMB_METRICS_DATASET",
    "HONEYCOMB_WRITEKEY",
    "AWS_XRAY_DAEMON_ADDRESS",
    "AWS_XRAY_TRACING_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_SDK_ENABLED",
    "AWS_XRAY_DEBUG_MODE",
    "AWS_XRAY_LOG_LEVEL",
    "AWS_XRAY_URL",
    "ROLLBAR_ACCESS_TOKEN",
    "ROLLBAR_ENVIRONMENT",
    "ROLLBAR_ENDPOINT",
    "GITPOD_WORKSPACE_ID",
    "GITPOD_WORKSPACE_URL",
    "GITPOD_WORKSPACE_CLUSTER_HOST",
];

/// Suffixes of `OTEL_EXPORTER_OTLP_`, with or without a signal in between.
const EXPORTER: [&str; 9] = [
    "ENDPOINT",
    "HEADERS",
    "PROTOCOL",
    "TIMEOUT",
    "COMPRESSION",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
    "INSECURE",
];

/// The first words of those names.
const FIRST_WORDS: [&str; 5] = ["OTEL", "HONEYCOMB", "AWS", "ROLLBAR", "GITPOD"];

/// Every known name.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let exporter = EXPORTER.iter().flat_map(|suffix| {
        ["", "TRACES_", "METRICS_", "LOGS_"]
            .into_iter()
            .map(move |signal| format!("OTEL_EXPORTER_OTLP_{signal}{suffix}"))
    });
    KNOWN.iter().map(|name| (*name).to_owned()).chain(exporter).collect()
});

/// Returns the variable that `name` is a misspelling of.
///
/// A longer name that contains a known one (`HONEYCOMB_API_KEY_BACKEND`) is not a misspelling.
pub fn find_intended_variable(name: &str) -> Option<&'static str> {
    // .NET uses `Honeycomb__Dataset` for nested settings.
    if name.contains("__") {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let family = upper.split('_').next().unwrap_or_default();
    let related =
        FIRST_WORDS.iter().any(|known| *known == family || osa_distance(known, family) == 1);
    if !related || NAMES.iter().any(|known| known == name) {
        return None;
    }
    let (near, nearest) = find_nearest_name(&NAMES, &upper)?;
    let allowed = if nearest.len() >= 20 { 2 } else { 1 };
    (near <= allowed && !is_variant(&upper, nearest)).then_some(nearest)
}

/// Returns the entry of `names` closest to `name` and its edit distance; `None` if all differ by more than a typing
/// error.
pub(super) fn find_nearest_name<'a>(names: &'a [String], name: &str) -> Option<(usize, &'a str)> {
    const MAX_EDIT_DISTANCE: usize = 2;
    names
        .iter()
        .filter(|known| known.len().abs_diff(name.len()) <= MAX_EDIT_DISTANCE)
        .map(|known| (osa_distance(known, name), known.as_str()))
        .filter(|(slips, _)| *slips <= MAX_EDIT_DISTANCE)
        .min_by_key(|(slips, _)| *slips)
}

/// Returns whether two names differ in a whole word or in a trailing number, which makes them different names.
fn is_variant(name: &str, known: &str) -> bool {
    let numbered = name.strip_prefix(known).is_some_and(|rest| {
        let digits = rest.trim_start_matches('_');
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    });
    let words = |text: &str| text.split('_').count();
    numbered || (words(name) > words(known) && name.len() > known.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_typing_errors_lead_to_what_was_meant() {
        for (typed, meant) in [
            ("OTEP_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
            ("AWS_XRAY_DAEMON_ADDRSES", "AWS_XRAY_DAEMON_ADDRESS"),
            ("GITPOS_WORKSPACE_ID", "GITPOD_WORKSPACE_ID"),
            ("OTEL_SERVICENAME", "OTEL_SERVICE_NAME"),
            ("ROLLBAR_ACCES_TOKEN", "ROLLBAR_ACCESS_TOKEN"),
            ("otel_service_name", "OTEL_SERVICE_NAME"),
        ] {
            assert_eq!(find_intended_variable(typed), Some(meant), "{typed}");
        }
    }

    #[test]
    fn unrelated_names_are_not_corrected() {
        for name in [
            "OTEL_SERVICE_NAME",
            "HONEYCOMB_API_KEY_BACKEND",
            "HONEYCOMB_TRACES_API",
            "OTEL_COLLECTOR",
            "OTEL_SERVICE_NAME_2",
            "OTEL_SERVICE_VERSION",
            "OTEL_COLLECTOR_PORT_HTTP",
            "GITPOD_IP",
            "ROLLBAR_TOKEN",
            "HOTEL_SERVICE_NAME_X",
            "Honeycomb__Dataset",
            "AWS_REGION",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        ] {
            assert_eq!(find_intended_variable(name), None, "{name}");
        }
    }
}
