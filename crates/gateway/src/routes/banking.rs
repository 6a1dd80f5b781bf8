//! Accounts and transactions.

pub(super) mod create_external_accounts;
pub(super) mod get_accounts;
