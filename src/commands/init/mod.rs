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

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use super::remove;
use crate::apply::Journal;
use crate::cli::InitArgs;
use crate::compose::{ComposeModel, FileSpan};
use crate::error::{Error, FilePosition, Result};
use crate::lint;
use crate::plan::project_proof::UnprovenChange;
use crate::plan::telemetry::TelemetryRequest;
use crate::plan::{self, FileChange, Plan, telemetry};
use crate::prove::{self, ProjectStage, ProofRequest};
use crate::session::collector::read_collector_configuration;
use crate::session::context::ProjectContext;
use crate::session::last_verdict::keep_verdict;
use crate::session::{ports, tasks};
use crate::ui::Ui;
use crate::ui::interrupt::{InterruptMode, set_interrupt_mode};

use ask::InitAnswers;
use code::{CodePlan, PlanAgreement};
use restart::RestartResult;

/// Runs `init`.
///
/// # Errors
/// Whatever keeps the project from being wired: a missing answer, a refused edit, a failing store.
pub(super) fn run(args: &InitArgs, context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    let result = wire_services(args, context, ui)?;
    flow::show_next(&result.next, ui);
    ui.document(&result.document)?;
    Ok(result.outcome)
}

/// The result for a project, and the same as JSON.
#[derive(Debug)]
pub(super) struct WiringResult {
    pub(super) outcome: RunOutcome,
    pub(super) document: Value,
    /// The next commands to run.
    pub(super) next: Vec<String>,
}

/// Asks, plans, shows, writes and verifies, without printing a document.
///
/// # Errors
/// As [`run`].
pub(super) fn wire_services(
    args: &InitArgs,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<WiringResult> {
    let journal = context.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, context, &args.write, ui)?;
    let context = fresh.as_ref().unwrap_or(context);
    let mut answers = ask::ask(args, context, ui)?;
    let freed = remove::offer(&answers.dropped, context, &journal, &args.write, ui)?;
    let context = freed.as_ref().unwrap_or(context);
    let CodePlan { plan: code, planned: coded } = code::plan(args, context, &answers);
    agents::choose(args, context, &mut answers, &coded)?;
    let ports_workspace = ports::PortsWorkspace::of(context);
    ports_workspace.look(answers.ports.as_ref());
    let planned = plan_wiring(args, context, &answers, &ports_workspace, ui);
    let (mut plan, shown) = match planned {
        // An agent that no flag asked for must not block the rest.
        Err(error) => {
            agents::withdraw(args, &mut answers, error, |answers| {
                plan_proven_changes(context, answers)
            })?;
            plan_wiring(args, context, &answers, &ports_workspace, ui)?
        }
        planned => planned?,
    };
    let answers = answers;
    let mut whole = plan.clone();
    whole.extend(code.clone());
    let store = shown.as_ref();
    let PlanAgreement { mut decision, with_code } =
        if flow::show_plan(&journal, &whole, store, context.root(), &args.write, ui)? {
            code::agree((&whole, &code), store, context, &args.write, ui)?
        } else {
            PlanAgreement { decision: PlanDecision::Nothing, with_code: true }
        };
    // A project without changes whose key is new or goes elsewhere now.
    if decision == PlanDecision::Nothing && answers.keys().any(|key| key.is_due(context, ui)) {
        decision = flow::ask_agreement("Store it there?", &args.write, ui)?;
    }
    let mut written = WrittenWiring::default();
    if decision == PlanDecision::Write {
        if with_code {
            plan.extend(code)
        } else {
            ui.say(code::UNCHANGED_CODE_NOTE)
        }
        written = write_wiring(args, context, (&journal, &plan), &answers, &ports_workspace, ui)?;
    }
    explain_unwritten(decision, &answers, &whole, ui);
    let shown = if decision == PlanDecision::Write { &plan } else { &whole };
    let done = WiringDone { decision, plan: shown, restarted: &written.restarted };
    let mut result = report_wiring(args, context, &answers, &done, ui)?;
    // A port that stays closed does not undo what was written and proven.
    if let Some(error) = written.port_error {
        ui.error(&error);
        result.outcome = RunOutcome::No;
    }
    Ok(result)
}

/// The results of a written plan.
#[derive(Debug, Default)]
struct WrittenWiring {
    /// The reason why a live port kept its visibility.
    port_error: Option<Error>,
    restarted: RestartResult,
}

/// Writes the plan and the keys, then changes live ports and offers to restart the services.
fn write_wiring(
    args: &InitArgs,
    context: &ProjectContext,
    (journal, plan): (&Journal, &Plan),
    answers: &InitAnswers,
    ports_workspace: &ports::PortsWorkspace,
    ui: &mut Ui,
) -> Result<WrittenWiring> {
    let _interrupts = set_interrupt_mode(InterruptMode::Remember);
    let stored = key::write(plan, journal, answers, context, ui)?;
    flow::show_written_files(plan, context.root(), ui);
    stored.into_iter().for_each(|line| ui.say(line));
    let run = (journal, "init", plan);
    let request = answers.ports.as_ref();
    let opened = ports::apply_live_visibility(context, request, ports_workspace, run, ui);
    let restarted = restart::offer(args, context, plan, ui)?;
    Ok(WrittenWiring { port_error: opened.err(), restarted })
}

/// Says why nothing was written, if that is not obvious.
fn explain_unwritten(decision: PlanDecision, answers: &InitAnswers, whole: &Plan, ui: &mut Ui) {
    ui.say(match decision {
        PlanDecision::Nothing if answers.selected.is_empty() => {
            "nothing to do: no service is traced"
        }
        PlanDecision::Nothing if !whole.steps.is_empty() => {
            "nothing to write until the packages are installed"
        }
        PlanDecision::Nothing => "nothing to do: every traced service is already set up",
        PlanDecision::Declined => "nothing was written",
        PlanDecision::Write | PlanDecision::Shown | PlanDecision::Pending => return,
    });
}

/// Returns the plan, and the change to the store's own file to show beside it.
fn plan_wiring(
    args: &InitArgs,
    context: &ProjectContext,
    answers: &InitAnswers,
    ports_workspace: &ports::PortsWorkspace,
    ui: &Ui,
) -> Result<(Plan, Option<FileChange>)> {
    let mut plan = plan_proven_changes(context, answers)?;
    if let Some(request) = &answers.ports {
        plan.extend(ports::plan_port_files(context, request, ports_workspace)?);
    }
    if args.tasks {
        tasks::extend(&mut plan, context)?;
    }
    let prepared = key::prepare(answers, context, ui)?;
    plan.extend(prepared.plan);
    Ok((plan, prepared.shown))
}

/// The most attempts at moving refused services to another file, one by one.
const MAX_ATTEMPTS: usize = 8;

/// Returns the changes to the compose files, checked on the whole project. Services whose lines would not take effect
/// are written to the last file that names them.
fn plan_proven_changes(context: &ProjectContext, answers: &InitAnswers) -> Result<Plan> {
    let model = context.project.model()?;
    let mut last = BTreeSet::new();
    let mut rounds = 0;
    loop {
        let plan = plan_compose_changes(context, answers, &last).map_err(|error| UnprovenChange {
            misplaced: error.place.as_ref().map(|at| services_at(model, at)).unwrap_or_default(),
            error,
        });
        let proven = plan.and_then(|plan| context.prove(&plan).map(|()| plan));
        let unproven = match proven {
            Ok(plan) => return Ok(plan),
            Err(unproven) => unproven,
        };
        let is_movable = |name: &String| {
            let service = model.service(name);
            service.is_some_and(|service| service.defined_in.len() > 1)
                && answers.selected.iter().any(|selected| selected.service == *name)
        };
        rounds += 1;
        let misplaced = match rounds {
            ..MAX_ATTEMPTS => unproven.misplaced.into_iter().collect(),
            // Give up moving services one by one when each refusal uncovers the next.
            MAX_ATTEMPTS.. => answers.names(),
        };
        let before = last.len();
        last.extend(misplaced.into_iter().filter(is_movable));
        if last.len() == before {
            return Err(unproven.error);
        }
    }
}

/// Returns the services with a line at a place.
fn services_at(model: &ComposeModel, at: &FilePosition) -> BTreeSet<String> {
    let holds = |span: &FileSpan| {
        let file = model.file(span);
        let lines = file.place(span.range.start).line..=file.place(span.range.end).line;
        file.path == at.path && lines.contains(&at.line)
    };
    let services = model.services.iter().filter(|service| service.defined_in.iter().any(holds));
    services.map(|service| service.name.clone()).collect()
}

fn plan_compose_changes(
    context: &ProjectContext,
    answers: &InitAnswers,
    last: &BTreeSet<String>,
) -> Result<Plan> {
    let model = context.project.model()?;
    let variables = context.variables_under_run(&answers.secrets())?;
    let mut plan = Plan { notes: answers.notes.clone(), ..Plan::default() };
    plan.notes.extend(agents::group_notes(&answers.agents.notes));
    let mut additions = Vec::new();
    if let Some(collector) = &answers.collector {
        let existing = read_collector_configuration(context);
        let (entries, more) =
            plan::collector::plan(model, context.root(), existing.as_deref(), collector)?;
        additions = entries;
        plan.extend(more);
    }
    let request = TelemetryRequest {
        selected: &answers.selected,
        destination: &answers.destination,
        variables: &variables,
        instrumentation: &answers.instrumentation,
        agents: &answers.agents.variables,
        spelling: lint::find_intended_variable,
        last,
    };
    plan.extend(telemetry::plan(model, &request, additions)?);
    let agents = &answers.agents;
    plan::agents::extend(&mut plan, model, &agents.planned, &agents.images, last)?;
    plan::addons::extend(&mut plan, model, &answers.addons.request, &variables, last)?;
    Ok(plan)
}

/// The work that was done or, in a dry run, would be done.
struct WiringDone<'a> {
    decision: PlanDecision,
    plan: &'a Plan,
    restarted: &'a RestartResult,
}

/// Verifies the wired services and collects the next steps.
fn report_wiring(
    args: &InitArgs,
    context: &ProjectContext,
    answers: &InitAnswers,
    done: &WiringDone,
    ui: &mut Ui,
) -> Result<WiringResult> {
    let WiringDone { decision, plan, restarted } = *done;
    let mut outcome = flow::outcome(decision);
    let mut verdict = None;
    let is_wired = matches!(decision, PlanDecision::Write | PlanDecision::Nothing)
        && !args.write.check
        && !args.write.dry_run;
    let key = answers.key.as_ref();
    let later = is_wired && key.is_some_and(|key| key.comes_later(context, ui));
    // When nothing leaves this machine, the next step is the receiver.
    let local = answers.destination.provider == "local";
    if later {
        ui.say("a codespace gets the key when it is created or next started: stop and start this one, then continue");
    } else if is_wired && !args.no_verify && !local && !answers.selected.is_empty() {
        let context = context.again()?;
        let request = ProofRequest {
            trusted_hosts: args.trust_host.clone(),
            ..ProofRequest::new(answers.names(), ProjectStage::Written)
        };
        ui.section("verdict:");
        let report = prove::prove(&request, &context, ui)?;
        // A verdict that cannot be saved is still valid.
        let _ = keep_verdict(&context, &report, ui.redactor());
        outcome = if report.passed { outcome } else { RunOutcome::No };
        verdict = Some(report);
    }
    let after = next::steps(context, answers, plan, restarted);
    let mut document = flow::document(plan, context.root(), ui);
    document["applied"] = json!(decision == PlanDecision::Write);
    document["services"] =
        json!(answers.selected.iter().map(|selected| &selected.service).collect::<Vec<_>>());
    document["instrumentation"] = spans::document(answers);
    document["restarted"] = json!(restarted.done);
    document["addons"] =
        json!(answers.addons.request.addons.iter().map(|addon| addon.as_str()).collect::<Vec<_>>());
    document["verify"] = json!(verdict);
    // A plan that was only shown has a next step too; for people, it follows the diff, and writing comes first.
    document["next"] = match decision {
        PlanDecision::Declined => json!([]),
        _ => json!(after),
    };
    let next = if is_wired { after } else { Vec::new() };
    Ok(WiringResult { outcome, document, next })
}
