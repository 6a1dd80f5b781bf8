//! Tests over the shipped pack, and of the compiled matcher against the reference.

mod agreement;
mod brands;
mod intermediaries;
mod lint;
mod pack;
mod refusals;
