//! The variables of a process as an SDK reads them, and the problems found.

use std::collections::BTreeMap;

use super::problem::{ProblemEffect, SdkProblem, SdkProblemKind};
use super::{SERVICE_NAME, SdkInput, TraceSampler, UNNAMED_SERVICE};
use crate::compose::ENDPOINT_VARIABLES;

/// A variable of the traces signal, and the general one it overrides.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignalVariable {
    pub(super) traces: &'static str,
    pub(super) general: &'static str,
}

macro_rules! signal_variable {
    ($suffix:literal) => {
        SignalVariable {
            traces: concat!("OTEL_EXPORTER_OTLP_TRACES_", $suffix),
            general: concat!("OTEL_EXPORTER_OTLP_", $suffix),
        }
    };
}

pub(super) const ENDPOINT: SignalVariable =
    SignalVariable { traces: ENDPOINT_VARIABLES[0], general: ENDPOINT_VARIABLES[1] };
pub(super) const HEADERS: SignalVariable = signal_variable!("HEADERS");
pub(super) const PROTOCOL: SignalVariable = signal_variable!("PROTOCOL");
pub(super) const TIMEOUT: SignalVariable = signal_variable!("TIMEOUT");
pub(super) const COMPRESSION: SignalVariable = signal_variable!("COMPRESSION");
pub(super) const CERTIFICATE: SignalVariable = signal_variable!("CERTIFICATE");
pub(super) const CLIENT_CERTIFICATE: SignalVariable = signal_variable!("CLIENT_CERTIFICATE");
pub(super) const CLIENT_KEY: SignalVariable = signal_variable!("CLIENT_KEY");
pub(super) const INSECURE: SignalVariable = signal_variable!("INSECURE");

/// The variables for headers, in order of precedence.
pub const HEADERS_VARIABLES: [&str; 2] = [HEADERS.traces, HEADERS.general];

/// The variables that set the protocol, in order of precedence.
pub const PROTOCOL_VARIABLES: [&str; 2] = [PROTOCOL.traces, PROTOCOL.general];

pub(super) const SWITCH: &str = "OTEL_SDK_DISABLED";
pub(super) const TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
pub(super) const NAME: &str = "OTEL_SERVICE_NAME";
pub(super) const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
pub(super) const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
pub(super) const SAMPLER_RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
pub(super) const PROPAGATORS: &str = "OTEL_PROPAGATORS";

/// The values that count as unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnsetRule {
    /// Empty values.
    Empty,
    /// Values that are empty or only white space.
    Blank,
}

/// The variables of a process as an SDK reads them, and the problems found.
pub(super) struct SdkReading<'a> {
    pub(super) input: &'a SdkInput<'a>,
    pub(super) problems: Vec<SdkProblem>,
}

impl<'a> SdkReading<'a> {
    pub(super) fn new(input: &'a SdkInput<'a>) -> Self {
        Self { input, problems: Vec::new() }
    }

    /// Returns a variable as it is set.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.input.environment.get(name).map(|value| value.expose())
    }

    /// Returns a variable unless its value counts as unset.
    pub(super) fn set(&self, name: &str, unset: UnsetRule) -> Option<&'a str> {
        self.get(name).filter(|value| match unset {
            UnsetRule::Empty => !value.is_empty(),
            UnsetRule::Blank => !value.trim().is_empty(),
        })
    }

    /// Returns the variable for traces, or the general one if it is unset.
    pub(super) fn first(
        &self,
        variable: SignalVariable,
        unset: UnsetRule,
    ) -> Option<(&'static str, &'a str)> {
        let mut names = [variable.traces, variable.general].into_iter();
        names.find_map(|name| Some((name, self.set(name, unset)?)))
    }

    /// Returns true if a gRPC connection is unencrypted when its address has no scheme.
    pub(super) fn is_insecure(&self) -> bool {
        let value = self.first(INSECURE, UnsetRule::Blank);
        value.is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Returns true if one of these packages is installed, or the packages are unknown.
    pub(super) fn may_have(&self, names: &[&str]) -> bool {
        self.input.packages.is_none_or(|packages| names.iter().any(|name| packages.contains(*name)))
    }

    pub(super) fn different(&mut self, kind: SdkProblemKind, variable: &'static str, text: String) {
        self.problem(kind, ProblemEffect::Different, variable, text);
    }

    pub(super) fn nothing_sent(
        &mut self,
        kind: SdkProblemKind,
        variable: &'static str,
        text: String,
    ) {
        self.problem(kind, ProblemEffect::NothingSent, variable, text);
    }

    pub(super) fn nothing_starts(
        &mut self,
        kind: SdkProblemKind,
        variable: &'static str,
        text: String,
    ) {
        self.problem(kind, ProblemEffect::NothingStarts, variable, text);
    }

    fn problem(
        &mut self,
        kind: SdkProblemKind,
        effect: ProblemEffect,
        variable: &'static str,
        text: String,
    ) {
        self.problems.push(SdkProblem { kind, effect, variable, text });
    }

    /// Reports that the SDK is disabled.
    pub(super) fn note_disabled(&mut self) {
        let text = format!("{SWITCH} is true: the SDK sends nothing");
        self.nothing_sent(SdkProblemKind::Disabled, SWITCH, text);
    }

    /// Reports a service without a name, or with quotes around it.
    pub(super) fn check_name(&mut self, resource: &BTreeMap<String, String>, name: Option<&str>) {
        let variable = match self.set(NAME, UnsetRule::Empty) {
            Some(_) => NAME,
            None if name.is_some() => RESOURCE,
            None => NAME,
        };
        match name {
            Some(name) if !name.trim().is_empty() => {
                let is_quoted = ['"', '\''].iter().any(|quote| {
                    name.len() > 1 && name.starts_with(*quote) && name.ends_with(*quote)
                });
                if is_quoted {
                    let text = format!("{variable} is `{name}`: the quotes are part of the name");
                    self.different(SdkProblemKind::Quoted, variable, text);
                }
            }
            _ => {
                let similar = resource
                    .keys()
                    .find(|key| *key != SERVICE_NAME && key.eq_ignore_ascii_case(SERVICE_NAME));
                let text = match similar {
                    Some(key) => format!(
                        "`{key}` is not `{SERVICE_NAME}`: the traces are named {UNNAMED_SERVICE}"
                    ),
                    None => format!("no {NAME}: the traces are named {UNNAMED_SERVICE}"),
                };
                self.different(SdkProblemKind::NameMissing, variable, text);
            }
        }
    }

    /// Reports a sampler that drops traces.
    pub(super) fn check_sampler(&mut self, sampler: &TraceSampler) {
        let value = self.get(SAMPLER).unwrap_or_default();
        if sampler.ratio >= 1.0 {
            return;
        }
        // If the ratio is the reason, report the ratio.
        let ratio = self.get(SAMPLER_RATIO).filter(|_| value.ends_with("traceidratio"));
        let (culprit, value) = match ratio {
            Some(ratio) if sampler.ratio <= 0.0 => (SAMPLER_RATIO, ratio),
            _ => (SAMPLER, value),
        };
        let percent = sampler.percent();
        match (sampler.ratio > 0.0, sampler.parent_based) {
            (true, _) => {
                let text = format!("{SAMPLER} is {value}: {percent} of the traces are recorded");
                self.different(SdkProblemKind::SampledInPart, SAMPLER, text);
            }
            (false, false) => {
                let text = format!("{culprit} is {value}: no span is recorded");
                self.nothing_sent(SdkProblemKind::NothingSampled, culprit, text);
            }
            (false, true) => {
                let text = format!(
                    "{culprit} is {value}: only requests that bring a sampled `traceparent` are recorded"
                );
                self.different(SdkProblemKind::NothingSampled, culprit, text);
            }
        }
    }

    /// Reports propagators that do not include the W3C one.
    pub(super) fn check_propagators(&mut self, propagators: &[String]) {
        if !propagators.iter().any(|name| name == "tracecontext") {
            let value = self.get(PROPAGATORS).unwrap_or_default();
            let text = format!(
                "{PROPAGATORS} is {value}, without tracecontext: `traceparent` is not read, so its spans are in traces of their own"
            );
            self.different(SdkProblemKind::NoTraceContext, PROPAGATORS, text);
        }
    }
}
