//! Renders the templates in `templates/`.

use std::collections::HashMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use super::Destination;
use crate::error::{Error, ErrorCode, Result};

/// A variable of a service's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name: `OTEL_SERVICE_NAME`.
    pub name: String,
    /// The value as in a compose file, with `${…}` not yet replaced.
    pub value: String,
}

/// A compose service and its `service.name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedService {
    /// The service's name in the compose file.
    pub name: String,
    /// The value of `OTEL_SERVICE_NAME`.
    pub traced_as: String,
    /// The endpoint it sends to.
    pub endpoint: String,
}

/// The placeholder for a service's name in lines rendered once for many services.
const NAME_PLACEHOLDER: &str = "the name of the service";

/// Returns the variables each of `services` needs to send to `destination`, in the given order.
///
/// # Errors
/// `internal`, when the template does not render or the result is not a compose file.
pub fn render_service_environments(
    destination: &Destination,
    services: &[NamedService],
) -> Result<Vec<Vec<Variable>>> {
    let mut by_endpoint: HashMap<&str, Vec<Variable>> = HashMap::new();
    for service in services {
        let endpoint = service.endpoint.as_str();
        if !by_endpoint.contains_key(endpoint) {
            by_endpoint.insert(endpoint, render_common_environment(destination, endpoint)?);
        }
    }
    let named = |variable: &Variable, service: &NamedService| Variable {
        name: variable.name.clone(),
        value: if variable.value == NAME_PLACEHOLDER {
            service.traced_as.clone()
        } else {
            variable.value.clone()
        },
    };
    let all = services.iter().map(|service| {
        let variables = by_endpoint[service.endpoint.as_str()].iter();
        variables.map(|variable| named(variable, service)).collect()
    });
    Ok(all.collect())
}

/// Returns the variables any service needs to send to `endpoint`.
fn render_common_environment(destination: &Destination, endpoint: &str) -> Result<Vec<Variable>> {
    let service = NamedService {
        name: NAME_PLACEHOLDER.to_owned(),
        traced_as: NAME_PLACEHOLDER.to_owned(),
        endpoint: endpoint.to_owned(),
    };
    let text = render_template(
        include_str!("../../templates/docker-compose.yml"),
        context! {
            services => minijinja::value::Serde(std::slice::from_ref(&service)),
            traces_only => destination.traces_only,
            protocol => destination.protocol.as_deref(),
            headers => destination.header_text(),
        },
    )?;
    let mut file: ComposeFile = serde_yaml::from_str(&text).map_err(template_error)?;
    let service = file
        .services
        .remove(NAME_PLACEHOLDER)
        .ok_or_else(|| template_error("the service is missing"))?;
    service.environment.into_iter().map(parse_variable).collect()
}

/// Parses a rendered mapping of names to texts, in order.
///
/// # Errors
/// `internal`, when it is not one.
pub(crate) fn parse_variables(text: &str) -> Result<Vec<Variable>> {
    let mapping: serde_yaml::Mapping = serde_yaml::from_str(text).map_err(template_error)?;
    mapping.into_iter().map(parse_variable).collect()
}

fn parse_variable((name, value): (serde_yaml::Value, serde_yaml::Value)) -> Result<Variable> {
    match (name.as_str(), value.as_str()) {
        (Some(name), Some(value)) => {
            Ok(Variable { name: name.to_owned(), value: value.to_owned() })
        }
        _ => Err(template_error("a variable is no text")),
    }
}

#[derive(Deserialize)]
struct ComposeFile {
    services: HashMap<String, ComposeService>,
}

#[derive(Deserialize)]
struct ComposeService {
    environment: serde_yaml::Mapping,
}

/// Renders `template` with `values`; an unknown name is an error, and the filter `quoted` makes a YAML string of a
/// value.
pub(crate) fn render_template(template: &str, values: minijinja::Value) -> Result<String> {
    let mut environment = Environment::new();
    let syntax =
        SyntaxConfig::builder().keep_trailing_newline(true).build().map_err(template_error)?;
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("quoted", |value: String| serde_json::Value::String(value).to_string());
    environment.render_str(template, values).map_err(template_error)
}

fn template_error(cause: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::Internal, "a built-in template could not be rendered").cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::AccountSettings;

    #[test]
    fn a_service_gets_three_variables_in_the_order_of_the_template() {
        let account = AccountSettings { region: Some("eu"), ..AccountSettings::default() };
        let honeycomb = crate::provider::find_provider("honeycomb").unwrap();
        let destination = Destination::of(honeycomb, account).unwrap();
        let services = ["worker", "backend-flask"].map(|name| NamedService {
            name: name.to_owned(),
            traced_as: format!("{name}\""),
            endpoint: destination.endpoint.clone(),
        });
        let all = render_service_environments(&destination, &services).unwrap();
        let pairs: Vec<(&str, &str)> =
            all[1].iter().map(|v| (v.name.as_str(), v.value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("OTEL_SERVICE_NAME", "backend-flask\""),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.eu1.honeycomb.io"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=${HONEYCOMB_API_KEY}"),
            ]
        );
        assert_eq!(all[0][0].value, "worker\"");
    }
}
