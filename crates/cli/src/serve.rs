//! `kontor serve` and `kontor work`: a process from its first socket to its last.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Error, Result};
use domain::ErrorKind;
use rules::RulePack;
use tokio::net::TcpListener;

use crate::command::ServeRole;
use crate::config::Config;
use crate::database::{Database, World};
use crate::demo::{self, DEMO_ID, DEMO_SECRET, Demo};
use crate::exit::Refusal;
use crate::keys::Keys;
use crate::lifetime::{Ending, LAST_THINGS_MAX, Lifetime};
use crate::metrics::ProcessMetrics;
use crate::output;
use crate::parts::Parts;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    All,
    /// HTTP and the relay.
    Gateway,
    /// Everything but HTTP.
    Worker,
}

impl From<ServeRole> for Role {
    fn from(role: ServeRole) -> Self {
        match role {
            ServeRole::All => Self::All,
            ServeRole::Gateway => Self::Gateway,
        }
    }
}

/// Runs the process until it is asked to stop or a part of it fails.
///
/// # Errors
/// It could not start.
pub(crate) async fn run(config: Config, role: Role) -> Result<Ending> {
    let mut lifetime = Lifetime::new()?;
    let socket = bind(&config, role).await?;
    let Some(database) = lifetime.unless_asked(Database::open(&config)).await? else {
        return Ok(Ending::Asked);
    };
    let mut running = Running {
        config,
        role,
        database,
        parts: None,
    };
    let started = start_parts(&mut running, &mut lifetime, socket).await;
    let ending = match started {
        Ok(true) => run_until_end(&mut running, &mut lifetime).await,
        Ok(false) => Ending::Asked,
        Err(error) => Ending::Failed(error),
    };
    let in_order = lifetime.last_things(running.close()).await;
    Ok(if in_order { ending } else { Ending::AtOnce })
}

/// A process and what it must close.
struct Running {
    config: Config,
    role: Role,
    database: Database,
    parts: Option<Parts>,
}

/// Starts every part; `false` when a signal came first.
async fn start_parts(
    running: &mut Running,
    lifetime: &mut Lifetime,
    socket: Option<TcpListener>,
) -> Result<bool> {
    let Some((parts, keys, demo)) = lifetime.unless_asked(running.build()).await? else {
        return Ok(false);
    };
    let parts = running.parts.insert(parts);
    let has_broker = parts.config.amqp_url.is_some();
    match running.role {
        Role::All if has_broker => {
            parts.spawn_broker_relay(lifetime)?;
            parts.spawn_consumers(lifetime)?;
            parts.spawn_duties(lifetime)?;
        }
        Role::All => {
            parts.spawn_in_process(lifetime)?;
            parts.spawn_duties(lifetime)?;
        }
        Role::Gateway => {
            parts.spawn_broker_relay(lifetime)?;
            parts.spawn_scheduler(lifetime);
        }
        Role::Worker => {
            parts.spawn_broker_relay(lifetime)?;
            parts.spawn_consumers(lifetime)?;
            parts.spawn_duties(lifetime)?;
        }
    }
    let Some(socket) = socket else {
        tracing::info!("the worker is running");
        return Ok(true);
    };
    let address = socket
        .local_addr()
        .context("the listening socket has no address")?;
    match running.role {
        Role::Worker => parts.spawn_probes(lifetime, socket),
        Role::All | Role::Gateway => {
            parts.spawn_gateway(lifetime, socket, keys.ring)?;
            announce(address, demo);
        }
    }
    Ok(true)
}

async fn run_until_end(running: &mut Running, lifetime: &mut Lifetime) -> Ending {
    let cluster = running.database.cluster.as_mut();
    let death = async {
        match cluster {
            Some(cluster) => Error::from(cluster.died().await),
            None => std::future::pending().await,
        }
    };
    lifetime.run(death).await
}

impl Running {
    async fn build(&self) -> Result<(Parts, Keys, Demo)> {
        let world = World::of_machine();
        let keys = Keys::load_or_create(&self.config.keys_file())?;
        let store = self
            .database
            .store(&self.config, keys.vault.clone(), &world)
            .await?;
        let system = self
            .database
            .system_store(&self.config, keys.vault.clone(), &world)
            .await?;
        let demo = match self.role {
            Role::Worker => Demo::Private,
            Role::All | Role::Gateway if self.config.is_embedded() => {
                demo::ensure(self.config.listen, &system, &store, &world).await?
            }
            Role::All | Role::Gateway => {
                demo::refuse_in_public(self.config.listen, &store).await?;
                Demo::Private
            }
        };
        let metrics = ProcessMetrics::new(Arc::clone(&world.clock));
        let parts = Parts {
            config: self.config.clone(),
            world,
            store,
            system,
            rules: Arc::new(RulePack::builtin().context("cannot load the rules")?),
            metrics,
        };
        Ok((parts, keys, demo))
    }

    /// Closes the connections, then stops the private server, within the time that is left.
    async fn close(&mut self) {
        let deadline = tokio::time::Instant::now() + LAST_THINGS_MAX;
        if let Some(parts) = self.parts.take() {
            let closing = async {
                tokio::join!(parts.store.close(), parts.system.close());
            };
            // A connection that is still busy is cut off by the server's own end.
            let _ = tokio::time::timeout(LAST_THINGS_MAX / 4, closing).await;
        }
        if let Some(cluster) = self.database.cluster.take() {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            match cluster.stop(left).await {
                Ok(()) => tracing::info!("the private database has stopped"),
                Err(error) => tracing::error!(%error, "the private database has not stopped"),
            }
        }
    }
}

/// Opens the socket first of all, so that a taken address is noticed before anything is started.
async fn bind(config: &Config, role: Role) -> Result<Option<TcpListener>> {
    let (address, setting) = match role {
        Role::All | Role::Gateway => (Some(config.listen), "KONTOR_LISTEN"),
        Role::Worker => (config.work_listen, "KONTOR_WORK_LISTEN"),
    };
    let Some(address) = address else {
        return Ok(None);
    };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            let message = format!("cannot listen on {address} ({error}); {setting} names another");
            Err(Refusal::new(ErrorKind::Unavailable, message).into())
        }
    }
}

/// Says on standard output how to use what is running. Nobody has to read it.
fn announce(address: SocketAddr, demo: Demo) {
    let base = format!("http://{address}");
    let mut lines = vec![format!(
        "Kontor {} is running at {base}",
        env!("CARGO_PKG_VERSION")
    )];
    let attempt = match demo {
        Demo::Known => {
            lines.push(format!(
                "Client for trying it out, with every scope: {DEMO_ID}, secret {DEMO_SECRET}"
            ));
            format!(
                "curl {base}/api/auth -d grant_type=client_credentials -d client_id={DEMO_ID} \
                 -d client_secret={DEMO_SECRET}"
            )
        }
        Demo::Private => format!("curl {base}/health/ready"),
    };
    lines.push(format!("Open {base}/api/docs, or try: {attempt}"));
    if let Err(error) = output::line(&lines.join("\n")) {
        tracing::debug!(%error, "nobody reads standard output");
    }
}
