//! The current tags of a user's transactions.

use chrono::{DateTime, Utc};
use domain::{AccountId, Sensitive, Transaction, TransactionId, UserId};

use super::accounts::{Include, account_id};
use super::page::count;
use super::rows::transaction_id;
use super::{Page, TenantTx};
use crate::error::StoreError;

/// Which tags to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagFilter {
    /// Only tags that this data snapshot or a newer one changed.
    pub changed_since: Option<i64>,
    /// Which page.
    pub page: Page,
    /// Whether to read the transactions too.
    pub include: Include,
}

/// A page of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// The tags in their order.
    pub items: Vec<TaggedTransaction>,
    /// Tags on all pages.
    pub total: u64,
}

/// A transaction's current tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedTransaction {
    /// The account.
    pub account_id: AccountId,
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Name of the tag.
    pub tag: String,
    /// The rule that set it.
    pub rule_id: String,
    /// Who decided: `pack`, `tenant` or `user`.
    pub origin: String,
    /// What the user's patterns add beside the tag.
    pub extra_tags: Vec<String>,
    /// What made the rule fire.
    pub evidence: String,
    /// How sure the decision is, of ten thousand.
    pub confidence: u16,
    /// The payment service in between.
    pub intermediary: Option<String>,
    /// The merchant behind the payment service.
    pub merchant: Option<Sensitive<String>>,
    /// The tag of the spending that a refund gives back.
    pub refund_of: Option<String>,
    /// When the transaction got this tag.
    pub created_at: DateTime<Utc>,
    /// The transaction itself, when it was asked for.
    pub transaction: Option<Transaction>,
}

/// A row of `transaction_tag`, as the queries read it.
pub(super) struct TagRow {
    pub(super) account_id: String,
    pub(super) transaction_id: String,
    pub(super) tag: String,
    pub(super) rule_id: String,
    pub(super) origin: String,
    pub(super) extra_tags: Vec<String>,
    pub(super) evidence: String,
    pub(super) confidence: i16,
    pub(super) intermediary: Option<String>,
    pub(super) merchant: Option<String>,
    pub(super) refund_of: Option<String>,
    pub(super) created_at: DateTime<Utc>,
}

impl TryFrom<TagRow> for TaggedTransaction {
    type Error = StoreError;

    fn try_from(row: TagRow) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: account_id(row.account_id)?,
            transaction_id: transaction_id(row.transaction_id)?,
            tag: row.tag,
            rule_id: row.rule_id,
            origin: row.origin,
            extra_tags: row.extra_tags,
            evidence: row.evidence,
            confidence: u16::try_from(row.confidence).map_err(|_| StoreError::Corrupt {
                column: "transaction_tag.confidence",
            })?,
            intermediary: row.intermediary,
            merchant: row.merchant.map(Sensitive::new),
            refund_of: row.refund_of,
            created_at: row.created_at,
            transaction: None,
        })
    }
}

impl TenantTx {
    /// Reads a page of the user's current tags.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn tags(&mut self, user: UserId, filter: &TagFilter) -> Result<TagPage, StoreError> {
        let (tenant, id) = (self.id(), user.as_uuid());
        let total = sqlx::query_scalar!(
            r#"select count(*) as "count!" from transaction_tag
               where tenant_id = $1 and user_id = $2 and snapshot >= coalesce($3::bigint, 0)"#,
            tenant,
            id,
            filter.changed_since
        )
        .fetch_one(self.conn())
        .await?;
        let page = (filter.page.limit(), filter.page.offset());
        let mut items = self.tag_rows(user, filter.changed_since, page).await?;
        match filter.include {
            Include::AccountsOnly => {}
            Include::Transactions => self.attach_transactions(user, &mut items).await?,
        }
        Ok(TagPage {
            items,
            total: count(total),
        })
    }

    /// Reads all of the user's current tags in their order, without the transactions.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn all_tags(&mut self, user: UserId) -> Result<Vec<TaggedTransaction>, StoreError> {
        self.tag_rows(user, None, (i64::MAX, 0)).await
    }

    /// Reads tags from a place on, as many as asked for.
    async fn tag_rows(
        &mut self,
        user: UserId,
        changed_since: Option<i64>,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<TaggedTransaction>, StoreError> {
        let (tenant, id) = (self.id(), user.as_uuid());
        let rows = sqlx::query_as!(
            TagRow,
            "select account_id, transaction_id, tag, rule_id, origin, extra_tags, evidence,
                    confidence, intermediary, merchant, refund_of, created_at
             from transaction_tag
             where tenant_id = $1 and user_id = $2 and snapshot >= coalesce($3::bigint, 0)
             order by position, account_id, transaction_id limit $4 offset $5",
            tenant,
            id,
            changed_since,
            limit,
            offset
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(TaggedTransaction::try_from).collect()
    }

    /// Reads the current tag of one transaction, with the transaction.
    ///
    /// A transaction's id is unique within its account only: unless the account is named, it is the
    /// first of the user's accounts, in their order, that has a tagged transaction of this id.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn tag_of(
        &mut self,
        user: UserId,
        account: Option<&AccountId>,
        transaction: &TransactionId,
    ) -> Result<Option<TaggedTransaction>, StoreError> {
        let (tenant, id) = (self.id(), user.as_uuid());
        let row = sqlx::query_file_as!(
            TagRow,
            "src/queries/tag_of.sql",
            tenant,
            id,
            transaction.as_str(),
            account.map(AccountId::as_str)
        )
        .fetch_optional(self.conn())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut found = [TaggedTransaction::try_from(row)?];
        self.attach_transactions(user, &mut found).await?;
        let [found] = found;
        Ok(Some(found))
    }

    async fn attach_transactions(
        &mut self,
        user: UserId,
        items: &mut [TaggedTransaction],
    ) -> Result<(), StoreError> {
        let ids: Vec<_> = items
            .iter()
            .map(|item| (&item.account_id, &item.transaction_id))
            .collect();
        let mut found: std::collections::BTreeMap<_, _> = self
            .transactions_by_id(user, &ids)
            .await?
            .into_iter()
            .map(|(account, transaction)| ((account, transaction.id.clone()), transaction))
            .collect();
        for item in items {
            let key = (item.account_id.clone(), item.transaction_id.clone());
            item.transaction = found.remove(&key);
        }
        Ok(())
    }
}
