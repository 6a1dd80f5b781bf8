//! What the tests share: a handler that follows a script, messages, waiting for a state.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Clock, IdSource, MessageId, Sensitive, SystemClock, SystemIds, TenantId, UserId};
use queue::{
    Backoff, ConsumerPolicy, DeadReason, Delivery, FailureKind, Handler, HandlerError, Message,
    QueueMetrics, Rabbit, RabbitConsumer, RabbitPublisher, Surroundings, Worker, WorkerPolicy,
};
use serde_json::json;
use store::SystemStore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long any state may take to come about.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Waits for a state; panics with its name when it does not come about.
pub(crate) async fn until(state: &str, reached: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !reached().await {
        assert!(Instant::now() < deadline, "never reached: {state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What the scripted handler does with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Succeed,
    Fail(FailureKind),
    Panic,
    Hang,
    WaitForGate,
}

/// A handler that follows a script and remembers everything.
#[derive(Clone)]
pub(crate) struct Actor(Arc<Inner>);

type Script = dyn Fn(usize, &Delivery) -> Act + Send + Sync;

struct Inner {
    script: Box<Script>,
    seen: Mutex<Vec<Delivery>>,
    handled: Mutex<Vec<MessageId>>,
    dead: Mutex<Vec<(MessageId, DeadReason)>>,
    deaf: Mutex<Option<FailureKind>>,
    gate: CancellationToken,
}

impl Actor {
    /// The script gets the number of the call, from zero, and the delivery.
    pub(crate) fn new(script: impl Fn(usize, &Delivery) -> Act + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            script: Box::new(script),
            seen: Mutex::default(),
            handled: Mutex::default(),
            dead: Mutex::default(),
            deaf: Mutex::default(),
            gate: CancellationToken::new(),
        }))
    }

    /// Lets everything through that waits for the gate, now and later.
    pub(crate) fn open_gate(&self) {
        self.0.gate.cancel();
    }

    /// From now on it fails to take notice of dead messages.
    pub(crate) fn take_no_notice(&self, kind: FailureKind) {
        *self.0.deaf.lock().expect("lock") = Some(kind);
    }

    fn succeed(&self, delivery: &Delivery) {
        let id = delivery.message.message_id;
        self.0.handled.lock().expect("lock").push(id);
    }

    pub(crate) fn seen(&self) -> Vec<Delivery> {
        self.0.seen.lock().expect("lock").clone()
    }

    pub(crate) fn handled(&self) -> Vec<MessageId> {
        self.0.handled.lock().expect("lock").clone()
    }

    pub(crate) fn dead(&self) -> Vec<(MessageId, DeadReason)> {
        self.0.dead.lock().expect("lock").clone()
    }
}

impl Handler for Actor {
    async fn handle(&self, delivery: &Delivery) -> Result<(), HandlerError> {
        let number = {
            let mut seen = self.0.seen.lock().expect("lock");
            seen.push(delivery.clone());
            seen.len() - 1
        };
        match (self.0.script)(number, delivery) {
            Act::Succeed => {
                self.succeed(delivery);
                Ok(())
            }
            Act::WaitForGate => {
                self.0.gate.cancelled().await;
                self.succeed(delivery);
                Ok(())
            }
            Act::Fail(kind) => Err(HandlerError::new(kind, "as scripted")),
            Act::Panic => panic!("as scripted"),
            Act::Hang => std::future::pending().await,
        }
    }

    async fn dead(&self, message: &Message, reason: DeadReason) -> Result<String, HandlerError> {
        let letter = (message.message_id, reason);
        self.0.dead.lock().expect("lock").push(letter);
        if let Some(kind) = *self.0.deaf.lock().expect("lock") {
            return Err(HandlerError::new(kind, "deaf as scripted"));
        }
        Ok("as scripted".to_owned())
    }
}

/// Surroundings of the real world.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        metrics: Arc::new(QueueMetrics::default()),
    }
}

/// Waits short enough for a test.
pub(crate) fn hurried() -> WorkerPolicy {
    let quick = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
    WorkerPolicy {
        attempt_max: Duration::from_secs(20),
        retry: quick,
        outage: quick,
    }
}

/// A message of nobody in particular.
pub(crate) fn message(topic: &str) -> Message {
    let now: DateTime<Utc> = SystemClock.now();
    Message {
        message_id: MessageId::new(SystemIds.uuid()),
        tenant_id: TenantId::new(SystemIds.uuid()),
        user_id: UserId::new(SystemIds.uuid()),
        topic: topic.to_owned(),
        payload: json!({"correlationId": SystemIds.uuid()}),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        created_at: DateTime::from_timestamp_millis(now.timestamp_millis()).expect("in range"),
    }
}

/// The first attempt of a message.
pub(crate) fn first(message: &Message) -> Delivery {
    Delivery {
        message: message.clone(),
        attempt: 1,
    }
}

/// Names on the broker that no other test uses.
pub(crate) fn prefix() -> String {
    format!("test-{}", SystemIds.uuid())
}

/// Transports to one broker under one prefix, and the workers that a test starts there.
pub(crate) struct Scene {
    pub(crate) url: String,
    pub(crate) prefix: String,
    pub(crate) publisher: RabbitPublisher,
    pub(crate) surroundings: Surroundings,
    store: SystemStore,
}

/// A worker that runs in the background.
pub(crate) struct Running {
    shutdown: CancellationToken,
    task: JoinSet<()>,
}

impl Scene {
    pub(crate) fn new(url: &str, store: SystemStore) -> Self {
        let (prefix, surroundings) = (prefix(), surroundings());
        let publisher = RabbitPublisher::new(
            rabbit(url, &prefix),
            Arc::clone(&surroundings.ids),
            Arc::clone(&surroundings.metrics),
        );
        Self {
            url: url.to_owned(),
            prefix,
            publisher,
            surroundings,
            store,
        }
    }

    /// Starts a worker with four handlers at once.
    pub(crate) fn work(&self, actor: &Actor) -> Running {
        let shutdown = CancellationToken::new();
        let worker = Worker::new(
            actor.clone(),
            self.store.clone(),
            self.surroundings.clone(),
            hurried(),
            shutdown.clone(),
        );
        let consumer = RabbitConsumer::new(
            rabbit(&self.url, &self.prefix),
            Arc::new(worker),
            ConsumerPolicy::with_concurrency(4),
        );
        let mut task = JoinSet::new();
        task.spawn(consumer.run());
        Running { shutdown, task }
    }

    /// Messages in a queue that nobody has in work.
    pub(crate) async fn waiting(&self, queue: &str) -> u32 {
        let connection = lapin::Connection::connect(&self.url, <_>::default())
            .await
            .expect("broker");
        let channel = connection.create_channel().await.expect("channel");
        let passive = lapin::options::QueueDeclareOptions {
            passive: true,
            ..<_>::default()
        };
        let name = format!("{}.{queue}", self.prefix);
        let queue = channel
            .queue_declare(name.into(), passive, <_>::default())
            .await
            .expect("queue");
        queue.message_count()
    }

    /// Removes what the test declared.
    pub(crate) async fn clear(self) {
        self.publisher.close().await;
        let connection = lapin::Connection::connect(&self.url, <_>::default())
            .await
            .expect("broker");
        let channel = connection.create_channel().await.expect("channel");
        for queue in ["analysis", "dead"] {
            let name = format!("{}.{queue}", self.prefix);
            channel
                .queue_delete(name.into(), <_>::default())
                .await
                .expect("deleted");
        }
        for exchange in ["topics", "dead"] {
            let name = format!("{}.{exchange}", self.prefix);
            channel
                .exchange_delete(name.into(), <_>::default())
                .await
                .expect("deleted");
        }
    }
}

impl Running {
    /// Tells the worker to shut down and does not wait for it.
    pub(crate) fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Shuts the worker down in order.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(DEADLINE, self.task.join_next()).await;
        assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
    }

    /// Ends the worker in the middle of what it does.
    pub(crate) async fn kill(mut self) {
        self.task.shutdown().await;
    }
}

pub(crate) fn rabbit(url: &str, prefix: &str) -> Rabbit {
    Rabbit::try_new(&Sensitive::from(url), prefix).expect("an address")
}

/// The broker that the tests share, which nobody stops.
pub(crate) fn shared_broker() -> String {
    std::env::var("KONTOR_TEST_AMQP_URL").unwrap_or_else(|_| "amqp://127.0.0.1:5673/%2f".to_owned())
}
