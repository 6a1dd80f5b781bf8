//! A tenant's own rules, as text; whoever runs them compiles them.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::UserType;

use super::TenantTx;
use crate::error::{StoreError, violates};

/// A tenant's rules that are to be stored, compiled once to be sure of them.
#[derive(Clone, PartialEq, Eq)]
pub struct NewTenantRules {
    /// Their text.
    pub source: String,
    /// Identifies the text.
    pub hash: String,
    /// How many rules it holds.
    pub rules: u32,
}

/// A tenant's rules for one kind of user.
#[derive(Clone, PartialEq, Eq)]
pub struct TenantRuleSource {
    /// Their text.
    pub source: String,
    /// Identifies the text.
    pub hash: String,
    /// How many rules it holds.
    pub rules: u32,
    /// When they were set.
    pub updated_at: DateTime<Utc>,
}

/// Without the text, which may name people.
impl fmt::Debug for NewTenantRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewTenantRules")
            .field("hash", &self.hash)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// Without the text, which may name people.
impl fmt::Debug for TenantRuleSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TenantRuleSource")
            .field("hash", &self.hash)
            .field("rules", &self.rules)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

impl TenantTx {
    /// Reads the tenant's rules for one kind of user.
    ///
    /// # Errors
    /// Only those of the connection, or `Corrupt`.
    pub async fn tenant_rules(
        &mut self,
        user_type: UserType,
    ) -> Result<Option<TenantRuleSource>, StoreError> {
        let tenant = self.id();
        let row = sqlx::query!(
            "select source, hash, rules, updated_at from tenant_rules
             where tenant_id = $1 and user_type = $2",
            tenant,
            user_type.as_str()
        )
        .fetch_optional(self.conn())
        .await?;
        row.map(|row| {
            let rules = u32::try_from(row.rules).map_err(|_| StoreError::Corrupt {
                column: "tenant_rules.rules",
            })?;
            Ok(TenantRuleSource {
                source: row.source,
                hash: row.hash,
                rules,
                updated_at: row.updated_at,
            })
        })
        .transpose()
    }

    /// Reads only what identifies the tenant's rules, for who may have them compiled already.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn tenant_rules_hash(
        &mut self,
        user_type: UserType,
    ) -> Result<Option<String>, StoreError> {
        let tenant = self.id();
        Ok(sqlx::query_scalar!(
            "select hash from tenant_rules where tenant_id = $1 and user_type = $2",
            tenant,
            user_type.as_str()
        )
        .fetch_optional(self.conn())
        .await?)
    }

    /// Makes these the tenant's rules for one kind of user. They hold from each user's next run on.
    ///
    /// # Errors
    /// `NotFound` when the tenant is gone, `LimitReached` for more rules than can be counted.
    pub async fn set_tenant_rules(
        &mut self,
        user_type: UserType,
        new: &NewTenantRules,
    ) -> Result<(), StoreError> {
        let (tenant, now) = (self.id(), self.now());
        let rules = i32::try_from(new.rules).map_err(|_| StoreError::LimitReached {
            what: "rules of one tenant",
            max: i32::MAX.unsigned_abs().try_into().unwrap_or(usize::MAX),
        })?;
        sqlx::query!(
            "insert into tenant_rules (tenant_id, user_type, source, hash, rules, updated_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (tenant_id, user_type) do update
             set source = excluded.source, hash = excluded.hash, rules = excluded.rules,
                 updated_at = excluded.updated_at",
            tenant,
            user_type.as_str(),
            new.source,
            new.hash,
            rules,
            now
        )
        .execute(self.conn())
        .await
        .map_err(|error| {
            if violates(&error, "tenant_rules_tenant_id_fkey") {
                StoreError::NotFound { what: "tenant" }
            } else {
                error.into()
            }
        })?;
        Ok(())
    }

    /// Takes the tenant's rules for one kind of user away; says whether there were any.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn delete_tenant_rules(&mut self, user_type: UserType) -> Result<bool, StoreError> {
        let tenant = self.id();
        let deleted = sqlx::query!(
            "delete from tenant_rules where tenant_id = $1 and user_type = $2",
            tenant,
            user_type.as_str()
        )
        .execute(self.conn())
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_not_printed_by_accident() {
        let (source, hash) = ("Erika Muster".to_owned(), "abc".to_owned());
        let stored = TenantRuleSource {
            source: source.clone(),
            hash: hash.clone(),
            rules: 7,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let rules = 7;
        let new = NewTenantRules {
            source,
            hash,
            rules,
        };
        for printed in [format!("{stored:?}"), format!("{new:#?}")] {
            assert!(!printed.contains("Erika"), "{printed}");
            assert!(printed.contains("abc"), "{printed}");
        }
    }
}
