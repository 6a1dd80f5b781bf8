//! Tags of transactions.

pub(super) mod correlation;
pub(super) mod tags;
