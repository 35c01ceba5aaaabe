//! Doctor's rules: one file per rule in [`rules`], and what runs them over a project's files.
//!
//! Text in, findings out. Knows no files, no network and no value of a secret: what the shell, the stores and git say is
//! handed in as [`subject::Outside`].

mod belonging;
pub mod finding;
pub mod gitpod;
mod known;
pub mod packages;
pub mod rules;
pub mod services;
pub mod setting;
pub mod subject;
pub mod text;

use std::collections::HashMap;
use std::path::Path;

pub use finding::{Example, Finding, Fix, Hit, Rule, Severity};
pub use known::nearly;
pub use rules::RULES;
pub use subject::{Outside, Refused, Role, Standpoint, Subject};
pub use text::{Lines, Text};

/// The rule of this code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == code)
}

/// Everything that is wrong and that no comment silences, in the order of files and lines.
pub fn examine(subject: &Subject) -> Vec<Finding> {
    let mut lines = HashMap::new();
    for text in subject.texts() {
        lines.entry(text.path.as_path()).or_insert_with(|| Lines::of(text));
    }
    let mut findings: Vec<Finding> = RULES
        .iter()
        .flat_map(|rule| (rule.check)(subject).into_iter().map(move |hit| (*rule, hit)))
        .filter_map(|(rule, hit)| finding(&lines, rule, hit))
        .collect();
    findings.sort_by(|one, other| order(one).cmp(&order(other)));
    findings.dedup_by(|one, other| order(one) == order(other));
    findings
}

fn order(finding: &Finding) -> (&Path, usize, usize, &str) {
    let place = &finding.place;
    (&place.path, place.line, place.column, finding.code)
}

/// A hit with its place, unless a comment there silences it.
fn finding(lines: &HashMap<&Path, Lines<'_>>, rule: &Rule, hit: Hit) -> Option<Finding> {
    let nowhere = Text { path: hit.path.clone(), text: String::new() };
    let place = match lines.get(hit.path.as_path()) {
        Some(lines) => {
            let place = lines.place(hit.offset);
            if lines.silenced(place.line).contains(&rule.code) {
                return None;
            }
            place
        }
        None => Lines::of(&nowhere).place(0),
    };
    Some(Finding {
        code: rule.code,
        severity: hit.severity.unwrap_or(rule.severity),
        place,
        message: hit.message,
        why: rule.why,
        advice: hit.advice,
        fix: hit.fix,
    })
}

/// Every key that is written out in the subject's files, so that whoever shows a line can hide it.
pub fn keys(subject: &Subject) -> Vec<String> {
    let found = rules::secret_literal::literals(subject);
    found.into_iter().map(|found| found.value).collect()
}

/// The variables whose standing in the shell and the stores [`Outside`] should tell: keys that the project refers to,
/// and names that services would share.
pub fn asked(subject: &Subject) -> Vec<String> {
    let mut names = rules::outside::keys_referred_to(subject);
    names.extend(rules::name_in_shell::NAMES.map(str::to_owned));
    names
}

/// Whether some service sends traces, as far as the files say: one whose settings lie elsewhere may.
pub fn may_trace(subject: &Subject) -> bool {
    let told = |scope: &subject::Scope<'_>| rules::telemetry::is_told(scope.settings);
    subject.scopes().iter().any(told)
        || subject.every_service().any(|service| service.has_unseen_settings())
}

/// What a file is by its path below the project's folder, if doctor reads it.
///
/// Of the compose files in the folder the ones that docker compose finds by itself are judged; which of several it
/// takes is for the caller to say.
pub fn role(path: &Path) -> Option<Role> {
    const FOUND: [&str; 8] = [
        "compose.yaml",
        "compose.yml",
        "docker-compose.yml",
        "docker-compose.yaml",
        "compose.override.yml",
        "compose.override.yaml",
        "docker-compose.override.yml",
        "docker-compose.override.yaml",
    ];
    let name = path.file_name()?.to_str()?;
    let top = path.parent().is_some_and(|folder| folder.as_os_str().is_empty());
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    match name {
        _ if FOUND.contains(&name) => top.then_some(Role::Compose),
        _ if yaml && name.contains("compose") => top.then_some(Role::ComposeBeside),
        ".gitpod.yml" => top.then_some(Role::Gitpod),
        "devcontainer.json" | ".devcontainer.json" => Some(Role::Devcontainer),
        ".gitignore" => top.then_some(Role::Gitignore),
        ".env" => top.then_some(Role::Dotenv),
        "requirements.txt" => Some(Role::Requirements),
        "package.json" => Some(Role::Manifest),
        _ if name.ends_with(".py") => Some(Role::Python),
        _ if name.starts_with("Dockerfile") => Some(Role::Dockerfile),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
