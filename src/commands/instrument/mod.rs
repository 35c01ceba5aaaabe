//! `instrument`: packages and initialisation for Flask services; `instrument span`: one span.

mod service;
mod span;

use serde_json::json;

use super::flow::{self, Decision};
use super::place::Place;
use super::Outcome;
use crate::cli::{InstrumentArgs, InstrumentCommand, WriteArgs};
use crate::error::{Error, Result};
use crate::plan::instrument::{self, Mistakes};
use crate::plan::{Note, Plan};
use crate::project::Project;
use crate::ui::Ui;

/// Runs `instrument`.
///
/// # Errors
/// A service that is not there, a file that cannot be edited safely, an answer that is missing.
pub(super) fn run(args: &InstrumentArgs, place: &Place, ui: &mut Ui) -> Result<Outcome> {
    match &args.command {
        Some(InstrumentCommand::Span(span)) => {
            let plan = span::plan(span, place)?;
            finish(&plan, "put this span into the code?", &span.write, "instrument span", place, ui)
        }
        None => {
            known(&place.project, &args.service)?;
            let mistakes = if args.fix { Mistakes::Fix } else { Mistakes::Say };
            let plan = plan(&place.project, &args.service, mistakes)?;
            finish(&plan, "change packages and code like this?", &args.write, "instrument", place, ui)
        }
    }
}

/// What traces the Python of these services, or of all where none is named.
///
/// # Errors
/// A file that cannot be read or edited safely.
pub(super) fn plan(project: &Project, services: &[String], mistakes: Mistakes) -> Result<Plan> {
    let mut plan = Plan::default();
    let found = service::services(project, services)?;
    if found.is_empty() {
        plan.notes.push(Note::fact("no service built here creates a Flask application"));
    }
    for service in &found {
        plan.extend(instrument::plan(service, mistakes)?);
    }
    Ok(plan)
}

fn known(project: &Project, services: &[String]) -> Result<()> {
    let model = project.model()?;
    match services.iter().find(|name| model.service(name).is_none()) {
        Some(name) => {
            let names: Vec<&str> = model.services.iter().map(|service| service.name.as_str()).collect();
            Err(Error::new("no-such-service", format!("the compose file has no service `{name}`"))
                .hint(format!("services: {}", names.join(", "))))
        }
        None => Ok(()),
    }
}

/// Shows the plan, asks, writes, and gives the JSON document.
fn finish(
    plan: &Plan,
    question: &str,
    write: &WriteArgs,
    command: &str,
    place: &Place,
    ui: &mut Ui,
) -> Result<Outcome> {
    let journal = place.journal(ui.redactor())?;
    flow::settle(&journal, place.root(), write, ui)?;
    let decision = flow::decide(plan, None, question, place.root(), write, ui)?;
    if decision == Decision::Write {
        journal.apply(plan, command)?;
        flow::written(plan, place.root(), ui);
        ui.say("next: `cruddur-ops run -- docker compose up --build`");
    }
    if decision == Decision::Nothing {
        ui.say("nothing to do: it is all there");
    }
    ui.document(&json!({
        "schema_version": 1,
        "written": decision == Decision::Write,
        "plan": flow::document(plan, place.root()),
    }))?;
    Ok(flow::outcome(decision))
}
