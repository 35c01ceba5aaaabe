//! Reports slow operations to the user, each once per run, through a callback that `main` sets.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The time after which a slow operation is reported.
pub const PATIENCE: Duration = Duration::from_millis(300);

type WaitNotice = Box<dyn Fn(&str) + Send + Sync>;

static NOTICE: OnceLock<WaitNotice> = OnceLock::new();
static NAMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Sets the callback for each operation that takes longer than [`PATIENCE`]; called once, by `main`.
pub fn report_slow_to(report: impl Fn(&str) + Send + Sync + 'static) {
    let _ = NOTICE.set(Box::new(report));
}

/// Reports an operation, unless it was reported before.
pub fn report_slow(program: &str) {
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(report) = NOTICE.get()
        && !named.iter().any(|known| known == program)
    {
        named.push(program.to_owned());
        report(program);
    }
}
