//! `requirement-twice`: a package listed on two lines.

use crate::edit::patch::TextPatch;
use crate::edit::requirements::RequirementEntry;
use crate::lint::packages::RequirementsFile;
use crate::lint::{Inspection, LintRule, RuleHit, Severity};

pub(super) static RULE: LintRule = LintRule {
    code: "requirement-twice",
    severity: Severity::Warning,
    why: "two lines for one package can ask for two versions, and then pip installs nothing",
    explanation: "pip accepts one package on two lines only while both agree; two pins that differ stop the build. \
        Lines that ask for different extras (`psycopg[binary]`, `psycopg[pool]`) or for different environments (`; \
        python_version …`) belong together and are not reported.",
    failing: &[("requirements.txt", "flask\nFlask # <-\nrollbar==1.0\nrollbar==1.1 # <-\n")],
    passing: &[(
        "requirements.txt",
        "flask\npsycopg[binary]\npsycopg[pool]\nx==1; python_version < '3.9'\nx==2; python_version >= '3.9'\n",
    )],
    check,
};

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    inspection.requirements.iter().flat_map(find_repeated_entries).collect()
}

fn find_repeated_entries(file: &RequirementsFile) -> Vec<RuleHit> {
    let mut hits = Vec::new();
    for (at, entry) in file.read.entries.iter().enumerate() {
        let qualified = |entry: &RequirementEntry| file.line(entry.line).contains(['[', ';']);
        let earlier = file.read.entries[..at].iter().find(|earlier| earlier.name == entry.name);
        let Some(earlier) = earlier.filter(|earlier| !qualified(earlier) && !qualified(entry))
        else {
            continue;
        };
        let hit = RuleHit::new(
            &file.file,
            file.offset(entry.line),
            format!("{} is already on line {}", entry.name, earlier.line),
            "keep one of the two",
        );
        let contradict = entry.pin.is_some() && earlier.pin.is_some() && entry.pin != earlier.pin;
        hits.push(match (contradict, entry.pin == earlier.pin && entry.bounds == earlier.bounds) {
            (true, _) => hit.as_severe_as(Severity::Error),
            (_, true) => match file.file.line_range(entry.line) {
                Some(line) => hit.fixed_by(vec![TextPatch::replace(line, "")]),
                None => hit,
            },
            _ => hit,
        });
    }
    hits
}
