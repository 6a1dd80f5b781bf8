//! From views to tags with evidence.

use domain::UserType;
use rules::{Assignment, RulePack};

use crate::stage::prepare::PreparedAccount;

/// The decision about one transaction, by its place in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategorizedTransaction {
    /// Index of the account.
    pub account_index: usize,
    /// Index of the transaction within the account.
    pub transaction_index: usize,
    /// Tag, rule and evidence; the pack resolves its ids.
    pub assignment: Assignment,
}

/// Decides about every transaction.
pub fn categorize(
    pack: &RulePack,
    tree: UserType,
    accounts: &[PreparedAccount<'_>],
) -> Vec<CategorizedTransaction> {
    let count = accounts
        .iter()
        .map(|prepared| prepared.account.transactions.len())
        .sum();
    let mut decided = Vec::with_capacity(count);
    let mut scratch = pack.scratch();
    for (account_index, prepared) in accounts.iter().enumerate() {
        for (transaction_index, view) in prepared.views(pack).enumerate() {
            decided.push(CategorizedTransaction {
                account_index,
                transaction_index,
                assignment: pack.categorize(tree, &view, &mut scratch),
            });
        }
    }
    decided
}
