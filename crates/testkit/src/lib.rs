//! Fixtures for tests: databases, brokers, clients, receivers.
