//! Waits until the spans of every application were seen or the time is up.

use std::cell::OnceCell;
use std::time::Duration;

use tokio::time::Instant;

use super::ask::AppReply;
use super::search::SpanSearch;
use super::witness::AppWitness;
use super::{AppUnderTest, BATCH};
use crate::otlp::app::{find_linked, judge_app_spans};
use crate::ui::Ui;

/// The time a span may take in addition to its batch delay.
const SPAN_GRACE: Duration = Duration::from_secs(1);

/// Time between the first complete view and the last look.
const LAST_LOOK_DELAY: Duration = Duration::from_millis(300);

/// The longest pause between two checks of the replies.
const STEP: Duration = Duration::from_millis(50);

/// The applications and replies that are followed.
pub(super) struct AppFollow<'a> {
    pub(super) apps: &'a [AppUnderTest],
    /// Set once every application has replied or failed to.
    pub(super) replies: &'a OnceCell<Vec<AppReply>>,
    pub(super) began: Instant,
    pub(super) deadline: Instant,
}

impl AppFollow<'_> {
    /// Searches repeatedly, with a progress line.
    pub(super) async fn follow(&self, searches: &mut [SpanSearch], ui: &mut Ui) {
        let mut last_notice = Instant::now();
        loop {
            let now = Instant::now();
            for search in searches.iter_mut().filter(|search| search.next_look() <= now) {
                // Searches that count against a limit wait until there can be something to find.
                let worth = !search.is_limited() || self.replies.get().is_some();
                if worth && now < self.deadline {
                    search.look(self.deadline).await;
                }
            }
            let waiting = self.waiting(searches);
            if waiting == 0 || Instant::now() + STEP >= self.deadline {
                break;
            }
            if last_notice.elapsed() >= Duration::from_secs(1) {
                last_notice = Instant::now();
                let left = self.deadline.saturating_duration_since(last_notice).as_secs();
                let all = self.apps.len();
                ui.progress(&format!("waiting for {waiting} of {all} services, {left} s left"));
            }
            tokio::time::sleep(STEP).await;
        }
        // What is sent twice comes a second time shortly after.
        let settled = Instant::now() + LAST_LOOK_DELAY;
        if !searches.is_empty() && settled < self.deadline {
            tokio::time::sleep_until(settled).await;
            for search in searches.iter_mut() {
                search.look(self.deadline).await;
            }
        }
        ui.progress_done();
    }

    /// Returns the number of applications with more spans to come.
    fn waiting(&self, searches: &[SpanSearch]) -> usize {
        let Some(replies) = self.replies.get() else {
            return self.apps.len();
        };
        let answered = replies.iter().filter_map(AppReply::answered_at).max();
        let probes: Vec<_> = self.apps.iter().map(|app| &app.probe).collect();
        let is_waiting = |at: &usize| {
            let search = searches.iter().find(|search| search.members.contains(at));
            match (search, &replies[*at]) {
                (None, _) | (_, AppReply::Down { .. }) => false,
                (Some(search), AppReply::Answered { at: answered, .. }) => {
                    !self.is_seen(*at, search, *answered)
                }
                (Some(search), AppReply::NotAsked) => {
                    let patience = match self.apps[*at].choice.witness {
                        // It has just been started.
                        AppWitness::Tap(_) => self.deadline,
                        _ => answered.unwrap_or(self.began) + BATCH + SPAN_GRACE,
                    };
                    let name = &self.apps[*at].verdict.name;
                    find_linked(&search.spans, name, &probes).is_none() && Instant::now() < patience
                }
            }
        };
        (0..self.apps.len()).filter(is_waiting).count()
    }

    /// Returns whether no more spans are to be expected from an application that replied then.
    fn is_seen(&self, at: usize, search: &SpanSearch, answered: Instant) -> bool {
        let app = &self.apps[at];
        // Faults may only mean that spans are missing so far: the server span ends last.
        let Some(found) =
            judge_app_spans(&search.spans, &app.probe).filter(|found| found.faults.is_empty())
        else {
            return false;
        };
        found.ordinary
            || !found.tells_requests
            || app.subject.sampler.ratio < 1.0
            || Instant::now() >= answered + BATCH + SPAN_GRACE
    }
}
