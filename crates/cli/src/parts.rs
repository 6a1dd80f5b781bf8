//! The parts that run in a process, built from the configuration and given to its lifetime.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::Sensitive;
use gateway::AppState;
use pipeline::{Analyses, Cpu, Engine};
use queue::{
    Broker, ConsumerPolicy, InProcess, Rabbit, RabbitConsumer, RabbitPublisher, Relay, RelayPolicy,
    Worker, WorkerPolicy,
};
use rules::RulePack;
use store::{Store, SystemStore};
use tokio::net::TcpListener;
use webhooks::{Dispatcher, HttpClient};

use crate::config::Config;
use crate::database::World;
use crate::jobs::AnalysisJobs;
use crate::lifetime::{Lifetime, Stage};
use crate::metrics::ProcessMetrics;
use crate::probes::{self, Probes};
use crate::scheduler::Scheduler;

/// How long relay and consumers may finish what is under way when the process stops.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What every part of a process is built from.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) system: SystemStore,
    pub(crate) rules: Arc<RulePack>,
    pub(crate) metrics: ProcessMetrics,
}

impl Parts {
    /// The HTTP server.
    ///
    /// # Errors
    /// Its settings contradict each other.
    pub(crate) fn spawn_gateway(
        &self,
        lifetime: &mut Lifetime,
        listener: TcpListener,
        keys: gateway::auth::KeyRing,
    ) -> Result<()> {
        let state = AppState::try_new(gateway::Parts {
            settings: self.config.gateway.clone(),
            store: self.store.clone(),
            keys,
            rules: Arc::clone(&self.rules),
            targets: self.config.webhook_targets(),
            registry: Arc::clone(&self.metrics.registry),
            clock: Arc::clone(&self.world.clock),
            ids: Arc::clone(&self.world.ids),
        })?;
        let stop = lifetime.token(Stage::Requests);
        lifetime.spawn(Stage::Requests, "gateway", async move {
            Ok(gateway::serve(listener, state, stop).await?)
        });
        Ok(())
    }

    /// Relay and jobs in this process, over the outbox alone.
    ///
    /// # Errors
    /// The computing threads cannot be started.
    pub(crate) fn spawn_in_process(&self, lifetime: &mut Lifetime) -> Result<()> {
        let broker = Arc::new(InProcess::new(Arc::new(self.worker(lifetime)?)));
        let policy = RelayPolicy {
            in_flight_max: self.config.worker.concurrency().into(),
            ..self.relay_policy()
        };
        self.spawn_relay(lifetime, broker, policy);
        Ok(())
    }

    /// The relay to the broker.
    ///
    /// # Errors
    /// The broker's address cannot be read.
    pub(crate) fn spawn_broker_relay(&self, lifetime: &mut Lifetime) -> Result<()> {
        let ids = Arc::clone(&self.world.ids);
        let queue = Arc::clone(&self.metrics.queue);
        let publisher = Arc::new(RabbitPublisher::new(self.rabbit()?, ids, queue));
        self.spawn_relay(lifetime, publisher, self.relay_policy());
        Ok(())
    }

    /// The consumers of the broker's queues.
    ///
    /// # Errors
    /// The broker's address cannot be read, or the computing threads cannot be started.
    pub(crate) fn spawn_consumers(&self, lifetime: &mut Lifetime) -> Result<()> {
        let worker = Arc::new(self.worker(lifetime)?);
        let policy = ConsumerPolicy {
            concurrency: self.config.worker.concurrency(),
            prefetch: self.config.worker.prefetch(),
            drain: DRAIN_MAX,
        };
        let consumer = RabbitConsumer::new(self.rabbit()?, worker, policy);
        lifetime.spawn(Stage::Work, "consumer", async move {
            consumer.run().await;
            Ok(())
        });
        Ok(())
    }

    /// The webhook dispatcher and the scheduler.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(crate) fn spawn_duties(&self, lifetime: &mut Lifetime) -> Result<()> {
        let sender = HttpClient::try_new(self.config.webhook_targets())?;
        let surroundings = webhooks::Surroundings {
            clock: Arc::clone(&self.world.clock),
            ids: Arc::clone(&self.world.ids),
            counters: Arc::clone(&self.metrics.webhooks),
        };
        let dispatcher = Dispatcher::new(self.system.clone(), sender, surroundings);
        let stop = lifetime.token(Stage::Work);
        lifetime.spawn(Stage::Work, "webhook dispatcher", async move {
            dispatcher.run(&stop).await;
            Ok(())
        });
        self.spawn_scheduler(lifetime);
        Ok(())
    }

    /// Health and metrics of a worker.
    pub(crate) fn spawn_probes(&self, lifetime: &mut Lifetime, listener: TcpListener) {
        let probes = Probes {
            store: self.system.clone(),
            metrics: self.metrics.clone(),
        };
        let stop = lifetime.token(Stage::Requests);
        lifetime.spawn(
            Stage::Requests,
            "probe server",
            probes::serve(listener, probes, stop),
        );
    }

    /// The scheduler, which deletes, wakes and measures.
    pub(crate) fn spawn_scheduler(&self, lifetime: &mut Lifetime) {
        let scheduler = Scheduler {
            store: self.system.clone(),
            section: self.config.scheduler.clone(),
            backlog: Arc::clone(&self.metrics.backlog),
        };
        let stop = lifetime.token(Stage::Work);
        lifetime.spawn(Stage::Work, "scheduler", scheduler.run(stop));
    }

    fn spawn_relay<B: Broker>(&self, lifetime: &mut Lifetime, broker: Arc<B>, policy: RelayPolicy) {
        let relay = Relay::new(
            self.system.clone(),
            broker,
            self.queue_surroundings(),
            policy,
        );
        let stop = lifetime.token(Stage::Work);
        lifetime.spawn(Stage::Work, "relay", async move {
            relay.run(stop).await;
            Ok(())
        });
    }

    fn worker(&self, lifetime: &Lifetime) -> Result<Worker<AnalysisJobs>> {
        let threads =
            NonZeroUsize::new(self.config.worker.cpu_threads()).unwrap_or(NonZeroUsize::MIN);
        let analyses = Analyses::new(
            self.store.clone(),
            Engine::new(Arc::clone(&self.rules)),
            Cpu::try_new(threads)?,
            Arc::clone(&self.world.clock),
            Arc::clone(&self.world.ids),
        );
        let policy = WorkerPolicy {
            attempt_max: Duration::from_secs(self.config.worker.attempt_seconds_max),
            ..WorkerPolicy::default()
        };
        Ok(Worker::new(
            AnalysisJobs(analyses),
            self.system.clone(),
            self.queue_surroundings(),
            policy,
            lifetime.token(Stage::Work),
        ))
    }

    fn rabbit(&self) -> Result<Rabbit> {
        let url = self
            .config
            .amqp_url
            .as_ref()
            .context("AMQP_URL is not set")?;
        let url = Sensitive::from(url.expose());
        Ok(Rabbit::try_new(&url, &self.config.broker.queue_prefix)?)
    }

    fn relay_policy(&self) -> RelayPolicy {
        let section = &self.config.relay;
        RelayPolicy {
            in_flight_max: section.in_flight_max,
            lease: Duration::from_secs(section.lease_seconds),
            poll: Duration::from_secs(section.poll_seconds),
            drain: DRAIN_MAX,
            ..RelayPolicy::default()
        }
    }

    fn queue_surroundings(&self) -> queue::Surroundings {
        queue::Surroundings {
            clock: Arc::clone(&self.world.clock),
            ids: Arc::clone(&self.world.ids),
            metrics: Arc::clone(&self.metrics.queue),
        }
    }
}
