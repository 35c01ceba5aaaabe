//! A budget for the bytes of all pending requests.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that may be pending; clones share the budget.
#[derive(Debug, Clone)]
pub(super) struct ByteBudget(Arc<Semaphore>);

/// A share of the budget, returned when dropped.
#[derive(Debug)]
pub(in crate::net) struct HeldBytes(Option<OwnedSemaphorePermit>);

impl ByteBudget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Adds `bytes` to a share; returns false if the budget does not have them.
    #[must_use]
    pub(super) fn take(&self, bytes: usize, held: &mut HeldBytes) -> bool {
        let Ok(bytes) = u32::try_from(bytes) else {
            return false;
        };
        let Ok(permit) = Arc::clone(&self.0).try_acquire_many_owned(bytes) else {
            return false;
        };
        match &mut held.0 {
            Some(held_permit) => held_permit.merge(permit),
            None => held.0 = Some(permit),
        }
        true
    }
}

impl HeldBytes {
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    /// Returns everything beyond `bytes` to the budget.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let excess = self.bytes().saturating_sub(bytes);
        if let Some(permit) = &mut self.0 {
            drop(permit.split(excess));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}
