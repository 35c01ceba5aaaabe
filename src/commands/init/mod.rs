//! `init`: wires a telemetry provider into a project, stores its key, and verifies.

mod addons;
mod agents;
mod ask;
mod code;
mod collector;
mod destination;
mod key;
mod next;
mod restart;
mod services;
mod spans;
mod trial;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Outcome;
use super::flow::{self, Decision};
use super::remove;
use crate::cli::InitArgs;
use crate::compose::{Model, Span};
use crate::error::{Place, Result};
use crate::lint;
use crate::plan::project_proof::Unproven;
use crate::plan::telemetry::TelemetryRequest;
use crate::plan::{self, Change, Plan, telemetry};
use crate::prove::{self, ProofRequest, Stage};
use crate::session::collector::configuration;
use crate::session::context::ProjectContext;
use crate::session::{ports, tasks};
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

use ask::Answers;
use code::{Agreed, CodePlan};
use restart::Restarted;

/// Runs `init`.
///
/// # Errors
/// Whatever keeps the project from being wired: a missing answer, a refused edit, a failing store.
pub(super) fn run(args: &InitArgs, place: &ProjectContext, ui: &mut Ui) -> Result<Outcome> {
    let wired = wire(args, place, ui)?;
    flow::show_next(&wired.next, ui);
    ui.document(&wired.document)?;
    Ok(wired.outcome)
}

/// The result for a project, and the same as JSON.
#[derive(Debug)]
pub(super) struct Wired {
    pub(super) outcome: Outcome,
    pub(super) document: Value,
    /// The next commands to run.
    pub(super) next: Vec<String>,
}

/// Asks, plans, shows, writes and verifies, without printing a document.
///
/// # Errors
/// As [`run`].
pub(super) fn wire(args: &InitArgs, place: &ProjectContext, ui: &mut Ui) -> Result<Wired> {
    let journal = place.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, place, &args.write, ui)?;
    let place = fresh.as_ref().unwrap_or(place);
    let mut answers = ask::ask(args, place, ui)?;
    let freed = remove::offer(&answers.dropped, place, &journal, &args.write, ui)?;
    let place = freed.as_ref().unwrap_or(place);
    let CodePlan { plan: code, planned: coded } = code::plan(args, place, &answers);
    agents::choose(args, place, &mut answers, &coded)?;
    let around = ports::PortsWorkspace::of(place);
    around.look(answers.ports.as_ref());
    let planned = plan(args, place, &answers, &around, ui);
    let (mut plan, shown) = match planned {
        // An agent that no flag asked for must not block the rest.
        Err(error) => {
            agents::withdraw(args, &mut answers, error, |answers| proven(place, answers))?;
            plan(args, place, &answers, &around, ui)?
        }
        planned => planned?,
    };
    let answers = answers;
    let mut whole = plan.clone();
    whole.extend(code.clone());
    let store = shown.as_ref();
    let Agreed { mut decision, with_code } =
        match flow::show(&journal, &whole, store, place.root(), &args.write, ui)? {
            true => code::agree((&whole, &code), store, place, &args.write, ui)?,
            false => Agreed { decision: Decision::Nothing, with_code: true },
        };
    // A project without changes whose key is new or goes elsewhere now.
    if decision == Decision::Nothing && answers.keys().any(|key| key.is_due(place, ui)) {
        decision = flow::agree("Store it there?", &args.write, ui)?;
    }
    let mut opened = Ok(());
    let mut restarted = Restarted::default();
    if decision == Decision::Write {
        match with_code {
            true => plan.extend(code),
            false => ui.say(code::LEFT),
        }
        let _whole = during(Mode::Remember);
        let stored = key::write(&plan, &journal, &answers, place, ui)?;
        flow::written(&plan, place.root(), ui);
        stored.into_iter().for_each(|line| ui.say(line));
        let request = answers.ports.as_ref();
        let run = (&journal, "init", &plan);
        opened = ports::apply_live(place, request, &around, run, ui).map(|_| ());
        restarted = restart::offer(args, place, &plan, ui)?;
    }
    match decision {
        Decision::Nothing if answers.selected.is_empty() => {
            ui.say("nothing to do: no service is traced");
        }
        Decision::Nothing if !whole.steps.is_empty() => {
            ui.say("nothing to write before the packages are there");
        }
        Decision::Nothing => ui.say("nothing to do: every traced service is already set up"),
        Decision::Declined => ui.say("nothing was written"),
        Decision::Write | Decision::Shown | Decision::Pending => {}
    }
    let shown = if decision == Decision::Write { &plan } else { &whole };
    let done = Done { decision, plan: shown, restarted: &restarted };
    let mut wired = report(args, place, &answers, &done, ui)?;
    // A port that stays closed does not undo what was written and proven.
    if let Err(error) = opened {
        ui.error(&error);
        wired.outcome = Outcome::No;
    }
    Ok(wired)
}

/// Returns the plan, and the change to the store's own file to show beside it.
fn plan(
    args: &InitArgs,
    place: &ProjectContext,
    answers: &Answers,
    around: &ports::PortsWorkspace,
    ui: &Ui,
) -> Result<(Plan, Option<Change>)> {
    let mut plan = proven(place, answers)?;
    if let Some(request) = &answers.ports {
        plan.extend(ports::plan(place, request, around)?);
    }
    if args.tasks {
        tasks::extend(&mut plan, place)?;
    }
    let prepared = key::prepare(answers, place, ui)?;
    plan.extend(prepared.plan);
    Ok((plan, prepared.shown))
}

/// The most attempts at moving refused services to another file, one by one.
const ROUNDS: usize = 8;

/// Returns the changes to the compose files, checked on the whole project. Services whose lines would not take effect
/// are written to the last file that names them.
fn proven(place: &ProjectContext, answers: &Answers) -> Result<Plan> {
    let model = place.project.model()?;
    let mut last = BTreeSet::new();
    let mut rounds = 0;
    loop {
        let plan = wiring(place, answers, &last).map_err(|error| Unproven {
            misplaced: error.place.as_ref().map(|at| services_at(model, at)).unwrap_or_default(),
            error,
        });
        let proven = plan.and_then(|plan| place.prove(&plan).map(|()| plan));
        let unproven = match proven {
            Ok(plan) => return Ok(plan),
            Err(unproven) => unproven,
        };
        let is_movable = |name: &String| {
            let service = model.service(name);
            service.is_some_and(|service| service.defined_in.len() > 1)
                && answers.selected.iter().any(|one| one.service == *name)
        };
        rounds += 1;
        let misplaced = match rounds {
            ..ROUNDS => unproven.misplaced.into_iter().collect(),
            // Give up moving services one by one when each refusal uncovers the next.
            ROUNDS.. => answers.names(),
        };
        let before = last.len();
        last.extend(misplaced.into_iter().filter(is_movable));
        if last.len() == before {
            return Err(unproven.error);
        }
    }
}

/// Returns the services with a line at a place.
fn services_at(model: &Model, at: &Place) -> BTreeSet<String> {
    let holds = |span: &Span| {
        let file = model.file(span);
        let lines = file.place(span.range.start).line..=file.place(span.range.end).line;
        file.path == at.path && lines.contains(&at.line)
    };
    let services = model.services.iter().filter(|service| service.defined_in.iter().any(holds));
    services.map(|service| service.name.clone()).collect()
}

fn wiring(place: &ProjectContext, answers: &Answers, last: &BTreeSet<String>) -> Result<Plan> {
    let model = place.project.model()?;
    let variables = place.variables_under_run(&answers.secrets())?;
    let mut plan = Plan { notes: answers.notes.clone(), ..Plan::default() };
    plan.notes.extend(agents::group_notes(&answers.agents.notes));
    let mut additions = Vec::new();
    if let Some(collector) = &answers.collector {
        let existing = configuration(place);
        let (entries, more) =
            plan::collector::plan(model, place.root(), existing.as_deref(), collector)?;
        additions = entries;
        plan.extend(more);
    }
    let request = TelemetryRequest {
        selected: &answers.selected,
        destination: &answers.destination,
        variables: &variables,
        instrumentation: &answers.instrumentation,
        agents: &answers.agents.variables,
        spelling: lint::nearly,
        last,
    };
    plan.extend(telemetry::plan(model, &request, additions)?);
    let agents = &answers.agents;
    plan::agents::extend(&mut plan, model, &agents.planned, &agents.images, last)?;
    plan::addons::extend(&mut plan, model, &answers.addons.wish, &variables, last)?;
    Ok(plan)
}

/// The work that was done or, in a dry run, would be done.
struct Done<'a> {
    decision: Decision,
    plan: &'a Plan,
    restarted: &'a Restarted,
}

/// Verifies the wired services and collects the next steps.
fn report(
    args: &InitArgs,
    place: &ProjectContext,
    answers: &Answers,
    done: &Done,
    ui: &mut Ui,
) -> Result<Wired> {
    let Done { decision, plan, restarted } = *done;
    let mut outcome = flow::outcome(decision);
    let mut verdict = None;
    let wired = matches!(decision, Decision::Write | Decision::Nothing)
        && !args.write.check
        && !args.write.dry_run;
    let key = answers.key.as_ref();
    let later = wired && key.is_some_and(|key| key.comes_later(place, ui));
    // When nothing leaves this machine, the next step is the receiver.
    let local = answers.destination.provider == "local";
    if later {
        ui.say("codespaces have the key from their creation or their next start on: stop and start this one, then go on");
    } else if wired && !args.no_verify && !local && !answers.selected.is_empty() {
        let place = place.again()?;
        let request = ProofRequest {
            trusted_hosts: args.trust_host.clone(),
            ..ProofRequest::new(answers.names(), Stage::Written)
        };
        ui.section("verdict:");
        let report = prove::prove(&request, &place, ui)?;
        outcome = if report.passed { outcome } else { Outcome::No };
        verdict = Some(report);
    }
    let after = next::steps(place, answers, plan, restarted);
    let mut document = flow::document(plan, place.root(), ui);
    document["applied"] = json!(decision == Decision::Write);
    document["services"] =
        json!(answers.selected.iter().map(|selected| &selected.service).collect::<Vec<_>>());
    document["instrumentation"] = spans::document(answers);
    document["restarted"] = json!(restarted.done);
    document["addons"] =
        json!(answers.addons.wish.addons.iter().map(|addon| addon.as_str()).collect::<Vec<_>>());
    document["verify"] = json!(verdict);
    // A plan that was only shown has a next step too; for people, it follows the diff, and writing comes first.
    document["next"] = match decision {
        Decision::Declined => json!([]),
        _ => json!(after),
    };
    let next = if wired { after } else { Vec::new() };
    Ok(Wired { outcome, document, next })
}
