//! Waits for several tasks, with a progress line.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::{Error, ErrorCode, Result};
use crate::ui::Ui;

/// Returns the results of numbered tasks, ordered by number. The tasks end within `limit` by themselves.
///
/// # Errors
/// The error of the first task that fails.
pub(super) async fn join_numbered_tasks<T: Send + 'static>(
    mut tasks: JoinSet<Result<(usize, T)>>,
    limit: Duration,
    ui: &mut Ui,
) -> Result<Vec<T>> {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    let mut done = Vec::new();
    while !tasks.is_empty() {
        tokio::select! {
            Some(finished) = tasks.join_next() => done.push(finished.map_err(lost_task_error)??),
            _ = ticks.tick() => {
                let left = limit.saturating_sub(started.elapsed()).as_secs();
                ui.progress(&format!("waiting for {} of {} services, {left} s left", tasks.len(), tasks.len() + done.len()));
            }
        }
    }
    ui.progress_done();
    Ok(in_order(done))
}

/// Orders numbered items by number.
pub(super) fn in_order<T>(mut numbered: Vec<(usize, T)>) -> Vec<T> {
    numbered.sort_by_key(|(at, _)| *at);
    numbered.into_iter().map(|(_, value)| value).collect()
}

fn lost_task_error(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorCode::Internal, "a verdict was lost").cause(error)
}
