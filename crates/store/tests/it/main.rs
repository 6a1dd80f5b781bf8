//! Tests against a real PostgreSQL, as the roles that serve in production.

mod accounts;
mod claims;
mod clients;
mod decisions;
mod deletion;
mod deliveries;
mod idempotency;
mod isolation;
mod listening;
mod migrations;
mod outbox;
mod protection;
mod purge;
mod saving;
mod tags;
mod users;
mod webhooks;
mod world;
