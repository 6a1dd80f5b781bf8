//! Commands of the operator: clients, runs, dead letters.

mod client;
mod dead_letters;
mod runs;

pub(crate) use client::run as client;
pub(crate) use dead_letters::run as dead_letters;
pub(crate) use runs::run as runs;

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use anyhow::Result;
use domain::ErrorKind;
use store::SystemStore;

use crate::config::Config;
use crate::database::{Database, World};
use crate::exit::Refusal;
use crate::keys::Keys;
use crate::lifetime::LAST_THINGS_MAX;

/// What a command does with the database, by whatever future.
type Work<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Opens the database as the system role, does the work, and closes it again. The private
/// database is started for it unless a running `kontor serve` has it.
async fn with_system<'a>(
    config: &Config,
    work: impl FnOnce(SystemStore, World) -> Work<'a>,
) -> Result<()> {
    let world = World::of_machine();
    let mut database = Database::open_beside(config).await?;
    let done = async {
        let keys = Keys::load_or_create(&config.keys_file())?;
        let system = database.system_store(config, keys.vault, &world).await?;
        let done = work(system.clone(), world.clone()).await;
        system.close().await;
        done
    }
    .await;
    if let Some(cluster) = database.cluster.take() {
        cluster.stop(LAST_THINGS_MAX).await?;
    }
    done
}

/// Reads an identifier that was typed.
fn typed<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, Refusal>
where
    T::Err: Display,
{
    text.parse()
        .map_err(|error| Refusal::new(ErrorKind::InvalidInput, format!("{what} {text:?}: {error}")))
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(ErrorKind::NotFound, format!("there is no such {what}"))
}

/// Something that may be absent, for a line of output.
fn or_none<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
