//! Wakes runs that nobody works on any more.

use std::time::Duration;

use store::SystemStore;
use tracing::warn;

use crate::error::PipelineError;

/// When runs are looked after. The scheduler calls [`rescue`] every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RescuePolicy {
    /// How often.
    pub every: Duration,
    /// How long a run may stand still before its message counts as lost. Longer than one attempt
    /// may take, and longer than all attempts with their waits: otherwise healthy runs are woken,
    /// which costs a message and changes nothing.
    pub stale_after: Duration,
}

impl Default for RescuePolicy {
    fn default() -> Self {
        Self {
            every: Duration::from_mins(1),
            stale_after: Duration::from_mins(15),
        }
    }
}

/// Puts the messages of runs that stand still back into the outbox; returns how many.
///
/// A run can only stand still when the broker has lost its message for good. Any number of
/// processes may do this at once.
///
/// # Errors
/// The database did not do its part; the next call makes up for it.
pub async fn rescue(store: &SystemStore, policy: &RescuePolicy) -> Result<u64, PipelineError> {
    let woken = store.stale_runs(policy.stale_after).await?;
    if woken > 0 {
        warn!(runs = woken, "runs stood still and were woken");
    }
    Ok(woken)
}
