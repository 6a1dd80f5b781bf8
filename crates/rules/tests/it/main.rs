//! Tests over the shipped pack, and of the compiled matcher against the reference.

mod agreement;
mod brands;
mod confidence;
mod intermediaries;
mod layers;
mod lint;
mod pack;
mod refunds;
mod refusals;
