//! The application's spans in Honeycomb: as far as the key and the plan allow, and what they are once they are found.

use std::time::Duration;

use super::{Silence, Way, arrived, missing};
use crate::net::honeycomb::{self, Silence as Mute};
use crate::otlp::Header;
use crate::otlp::app::{self, AppSpan};
use crate::otlp::{Proven, Rung, ServiceVerdict, Status, TestTrace};
use crate::prove::beyond::{self, Quest};
use crate::prove::ladder;

impl Way<'_> {
    /// Looks as far as the key and the plan allow.
    pub(super) async fn in_honeycomb(
        &self,
        key: &Header,
        trace: &TestTrace,
        verdict: &mut ServiceVerdict,
    ) -> Option<Silence> {
        let route = self.route;
        let answer = honeycomb::whoami_over(route, &key.value, self.deadline).await;
        let host = route.url.host_str().unwrap_or_default();
        verdict.check(ladder::whose(&answer, host));
        if let Ok(whoami) = &answer
            && let Some(quest) = Quest::new(self.exporter, route, whoami, trace, self.deadline)
        {
            beyond::climb(&quest, verdict).await;
        }
        if verdict.proven == Proven::Queryable {
            self.look(key, trace, verdict).await;
            return None;
        }
        if verdict.proven >= Proven::DatasetWritten {
            return None;
        }
        let asked = |rung| verdict.of(rung).is_some_and(|one| one.status != Status::Skip);
        if asked(Rung::DatasetWritten) || asked(Rung::Queryable) {
            missing(verdict);
            return Some(Silence::NoSpan);
        }
        if verdict.of(Rung::Queryable).is_none() {
            ladder::skip(verdict, Rung::Queryable, "nobody can be asked for its spans");
        }
        Some(Silence::Unseen)
    }

    /// Compares the spans that were counted with what the request should have led to.
    async fn look(&self, key: &Header, trace: &TestTrace, verdict: &mut ServiceVerdict) {
        let found = self.spans(key, trace).await;
        let written =
            verdict.of(Rung::DatasetWritten).is_some_and(|one| one.status == Status::Pass);
        let Some(check) = verdict.checks.iter_mut().find(|one| one.rung == Rung::Queryable) else {
            return;
        };
        match found {
            Err(words) => check.evidence += &format!("; what they are was not answered: {words}"),
            Ok(spans) => {
                verdict.libraries = AppSpan::libraries(&spans);
                let found = app::judge(&spans, &trace.root_id(), &trace.service);
                let ms = check.ms;
                *check = arrived(&found);
                check.ms = ms;
                if !found.faults.is_empty() {
                    verdict.proven = match written {
                        true => Proven::DatasetWritten,
                        false => Proven::Reachable,
                    };
                }
            }
        }
    }

    /// The spans under our trace id. A column that no span has ever had is an error in Honeycomb: those that may be missing
    /// are left out one after the other.
    async fn spans(&self, key: &Header, trace: &TestTrace) -> Result<Vec<AppSpan>, String> {
        let mut words = String::new();
        for question in app::questions(&trace.id(), Duration::from_secs(600)) {
            let prepared =
                honeycomb::prepare(self.route, &question, &key.value, self.deadline).await;
            let id = match prepared {
                Ok(id) => id,
                Err(Mute::Refused(said)) => {
                    words = said;
                    continue;
                }
                Err(Mute::Unanswered(said)) => return Err(said),
            };
            return match honeycomb::rows(self.route, &id, &key.value, self.deadline).await {
                Ok(rows) => Ok(rows.iter().filter_map(AppSpan::of).collect()),
                Err(Mute::Refused(said) | Mute::Unanswered(said)) => Err(said),
            };
        }
        Err(words)
    }
}
