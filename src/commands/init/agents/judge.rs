//! `init`: decides how a service whose code stays unchanged comes to send spans.

use super::{InstrumentationMethod, mode_of};
use crate::cli::{InitArgs, InstrumentMode, SentSignal};
use crate::compose::{
    Classification, ComposeModel, ServiceModel, ServiceRole, ShellCommand, Startup,
    classify_service,
};
use crate::error::Result;
use crate::instrumentation::{CodeEndpoint, Instrumentation, SpanSource};
use crate::plan::Note;
use crate::plan::agents::{
    AgentEvidence, AgentTemplate, LanguageTemplate, OtherSignals, PlannedAgent, find_library,
    find_objection, find_planned, find_template, list_variables,
};
use crate::provider::Variable;
use crate::session::context::ProjectContext;

/// The way one service is instrumented, with its notes and its agent.
pub(super) struct InstrumentVerdict {
    pub(super) how: InstrumentationMethod,
    pub(super) notes: Vec<Note>,
    pub(super) planned: Option<(PlannedAgent, Vec<Variable>)>,
}

impl InstrumentVerdict {
    fn plain(how: InstrumentationMethod, note: Note) -> Self {
        Self { how, notes: vec![note], planned: None }
    }

    /// Returns the verdict on a service whose code is changed.
    pub(super) fn coded(name: &str, read: &Instrumentation) -> Self {
        let (how, source) = match read.source {
            SpanSource::Code => (InstrumentationMethod::Sdk, "its own SDK and added code"),
            _ => (InstrumentationMethod::Code, "added code"),
        };
        Self::plain(how, Note::fact(format!("{name}: sends spans with {source}")))
    }
}

/// A selected service whose code stays unchanged.
pub(super) struct CodelessService<'a> {
    args: &'a InitArgs,
    context: &'a ProjectContext<'a>,
    model: &'a ComposeModel,
    service: &'a ServiceModel,
    read: &'a Instrumentation,
    mode: InstrumentMode,
    /// Whether a flag names the agent.
    is_named: bool,
    template: Option<&'static LanguageTemplate>,
    /// The agent that an earlier run added.
    existing: Option<PlannedAgent>,
}

impl<'a> CodelessService<'a> {
    pub(super) fn new(
        args: &'a InitArgs,
        context: &'a ProjectContext<'a>,
        service: &'a ServiceModel,
        read: &'a Instrumentation,
    ) -> Result<Self> {
        let model = context.project.model()?;
        let mode = mode_of(args, &service.name);
        let is_named = mode == InstrumentMode::Agent
            && args.instrument.iter().any(|choice| choice.service.as_ref() == Some(&service.name));
        let template = read.language.and_then(find_template);
        let existing = find_planned(model, service);
        Ok(Self { args, context, model, service, read, mode, is_named, template, existing })
    }

    pub(super) fn judge(&self) -> InstrumentVerdict {
        if let Some(verdict) = self.judge_existing() {
            return verdict;
        }
        let agent = match &self.existing {
            Some(existing) => Some(existing.agent),
            None => self.template.and_then(|template| template.agent.as_ref()),
        };
        let is_wanted = match self.mode {
            InstrumentMode::Agent => true,
            InstrumentMode::Auto => {
                self.existing.is_some() || self.read.source == SpanSource::Nothing
            }
            InstrumentMode::Code | InstrumentMode::None => self.existing.is_some(),
        };
        match agent.filter(|_| is_wanted) {
            Some(agent) => self.judge_agent(agent),
            None => {
                let why = match (self.template, self.mode == InstrumentMode::Agent) {
                    (None, true) => Some("the language of its program is not known".to_owned()),
                    (Some(language), true) => {
                        Some(format!("OpenTelemetry has no agent for {}", language.title))
                    }
                    _ => None,
                };
                InstrumentVerdict::plain(InstrumentationMethod::Nothing, self.untraced_note(why))
            }
        }
    }

    fn classify(&self) -> Classification {
        classify_service(self.service, self.context.project.sources())
    }

    /// Returns the verdict on a service that already has an SDK, a tracer or another agent.
    fn judge_existing(&self) -> Option<InstrumentVerdict> {
        let name = &self.service.name;
        let (how, note) = match &self.read.source {
            SpanSource::Code if self.is_named => {
                let text = format!("{name}: gets no agent, because it has its own SDK");
                (InstrumentationMethod::Sdk, Note::warning(text))
            }
            SpanSource::Code => (InstrumentationMethod::Sdk, self.describe_own_sdk()),
            SpanSource::Vendor(vendor) => {
                let text = format!(
                    "{name}: its tracer is {vendor}'s, which reads none of these variables"
                );
                (InstrumentationMethod::Sdk, Note::warning(text))
            }
            SpanSource::Agent if self.existing.is_none() => {
                let text = format!("{name}: is started with an OpenTelemetry agent");
                (InstrumentationMethod::Agent, Note::fact(text))
            }
            SpanSource::Nothing | SpanSource::Unknown
                if self.read.has_page_sdk() && self.classify().role == ServiceRole::Frontend =>
            {
                let text = format!(
                    "{name}: its pages send spans from browsers with their own SDK, which reads none of these variables"
                );
                (InstrumentationMethod::Sdk, Note::fact(text))
            }
            SpanSource::Agent | SpanSource::Nothing | SpanSource::Unknown => return None,
        };
        Some(InstrumentVerdict::plain(how, note))
    }

    /// Returns a note on the SDK in a service's code, with the address there that no variable changes.
    fn describe_own_sdk(&self) -> Note {
        let name = &self.service.name;
        let exporter = self.read.code.exporter.as_ref();
        match exporter.map(|exporter| &exporter.endpoint) {
            Some(CodeEndpoint::Literal(address)) => Note::warning(format!(
                "{name}: its code sends to {address}, which OTEL_EXPORTER_OTLP_ENDPOINT does not change"
            ))
            .hint("remove the address from the exporter in the code"),
            _ => Note::fact(format!("{name}: sends spans with its own SDK")),
        }
    }

    fn judge_agent(&self, agent: &'static AgentTemplate) -> InstrumentVerdict {
        let name = &self.service.name;
        let sources = self.context.project.sources();
        let settings = self.service.intended(self.model.plain());
        let startup = self.service.startup(sources, Some(self.model.plain()));
        let evidence = AgentEvidence {
            startup: &startup,
            instrumentation: self.read,
            settings: &settings,
            sources,
        };
        let mut notes = Vec::new();
        let objection = match self.existing {
            Some(_) => None,
            None => self.object(agent, &startup).or_else(|| find_objection(agent, &evidence)),
        };
        if let Some(objection) = objection {
            if !self.is_named {
                return self.refuse(objection);
            }
            notes.push(Note::warning(format!("{name}: gets an agent, although {objection}")));
        }
        let planned = self.planned(agent, &startup);
        let signals = OtherSignals {
            metrics: self.args.signals.contains(&SentSignal::Metrics),
            logs: self.args.signals.contains(&SentSignal::Logs),
        };
        let variables = match list_variables(agent, planned.library, signals, &evidence) {
            Ok(variables) => variables,
            Err(objection) => return self.refuse(objection),
        };
        let text = format!("{name}: sends spans with OpenTelemetry's agent for {}", agent.title());
        notes.insert(0, Note::fact(text));
        InstrumentVerdict {
            how: InstrumentationMethod::Agent,
            notes,
            planned: Some((planned, variables)),
        }
    }

    fn planned(&self, agent: &'static AgentTemplate, startup: &Startup) -> PlannedAgent {
        self.existing.clone().unwrap_or_else(|| PlannedAgent {
            service: self.service.name.clone(),
            agent,
            library: find_library(startup),
        })
    }

    /// Returns the agent's or the service's general objection, independent of the service's files.
    fn object(&self, agent: &AgentTemplate, startup: &Startup) -> Option<String> {
        let is_auto = self.mode == InstrumentMode::Auto;
        let packages = self.read.packages.as_ref();
        if is_auto && !agent.tested {
            return Some(format!("OpenTelemetry's agent for {} is untested", agent.title()));
        }
        if self.read.source == SpanSource::Unknown {
            return Some("it may have its own SDK".to_owned());
        }
        let has = |name: &str| packages.is_some_and(|packages| packages.contains(name));
        if is_auto && has("flask") && !(has("fastapi") && starts_asgi_server(startup)) {
            return Some("Flask is traced by code".to_owned());
        }
        let Classification { role, evidence, .. } = self.classify();
        match role {
            ServiceRole::Frontend => Some("its pages run in browsers".to_owned()),
            ServiceRole::Task if is_auto => Some(evidence),
            _ => None,
        }
    }

    fn refuse(&self, objection: String) -> InstrumentVerdict {
        let note = self.untraced_note(Some(objection));
        let name = &self.service.name;
        let command = format!("`--instrument {name}=agent` adds it anyway");
        let hint = match &note.hint {
            Some(hint) => format!("{command}; by hand: {hint}"),
            None => command,
        };
        InstrumentVerdict::plain(InstrumentationMethod::Nothing, note.hint(hint))
    }

    /// Returns a note that nothing in the service sends spans, why no agent is added, and what to write in its
    /// language.
    fn untraced_note(&self, why: Option<String>) -> Note {
        let name = &self.service.name;
        let why = why.map(|why| format!("; no agent is added: {why}")).unwrap_or_default();
        if self.read.source == SpanSource::Unknown {
            return Note::fact(format!(
                "{name}: its files do not show what sends spans; without an OpenTelemetry SDK nothing does{why}"
            ));
        }
        let note = Note::warning(format!("{name}: nothing in it sends spans{why}"));
        note.hint(match self.template {
            Some(template) => template.by_hand.as_str(),
            None => "add an OpenTelemetry SDK to its code",
        })
    }
}

/// Returns whether a command starts a server that FastAPI needs and Flask cannot use.
fn starts_asgi_server(startup: &Startup) -> bool {
    const SERVERS: [&str; 4] = ["uvicorn", "hypercorn", "fastapi", "granian"];
    let mut programs = startup.commands.iter().filter_map(ShellCommand::program);
    programs.any(|program| SERVERS.contains(&program))
}
