//! Handles interrupts such as Ctrl-C, depending on what the process is doing.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The reaction to an interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum InterruptMode {
    /// Restore the terminal and exit with status 130.
    Leave = 0,
    /// Only record it, so that a write completes or a listener can print its summary.
    Remember = 1,
}

static MODE: AtomicU8 = AtomicU8::new(InterruptMode::Leave as u8);
static WAS_INTERRUPTED: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: Notify = Notify::const_new();

/// Starts watching for interrupts; called once, by `main`, which says how to leave.
pub fn watch(leave: impl Fn() + Send + 'static) {
    let handler = move || {
        WAS_INTERRUPTED.store(true, Ordering::SeqCst);
        INTERRUPTED.notify_waiters();
        if MODE.load(Ordering::SeqCst) == InterruptMode::Leave as u8 {
            leave();
        }
    };
    // Without a handler an interrupt still ends the process; only the cursor may stay hidden.
    let _ = ctrlc::set_handler(handler);
}

/// Waits for the process to end after an interrupt, if it will. A prompt notices an interrupt at the same time as the
/// handler, and only one of them may report it.
pub fn yield_to_interrupt() {
    // Far more than the handler needs; if there is none, the caller reports the interrupt after all.
    const MAX_WAIT: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    while MODE.load(Ordering::SeqCst) == InterruptMode::Leave as u8 && begun.elapsed() < MAX_WAIT {
        std::thread::park_timeout(MAX_WAIT);
    }
}

/// Sets the reaction to interrupts until the guard is dropped.
pub fn set_interrupt_mode(mode: InterruptMode) -> InterruptGuard {
    InterruptGuard(MODE.swap(mode as u8, Ordering::SeqCst))
}

/// Returns whether an interrupt has come since the process started.
pub fn was_interrupted() -> bool {
    WAS_INTERRUPTED.load(Ordering::SeqCst)
}

/// Waits for an interrupt; returns at once if one has already come.
pub async fn wait_for_interrupt() {
    // In this order, so that an interrupt in between is not missed.
    let coming = INTERRUPTED.notified();
    if !was_interrupted() {
        coming.await;
    }
}

/// Restores the previous mode when dropped.
#[derive(Debug)]
pub struct InterruptGuard(u8);

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        MODE.store(self.0, Ordering::SeqCst);
    }
}
