//! An OpenTelemetry Collector between the services and a destination: its compose service and its configuration.

use minijinja::context;
use percent_encoding::percent_decode_str;
use serde_yaml::Value;

use super::{Destination, render_template};
use crate::error::Result;

/// The name of the added service.
pub const SERVICE: &str = "otel-collector";

/// The file with its configuration, next to the compose file.
pub const FILE: &str = "otel-collector.yaml";

/// The port for OTLP over HTTP.
pub const PORT: u16 = 4318;

/// Returns its service definition; `published` is its entry under `ports`, if any, and `networks` are the services'
/// networks.
///
/// # Errors
/// `internal`, when the template does not render.
pub fn service(to: &Destination, published: Option<&str>, networks: &[String]) -> Result<String> {
    render_template(
        include_str!("../../templates/collector/docker-compose.yml"),
        context! {
            variables => minijinja::value::Serde(to.variables()),
            published => published.map(str::to_owned),
            networks => networks.to_vec(),
        },
    )
}

/// Returns its configuration, which accepts spans from browser pages of `origins`.
///
/// # Errors
/// `internal`, when the template does not render.
pub fn render_collector_configuration(to: &Destination, origins: &[String]) -> Result<String> {
    let headers = to.headers.iter().map(|header| {
        let value = percent_decode_str(&header.value).decode_utf8_lossy().replace("${", "${env:");
        context! { name => header.name.as_str(), value => value }
    });
    render_template(
        include_str!("../../templates/collector/otel-collector.yaml"),
        context! {
            to => if to.provider == "otlp" { &to.endpoint } else { &to.title },
            endpoint => to.endpoint.as_str(),
            traces_only => to.traces_only,
            headers => headers.collect::<Vec<_>>(),
            origins => origins.to_vec(),
        },
    )
}

/// Returns the origins of pages that a configuration accepts spans from.
pub fn origins(text: &str) -> Vec<String> {
    let file: Value = serde_yaml::from_str(text).unwrap_or_default();
    let path = ["receivers", "otlp", "protocols", "http", "cors", "allowed_origins"];
    let origins = value_at_path(&file, &path).and_then(Value::as_sequence).into_iter().flatten();
    origins.filter_map(|origin| Some(origin.as_str()?.to_owned())).collect()
}

/// The destination of a collector's traces over OTLP, from its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorExport {
    /// The endpoint, as written.
    pub endpoint: String,
    /// Whether the endpoint is for traces only, used without a suffix.
    pub traces_only: bool,
    /// Whether it uses gRPC rather than HTTP.
    pub grpc: bool,
    /// Whether TLS is disabled: `tls: insecure`.
    pub insecure: bool,
    /// The headers' names and values, secrets as `${env:NAME}`.
    pub headers: Vec<(String, String)>,
}

/// Reads the destination of a configuration's traces: the first OTLP exporter in its trace pipelines.
///
/// # Errors
/// The reason why it is unknown, in one line.
pub fn read(text: &str) -> std::result::Result<CollectorExport, String> {
    let file: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let Some(Value::Mapping(pipelines)) = value_at_path(&file, &["service", "pipelines"]) else {
        return Err("it has no pipelines".to_owned());
    };
    let traces = pipelines.iter().filter(|(name, _)| component_kind(name) == "traces");
    let names = traces.flat_map(|(_, pipeline)| {
        let list = pipeline.get("exporters").and_then(Value::as_sequence);
        list.into_iter().flatten()
    });
    let named: Vec<&Value> = names.collect();
    let otlp = named.iter().find_map(|name| {
        let grpc = match component_kind(name) {
            "otlphttp" | "otlp_http" => false,
            "otlp" | "otlp_grpc" => true,
            _ => return None,
        };
        Some((value_at_path(&file, &["exporters"])?.get(name)?, grpc))
    });
    let Some((exporter, grpc)) = otlp else {
        return Err("no pipeline for traces has an OTLP exporter".to_owned());
    };
    let word = |key: &str| exporter.get(key).and_then(Value::as_str).map(str::to_owned);
    let exact = word("traces_endpoint").filter(|_| !grpc);
    let headers =
        exporter.get("headers").and_then(Value::as_mapping).into_iter().flatten().filter_map(
            |(name, value)| Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())),
        );
    Ok(CollectorExport {
        traces_only: exact.is_some(),
        endpoint: exact.or_else(|| word("endpoint")).ok_or("its OTLP exporter has no endpoint")?,
        grpc,
        insecure: value_at_path(exporter, &["tls", "insecure"]).and_then(Value::as_bool)
            == Some(true),
        headers: headers.collect(),
    })
}

/// Returns the type of a component without the name after its slash: `otlphttp/eu`.
fn component_kind(name: &Value) -> &str {
    let name = name.as_str().unwrap_or_default();
    name.split('/').next().unwrap_or(name)
}

fn value_at_path<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Replaces each `${env:NAME}` and `${NAME}`, with or without a default, by the result of `variable`; also returns
/// the names without a value.
pub fn expand_variables(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (String, Vec<String>) {
    let (mut out, mut lacking, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out += before;
        rest = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((inside, after)) => {
                let inside = inside.strip_prefix("env:").unwrap_or(inside);
                let (name, default) = match inside.split_once(":-") {
                    Some((name, default)) => (name, Some(default)),
                    None => (inside, None),
                };
                let found = variable(name).filter(|value| !value.is_empty());
                match found.or_else(|| default.map(str::to_owned)) {
                    Some(value) => out += &value,
                    None => lacking.push(name.to_owned()),
                }
                after
            }
            None => {
                out.push('$');
                after.strip_prefix('$').unwrap_or(after)
            }
        };
    }
    (out + rest, lacking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{AccountSettings, find_provider};

    fn destination(name: &str) -> Destination {
        let provider = find_provider(name).unwrap();
        let settings: Vec<_> = provider
            .settings
            .iter()
            .map(|setting| (setting.name.clone(), "word".to_owned()))
            .collect();
        let account = AccountSettings {
            endpoint: provider.regions.is_empty().then_some("https://x.example"),
            settings: &settings,
            ..AccountSettings::default()
        };
        Destination::of(provider, account).unwrap()
    }

    #[test]
    fn a_written_configuration_is_read_back() {
        for provider in crate::provider::known_providers() {
            if provider.refused.is_some() {
                continue;
            }
            let to = destination(&provider.name);
            let text =
                render_collector_configuration(&to, &["http://localhost:3000".to_owned()]).unwrap();
            let export = read(&text).unwrap();
            assert_eq!(export.endpoint, to.endpoint);
            assert_eq!(export.traces_only, to.traces_only);
            assert_eq!(export.headers.len(), to.headers.len());
            assert!(!text.contains("%20") && !text.contains("${env:env:"), "{text}");
            for variable in to.variables() {
                assert!(text.contains(&format!("${{env:{variable}}}")), "{text}");
            }
        }
    }

    #[test]
    fn other_configurations_are_read_or_explained() {
        let grpc = "exporters:\n  debug: {}\n  otlp/x: {endpoint: 'h:4317', tls: {insecure: true}}\nservice: {pipelines: {traces/1: {exporters: [debug, otlp/x]}}}\n";
        let export = read(grpc).unwrap();
        assert!(export.grpc && export.insecure);
        assert_eq!(export.endpoint, "h:4317");
        for text in ["", "[", "service: {pipelines: {metrics: {exporters: [otlp]}}}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_replaced_as_the_collector_does() {
        let variable = |name: &str| (name == "A").then(|| "a".to_owned());
        assert_eq!(
            expand_variables("x ${env:A}-${A}-${env:B:-d}-$$-${env:C}", &variable),
            ("x a-a-d-$-".to_owned(), vec!["C".to_owned()])
        );
    }
}
