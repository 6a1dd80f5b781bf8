//! Tags of transactions, why they have them, and what users and tenants decide themselves.

pub(super) mod correlation;
pub(super) mod delete_tenant_rules;
pub(super) mod explanation;
pub(super) mod get_patterns;
pub(super) mod get_tenant_rules;
pub(super) mod set_patterns;
pub(super) mod set_tenant_rules;
pub(super) mod tags;
pub(super) mod transaction_tags;
pub(super) mod transactions;

mod deciding;

use std::borrow::Cow;

use domain::{AccountId, UserType};
use rules::{Language, Taxonomy};
use store::{TaggedTransaction, TenantTx, User};

use crate::error::{ApiError, ApiResult};
use crate::extract::{Query, TransactionPath};

/// How tags are shown to one caller.
#[derive(Clone, Copy)]
struct Shown<'a> {
    taxonomy: &'a Taxonomy,
    user_type: UserType,
    language: Option<Language>,
}

impl<'a> Shown<'a> {
    /// The tags of a transaction, from specific to general, then those that the user's patterns
    /// add. A tag that the taxonomy does not have any more stands for itself, until the next run.
    fn tags(self, item: &'a TaggedTransaction) -> Vec<Cow<'a, str>> {
        let mut tags: Vec<Cow<'a, str>> = match self.taxonomy.find(self.user_type, &item.tag) {
            Some(tag) => self.taxonomy.path(tag).map(Into::into).collect(),
            None => vec![item.tag.as_str().into()],
        };
        for extra in &item.extra_tags {
            if !tags.iter().any(|tag| tag == extra) {
                tags.push(extra.as_str().into());
            }
        }
        tags
    }

    /// The label of a tag in the language asked for, `None` when none was.
    fn label(self, name: &'a str) -> Option<&'a str> {
        let tag = self.taxonomy.find(self.user_type, name);
        self.language
            .map(|language| tag.map_or(name, |tag| self.taxonomy.label(tag, language)))
    }
}

/// The language asked for.
///
/// # Errors
/// `Parameter` for any other word.
fn language(query: &Query) -> ApiResult<Option<Language>> {
    query.word(&["language"], "must be one of: de, en")
}

/// The account asked for.
///
/// # Errors
/// `Parameter` when it is no identifier.
fn account(query: &Query) -> ApiResult<Option<AccountId>> {
    let text = query.text(&["accountId", "account-id"]);
    text.map(|text| {
        AccountId::try_new(text)
            .map_err(|error| ApiError::parameter("accountId", error.to_string()))
    })
    .transpose()
}

/// The tagged transaction that a path and a query name.
///
/// # Errors
/// `NotFound` when there is none, or it has no tags yet.
async fn tagged(
    tx: &mut TenantTx,
    user: &User,
    path: &TransactionPath,
    account: Option<&AccountId>,
) -> ApiResult<TaggedTransaction> {
    let found = tx.tag_of(user.id, account, &path.transaction_id).await?;
    found.ok_or(ApiError::NotFound {
        what: "categorized transaction",
    })
}
