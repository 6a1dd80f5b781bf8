//! From views to tags with evidence.

use rules::{Categorizer, Decision, RulePack};

use crate::stage::prepare::PreparedAccount;

/// The decision about one transaction, by its place in the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategorizedTransaction {
    /// Index of the account.
    pub account_index: usize,
    /// Index of the transaction within the account.
    pub transaction_index: usize,
    /// Tag, rule, evidence and confidence; the categorizer of the user resolves its ids.
    pub decision: Decision,
    /// Tags that the user's patterns add beside the path of the category; usually none.
    pub extra_tags: Vec<String>,
}

/// Decides about every transaction.
pub fn categorize(
    pack: &RulePack,
    categorizer: &Categorizer<'_>,
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
                decision: categorizer.decide(&view, &mut scratch),
                extra_tags: categorizer.extra_tags(&view),
            });
        }
    }
    decided
}
