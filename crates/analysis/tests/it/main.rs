//! The chain of stages as its callers see it.

mod chain;
mod contracts;
mod findings;
mod golden;
mod invented;
