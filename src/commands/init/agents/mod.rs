//! `init`: chooses the services that are started with an OpenTelemetry agent, and the note on each service.

mod judge;
mod starts;
mod withdrawal;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::InitAnswers;
use crate::cli::{InitArgs, InstrumentMode};
use crate::error::Result;
use crate::instrumentation::{Instrumentation, SdkSetup, SpanSource, agent_packages};
use crate::plan::agents::{AgentImages, PlannedAgent};
use crate::plan::{Note, diff};
use crate::provider::Variable;
use crate::session::context::{ProjectContext, unknown_service};

use judge::{CodelessService, InstrumentVerdict};
use starts::find_partial_starts;
pub(super) use withdrawal::withdraw;

/// The agents and instrumentation of the project's services.
#[derive(Debug, Clone, Default)]
pub(super) struct AgentAnswers {
    /// The services that are started with an agent.
    pub(super) planned: Vec<PlannedAgent>,
    /// The variables that each agent needs, by service.
    pub(super) variables: BTreeMap<String, Vec<Variable>>,
    /// The images that agents are copied from, by the agent's name.
    pub(super) images: AgentImages,
    /// The way each selected service comes to send spans.
    pub(super) how: BTreeMap<String, InstrumentationMethod>,
    /// The note on each service, by its name.
    pub(super) notes: Vec<(String, Note)>,
    /// The current source of spans of each service with a planned agent.
    replaced: BTreeMap<String, Instrumentation>,
}

impl AgentAnswers {
    /// Corrects the answers about a service whose agent is not added.
    fn withdraw(&mut self, service: &str) {
        self.how.insert(service.to_owned(), InstrumentationMethod::Nothing);
        self.notes.retain(|(name, _)| name != service);
    }
}

/// The way a service comes to send spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InstrumentationMethod {
    /// By its existing SDK or tracer.
    Sdk,
    /// By added code.
    Code,
    /// By an agent.
    Agent,
    /// It sends none, as far as its files show.
    Nothing,
}

impl InstrumentationMethod {
    /// Returns the name in JSON: `sdk`, `code`, `agent`, `none`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::Code => "code",
            Self::Agent => "agent",
            Self::Nothing => "none",
        }
    }
}

/// Returns how to instrument a service, by the flags.
fn mode_of(args: &InitArgs, service: &str) -> InstrumentMode {
    if args.no_instrument {
        return InstrumentMode::None;
    }
    let choices = args
        .instrument
        .iter()
        .rev()
        .filter(|choice| choice.service.as_deref().is_none_or(|name| name == service));
    // A choice for one service overrides the choice for all.
    let found = choices.max_by_key(|choice| choice.service.is_some());
    found.map(|choice| choice.mode).unwrap_or_default()
}

/// Returns whether the flags allow tracing code to be added to a service.
pub(super) fn may_add_code(args: &InitArgs, service: &str) -> bool {
    matches!(mode_of(args, service), InstrumentMode::Auto | InstrumentMode::Code)
}

/// Chooses an agent for each selected service that needs one, and adds a one-line note on how each service comes to
/// send spans. `coded` names the services whose code is changed.
///
/// # Errors
/// `unknown-service` when a flag names a service that does not exist; when the compose project cannot be read.
pub(super) fn choose(
    args: &InitArgs,
    context: &ProjectContext,
    answers: &mut InitAnswers,
    coded: &BTreeSet<String>,
) -> Result<()> {
    let model = context.project.model()?;
    for name in args.instrument.iter().filter_map(|choice| choice.service.as_deref()) {
        if model.service(name).is_none() {
            return Err(unknown_service(name, model));
        }
    }
    let mut agents =
        AgentAnswers { images: args.agent_image.iter().cloned().collect(), ..Default::default() };
    for name in answers.names() {
        let (Some(service), Some(read)) =
            (model.service(&name), answers.instrumentation.get(&name))
        else {
            continue;
        };
        let verdict = if coded.contains(&name) {
            InstrumentVerdict::coded(&name, read)
        } else {
            CodelessService::new(args, context, service, read)?.judge()
        };
        let notes = verdict.notes.into_iter();
        agents.notes.extend(notes.map(|note| (name.clone(), note)));
        agents.how.insert(name.clone(), verdict.how);
        let Some((planned, variables)) = verdict.planned else { continue };
        if let Some(read) = answers.instrumentation.get_mut(&name) {
            agents.replaced.insert(name.clone(), read.clone());
            read.source = SpanSource::Agent;
            read.setup = SdkSetup::Variables;
            read.packages = read.language.and_then(agent_packages);
        }
        agents.planned.push(planned);
        agents.variables.insert(name, variables);
    }
    if !agents.planned.is_empty() {
        let shown = |path: &Path| diff::relative_path(path, context.root()).display().to_string();
        answers.notes.extend(find_partial_starts(&context.project.task_files(), shown));
    }
    answers.agents = agents;
    Ok(())
}

/// The most services with the same note that still get a line each.
const MAX_SEPARATE_NOTES: usize = 8;

/// Returns the notes in the services' order, merging identical ones when there are many.
pub(super) fn group_notes(notes: &[(String, Note)]) -> Vec<Note> {
    let statement =
        |named| find_statement(named).map(|statement| (statement, named.1.hint.as_deref()));
    let mut groups: HashMap<(&str, Option<&str>), Vec<&str>> = HashMap::new();
    for named in notes {
        if let Some(key) = statement(named) {
            groups.entry(key).or_default().push(&named.0);
        }
    }
    let shown = notes.iter().filter_map(|named| {
        let (name, note) = named;
        let group = statement(named).and_then(|key| groups.get(&key));
        match group.map(Vec::as_slice) {
            Some([one, two, three, rest @ ..]) if rest.len() + 3 > MAX_SEPARATE_NOTES => {
                let statement = find_statement(named).unwrap_or_default();
                let more = rest.len();
                let text = format!("each of {one}, {two}, {three} and {more} more: {statement}");
                (name == one).then(|| Note { text, ..note.clone() })
            }
            _ => Some(note.clone()),
        }
    });
    shown.collect()
}

/// Returns what a note says of its service.
fn find_statement((name, note): &(String, Note)) -> Option<&str> {
    note.text.strip_prefix(name.as_str())?.strip_prefix(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_shared_by_many_services_is_printed_once() {
        let notes = |count: usize| -> Vec<(String, Note)> {
            let of = |at: usize| (format!("s{at}"), Note::fact(format!("s{at}: sends nothing")));
            let other_note = ("api".to_owned(), Note::fact("api: sends spans"));
            (0..count).map(of).chain([other_note]).collect()
        };
        for (count, lines) in [
            (0, 1),
            (1, 2),
            (MAX_SEPARATE_NOTES, MAX_SEPARATE_NOTES + 1),
            (MAX_SEPARATE_NOTES + 1, 2),
        ] {
            assert_eq!(group_notes(&notes(count)).len(), lines, "{count}");
        }
        let many = group_notes(&notes(1_000));
        assert_eq!(many[0].text, "each of s0, s1, s2 and 997 more: sends nothing");
        assert_eq!(many[1].text, "api: sends spans");
    }
}
