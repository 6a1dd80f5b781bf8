//! Looking into a whole database from outside: is every table protected, and is a text anywhere?
//!
//! Needs a role that row-level security does not hide rows from, so it is never the one that
//! serves requests.

use domain::Sensitive;
use sqlx::{Connection, PgConnection};

use crate::error::StoreError;
use crate::pool;

/// A place in the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many rows.
    pub rows: i64,
}

/// Finds every column of every table in which a text occurs, in any case, whatever its type.
///
/// # Errors
/// `Query` when the role would not see every row.
pub async fn find_text(
    admin_url: &Sensitive<String>,
    text: &str,
) -> Result<Vec<Place>, StoreError> {
    let options = pool::options(admin_url)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    // With this off a statement fails instead of silently leaving rows out.
    sqlx::raw_sql("set row_security = off")
        .execute(&mut connection)
        .await?;
    let columns = sqlx::query_file!("src/queries/columns.sql")
        .fetch_all(&mut connection)
        .await?;
    let mut places = Vec::new();
    for column in columns {
        // `bytea` is searched as the bytes it holds, everything else as the text it prints as.
        let statement = sqlx::query_scalar!(
            r#"select format(
                   'select count(*) from %s where strpos(lower(%s), lower($1)) > 0',
                   $1::text,
                   case when $3 then format('encode(%I, ''escape'')', $2::text)
                        else format('%I::text', $2::text) end) as "statement!""#,
            column.table_name,
            column.column_name,
            column.is_binary
        )
        .fetch_one(&mut connection)
        .await?;
        let rows: i64 = sqlx::query_scalar(&statement)
            .bind(text)
            .fetch_one(&mut connection)
            .await?;
        if rows > 0 {
            places.push(Place {
                table: column.table_name,
                column: column.column_name,
                rows,
            });
        }
    }
    connection.close().await?;
    Ok(places)
}

/// Finds what is wrong with the protection of each table, as one sentence a problem.
///
/// Every table must have row-level security enabled and forced, a policy, and a primary key and
/// foreign keys that begin with the tenant. Exceptions: `client` is above tenants, `tenant` refers
/// to it, and the migration table belongs to the owner alone and is granted to nobody.
///
/// # Errors
/// Only those of the connection.
pub async fn unprotected(admin_url: &Sensitive<String>) -> Result<Vec<String>, StoreError> {
    let options = pool::options(admin_url)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let rows = sqlx::query_file!("src/queries/unprotected.sql")
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    Ok(rows.into_iter().map(|row| row.problem).collect())
}
