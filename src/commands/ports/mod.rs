//! `ports`: lists ports, or plans what the workspace's file says of them and opens or closes them live.

mod files;
mod list;
mod live;

use std::cell::OnceCell;

use serde_json::json;

use super::Outcome;
use super::flow::{self, Decision};
use crate::cli::PortsArgs;
use crate::edit::yaml::ports::Visibility;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::ports::{Asked, Published, Wish};
use crate::session::context::ProjectContext;
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};
use crate::workspace::{LivePort, Workspace};

pub(super) use files::plan;
pub(super) use live::{apply as apply_live, undo as undo_live};

/// What is wanted of the project's ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) wish: Wish,
    pub(super) asked: Vec<Asked>,
    /// Live visibility is changed too, where there is any.
    pub(super) live: bool,
    /// What the compose file does not publish yet.
    pub(super) planned: Vec<Published>,
    /// devcontainer.json is written wherever this is, and made where there is none.
    pub(super) devcontainer: bool,
    /// devcontainer.json opens the public ports at each start.
    pub(super) on_start: bool,
}

impl Request {
    /// The command that asks for the same once more.
    pub(super) fn command(&self) -> String {
        let wish = match self.wish {
            Wish::Public => Some("--public".to_owned()),
            Wish::Private => Some("--private".to_owned()),
            Wish::Keep => None,
        };
        let asked = self.asked.iter().map(Asked::to_string);
        let words: Vec<String> = wish.into_iter().chain(asked).collect();
        format!("cruddur-ops ports {}", words.join(" "))
    }

    /// Whether a port is to be opened to everyone.
    pub(super) fn wants_public(&self) -> bool {
        let public = Some(Visibility::Public);
        self.wish == Wish::Public || self.asked.iter().any(|asked| asked.visibility == public)
    }
}

/// The workspace, and its ports as they are: asked once.
#[derive(Debug)]
pub(super) struct Surroundings {
    workspace: Workspace,
    live: OnceCell<Result<Vec<LivePort>>>,
}

impl Surroundings {
    pub(super) fn of(place: &ProjectContext) -> Self {
        Self { workspace: Workspace::detect(place.shell), live: OnceCell::new() }
    }

    /// Asks for the live ports of a cloud that takes its time, before anything is shown.
    pub(super) fn look(&self, request: Option<&Request>) {
        let slow = matches!(self.workspace, Workspace::Codespaces(_) | Workspace::Ona(_));
        if slow && request.is_some_and(|request| request.live && files::asks_for_ports(request)) {
            // A failure is kept, and said where the ports are needed.
            let _ = self.live_ports();
        }
    }

    fn live_ports(&self) -> Result<&[LivePort]> {
        let live = self.live.get_or_init(|| self.workspace.live_ports());
        live.as_deref().map_err(Clone::clone)
    }
}

/// Runs `ports`.
///
/// # Errors
/// `port-invalid`, `unsafe-edit`, and what keeps live ports from being changed.
pub(super) fn run(args: &PortsArgs, place: &ProjectContext, ui: &mut Ui) -> Result<Outcome> {
    let asked = args.ports.iter().map(|text| asked(text)).collect::<Result<Vec<_>>>()?;
    let wish = match (args.public, args.private) {
        (true, _) => Wish::Public,
        (_, true) => Wish::Private,
        _ => Wish::Keep,
    };
    if wish == Wish::Keep && asked.is_empty() {
        return list::run(place, ui);
    }
    let mut request = Request {
        wish,
        asked,
        live: !args.no_live,
        devcontainer: args.devcontainer,
        on_start: args.on_start,
        planned: Vec::new(),
    };
    let journal = place.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, place, &args.write, ui)?;
    let place = fresh.as_ref().unwrap_or(place);
    let around = Surroundings::of(place);
    around.look(Some(&request));
    if flow::may_ask(&args.write, ui) && files::may_open_on_start(place, &request, &around)? {
        let question = "Open these ports again at each start of the codespace (a postStartCommand in devcontainer.json)?";
        request.on_start = ui.confirm(question, "--on-start", false)?;
    }
    let plan = plan(place, &request, &around)?;
    let decision =
        flow::decide(&journal, &plan, None, "Write these changes?", place.root(), &args.write, ui)?;
    if decision == Decision::Write {
        let _whole = during(Mode::Remember);
        journal.apply(&plan, "ports")?;
        flow::written(&plan, place.root(), ui);
    }
    if decision == Decision::Nothing {
        ui.say(files::nothing_to_do(place, &request, &around));
    }
    let mut done = live::Done::default();
    if matches!(decision, Decision::Write | Decision::Nothing)
        && !args.write.check
        && !args.write.dry_run
    {
        let _whole = during(Mode::Remember);
        let run = (&journal, "ports", &plan);
        done = live::apply(place, Some(&request), &around, run, ui)?;
    }
    let mut document = flow::document(&plan, place.root(), ui);
    document["schema_version"] = json!(1);
    document["applied"] = json!(decision == Decision::Write);
    document["live"] = json!(done.changed);
    document["not_forwarded"] = json!(done.not_forwarded);
    ui.document(&document)?;
    Ok(match done.not_forwarded.is_empty() {
        true => flow::outcome(decision),
        false => Outcome::No,
    })
}

fn asked(text: &str) -> Result<Asked> {
    text.parse().map_err(|cause: String| {
        let message = format!("`{text}` is not PORT[=public|private][:NAME]");
        Error::new(ErrorCode::PortInvalid, message)
            .cause(cause)
            .hint("`cruddur-ops ports 3000=public:web`")
    })
}
