//! Bringing a database to the schema that this program is built for.

use std::collections::BTreeMap;

use domain::Sensitive;
use sha2::{Digest, Sha256};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use crate::cluster;
use crate::error::StoreError;
use crate::pool;

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Key of the advisory lock under which one process at a time migrates a database.
const LOCK: i64 = 0x6b6f_6e74_6f72;

/// Oldest major version of PostgreSQL that looks large arrays up by hash.
pub const POSTGRES_VERSION_MIN: u32 = 14;

const FINGERPRINT_BYTES: usize = 8;

/// A role that logs in, made by migrating when it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRole {
    /// Its name.
    pub name: String,
    /// Its password, if it logs in with one.
    pub password: Option<Sensitive<String>>,
}

impl LoginRole {
    /// The role that a database address logs in as.
    ///
    /// # Errors
    /// `BadUrl`.
    pub fn from_url(url: &Sensitive<String>) -> Result<Self, StoreError> {
        let options = pool::options(url)?;
        let password = options
            .to_url_lossy()
            .password()
            .map(cluster::percent_decoded)
            .transpose()?
            .map(Sensitive::new);
        Ok(Self {
            name: options.get_username().to_owned(),
            password,
        })
    }
}

/// What migrating did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Versions that were applied now.
    pub versions: Vec<i64>,
    /// How many were there before.
    pub before: usize,
}

/// Makes the group roles and login roles that are missing, and applies the missing migrations.
///
/// Safe to run from several processes at once, and again.
///
/// # Errors
/// `SchemaOutOfDate` when the database holds a migration that this program does not know or that
/// was changed; `ServerTooOld`; `OwnerLacksPrivilege`; `BadUrl`; `Unavailable`.
pub async fn migrate(
    owner_url: &Sensitive<String>,
    runtime: &LoginRole,
    system: &LoginRole,
) -> Result<Applied, StoreError> {
    let options = pool::options(owner_url)?;
    refuse_owner(&options, runtime)?;
    refuse_owner(&options, system)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::query!("select pg_advisory_lock($1) as locked", LOCK)
        .fetch_one(&mut connection)
        .await?;
    let result = migrate_locked(&mut connection, runtime, system).await;
    // Closing the connection releases the lock.
    connection.close().await?;
    result
}

async fn migrate_locked(
    connection: &mut PgConnection,
    runtime: &LoginRole,
    system: &LoginRole,
) -> Result<Applied, StoreError> {
    let found = cluster::server_version(connection).await?;
    if found < POSTGRES_VERSION_MIN {
        return Err(StoreError::ServerTooOld {
            found,
            wanted: POSTGRES_VERSION_MIN,
        });
    }
    cluster::ensure_service_roles(connection, runtime, system).await?;
    let before = recorded(connection).await?;
    MIGRATOR.run(&mut *connection).await.map_err(refused)?;
    let versions = MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .filter(|version| !before.contains_key(version))
        .collect();
    Ok(Applied {
        versions,
        before: before.len(),
    })
}

/// The versions and checksums of the migrations that this program is built for.
pub fn expected() -> BTreeMap<i64, Vec<u8>> {
    MIGRATOR
        .iter()
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .collect()
}

/// A short name for [`expected`]: two programs with the same one fit the same database.
pub fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for (version, checksum) in expected() {
        hash.update(version.to_be_bytes());
        hash.update(checksum);
    }
    hash.finalize()
        .iter()
        .take(FINGERPRINT_BYTES)
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn refuse_owner(owner: &PgConnectOptions, role: &LoginRole) -> Result<(), StoreError> {
    if owner.get_username() == role.name {
        return Err(StoreError::UnsafeRole {
            role: role.name.clone(),
            reason: "it is the owner of the database",
        });
    }
    Ok(())
}

/// The migrations that the database says were applied, as its owner reads them.
async fn recorded(connection: &mut PgConnection) -> Result<BTreeMap<i64, Vec<u8>>, StoreError> {
    let there = sqlx::query_scalar!(
        r#"select to_regclass('public._sqlx_migrations') is not null as "there!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    if !there {
        return Ok(BTreeMap::new());
    }
    // The driver makes this table itself, so it is not there when queries are checked.
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select version, checksum from _sqlx_migrations where success")
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Compares the database's schema with the expected one, as the runtime or system role.
pub(crate) async fn check_applied(pool: &PgPool) -> Result<(), StoreError> {
    let there = sqlx::query_scalar!(
        r#"select to_regprocedure('public.applied_migrations()') is not null as "there!""#
    )
    .fetch_one(pool)
    .await?;
    if !there {
        return Err(StoreError::SchemaOutOfDate {
            reason: "it is empty or older than this program".to_owned(),
        });
    }
    let rows = sqlx::query!(
        r#"select version as "version!", checksum as "checksum!" from applied_migrations()"#
    )
    .fetch_all(pool)
    .await?;
    let applied: BTreeMap<i64, Vec<u8>> = rows
        .into_iter()
        .map(|row| (row.version, row.checksum))
        .collect();
    match difference(&expected(), &applied) {
        Some(reason) => Err(StoreError::SchemaOutOfDate { reason }),
        None => Ok(()),
    }
}

/// The first difference between the expected and the applied migrations.
fn difference(
    expected: &BTreeMap<i64, Vec<u8>>,
    applied: &BTreeMap<i64, Vec<u8>>,
) -> Option<String> {
    for (version, checksum) in expected {
        match applied.get(version) {
            None => return Some(format!("migration {version} is missing")),
            Some(other) if other != checksum => {
                return Some(format!("migration {version} was changed"));
            }
            Some(_) => {}
        }
    }
    applied
        .keys()
        .find(|version| !expected.contains_key(version))
        .map(|version| format!("migration {version} is newer than this program"))
}

fn refused(error: MigrateError) -> StoreError {
    let reason = if let MigrateError::VersionMissing(version) = error {
        format!("migration {version} is newer than this program")
    } else if let MigrateError::VersionMismatch(version) = error {
        format!("migration {version} was changed")
    } else {
        error.to_string()
    };
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
        return cluster::owner_error(error);
    }
    StoreError::SchemaOutOfDate { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(list: &[(i64, u8)]) -> BTreeMap<i64, Vec<u8>> {
        list.iter()
            .map(|(version, byte)| (*version, vec![*byte]))
            .collect()
    }

    #[test]
    fn every_difference_is_named() {
        let expected = versions(&[(1, 1), (2, 2)]);
        for (applied, reason) in [
            (vec![(1, 1), (2, 2)], None),
            (vec![(1, 1)], Some("migration 2 is missing")),
            (vec![(1, 9), (2, 2)], Some("migration 1 was changed")),
            (
                vec![(1, 1), (2, 2), (3, 3)],
                Some("migration 3 is newer than this program"),
            ),
        ] {
            assert_eq!(
                difference(&expected, &versions(&applied)).as_deref(),
                reason
            );
        }
    }

    #[test]
    fn roles_are_read_from_addresses() {
        for (url, name, password) in [
            (
                "postgres://kontor:p%40ss%20w@host/db",
                "kontor",
                Some("p@ss w"),
            ),
            ("postgres://kontor@host/db", "kontor", None),
        ] {
            let role = LoginRole::from_url(&Sensitive::from(url)).expect("readable");
            assert_eq!(role.name, name);
            assert_eq!(role.password.as_ref().map(Sensitive::as_str), password);
        }
        assert!(LoginRole::from_url(&Sensitive::from("no address")).is_err());
    }
}
