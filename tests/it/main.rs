//! End-to-end scenarios: the real binary on real servers.

mod api;
mod random;
mod shared;
mod upload;
mod world;

mod analyze;
mod categorization;
mod conformance;
mod faults;
mod limits;
mod readme;
mod tenancy;
