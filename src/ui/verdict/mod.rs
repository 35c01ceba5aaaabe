//! Draws verdicts for people: one line for a service without problems, each cause once, and a summary.
//!
//! Under `-v`, every rung of every service is shown.

mod block;
mod project;

use super::painted::PaintedLine;
use super::text::{LineStyle, count_columns, format_count, wrap_text};
use super::{TextRole, Ui, Verbosity};
use crate::otlp::{
    AddonVerdict, Check, CheckStatus, FailureCode, OrdinaryRequest, ProofMode, ProofReport,
    ProvenRung, ServiceVerdict,
};

use block::{draw_block, draw_rung, status_mark};

impl Ui {
    /// Shows the verdicts on stdout.
    pub fn verdict(&mut self, report: &ProofReport) {
        let pen = self.result_pen();
        if report.mode == ProofMode::Local {
            self.result_wrapped(TextRole::Strong.paint(LOCAL), 0);
        }
        let entries = verdict_entries(report, &pen);
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
            self.result_wrapped(line, 2);
        }
        if let Some(line) = last_line(report) {
            self.result("");
            self.result_wrapped(line, 0);
        }
    }
}

/// The heading of verdicts for which nothing left this machine.
const LOCAL: &str = "local: sent to a receiver inside this program; nothing leaves this machine";

/// A verdict with its name and summary.
struct VerdictEntry<'a> {
    verdict: &'a ServiceVerdict,
    name: PaintedLine,
    /// The endpoint, after the name, or on a line of its own if the first one would be too long.
    place: PaintedLine,
    closing: PaintedLine,
    /// Whether it has a row in the table above.
    in_table: bool,
}

fn verdict_entries<'a>(report: &'a ProofReport, pen: &LineStyle) -> Vec<VerdictEntry<'a>> {
    let services = report.services.iter().map(|verdict| VerdictEntry {
        verdict,
        name: service_name(verdict, pen),
        place: match (&verdict.endpoint, verdict.protocol) {
            (Some(endpoint), Some(protocol)) => {
                TextRole::Faint.paint(format!("  {}  {protocol}", pen.show(endpoint)))
            }
            _ => PaintedLine::default(),
        },
        closing: closing_line(report.mode, verdict),
        in_table: report.mode == ProofMode::Project,
    });
    let addons = report.addons.iter().map(|addon| addon_entry(addon, pen));
    services.chain(addons).collect()
}

fn service_name(verdict: &ServiceVerdict, pen: &LineStyle) -> PaintedLine {
    let name = TextRole::Strong.paint(pen.show(&verdict.service));
    if verdict.name == verdict.service { name } else { name + " as " + pen.show(&verdict.name) }
}

/// Returns the entry of an addon.
fn addon_entry<'a>(addon: &'a AddonVerdict, pen: &LineStyle) -> VerdictEntry<'a> {
    let verdict = &addon.verdict;
    let proven = match (verdict.proven, verdict.code) {
        (ProvenRung::None, None) => "not proven from here",
        (ProvenRung::Reachable, None) => "sent; nothing more is known",
        (proven, _) => proven_words(ProofMode::Trace, proven),
    };
    VerdictEntry {
        verdict,
        name: TextRole::Strong.paint(pen.show(&verdict.service)) + " to " + &addon.title,
        place: match &verdict.endpoint {
            Some(endpoint) => TextRole::Faint.paint(format!("  {}", pen.show(endpoint))),
            None => PaintedLine::default(),
        },
        closing: judged_line(proven, verdict),
        in_table: false,
    }
}

/// Returns every rung of every verdict.
fn in_full(entries: &[VerdictEntry<'_>], pen: &LineStyle) -> Vec<PaintedLine> {
    let mut lines = Vec::new();
    for entry in entries {
        if !lines.is_empty() || entry.in_table {
            lines.push(PaintedLine::default());
        }
        let head = entry.name.clone() + entry.place.clone();
        lines.extend(draw_block(head, entry.verdict, entry.closing.clone(), pen));
    }
    lines
}

/// Returns a line for each verdict; notes on several of them are printed once, below.
fn in_short(entries: &[VerdictEntry<'_>], pen: &LineStyle) -> Vec<PaintedLine> {
    let mut groups: Vec<(Vec<Check>, Vec<&VerdictEntry<'_>>)> = Vec::new();
    for entry in entries {
        let checks = select_shown_checks(entry.verdict);
        let is_alike = |known: &[Check], first: &VerdictEntry<'_>| {
            first.verdict.code == entry.verdict.code
                && first.in_table == entry.in_table
                && first.verdict.proven == entry.verdict.proven
                && known == checks.as_slice()
        };
        match groups.iter_mut().find(|(known, members)| is_alike(known, members[0])) {
            Some((_, members)) => members.push(entry),
            None => groups.push((checks, vec![entry])),
        }
    }
    let mut lines = Vec::new();
    for (checks, members) in groups {
        if members[0].in_table {
            if checks.is_empty() {
                continue;
            }
            let names = members.iter().map(|entry| entry.verdict.service.as_str());
            lines.push(PaintedLine::default());
            let names = pen.show(&names.collect::<Vec<_>>().join(", "));
            lines.push(TextRole::Strong.paint(names));
        } else {
            lines.extend(members.iter().flat_map(|entry| one_line(entry, &checks, pen)));
        }
        lines.extend(checks.iter().flat_map(|check| draw_rung(check, pen)));
    }
    lines
}

/// Returns the rungs that need attention: failures, and those with a hint.
fn select_shown_checks(verdict: &ServiceVerdict) -> Vec<Check> {
    let is_open = matches!(
        verdict.code,
        Some(FailureCode::NotProven | FailureCode::Unseen | FailureCode::NotAsked)
    );
    let is_told = |check: &&Check| match check.status {
        CheckStatus::Warn | CheckStatus::Fail => true,
        CheckStatus::Skip => is_open || check.hint.is_some(),
        CheckStatus::Pass => check.hint.is_some(),
    };
    // Durations are not part of the problem.
    verdict.checks.iter().filter(is_told).map(|check| Check { ms: 0, ..check.clone() }).collect()
}

fn one_line(entry: &VerdictEntry<'_>, checks: &[Check], pen: &LineStyle) -> Vec<PaintedLine> {
    let verdict = entry.verdict;
    let warned = checks.iter().any(|check| check.status != CheckStatus::Pass);
    let status = match (verdict.code, warned) {
        (Some(_), _) => CheckStatus::Fail,
        (None, true) => CheckStatus::Warn,
        (None, false) => CheckStatus::Pass,
    };
    let (sign, role) = status_mark(status, &pen.look);
    let name = role.paint(sign) + " " + entry.name.clone();
    let closing = PaintedLine::from("  ") + entry.closing.clone();
    let in_one = name.clone() + entry.place.clone() + closing.clone();
    let mut lines = if verdict.code.is_none() {
        vec![name + closing]
    } else if !pen.look.wraps || count_columns(&in_one.text()) <= pen.look.width {
        vec![in_one]
    } else {
        vec![name + closing, entry.place.clone()]
    };
    let found = verdict.application.as_ref().and_then(|_| verdict.checks.last());
    if let Some(found) = found.filter(|check| check.status == CheckStatus::Pass) {
        let indent = sign.chars().count() + 1;
        let columns = pen.look.width.saturating_sub(indent).max(30);
        let parts = wrap_text(&pen.show(&found.evidence), columns);
        lines.extend(parts.into_iter().map(|part| format!("{:indent$}{part}", "").into()));
    }
    lines
}

/// Returns the closing line: what was proven.
fn closing_line(mode: ProofMode, verdict: &ServiceVerdict) -> PaintedLine {
    let misses_requests = verdict.application.as_ref().is_some_and(|application| {
        verdict.code.is_some() && application.ordinary == Some(OrdinaryRequest::NotRecorded)
    });
    let proven = if misses_requests {
        "its spans were seen, those of ordinary requests were not"
    } else {
        proven_words(mode, verdict.proven)
    };
    let line = judged_line(proven, verdict);
    match &verdict.link {
        Some(link) => line + ": " + PaintedLine::link(link),
        None => line,
    }
}

fn proven_words(mode: ProofMode, proven: ProvenRung) -> &'static str {
    match (mode, proven) {
        (ProofMode::Local, ProvenRung::Queryable) => {
            "local: arrived as the provider expects it, not sent to it"
        }
        (
            ProofMode::App | ProofMode::Project,
            ProvenRung::None | ProvenRung::Reachable | ProvenRung::DatasetWritten,
        ) => "its own spans were not seen",
        (ProofMode::App | ProofMode::Project, ProvenRung::Queryable) => {
            "delivered: its own spans were seen"
        }
        (ProofMode::App | ProofMode::Project, ProvenRung::Accepted) => {
            "accepted: its endpoint accepted its own spans"
        }
        (_, ProvenRung::None | ProvenRung::Reachable) => "not delivered",
        (_, ProvenRung::Accepted) => "accepted, not yet seen",
        (_, ProvenRung::DatasetWritten) => "accepted, and something arrived since",
        (_, ProvenRung::Queryable) => "delivered: our own trace was found",
    }
}

fn judged_line(proven: &str, verdict: &ServiceVerdict) -> PaintedLine {
    match verdict.code {
        None => TextRole::Good.paint(proven),
        Some(code) => TextRole::Error.paint(code.as_str()) + format!(": {proven}"),
    }
}

/// Returns the summary of a report on several services.
fn last_line(report: &ProofReport) -> Option<PaintedLine> {
    let all = report.services.len();
    if all < 2 {
        return None;
    }
    let is_seen = |verdict: &&ServiceVerdict| {
        verdict.code.is_none()
            && (verdict.application.is_none()
                || matches!(verdict.proven, ProvenRung::Accepted | ProvenRung::Queryable))
    };
    let good = report.services.iter().filter(is_seen).count();
    let delivered = report
        .services
        .iter()
        .filter(is_seen)
        .all(|verdict| verdict.proven == ProvenRung::Queryable);
    let outcome = match (report.mode, delivered) {
        (ProofMode::Local, _) => "send what a provider needs (local: nothing was sent there)",
        (_, true) => "delivered",
        (_, false) => "accepted",
    };
    let not_asked = report.services.iter().filter(|verdict| is_unasked(verdict)).count();
    let mut line = format!("{good} of {} {outcome}", format_count(all as u64, "service"));
    if not_asked > 0 {
        line += &format!(", {not_asked} not asked");
    }
    Some(if good == all { TextRole::Good.paint(line) } else { TextRole::Strong.paint(line) })
}

/// Returns whether the service got no request and none of its spans was seen.
fn is_unasked(verdict: &ServiceVerdict) -> bool {
    let sighting = verdict.application.as_ref();
    verdict.code == Some(FailureCode::NotAsked)
        || sighting.is_some_and(|sighting| sighting.url.is_none() && sighting.spans == 0)
            && verdict.code.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Rung;
    use crate::secret::Redactor;
    use crate::ui::StreamLook;

    fn accepted(name: &str) -> ServiceVerdict {
        let mut verdict = ServiceVerdict::new(name, "backend");
        verdict.prove(ProvenRung::Accepted);
        verdict.check(Check::new(Rung::Accepted, CheckStatus::Pass, "taken"));
        verdict
    }

    fn lines(
        report: &ProofReport,
        draw: fn(&[VerdictEntry<'_>], &LineStyle) -> Vec<PaintedLine>,
    ) -> Vec<String> {
        let pen = LineStyle::new(StreamLook::plain(), &Redactor::default());
        draw(&verdict_entries(report, &pen), &pen).iter().map(PaintedLine::text).collect()
    }

    #[test]
    fn accepted_spans_are_not_called_delivered() {
        let mut verdict = accepted("backend-flask");
        verdict.link = Some("https://ui.example/trace".to_owned());
        let report = ProofReport::new(ProofMode::Trace, vec![verdict]);
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
    fn an_endpoint_without_room_gets_a_line_of_its_own() {
        let mut verdict = ServiceVerdict::new("backend-flask", "backend-flask");
        verdict.code = Some(FailureCode::Dns);
        verdict.endpoint = Some("https://api.honeycomb.io/v1/traces".to_owned());
        verdict.protocol = Some("http/protobuf");
        let report = ProofReport::new(ProofMode::Trace, vec![verdict]);
        let shown = |width: usize| -> Vec<String> {
            let look = StreamLook { width, wraps: true, ..StreamLook::plain() };
            let pen = LineStyle::new(look, &Redactor::default());
            in_short(&verdict_entries(&report, &pen), &pen).iter().map(PaintedLine::text).collect()
        };
        let wide = "FAIL backend-flask  https://api.honeycomb.io/v1/traces  http/protobuf  dns: not delivered";
        assert_eq!(shown(wide.len()), [wide]);
        assert_eq!(
            shown(wide.len() - 1),
            [
                "FAIL backend-flask  dns: not delivered",
                "  https://api.honeycomb.io/v1/traces  http/protobuf",
            ]
        );
    }

    #[test]
    fn a_shared_cause_is_printed_once() {
        let refused = |name: &str, ms| {
            let mut verdict = ServiceVerdict::new(name, name);
            verdict.code = Some(FailureCode::KeyRejected);
            let check = Check::new(Rung::Accepted, CheckStatus::Fail, "401: unknown");
            verdict.check(Check { ms, ..check.hint(Some("store another".to_owned())) });
            verdict
        };
        let services = vec![refused("a", 1), accepted("b"), refused("c", 2)];
        let report = ProofReport::new(ProofMode::Trace, services);
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
        assert!(last_line(&ProofReport::new(ProofMode::Trace, vec![accepted("a")])).is_none());
    }
}
