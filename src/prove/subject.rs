//! A service to prove, and what its settings show before anything is sent.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::compose::{
    ComposeModel, EnvironmentVariable, ProjectVariables, ServiceEnvironment, ServiceModel,
    VariableOrigin, VariableSource, VariableUse, VariableValue, classify_service,
};
use crate::error::Error;
use crate::instrumentation::{
    ENDPOINT_VARIABLES, EndpointSource, HEADERS_VARIABLES, Instrumentation, ProviderMismatch,
    SdkProblem, SdkProblemKind, SdkSettings, TraceSampler, UNNAMED_SERVICE, compare_with_provider,
    is_in_braces, known_variables, unresolved_name,
};
use crate::lint;
use crate::net::failure::RequestFailure;
use crate::otlp::exporter::NotConfigured;
use crate::otlp::{Check, CheckStatus, Exporter, FailureCode, Rung};
use crate::project::Project;
use crate::provider::is_key_header;
use crate::secret::{Secret, is_secret_name};
use crate::session::context::{HONEYCOMB_KEY, how_to_store};

use super::reach;
use super::tls::MountedPath;

/// A service and the destination of its traces.
#[derive(Debug, Clone)]
pub(super) struct ServiceUnderTest {
    /// The name in the compose file.
    pub(super) service: String,
    /// The `service.name` of its traces.
    pub(super) name: String,
    /// The exporter in its environment, or why it sends nothing.
    pub(super) exporter: Result<Exporter, NotConfigured>,
    /// The rung `configured`.
    pub(super) configured: Check,
    /// The reason why nothing may be sent.
    pub(super) stop: Option<FailureCode>,
    /// The endpoint's address from this machine, if it differs from the container's view; or why it cannot be reached.
    pub(super) at: Result<Option<SocketAddr>, RequestFailure>,
    /// The variables that supply its headers from outside the compose files.
    pub(super) supplied: Vec<String>,
    /// The name and attributes of its traces, and the address, as texts.
    pub(super) texts: Vec<Secret>,
    /// The host paths that its container sees.
    pub(super) mounts: Vec<MountedPath>,
    /// The requests that its sampler records, as far as its files show.
    pub(super) sampler: TraceSampler,
}

/// The environment that a service's container gets, and its origins.
pub(super) struct EffectiveSettings<'a> {
    pub(super) model: &'a ComposeModel,
    pub(super) service: &'a ServiceModel,
    pub(super) settings: ServiceEnvironment,
    /// The settings that its SDK reads from it.
    pub(super) sdk: SdkSettings,
    /// Its instrumentation, if examined.
    pub(super) instrumentation: Option<Instrumentation>,
    variables: &'a ProjectVariables,
    placeholders: &'a BTreeSet<String>,
}

impl<'a> EffectiveSettings<'a> {
    /// Returns the environment of `service` with these variables, of which `placeholders` have no real value.
    pub(super) fn new(
        model: &'a ComposeModel,
        service: &'a ServiceModel,
        variables: &'a ProjectVariables,
        placeholders: &'a BTreeSet<String>,
    ) -> Self {
        let settings = service.effective(variables);
        let sdk = SdkSettings::of_unknown_sdk(&known_variables(&settings));
        Self { model, service, settings, sdk, instrumentation: None, variables, placeholders }
    }

    /// Returns the same environment as read by the SDK that was found.
    pub(super) fn read_by(self, instrumentation: Instrumentation) -> Self {
        let sdk = instrumentation.settings();
        Self { sdk, instrumentation: Some(instrumentation), ..self }
    }

    /// Returns the values of variables.
    pub(super) fn variables(&self) -> &'a ProjectVariables {
        self.variables
    }

    /// Returns the variables that its headers need and that have no value.
    pub(super) fn lacking(&self) -> Vec<String> {
        let uses = self.winner(HEADERS_VARIABLES).into_iter();
        uses.flat_map(|setting| &setting.uses)
            .filter(|variable_use| self.is_lacking(variable_use))
            .map(|variable_use| variable_use.name.clone())
            .collect()
    }

    fn is_lacking(&self, variable_use: &VariableUse) -> bool {
        let value = || self.variables.get(&variable_use.name);
        match variable_use.won_by {
            VariableOrigin::Default => false,
            VariableOrigin::Unset => true,
            _ => value().is_some_and(str::is_empty),
        }
    }

    /// Returns whether it has an OTLP endpoint, or other OTLP variables that need one.
    pub(super) fn is_traced(&self) -> bool {
        self.settings.iter().any(|setting| setting.name.starts_with("OTEL_EXPORTER_OTLP"))
    }

    /// Returns the effective setting of a variable for traces and its general one.
    pub(super) fn winner(&self, names: [&str; 2]) -> Option<&EnvironmentVariable> {
        names.into_iter().find_map(|name| {
            let setting = self.settings.get(name)?;
            let is_empty = setting.value.known().is_some_and(|value| value.trim().is_empty());
            (!is_empty && setting.value != VariableValue::Absent).then_some(setting)
        })
    }

    /// Returns the subject to prove; `refusal` is the reason why docker compose does not load the project.
    pub(super) fn subject(&self, project: &Project, refusal: Option<&Error>) -> ServiceUnderTest {
        let exporter = Exporter::from_settings(&self.sdk);
        let at = exporter.as_ref().map_or(Ok(None), |exporter| {
            reach::find_url_address(self.model, self.service, &exporter.url)
        });
        let found = ServiceUnderTest {
            service: self.service.name.clone(),
            name: self.sdk.service_name.clone().unwrap_or_else(|| UNNAMED_SERVICE.to_owned()),
            configured: Check::new(Rung::Configured, CheckStatus::Pass, self.evidence()),
            supplied: exporter
                .as_ref()
                .map_or_else(|_| Vec::new(), |exporter| self.supplied(exporter)),
            texts: self.texts(),
            stop: None,
            mounts: self.mounts(project),
            sampler: self.sdk.sampler,
            at,
            exporter,
        };
        let subject = found.warned(self.warnings());
        match (&subject.exporter, self.refusal(&subject)) {
            (Err(reason), _) => {
                let (why, hint) = self.missing_endpoint(project);
                let reason = why.unwrap_or_else(|| reason.clone());
                subject.stopped(FailureCode::NotConfigured, &reason, Some(hint))
            }
            (_, Some((code, evidence, hint))) => subject.stopped(code, &evidence, Some(hint)),
            (Ok(_), None) => match refusal {
                Some(refusal) => {
                    let why =
                        format!("docker compose does not load this project: {}", refusal.message);
                    let hint = "`cruddur-ops doctor` shows the line".to_owned();
                    subject.stopped(FailureCode::NotConfigured, &why, Some(hint))
                }
                None => subject,
            },
        }
    }

    /// Returns why there is no endpoint, if its value shows that, and how to get one.
    fn missing_endpoint(&self, project: &Project) -> (Option<String>, String) {
        if let Some(reason) = self.unknown_endpoint() {
            return (Some(reason), "`cruddur-ops doctor` shows the line".to_owned());
        }
        let mut settings =
            ENDPOINT_VARIABLES.into_iter().filter_map(|name| self.settings.get(name));
        let empty = settings.find_map(|setting| {
            let unset = setting.uses.iter().find(|variable_use| self.is_lacking(variable_use))?;
            Some((setting, &unset.name))
        });
        if let Some((setting, name)) = empty {
            let why = format!("{} is empty: {name} is not set", setting.name);
            let hint = format!(
                "give {name} a value, or take {} out ({})",
                setting.name,
                self.source(setting)
            );
            return (Some(why), hint);
        }
        // Services that browsers load are wired only if they are named.
        let hint = if classify_service(self.service, project.sources()).role.has_pages() {
            format!(
                "take its OTEL_ variables out, or `cruddur-ops init --service {}` writes what is missing",
                self.service.name
            )
        } else {
            "`cruddur-ops init` writes what is missing".to_owned()
        };
        (None, hint)
    }

    /// Returns why the endpoint's value is unknown.
    fn unknown_endpoint(&self) -> Option<String> {
        match &self.winner(ENDPOINT_VARIABLES)?.value {
            VariableValue::Unknown(reason) => Some(reason.clone()),
            VariableValue::Known(_) | VariableValue::Absent => None,
        }
    }

    /// Returns why the provider would refuse everything, with a hint: a header with a key is missing or empty, or the
    /// endpoint is invalid.
    fn refusal(&self, subject: &ServiceUnderTest) -> Option<(FailureCode, String, String)> {
        let missing = |evidence, hint| Some((FailureCode::KeyMissing, evidence, hint));
        let exporter = subject.exporter.as_ref().ok()?;
        let header = self.winner(HEADERS_VARIABLES);
        let lacking = header.and_then(|setting| self.lacking_key(setting));
        let hint = how_to_store(lacking.map_or(HONEYCOMB_KEY, |variable_use| &variable_use.name));
        if let Some(EnvironmentVariable { value: VariableValue::Unknown(reason), .. }) = header {
            return missing(reason.clone(), hint);
        }
        if let Some(variable_use) = lacking {
            return missing(self.unset(variable_use), hint);
        }
        let mut keys = exporter.headers.iter().filter(|header| is_key_header(&header.name));
        let is_wrapped = |value: &str| is_in_braces(value) && unresolved_name(value).is_none();
        if let Some(header) = keys.find(|header| is_wrapped(header.value.expose())) {
            let evidence = format!(
                "{} is in braces, which would be sent along: `${{NAME}}` refers to a variable",
                header.name
            );
            return missing(evidence, "`cruddur-ops init` writes what is missing".to_owned());
        }
        let mut found = compare_with_provider(&exporter.url, &exporter.headers).into_iter();
        // A dataset missing for a Classic key is for Honeycomb to report: other providers' keys may look the same.
        let fatal = found.find(|mismatch| {
            mismatch.is_fatal() && *mismatch != ProviderMismatch::DatasetMissing
        })?;
        let dropped =
            || self.problem(SdkProblemKind::HeaderDropped).map(|problem| problem.text.clone());
        match &fatal {
            ProviderMismatch::WebPages { .. } => {
                Some((FailureCode::NotConfigured, fatal.words(), fatal.hint()))
            }
            ProviderMismatch::HeaderEmpty { .. } => missing(fatal.words(), hint),
            ProviderMismatch::HeaderMissing { .. } => {
                let reason = self
                    .misspelt_headers()
                    .or_else(dropped)
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default();
                missing(format!("{}{reason}", fatal.words()), fatal.hint())
            }
            _ => missing(fatal.words(), fatal.hint()),
        }
    }

    fn problem(&self, kind: SdkProblemKind) -> Option<&SdkProblem> {
        self.sdk.problems.iter().find(|problem| problem.kind == kind)
    }

    /// Returns the variable without a value in a header that carries a key. In other headers, it is only left empty.
    fn lacking_key<'s>(&self, setting: &'s EnvironmentVariable) -> Option<&'s VariableUse> {
        let raw = setting.raw.as_deref().unwrap_or_default();
        setting.uses.iter().filter(|variable_use| self.is_lacking(variable_use)).find(
            |variable_use| {
                let entries = raw.split(',').filter(|entry| entry.contains(&variable_use.name));
                let mut names =
                    entries.map(|entry| entry.split('=').next().unwrap_or_default().trim());
                is_secret_name(&variable_use.name)
                    || names.any(|name| name.is_empty() || is_key_header(name))
            },
        )
    }

    /// Says that a variable has no value.
    fn unset(&self, variable_use: &VariableUse) -> String {
        match &variable_use.won_by {
            VariableOrigin::Unset => {
                let reason = self
                    .why_unset(&variable_use.name)
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default();
                format!("{} is not set{reason}, so no key would be sent", variable_use.name)
            }
            origin => {
                format!(
                    "{} is empty in {}, so no key would be sent",
                    variable_use.name,
                    self.origin(origin)
                )
            }
        }
    }

    /// Returns where the variable was probably meant to be set: in a file that is not read for it, or under a
    /// misspelt name.
    fn why_unset(&self, name: &str) -> Option<String> {
        let from_file = self
            .settings
            .get(name)
            .filter(|setting| matches!(setting.source, VariableSource::EnvFile(_)));
        if let Some(setting) = from_file.filter(|setting| setting.value.known().is_some()) {
            let place = self.source(setting);
            return Some(format!(
                "it is in {place}, which `${{…}}` in a compose file does not read"
            ));
        }
        let mut names = self.variables.iter().map(|(name, _)| name);
        let slip = names.find(|slip| lint::find_intended_variable(slip) == Some(name))?;
        Some(format!("{slip} is set, probably a typo"))
    }

    /// Describes the origin of the endpoint and of the headers' values.
    fn evidence(&self) -> String {
        let is_in_code = self.sdk.otlp().is_some_and(|otlp| otlp.source == EndpointSource::Code);
        let endpoint = self.winner(ENDPOINT_VARIABLES).filter(|_| !is_in_code);
        let header = self.winner(HEADERS_VARIABLES);
        let settings = [endpoint, header].into_iter().flatten();
        let from =
            settings.map(|setting| format!("{} from {}", setting.name, self.source(setting)));
        let mut parts: Vec<String> = is_in_code
            .then(|| EndpointSource::Code.describe().to_owned())
            .into_iter()
            .chain(from)
            .collect();
        for used in header.into_iter().flat_map(|setting| &setting.uses) {
            parts.push(if self.placeholders.contains(&used.name) {
                format!("a placeholder for {}", used.name)
            } else {
                format!("{} from {}", used.name, self.origin(&used.won_by))
            });
        }
        parts.join(", ")
    }

    /// Returns the mounts. Relative paths outside the container are relative to the project.
    fn mounts(&self, project: &Project) -> Vec<MountedPath> {
        let mut mounts = vec![MountedPath { source: project.root.clone(), target: PathBuf::new() }];
        mounts.extend(self.service.mounts.iter().map(|mount| MountedPath {
            source: mount.source.clone(),
            target: PathBuf::from(&mount.target),
        }));
        mounts
    }

    /// Returns a setting's place: `docker-compose.yml:12`.
    pub(super) fn source(&self, setting: &EnvironmentVariable) -> String {
        let position = self.model.place(setting.source.span());
        let file = position.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{file}:{}", position.line)
    }

    pub(super) fn origin(&self, origin: &VariableOrigin) -> String {
        match origin {
            VariableOrigin::Shell => "this shell".to_owned(),
            VariableOrigin::Store => "the store".to_owned(),
            VariableOrigin::Default => "its default".to_owned(),
            VariableOrigin::Compose => "docker compose".to_owned(),
            VariableOrigin::Unset => "nowhere".to_owned(),
            VariableOrigin::DotEnv(span) => {
                let position = self.model.place(span);
                let file = position.path.file_name().unwrap_or_default().to_string_lossy();
                file.into_owned()
            }
        }
    }
}

impl ServiceUnderTest {
    /// Returns the subject with its verdict ended; nothing is sent.
    pub(super) fn stopped(
        mut self,
        code: FailureCode,
        evidence: &str,
        hint: Option<String>,
    ) -> Self {
        self.stop = Some(code);
        self.configured = Check::new(Rung::Configured, CheckStatus::Fail, evidence).hint(hint);
        self
    }

    /// Adds warnings about values that an SDK or a container misreads.
    fn warned(mut self, mut warnings: Vec<String>) -> Self {
        if let Ok(exporter) = &self.exporter {
            warnings.extend(exporter.warnings.iter().cloned());
        }
        for warning in warnings {
            self.warn(&warning, None);
        }
        self
    }

    /// Adds a warning to the rung `configured`.
    pub(super) fn warn(&mut self, warning: &str, hint: Option<String>) {
        let check = &mut self.configured;
        check.status = check.status.warned();
        check.evidence = if check.evidence.is_empty() {
            warning.to_owned()
        } else {
            format!("{}; {warning}", check.evidence)
        };
        check.hint = check.hint.take().or(hint);
    }
}
