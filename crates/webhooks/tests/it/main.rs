//! Deliveries against real sockets and a real database.

mod dispatch;
mod fairness;
mod http;
mod outage;
mod receivers;
mod simulation;
mod world;
