//! How often a contract is paid, and which gaps between payments that allows.

/// How often a contract is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interval {
    /// Every 7 days.
    Weekly,
    /// Every 14 days.
    Biweekly,
    /// Every 28 days.
    FourWeekly,
    /// On two days of each month.
    SemiMonthly,
    /// Each month.
    Monthly,
    /// Every two months.
    BiMonthly,
    /// Every three months.
    Quarterly,
    /// Every six months.
    SemiAnnually,
    /// Each year.
    Annually,
    /// A known contract without rhythm.
    Irregular,
}

impl Interval {
    /// Every interval, the shortest first.
    pub const ALL: [Self; 10] = [
        Self::Weekly,
        Self::Biweekly,
        Self::FourWeekly,
        Self::SemiMonthly,
        Self::Monthly,
        Self::BiMonthly,
        Self::Quarterly,
        Self::SemiAnnually,
        Self::Annually,
        Self::Irregular,
    ];

    /// The intervals with a rhythm, the shortest first.
    pub(crate) fn rhythms() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|interval| *interval != Self::Irregular)
    }

    /// The documented word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "WEEKLY",
            Self::Biweekly => "BIWEEKLY",
            Self::FourWeekly => "FOUR_WEEKLY",
            Self::SemiMonthly => "SEMI_MONTHLY",
            Self::Monthly => "MONTHLY",
            Self::BiMonthly => "BI_MONTHLY",
            Self::Quarterly => "QUARTERLY",
            Self::SemiAnnually => "SEMI_ANNUALLY",
            Self::Annually => "ANNUALLY",
            Self::Irregular => "IRREGULAR",
        }
    }

    /// The documented `duration`.
    ///
    /// # Units
    /// Days; 0 without rhythm.
    pub const fn duration_days(self) -> i32 {
        match self {
            Self::Weekly => 7,
            Self::Biweekly => 14,
            Self::FourWeekly => 28,
            Self::SemiMonthly => 15,
            Self::Monthly => 30,
            Self::BiMonthly => 60,
            Self::Quarterly => 90,
            Self::SemiAnnually => 180,
            Self::Annually => 365,
            Self::Irregular => 0,
        }
    }

    /// From one payment to the next.
    pub(crate) const fn step(self) -> Step {
        match self {
            Self::Weekly => Step::Days(7),
            Self::Biweekly => Step::Days(14),
            Self::FourWeekly => Step::Days(28),
            Self::SemiMonthly => Step::HalfMonth,
            Self::Monthly | Self::Irregular => Step::Months(1),
            Self::BiMonthly => Step::Months(2),
            Self::Quarterly => Step::Months(3),
            Self::SemiAnnually => Step::Months(6),
            Self::Annually => Step::Months(12),
        }
    }

    /// The mean length, in tenths of a day.
    pub(crate) const fn tenth_days(self) -> i32 {
        match self {
            Self::Weekly => 70,
            Self::Biweekly => 140,
            Self::FourWeekly => 280,
            Self::SemiMonthly => 152,
            Self::Monthly | Self::Irregular => 304,
            Self::BiMonthly => 609,
            Self::Quarterly => 913,
            Self::SemiAnnually => 1826,
            Self::Annually => 3652,
        }
    }

    /// How far a gap may be from the interval's length.
    pub(crate) const fn tolerance_days(self) -> i32 {
        match self {
            Self::Weekly => 3,
            Self::Biweekly => 4,
            Self::FourWeekly | Self::SemiMonthly => 5,
            Self::Monthly | Self::Irregular => 7,
            Self::BiMonthly => 8,
            Self::Quarterly => 9,
            Self::SemiAnnually => 11,
            Self::Annually => 15,
        }
    }

    /// How many payments in a row may be missing within one contract.
    pub(crate) const fn missed_max(self) -> i32 {
        match self {
            Self::Annually => 0,
            Self::SemiAnnually => 2,
            Self::FourWeekly
            | Self::Monthly
            | Self::BiMonthly
            | Self::Quarterly
            | Self::Irregular => 3,
            Self::Weekly | Self::Biweekly | Self::SemiMonthly => 4,
        }
    }
}

/// The distance between two due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A number of days.
    Days(i32),
    /// The same day some months later.
    Months(i32),
    /// The other one of two days of the month.
    HalfMonth,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_neighbours_do_not_reach_twice_the_interval() {
        for interval in Interval::rhythms() {
            let reach = interval.tolerance_days() * 10 * 2;
            assert!(reach < interval.tenth_days(), "{interval:?}");
        }
    }
}
