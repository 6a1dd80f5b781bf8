//! Bank accounts of a user: replacing them as uploaded, and reading them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::{Account, AccountId, Money, Sensitive, UserId};

use super::TenantTx;
use super::rows::{AccountRow, attach};
use crate::error::StoreError;
use crate::text::clean;

/// Most accounts of one user.
pub const ACCOUNTS_PER_USER_MAX: usize = 1_000;

/// How sent accounts are combined with stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetMode {
    /// Each account that is sent takes the place of the stored one with its id, transactions
    /// included; accounts that are not sent stay.
    Replace,
}

/// What to read of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// Accounts with their transactions.
    Transactions,
    /// Accounts with no transactions.
    AccountsOnly,
}

/// What an account without an id is recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountIdentity {
    /// Identifier.
    pub id: AccountId,
    /// IBAN as sent.
    pub iban: Sensitive<String>,
    /// Domestic bank code.
    pub bank_code: String,
    /// Domestic account number.
    pub account_number: Sensitive<String>,
    /// Place among the user's accounts.
    pub position: i32,
}

impl TenantTx {
    /// Stores accounts with their transactions, in a handful of statements whatever their number.
    ///
    /// Takes the user's lock.
    ///
    /// Tags of transactions that keep their id are kept.
    ///
    /// # Errors
    /// `Conflict` when an account was fetched from a bank, `Duplicate` for an id that comes twice,
    /// `NotFound` for the user, `LimitReached` above [`ACCOUNTS_PER_USER_MAX`] or
    /// [`super::TRANSACTIONS_PER_USER_MAX`], `Invalid` for money in a foreign currency.
    pub async fn set_accounts(
        &mut self,
        user: UserId,
        accounts: &[Account],
        mode: SetMode,
    ) -> Result<(), StoreError> {
        let SetMode::Replace = mode;
        if accounts.is_empty() {
            return Ok(());
        }
        check_unique(accounts)?;
        self.lock_user(user).await?;
        let columns = AccountColumns::try_new(accounts)?;
        self.refuse_bank_accounts(user, &columns).await?;
        self.upsert_accounts(user, &columns).await?;
        self.replace_transactions(user, accounts).await?;
        self.check_account_count(user).await
    }

    /// What the user's accounts are recognised by, in their order.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn account_identities(
        &mut self,
        user: UserId,
    ) -> Result<Vec<AccountIdentity>, StoreError> {
        let (tenant, user, limit) = (self.id(), user.as_uuid(), accounts_max());
        let rows = sqlx::query!(
            "select account_id, iban, bank_code, account_number, position
             from account where tenant_id = $1 and user_id = $2
             order by position, account_id limit $3",
            tenant,
            user,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(AccountIdentity {
                    id: account_id(row.account_id)?,
                    iban: Sensitive::new(row.iban),
                    bank_code: row.bank_code,
                    account_number: Sensitive::new(row.account_number),
                    position: row.position,
                })
            })
            .collect()
    }

    /// Whether the user has any account.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn has_accounts(&mut self, user: UserId) -> Result<bool, StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let found = sqlx::query_scalar!(
            r#"select exists (select 1 from account where tenant_id = $1 and user_id = $2)
               as "found!""#,
            tenant,
            user
        )
        .fetch_one(self.conn())
        .await?;
        Ok(found)
    }

    /// Reads the user's accounts in their order.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn accounts(
        &mut self,
        user: UserId,
        include: Include,
    ) -> Result<Vec<Account>, StoreError> {
        let (tenant, id, limit) = (self.id(), user.as_uuid(), accounts_max());
        let rows = sqlx::query_file_as!(AccountRow, "src/queries/accounts.sql", tenant, id, limit)
            .fetch_all(self.conn())
            .await?;
        let mut accounts = rows
            .into_iter()
            .map(Account::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        match include {
            Include::AccountsOnly => {}
            Include::Transactions => {
                let transactions = self.transactions(user).await?;
                attach(&mut accounts, transactions);
            }
        }
        Ok(accounts)
    }

    async fn refuse_bank_accounts(
        &mut self,
        user: UserId,
        columns: &AccountColumns<'_>,
    ) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let found = sqlx::query_scalar!(
            r#"select exists (
                   select 1 from account
                   where tenant_id = $1 and user_id = $2 and account_id = any($3)
                     and origin = 'bank') as "found!""#,
            tenant,
            user,
            &columns.account_id as &[&str]
        )
        .fetch_one(self.conn())
        .await?;
        if found {
            return Err(StoreError::Conflict {
                reason: "an account that was fetched from a bank cannot be replaced",
            });
        }
        Ok(())
    }

    async fn upsert_accounts(
        &mut self,
        user: UserId,
        columns: &AccountColumns<'_>,
    ) -> Result<(), StoreError> {
        let (tenant, user, now) = (self.id(), user.as_uuid(), self.now());
        sqlx::query_file!(
            "src/queries/upsert_accounts.sql",
            tenant,
            user,
            now,
            &columns.account_id as &[&str],
            &columns.account_number as &[Cow<'_, str>],
            &columns.iban as &[Cow<'_, str>],
            &columns.bic as &[Cow<'_, str>],
            &columns.bank_code as &[Cow<'_, str>],
            &columns.bank_name as &[Cow<'_, str>],
            &columns.name as &[Cow<'_, str>],
            &columns.owner as &[Cow<'_, str>],
            &columns.account_type as &[&str],
            &columns.currency as &[&str],
            &columns.balance,
            &columns.overdraft as &[Option<i64>],
            &columns.overdraft_available as &[Option<bool>],
            &columns.credit_line as &[Option<i64>],
            &columns.spending_limit as &[Option<i64>],
            &columns.icon as &[Cow<'_, str>],
            &columns.securities as &[Option<&str>],
            &columns.standing_orders as &[Option<&str>]
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    async fn check_account_count(&mut self, user: UserId) -> Result<(), StoreError> {
        let (tenant, user) = (self.id(), user.as_uuid());
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from account where tenant_id = $1 and user_id = $2"#,
            tenant,
            user
        )
        .fetch_one(self.conn())
        .await?;
        if count > accounts_max() {
            return Err(StoreError::LimitReached {
                what: "accounts of one user",
                max: ACCOUNTS_PER_USER_MAX,
            });
        }
        Ok(())
    }
}

fn accounts_max() -> i64 {
    i64::try_from(ACCOUNTS_PER_USER_MAX).unwrap_or(i64::MAX)
}

pub(super) fn account_id(text: String) -> Result<AccountId, StoreError> {
    AccountId::try_new(text).map_err(|_| StoreError::Corrupt {
        column: "account.account_id",
    })
}

/// Refuses ids that come twice: one statement cannot write a row twice, and which would win?
fn check_unique(accounts: &[Account]) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    for account in accounts {
        if !seen.insert(account.id.as_str()) {
            return Err(StoreError::Duplicate { what: "account id" });
        }
        let mut ids = BTreeSet::new();
        for transaction in &account.transactions {
            if !ids.insert(transaction.id.as_str()) {
                return Err(StoreError::Duplicate {
                    what: "transaction id",
                });
            }
        }
    }
    Ok(())
}

/// Accounts turned on their side: one array a column, as `unnest` takes them.
struct AccountColumns<'a> {
    account_id: Vec<&'a str>,
    account_number: Vec<Cow<'a, str>>,
    iban: Vec<Cow<'a, str>>,
    bic: Vec<Cow<'a, str>>,
    bank_code: Vec<Cow<'a, str>>,
    bank_name: Vec<Cow<'a, str>>,
    name: Vec<Cow<'a, str>>,
    owner: Vec<Cow<'a, str>>,
    account_type: Vec<&'a str>,
    currency: Vec<&'a str>,
    balance: Vec<i64>,
    overdraft: Vec<Option<i64>>,
    overdraft_available: Vec<Option<bool>>,
    credit_line: Vec<Option<i64>>,
    spending_limit: Vec<Option<i64>>,
    icon: Vec<Cow<'a, str>>,
    securities: Vec<Option<&'a str>>,
    standing_orders: Vec<Option<&'a str>>,
}

impl<'a> AccountColumns<'a> {
    fn try_new(accounts: &'a [Account]) -> Result<Self, StoreError> {
        let minor = |account: &Account, money: Option<Money>| match money {
            Some(money) if money.currency != account.currency => Err(StoreError::Invalid {
                reason: "amounts of an account must be in its currency",
            }),
            Some(money) => Ok(Some(money.minor)),
            None => Ok(None),
        };
        let each = accounts.iter();
        let text = |read: fn(&'a Account) -> &'a str| -> Vec<Cow<'a, str>> {
            accounts
                .iter()
                .map(|account| clean(read(account)))
                .collect()
        };
        Ok(Self {
            account_id: each.clone().map(|a| a.id.as_str()).collect(),
            account_number: text(|a| a.account_number.as_str()),
            iban: text(|a| a.iban.as_str()),
            bic: text(|a| &a.bic),
            bank_code: text(|a| &a.bank_code),
            bank_name: text(|a| &a.bank_name),
            name: text(|a| a.name.as_str()),
            owner: text(|a| a.owner.as_str()),
            account_type: each.clone().map(|a| a.account_type.as_str()).collect(),
            currency: each.clone().map(|a| a.currency.as_str()).collect(),
            balance: each
                .clone()
                .map(|a| minor(a, Some(a.balance)).map(Option::unwrap_or_default))
                .collect::<Result<_, _>>()?,
            overdraft: each
                .clone()
                .map(|a| minor(a, a.overdraft.and_then(|overdraft| overdraft.amount)))
                .collect::<Result<_, _>>()?,
            overdraft_available: each
                .clone()
                .map(|a| a.overdraft.and_then(|overdraft| overdraft.available))
                .collect(),
            credit_line: each
                .clone()
                .map(|a| minor(a, a.credit_line))
                .collect::<Result<_, _>>()?,
            spending_limit: each
                .clone()
                .map(|a| minor(a, a.monthly_spending_limit))
                .collect::<Result<_, _>>()?,
            icon: text(|a| &a.icon),
            securities: each
                .clone()
                .map(|a| a.securities_json.as_ref().map(Sensitive::as_str))
                .collect(),
            standing_orders: each
                .map(|a| a.standing_orders_json.as_ref().map(Sensitive::as_str))
                .collect(),
        })
    }
}
