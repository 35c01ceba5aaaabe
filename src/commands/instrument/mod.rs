//! `instrument`: adds packages and initialisation to Flask services. `instrument span`: adds one span.

mod span;

use serde_json::json;

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use crate::cli::{InstrumentArgs, InstrumentCommand};
use crate::error::Result;
use crate::plan::instrument::catalogue::python_catalogue;
use crate::plan::instrument::{self, Addon, MistakePolicy, PythonService};
use crate::plan::{Note, Plan};
use crate::project::Project;
use crate::session::code;
use crate::session::context::{ProjectContext, unknown_service};
use crate::ui::Ui;

/// Runs `instrument`.
///
/// # Errors
/// A service that does not exist, a file that cannot be edited safely, a missing answer.
pub(super) fn run(
    args: &InstrumentArgs,
    context: &ProjectContext,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let write = match &args.command {
        Some(InstrumentCommand::Span(span)) => &span.write,
        None => &args.write,
    };
    let journal = context.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, context, write, ui)?;
    let context = fresh.as_ref().unwrap_or(context);
    // No service, or none of those that were named, has an application to change.
    let mut is_without_flask = false;
    let (plan, command, question) = match &args.command {
        Some(InstrumentCommand::Span(span)) => {
            let plan = span::plan(span, context)?;
            (plan, "instrument span", "Add this span to the code?")
        }
        None => {
            check_service_names(&context.project, &args.service)?;
            let mistakes = if args.fix { MistakePolicy::Fix } else { MistakePolicy::Say };
            let addons = Addon::each_once(&args.with);
            let found = code::find_flask_services(&context.project, &args.service, &addons)?;
            let mut plan = instrument::plan_services(&found, mistakes)?;
            plan.notes.extend(missing_variable_notes(&context.project, &found, &addons)?);
            is_without_flask = found.is_empty();
            (plan, "instrument", "Change packages and code like this?")
        }
    };
    let decision = flow::decide(&journal, &plan, question, context.root(), write, ui)?;
    if decision == PlanDecision::Write {
        journal.apply(&plan, command)?;
        flow::show_written_files(&plan, context.root(), ui);
    }
    let next = instrument_next_steps(&plan, decision);
    if decision == PlanDecision::Nothing && plan.steps.is_empty() {
        ui.say(match args.command {
            Some(InstrumentCommand::Span(_)) => "nothing to do: the span already exists".to_owned(),
            None if is_without_flask && !args.service.is_empty() => {
                format!("no Flask application was found in {}", args.service.join(", "))
            }
            None if is_without_flask => {
                "nothing to do: no Flask application was found here; `cruddur-ops init` traces other services".into()
            }
            None => "nothing to do: every Flask service built here is complete".into(),
        });
    }
    let mut document = flow::document(&plan, context.root(), ui);
    document["applied"] = json!(decision == PlanDecision::Write);
    document["next"] = json!(next);
    flow::show_next(&next, ui);
    ui.document(&document)?;
    Ok(match decision {
        PlanDecision::Nothing if is_without_flask && !args.service.is_empty() => RunOutcome::No,
        decision => flow::outcome(decision),
    })
}

/// Returns the next steps: the manual ones, then this command again.
fn instrument_next_steps(plan: &Plan, decision: PlanDecision) -> Vec<String> {
    let mut lines = plan.steps.clone();
    if !lines.is_empty() {
        lines.push(
            "cruddur-ops instrument  # again: the code needs these packages first".to_owned(),
        );
    }
    if decision == PlanDecision::Write {
        lines.push("cruddur-ops run -- docker compose up --build".to_owned());
    }
    lines
}

/// Returns notes on variables that addons need and these services do not have.
fn missing_variable_notes(
    project: &Project,
    found: &[PythonService],
    addons: &[Addon],
) -> Result<Vec<Note>> {
    let model = project.model()?;
    let mut notes = Vec::new();
    for service in found {
        let settings = model.service(&service.name).map(|service| service.effective(model.plain()));
        for facts in addons.iter().filter_map(|addon| python_catalogue().addon(*addon)) {
            let lacks = |name: &&String| {
                let settings = settings.as_ref();
                settings.is_none_or(|settings| settings.get(name).is_none())
            };
            let names: Vec<&str> =
                facts.variables.iter().filter(lacks).map(String::as_str).collect();
            if names.is_empty() {
                continue;
            }
            let text =
                format!("{}: missing in its environment: {}", service.name, names.join(" and "));
            notes.push(Note::warning(text).hint(format!(
                "`cruddur-ops init --with {}` adds what is missing",
                facts.name.as_str()
            )));
        }
    }
    Ok(notes)
}

fn check_service_names(project: &Project, services: &[String]) -> Result<()> {
    let model = project.model()?;
    match services.iter().find(|name| model.service(name).is_none()) {
        Some(name) => Err(unknown_service(name, model)),
        None => Ok(()),
    }
}
