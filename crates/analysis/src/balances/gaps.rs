//! Where bookings are likely to be missing.

use chrono::NaiveDate;

use super::Booking;

/// No shorter run of days without bookings is a gap.
///
/// # Source
/// The same limit as for the score of an observation period.
const GAP_DAYS_MIN: i64 = 45;
/// A gap is so many times longer than what is usual for the account.
const GAP_TIMES: i64 = 3;

/// A run of days in which bookings are likely to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gap {
    /// First day without booking.
    pub since: NaiveDate,
    /// Last day without booking.
    pub until: NaiveDate,
}

/// Finds the gaps between bookings (oldest first), and between the newest one and `as_of`.
///
/// A savings account with interest once a quarter has no gaps: what is unusual is measured by three
/// quarters of the account's own pauses.
pub(crate) fn find(bookings: &[Booking], as_of: NaiveDate) -> Vec<Gap> {
    let mut days: Vec<NaiveDate> = bookings.iter().map(|booking| booking.day).collect();
    days.dedup();
    let pause = |pair: &[NaiveDate]| match pair {
        [before, after] => after.signed_duration_since(*before).num_days(),
        _ => 0,
    };
    let mut pauses: Vec<i64> = days.windows(2).map(pause).collect();
    pauses.sort_unstable();
    let usual = pauses
        .get(pauses.len().saturating_mul(3) / 4)
        .or(pauses.last())
        .copied()
        .unwrap_or(GAP_DAYS_MIN);
    let longest = GAP_DAYS_MIN.max(usual.saturating_mul(GAP_TIMES));
    if days.last().is_some_and(|newest| *newest < as_of) {
        days.extend(as_of.succ_opt());
    }
    days.windows(2)
        .filter(|pair| pause(pair) > longest)
        .filter_map(|pair| match pair {
            [before, after] => Some(Gap {
                since: before.succ_opt()?,
                until: after.pred_opt()?,
            }),
            _ => None,
        })
        .collect()
}

/// Whether a day lies in one of the gaps, which are sorted.
pub(crate) fn contain(gaps: &[Gap], day: NaiveDate) -> bool {
    let next = gaps.partition_point(|gap| gap.until < day);
    gaps.get(next).is_some_and(|gap| gap.since <= day)
}
