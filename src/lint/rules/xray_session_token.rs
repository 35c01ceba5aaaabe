//! `xray-session-token`: an X-Ray daemon with temporary AWS keys but no session token.

use crate::compose::find_references;
use crate::edit::patch::TextPatch;
use crate::lint::scope::{ProgramVariables, VariableAssignment};
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "xray-session-token",
    severity: Severity::Error,
    why: "AWS rejects each request of the daemon, and no segment is stored",
    explanation: "Temporary keys, from SSO, an assumed role or AWS Academy, have an AWS_ACCESS_KEY_ID that begins with ASIA and work only together \
        with their AWS_SESSION_TOKEN. The daemon's environment must contain all three variables.",
    failing: &[
        (
            "compose.yaml",
            "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_ACCESS_KEY_ID: \"${AWS_ACCESS_KEY_ID}\" # <-\n      AWS_SECRET_ACCESS_KEY: \"${AWS_SECRET_ACCESS_KEY}\"\n      AWS_REGION: us-east-1\n",
        ),
        ("(shell)", "AWS_ACCESS_KEY_ID temporary\n"),
    ],
    passing: &[
        (
            "compose.yaml",
            "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment:\n      - AWS_ACCESS_KEY_ID\n      - AWS_SECRET_ACCESS_KEY\n      - AWS_SESSION_TOKEN\n      - AWS_REGION=us-east-1\n",
        ),
        ("(store)", "AWS_ACCESS_KEY_ID keyring\nAWS_SECRET_ACCESS_KEY keyring\n"),
        ("(shell)", "AWS_ACCESS_KEY_ID temporary\n"),
    ],
    check,
};

/// The variable with the ID of a key.
const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The variable that a temporary key needs too.
const TOKEN: &str = "AWS_SESSION_TOKEN";

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let daemons = inspection.daemon_scopes();
    let hits = daemons.filter_map(|(_, service, scope)| {
        let key = scope.setting(KEY_ID)?;
        if scope.setting(TOKEN).is_some() || !is_temporary(inspection, key) {
            return None;
        }
        let message =
            format!("{KEY_ID} belongs to a temporary key, and {} gets no {TOKEN}", service.name);
        let advice = format!("add `{TOKEN}: \"${{{TOKEN}}}\"` to its environment");
        let hit = RuleHit::new(key.file, key.name_range.start, message, advice);
        Some(match same_line_for_token(&scope, key) {
            Some(patch) => hit.fixed_by(vec![patch]),
            None => hit,
        })
    });
    hits.collect()
}

/// Returns whether the daemon is known to get a temporary key.
fn is_temporary(inspection: &Inspection, key: &VariableAssignment<'_>) -> bool {
    let outside = inspection.outside.as_ref();
    let in_shell = outside.is_some_and(|outside| outside.temporary_keys);
    let refers = key.value.is_none()
        || find_references(key.text()).iter().any(|reference| reference.name == KEY_ID);
    is_temporary_id(&key.resolved()) || in_shell && refers
}

/// Returns whether an AWS access key ID belongs to a temporary key.
pub(in crate::lint) fn is_temporary_id(id: &str) -> bool {
    id.starts_with("ASIA")
}

/// Returns a patch that repeats the key's line for the token, if the line only refers to the variable of the same name.
fn same_line_for_token(
    scope: &ProgramVariables<'_>,
    key: &VariableAssignment<'_>,
) -> Option<TextPatch> {
    let file = key.file;
    let number = file.place(key.name_range.start).line;
    let (_, line) = file.line(number)?;
    let range = file.line_range(number)?;
    let whole = file.text.get(range.clone())?;
    let refers = key.value.is_none() || key.text() == format!("${{{KEY_ID}}}");
    let others = scope.assignments.iter().filter(|assignment| assignment.file.path == file.path);
    let on_line =
        others.filter(|assignment| file.place(assignment.name_range.start).line == number).count();
    let is_flow = line.replace("${", "").contains(['{', '[', '&', '*']);
    let is_plain = refers && on_line == 1 && !is_flow && whole.ends_with('\n');
    is_plain.then(|| TextPatch::insert(range.end, whole.replace(KEY_ID, TOKEN)))
}
