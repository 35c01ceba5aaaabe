//! `xray-region`: a daemon without a region.

use crate::compose::ServiceCommand;
use crate::lint::inspection::has_unread_settings;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::provider::is_aws_region;

pub(super) static RULE: LintRule = LintRule {
    code: "xray-region",
    severity: Severity::Warning,
    why: "without a region X-Ray's daemon exits, and the segments sent to it are silently lost",
    explanation: "The daemon takes its region from -n, from AWS_REGION, or from EC2 and ECS; AWS_DEFAULT_REGION alone is not \
        enough. A region is spelt like `us-east-1` or `ca-central-1`.",
    failing: &[(
        "compose.yaml",
        "services:\n  xray-daemon: # <-\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_DEFAULT_REGION: us-east-1\n  other:\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_REGION: can-central-1 # <-\n",
    )],
    passing: &[(
        "compose.yaml",
        "services:\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_REGION: ${AWS_DEFAULT_REGION}\n  gov:\n    image: amazon/aws-xray-daemon\n    command: [\"-o\", \"-n\", \"us-gov-west-1\"]\n",
    )],
    check,
};

const OPTIONS: [&str; 5] = ["-n", "--region", "-region", "-c", "--config"];

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (model, service, scope) in inspection.daemon_scopes() {
        let has_option = service.command.as_ref().is_some_and(|command| match command {
            ServiceCommand::Line(line) => {
                line.split_whitespace().any(|word| OPTIONS.contains(&word))
            }
            ServiceCommand::Words(words) => {
                words.iter().any(|word| OPTIONS.contains(&word.as_str()))
            }
        });
        let is_silent = has_unread_settings(service) || has_option || service.image.is_none();
        let (file, at, message) = match scope.setting("AWS_REGION") {
            None if is_silent => continue,
            None => {
                let span = &service.name_span;
                let message = format!("{} has no AWS_REGION", service.name);
                (model.file(span), span.range.start, message)
            }
            Some(region) => {
                let value = region.resolved();
                if region.value.is_none() || value.contains('$') || is_aws_region(&value) {
                    continue;
                }
                (region.file, region.value_at, format!("AWS has no region `{value}`"))
            }
        };
        hits.push(RuleHit::new(
            file,
            at,
            message,
            "set AWS_REGION to a region such as `us-east-1`",
        ));
    }
    hits
}
