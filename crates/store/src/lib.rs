//! PostgreSQL: migrations, queries, tenant transactions, outbox.
