//! The roles and the database that a new cluster gets.

use domain::Sensitive;

use super::error::EmbeddedError;
use super::layout::Layout;
use super::passwords::Passwords;
use crate::cluster::{Cluster, RoleRight};
use crate::error::StoreError;
use crate::migrate::LoginRole;

/// The cluster's superuser; used here and by nobody else.
pub(super) const SUPERUSER: &str = "postgres";
/// Owns the database and makes the other roles.
pub(super) const OWNER_ROLE: &str = "kontor_owner";
/// Login of the runtime role; made by the migrations.
pub(super) const RUNTIME_ROLE: &str = "kontor_app";
/// Login of the system role; made by the migrations.
pub(super) const SYSTEM_ROLE: &str = "kontor_relay";
/// The database.
pub(super) const DATABASE: &str = "kontor";

/// Makes owner and database where they are missing.
pub(super) async fn ensure_roles_and_database(
    layout: &Layout,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    let owner = LoginRole {
        name: OWNER_ROLE.to_owned(),
        password: Some(Sensitive::from(passwords.owner.as_str())),
    };
    let superuser = passwords.superuser_url(layout);
    ensure(&superuser, &owner)
        .await
        .map_err(EmbeddedError::Bootstrap)
}

async fn ensure(superuser: &Sensitive<String>, owner: &LoginRole) -> Result<(), StoreError> {
    let mut cluster = Cluster::connect(superuser).await?;
    cluster
        .ensure_login(owner, &[RoleRight::CreateRole])
        .await?;
    if !cluster.database_exists(DATABASE).await? {
        cluster.create_database(DATABASE, &owner.name).await?;
    }
    cluster.close().await
}
