//! `ports`: lists ports, or edits the workspace's file and opens or closes live ports.

mod list;

use serde_json::json;

use super::Outcome;
use super::flow::{self, Decision};
use crate::cli::PortsArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::ports::{Asked, Wish};
use crate::session::context::ProjectContext;
use crate::session::ports::{self, PortsRequest, PortsWorkspace};
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

/// Runs `ports`.
///
/// # Errors
/// `port-invalid`, `unsafe-edit`, and whatever keeps live ports from being changed.
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
    let mut request = PortsRequest {
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
    let around = PortsWorkspace::of(place);
    around.look(Some(&request));
    if flow::may_ask(&args.write, ui) && ports::may_open_on_start(place, &request, &around)? {
        let question = "Open these ports again at each start of the codespace (a postStartCommand in devcontainer.json)?";
        request.on_start = ui.confirm(question, "--on-start", false)?;
    }
    let plan = ports::plan(place, &request, &around)?;
    let decision =
        flow::decide(&journal, &plan, None, "Write these changes?", place.root(), &args.write, ui)?;
    if decision == Decision::Write {
        let _whole = during(Mode::Remember);
        journal.apply(&plan, "ports")?;
        flow::written(&plan, place.root(), ui);
    }
    if decision == Decision::Nothing {
        ui.say(ports::nothing_to_do(place, &request, &around));
    }
    let mut done = ports::LiveChanges::default();
    if matches!(decision, Decision::Write | Decision::Nothing)
        && !args.write.check
        && !args.write.dry_run
    {
        let _whole = during(Mode::Remember);
        let run = (&journal, "ports", &plan);
        done = ports::apply_live(place, Some(&request), &around, run, ui)?;
    }
    let mut document = flow::document(&plan, place.root(), ui);
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
