//! The chain of stages as its callers see it.

mod accounts;
mod balances;
mod chain;
mod contracts;
mod findings;
mod golden;
mod invented;
mod ledger;
mod links;
