//! Finds the tracing setup that a module already has.

use super::bindings::Import;
use super::calls::{Call, Scope};
use super::framework::Framework;

/// The parts of a tracing setup found in a module; comments do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// `set_tracer_provider(…)`.
    pub provider: Option<Call>,
    /// `OTLPSpanExporter(…)`.
    pub exporter: Option<Call>,
    /// `….instrument_app(…)` calls of any instrumentor.
    pub hooks: Vec<Call>,
    /// `FlaskInstrumentor().instrument()`, which replaces the class instead of instrumenting an application.
    pub class_wide: Option<Call>,
    /// Names of the instrumentor classes used: `RequestsInstrumentor`.
    pub instrumentors: Vec<String>,
    /// Functions that instrument the application passed to them.
    pub initialisers: Vec<String>,
}

/// Reads the tracing setup from the calls of a module.
pub fn telemetry(calls: &[Call]) -> Telemetry {
    let first = |name: &str| calls.iter().find(|call| call.name == name).cloned();
    let hooks: Vec<Call> =
        calls.iter().filter(|call| call.name == "instrument_app").cloned().collect();
    let initialisers = hooks.iter().filter_map(initialiser).collect();
    Telemetry {
        provider: first("set_tracer_provider"),
        exporter: first("OTLPSpanExporter"),
        class_wide: calls
            .iter()
            .find(|call| call.name == "instrument" && Framework::traced_by(&call.callee).is_some())
            .cloned(),
        instrumentors: calls
            .iter()
            .filter(|call| call.name.ends_with("Instrumentor"))
            .map(|call| call.name.clone())
            .collect(),
        hooks,
        initialisers,
    }
}

fn initialiser(hook: &Call) -> Option<String> {
    match &hook.scope {
        Scope::Function { name, parameters } => {
            let handed = parameters.iter().any(|parameter| hands(hook, parameter));
            handed.then(|| name.clone())
        }
        _ => None,
    }
}

/// Returns whether a call passes `name`, by position or by keyword.
pub fn hands(call: &Call, name: &str) -> bool {
    call.arguments.iter().any(|argument| {
        argument == name || argument.split_once('=').is_some_and(|(_, value)| value.trim() == name)
    })
}

/// Returns whether a module imports another with this file stem: `lib.honeycomb` for `honeycomb`.
pub fn imports_module(imports: &[Import], stem: &str) -> bool {
    imports.iter().any(|import| import.path.split('.').any(|part| part == stem))
}
