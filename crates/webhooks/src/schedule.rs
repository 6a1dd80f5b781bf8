//! When a delivery that failed is tried again, and when it is given up.

use chrono::{DateTime, TimeDelta, Utc};

/// Waiting times after the first, second, … failed attempt.
///
/// # Units
/// Seconds: 5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h. Later ones repeat the last.
pub const DELAYS_SECONDS: [i64; 7] = [5, 30, 300, 1_800, 7_200, 18_000, 36_000];
/// No attempt is planned later than this after the event.
///
/// # Units
/// Seconds: five days.
pub const WINDOW_SECONDS: i64 = 432_000;
/// Attempts that each delivery gets however old its event is.
///
/// Deliveries of one user wait for each other, so an event may be older than the window at its
/// first attempt. The quick retries ride out a hiccup; behind a receiver that is gone for good
/// the queue still drains in minutes per event instead of five more days for each.
pub const ATTEMPTS_MIN: u32 = 4;
/// Jitter adds at most one part in this many of the waiting time.
const JITTER_PARTS: i64 = 10;
/// Jitter adds at most this, so that all attempts of the schedule fit into the window.
const JITTER_SECONDS_MAX: i64 = 600;

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again at this moment.
    RetryAt(DateTime<Utc>),
    /// Give up.
    Exhausted,
}

/// A failed attempt.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Attempts made so far, this one included.
    pub attempts: u32,
    /// When the event happened.
    pub event_at: DateTime<Utc>,
    /// When the attempt ended.
    pub failed_at: DateTime<Utc>,
}

impl Failure {
    /// Plans what follows; `random` is any number and spreads retries that failed together.
    ///
    /// The waiting time is never shorter than the published one: jitter is only added.
    pub fn next(self, random: u64) -> Next {
        let delay = TimeDelta::seconds(delay_seconds(self.attempts));
        let planned = self.failed_at.checked_add_signed(delay);
        let window_end = self
            .event_at
            .checked_add_signed(TimeDelta::seconds(WINDOW_SECONDS));
        let (Some(planned), Some(window_end)) = (planned, window_end) else {
            return Next::Exhausted;
        };
        if self.attempts >= ATTEMPTS_MIN && planned > window_end {
            return Next::Exhausted;
        }
        Next::RetryAt(
            planned
                .checked_add_signed(jitter(delay, random))
                .unwrap_or(planned),
        )
    }
}

fn delay_seconds(attempts: u32) -> i64 {
    let [.., last] = DELAYS_SECONDS;
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    DELAYS_SECONDS.get(index).copied().unwrap_or(last)
}

fn jitter(delay: TimeDelta, random: u64) -> TimeDelta {
    let widest_millis = (delay.num_milliseconds() / JITTER_PARTS).min(JITTER_SECONDS_MAX * 1_000);
    let widest = u64::try_from(widest_millis).unwrap_or(0);
    let millis = random % widest.saturating_add(1);
    TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).expect("in range")
    }

    fn next(attempts: u32, failed_at: DateTime<Utc>, random: u64) -> Next {
        Failure {
            attempts,
            event_at: start(),
            failed_at,
        }
        .next(random)
    }

    /// Fails every attempt and returns when each was made, in seconds after the event.
    fn attempts_until_exhausted(mut random: impl FnMut() -> u64, lost_seconds: i64) -> Vec<i64> {
        let mut now = start();
        let mut made = vec![];
        loop {
            made.push((now - start()).num_seconds());
            now += TimeDelta::seconds(lost_seconds);
            match next(u32::try_from(made.len()).expect("few"), now, random()) {
                Next::RetryAt(at) => now = at,
                Next::Exhausted => return made,
            }
        }
    }

    #[test]
    fn the_published_schedule_is_kept_for_five_days() {
        let hour = 3_600;
        let fast = [0, 5, 35, 335, 2_135, 9_335, 27_335, 63_335];
        let slow = (1..=10).map(|times| 63_335 + times * 10 * hour);
        let expected = fast.into_iter().chain(slow).collect::<Vec<_>>();
        assert_eq!(attempts_until_exhausted(|| 0, 0), expected);
        assert_eq!(expected.len(), 18);
    }

    #[test]
    fn an_event_older_than_the_window_still_gets_its_quick_retries() {
        let late = start() + TimeDelta::days(9);
        for attempts in 1..ATTEMPTS_MIN {
            assert!(
                matches!(next(attempts, late, 7), Next::RetryAt(_)),
                "{attempts}"
            );
        }
        assert_eq!(next(ATTEMPTS_MIN, late, 7), Next::Exhausted);
    }

    proptest! {
        #[test]
        fn jitter_is_only_added_and_bounded(attempts in 1u32..18, random in any::<u64>()) {
            let plain = delay_seconds(attempts) * 1_000;
            let Next::RetryAt(at) = next(attempts, start(), random) else {
                return Err(TestCaseError::fail("exhausted at once"));
            };
            let waited = (at - start()).num_milliseconds();
            prop_assert!(waited >= plain);
            prop_assert!(waited <= plain + plain / 10);
            prop_assert!(waited <= plain + 600_000);
        }

        #[test]
        fn no_jitter_costs_an_attempt_or_leaves_the_window(
            randoms in proptest::collection::vec(any::<u64>(), 20),
        ) {
            let mut randoms = randoms.into_iter();
            // Each attempt also loses its whole timeout.
            let made = attempts_until_exhausted(|| randoms.next().expect("enough"), 10);
            prop_assert_eq!(made.len(), 18);
            prop_assert!(made.iter().all(|second| *second <= WINDOW_SECONDS));
        }
    }
}
