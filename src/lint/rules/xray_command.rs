//! `xray-command`: options that the X-Ray daemon never receives.

use crate::compose::ServiceCommand;
use crate::edit::patch::TextPatch;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "xray-command",
    severity: Severity::Advice,
    why: "the first word is not an option, so the daemon stops parsing and ignores all options",
    explanation: "The image already starts `xray`; `command` is appended to that. `xray -o -b …`, as one item or as \
        a string, makes `xray` the first argument, and Go's flag parser stops there. The daemon works all the same, \
        because the image binds 0.0.0.0:2000, but local mode (-o) is off and it looks for EC2's metadata. Write \
        `command: [\"-o\"]`.",
    failing: &[(
        "compose.yaml",
        "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n    command:\n      - \"xray -o -b xray-daemon:2000\" # <-\n  other:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n    command: xray -o # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment: {AWS_REGION: us-east-1}\n    command: [\"-o\"]\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (model, service, scope) in inspection.daemon_scopes() {
        let (Some(command), Some(span)) = (&service.command, &service.command_span) else {
            continue;
        };
        let first = match command {
            ServiceCommand::Line(line) => line.split_whitespace().next(),
            ServiceCommand::Words(words) => words.first().map(String::as_str),
        };
        if first.is_none_or(|first| first.starts_with('-') && !first.contains(' ')) {
            continue;
        }
        let written = model.text(span);
        let lead = written.len() - written.trim_start_matches(['-', '[', ' ']).len();
        let hit = RuleHit::new(
            model.file(span),
            span.range.start + lead,
            "the daemon ignores these options",
            "write `command: [\"-o\"]`",
        );
        // Without a region, local mode would change where the daemon looks for one.
        hits.push(match scope.setting("AWS_REGION") {
            Some(_) => hit.fixed_by(patch_command(written, span.range.clone())),
            None => hit,
        });
    }
    hits
}

/// Replaces the options; in a block list only the item, which keeps its dash and comment.
fn patch_command(value: &str, range: std::ops::Range<usize>) -> Vec<TextPatch> {
    let indent = value.len() - value.trim_start_matches(['-', ' ']).len();
    let is_block = value.starts_with("- ");
    if !is_block {
        return vec![TextPatch::replace(range, "[\"-o\"]")];
    }
    vec![TextPatch::replace(range.start + indent..range.end, "\"-o\"")]
}
