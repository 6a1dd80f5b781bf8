//! Transactions of a user's accounts, written and read in bulk.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::{Account, AccountId, Transaction, TransactionId, UserId};

use super::TenantTx;
use super::rows::TransactionRow;
use crate::error::StoreError;
use crate::text::clean;

/// Most transactions of one user, over all accounts.
pub const TRANSACTIONS_PER_USER_MAX: usize = 500_000;

fn transactions_max() -> i64 {
    i64::try_from(TRANSACTIONS_PER_USER_MAX).unwrap_or(i64::MAX)
}

impl TenantTx {
    /// Makes the stored transactions of the given accounts the sent ones.
    pub(super) async fn replace_transactions(
        &mut self,
        user: UserId,
        accounts: &[Account],
    ) -> Result<(), StoreError> {
        let columns = TransactionColumns::try_new(accounts)?;
        self.delete_missing(user, accounts, &columns).await?;
        if !columns.transaction_id.is_empty() {
            self.upsert_transactions(user, &columns).await?;
            self.check_transaction_count(user).await?;
        }
        Ok(())
    }

    /// Reads all transactions of a user, each with its account, in the order sent per account.
    pub(super) async fn transactions(
        &mut self,
        user: UserId,
    ) -> Result<Vec<(AccountId, Transaction)>, StoreError> {
        let (tenant, user, limit) = (self.id(), user.as_uuid(), transactions_max());
        let rows = sqlx::query_file_as!(
            TransactionRow,
            "src/queries/transactions.sql",
            tenant,
            user,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(TransactionRow::into_parts).collect()
    }

    /// Reads the named transactions of a user, in no particular order.
    pub(super) async fn transactions_by_id(
        &mut self,
        user: UserId,
        ids: &[(&AccountId, &TransactionId)],
    ) -> Result<Vec<(AccountId, Transaction)>, StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let account_ids: Vec<&str> = ids.iter().map(|(account, _)| account.as_str()).collect();
        let transaction_ids: Vec<&str> = ids.iter().map(|(_, id)| id.as_str()).collect();
        let rows = sqlx::query_file_as!(
            TransactionRow,
            "src/queries/transactions_by_id.sql",
            tenant,
            user,
            &account_ids as &[&str],
            &transaction_ids as &[&str]
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(TransactionRow::into_parts).collect()
    }

    /// Deletes the stored transactions of the sent accounts that are not sent any more.
    ///
    /// The difference is taken here: as an anti-join over arrays it depends on estimates that
    /// are wrong by orders of magnitude for a user with many rows.
    async fn delete_missing(
        &mut self,
        user: UserId,
        accounts: &[Account],
        columns: &TransactionColumns<'_>,
    ) -> Result<(), StoreError> {
        let accounts: BTreeSet<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
        let sent: BTreeSet<(&str, &str)> = columns.ids().collect();
        let stored = self.transaction_ids(user).await?;
        let gone: Vec<String> = stored
            .iter()
            .map(|(account, id)| (account.as_str(), id.as_str()))
            .filter(|(account, id)| accounts.contains(account) && !sent.contains(&(account, id)))
            // Ids hold no control characters, so no two pairs give the same text.
            .map(|(account, id)| format!("{account}\u{1}{id}"))
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.delete_transactions(user, &gone).await
    }

    /// Deletes transactions and their tags.
    async fn delete_transactions(
        &mut self,
        user: UserId,
        keys: &[String],
    ) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        // Planned with the array at hand (hence not persistent) it is looked up by hash, whatever
        // the planner believes about the table.
        sqlx::query!(
            r"delete from transaction_tag
              where tenant_id = $1 and user_id = $2
                and account_id || E'\x01' || transaction_id = any($3)",
            tenant,
            user,
            keys
        )
        .persistent(false)
        .execute(self.conn())
        .await?;
        sqlx::query!(
            r"delete from transaction
              where tenant_id = $1 and user_id = $2
                and account_id || E'\x01' || transaction_id = any($3)",
            tenant,
            user,
            keys
        )
        .persistent(false)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The ids of all stored transactions of a user, each with its account's.
    pub(super) async fn transaction_ids(
        &mut self,
        user: UserId,
    ) -> Result<BTreeSet<(String, String)>, StoreError> {
        let (tenant, user, limit) = (self.id(), user.as_uuid(), transactions_max());
        let rows = sqlx::query!(
            "select account_id, transaction_id from transaction
             where tenant_id = $1 and user_id = $2 limit $3",
            tenant,
            user,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.account_id, row.transaction_id))
            .collect())
    }

    async fn upsert_transactions(
        &mut self,
        user: UserId,
        columns: &TransactionColumns<'_>,
    ) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        sqlx::query_file!(
            "src/queries/upsert_transactions.sql",
            tenant,
            user,
            &columns.account_id as &[&str],
            &columns.transaction_id as &[&str],
            &columns.position,
            &columns.amount,
            &columns.currency as &[&str],
            &columns.booking_date,
            &columns.booking_instant,
            &columns.value_date as &[Option<NaiveDate>],
            &columns.value_instant as &[Option<i64>],
            &columns.booking_text as &[Cow<'_, str>],
            &columns.purpose as &[Cow<'_, str>],
            &columns.partner_name as &[Cow<'_, str>],
            &columns.partner_iban as &[Cow<'_, str>],
            &columns.partner_bic as &[Cow<'_, str>],
            &columns.partner_creditor_id as &[Cow<'_, str>],
            &columns.ultimate_creditor as &[Cow<'_, str>],
            &columns.ultimate_debtor as &[Cow<'_, str>],
            &columns.end_to_end_id as &[Cow<'_, str>],
            &columns.mandate_id as &[Cow<'_, str>],
            &columns.merchant_category_code as &[Cow<'_, str>],
            &columns.purpose_code as &[Cow<'_, str>],
            &columns.transaction_code as &[Option<i16>]
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn check_transaction_count(&mut self, user: UserId) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from transaction
               where tenant_id = $1 and user_id = $2"#,
            tenant,
            user
        )
        .fetch_one(self.conn())
        .await?;
        if count > transactions_max() {
            return Err(StoreError::LimitReached {
                what: "transactions of one user",
                max: TRANSACTIONS_PER_USER_MAX,
            });
        }
        Ok(())
    }
}

/// Transactions turned on their side: one array a column, as `unnest` takes them.
#[derive(Default)]
struct TransactionColumns<'a> {
    account_id: Vec<&'a str>,
    transaction_id: Vec<&'a str>,
    position: Vec<i32>,
    amount: Vec<i64>,
    currency: Vec<&'a str>,
    booking_date: Vec<NaiveDate>,
    booking_instant: Vec<i64>,
    value_date: Vec<Option<NaiveDate>>,
    value_instant: Vec<Option<i64>>,
    booking_text: Vec<Cow<'a, str>>,
    purpose: Vec<Cow<'a, str>>,
    partner_name: Vec<Cow<'a, str>>,
    partner_iban: Vec<Cow<'a, str>>,
    partner_bic: Vec<Cow<'a, str>>,
    partner_creditor_id: Vec<Cow<'a, str>>,
    ultimate_creditor: Vec<Cow<'a, str>>,
    ultimate_debtor: Vec<Cow<'a, str>>,
    end_to_end_id: Vec<Cow<'a, str>>,
    mandate_id: Vec<Cow<'a, str>>,
    merchant_category_code: Vec<Cow<'a, str>>,
    purpose_code: Vec<Cow<'a, str>>,
    transaction_code: Vec<Option<i16>>,
}

impl<'a> TransactionColumns<'a> {
    fn try_new(accounts: &'a [Account]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for account in accounts {
            for (position, transaction) in (0i32..).zip(&account.transactions) {
                columns.push(account, position, transaction)?;
            }
        }
        Ok(columns)
    }

    fn ids(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let accounts = self.account_id.iter().copied();
        accounts.zip(self.transaction_id.iter().copied())
    }

    fn push(
        &mut self,
        account: &'a Account,
        position: i32,
        transaction: &'a Transaction,
    ) -> Result<(), StoreError> {
        let code = transaction.transaction_code.map(i16::try_from).transpose();
        let counterparty = &transaction.counterparty;
        self.account_id.push(account.id.as_str());
        self.transaction_id.push(transaction.id.as_str());
        self.position.push(position);
        self.amount.push(transaction.amount.minor);
        self.currency.push(transaction.amount.currency.as_str());
        self.booking_date.push(transaction.booking_date);
        self.booking_instant.push(transaction.booking_instant);
        self.value_date.push(transaction.value_date);
        self.value_instant.push(transaction.value_instant);
        self.booking_text.push(clean(&transaction.booking_text));
        self.purpose
            .push(clean(transaction.remittance_info.as_str()));
        self.partner_name.push(clean(counterparty.name.as_str()));
        self.partner_iban.push(clean(counterparty.iban.as_str()));
        self.partner_bic.push(clean(&counterparty.bic));
        self.partner_creditor_id
            .push(clean(&counterparty.creditor_id));
        self.ultimate_creditor
            .push(clean(transaction.ultimate_creditor.as_str()));
        self.ultimate_debtor
            .push(clean(transaction.ultimate_debtor.as_str()));
        self.end_to_end_id
            .push(clean(transaction.end_to_end_id.as_str()));
        self.mandate_id.push(clean(transaction.mandate_id.as_str()));
        self.merchant_category_code
            .push(clean(&transaction.merchant_category_code));
        self.purpose_code.push(clean(&transaction.purpose_code));
        self.transaction_code
            .push(code.map_err(|_| StoreError::Invalid {
                reason: "a transaction code must be below 32768",
            })?);
        Ok(())
    }
}
