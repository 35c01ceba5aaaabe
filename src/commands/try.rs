//! `try`: runs the whole workflow on the bundled sample, offline, in a temporary folder, with the same code as the
//! commands.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use super::{RunOutcome, init, page, sample};
use crate::cli::{InitArgs, StoreName, TryArgs, WriteArgs};
use crate::error::{Error, ErrorCode, Result};
use crate::otlp::assembly::Trace;
use crate::otlp::span::OtlpSpan;
use crate::otlp::traffic;
use crate::prove::{self, ProjectStage, ProofRequest};
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::{TextRole, Ui, waterfall};

/// Runs `try`.
///
/// # Errors
/// Whatever makes `init` or `verify` fail.
pub(super) fn run(args: &TryArgs, shell: &Shell, ui: &mut Ui) -> Result<RunOutcome> {
    let folder = tempfile::Builder::new().prefix("cruddur-").tempdir().map_err(|error| {
        Error::new(ErrorCode::WriteFailed, "no temporary folder can be created").cause(error)
    })?;
    let project = folder.path().join("cruddur");
    sample::unpack(&project)?;
    show_try_heading("A sample project: a Flask backend, a React frontend, a database", ui);
    ui.say(format!("  in {}", project.display()));

    let (own_shell, shell) = (shell, isolated_shell(shell, folder.path(), &project));
    show_try_heading("cruddur-ops init --public", ui);
    let result = init::wire_services(&init_args(), &ProjectContext::find(&shell, None)?, ui)?;
    show_try_heading("cruddur-ops verify --local", ui);
    let context = ProjectContext::find(&shell, None)?;
    let request = ProofRequest::new(Vec::new(), ProjectStage::Running);
    let (report, traces) = prove::prove_locally(&request, &context, ui)?;
    for trace in &traces {
        ui.result("");
        for line in waterfall::draw(trace, &ui.result_pen(), ui.verbosity()) {
            ui.result(line);
        }
    }
    let kept_folder = keep_folder(args, folder, ui);
    show_try_heading("On a project of your own", ui);
    ui.say("  cruddur-ops init");
    let passed = report.passed;
    let mut document = json!({ "schema_version": 1, "kept": kept_folder, "init": result.document, "verify": report });
    if args.web {
        let with_address = |url: &str| {
            document["page"] = json!({ "url": url });
            document
        };
        page::show(with_traffic(traces), own_shell, with_address, ui)?;
    } else {
        ui.document(&document)?
    }
    Ok(match (result.outcome, passed) {
        (RunOutcome::Yes, true) => RunOutcome::Yes,
        _ => RunOutcome::No,
    })
}

/// Returns the spans of the test traces and of simulated requests to each service that sent one.
fn with_traffic(traces: Vec<Trace>) -> Vec<OtlpSpan> {
    let now_ns = page::since_1970(SystemTime::now());
    let mut spans: Vec<OtlpSpan> = traces.into_iter().flat_map(|trace| trace.spans).collect();
    let mut services: Vec<String> = spans.iter().map(|span| span.service().to_owned()).collect();
    services.dedup();
    spans.extend(services.iter().flat_map(|service| traffic::make(service, now_ns)));
    spans
}

/// Returns a shell without the user's settings: no key, no workspace, another home.
fn isolated_shell(shell: &Shell, home: &Path, project: &Path) -> Shell {
    let path = shell.raw("PATH").unwrap_or_default().to_owned();
    let variables = [("PATH".to_owned(), path), ("HOME".to_owned(), home.display().to_string())];
    Shell::new(variables, project.to_owned())
}

fn init_args() -> InitArgs {
    InitArgs {
        store: Some(StoreName::None),
        public: true,
        no_verify: true,
        write: WriteArgs { yes: true, ..WriteArgs::default() },
        ..InitArgs::default()
    }
}

/// Keeps the folder if requested, else deletes it.
fn keep_folder(args: &TryArgs, folder: tempfile::TempDir, ui: &mut Ui) -> Option<PathBuf> {
    if !args.keep {
        return None;
    }
    let path = folder.keep().join("cruddur");
    ui.say(format!("kept in {}", path.display()));
    Some(path)
}

fn show_try_heading(text: &str, ui: &mut Ui) {
    ui.say("");
    ui.say(TextRole::Strong.paint(text));
}
