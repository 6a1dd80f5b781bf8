//! From raw transactions to views: texts split into their parts, payment services looked through.

use domain::Account;
use rules::{AccountContext, RulePack, View};

/// An account with what matching needs to know of it.
#[derive(Debug)]
pub struct PreparedAccount<'a> {
    /// The account as sent.
    pub account: &'a Account,
    context: AccountContext,
}

/// Prepares every account. Texts stay where they are; views borrow them.
pub fn prepare(accounts: &[Account]) -> Vec<PreparedAccount<'_>> {
    accounts
        .iter()
        .map(|account| PreparedAccount {
            account,
            context: AccountContext::new(account, accounts),
        })
        .collect()
}

impl PreparedAccount<'_> {
    /// The views of the account's transactions, in their order.
    ///
    /// A view is made when it is looked at: it costs less to split a text again than to keep the
    /// views of fifty thousand transactions in memory.
    pub fn views<'a>(&'a self, pack: &'a RulePack) -> impl Iterator<Item = View<'a>> {
        self.account
            .transactions
            .iter()
            .map(|transaction| pack.prepare(transaction, &self.context))
    }
}
