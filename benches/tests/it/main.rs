//! What the engine finds in data whose truth is known, where that data is at hand.

mod accounts;
mod accuracy;
mod balances;
mod links;
mod sources;
