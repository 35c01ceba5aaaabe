//! A verdict as a person reads it: a block per service, a line per rung, and a last line that claims no more.

use super::painted::Painted;
use super::text::{Pen, wrap};
use super::{Look, Role, Ui};
use crate::otlp::{AddonVerdict, Check, Proven, Report, Rung, ServiceVerdict, Status};

impl Ui {
    /// Shows the verdicts on stdout.
    pub fn verdict(&mut self, report: &Report) {
        let pen = self.result_pen();
        let services = report.services.iter().map(|verdict| block(verdict, &pen));
        let addons = report.addons.iter().map(|verdict| beside(verdict, &pen));
        for (at, lines) in services.chain(addons).enumerate() {
            if at > 0 {
                self.result("");
            }
            for line in lines {
                self.result(line);
            }
        }
    }
}

fn block(verdict: &ServiceVerdict, pen: &Pen) -> Vec<Painted> {
    let mut head = Role::Strong.paint(pen.show(&verdict.service));
    if verdict.name != verdict.service {
        head = head + " as " + pen.show(&verdict.name);
    }
    if let (Some(endpoint), Some(protocol)) = (&verdict.endpoint, verdict.protocol) {
        head = head + Role::Faint.paint(format!("  {}  {protocol}", pen.show(endpoint)));
    }
    with_rungs(head, verdict, closing(verdict), pen)
}

/// What a service reports to besides.
fn beside(addon: &AddonVerdict, pen: &Pen) -> Vec<Painted> {
    let verdict = &addon.verdict;
    let mut head = Role::Strong.paint(pen.show(&verdict.service));
    head = head + " to " + &addon.title;
    if let Some(endpoint) = &verdict.endpoint {
        head = head + Role::Faint.paint(format!("  {}", pen.show(endpoint)));
    }
    let proven = match (verdict.proven, verdict.code) {
        (Proven::None, None) => "not proven from here",
        (Proven::Reachable, None) => "sent, and nobody can say more",
        (proven, _) => words(proven),
    };
    with_rungs(head, verdict, judged(proven, verdict), pen)
}

fn with_rungs(
    head: Painted,
    verdict: &ServiceVerdict,
    closing: Painted,
    pen: &Pen,
) -> Vec<Painted> {
    let mut lines = vec![head];
    for check in &verdict.checks {
        lines.extend(rung(check, pen));
    }
    lines.push(Painted::from("  ") + closing);
    lines
}

fn rung(check: &Check, pen: &Pen) -> Vec<Painted> {
    let look = &pen.look;
    let (mark, role) = mark(check.status, look);
    let name = format!("{:<15}", name(check.rung));
    let indent = 2 + mark.chars().count() + 1 + name.len() + 1;
    let room = look.width.saturating_sub(indent).max(30);
    let mut lines = Vec::new();
    for (at, part) in wrap(&pen.redactor.show(&check.evidence), room).into_iter().enumerate() {
        lines.push(match at {
            0 => Painted::from("  ") + role.paint(mark) + format!(" {name} {part}"),
            _ => format!("{:indent$}{part}", "").into(),
        });
    }
    if let Some(hint) = &check.hint {
        let room = room.saturating_sub(6).max(30);
        for (at, part) in wrap(&pen.redactor.show(hint), room).iter().enumerate() {
            lines.push(match at {
                0 => Painted::from(" ".repeat(indent)) + Role::Hint.paint("hint:") + " " + part,
                _ => format!("{:indent$}      {part}", "").into(),
            });
        }
    }
    lines
}

fn mark(status: Status, look: &Look) -> (&'static str, Role) {
    match (status, look.unicode) {
        (Status::Pass, true) => ("✓", Role::Good),
        (Status::Pass, false) => ("ok  ", Role::Good),
        (Status::Warn, true) => ("!", Role::Warning),
        (Status::Warn, false) => ("warn", Role::Warning),
        (Status::Fail, true) => ("✗", Role::Error),
        (Status::Fail, false) => ("FAIL", Role::Error),
        (Status::Skip, true) => ("-", Role::Faint),
        (Status::Skip, false) => ("-   ", Role::Faint),
    }
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
fn closing(verdict: &ServiceVerdict) -> Painted {
    let line = judged(words(verdict.proven), verdict);
    match &verdict.link {
        Some(link) => line + ": " + Painted::link(link),
        None => line,
    }
}

fn words(proven: Proven) -> &'static str {
    match proven {
        Proven::None | Proven::Reachable => "not delivered",
        Proven::Accepted => "accepted, not yet seen",
        Proven::DatasetWritten => "accepted, and something arrived since",
        Proven::Queryable => "delivered: our own trace was found",
    }
}

fn judged(proven: &str, verdict: &ServiceVerdict) -> Painted {
    match verdict.code {
        None => Role::Good.paint(proven),
        Some(code) => Role::Error.paint(code.as_str()) + format!(": {proven}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;

    #[test]
    fn what_was_only_accepted_is_not_called_delivered() {
        let mut verdict = ServiceVerdict::new("backend-flask", "backend");
        verdict.prove(Proven::Accepted);
        verdict.link = Some("https://ui.example/trace".to_owned());
        verdict.check(Check::new(Rung::Accepted, Status::Pass, "taken"));
        let pen = Pen::new(Look::plain(), &Redactor::default());
        let lines: Vec<String> = block(&verdict, &pen).iter().map(Painted::text).collect();
        assert_eq!(
            lines,
            [
                "backend-flask as backend",
                "  ok   accepted        taken",
                "  accepted, not yet seen: https://ui.example/trace",
            ]
        );
    }
}
