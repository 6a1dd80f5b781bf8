//! Outbox relay, RabbitMQ and in-process transports, consumers, dead letters.
