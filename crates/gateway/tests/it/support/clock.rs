use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use domain::Clock;

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock {
    now: Mutex<DateTime<Utc>>,
    broken: AtomicBool,
}

impl ManualClock {
    /// 2026-03-02, 09:00:00.250 UTC.
    pub(crate) fn start() -> Arc<Self> {
        let start = DateTime::from_timestamp_millis(1_772_442_000_250).expect("in range");
        Arc::new(Self {
            now: Mutex::new(start),
            broken: AtomicBool::new(false),
        })
    }

    /// Makes every look at the clock panic.
    pub(crate) fn break_it(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        let mut now = self.now.lock().expect("not poisoned");
        *now += TimeDelta::seconds(seconds);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        assert!(!self.broken.load(Ordering::Relaxed), "the clock is broken");
        *self.now.lock().expect("not poisoned")
    }
}
