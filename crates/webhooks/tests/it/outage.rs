//! A database that goes away and comes back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::{Clock, Sensitive, SystemIds};
use store::{DeliveryStatus, PoolSettings, SystemStore};
use testkit::database::vault;
use testkit::receiver::{Answer, Receiver};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;
use webhooks::{Dispatcher, HttpClient, Surroundings};

use crate::world::{World, run_while};

/// A test that waits for it fails.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Stands between a store and its database, and can be cut.
struct Line {
    listen: SocketAddr,
    database: SocketAddr,
    carrying: JoinSet<()>,
}

impl Line {
    async fn open(database: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut line = Self {
            listen: listener.local_addr()?,
            database,
            carrying: JoinSet::new(),
        };
        line.carry(listener);
        Ok(line)
    }

    fn carry(&mut self, listener: TcpListener) {
        let database = self.database;
        self.carrying.spawn(async move {
            // Dropped with this task, which is what cuts every connection.
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(database).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
    }

    async fn cut(&mut self) {
        self.carrying.shutdown().await;
    }

    async fn mend(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.listen).await?;
        self.carry(listener);
        Ok(())
    }
}

/// A dispatcher whose database is reached over a line.
async fn far_dispatcher(world: &World) -> Result<(Dispatcher<HttpClient>, Line)> {
    let mut url = Url::parse(world.database.system_url().as_str())?;
    let host = url
        .host_str()
        .context("no host")?
        .replace("localhost", "127.0.0.1");
    let database = format!("{host}:{}", url.port().unwrap_or(5432)).parse()?;
    let line = Line::open(database).await?;
    url.set_host(Some("127.0.0.1"))?;
    url.set_port(Some(line.listen.port()))
        .ok()
        .context("no port")?;
    let settings = PoolSettings {
        url: Sensitive::new(url.into()),
        max_connections: 3,
        acquire_timeout: Duration::from_secs(1),
    };
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let ids = Arc::new(SystemIds);
    let system = SystemStore::connect(&settings, vault()?, Arc::clone(&clock), ids.clone()).await?;
    let surroundings = Surroundings {
        clock,
        ids,
        counters: Arc::clone(&world.counters),
    };
    let client = HttpClient::try_new(domain::address::TargetPolicy::LoopbackToo)?;
    Ok((Dispatcher::new(system, client, surroundings), line))
}

#[tokio::test]
async fn an_outage_is_waited_out() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    world.webhook(&receiver.url("/hook")).await?;
    let user = world.user().await?;
    let (dispatcher, mut line) = far_dispatcher(&world).await?;
    run_while(&dispatcher, async {
        world.event(user, 1).await?;
        receiver.wait_for(1, ARRIVAL).await?;
        line.cut().await;
        world.counted(|counted| counted.store_failures >= 2).await?;
        world.event(user, 2).await?;
        line.mend().await?;
        receiver.wait_for(2, ARRIVAL).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_outcome_is_kept_until_the_database_is_back() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    receiver.answer(Answer::Delayed(200, Duration::from_millis(500)));
    let webhook = world.webhook(&receiver.url("/hook")).await?.webhook.id;
    world.event(world.user().await?, 1).await?;
    let (dispatcher, mut line) = far_dispatcher(&world).await?;
    run_while(&dispatcher, async {
        receiver.wait_for(1, ARRIVAL).await?;
        line.cut().await;
        world.counted(|counted| counted.store_failures >= 1).await?;
        line.mend().await?;
        world.counted(|counted| counted.delivered == 1).await
    })
    .await?;
    assert_eq!(
        world.deliveries(webhook).await?[0].status,
        DeliveryStatus::Delivered
    );
    assert_eq!(receiver.received().len(), 1);
    Ok(())
}
