//! `requirement-versions`: pins that cannot be installed together.

use crate::edit::requirements::RequirementEntry;
use crate::lint::packages::RequirementsFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};
use crate::plan::instrument::catalogue::{VersionSet, python_catalogue};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-versions",
    severity: Severity::Error,
    why: "OpenTelemetry's packages require exact versions of each other, so pip finds no set that fits and installs nothing",
    explanation: "The API, the SDK and the exporters share a version 1.x; instrumentations, semantic conventions and the distro share \
        0.(x+21)b0: 1.44.0 goes with 0.65b0. Pin all of one set, or none.",
    failing: &[(
        "requirements.txt",
        "opentelemetry-api==1.18.0\nopentelemetry-sdk==1.17.0 # <-\nopentelemetry-instrumentation-flask==0.40b0 # <-\n",
    )],
    passing: &[(
        "requirements.txt",
        "opentelemetry-api==1.18.0\nopentelemetry-sdk==1.18.0\nopentelemetry-exporter-otlp==1.18.0\nopentelemetry-instrumentation-flask==0.39b0\n",
    )],
    check,
};

const CORE: [&str; 7] = [
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-proto",
    "opentelemetry-exporter-otlp",
    "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp-proto-grpc",
];

/// The first version for which the two version lines correspond.
const FIRST_PAIRED_MINOR: u32 = 33;

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    inspection.requirements.iter().flat_map(find_version_mismatches).collect()
}

fn find_version_mismatches(file: &RequirementsFile) -> Vec<RuleHit> {
    let mut sets =
        file.read.entries.iter().filter_map(|entry| Some((entry, find_version_set(entry)?)));
    let Some((first, expected)) = sets.next() else {
        return Vec::new();
    };
    let with_contrib =
        file.read.entries.iter().any(|entry| !is_core(entry) && find_version_set(entry).is_some());
    let alone = Some((first, expected.clone()))
        .into_iter()
        .filter(|(entry, _)| {
            with_contrib
                && entry
                    .pin
                    .as_ref()
                    .is_some_and(|pin| python_catalogue().without_contrib.contains(pin))
        })
        .map(|(entry, _)| (entry, "no instrumentation was released for this version".to_owned()));
    let others = sets.filter(|(_, set)| set.contrib_minor() != expected.contrib_minor()).map(
        |(entry, _)| {
            let right = if is_core(entry) { &expected.core } else { &expected.contrib };
            (entry, format!("{} goes with {right}", first.pin.as_deref().unwrap_or_default()))
        },
    );
    alone
        .chain(others)
        .map(|(entry, mismatch)| {
            RuleHit::new(
                &file.file,
                file.offset(entry.line),
                format!("{} {}: {mismatch}", entry.name, entry.pin.as_deref().unwrap_or_default()),
                "pin all of one set, or drop the pins",
            )
        })
        .collect()
}

fn is_core(entry: &RequirementEntry) -> bool {
    CORE.contains(&entry.name.as_str())
}

/// Returns the version set of a pinned OpenTelemetry package.
fn find_version_set(entry: &RequirementEntry) -> Option<VersionSet> {
    let pin = entry.pin.as_deref()?;
    let shares = [
        "opentelemetry-instrumentation",
        "opentelemetry-semantic-conventions",
        "opentelemetry-util-http",
        "opentelemetry-distro",
    ];
    let set = if is_core(entry) {
        VersionSet::of_core(pin)?
    } else if shares.iter().any(|name| entry.name.starts_with(name)) && !entry.name.ends_with("-ai")
    {
        VersionSet::of_contrib(pin)?
    } else {
        return None;
    };
    (set.contrib_minor() >= FIRST_PAIRED_MINOR).then_some(set)
}
