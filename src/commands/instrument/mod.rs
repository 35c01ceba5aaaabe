//! `instrument`: packages and initialisation for Flask services; `instrument span`: one span.

mod service;
mod span;

use serde_json::json;

use super::Outcome;
use super::flow::{self, Decision};
use super::place::Place;
use crate::cli::{AddonName, InstrumentArgs, InstrumentCommand};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::instrument::{self, Addon, Mistakes};
use crate::project::Project;
use crate::ui::Ui;

/// Runs `instrument`.
///
/// # Errors
/// A service that is not there, a file that cannot be edited safely, an answer that is missing.
pub(super) fn run(args: &InstrumentArgs, place: &Place, ui: &mut Ui) -> Result<Outcome> {
    let write = match &args.command {
        Some(InstrumentCommand::Span(span)) => &span.write,
        None => &args.write,
    };
    let journal = place.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, place, write, ui)?;
    let place = fresh.as_ref().unwrap_or(place);
    let (plan, command, question) = match &args.command {
        Some(InstrumentCommand::Span(span)) => {
            let plan = span::plan(span, place)?;
            (plan, "instrument span", "put this span into the code?")
        }
        None => {
            known(&place.project, &args.service)?;
            let mistakes = if args.fix {
                Mistakes::Fix
            } else {
                Mistakes::Say
            };
            let addons: Vec<Addon> = args.with.iter().map(addon).collect();
            let plan = plan(&place.project, &args.service, &addons, mistakes)?;
            (plan, "instrument", "change packages and code like this?")
        }
    };
    let decision = flow::decide(&plan, None, question, place.root(), write, ui)?;
    if decision == Decision::Write {
        journal.apply(&plan, command)?;
        flow::written(&plan, place.root(), ui);
        ui.say("next: `cruddur-ops run -- docker compose up --build`");
    }
    if decision == Decision::Nothing {
        ui.say("nothing to do: no service built here lacks anything for Flask");
    }
    let mut document = flow::document(&plan, place.root());
    document["schema_version"] = json!(1);
    document["applied"] = json!(decision == Decision::Write);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}

/// What traces the Python of these services, or of all where none is named.
///
/// # Errors
/// A file that cannot be read or edited safely.
pub(super) fn plan(
    project: &Project,
    services: &[String],
    addons: &[Addon],
    mistakes: Mistakes,
) -> Result<Plan> {
    let mut plan = Plan::default();
    for service in service::services(project, services, addons)? {
        plan.extend(instrument::plan(&service, mistakes)?);
    }
    Ok(plan)
}

fn addon(name: &AddonName) -> Addon {
    match name {
        AddonName::Xray => Addon::Xray,
        AddonName::Rollbar => Addon::Rollbar,
    }
}

fn known(project: &Project, services: &[String]) -> Result<()> {
    let model = project.model()?;
    match services.iter().find(|name| model.service(name).is_none()) {
        Some(name) => {
            let names: Vec<&str> = model
                .services
                .iter()
                .map(|service| service.name.as_str())
                .collect();
            Err(Error::new(
                "no-such-service",
                format!("the compose file has no service `{name}`"),
            )
            .hint(format!("services: {}", names.join(", "))))
        }
        None => Ok(()),
    }
}
