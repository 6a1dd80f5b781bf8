//! The whole way from upload to results over a real RabbitMQ, wired as the binary wires it.

use std::sync::Arc;
use std::time::Duration;

use domain::{CorrelationId, IdSource, Sensitive, SystemIds, UserId};
use pipeline::{Analyses, Disposition, Job, PipelineError};
use queue::{
    Backoff, ConsumerPolicy, DeadReason, Delivery, FailureKind, Handler, HandlerError, Message,
    QueueMetrics, Rabbit, RabbitConsumer, RabbitPublisher, Relay, RelayPolicy, Surroundings,
    Worker, WorkerPolicy,
};
use store::RunStatus;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World, purposes, until};

/// The pipeline as the queue's handler.
struct AnalysisHandler(Analyses);

impl Handler for AnalysisHandler {
    async fn handle(&self, delivery: &Delivery) -> Result<(), HandlerError> {
        let attempt = delivery.attempt;
        match self.0.handle(&job(&delivery.message, attempt)).await {
            Ok(_outcome) => Ok(()),
            Err(failure) => Err(failed(failure, attempt)),
        }
    }

    async fn dead(&self, message: &Message, reason: DeadReason) -> Result<String, HandlerError> {
        let job = job(message, 1);
        let noticed = self.0.dead(&job, reason.as_str()).await;
        noticed.map_err(|failure| failed(failure, 1))
    }
}

fn job(message: &Message, attempt: u32) -> Job {
    Job {
        message_id: message.message_id,
        tenant_id: message.tenant_id,
        topic: message.topic.clone(),
        payload: message.payload.clone(),
        attempt,
    }
}

fn failed(failure: PipelineError, attempt: u32) -> HandlerError {
    let kind = match failure.disposition(attempt) {
        Disposition::Retry => FailureKind::Retry,
        Disposition::Poison => FailureKind::Poison,
        Disposition::Unavailable => FailureKind::Unavailable,
    };
    HandlerError::new(kind, failure)
}

/// A service whose parts share a broker under a prefix of their own.
struct Service {
    world: World,
    rabbit: Rabbit,
    surroundings: Surroundings,
    shutdown: CancellationToken,
    relay: JoinSet<()>,
}

impl Service {
    async fn start() -> Self {
        let world = World::new().await;
        let url = std::env::var("KONTOR_TEST_AMQP_URL")
            .unwrap_or_else(|_| "amqp://127.0.0.1:5673/%2f".to_owned());
        // The broker goes away with the test run, and these names with it.
        let prefix = format!("test-{}", SystemIds.uuid());
        let rabbit = Rabbit::try_new(&Sensitive::from(url.as_str()), &prefix).expect("an address");
        let surroundings = Surroundings {
            clock: world.clock.clone(),
            ids: Arc::new(SystemIds),
            metrics: Arc::new(QueueMetrics::default()),
        };
        let publisher = RabbitPublisher::new(
            rabbit.clone(),
            Arc::clone(&surroundings.ids),
            Arc::clone(&surroundings.metrics),
        );
        let relay = Relay::new(
            world.system.clone(),
            Arc::new(publisher),
            surroundings.clone(),
            RelayPolicy::default(),
        );
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(relay.run(shutdown.clone()));
        Self {
            world,
            rabbit,
            surroundings,
            shutdown,
            relay: tasks,
        }
    }

    fn work(&self, analyses: Analyses) -> JoinSet<()> {
        let quick = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
        let worker = Worker::new(
            AnalysisHandler(analyses),
            self.world.system.clone(),
            self.surroundings.clone(),
            WorkerPolicy {
                retry: quick,
                outage: quick,
                ..WorkerPolicy::default()
            },
            self.shutdown.clone(),
        );
        let consumer = RabbitConsumer::new(
            self.rabbit.clone(),
            Arc::new(worker),
            ConsumerPolicy::with_concurrency(2),
        );
        let mut task = JoinSet::new();
        task.spawn(consumer.run());
        task
    }

    async fn stop(self, workers: Vec<JoinSet<()>>) {
        self.shutdown.cancel();
        for mut task in workers.into_iter().chain([self.relay]) {
            let ended = tokio::time::timeout(DEADLINE, task.join_next()).await;
            assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
        }
    }
}

async fn finished(world: &World) -> bool {
    world.system.backlog().await.expect("backlog").runs_open == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_are_analysed_though_a_worker_dies() {
    let service = Service::start().await;
    let world = &service.world;
    let mut doomed = service.work(world.analyses());
    let survivor = service.work(world.analyses());
    let users: [UserId; 2] = [
        world.add_user(&["categorization"]).await,
        world.add_user(&["categorization"]).await,
    ];
    let mut runs: Vec<(UserId, CorrelationId)> = Vec::new();
    for number in 0..20 {
        let user = users[number % 2];
        runs.push((user, world.upload(user, &purposes(number + 1)).await));
        if number == 10 {
            doomed.shutdown().await;
        }
    }
    until("every run is finished", async || finished(world).await).await;
    for (user, id) in &runs {
        let run = world.run(*user, *id).await;
        assert_eq!(run.status, RunStatus::Done, "{run:?}");
        assert_eq!(world.events(*id).len(), 4);
    }
    assert_eq!(service.surroundings.metrics.figures().dead_letters_total, 0);
    service.stop(vec![survivor]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_job_is_a_dead_letter_with_its_cause_and_can_be_replayed() {
    let service = Service::start().await;
    let world = &service.world;
    let user = world.add_user(&["categorization"]).await;
    // Broken until the operator has repaired it.
    let repaired = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let state = Arc::clone(&repaired);
    let analyses = world.analyses_with(Arc::new(move |pack, subject, options| {
        assert!(state.load(std::sync::atomic::Ordering::SeqCst), "not yet");
        analysis::analyze(pack, subject, options)
    }));
    let worker = service.work(analyses);
    let run = world.upload(user, &purposes(2)).await;
    let letters = async || world.system.dead_letters(10).await.expect("dead letters");
    until("the letter is recorded", async || {
        letters().await.len() == 1
    })
    .await;
    let letter = letters().await.remove(0);
    assert_eq!(
        letter.message.error,
        "the handler refused it for good: the analysis panicked"
    );
    let failed = world.run(user, run).await;
    assert_eq!(failed.status, RunStatus::Failed);
    assert_eq!(failed.error.as_deref(), Some("the analysis panicked"));
    assert_eq!(
        world.events(run),
        ["analysis.failed", "analysis.failed.notification"]
    );

    repaired.store(true, std::sync::atomic::Ordering::SeqCst);
    let id = letter.message.message_id;
    world.system.replay_dead_letter(id).await.expect("replayed");
    until("the run is finished", async || {
        world.run(user, run).await.status == RunStatus::Done
    })
    .await;
    service.stop(vec![worker]).await;
}
