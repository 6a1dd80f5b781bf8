//! End users of a tenant.

use chrono::{DateTime, Utc};
use domain::{AutomaticAnalysis, Sensitive, UserId, UserType};
use uuid::Uuid;

use super::page::count;
use super::{Page, TenantTx};
use crate::error::{StoreError, violates};
use crate::text::clean_opt;

const UNKNOWN_USER: StoreError = StoreError::NotFound { what: "user" };

/// A user that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Identifier.
    pub id: UserId,
    /// Person or company.
    pub user_type: UserType,
    /// The client's own identifier.
    pub custom_user_id: Option<Sensitive<String>>,
    /// Name.
    pub name: Option<Sensitive<String>>,
    /// Whether new data starts an analysis.
    pub automatic_analysis: AutomaticAnalysis,
    /// Canonical scopes of the user.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// A stored user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Person or company.
    pub user_type: UserType,
    /// The client's own identifier.
    pub custom_user_id: Option<Sensitive<String>>,
    /// Name.
    pub name: Option<Sensitive<String>>,
    /// Whether new data starts an analysis.
    pub automatic_analysis: AutomaticAnalysis,
    /// Canonical scopes of the user.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The data snapshot that the current tags were computed from; 0 before the first run.
    pub current_snapshot: i64,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users, oldest first.
    pub users: Vec<User>,
    /// Users on all pages.
    pub total: u64,
}

/// What to change about a user; `None` leaves a value as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// Whether new data starts an analysis.
    pub automatic_analysis: Option<AutomaticAnalysis>,
    /// The client's own identifier.
    pub custom_user_id: Option<Sensitive<String>>,
    /// Name.
    pub name: Option<Sensitive<String>>,
}

struct UserRow {
    user_id: Uuid,
    user_type: String,
    custom_user_id: Option<String>,
    name: Option<String>,
    automatic_analysis: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    current_snapshot: i64,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let user_type = row.user_type.parse().map_err(|_| StoreError::Corrupt {
            column: "app_user.user_type",
        })?;
        let automatic_analysis =
            row.automatic_analysis
                .parse()
                .map_err(|_| StoreError::Corrupt {
                    column: "app_user.automatic_analysis",
                })?;
        Ok(Self {
            id: UserId::new(row.user_id),
            user_type,
            custom_user_id: row.custom_user_id.map(Sensitive::new),
            name: row.name.map(Sensitive::new),
            automatic_analysis,
            scopes: row.scopes,
            created_at: row.created_at,
            current_snapshot: row.current_snapshot,
        })
    }
}

fn exposed(text: Option<&Sensitive<String>>) -> Option<&str> {
    text.map(Sensitive::as_str)
}

impl TenantTx {
    /// Stores a new user.
    ///
    /// # Errors
    /// `Duplicate` when the identifier is taken, `NotFound` when the tenant is gone.
    pub async fn add_user(&mut self, user: &NewUser) -> Result<User, StoreError> {
        let (tenant, id) = (self.id(), user.id.as_uuid());
        let custom_user_id = clean_opt(exposed(user.custom_user_id.as_ref()));
        let name = clean_opt(exposed(user.name.as_ref()));
        sqlx::query_as!(
            UserRow,
            "insert into app_user (tenant_id, user_id, user_type, custom_user_id, name,
                                   automatic_analysis, scopes, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             returning user_id, user_type, custom_user_id, name, automatic_analysis, scopes,
                       created_at, current_snapshot",
            tenant,
            id,
            user.user_type.as_str(),
            custom_user_id.as_deref(),
            name.as_deref(),
            user.automatic_analysis.as_str(),
            &user.scopes,
            user.created_at
        )
        .fetch_one(self.conn())
        .await
        .map_err(|error| {
            if violates(&error, "app_user_pkey") {
                StoreError::Duplicate { what: "user" }
            } else if violates(&error, "app_user_tenant_id_fkey") {
                StoreError::NotFound { what: "tenant" }
            } else {
                error.into()
            }
        })?
        .try_into()
    }

    /// Reads a user.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn user(&mut self, id: UserId) -> Result<User, StoreError> {
        let (tenant, id) = (self.id(), id.as_uuid());
        sqlx::query_as!(
            UserRow,
            "select user_id, user_type, custom_user_id, name, automatic_analysis, scopes,
                    created_at, current_snapshot
             from app_user where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_USER)?
        .try_into()
    }

    /// Reads a user and keeps every other change of it waiting until this transaction ends.
    ///
    /// Uploads, claims and saves of one user take this lock first, so they happen one by one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn lock_user(&mut self, id: UserId) -> Result<User, StoreError> {
        let (tenant, id) = (self.id(), id.as_uuid());
        // Rows that only refer to the user (foreign keys) need not wait: `no key`.
        sqlx::query_as!(
            UserRow,
            "select user_id, user_type, custom_user_id, name, automatic_analysis, scopes,
                    created_at, current_snapshot
             from app_user where tenant_id = $1 and user_id = $2
             for no key update",
            tenant,
            id
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_USER)?
        .try_into()
    }

    /// Reads a page of users, oldest first.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn users(&mut self, page: Page) -> Result<UserPage, StoreError> {
        let tenant = self.id();
        let total = sqlx::query_scalar!(
            r#"select count(*) as "count!" from app_user where tenant_id = $1"#,
            tenant
        )
        .fetch_one(self.conn())
        .await?;
        let (limit, offset) = (page.limit(), page.offset());
        let rows = sqlx::query_as!(
            UserRow,
            "select user_id, user_type, custom_user_id, name, automatic_analysis, scopes,
                    created_at, current_snapshot
             from app_user where tenant_id = $1
             order by created_at, user_id limit $2 offset $3",
            tenant,
            limit,
            offset
        )
        .fetch_all(self.conn())
        .await?;
        Ok(UserPage {
            users: rows
                .into_iter()
                .map(User::try_from)
                .collect::<Result<_, _>>()?,
            total: count(total),
        })
    }

    /// Changes a user.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_user(&mut self, id: UserId, patch: &UserPatch) -> Result<User, StoreError> {
        let (tenant, id) = (self.id(), id.as_uuid());
        let automatic_analysis = patch.automatic_analysis.map(AutomaticAnalysis::as_str);
        let custom_user_id = clean_opt(exposed(patch.custom_user_id.as_ref()));
        let name = clean_opt(exposed(patch.name.as_ref()));
        sqlx::query_as!(
            UserRow,
            "update app_user
             set automatic_analysis = coalesce($3, automatic_analysis),
                 custom_user_id = coalesce($4, custom_user_id),
                 name = coalesce($5, name)
             where tenant_id = $1 and user_id = $2
             returning user_id, user_type, custom_user_id, name, automatic_analysis, scopes,
                       created_at, current_snapshot",
            tenant,
            id,
            automatic_analysis,
            custom_user_id.as_deref(),
            name.as_deref()
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_USER)?
        .try_into()
    }

    /// Deletes a user and every row that speaks of it.
    ///
    /// What stays is the log of webhook deliveries without content: which event went where, when.
    /// Deliveries that are still to come are cancelled.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        let (tenant, id, now) = (self.id(), id.as_uuid(), self.now());
        let found = sqlx::query!(
            "select 1 as one from app_user where tenant_id = $1 and user_id = $2 for update",
            tenant,
            id
        )
        .fetch_optional(self.conn())
        .await?;
        if found.is_none() {
            return Err(UNKNOWN_USER);
        }
        self.forget_messages(id).await?;
        // In their order, which is the one in which a sender that settles takes the rows.
        sqlx::query!(
            "update webhook_delivery
             set status = 'cancelled', settled_at = $3, leased_until = null, lease = null
             where tenant_id = $1 and user_id = $2 and status = 'pending'
               and delivery_id in (
                   select delivery_id from webhook_delivery
                   where tenant_id = $1 and user_id = $2 and status = 'pending'
                   order by sequence for update)",
            tenant,
            id,
            now
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "update webhook_delivery set error = null
             where tenant_id = $1 and user_id = $2 and error is not null",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "update webhook_event set data = null, custom_user_id = null
             where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        // Accounts, transactions, patterns, runs, results, tags and their history go with it.
        sqlx::query!(
            "delete from app_user where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Deletes the rows of a user in tables without a foreign key to it.
    async fn forget_messages(&mut self, id: Uuid) -> Result<(), StoreError> {
        let tenant = self.id();
        sqlx::query!(
            "delete from outbox where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "delete from inbox where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "delete from dead_letter where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        sqlx::query!(
            "delete from idempotency where tenant_id = $1 and user_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
