//! What the search for rhythms sees of a booking.

use super::civil::{self, DayInMonth};

/// A booking of one group: when and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Day number from the common era.
    pub(crate) day: i32,
    /// The same day in its month.
    pub(crate) in_month: DayInMonth,
    /// Amount without sign, in minor units.
    pub(crate) minor: i64,
    /// Index of the event.
    pub(crate) event: u32,
}

impl Row {
    /// A row of a booking.
    pub(crate) fn new(day: i32, minor: i64, event: u32) -> Self {
        Self {
            day,
            in_month: civil::split(day),
            minor: i64::try_from(minor.unsigned_abs()).unwrap_or(i64::MAX),
            event,
        }
    }
}

/// The difference of two amounts in thousandths of the larger one.
pub(crate) fn permille(a: i64, b: i64) -> i64 {
    let larger = a.max(b).max(1);
    let difference = a.saturating_sub(b).saturating_abs();
    difference
        .saturating_mul(1000)
        .checked_div(larger)
        .unwrap_or_default()
}
