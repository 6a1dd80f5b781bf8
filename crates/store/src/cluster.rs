//! Roles and databases of a PostgreSQL server, for migrating, for the private cluster and for
//! tests.
//!
//! These statements cannot be prepared with parameters; the server itself quotes what goes in.

use domain::Sensitive;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::error::StoreError;
use crate::migrate::LoginRole;
use crate::pool::{self, Group};

/// What a login role may do beyond logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleRight {
    /// Make other roles, which `kontor migrate` needs.
    CreateRole,
    /// Make databases.
    CreateDatabase,
}

impl RoleRight {
    const fn as_sql(self) -> &'static str {
        match self {
            Self::CreateRole => " createrole",
            Self::CreateDatabase => " createdb",
        }
    }
}

/// A connection to a server as a role that may make roles and databases.
#[derive(Debug)]
pub struct Cluster {
    connection: PgConnection,
}

impl Cluster {
    /// Connects.
    ///
    /// # Errors
    /// `BadUrl`, `Unavailable`.
    pub async fn connect(admin_url: &Sensitive<String>) -> Result<Self, StoreError> {
        let options = pool::options(admin_url)?;
        let connection = PgConnection::connect_with(&options).await?;
        Ok(Self { connection })
    }

    /// Closes the connection, which releases a lock that it holds.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }

    /// Waits for and takes a lock that one connection to this database at a time can hold.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn lock(&mut self, key: i64) -> Result<(), StoreError> {
        sqlx::query!("select pg_advisory_lock($1) as locked", key)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Gives a lock back that [`Cluster::lock`] took.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn unlock(&mut self, key: i64) -> Result<(), StoreError> {
        sqlx::query!("select pg_advisory_unlock($1) as unlocked", key)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Makes the group roles, and the login roles that serve in them, where they are missing.
    ///
    /// # Errors
    /// `OwnerLacksPrivilege`.
    pub async fn ensure_service_roles(
        &mut self,
        runtime: &LoginRole,
        system: &LoginRole,
    ) -> Result<(), StoreError> {
        ensure_service_roles(&mut self.connection, runtime, system).await
    }

    /// The server's major version.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn version(&mut self) -> Result<u32, StoreError> {
        server_version(&mut self.connection).await
    }

    /// Makes a login role if it is missing; an existing one stays as it is.
    ///
    /// # Errors
    /// `OwnerLacksPrivilege`.
    pub async fn ensure_login(
        &mut self,
        role: &LoginRole,
        rights: &[RoleRight],
    ) -> Result<(), StoreError> {
        ensure_login(&mut self.connection, role, rights).await
    }

    /// Whether a database exists.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn database_exists(&mut self, name: &str) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"select exists (select 1 from pg_database where datname = $1::text) as "found!""#,
            name
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(found)
    }

    /// Makes an empty database that belongs to a role.
    ///
    /// # Errors
    /// `Duplicate`, `OwnerLacksPrivilege`.
    pub async fn create_database(&mut self, name: &str, owner: &str) -> Result<(), StoreError> {
        let statement = sqlx::query_scalar!(
            r#"select format('create database %I owner %I template template0 encoding ''UTF8''',
                             $1::text, $2::text) as "statement!""#,
            name,
            owner
        )
        .fetch_one(&mut self.connection)
        .await?;
        self.create(&statement).await
    }

    /// Makes a database as a copy of another, to which nobody may be connected.
    ///
    /// # Errors
    /// `Duplicate`, `OwnerLacksPrivilege`.
    pub async fn copy_database(
        &mut self,
        name: &str,
        template: &str,
        owner: &str,
    ) -> Result<(), StoreError> {
        let statement = sqlx::query_scalar!(
            r#"select format('create database %I owner %I template %I',
                             $1::text, $2::text, $3::text) as "statement!""#,
            name,
            owner,
            template
        )
        .fetch_one(&mut self.connection)
        .await?;
        self.create(&statement).await
    }

    /// Gives a database another name; nobody may be connected to it.
    ///
    /// # Errors
    /// `Duplicate`, `OwnerLacksPrivilege`.
    pub async fn rename_database(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        let statement = sqlx::query_scalar!(
            r#"select format('alter database %I rename to %I', $1::text, $2::text)
               as "statement!""#,
            from,
            to
        )
        .fetch_one(&mut self.connection)
        .await?;
        self.create(&statement).await
    }

    /// Deletes a database, if it is there, and disconnects whoever uses it.
    ///
    /// # Errors
    /// `OwnerLacksPrivilege`.
    pub async fn drop_database(&mut self, name: &str) -> Result<(), StoreError> {
        let statement = sqlx::query_scalar!(
            r#"select format('drop database if exists %I with (force)', $1::text)
               as "statement!""#,
            name
        )
        .fetch_one(&mut self.connection)
        .await?;
        self.create(&statement).await
    }

    async fn create(&mut self, statement: &str) -> Result<(), StoreError> {
        sqlx::raw_sql(statement)
            .execute(&mut self.connection)
            .await
            .map_err(|error| match code(&error).as_deref() {
                Some("42P04") => StoreError::Duplicate { what: "database" },
                Some(_) | None => owner_error(error),
            })?;
        Ok(())
    }
}

/// The address of another database or role on the same server.
///
/// # Errors
/// `BadUrl`.
pub fn address(
    base: &Sensitive<String>,
    role: &LoginRole,
    database: &str,
) -> Result<Sensitive<String>, StoreError> {
    let mut options: PgConnectOptions =
        pool::options(base)?.username(&role.name).database(database);
    if let Some(password) = &role.password {
        options = options.password(password.as_str());
    }
    Ok(Sensitive::new(options.to_url_lossy().to_string()))
}

/// The same role's address of another database on the same server.
///
/// # Errors
/// `BadUrl`.
pub fn database_address(
    base: &Sensitive<String>,
    database: &str,
) -> Result<Sensitive<String>, StoreError> {
    let options = pool::options(base)?.database(database);
    Ok(Sensitive::new(options.to_url_lossy().to_string()))
}

/// The name of the database that an address leads to.
///
/// # Errors
/// `BadUrl` when it cannot be read or names none.
pub fn database_of(url: &Sensitive<String>) -> Result<String, StoreError> {
    pool::options(url)?
        .get_database()
        .map(str::to_owned)
        .ok_or(StoreError::BadUrl)
}

/// The server's major version.
pub(crate) async fn server_version(connection: &mut PgConnection) -> Result<u32, StoreError> {
    let version = sqlx::query_scalar!(
        r#"select current_setting('server_version_num')::integer / 10000 as "version!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(version).unwrap_or(0))
}

/// Makes the group roles, and the login roles that serve in them, where they are missing.
pub(crate) async fn ensure_service_roles(
    connection: &mut PgConnection,
    runtime: &LoginRole,
    system: &LoginRole,
) -> Result<(), StoreError> {
    for (role, group) in [(runtime, Group::Runtime), (system, Group::System)] {
        ensure_group(connection, group.name()).await?;
        ensure_login(connection, role, &[]).await?;
        ensure_member(connection, group.name(), &role.name).await?;
    }
    Ok(())
}

/// Makes a group role if it is missing.
async fn ensure_group(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    let statement = sqlx::query_scalar!(
        r#"select format('create role %I nologin', $1::text) as "statement!""#,
        name
    )
    .fetch_one(&mut *connection)
    .await?;
    create_role(connection, name, &statement).await
}

/// Makes a login role if it is missing; an existing one stays as it is.
async fn ensure_login(
    connection: &mut PgConnection,
    role: &LoginRole,
    rights: &[RoleRight],
) -> Result<(), StoreError> {
    let password = role.password.as_ref().map(Sensitive::as_str);
    let rights: String = rights.iter().map(|right| right.as_sql()).collect();
    let statement = sqlx::query_scalar!(
        r#"select format('create role %I login password %L', $1::text, $2::text) || $3::text
           as "statement!""#,
        role.name,
        password,
        rights
    )
    .fetch_one(&mut *connection)
    .await?;
    create_role(connection, &role.name, &statement).await
}

/// Makes a role a member of a group if it is not.
async fn ensure_member(
    connection: &mut PgConnection,
    group: &str,
    member: &str,
) -> Result<(), StoreError> {
    let is_member = sqlx::query_scalar!(
        r#"select pg_has_role($2::name, $1::name, 'member') as "is_member!""#,
        group as _,
        member as _
    )
    .fetch_one(&mut *connection)
    .await?;
    if is_member {
        return Ok(());
    }
    let statement = sqlx::query_scalar!(
        r#"select format('grant %I to %I', $1::text, $2::text) as "statement!""#,
        group,
        member
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::raw_sql(&statement)
        .execute(connection)
        .await
        .map_err(owner_error)?;
    Ok(())
}

async fn create_role(
    connection: &mut PgConnection,
    name: &str,
    statement: &str,
) -> Result<(), StoreError> {
    let there = sqlx::query_scalar!(
        r#"select exists (select 1 from pg_roles where rolname = $1::text) as "there!""#,
        name
    )
    .fetch_one(&mut *connection)
    .await?;
    if there {
        return Ok(());
    }
    match sqlx::raw_sql(statement).execute(connection).await {
        Ok(_) => Ok(()),
        // Roles belong to the whole server: someone migrating another database was faster.
        Err(error) if matches!(code(&error).as_deref(), Some("42710" | "23505")) => Ok(()),
        Err(error) => Err(owner_error(error)),
    }
}

/// An error of the owner, naming a missing privilege as such.
pub(crate) fn owner_error(error: sqlx::Error) -> StoreError {
    let lacks = code(&error).as_deref() == Some("42501");
    let error = StoreError::from(error);
    if let (true, StoreError::Query(fault)) = (lacks, &error) {
        return StoreError::OwnerLacksPrivilege(fault.clone());
    }
    error
}

fn code(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()
        .and_then(|error| error.code().map(Into::into))
}

/// A part of an address with its `%xx` resolved.
pub(crate) fn percent_decoded(text: &str) -> Result<String, StoreError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(StoreError::BadUrl)?;
        let digits = std::str::from_utf8(digits).map_err(|_| StoreError::BadUrl)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| StoreError::BadUrl)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| StoreError::BadUrl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_resolved() {
        for (text, expected) in [
            ("", Some("")),
            ("a%40b%2fc", Some("a@b/c")),
            ("%C3%A4", Some("ä")),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(percent_decoded(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_keep_the_server_and_change_the_rest() {
        let base = Sensitive::from("postgres://postgres@127.0.0.1:5433/postgres");
        let role = LoginRole {
            name: "ro le".to_owned(),
            password: Some(Sensitive::from("p@ss")),
        };
        let address = address(&base, &role, "other").expect("an address");
        assert!(address.as_str().contains("@127.0.0.1:5433/other"));
        assert_eq!(LoginRole::from_url(&address).expect("readable"), role);
        assert_eq!(database_of(&address).expect("named"), "other");
    }
}
