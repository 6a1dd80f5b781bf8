//! The demo client of the private database, whose secret everybody knows.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use argon2::password_hash::{PasswordHash, PasswordVerifier as _};
use domain::{ClientId, ErrorKind, Sensitive};
use gateway::auth::hash_secret;
use store::{NewClient, Store, SystemStore};
use wire::scope::Scope;

use crate::database::World;
use crate::exit::Refusal;

/// Its identifier.
pub(crate) const DEMO_ID: &str = "demo";
/// Its secret, as long as nobody has changed it.
pub(crate) const DEMO_SECRET: &str = "demo-secret";

/// What there is of the demo client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demo {
    /// It has the known secret.
    Known,
    /// It has another secret, or does not exist.
    Private,
}

/// Refuses to serve others than this machine while the known secret opens the door.
///
/// # Errors
/// `Conflict`, with what to do.
pub(crate) async fn refuse_in_public(listen: SocketAddr, store: &Store) -> Result<()> {
    if listen.ip().to_canonical().is_loopback() || look(store).await? == Demo::Private {
        return Ok(());
    }
    Err(public_refusal(listen).into())
}

/// Makes the demo client of a private database that has none, unless it would be in public.
///
/// # Errors
/// `Conflict` when a new private database would be served in public.
pub(crate) async fn ensure(
    listen: SocketAddr,
    system: &SystemStore,
    store: &Store,
    world: &World,
) -> Result<Demo> {
    refuse_in_public(listen, store).await?;
    let id = demo_id()?;
    if system.client_exists(&id).await? {
        return look(store).await;
    }
    if !listen.ip().to_canonical().is_loopback() {
        if system.list_clients().await?.is_empty() {
            return Err(public_refusal(listen).into());
        }
        return Ok(Demo::Private);
    }
    let secret = Sensitive::from(DEMO_SECRET);
    let client = NewClient {
        id,
        secret_hash: Sensitive::new(hash_secret(&secret, &*world.ids)?),
        scopes: Scope::ALL
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
    };
    system.add_client(&client).await?;
    Ok(Demo::Known)
}

async fn look(store: &Store) -> Result<Demo> {
    let Some(client) = store.client(&demo_id()?).await? else {
        return Ok(Demo::Private);
    };
    let known = PasswordHash::new(client.secret_hash.as_str()).is_ok_and(|hash| {
        argon2::Argon2::default()
            .verify_password(DEMO_SECRET.as_bytes(), &hash)
            .is_ok()
    });
    Ok(if known { Demo::Known } else { Demo::Private })
}

fn demo_id() -> Result<ClientId> {
    ClientId::try_new(DEMO_ID).context("the demo client's name is no identifier")
}

fn public_refusal(listen: SocketAddr) -> Refusal {
    Refusal::new(
        ErrorKind::Conflict,
        format!(
            "refusing to listen on {listen}: the client `{DEMO_ID}` with its known secret would be \
             open to the network; add a client of your own (`kontor client add NAME --scopes all`) \
             and change the secret (`kontor client rotate-secret {DEMO_ID}`), or listen on \
             127.0.0.1"
        ),
    )
}
