//! The gateway over its in-process router, against a real database.

mod auth;
mod banking;
mod categories;
mod categorization;
mod decisions;
mod errors;
mod headers;
mod idempotency;
mod logs;
mod openapi;
mod operations;
mod socket;
mod support;
mod tenancy;
mod users;
mod webhooks;
