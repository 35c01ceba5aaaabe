//! Finds the tracing setup that a module already has.

use super::bindings::PythonImport;
use super::calls::{CallScope, PythonCall};
use super::framework::PythonFramework;

/// The parts of a tracing setup found in a module; comments do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TelemetryCalls {
    /// `set_tracer_provider(…)`.
    pub provider: Option<PythonCall>,
    /// `OTLPSpanExporter(…)`.
    pub exporter: Option<PythonCall>,
    /// `….instrument_app(…)` calls of any instrumentor.
    pub hooks: Vec<PythonCall>,
    /// `FlaskInstrumentor().instrument()`, which replaces the class instead of instrumenting an application.
    pub class_wide: Option<PythonCall>,
    /// Names of the instrumentor classes used: `RequestsInstrumentor`.
    pub instrumentors: Vec<String>,
    /// Functions that instrument the application passed to them.
    pub initialisers: Vec<String>,
}

/// Reads the tracing setup from the calls of a module.
pub(crate) fn read_telemetry_calls(calls: &[PythonCall]) -> TelemetryCalls {
    let first = |name: &str| calls.iter().find(|call| call.name == name).cloned();
    let hooks: Vec<PythonCall> =
        calls.iter().filter(|call| call.name == "instrument_app").cloned().collect();
    let initialisers = hooks.iter().filter_map(find_initialiser_name).collect();
    TelemetryCalls {
        provider: first("set_tracer_provider"),
        exporter: first("OTLPSpanExporter"),
        class_wide: calls
            .iter()
            .find(|call| {
                call.name == "instrument" && PythonFramework::traced_by(&call.callee).is_some()
            })
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

fn find_initialiser_name(hook: &PythonCall) -> Option<String> {
    match &hook.scope {
        CallScope::Function { name, parameters } => {
            let passes_parameter =
                parameters.iter().any(|parameter| passes_argument(hook, parameter));
            passes_parameter.then(|| name.clone())
        }
        _ => None,
    }
}

/// Returns whether a call passes `name`, by position or by keyword.
pub(crate) fn passes_argument(call: &PythonCall, name: &str) -> bool {
    call.arguments.iter().any(|argument| {
        argument == name || argument.split_once('=').is_some_and(|(_, value)| value.trim() == name)
    })
}

/// Returns whether a module imports another with this file stem: `lib.honeycomb` for `honeycomb`.
pub(crate) fn imports_module(imports: &[PythonImport], stem: &str) -> bool {
    imports.iter().any(|import| import.path.split('.').any(|part| part == stem))
}
