//! Counters that the operator's metrics page reads. Names and formats are the gateway's business.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// What the relay and the consumers of one process count. Shared as `Arc<QueueMetrics>`.
#[derive(Debug, Default)]
pub struct QueueMetrics {
    published: AtomicU64,
    publish_failures: AtomicU64,
    handled: AtomicU64,
    retried: AtomicU64,
    dead_letters: AtomicU64,
    reconnects: AtomicU64,
    outbox_lag_milliseconds: AtomicI64,
    job_age_milliseconds: AtomicI64,
    in_flight: AtomicI64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFigures {
    /// Messages that the broker confirmed (`published_total`).
    pub published_total: u64,
    /// Publications that failed and are tried again (`publish_failures_total`).
    pub publish_failures_total: u64,
    /// Messages whose handler succeeded (`handled_total`).
    pub handled_total: u64,
    /// Attempts that failed and are tried again (`retried_total`).
    pub retried_total: u64,
    /// Messages that nobody could handle (`dead_letters_total`); the alarm stands at one.
    pub dead_letters_total: u64,
    /// Lost or refused connections to the broker (`broker_reconnects_total`).
    pub reconnects_total: u64,
    /// Age of the oldest message that the newest lease found due (`outbox_lag_seconds`).
    pub outbox_lag: Duration,
    /// Age of the newest handled message when its handler had finished (`job_age_seconds`).
    pub job_age: Duration,
    /// Handlers that run at this moment (`jobs_in_flight`).
    pub in_flight: u64,
}

impl QueueMetrics {
    /// Reads all counters.
    pub fn figures(&self) -> QueueFigures {
        QueueFigures {
            published_total: self.published.load(Ordering::Relaxed),
            publish_failures_total: self.publish_failures.load(Ordering::Relaxed),
            handled_total: self.handled.load(Ordering::Relaxed),
            retried_total: self.retried.load(Ordering::Relaxed),
            dead_letters_total: self.dead_letters.load(Ordering::Relaxed),
            reconnects_total: self.reconnects.load(Ordering::Relaxed),
            outbox_lag: milliseconds(&self.outbox_lag_milliseconds),
            job_age: milliseconds(&self.job_age_milliseconds),
            in_flight: self.in_flight.load(Ordering::Relaxed).unsigned_abs(),
        }
    }

    pub(crate) fn published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn publish_failed(&self) {
        self.publish_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn handled(&self, age: Duration) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        store(&self.job_age_milliseconds, age);
    }

    pub(crate) fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dead(&self) {
        self.dead_letters.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reconnected(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lag(&self, age: Duration) {
        store(&self.outbox_lag_milliseconds, age);
    }

    /// Counts a running handler until the guard is dropped, also when the handler is cancelled.
    pub(crate) fn running(&self) -> Running<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }
}

/// A handler that runs.
pub(crate) struct Running<'a>(&'a QueueMetrics);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long ago something was; nothing when clocks disagree and it lies ahead.
pub(crate) fn age(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (now - then).to_std().unwrap_or_default()
}

fn store(gauge: &AtomicI64, value: Duration) {
    let milliseconds = i64::try_from(value.as_millis()).unwrap_or(i64::MAX);
    gauge.store(milliseconds, Ordering::Relaxed);
}

fn milliseconds(gauge: &AtomicI64) -> Duration {
    Duration::from_millis(gauge.load(Ordering::Relaxed).unsigned_abs())
}
