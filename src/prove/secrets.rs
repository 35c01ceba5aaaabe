//! The secrets in a service's environment that its traces contain.

use super::subject::EffectiveSettings;
use crate::compose::{VariableOrigin, VariableSource, VariableUse};
use crate::instrumentation::{ENDPOINT_VARIABLES, HEADERS_VARIABLES, unresolved_name};
use crate::otlp::Exporter;
use crate::provider;
use crate::secret::{Redactor, Secrecy, Secret, classify_secrecy, is_secret};

impl EffectiveSettings<'_> {
    /// Returns the variables, or else the headers, whose values are sent as headers and are not in a compose file.
    pub(super) fn supplied(&self, exporter: &Exporter) -> Vec<String> {
        let Some(setting) = self.winner(HEADERS_VARIABLES) else {
            return Vec::new();
        };
        let used = setting.uses.iter().filter(|variable_use| {
            self.value_of(variable_use)
                .is_some_and(|value| classify_secrecy(&variable_use.name, value) != Secrecy::Public)
        });
        let mut supplied: Vec<String> =
            used.map(|variable_use| variable_use.name.clone()).collect();
        if supplied.is_empty() && matches!(setting.source, VariableSource::EnvFile(_)) {
            let headers = exporter.headers.iter().filter(|header| {
                classify_secrecy(&header.name, header.value.expose()) != Secrecy::Public
            });
            supplied.extend(headers.map(|header| header.name.clone()));
        }
        supplied
    }

    /// Returns the value of a reference, unless it is in the compose file itself.
    fn value_of(&self, variable_use: &VariableUse) -> Option<&str> {
        match variable_use.won_by {
            VariableOrigin::Default | VariableOrigin::Unset => None,
            _ => self.variables().get(&variable_use.name),
        }
    }

    /// Returns the texts that are sent apart from headers: the name and attributes of its traces, and the address
    /// before it was parsed, as a secret may contain `?` or `/`.
    pub(super) fn texts(&self) -> Vec<Secret> {
        let names = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"];
        let named = names.iter().filter_map(|name| self.settings.get(name));
        let all = named.chain(self.winner(ENDPOINT_VARIABLES));
        all.filter_map(|setting| setting.value.known()).map(Secret::new).collect()
    }

    /// Adds every secret the service would send to the redactor.
    pub(super) fn teach(&self, redactor: &Redactor) {
        let used = self.settings.iter().flat_map(|setting| &setting.uses);
        for variable_use in used {
            if let Some(value) =
                self.value_of(variable_use).filter(|value| is_secret(&variable_use.name, value))
            {
                redactor.learn(&variable_use.name, &Secret::new(value));
            }
        }
        let Ok(exporter) = Exporter::from_settings(&self.sdk) else {
            return;
        };
        for name in self.supplied(&exporter) {
            if let Some(value) = self.variables().get(&name) {
                redactor.learn(&name, &Secret::new(value));
            }
        }
        for header in &exporter.headers {
            let value = header.value.expose();
            if unresolved_name(value).is_some() {
                continue;
            }
            let is_key = provider::is_key_header(&header.name);
            match classify_secrecy(&header.name, value) {
                Secrecy::Public => {}
                Secrecy::Unknown if !is_key => {}
                _ => redactor.learn(&header.name, &header.value),
            }
        }
    }
}
