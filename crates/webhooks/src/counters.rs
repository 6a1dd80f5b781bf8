//! What the dispatcher counts for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

/// Running totals since the process started; shared between the dispatcher and the metrics page.
#[derive(Debug, Default)]
pub struct Counters {
    attempts: AtomicU64,
    delivered: AtomicU64,
    retried: AtomicU64,
    exhausted: AtomicU64,
    unsettled: AtomicU64,
    store_failures: AtomicU64,
    in_flight: AtomicU64,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CounterValues {
    /// Requests made.
    pub attempts: u64,
    /// Deliveries accepted by their receiver.
    pub delivered: u64,
    /// Attempts that failed and will be repeated.
    pub retried: u64,
    /// Deliveries given up.
    pub exhausted: u64,
    /// Attempts whose outcome could not be recorded: cancelled meanwhile, or leased anew.
    pub unsettled: u64,
    /// Times that the database did not answer.
    pub store_failures: u64,
    /// Deliveries being worked on now.
    pub in_flight: u64,
}

/// Something worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Attempt,
    Delivered,
    Retried,
    Exhausted,
    Unsettled,
    StoreFailure,
}

impl Counters {
    /// Reads all totals. They are independent of each other and only roughly of one moment.
    pub fn values(&self) -> CounterValues {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CounterValues {
            attempts: read(&self.attempts),
            delivered: read(&self.delivered),
            retried: read(&self.retried),
            exhausted: read(&self.exhausted),
            unsettled: read(&self.unsettled),
            store_failures: read(&self.store_failures),
            in_flight: read(&self.in_flight),
        }
    }

    pub(crate) fn count(&self, what: Count) {
        let counter = match what {
            Count::Attempt => &self.attempts,
            Count::Delivered => &self.delivered,
            Count::Retried => &self.retried,
            Count::Exhausted => &self.exhausted,
            Count::Unsettled => &self.unsettled,
            Count::StoreFailure => &self.store_failures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_in_flight(&self, deliveries: usize) {
        let deliveries = u64::try_from(deliveries).unwrap_or(u64::MAX);
        self.in_flight.store(deliveries, Ordering::Relaxed);
    }
}
