//! What a series of amounts looks like: one level, a few levels, bills, or anything.

use super::row::{Row, permille};

/// How alike the amounts of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same, apart from a few steps.
    Levels,
    /// Alike: bills, trends.
    Alike,
    /// Anything.
    Wild,
}

/// What is known of a series of amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// How alike they are.
    pub(crate) likeness: Likeness,
    /// Payments with the same amount as the one before.
    pub(crate) unchanged: usize,
    /// The regular amount, without sign.
    pub(crate) regular: i64,
}

/// Amounts of bills that the regular amount is the median of.
const NEWEST_BILLS: usize = 5;
/// A single amount this far from the one before is an exception and no new level.
const EXCEPTION_PERMILLE: i64 = 300;

/// Looks at the amounts of a series, oldest first.
pub(crate) fn summarize(rows: &[Row]) -> Amounts {
    let mut changes: Vec<i64> = rows
        .windows(2)
        .filter_map(|pair| Some(permille(pair.first()?.minor, pair.last()?.minor)))
        .collect();
    changes.sort_unstable();
    let unchanged = changes.iter().filter(|change| **change == 0).count();
    let likeness = likeness(&changes, unchanged);
    Amounts {
        likeness,
        unchanged,
        regular: match likeness {
            Likeness::Levels => newest_level(rows),
            Likeness::Alike | Likeness::Wild => median_of_newest(rows),
        },
    }
}

fn likeness(changes: &[i64], unchanged: usize) -> Likeness {
    let steps = changes.len().saturating_sub(unchanged);
    if steps.saturating_mul(3) <= changes.len() {
        return Likeness::Levels;
    }
    let at = |percent: usize| {
        let last = changes.len().saturating_sub(1);
        changes
            .get(last.saturating_mul(percent) / 100)
            .copied()
            .unwrap_or(0)
    };
    if at(50) <= 200 && at(80) <= 260 {
        Likeness::Alike
    } else {
        Likeness::Wild
    }
}

fn newest_level(rows: &[Row]) -> i64 {
    let newest = rows.last().map_or(0, |row| row.minor);
    let before = rows.iter().rev().nth(1).map_or(newest, |row| row.minor);
    if permille(newest, before) > EXCEPTION_PERMILLE {
        before
    } else {
        newest
    }
}

fn median_of_newest(rows: &[Row]) -> i64 {
    let newest = rows.iter().rev().take(NEWEST_BILLS).map(|row| row.minor);
    let mut newest: Vec<i64> = newest.collect();
    newest.sort_unstable();
    newest.get(newest.len() / 2).copied().unwrap_or(0)
}
