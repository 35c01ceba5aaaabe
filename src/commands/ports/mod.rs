//! `ports`: lists ports, or edits the workspace's file and opens or closes live ports.

mod list;

use serde_json::json;

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use crate::cli::PortsArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::ports::{PortPolicy, PortRequest};
use crate::session::context::ProjectContext;
use crate::session::ports::{self, PortsRequest, PortsWorkspace};
use crate::ui::Ui;
use crate::ui::interrupt::{InterruptMode, set_interrupt_mode};
use crate::ui::prompt::DefaultAnswer;

/// Runs `ports`.
///
/// # Errors
/// `port-invalid`, `unsafe-edit`, and whatever keeps live ports from being changed.
pub(super) fn run(args: &PortsArgs, context: &ProjectContext, ui: &mut Ui) -> Result<RunOutcome> {
    let requests =
        args.ports.iter().map(|text| parse_port_request(text)).collect::<Result<Vec<_>>>()?;
    let policy = match (args.public, args.private) {
        (true, _) => PortPolicy::Public,
        (_, true) => PortPolicy::Private,
        _ => PortPolicy::Keep,
    };
    if policy == PortPolicy::Keep && requests.is_empty() {
        return list::run(context, ui);
    }
    let mut request = PortsRequest {
        policy,
        requested: requests,
        live: !args.no_live,
        gitpod: args.gitpod,
        devcontainer: args.devcontainer,
        on_start: args.on_start,
        planned: Vec::new(),
    };
    let journal = context.journal(ui.redactor())?;
    let fresh = flow::settle(&journal, context, &args.write, ui)?;
    let context = fresh.as_ref().unwrap_or(context);
    let workspace = PortsWorkspace::of(context);
    workspace.look(Some(&request));
    let is_declined = flow::may_ask(&args.write, ui)
        && ask_for_files(&mut request, context, &workspace, ui)? == PortFiles::Declined;
    let plan = ports::plan_port_files(context, &request, &workspace)?;
    let decision =
        flow::decide(&journal, &plan, "Write these changes?", context.root(), &args.write, ui)?;
    if decision == PlanDecision::Write {
        let _interrupts = set_interrupt_mode(InterruptMode::Remember);
        journal.apply(&plan, "ports")?;
        flow::show_written_files(&plan, context.root(), ui);
    }
    if decision == PlanDecision::Nothing {
        ports::nothing_to_do(context, &request, &workspace)
            .into_iter()
            .for_each(|line| ui.say(line));
    }
    let mut done = ports::LiveChanges::default();
    if matches!(decision, PlanDecision::Write | PlanDecision::Nothing)
        && !args.write.check
        && !args.write.dry_run
    {
        let _interrupts = set_interrupt_mode(InterruptMode::Remember);
        let run = (&journal, "ports", &plan);
        done = ports::apply_live_visibility(context, Some(&request), &workspace, run, ui)?;
    }
    let mut document = flow::document(&plan, context.root(), ui);
    document["applied"] = json!(decision == PlanDecision::Write);
    document["live"] = json!(done.changed);
    document["not_forwarded"] = json!(done.not_forwarded);
    ui.document(&document)?;
    let is_refused = is_declined || !done.not_forwarded.is_empty();
    Ok(if is_refused { RunOutcome::No } else { flow::outcome(decision) })
}

/// The answer to whether a file for the ports may be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PortFiles {
    /// It may, or is not needed.
    Agreed,
    /// It may not, and no other file configures ports.
    Declined,
}

/// Asks for the files that no flag asks for: `.gitpod.yml`, and a command at each start of a codespace.
fn ask_for_files(
    request: &mut PortsRequest,
    context: &ProjectContext,
    workspace: &PortsWorkspace,
    ui: &mut Ui,
) -> Result<PortFiles> {
    let mut answer = PortFiles::Agreed;
    if ports::may_create_gitpod(context, request, workspace)? {
        let question = "No file here configures ports. Create .gitpod.yml, for Gitpod?";
        request.gitpod = ui.confirm(question, "--gitpod", DefaultAnswer::No)?;
        if !request.gitpod {
            answer = PortFiles::Declined;
        }
    }
    if ports::may_open_on_start(context, request, workspace)? {
        let question = "Open these ports again at each start of the codespace (a postStartCommand in devcontainer.json)?";
        request.on_start = ui.confirm(question, "--on-start", DefaultAnswer::No)?;
    }
    Ok(answer)
}

fn parse_port_request(text: &str) -> Result<PortRequest> {
    text.parse().map_err(|cause: String| {
        let message = format!("`{text}` is not PORT[=public|private][:NAME]");
        Error::new(ErrorCode::PortInvalid, message)
            .cause(cause)
            .hint("`cruddur-ops ports 3000=public:web`")
    })
}
