//! Explains how to start an application so that its spans go through a tap.

use std::collections::BTreeMap;

use super::copy::relay_variables;
use super::{TapSession, TapTarget};
use crate::compose::{ProjectVariables, ServiceModel};
use crate::error::Result;
use crate::instrumentation::HEADERS_VARIABLES;
use crate::net::relay::Relay;
use crate::otlp::OtlpProtocol;
use crate::session::context::ProjectContext;
use crate::ui::Ui;
use crate::ui::prompt::DefaultAnswer;

/// The variables with a service's destination and protocol.
const PASSED_VARIABLES: [&str; 5] = [
    "OTEL_SERVICE_NAME",
    HEADERS_VARIABLES[0],
    HEADERS_VARIABLES[1],
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];

impl TapSession {
    /// Prints how to start each application that has no container of ours, and waits until it runs.
    ///
    /// # Errors
    /// An interrupted question.
    pub(super) fn show_start_commands(
        &self,
        targets: &[TapTarget<'_>],
        context: &ProjectContext,
        ui: &mut Ui,
    ) -> Result<()> {
        let model = context.project.model()?;
        let mut is_told = false;
        for target in targets {
            let tapped = self.tapped(target.service).filter(|tapped| tapped.copy.is_none());
            let (Some(tapped), Some(service)) = (tapped, model.service(target.service)) else {
                continue;
            };
            let protocol = target.exporter.protocol;
            let command = start_command(service, model.plain(), protocol, &tapped.relay);
            ui.say(format!("start {} with this, in another terminal:", target.service));
            ui.say(format!("  {command}"));
            is_told = true;
        }
        // Its time begins when it runs; without a terminal it is looked for until the time is up.
        if is_told && ui.interactive() {
            ui.confirm("Is it running now?", "--timeout", DefaultAnswer::Yes)?;
        }
        Ok(())
    }
}

/// Returns the command that starts a service outside a container, with its own variables and the relay's endpoint and
/// token.
fn start_command(
    service: &ServiceModel,
    variables: &ProjectVariables,
    protocol: OtlpProtocol,
    relay: &Relay,
) -> String {
    let settings = service.effective(variables);
    let passed_on = PASSED_VARIABLES.into_iter().filter_map(|name| {
        let raw = settings.get(name)?.raw.as_deref()?;
        Some((name.to_owned(), raw.to_owned()))
    });
    let mut all: BTreeMap<String, String> = passed_on.collect();
    all.extend(relay_variables(service, variables, protocol, &relay.endpoint("127.0.0.1")));
    if let Some(token) = relay.token_header() {
        let [traces, general] = HEADERS_VARIABLES;
        let name = if all.contains_key(traces) { traces } else { general };
        let headers = all.entry(name.to_owned()).or_default();
        let comma = if headers.trim().is_empty() { "" } else { "," };
        headers.push_str(comma);
        headers.push_str(&token);
    }
    let all = all.iter().map(|(name, value)| format!("{name}=\"{}\"", in_double_quotes(value)));
    let words: Vec<String> = all.collect();
    let start = service
        .command
        .as_ref()
        .map(|command| command.line())
        .unwrap_or_else(|| "YOUR-COMMAND".to_owned());
    let line = format!("{} exec {start}", words.join(" "));
    format!("cruddur-ops run -- sh -c '{}'", line.replace('\'', r"'\''"))
}

/// Quotes a value of a compose file for a shell, which expands the same variables.
fn in_double_quotes(value: &str) -> String {
    let mut quoted = String::new();
    for (at, part) in value.split("$$").enumerate() {
        quoted.push_str(if at == 0 { "" } else { "\\$" });
        for (at, character) in part.char_indices() {
            let is_shells = match character {
                '"' | '\\' | '`' => true,
                '$' => !begins_a_variable(&part[at + 1..]),
                _ => false,
            };
            if is_shells {
                quoted.push('\\');
            }
            quoted.push(character);
        }
    }
    quoted
}

/// Returns whether compose also expands a `$` before this text; others must be escaped for the shell.
fn begins_a_variable(rest: &str) -> bool {
    rest.starts_with(|first: char| first == '{' || first == '_' || first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_means_the_same_to_a_shell_as_to_compose() {
        for (value, shell) in [
            ("x-honeycomb-team=${HONEYCOMB_API_KEY}", "x-honeycomb-team=${HONEYCOMB_API_KEY}"),
            ("a$$b", "a\\$b"),
            ("$KEY$_a${B:-c}", "$KEY$_a${B:-c}"),
            ("$(id)$((1+1))$1$?$", "\\$(id)\\$((1+1))\\$1\\$?\\$"),
            ("${A:-$(id)}", "${A:-\\$(id)}"),
            ("say \"hi\" `x` \\", "say \\\"hi\\\" \\`x\\` \\\\"),
        ] {
            assert_eq!(in_double_quotes(value), shell);
        }
    }
}
