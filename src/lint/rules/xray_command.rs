//! `xray-command`: options that X-Ray's daemon never sees.

use crate::edit::patch::Patch;
use crate::lint::{Hit, Rule, Severity, Subject};

pub(super) static RULE: Rule = Rule {
    code: "xray-command",
    severity: Severity::Advice,
    why: "the first word is no option, so the daemon stops reading and ignores all of them",
    explanation: "The image already starts `xray`; what `command` holds is appended. `xray -o -b …`, as one item or as a string, \
        makes `xray` the first argument, and Go's flag parser stops there. The daemon works all the same, because the \
        image binds 0.0.0.0:2000, but local mode (-o) is off and it looks for EC2's metadata. Write `command: [\"-o\"]`.",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (file, service) in subject.services().filter(|(_, service)| service.is_xray_daemon()) {
        let Some(command) = &service.command else {
            continue;
        };
        if command.words.first().is_none_or(|first| first.starts_with('-') && !first.contains(' '))
        {
            continue;
        }
        let hit = Hit::new(
            &file.file.path,
            command.at,
            "the daemon ignores these options",
            "write `command: [\"-o\"]`",
        );
        // Without a region, local mode would change where the daemon looks for one.
        hits.push(match service.setting("AWS_REGION") {
            Some(_) => hit.mended_by(replacement(&file.file.text, command.range.clone())),
            None => hit,
        });
    }
    hits
}

/// A block list is edited item by item: its own item keeps its dash and its comment.
fn replacement(text: &str, range: std::ops::Range<usize>) -> Vec<Patch> {
    let value = &text[range.clone()];
    let indent = value.len() - value.trim_start_matches(['-', ' ']).len();
    let is_block = value.starts_with("- ");
    if !is_block {
        return vec![Patch::replace(range, "[\"-o\"]")];
    }
    vec![Patch::replace(range.start + indent..range.end, "\"-o\"")]
}
