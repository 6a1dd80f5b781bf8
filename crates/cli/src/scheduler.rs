//! Recurring duties: deleting what has expired, waking runs whose message was lost, measuring.
//!
//! Any number of processes may run them; each duty is harmless when done twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use pipeline::RescuePolicy;
use store::{Backlog, PurgeLimits, SystemStore};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::SchedulerSection;

/// How often what waits is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// Delete what has expired.
    Purge,
    /// Wake runs whose message was lost.
    Rescue,
    /// Measure what waits.
    Measure,
}

/// The recurring duties of a process.
pub(crate) struct Scheduler {
    pub(crate) store: SystemStore,
    pub(crate) section: SchedulerSection,
    pub(crate) backlog: Arc<Mutex<Backlog>>,
}

impl Scheduler {
    /// Runs the duties until the token is cancelled. A duty that fails is tried again at its next
    /// time.
    ///
    /// # Errors
    /// None; the form is that of the other tasks.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<()> {
        tokio::join!(
            self.keep(Duty::Purge, &stop),
            self.keep(Duty::Rescue, &stop),
            self.keep(Duty::Measure, &stop),
        );
        Ok(())
    }

    async fn keep(&self, duty: Duty, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(match duty {
            Duty::Purge => Duration::from_secs(self.section.seconds_between_purges),
            Duty::Rescue => Duration::from_secs(self.section.seconds_between_rescues),
            Duty::Measure => MEASURE_EVERY,
        });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.fulfil(duty) => {}
            }
        }
    }

    async fn fulfil(&self, duty: Duty) {
        let done = match duty {
            Duty::Purge => self.purge().await,
            Duty::Rescue => self.rescue().await,
            Duty::Measure => self.measure().await,
        };
        if let Err(error) = done {
            tracing::warn!(
                ?duty,
                error = format!("{error:#}"),
                "a recurring duty failed"
            );
        }
    }

    async fn purge(&self) -> Result<()> {
        let limits = PurgeLimits::default();
        while self.store.purge(&limits).await?.is_unfinished() {}
        Ok(())
    }

    async fn rescue(&self) -> Result<()> {
        let policy = RescuePolicy {
            every: Duration::from_secs(self.section.seconds_between_rescues),
            stale_after: Duration::from_secs(self.section.rescue_age_seconds),
        };
        pipeline::rescue(&self.store, &policy).await?;
        Ok(())
    }

    async fn measure(&self) -> Result<()> {
        let backlog = self.store.backlog().await?;
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
        Ok(())
    }
}
