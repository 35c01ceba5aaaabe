//! The variables of a service's process: from its environment, its image, and the command that starts it.

use std::collections::BTreeMap;

use super::super::Language;
use crate::compose::ServiceEnvironment;
use crate::secret::Secret;

/// Options of `opentelemetry-instrument` whose variable begins with `OTEL_PYTHON_`.
const PYTHON_OPTIONS: [&str; 4] =
    ["disabled_instrumentations", "distro", "configurator", "id_generator"];

/// Returns the variables of a service's environment whose values are known.
pub fn known_variables(settings: &ServiceEnvironment) -> BTreeMap<String, Secret> {
    let pairs = settings.iter();
    pairs
        .filter_map(|variable| Some((variable.name.clone(), Secret::new(variable.value.known()?))))
        .collect()
}

/// Returns the variables that a command sets, which override the environment: the options of
/// `opentelemetry-instrument`, and Java's `-Dotel.…`.
pub fn launch_variables(language: Language, command: &[String]) -> BTreeMap<String, Secret> {
    match language {
        Language::Python => python_options(command),
        Language::Java => java_properties(command.iter().map(String::as_str)),
        _ => BTreeMap::new(),
    }
}

/// Adds the variables of an image that the service does not set itself.
pub fn image_defaults(environment: &mut BTreeMap<String, Secret>, image: BTreeMap<String, Secret>) {
    for (name, value) in image {
        environment.entry(name).or_insert(value);
    }
}

/// Reads the options between `opentelemetry-instrument` and the command it starts.
fn python_options(command: &[String]) -> BTreeMap<String, Secret> {
    let is_instrument = |word: &String| word.rsplit('/').next() == Some("opentelemetry-instrument");
    let mut variables = BTreeMap::new();
    let mut words = command.iter().skip_while(|word| !is_instrument(word)).skip(1);
    while let Some(option) = words.next().and_then(|word| word.strip_prefix("--")) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, words.next().map(String::as_str)),
        };
        let prefix = if PYTHON_OPTIONS.contains(&name) { "OTEL_PYTHON_" } else { "OTEL_" };
        if let Some(value) = value {
            variables.insert(format!("{prefix}{}", name.to_ascii_uppercase()), Secret::new(value));
        }
    }
    variables
}

/// Reads OpenTelemetry's system properties, which correspond to the variables.
fn java_properties<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<String, Secret> {
    let properties = words.filter_map(|word| word.strip_prefix("-Dotel.")?.split_once('='));
    let variables = properties.map(|(name, value)| {
        let name = name.replace(['.', '-'], "_").to_ascii_uppercase();
        (format!("OTEL_{name}"), Secret::new(value))
    });
    variables.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, command: &str, expected: &[(&str, &str)]) {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let variables = launch_variables(language, &words);
        let found: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(found, expected, "{command}");
    }

    #[test]
    fn options_of_the_command_are_variables() {
        check(
            Language::Python,
            "exec /venv/bin/opentelemetry-instrument --service_name api --traces_exporter=otlp python app.py --service_name other",
            &[("OTEL_SERVICE_NAME", "api"), ("OTEL_TRACES_EXPORTER", "otlp")],
        );
        check(
            Language::Python,
            "opentelemetry-instrument --disabled_instrumentations redis flask run",
            &[("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis")],
        );
        check(Language::Python, "python app.py --service_name api", &[]);
        check(
            Language::Java,
            "java -javaagent:/otel.jar -Dotel.service.name=api -Dotel.exporter.otlp.endpoint=http://h -jar app.jar",
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"), ("OTEL_SERVICE_NAME", "api")],
        );
        check(Language::Node, "node --require x app.js", &[]);
    }

    #[test]
    fn an_image_supplies_variables_the_service_does_not_set() {
        let variables = |pairs: &[(&str, &str)]| -> BTreeMap<String, Secret> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
        };
        let mut environment = variables(&[("A", "own"), ("B", "")]);
        image_defaults(
            &mut environment,
            variables(&[("A", "image"), ("B", "image"), ("OTEL_SERVICE_NAME", "api")]),
        );
        assert_eq!(
            environment,
            variables(&[("A", "own"), ("B", ""), ("OTEL_SERVICE_NAME", "api")])
        );
    }
}
