//! Draws verdicts for people: one line for a service without problems, each cause once, and a summary.
//!
//! Under `-v`, every rung of every service is shown.

mod block;
mod project;

use super::painted::Painted;
use super::text::{Pen, count, wrap};
use super::{Role, Ui, Verbosity};
use crate::otlp::{
    AddonVerdict, Check, Code, OrdinaryRequest, ProofMode, Proven, Report, ServiceVerdict, Status,
};

use block::{draw_block, draw_rung, mark};

impl Ui {
    /// Shows the verdicts on stdout.
    pub fn verdict(&mut self, report: &Report) {
        let pen = self.result_pen();
        if report.mode == ProofMode::Local {
            self.result(Role::Strong.paint(LOCAL));
        }
        let entries = entries(report, &pen);
        let lines = match self.verbosity() {
            Verbosity::Verbose => in_full(&entries, &pen),
            Verbosity::Normal | Verbosity::Quiet => in_short(&entries, &pen),
        };
        if report.mode == ProofMode::Project {
            for line in project::draw_table(report, &pen) {
                self.result(line);
            }
        }
        for line in lines {
            self.result(line);
        }
        if let Some(line) = last_line(report) {
            self.result("");
            self.result(line);
        }
    }
}

/// The heading of verdicts for which nothing left this machine.
const LOCAL: &str =
    "local: a receiver inside this program replaces every provider; nothing leaves this machine";

/// A verdict with its name and summary.
struct VerdictEntry<'a> {
    verdict: &'a ServiceVerdict,
    name: Painted,
    /// Text after the name, if there is room.
    place: Painted,
    closing: Painted,
    /// Whether it has a row in the table above.
    in_table: bool,
}

fn entries<'a>(report: &'a Report, pen: &Pen) -> Vec<VerdictEntry<'a>> {
    let services = report.services.iter().map(|verdict| VerdictEntry {
        verdict,
        name: service_name(verdict, pen),
        place: match (&verdict.endpoint, verdict.protocol) {
            (Some(endpoint), Some(protocol)) => {
                Role::Faint.paint(format!("  {}  {protocol}", pen.show(endpoint)))
            }
            _ => Painted::default(),
        },
        closing: closing(report.mode, verdict),
        in_table: report.mode == ProofMode::Project,
    });
    let addons = report.addons.iter().map(|addon| addon_entry(addon, pen));
    services.chain(addons).collect()
}

fn service_name(verdict: &ServiceVerdict, pen: &Pen) -> Painted {
    let name = Role::Strong.paint(pen.show(&verdict.service));
    match verdict.name == verdict.service {
        true => name,
        false => name + " as " + pen.show(&verdict.name),
    }
}

/// Returns the entry of an addon.
fn addon_entry<'a>(addon: &'a AddonVerdict, pen: &Pen) -> VerdictEntry<'a> {
    let verdict = &addon.verdict;
    let proven = match (verdict.proven, verdict.code) {
        (Proven::None, None) => "not proven from here",
        (Proven::Reachable, None) => "sent; nothing more is known",
        (proven, _) => words(ProofMode::Trace, proven),
    };
    VerdictEntry {
        verdict,
        name: Role::Strong.paint(pen.show(&verdict.service)) + " to " + &addon.title,
        place: match &verdict.endpoint {
            Some(endpoint) => Role::Faint.paint(format!("  {}", pen.show(endpoint))),
            None => Painted::default(),
        },
        closing: judged(proven, verdict),
        in_table: false,
    }
}

/// Returns every rung of every verdict.
fn in_full(entries: &[VerdictEntry<'_>], pen: &Pen) -> Vec<Painted> {
    let mut lines = Vec::new();
    for entry in entries {
        if !lines.is_empty() || entry.in_table {
            lines.push(Painted::default());
        }
        let head = entry.name.clone() + entry.place.clone();
        lines.extend(draw_block(head, entry.verdict, entry.closing.clone(), pen));
    }
    lines
}

/// Returns a line for each verdict; notes on several of them are printed once, below.
fn in_short(entries: &[VerdictEntry<'_>], pen: &Pen) -> Vec<Painted> {
    let mut groups: Vec<(Vec<Check>, Vec<&VerdictEntry<'_>>)> = Vec::new();
    for entry in entries {
        let told = told(entry.verdict);
        let is_alike = |known: &[Check], first: &VerdictEntry<'_>| {
            first.verdict.code == entry.verdict.code
                && first.in_table == entry.in_table
                && first.verdict.proven == entry.verdict.proven
                && known == told.as_slice()
        };
        match groups.iter_mut().find(|(known, members)| is_alike(known, members[0])) {
            Some((_, members)) => members.push(entry),
            None => groups.push((told, vec![entry])),
        }
    }
    let mut lines = Vec::new();
    for (checks, members) in groups {
        if members[0].in_table {
            if checks.is_empty() {
                continue;
            }
            let names = members.iter().map(|one| one.verdict.service.as_str());
            lines.push(Painted::default());
            let names = pen.show(&names.collect::<Vec<_>>().join(", "));
            lines.push(Role::Strong.paint(names));
        } else {
            lines.extend(members.iter().flat_map(|entry| one_line(entry, &checks, pen)));
        }
        lines.extend(checks.iter().flat_map(|check| draw_rung(check, pen)));
    }
    lines
}

/// Returns the rungs that need attention: failures, and those with a hint.
fn told(verdict: &ServiceVerdict) -> Vec<Check> {
    let is_open = matches!(verdict.code, Some(Code::NotProven | Code::Unseen | Code::NotAsked));
    let is_told = |check: &&Check| match check.status {
        Status::Warn | Status::Fail => true,
        Status::Skip => is_open || check.hint.is_some(),
        Status::Pass => check.hint.is_some(),
    };
    // Durations are not part of the problem.
    verdict.checks.iter().filter(is_told).map(|check| Check { ms: 0, ..check.clone() }).collect()
}

fn one_line(entry: &VerdictEntry<'_>, told: &[Check], pen: &Pen) -> Vec<Painted> {
    let verdict = entry.verdict;
    let warned = told.iter().any(|check| check.status != Status::Pass);
    let status = match (verdict.code, warned) {
        (Some(_), _) => Status::Fail,
        (None, true) => Status::Warn,
        (None, false) => Status::Pass,
    };
    let (sign, role) = mark(status, &pen.look);
    let place = match verdict.code {
        Some(_) => entry.place.clone(),
        None => Painted::default(),
    };
    let mut lines =
        vec![role.paint(sign) + " " + entry.name.clone() + place + "  " + entry.closing.clone()];
    let found = verdict.application.as_ref().and_then(|_| verdict.checks.last());
    if let Some(found) = found.filter(|check| check.status == Status::Pass) {
        let indent = sign.chars().count() + 1;
        let room = pen.look.width.saturating_sub(indent).max(30);
        let parts = wrap(&pen.show(&found.evidence), room);
        lines.extend(parts.into_iter().map(|part| format!("{:indent$}{part}", "").into()));
    }
    lines
}

/// Returns the closing line: what was proven.
fn closing(mode: ProofMode, verdict: &ServiceVerdict) -> Painted {
    let misses_requests = verdict.application.as_ref().is_some_and(|application| {
        verdict.code.is_some() && application.ordinary == Some(OrdinaryRequest::NotRecorded)
    });
    let proven = match misses_requests {
        true => "its spans were seen, those of ordinary requests were not",
        false => words(mode, verdict.proven),
    };
    let line = judged(proven, verdict);
    match &verdict.link {
        Some(link) => line + ": " + Painted::link(link),
        None => line,
    }
}

fn words(mode: ProofMode, proven: Proven) -> &'static str {
    match (mode, proven) {
        (ProofMode::Local, Proven::Queryable) => {
            "local: arrived as the provider expects it; nothing was sent to the provider"
        }
        (
            ProofMode::App | ProofMode::Project,
            Proven::None | Proven::Reachable | Proven::DatasetWritten,
        ) => "its own spans were not seen",
        (ProofMode::App | ProofMode::Project, Proven::Queryable) => {
            "delivered: its own spans were seen"
        }
        (ProofMode::App | ProofMode::Project, Proven::Accepted) => {
            "accepted: its endpoint took its own spans"
        }
        (_, Proven::None | Proven::Reachable) => "not delivered",
        (_, Proven::Accepted) => "accepted, not yet seen",
        (_, Proven::DatasetWritten) => "accepted, and something arrived since",
        (_, Proven::Queryable) => "delivered: our own trace was found",
    }
}

fn judged(proven: &str, verdict: &ServiceVerdict) -> Painted {
    match verdict.code {
        None => Role::Good.paint(proven),
        Some(code) => Role::Error.paint(code.as_str()) + format!(": {proven}"),
    }
}

/// Returns the summary of a report on several services.
fn last_line(report: &Report) -> Option<Painted> {
    let all = report.services.len();
    if all < 2 {
        return None;
    }
    let is_seen = |verdict: &&ServiceVerdict| {
        verdict.code.is_none()
            && (verdict.application.is_none()
                || matches!(verdict.proven, Proven::Accepted | Proven::Queryable))
    };
    let good = report.services.iter().filter(is_seen).count();
    let delivered =
        report.services.iter().filter(is_seen).all(|one| one.proven == Proven::Queryable);
    let what = match (report.mode, delivered) {
        (ProofMode::Local, _) => "send what a provider needs (local: nothing was sent there)",
        (_, true) => "delivered",
        (_, false) => "accepted",
    };
    let not_asked = report.services.iter().filter(|one| is_unasked(one)).count();
    let mut line = format!("{good} of {} {what}", count(all as u64, "service"));
    if not_asked > 0 {
        line += &format!(", {not_asked} not asked");
    }
    Some(match good == all {
        true => Role::Good.paint(line),
        false => Role::Strong.paint(line),
    })
}

/// Returns whether the service got no request and none of its spans was seen.
fn is_unasked(verdict: &ServiceVerdict) -> bool {
    let sighting = verdict.application.as_ref();
    verdict.code == Some(Code::NotAsked)
        || sighting.is_some_and(|one| one.url.is_none() && one.spans == 0) && verdict.code.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Rung;
    use crate::secret::Redactor;
    use crate::ui::Look;

    fn accepted(name: &str) -> ServiceVerdict {
        let mut verdict = ServiceVerdict::new(name, "backend");
        verdict.prove(Proven::Accepted);
        verdict.check(Check::new(Rung::Accepted, Status::Pass, "taken"));
        verdict
    }

    fn lines(report: &Report, draw: fn(&[VerdictEntry<'_>], &Pen) -> Vec<Painted>) -> Vec<String> {
        let pen = Pen::new(Look::plain(), &Redactor::default());
        draw(&entries(report, &pen), &pen).iter().map(Painted::text).collect()
    }

    #[test]
    fn accepted_spans_are_not_called_delivered() {
        let mut verdict = accepted("backend-flask");
        verdict.link = Some("https://ui.example/trace".to_owned());
        let report = Report::new(ProofMode::Trace, vec![verdict]);
        assert_eq!(
            lines(&report, in_full),
            [
                "backend-flask as backend",
                "  ok   accepted        taken",
                "  accepted, not yet seen: https://ui.example/trace",
            ]
        );
        assert_eq!(
            lines(&report, in_short),
            ["ok   backend-flask as backend  accepted, not yet seen: https://ui.example/trace"]
        );
    }

    #[test]
    fn a_shared_cause_is_printed_once() {
        let refused = |name: &str, ms| {
            let mut verdict = ServiceVerdict::new(name, name);
            verdict.code = Some(Code::KeyRejected);
            let check = Check::new(Rung::Accepted, Status::Fail, "401: unknown");
            verdict.check(Check { ms, ..check.hint(Some("store another".to_owned())) });
            verdict
        };
        let services = vec![refused("a", 1), accepted("b"), refused("c", 2)];
        let report = Report::new(ProofMode::Trace, services);
        let shown = lines(&report, in_short);
        assert_eq!(
            shown,
            [
                "FAIL a  key-rejected: not delivered",
                "FAIL c  key-rejected: not delivered",
                "  FAIL accepted        401: unknown",
                "                       hint: store another",
                "ok   b as backend  accepted, not yet seen",
            ]
        );
        assert_eq!(last_line(&report).unwrap().text(), "1 of 3 services accepted");
        assert!(last_line(&Report::new(ProofMode::Trace, vec![accepted("a")])).is_none());
    }
}
