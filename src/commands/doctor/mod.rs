//! `doctor`: finds mistakes in the setup, and mends the safe ones.

mod explain;
mod repair;
mod report;

use serde_json::{Value, json};

use super::Outcome;
use super::flow::{self, Decision};
use crate::cli::DoctorArgs;
use crate::error::Result;
use crate::lint::{self, Finding, Severity};
use crate::plan::Plan;
use crate::prove::{self, ProofRequest, Stage};
use crate::session::collect::collect;
use crate::session::context::ProjectContext;
use crate::shell::Shell;
use crate::ui::Ui;
use crate::ui::interrupt::{Mode, during};

/// Runs `doctor`; `place` is asked for where a project is looked at.
///
/// # Errors
/// `no-compose-file`, `unreadable-file`, `unknown-rule`; under `--fix` what keeps a plan from being written.
pub(super) fn run<'a>(
    args: &DoctorArgs,
    shell: &Shell,
    place: impl Fn() -> Result<ProjectContext<'a>>,
    ui: &mut Ui,
) -> Result<Outcome> {
    if let Some(code) = &args.explain {
        return explain::explain(code, ui);
    }
    let place = place()?;
    if args.fix {
        return mend(args, shell, place, ui);
    }
    let collected = collect(&place, ui)?;
    let subject = collected.subject();
    let findings = lint::examine(&subject);
    report::show(&findings, &subject, &collected, shell, ui);
    finish(args, &place, &findings, json!({}), ui)
}

/// Plans the safe edits, writes them after the yes, and shows what is left.
fn mend(
    args: &DoctorArgs,
    shell: &Shell,
    place: ProjectContext<'_>,
    ui: &mut Ui,
) -> Result<Outcome> {
    let journal = place.journal(ui.redactor())?;
    let place = flow::settle(&journal, &place, &args.write, ui)?.unwrap_or(place);
    let collected = collect(&place, ui)?;
    let repaired = repair::repair(&collected);
    let plan = Plan { changes: repaired.changes(&collected, place.root()), ..Plan::default() };
    place.prove_loads(&plan)?;
    let decision =
        flow::decide(&journal, &plan, None, "Write these changes?", place.root(), &args.write, ui)?;
    let mut left = collected;
    match decision {
        Decision::Write => {
            let _whole = during(Mode::Remember);
            journal.apply(&plan, "doctor --fix")?;
            flow::written(&plan, place.root(), ui);
            left = repaired.after;
        }
        Decision::Nothing => ui.say("nothing that can be mended safely"),
        Decision::Shown | Decision::Pending | Decision::Declined => {}
    }
    let subject = left.subject();
    let findings = lint::examine(&subject);
    report::show(&findings, &subject, &left, shell, ui);
    let mut document = flow::document(&plan, place.root(), ui);
    document["applied"] = json!(decision == Decision::Write);
    match decision {
        Decision::Shown | Decision::Pending | Decision::Declined => {
            finish(args, &place, &findings, document, ui)?;
            Ok(flow::outcome(decision))
        }
        Decision::Write | Decision::Nothing => finish(args, &place, &findings, document, ui),
    }
}

/// Proves what can only be proven online, gives the document, and says how it ended.
fn finish(
    args: &DoctorArgs,
    place: &ProjectContext,
    findings: &[Finding],
    mut document: Value,
    ui: &mut Ui,
) -> Result<Outcome> {
    let counted = match args.strict {
        true => Severity::Warning,
        false => Severity::Error,
    };
    let mut passed = findings.iter().all(|finding| finding.severity < counted);
    let mut online = None;
    if args.online {
        let report = prove::prove(&ProofRequest::new(Vec::new(), Stage::Written), place, ui)?;
        passed &= report.passed;
        online = Some(report);
    }
    document["schema_version"] = json!(1);
    document["findings"] = report::document(findings);
    document["verify"] = json!(online);
    ui.document(&document)?;
    Ok(if passed { Outcome::Yes } else { Outcome::No })
}
