//! Consumes jobs and dead letters, and starts over whenever the broker goes away.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::message::Delivery as Received;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::{Rabbit, answer, envelope};
use crate::error::QueueError;
use crate::handler::{Chain, Handler};
use crate::policy::{ConsumerPolicy, RECONNECT};
use crate::worker::{Outcome, Worker};

/// Dead letters are rare and recorded one after the other.
const DEAD_PREFETCH: u16 = 1;

/// One worker's consumers.
pub struct RabbitConsumer<H> {
    rabbit: Rabbit,
    worker: Arc<Worker<H>>,
    policy: ConsumerPolicy,
    handlers: Arc<Semaphore>,
}

/// What a consumer listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Jobs,
    DeadLetters,
}

/// What is to be said to the broker about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    Again,
    Dead,
}

/// An open subscription.
struct Subscription {
    connection: Connection,
    channel: Channel,
    consumer: lapin::Consumer,
}

impl<H: Handler> RabbitConsumer<H> {
    /// A consumer; it connects when it runs.
    pub fn new(rabbit: Rabbit, worker: Arc<Worker<H>>, policy: ConsumerPolicy) -> Self {
        let handlers = Arc::new(Semaphore::new(policy.concurrency.max(1).into()));
        Self {
            rabbit,
            worker,
            policy,
            handlers,
        }
    }

    /// Consumes until the worker's shutdown, then finishes what is in work within
    /// [`ConsumerPolicy::drain`]. What is not finished goes back to the queue.
    pub async fn run(self) {
        let this = Arc::new(self);
        tokio::join!(
            Arc::clone(&this).keep_consuming(Source::Jobs),
            Arc::clone(&this).keep_consuming(Source::DeadLetters),
        );
    }

    /// Subscribes again and again; a broker that is away is waited for, never given up.
    async fn keep_consuming(self: Arc<Self>, source: Source) {
        let mut failures: u32 = 0;
        let mut work = JoinSet::new();
        while !self.worker.shutdown().is_cancelled() {
            let lost = match self.subscribe(source).await {
                Ok(subscription) => {
                    failures = 0;
                    info!(consumer = source.name(), "consuming");
                    self.consume(source, subscription, &mut work).await
                }
                Err(error) => Err(error),
            };
            if let Err(lost) = lost {
                failures = failures.saturating_add(1);
                self.worker.surroundings().metrics.reconnected();
                warn!(
                    consumer = source.name(),
                    error = %Chain(&lost),
                    "the broker is away, trying again"
                );
                let wait = RECONNECT.delay(failures, self.worker.surroundings().ids.as_ref());
                // An interrupted wait ends the loop above.
                let _ = self.worker.wait(wait).await;
            }
        }
        // Work of a lost connection may still be running.
        self.drain(&mut work).await;
    }

    async fn subscribe(&self, source: Source) -> Result<Subscription, QueueError> {
        let connection = self.rabbit.connect(source.name()).await?;
        let (queue, prefetch) = match source {
            Source::Jobs => (self.rabbit.names.analysis.clone(), self.policy.prefetch),
            Source::DeadLetters => (self.rabbit.names.dead.clone(), DEAD_PREFETCH),
        };
        answer(async {
            let channel = connection.create_channel().await?;
            channel
                .basic_qos(prefetch.max(1), BasicQosOptions::default())
                .await?;
            let consumer = channel
                .basic_consume(
                    queue,
                    ShortString::from(""),
                    BasicConsumeOptions::default(),
                    FieldTable::default(),
                )
                .await?;
            Ok(Subscription {
                connection,
                channel,
                consumer,
            })
        })
        .await
    }

    /// Starts a task for each message until the subscription breaks (an error) or the process
    /// shuts down.
    async fn consume(
        self: &Arc<Self>,
        source: Source,
        mut subscription: Subscription,
        work: &mut JoinSet<()>,
    ) -> Result<(), QueueError> {
        loop {
            tokio::select! {
                biased;
                () = self.worker.shutdown().cancelled() => {
                    self.finish(subscription, work).await;
                    return Ok(());
                }
                // Finished tasks are taken out, or they would pile up.
                Some(finished) = work.join_next() => log_panic(finished),
                received = subscription.consumer.next() => match received {
                    Some(Ok(received)) => {
                        let this = Arc::clone(self);
                        work.spawn(async move { this.process(source, received).await });
                    }
                    Some(Err(error)) => return Err(error.into()),
                    None => return Err(QueueError::Unavailable(
                        "the broker ended the subscription".into(),
                    )),
                },
            }
        }
    }

    /// Takes no more messages, lets the running ones end, closes.
    async fn finish(&self, subscription: Subscription, work: &mut JoinSet<()>) {
        let Subscription {
            connection,
            channel,
            consumer,
        } = subscription;
        let cancelled = answer(channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()));
        if let Err(error) = cancelled.await {
            warn!(error = %Chain(&error), "the subscription was not cancelled in order");
        }
        self.drain(work).await;
        // Closing gives every message back that was handed out and not acknowledged.
        if let Err(error) = answer(connection.close(200, "closing".into())).await {
            warn!(error = %Chain(&error), "the connection to the broker was not closed in order");
        }
    }

    /// Waits for the tasks that run, but not longer than the policy allows.
    async fn drain(&self, work: &mut JoinSet<()>) {
        let all = async {
            while let Some(finished) = work.join_next().await {
                log_panic(finished);
            }
        };
        if tokio::time::timeout(self.policy.drain, all).await.is_err() {
            warn!(jobs = work.len(), "jobs were given up at the shutdown");
            work.shutdown().await;
        }
    }

    async fn process(&self, source: Source, received: Received) {
        let verdict = match source {
            Source::Jobs => self.handle(&received).await,
            Source::DeadLetters => self.bury(&received).await,
        };
        let again = |requeue| BasicNackOptions {
            requeue,
            ..BasicNackOptions::default()
        };
        let said = match verdict {
            Verdict::Done => received.acker.ack(BasicAckOptions::default()).await,
            Verdict::Again => received.acker.nack(again(true)).await,
            Verdict::Dead => received.acker.nack(again(false)).await,
        };
        // Without an answer the broker hands the message out again, which handlers expect.
        if let Err(error) = said {
            info!(error = %Chain(&error), "the broker was away when a message was finished");
        }
    }

    async fn handle(&self, received: &Received) -> Verdict {
        let delivery = match envelope::read(received) {
            Ok(delivery) => delivery,
            Err(unreadable) => {
                error!(error = %unreadable, "a stranger's message was refused");
                return Verdict::Dead;
            }
        };
        let outcome = {
            let slot = tokio::select! {
                biased;
                () = self.worker.shutdown().cancelled() => return Verdict::Again,
                slot = self.handlers.acquire() => slot,
            };
            if slot.is_err() {
                return Verdict::Again;
            }
            self.worker.attempt(&delivery).await
        };
        match outcome {
            Outcome::Handled => Verdict::Done,
            Outcome::Poison => Verdict::Dead,
            Outcome::Interrupted => Verdict::Again,
            Outcome::Retry(wait) => {
                // The message waits here, because the broker hands it out again at once.
                let _ = self.worker.wait(wait).await;
                Verdict::Again
            }
        }
    }

    async fn bury(&self, received: &Received) -> Verdict {
        match envelope::read(received) {
            Ok(delivery) => {
                let reason = envelope::dead_reason(received);
                match self.worker.bury(&delivery.message, reason).await {
                    Ok(()) => Verdict::Done,
                    Err(_interrupted) => Verdict::Again,
                }
            }
            Err(unreadable) => {
                // Nothing of ours: whose it is, and whether it was ever promised, nobody knows.
                error!(error = %unreadable, "a stranger's dead letter was dropped");
                Verdict::Done
            }
        }
    }
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Jobs => "analysis worker",
            Self::DeadLetters => "dead letters",
        }
    }
}

/// Handlers are guarded, so a panic here is ours; the message comes again.
fn log_panic(finished: Result<(), tokio::task::JoinError>) {
    if let Err(broken) = finished
        && broken.is_panic()
    {
        error!("a consumer's task panicked");
    }
}
