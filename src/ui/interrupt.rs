//! Ctrl-C and its kin: what an interrupt does depends on what the process is doing.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// What an interrupt does from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Restore the terminal and end with exit status 130.
    Leave = 0,
    /// Only remember it: a write must not stop half-way, a listener wants to sum up.
    Remember = 1,
}

static MODE: AtomicU8 = AtomicU8::new(Mode::Leave as u8);
static SEEN: AtomicBool = AtomicBool::new(false);
static CAME: Notify = Notify::const_new();

/// Starts watching for interrupts; called once, by `main`, which says how to leave.
pub fn watch(leave: impl Fn() + Send + 'static) {
    let handler = move || {
        SEEN.store(true, Ordering::SeqCst);
        CAME.notify_waiters();
        if MODE.load(Ordering::SeqCst) == Mode::Leave as u8 {
            leave();
        }
    };
    // Without a handler an interrupt still ends the process; only the cursor may stay hidden.
    let _ = ctrlc::set_handler(handler);
}

/// Waits for the end that an interrupt brings, where it brings one: who reads the terminal learns of it at the same time as
/// the watch, and only one may say so.
pub fn give_way() {
    // Far more than the watch needs; where nobody watches, the caller says it after all.
    const LONGEST: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    while MODE.load(Ordering::SeqCst) == Mode::Leave as u8 && begun.elapsed() < LONGEST {
        std::thread::park_timeout(LONGEST);
    }
}

/// Sets what an interrupt does, until the guard is dropped.
pub fn during(mode: Mode) -> Guard {
    Guard(MODE.swap(mode as u8, Ordering::SeqCst))
}

/// An interrupt came since the process began.
pub fn seen() -> bool {
    SEEN.load(Ordering::SeqCst)
}

/// Waits until an interrupt has come; at once if one came before.
pub async fn came() {
    // In this order: one that comes in between is not missed.
    let coming = CAME.notified();
    if !seen() {
        coming.await;
    }
}

/// Puts the mode back that was in force before.
#[derive(Debug)]
pub struct Guard(u8);

impl Drop for Guard {
    fn drop(&mut self) {
        MODE.store(self.0, Ordering::SeqCst);
    }
}
