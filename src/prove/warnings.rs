//! Warnings on the rung `configured`: no sender, a missing name, misleading addresses and values.

use url::Url;

use super::subject::EffectiveSettings;
use crate::compose::{
    AddressTarget, VariableOrigin, find_target, has_pasted_dollar, lacks_machine_name,
};
use crate::instrumentation::{
    ENDPOINT_VARIABLES, HEADERS_VARIABLES, SdkProblemKind, SpanSource, UNNAMED_SERVICE,
};

impl EffectiveSettings<'_> {
    /// Warns that nothing sends spans with these variables.
    fn senderless(&self) -> Option<String> {
        match &self.instrumentation.as_ref()?.source {
            SpanSource::Nothing => Some(
                "nothing in it sends spans: neither an OpenTelemetry SDK nor an agent was found"
                    .to_owned(),
            ),
            SpanSource::Vendor(vendor) => {
                Some(format!("its tracer is {vendor}'s, which reads none of these variables"))
            }
            SpanSource::Code | SpanSource::Agent | SpanSource::Unknown => None,
        }
    }

    /// Returns warnings about values that an SDK or a container misreads, in addition to the exporter's own.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.senderless().into_iter().collect();
        let empty =
            self.sdk.problems.iter().filter(|problem| problem.kind == SdkProblemKind::HeaderEmpty);
        warnings.extend(empty.map(|problem| problem.text.clone()));
        let name = self.sdk.service_name.as_ref();
        if let Some(name) = name.filter(|name| name.starts_with(UNNAMED_SERVICE)) {
            warnings.push(format!("the traces are named {name}"));
        }
        if self.winner(HEADERS_VARIABLES).is_none() {
            warnings.extend(self.misspelt_headers());
        }
        warnings.extend(self.expanded());
        let endpoint = self.winner(ENDPOINT_VARIABLES).and_then(|setting| setting.value.known());
        if let Some(endpoint) = endpoint {
            warnings.extend(self.misleading(endpoint));
        }
        warnings
    }

    /// Warns about a variable that was meant to carry headers and that no SDK reads.
    pub(super) fn misspelt_headers(&self) -> Option<String> {
        let mut names = self.settings.iter().map(|setting| &setting.name);
        let typo = names.find(|name| {
            name.starts_with("OTEL_EXPORTER_OTLP_HEADER") && name.as_str() != HEADERS_VARIABLES[1]
        })?;
        Some(format!("{typo} is set, but the variable is {}", HEADERS_VARIABLES[1]))
    }

    /// Warns about `.env` variables in headers whose values docker compose changes.
    fn expanded(&self) -> Vec<String> {
        let header = self.winner(HEADERS_VARIABLES).into_iter();
        let uses = header.flat_map(|setting| &setting.uses);
        let expanded = uses.filter_map(|variable_use| {
            let VariableOrigin::DotEnv(span) = &variable_use.won_by else { return None };
            let rest = self.model.file(span).text.get(span.range.end..)?;
            let (_, written) = rest.lines().next()?.split_once(['=', ':'])?;
            let is_quoted = written.trim_start().starts_with('\'');
            (!is_quoted && has_pasted_dollar(written)).then(|| {
                let origin = self.origin(&variable_use.won_by);
                format!("docker compose expands the `$` in the value of {} in {origin}: single quotes prevent it", variable_use.name)
            })
        });
        expanded.collect()
    }

    /// Warns about an address that a container interprets differently from this machine.
    fn misleading(&self, endpoint: &str) -> Option<String> {
        let url = Url::parse(endpoint).ok()?;
        let (host, port) = (url.host_str()?, url.port_or_known_default().unwrap_or(80));
        let target = find_target(self.model, self.service, (host, port), "tcp");
        if target == AddressTarget::Own {
            let text = "in a container this address is the container itself, not this machine";
            return Some(text.to_owned());
        }
        lacks_machine_name(self.model, self.service, host).then(|| {
            format!(
                "{host} is known to containers only on Docker Desktop: `extra_hosts: [\"{host}:host-gateway\"]` works everywhere"
            )
        })
    }
}
