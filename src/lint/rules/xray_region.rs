//! `xray-region`: a daemon that does not know where to send.

use crate::lint::{Hit, Rule, Severity, Subject};
use crate::provider::is_aws_region;

pub(super) static RULE: Rule = Rule {
    code: "xray-region",
    severity: Severity::Warning,
    why: "without a region X-Ray's daemon ends at once, and the segments sent to it are lost without a word",
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

fn check(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (file, service) in subject.services().filter(|(_, service)| service.is_xray_daemon()) {
        let region = service.setting("AWS_REGION");
        let by_option = service.command.as_ref().is_some_and(|command| {
            command.words.iter().any(|word| {
                matches!(word.as_str(), "-n" | "--region" | "-region" | "-c" | "--config")
            })
        });
        let (at, message) = match region {
            None if service.has_unseen_settings() || by_option || service.image.is_empty() => {
                continue;
            }
            None => (service.at, format!("{} has no AWS_REGION", service.name)),
            Some(region)
                if region.value.is_none()
                    || region.text().contains('$')
                    || is_aws_region(region.text()) =>
            {
                continue;
            }
            Some(region) => (region.value_at, format!("AWS has no region `{}`", region.text())),
        };
        hits.push(Hit::new(
            &file.file.path,
            at,
            message,
            "set AWS_REGION to a region such as `us-east-1`",
        ));
    }
    hits
}
