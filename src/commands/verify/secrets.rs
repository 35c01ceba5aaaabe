//! What of a service's environment is secret, and goes along with its traces.

use super::subject::Effective;
use crate::compose::{Setting, Source};
use crate::otlp::exporter::{ENDPOINT_VARIABLES, Exporter, HEADERS_VARIABLES};
use crate::provider;
use crate::secret::{Redactor, Secret};

impl Effective<'_> {
    /// A header, an address or a name whose value does not stand in the compose file as it is.
    pub(super) fn carries_secret(&self) -> bool {
        let foreign = |setting: &Setting| {
            let in_env_file = matches!(setting.source, Source::EnvFile(_));
            in_env_file || !setting.uses.is_empty() || setting.raw.is_none()
        };
        let names = provider::secret_variables();
        let leaks = |setting: &Setting| {
            let mut uses = setting.uses.iter();
            uses.any(|one| names.contains(&one.name.as_str()))
        };
        self.winner(HEADERS_VARIABLES).is_some_and(foreign)
            || self.winner(ENDPOINT_VARIABLES).is_some_and(leaks)
            || ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"]
                .iter()
                .filter_map(|name| self.settings.get(name))
                .any(leaks)
    }

    /// The variables that go along.
    pub(super) fn secrets(&self) -> Vec<String> {
        let said = [self.winner(HEADERS_VARIABLES), self.winner(ENDPOINT_VARIABLES)];
        let uses = said.into_iter().flatten().flat_map(|setting| &setting.uses);
        uses.map(|one| one.name.clone()).collect()
    }

    /// Tells the redactor of every secret the service would send.
    pub(super) fn teach(&self, redactor: &Redactor) {
        const MARKS: [&str; 5] = ["key", "token", "auth", "secret", "x-honeycomb-team"];
        let known = provider::secret_variables();
        let is_secret = |name: &str| {
            let lower = name.to_ascii_lowercase();
            known.contains(&name) || MARKS.iter().any(|mark| lower.contains(mark))
        };
        let used = self.settings.iter().flat_map(|setting| &setting.uses);
        for name in used.map(|one| one.name.as_str()) {
            if let Some(value) = self.variables().get(name).filter(|_| is_secret(name)) {
                redactor.learn(name, &Secret::new(value));
            }
        }
        let Ok(exporter) = Exporter::from_environment(&self.known()) else {
            return;
        };
        for header in &exporter.headers {
            if is_secret(&header.name) {
                redactor.learn(&header.name, &header.value);
            }
        }
    }
}
