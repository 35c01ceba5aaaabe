//! `init`: drops the agents that a plan fails with.

use std::collections::BTreeMap;

use crate::cli::{InitArgs, InstrumentMode};
use crate::commands::init::InitAnswers;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::agents::PlannedAgent;
use crate::plan::{Note, Plan};
use crate::provider::Variable;

/// The number of agents up to which the failing ones are searched for; of more, all are dropped.
const MAX_SEARCHED_AGENTS: usize = 64;

/// Takes back the agents that no flag asks for and that the plan fails with: each is tried with `plan`, so that the
/// others stay. `error` is what the plan with all of them failed with.
///
/// # Errors
/// `error` if no agent can be dropped.
pub(in crate::commands::init) fn withdraw(
    args: &InitArgs,
    answers: &mut InitAnswers,
    error: Error,
    plan: impl Fn(&InitAnswers) -> Result<Plan>,
) -> Result<()> {
    let is_asked = !args.agent_image.is_empty()
        || args.instrument.iter().any(|choice| choice.mode == InstrumentMode::Agent);
    if is_asked || answers.agents.planned.is_empty() || error.code != ErrorCode::UnsafeEdit {
        return Err(error);
    }
    let all = std::mem::take(&mut answers.agents.planned);
    let variables = std::mem::take(&mut answers.agents.variables);
    let mut trial = AgentTrial { answers, variables: &variables, plan, refused: Vec::new() };
    if all.len() <= MAX_SEARCHED_AGENTS {
        trial.split(&all, error)
    } else {
        trial.refused.push((all.clone(), error))
    }
    let refused = trial.refused;
    for (agents, error) in refused {
        let names: Vec<&str> = agents.iter().map(|planned| planned.service.as_str()).collect();
        let text = format!("{}: no agent is added: {}", names.join(", "), error.message);
        let hint = "`cruddur-ops init --instrument agent` shows where";
        let note = Note::warning(text).hint(hint);
        for name in names {
            answers.agents.withdraw(name);
            if let Some(read) = answers.agents.replaced.remove(name) {
                answers.instrumentation.insert(name.to_owned(), read);
            }
        }
        answers.notes.push(note);
    }
    Ok(())
}

/// A search for the agents that a plan fails with.
struct AgentTrial<'a, P> {
    answers: &'a mut InitAnswers,
    /// The variables of every agent, by service.
    variables: &'a BTreeMap<String, Vec<Variable>>,
    plan: P,
    /// The agents that the plan fails with, and why.
    refused: Vec<(Vec<PlannedAgent>, Error)>,
}

impl<P: Fn(&InitAnswers) -> Result<Plan>> AgentTrial<'_, P> {
    /// Keeps the agents of `some` that the plan works with, in addition to those already kept; refuses the others.
    /// `error` is what the plan with all of `some` fails with.
    fn split(&mut self, some: &[PlannedAgent], error: Error) {
        if let [_] = some {
            self.refused.push((some.to_vec(), error));
            return;
        }
        let (first, second) = some.split_at(some.len() / 2);
        for half in [first, second] {
            if let Err(error) = self.keep(half) {
                self.split(half, error);
            }
        }
    }

    /// Keeps agents if the plan works with them.
    fn keep(&mut self, some: &[PlannedAgent]) -> Result<()> {
        let agents = &mut self.answers.agents;
        let kept_count = agents.planned.len();
        agents.planned.extend_from_slice(some);
        let own_variables =
            some.iter().filter_map(|planned| self.variables.get_key_value(&planned.service));
        agents
            .variables
            .extend(own_variables.map(|(name, variables)| (name.clone(), variables.clone())));
        let result = (self.plan)(self.answers).map(|_| ());
        if result.is_err() {
            let agents = &mut self.answers.agents;
            agents.planned.truncate(kept_count);
            some.iter().for_each(|planned| drop(agents.variables.remove(&planned.service)));
        }
        result
    }
}
