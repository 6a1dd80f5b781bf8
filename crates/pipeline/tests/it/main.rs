//! Analysis jobs against a real database, by hand, in a simulation of faults, and over RabbitMQ.

mod decisions;
mod jobs;
mod simulation;
mod support;
mod whole;
