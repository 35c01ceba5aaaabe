//! A verdict as a person reads it: a block per service, a line per rung, and a last line that claims no more.

use super::text::{printable, wrap};
use super::{Look, Role, Ui};
use crate::otlp::{AddonVerdict, Check, Proven, Report, Rung, ServiceVerdict, Status};

impl Ui {
    /// Shows the verdicts on stdout.
    pub fn verdict(&mut self, report: &Report) {
        let look = self.result_look;
        let report = self.hidden(report);
        let services = report.services.iter().map(|verdict| block(verdict, &look));
        let addons = report.addons.iter().map(|verdict| beside(verdict, &look));
        for (at, lines) in services.chain(addons).enumerate() {
            if at > 0 {
                self.result("");
            }
            for line in lines {
                self.result(line);
            }
        }
    }

    /// `report` without any secret in what is to be broken over lines, where none is recognised any more.
    fn hidden(&self, report: &Report) -> Report {
        let mut report = report.clone();
        let hide = |text: &mut String| *text = self.redactor.redact(text).into_owned();
        let addons = report.addons.iter_mut().map(|addon| &mut addon.verdict);
        let all = report.services.iter_mut().chain(addons);
        for check in all.flat_map(|verdict| &mut verdict.checks) {
            hide(&mut check.evidence);
            check.hint.iter_mut().for_each(hide);
        }
        report
    }
}

fn block(verdict: &ServiceVerdict, look: &Look) -> Vec<String> {
    let mut head = look.paint(Role::Strong, &printable(&verdict.service, look));
    if verdict.name != verdict.service {
        head += &format!(" as {}", printable(&verdict.name, look));
    }
    if let (Some(endpoint), Some(protocol)) = (&verdict.endpoint, verdict.protocol) {
        head += &look.paint(Role::Faint, &format!("  {endpoint}  {protocol}"));
    }
    with_rungs(head, verdict, closing(verdict, look), look)
}

/// What a service reports to besides.
fn beside(addon: &AddonVerdict, look: &Look) -> Vec<String> {
    let verdict = &addon.verdict;
    let mut head = look.paint(Role::Strong, &printable(&verdict.service, look));
    head += &format!(" to {}", addon.title);
    if let Some(endpoint) = &verdict.endpoint {
        head += &look.paint(Role::Faint, &format!("  {endpoint}"));
    }
    let proven = match (verdict.proven, verdict.code) {
        (Proven::None, None) => "not proven from here",
        (Proven::Reachable, None) => "sent, and nobody can say more",
        (proven, _) => words(proven),
    };
    let closing = judged(proven, verdict, look);
    with_rungs(head, verdict, closing, look)
}

fn with_rungs(head: String, verdict: &ServiceVerdict, closing: String, look: &Look) -> Vec<String> {
    let mut lines = vec![head];
    for check in &verdict.checks {
        lines.extend(rung(check, look));
    }
    lines.push(format!("  {closing}"));
    lines
}

fn rung(check: &Check, look: &Look) -> Vec<String> {
    let (mark, role) = match (check.status, look.unicode) {
        (Status::Pass, true) => ("✓   ", Role::Good),
        (Status::Pass, false) => ("ok  ", Role::Good),
        (Status::Warn, true) => ("!   ", Role::Warning),
        (Status::Warn, false) => ("warn", Role::Warning),
        (Status::Fail, true) => ("✗   ", Role::Error),
        (Status::Fail, false) => ("FAIL", Role::Error),
        (Status::Skip, _) => ("-   ", Role::Faint),
    };
    let mark = match look.unicode {
        true => &mark[..mark.len() - 3],
        false => mark,
    };
    let name = format!("{:<15}", name(check.rung));
    let indent = 2 + mark.chars().count() + 1 + name.len() + 1;
    let room = look.width.saturating_sub(indent).max(30);
    let mut lines = Vec::new();
    for (at, part) in wrap(&check.evidence, room).into_iter().enumerate() {
        lines.push(match at {
            0 => format!("  {} {name} {part}", look.paint(role, mark)),
            _ => format!("{:indent$}{part}", ""),
        });
    }
    if let Some(hint) = &check.hint {
        let label = look.paint(Role::Hint, "hint:");
        for (at, part) in wrap(hint, room.saturating_sub(6).max(30)).iter().enumerate() {
            lines.push(match at {
                0 => format!("{:indent$}{label} {part}", ""),
                _ => format!("{:indent$}      {part}", ""),
            });
        }
    }
    lines
}

fn name(rung: Rung) -> &'static str {
    match rung {
        Rung::Configured => "configured",
        Rung::Reachable => "reachable",
        Rung::Accepted => "accepted",
        Rung::Whose => "whose",
        Rung::DatasetWritten => "dataset-written",
        Rung::Queryable => "queryable",
    }
}

/// What was proven, and nothing above it.
fn closing(verdict: &ServiceVerdict, look: &Look) -> String {
    let mut line = judged(words(verdict.proven), verdict, look);
    if let Some(link) = &verdict.link {
        line += &format!(": {}", look.link(link, link));
    }
    line
}

fn words(proven: Proven) -> &'static str {
    match proven {
        Proven::None | Proven::Reachable => "not delivered",
        Proven::Accepted => "accepted, not yet seen",
        Proven::DatasetWritten => "accepted, and something arrived since",
        Proven::Queryable => "delivered: our own trace was found",
    }
}

fn judged(proven: &str, verdict: &ServiceVerdict, look: &Look) -> String {
    match verdict.code {
        None => look.paint(Role::Good, proven),
        Some(code) => {
            let code = look.paint(Role::Error, code.as_str());
            format!("{code}: {proven}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_accepted_is_not_called_delivered() {
        let mut verdict = ServiceVerdict::new("backend-flask", "backend");
        verdict.prove(Proven::Accepted);
        verdict.link = Some("https://ui.example/trace".to_owned());
        verdict.check(Check::new(Rung::Accepted, Status::Pass, "taken"));
        let lines = block(&verdict, &Look::plain());
        assert_eq!(
            lines,
            [
                "backend-flask as backend",
                "  ok   accepted        taken",
                "  accepted, not yet seen: https://ui.example/trace",
            ]
        );
    }

    #[test]
    fn long_evidence_is_broken_at_spaces() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
    }
}
