//! Fixtures for tests: databases, brokers, clients, receivers.

pub mod database;
pub mod postgres;
pub mod process;
pub mod rabbit;
pub mod receiver;

pub use database::TestDatabase;
