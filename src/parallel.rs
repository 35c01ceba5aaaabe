//! Runs two computations at the same time.

use std::thread::{self, ScopedJoinHandle};

/// Runs `other` in a second thread and `own` in this one; where no thread can be started, runs both in this one.
pub(crate) fn run_both<Other: Send, Own>(
    other: impl Fn() -> Other + Sync,
    own: impl FnOnce() -> Own,
) -> (Other, Own) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, &other);
        let own = own();
        let other = match thread.map(ScopedJoinHandle::join) {
            Ok(Ok(made)) => made,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => other(),
        };
        (other, own)
    })
}
