//! Token buckets per key, bounded in number, on the clock that the caller gives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Clock;

/// How often something may happen: `burst` at once, refilled by one every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    interval_micros: i64,
    burst: i64,
}

impl Rate {
    /// So many a second after a burst.
    pub(crate) fn per_second(count: u32, burst: u32) -> Self {
        Self::per(Duration::from_secs(1), count, burst)
    }

    /// So many a minute after a burst.
    pub(crate) fn per_minute(count: u32, burst: u32) -> Self {
        Self::per(Duration::from_mins(1), count, burst)
    }

    fn per(period: Duration, count: u32, burst: u32) -> Self {
        let micros = period.as_micros() / u128::from(count.max(1));
        Self {
            interval_micros: i64::try_from(micros).unwrap_or(i64::MAX).max(1),
            burst: i64::from(burst.max(1)),
        }
    }

    fn capacity_micros(self) -> i64 {
        self.interval_micros.saturating_mul(self.burst)
    }
}

/// The bucket of a key is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// When trying again makes sense.
    pub(crate) retry_after: Duration,
}

/// One token bucket per key.
///
/// At most `keys_max` keys are remembered. When there are more, full buckets are forgotten first,
/// which changes nothing for their owners; then an arbitrary one, which errs on the lenient side.
///
/// # Source
/// Generic cell rate algorithm (ITU-T I.371): a bucket is the moment at which it will be full.
pub(crate) struct Buckets<K> {
    rate: Rate,
    keys_max: usize,
    clock: Arc<dyn Clock>,
    full_at: Mutex<BTreeMap<K, i64>>,
}

impl<K: Ord + Clone> Buckets<K> {
    /// Buckets that are all full.
    pub(crate) fn new(rate: Rate, keys_max: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            rate,
            keys_max,
            clock,
            full_at: Mutex::new(BTreeMap::new()),
        }
    }

    /// Whether a token could be taken.
    ///
    /// # Errors
    /// `Exhausted` when there is none.
    pub(crate) fn check(&self, key: &K) -> Result<(), Exhausted> {
        let now = self.clock.now().timestamp_micros();
        let full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.after_taking(full_at.get(key).copied(), now)
            .map(|_| ())
    }

    /// Takes one token.
    ///
    /// # Errors
    /// `Exhausted` when there is none; nothing is taken then.
    pub(crate) fn take(&self, key: &K) -> Result<(), Exhausted> {
        let now = self.clock.now().timestamp_micros();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= self.keys_max && !full_at.contains_key(key) {
            make_room(&mut full_at, now, self.keys_max);
        }
        let after = self.after_taking(full_at.get(key).copied(), now)?;
        full_at.insert(key.clone(), now.saturating_add(after));
        Ok(())
    }

    /// Puts a token back that turned out not to be owed.
    pub(crate) fn give_back(&self, key: &K) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moment) = full_at.get_mut(key) {
            *moment = moment.saturating_sub(self.rate.interval_micros);
        }
    }

    /// What the bucket lacks once a token is taken, in microseconds until it is full again.
    fn after_taking(&self, full_at: Option<i64>, now: i64) -> Result<i64, Exhausted> {
        // Bounded, so that a clock that is set back cannot lock a key out for long.
        let missing = full_at
            .map_or(0, |moment| moment.saturating_sub(now))
            .clamp(0, self.rate.capacity_micros());
        let after = missing.saturating_add(self.rate.interval_micros);
        let excess = after.saturating_sub(self.rate.capacity_micros());
        if excess > 0 {
            let micros = u64::try_from(excess).unwrap_or(u64::MAX);
            return Err(Exhausted {
                retry_after: Duration::from_micros(micros),
            });
        }
        Ok(after)
    }
}

fn make_room<K: Ord>(full_at: &mut BTreeMap<K, i64>, now: i64, keys_max: usize) {
    full_at.retain(|_, moment| *moment > now);
    if full_at.len() >= keys_max {
        full_at.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    struct ManualClock(Mutex<DateTime<Utc>>);

    impl ManualClock {
        fn start() -> Arc<Self> {
            Arc::new(Self(Mutex::new(
                DateTime::from_timestamp(1_705_928_941, 0).expect("in range"),
            )))
        }

        fn advance(&self, milliseconds: i64) {
            let mut now = self.0.lock().expect("not poisoned");
            *now += chrono::Duration::milliseconds(milliseconds);
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> DateTime<Utc> {
            *self.0.lock().expect("not poisoned")
        }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let clock = ManualClock::start();
        let buckets = Buckets::new(Rate::per_second(2, 3), 10, clock.clone());
        for _ in 0..3 {
            assert_eq!(buckets.take(&"a"), Ok(()));
        }
        let exhausted = buckets.take(&"a").expect_err("burst is used up");
        assert_eq!(exhausted.retry_after, Duration::from_millis(500));
        assert_eq!(buckets.take(&"b"), Ok(()), "keys are independent");
        clock.advance(499);
        assert!(buckets.take(&"a").is_err());
        clock.advance(1);
        assert_eq!(buckets.take(&"a"), Ok(()));
        assert!(buckets.take(&"a").is_err());
        clock.advance(1_000_000);
        for _ in 0..3 {
            assert_eq!(buckets.take(&"a"), Ok(()), "never more than the burst");
        }
        assert!(buckets.take(&"a").is_err());
    }

    #[test]
    fn a_token_given_back_can_be_taken_again() {
        let clock = ManualClock::start();
        let buckets = Buckets::new(Rate::per_minute(1, 1), 10, clock);
        for _ in 0..5 {
            assert_eq!(buckets.take(&1), Ok(()));
            buckets.give_back(&1);
        }
        assert_eq!(buckets.take(&1), Ok(()));
        assert!(buckets.take(&1).is_err());
    }

    #[test]
    fn a_clock_set_back_delays_by_one_burst_at_most() {
        let clock = ManualClock::start();
        let buckets = Buckets::new(Rate::per_second(1, 2), 10, clock.clone());
        assert_eq!(buckets.take(&1), Ok(()));
        clock.advance(-3_600_000);
        let exhausted = buckets.take(&1).expect_err("looks empty");
        assert_eq!(exhausted.retry_after, Duration::from_secs(1));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let clock = ManualClock::start();
        let buckets = Buckets::new(Rate::per_second(1, 1), 3, clock.clone());
        for key in 0..100 {
            assert_eq!(buckets.take(&key), Ok(()));
            assert!(buckets.full_at.lock().expect("lock").len() <= 3);
        }
        clock.advance(1_000);
        assert_eq!(buckets.take(&100), Ok(()));
        let remembered = buckets.full_at.lock().expect("lock").len();
        assert_eq!(remembered, 1, "full buckets are forgotten first");
    }
}
