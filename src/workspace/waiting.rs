//! What keeps a person waiting: named once a run, by whoever `main` made the voice for it.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long something may take before it is named.
pub const PATIENCE: Duration = Duration::from_millis(300);

type Voice = Box<dyn Fn(&str) + Send + Sync>;

static VOICE: OnceLock<Voice> = OnceLock::new();
static NAMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on `say` is called with the name of each thing that takes longer than [`PATIENCE`]; called once, by `main`.
pub fn watch(say: impl Fn(&str) + Send + Sync + 'static) {
    let _ = VOICE.set(Box::new(say));
}

/// Names what is being waited for, unless that was done before.
pub fn name(whom: &str) {
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(say) = VOICE.get()
        && !named.iter().any(|known| known == whom)
    {
        named.push(whom.to_owned());
        say(whom);
    }
}
