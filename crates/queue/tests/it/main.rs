//! Transports and relay against real RabbitMQ and PostgreSQL.

mod broker_faults;
mod database;
mod in_process;
mod rabbit;
mod relay;
mod support;
