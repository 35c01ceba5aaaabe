//! Formats findings for people, for programs, and as GitHub annotations.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::lint::{
    self, Inspection, LintFinding, LintRule, SILENCE_FILE, Severity, SilencedCounts,
};
use crate::project::Project;
use crate::session::collect::repository_prefix;
use crate::shell::Shell;
use crate::ui::text::{count_columns, join_first_names};
use crate::ui::{PaintedLine, TextRole, Ui, line_without_secrets};

/// The findings of a run, and what it looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct DoctorReport<'a> {
    /// Findings that are not silenced.
    pub(super) findings: &'a [LintFinding],
    pub(super) inspection: &'a Inspection,
    pub(super) silenced: SilencedCounts,
}

/// Shows every finding, grouped by file: the most severe file first, the most severe finding in it first.
pub(super) fn show(examined: &DoctorReport<'_>, project: &Project, shell: &Shell, ui: &mut Ui) {
    let DoctorReport { findings, inspection, silenced } = *examined;
    let ordered = sort_findings(findings);
    let mut file = None;
    let mut explained = HashSet::new();
    for finding in &ordered {
        if file != Some(&finding.place.path) {
            ui.result(TextRole::Strong.paint(finding.place.path.display().to_string()));
            file = Some(&finding.place.path);
        }
        let why = explained.insert(finding.code).then_some(finding.why);
        print_finding(finding, why, ui);
    }
    if shell.var("GITHUB_ACTIONS") == Some("true") {
        print_annotations(findings, project, ui);
    }
    let paths = paths_read(inspection);
    ui.result_after("", &summarize_findings(findings, silenced, paths.len()), 2);
    ui.result_after("read: ", &join_first_names(&paths), 6);
    for unread in &inspection.unread {
        let path = inspection.shown(&unread.path).display();
        let text = format!("{path}, which was not checked any further: {}", unread.reason);
        ui.result_after("not read: ", &text, 10);
    }
    for text in project.passed_over() {
        ui.result_after("not read: ", &text, 10);
    }
    if lint::may_trace(inspection) == Some(false) {
        ui.result_text("no service sends traces yet: `cruddur-ops init` sets them up");
    }
}

/// Prints every finding as a GitHub workflow annotation.
pub(super) fn print_annotations(findings: &[LintFinding], project: &Project, ui: &mut Ui) {
    let prefix = repository_prefix(project);
    for finding in sort_findings(findings) {
        ui.log_command(&workflow_annotation(finding, &prefix));
    }
}

/// Returns the findings grouped by file: the most severe file first, the most severe finding in it first.
fn sort_findings(findings: &[LintFinding]) -> Vec<&LintFinding> {
    let mut ordered: Vec<&LintFinding> = findings.iter().collect();
    let mut worst: HashMap<&Path, Severity> = HashMap::new();
    for finding in findings {
        let worst_here = worst.entry(&finding.place.path).or_insert(finding.severity);
        *worst_here = finding.severity.max(*worst_here);
    }
    ordered.sort_by_cached_key(|finding| {
        let path = finding.place.path.as_path();
        (
            std::cmp::Reverse(worst.get(path)),
            path,
            std::cmp::Reverse(finding.severity),
            finding.place.line,
        )
    });
    ordered
}

/// Prints one finding; `why` is the rule's reason, unless it was printed before.
fn print_finding(finding: &LintFinding, why: Option<&str>, ui: &mut Ui) {
    let role = match finding.severity {
        Severity::Error => TextRole::Error,
        Severity::Warning => TextRole::Warning,
        Severity::Advice => TextRole::Hint,
    };
    let position = &finding.place;
    let label = role.paint(format!("{}[{}]:", finding.severity.word(), finding.code));
    let at = format!("  {}:{}:{}:", position.path.display(), position.line, position.column);
    let columns = count_columns(&at) + 1 + count_columns(&label.text());
    if ui.result_look.wraps && columns > ui.result_look.width {
        ui.result(at);
        ui.result_after(PaintedLine::from("    ") + label + " ", &finding.message, 4);
    } else {
        ui.result_after(PaintedLine::from(at) + " " + label + " ", &finding.message, 4);
    }
    if !position.text.trim().is_empty() {
        let shown = position.text.trim_start();
        let cut = position.text.chars().count() - shown.chars().count();
        let (shown, before) = ui.excerpt(position, cut);
        ui.result(format!("    | {shown}"));
        ui.result(PaintedLine::from(format!("    | {before}")) + role.paint("^"));
    }
    if let Some(why) = why {
        let head = PaintedLine::from("    ") + TextRole::Faint.paint("why:") + " ";
        ui.result_after(head, why, 9);
    }
    let by_us = if finding.fix.is_some() { " (`--fix` does this)" } else { "" };
    let head = PaintedLine::from("    ") + TextRole::Hint.paint("fix:") + " ";
    ui.result_after(head, &format!("{}{by_us}", finding.advice), 9);
}

fn summarize_findings(findings: &[LintFinding], silenced: SilencedCounts, files: usize) -> String {
    let silenced = describe_silenced(silenced);
    if findings.is_empty() {
        return format!("nothing found in {}{silenced}", count_findings(files, "file"));
    }
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let parts: Vec<String> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Advice, "advice")]
            .into_iter()
            .filter(|(severity, _)| of(*severity) > 0)
            .map(|(severity, word)| match severity {
                Severity::Advice => format!("{} {word}", of(severity)),
                _ => count_findings(of(severity), word),
            })
            .collect();
    let fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
    let offer = match fixable {
        0 => String::new(),
        count => format!("; `cruddur-ops doctor --fix` fixes {count}"),
    };
    format!("{}{offer}{silenced}", parts.join(", "))
}

fn describe_silenced(silenced: SilencedCounts) -> String {
    let by = |count: usize, cause: &str| match count {
        0 => String::new(),
        count => format!("; {count} {cause}"),
    };
    [
        by(silenced.by_arguments, "ignored by `--ignore`"),
        by(silenced.by_file, &format!("ignored by {SILENCE_FILE}")),
        by(silenced.by_severity, "hidden by `--min-severity`"),
    ]
    .concat()
}

/// Returns the paths of the files that were read, as shown to the user, those of docker compose first.
pub(super) fn paths_read(inspection: &Inspection) -> Vec<String> {
    let is_unread = |path: &Path| inspection.unread.iter().any(|unread| unread.path == path);
    let files = inspection.files().into_iter().filter(|file| !is_unread(&file.path));
    files.map(|file| inspection.shown(&file.path).display().to_string()).collect()
}

/// Returns the files that could not be read, and why, for `--json`.
pub(super) fn unread_files(inspection: &Inspection) -> Value {
    let unread = inspection.unread.iter();
    unread
        .map(|file| json!({"path": inspection.shown(&file.path), "reason": file.reason}))
        .collect()
}

fn count_findings(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Formats a finding as a workflow command:
/// <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.
fn workflow_annotation(finding: &LintFinding, prefix: &Path) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "notice",
    };
    let text = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |value: &str| text(value).replace(':', "%3A").replace(',', "%2C");
    let position = &finding.place;
    let link = lint::rule(finding.code)
        .and_then(LintRule::link)
        .map(|link| format!(" ({link})"))
        .unwrap_or_default();
    format!(
        "::{level} file={},line={},col={},title={}::{}",
        property(&prefix.join(&position.path).display().to_string()),
        position.line,
        position.column,
        property(finding.code),
        text(&format!("{}: {}{link}", finding.message, finding.advice))
    )
}

/// Returns the findings as JSON.
pub(super) fn document(findings: &[LintFinding]) -> Value {
    findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code,
                "severity": finding.severity,
                "path": finding.place.path,
                "line": finding.place.line,
                "column": finding.place.column,
                "text": line_without_secrets(&finding.place),
                "message": finding.message,
                "why": finding.why,
                "fix": finding.advice,
                "fixable": finding.fix.is_some(),
            })
        })
        .collect()
}
