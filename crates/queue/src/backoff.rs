//! How long to wait before trying again.

use std::time::Duration;

use domain::IdSource;

/// Exponential growth stops after this many doublings; every cap is reached long before.
const DOUBLINGS_MAX: u32 = 20;

/// Waits that double from `first` up to `longest`, each shortened by up to a half at random so
/// that many waiters do not return at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The wait that is never exceeded.
    pub longest: Duration,
}

impl Backoff {
    /// A schedule.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The wait after `failures` failures in a row, at least one.
    pub fn delay(&self, failures: u32, ids: &dyn IdSource) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let full = self
            .first
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(self.longest);
        let half = full / 2;
        // The first bytes of a random UUID are random; the others carry its version.
        let dice = u32::from(u16::from_be_bytes(first_two(&ids.uuid())));
        half + half.saturating_mul(dice) / u32::from(u16::MAX)
    }
}

fn first_two(id: &uuid::Uuid) -> [u8; 2] {
    let bytes = id.as_bytes();
    [bytes[0], bytes[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    struct Always(u8);

    impl IdSource for Always {
        fn uuid(&self) -> Uuid {
            Uuid::from_bytes([self.0; 16])
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_shortened_by_half_at_most() {
        let backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
        for (failures, full_milliseconds) in [
            (0, 200),
            (1, 200),
            (2, 400),
            (5, 3_200),
            (8, 25_600),
            (9, 30_000),
            (u32::MAX, 30_000),
        ] {
            let full = Duration::from_millis(full_milliseconds);
            assert_eq!(backoff.delay(failures, &Always(255)), full, "{failures}");
            assert_eq!(backoff.delay(failures, &Always(0)), full / 2, "{failures}");
        }
    }
}
