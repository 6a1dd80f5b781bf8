//! Benchmarks: each prints its figures and their ratio to a baseline measured in the same run.
//!
//! A ratio survives a change of machine, a duration does not. Every figure is the fastest of
//! several rounds, and the rounds of all candidates alternate, so that a busy moment hits all of
//! them alike.

pub mod accuracy;
pub mod contracts;
pub mod harness;
pub mod rule_folder;
pub mod statements;
