//! `doctor`: finds mistakes in the setup, and fixes the safe ones.

mod explain;
mod repair;
mod report;
mod sarif;

use std::path::Path;

use serde_json::{Value, json};

use super::RunOutcome;
use super::flow::{self, PlanDecision};
use crate::cli::{DoctorArgs, FindingsFormat, GlobalOptions, LeastSeverity};
use crate::error::{Error, ErrorCode, Result};
use crate::lint::{self, RuleSilence, SILENCE_FILE, Severity, SilencedCounts};
use crate::plan::Plan;
use crate::prove::{self, ProjectStage, ProofRequest};
use crate::session::collect::collect_inspection;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;
use crate::ui::interrupt::{InterruptMode, set_interrupt_mode};
use report::DoctorReport;

/// Runs `doctor`. Without a compose file, checks the project's other files before it returns the error.
///
/// # Errors
/// `no-compose-file`, `unreadable-file`, `unknown-rule`; under `--fix`, whatever keeps a plan from being written.
pub(super) fn run(
    args: &DoctorArgs,
    global: &GlobalOptions,
    shell: &Shell,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    if let Some(code) = &args.explain {
        return explain::explain(code, ui);
    }
    if args.list {
        return explain::list(ui);
    }
    if matches!(args.format, FindingsFormat::Json | FindingsFormat::Sarif) {
        ui.answer_as_json();
    }
    let directory = global.directory.as_deref();
    let context = match ProjectContext::find(shell, directory) {
        Err(error) if error.code == ErrorCode::NoComposeFile && !args.fix => {
            look_without_compose(&error, shell, directory, ui)?;
            return Err(error);
        }
        found => found?,
    };
    if args.fix {
        return apply_safe_fixes(args, shell, context, ui);
    }
    let silence = select_silenced_rules(args, &context)?;
    let inspection = collect_inspection(&context, ui)?;
    let mut found = lint::examine(&inspection);
    if found.iter().any(|finding| finding.fix.is_some()) {
        let repaired = repair::repair(&context.project, inspection.clone(), found.clone());
        found = repair::keep_planned_fixes(found, &repaired.findings);
    }
    let (findings, silenced) = silence.apply(found);
    let shown = DoctorReport { findings: &findings, inspection: &inspection, silenced };
    if args.format == FindingsFormat::Github {
        report::print_annotations(&findings, &context.project, ui);
    } else {
        report::show(&shown, &context.project, shell, ui);
    }
    report_findings(args, &context, &shown, json!({}), ui)
}

/// Reads the rules and severities to leave out, from the flags and the project's file.
fn select_silenced_rules(args: &DoctorArgs, context: &ProjectContext) -> Result<RuleSilence> {
    let file = context.project.source(SILENCE_FILE)?;
    let least = match args.min_severity {
        LeastSeverity::Error => Severity::Error,
        LeastSeverity::Warning => Severity::Warning,
        LeastSeverity::Advice => Severity::Advice,
    };
    RuleSilence::read(&args.ignore, file.as_ref().map(|file| &*file.text), least)
}

/// Shows the findings in a folder without a compose file; nothing if the folder is not a project at all.
fn look_without_compose(
    error: &Error,
    shell: &Shell,
    directory: Option<&Path>,
    ui: &mut Ui,
) -> Result<()> {
    let Ok(context) = ProjectContext::without_compose(shell, directory) else { return Ok(()) };
    let project = &context.project;
    let is_project = !project.compose_files_here().is_empty()
        || project.gitpod.is_some()
        || project.devcontainer.is_some()
        || matches!(project.source("requirements.txt"), Ok(Some(_)));
    if !is_project {
        return Ok(());
    }
    let inspection = collect_inspection(&context, ui)?;
    let mut findings = lint::examine(&inspection);
    // `--fix` requires a compose file.
    findings.iter_mut().for_each(|finding| finding.fix = None);
    let silenced = SilencedCounts::default();
    let shown = DoctorReport { findings: &findings, inspection: &inspection, silenced };
    if !report::paths_read(&inspection).is_empty() {
        report::show(&shown, &context.project, shell, ui);
    }
    ui.document(&json!({
        "schema_version": 1,
        "error": error,
        "findings": report::document(&findings),
        "files": report::paths_read(&inspection),
        "unread": report::unread_files(&inspection),
    }))
}

/// Plans the safe fixes, writes them after confirmation, and shows what is left.
fn apply_safe_fixes(
    args: &DoctorArgs,
    shell: &Shell,
    context: ProjectContext<'_>,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let journal = context.journal(ui.redactor())?;
    let context = flow::settle(&journal, &context, &args.write, ui)?.unwrap_or(context);
    let silence = select_silenced_rules(args, &context)?;
    let inspection = collect_inspection(&context, ui)?;
    let found = lint::examine(&inspection);
    let repaired = repair::repair(&context.project, inspection.clone(), found.clone());
    let plan = Plan { changes: repaired.changes(&context.project), ..Plan::default() };
    context.prove_loads(&plan)?;
    let decision =
        flow::decide(&journal, &plan, "Write these changes?", context.root(), &args.write, ui)?;
    let (mut left, mut found) = (inspection, found);
    match decision {
        PlanDecision::Write => {
            let _interrupts = set_interrupt_mode(InterruptMode::Remember);
            journal.apply(&plan, "doctor --fix")?;
            flow::show_written_files(&plan, context.root(), ui);
            (left, found) = (repaired.after.clone(), repaired.findings.clone());
        }
        PlanDecision::Nothing => ui.say("nothing that can be fixed safely"),
        PlanDecision::Shown | PlanDecision::Pending | PlanDecision::Declined => {}
    }
    let found = repair::keep_planned_fixes(found, &repaired.findings);
    let (findings, silenced) = silence.apply(found);
    let shown = DoctorReport { findings: &findings, inspection: &left, silenced };
    report::show(&shown, &context.project, shell, ui);
    let mut document = flow::document(&plan, context.root(), ui);
    document["applied"] = json!(decision == PlanDecision::Write);
    match decision {
        PlanDecision::Shown | PlanDecision::Pending | PlanDecision::Declined => {
            report_findings(args, &context, &shown, document, ui)?;
            Ok(flow::outcome(decision))
        }
        PlanDecision::Write | PlanDecision::Nothing => {
            report_findings(args, &context, &shown, document, ui)
        }
    }
}

/// Runs the checks that need the network, prints the document, and returns the outcome.
fn report_findings(
    args: &DoctorArgs,
    context: &ProjectContext,
    shown: &DoctorReport<'_>,
    mut document: Value,
    ui: &mut Ui,
) -> Result<RunOutcome> {
    let DoctorReport { findings, inspection, silenced } = *shown;
    let counted = if args.strict { Severity::Warning } else { Severity::Error };
    let mut passed = findings.iter().all(|finding| finding.severity < counted);
    let mut online = None;
    if args.online {
        let report =
            prove::prove(&ProofRequest::new(Vec::new(), ProjectStage::Written), context, ui)?;
        passed &= report.passed;
        online = Some(report);
    }
    if args.format == FindingsFormat::Sarif {
        ui.document(&sarif::log(findings, &context.project))?;
        return Ok(if passed { RunOutcome::Yes } else { RunOutcome::No });
    }
    document["schema_version"] = json!(1);
    document["silenced"] = json!(silenced.by_arguments + silenced.by_file);
    document["findings"] = report::document(findings);
    document["files"] = json!(report::paths_read(inspection));
    document["unread"] = report::unread_files(inspection);
    document["verify"] = json!(online);
    ui.document(&document)?;
    Ok(if passed { RunOutcome::Yes } else { RunOutcome::No })
}
