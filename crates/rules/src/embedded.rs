//! The files that are part of the binary.

use crate::pack::Sources;

macro_rules! files {
    ($tree:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../rules/", $tree, "/", $name)))),+]
    };
}

/// The shipped pack. A test compares the listing with the directory.
pub(crate) const SOURCES: Sources<'static> = Sources {
    taxonomy: include_str!("../../../rules/taxonomy.csv"),
    evidence: include_str!("../../../rules/evidence.toml"),
    calibration: include_str!("../../../rules/calibration.toml"),
    refunds: include_str!("../../../rules/refunds.toml"),
    intermediaries: include_str!("../../../rules/intermediaries.toml"),
    first_names: include_str!("../../../rules/first_names.csv"),
    names: include_str!("../../../rules/names.tsv"),
    person: files!("person":
        "fallback.toml",
        "finance.toml",
        "household.toml",
        "housing.toml",
        "income.toml",
        "insurance.toml",
        "leisure.toml",
        "listed.toml",
        "mobility.toml",
        "public.toml",
    ),
    company: files!("company":
        "fallback.toml",
        "finance.toml",
        "income.toml",
        "listed.toml",
        "operations.toml",
        "staff.toml",
    ),
};
