//! `ports`: lists ports, or plans their entries in `.gitpod.yml` and applies their visibility live.

mod list;

use serde_json::json;

use super::Outcome;
use super::flow::{self, Decision};
use super::place::Place;
use crate::apply::{Journal, PortEntry as PortBefore};
use crate::cli::PortsArgs;
use crate::edit::yaml::ports::{self as editor, Visibility};
use crate::error::{Error, Result};
use crate::plan::ports::{self, Asked, Entries, Wish};
use crate::plan::{Plan, Writing};
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};
use crate::workspace::{Visibility as Live, Workspace};

/// What is wanted of the project's ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) wish: Wish,
    pub(super) asked: Vec<Asked>,
    /// Live visibility is changed too, where there is any.
    pub(super) live: bool,
}

/// Runs `ports`.
///
/// # Errors
/// `port-invalid`, `unsafe-edit`, and what keeps live ports from being changed.
pub(super) fn run(args: &PortsArgs, place: &Place, ui: &mut Ui) -> Result<Outcome> {
    let asked = args
        .ports
        .iter()
        .map(|text| asked(text))
        .collect::<Result<Vec<_>>>()?;
    let wish = match (args.public, args.private) {
        (true, _) => Wish::Public,
        (_, true) => Wish::Private,
        _ => Wish::Keep,
    };
    if wish == Wish::Keep && asked.is_empty() {
        return list::run(place, ui);
    }
    let request = Request {
        wish,
        asked,
        live: !args.no_live,
    };
    let journal = place.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, place, &args.write, ui)?;
    let place = fresh.as_ref().unwrap_or(place);
    let plan = plan(place, &request)?;
    let decision = flow::decide(
        &plan,
        None,
        "Write these changes?",
        place.root(),
        &args.write,
        ui,
    )?;
    if decision == Decision::Write {
        let _whole = during(Mode::Remember);
        journal.apply(&plan, "ports")?;
        flow::written(&plan, place.root(), ui);
    }
    if decision == Decision::Nothing {
        ui.say("nothing to do: .gitpod.yml says so already");
    }
    let mut live = Vec::new();
    if matches!(decision, Decision::Write | Decision::Nothing)
        && !args.write.check
        && !args.write.dry_run
    {
        live = apply_live(place, Some(&request), &journal, "ports", ui)?;
    }
    let mut document = flow::document(&plan, place.root());
    document["schema_version"] = json!(1);
    document["applied"] = json!(decision == Decision::Write);
    document["live"] = json!(live);
    ui.document(&document)?;
    Ok(flow::outcome(decision))
}

fn asked(text: &str) -> Result<Asked> {
    text.parse().map_err(|cause: String| {
        Error::new("port-invalid", format!("`{text}` names no port"))
            .cause(cause)
            .hint("`cruddur-ops ports 3000=public:web`")
    })
}

fn entries(place: &Place, request: &Request) -> Result<Entries> {
    let published = place.published(place.project.model()?);
    let existing = place.configured_ports();
    Ok(ports::entries(
        &published,
        request.wish,
        &request.asked,
        &existing,
    ))
}

/// The plan that gives `.gitpod.yml` what `request` wants.
///
/// # Errors
/// `unsafe-edit`.
pub(super) fn plan(place: &Place, request: &Request) -> Result<Plan> {
    let (path, before) = match &place.project.gitpod {
        Some(file) => (file.path.clone(), Some(file.text.to_string())),
        None => (place.project.gitpod_path(), None),
    };
    let text = before.clone().unwrap_or_default();
    let entries = entries(place, request)?;
    if before.is_some() && text.trim().is_empty() && !entries.write.is_empty() {
        return Err(empty(&path, &entries.write));
    }
    let mut plan = Plan {
        notes: entries.notes,
        ..Plan::default()
    };
    if entries.write.is_empty() {
        return Ok(plan);
    }
    let edit = editor::set(&text, &entries.write).map_err(|refusal| refusal.into_error(&path))?;
    plan.edited(&path, before, edit, Writing::InPlace);
    Ok(plan)
}

/// A file that somebody made and left empty may be about to be filled by them; an absent one is ours to make.
fn empty(path: &std::path::Path, entries: &[editor::PortEntry]) -> Error {
    Error::new("unsafe-edit", format!("{} is empty", path.display()))
        .hint("remove the file and run this again, or paste the lines into it")
        .paste(editor::paste(entries))
}

/// Gives the live ports the visibility that was asked for, and remembers what they had. Answers with the ports that
/// were changed.
///
/// # Errors
/// What the workspace says against it.
pub(super) fn apply_live(
    place: &Place,
    request: Option<&Request>,
    journal: &Journal,
    command: &str,
    ui: &mut Ui,
) -> Result<Vec<u16>> {
    let Some(request) = request.filter(|request| request.live) else {
        return Ok(Vec::new());
    };
    let goals = entries(place, request)?.goals;
    let workspace = Workspace::detect(place.shell);
    if goals.is_empty() || !matches!(workspace, Workspace::Gitpod(_)) {
        if !goals.is_empty() {
            ui.say(format!(
                "{} has no live ports to change; .gitpod.yml holds in Gitpod workspaces",
                workspace.name()
            ));
        }
        return Ok(Vec::new());
    }
    let live = workspace.live_ports()?;
    let mut before = Vec::new();
    for (port, goal) in goals {
        let goal = live_visibility(goal);
        let now = live
            .iter()
            .find(|live| live.port == port)
            .and_then(|live| live.visibility);
        if now == Some(goal) {
            continue;
        }
        workspace.set_visibility(port, goal)?;
        ui.say(format!("port {port} is {} now", goal.name()));
        before.push(PortBefore {
            port,
            public: now == Some(Live::Public),
        });
    }
    let changed = before.iter().map(|before| before.port).collect();
    if !before.is_empty() {
        journal.remember_ports(command, before)?;
    }
    Ok(changed)
}

/// Gives live ports the visibility they had before the last command. Ports that somebody changed since stay.
///
/// # Errors
/// What the workspace says against it.
pub(super) fn undo_live(place: &Place, before: &[PortBefore], ui: &mut Ui) -> Result<()> {
    if before.is_empty() {
        return Ok(());
    }
    let workspace = Workspace::detect(place.shell);
    let live = workspace.live_ports()?;
    for port in before {
        let (old, set) = if port.public {
            (Live::Public, Live::Private)
        } else {
            (Live::Private, Live::Public)
        };
        let now = live
            .iter()
            .find(|live| live.port == port.port)
            .and_then(|live| live.visibility);
        if now.is_none_or(|now| now == set) {
            workspace.set_visibility(port.port, old)?;
            ui.say(format!("port {} is {} again", port.port, old.name()));
        }
    }
    Ok(())
}

fn live_visibility(visibility: Visibility) -> Live {
    match visibility {
        Visibility::Public => Live::Public,
        Visibility::Private => Live::Private,
    }
}
