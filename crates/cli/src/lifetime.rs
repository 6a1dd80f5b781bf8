//! One orchestrated lifetime: everything that runs is known here, ends here, and ends in order.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long the tasks may take to stop.
const TASKS_STOP_MAX: Duration = Duration::from_secs(15);
/// How much of that the requests under way may have; the gateway grants them less by default.
const REQUESTS_STOP_MAX: Duration = Duration::from_secs(11);
/// How long the last things, connections and the private database, may take after it.
pub(crate) const LAST_THINGS_MAX: Duration = Duration::from_millis(4_500);

/// What stops together. Stages stop in this order: nothing new comes in, then what is under way
/// is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The servers that accept requests.
    Requests,
    /// Relay, consumers, dispatcher and scheduler.
    Work,
}

const STAGES: [Stage; 2] = [Stage::Requests, Stage::Work];

/// The tasks of this process.
pub(crate) struct Lifetime {
    tasks: JoinSet<Result<()>>,
    labels: HashMap<Id, (Stage, &'static str)>,
    requests: CancellationToken,
    work: CancellationToken,
    signals: Signals,
}

/// Why a process ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It was asked to, and everything ended in order.
    Asked,
    /// It was asked twice, so it does not wait.
    AtOnce,
    /// Something that should run for ever has ended.
    Failed(Error),
}

impl Lifetime {
    /// A process without tasks. From now on signals do not end it by themselves.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            tasks: JoinSet::new(),
            labels: HashMap::new(),
            requests: CancellationToken::new(),
            work: CancellationToken::new(),
            signals: Signals::listen()?,
        })
    }

    /// The token that stops a stage.
    pub(crate) fn token(&self, stage: Stage) -> CancellationToken {
        match stage {
            Stage::Requests => self.requests.clone(),
            Stage::Work => self.work.clone(),
        }
    }

    /// Starts a task that runs until its stage's token is cancelled; that it ends before, even
    /// well, ends the process.
    pub(crate) fn spawn(
        &mut self,
        stage: Stage,
        name: &'static str,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(task);
        self.labels.insert(handle.id(), (stage, name));
    }

    /// Does something before the tasks run, unless a signal comes first.
    pub(crate) async fn unless_asked<T>(
        &mut self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<Option<T>> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.signals.next() => Ok(None),
        }
    }

    /// Runs until a signal, the end of a task, or `death`; then stops stage after stage.
    pub(crate) async fn run(&mut self, death: impl Future<Output = Error>) -> Ending {
        let first = tokio::select! {
            () = self.signals.next() => None,
            error = death => Some(error),
            error = next_end(&mut self.tasks, &mut self.labels) => Some(error),
        };
        match &first {
            None => tracing::info!("asked to stop"),
            Some(error) => tracing::error!(error = format!("{error:#}"), "stopping"),
        }
        let stopped = tokio::select! {
            () = stop_stages(&mut self.tasks, &mut self.labels, [&self.requests, &self.work]) => true,
            () = self.signals.next() => false,
        };
        match (first, stopped) {
            (_, false) => Ending::AtOnce,
            (Some(error), true) => Ending::Failed(error),
            (None, true) => Ending::Asked,
        }
    }

    /// Does the last things within a time, unless a second signal comes.
    pub(crate) async fn last_things(&mut self, work: impl Future<Output = ()>) -> bool {
        tokio::select! {
            () = work => true,
            () = self.signals.next() => false,
        }
    }
}

async fn next_end(
    tasks: &mut JoinSet<Result<()>>,
    labels: &mut HashMap<Id, (Stage, &'static str)>,
) -> Error {
    match tasks.join_next_with_id().await {
        Some(ended) => {
            let (name, result) = outcome(labels, ended);
            let reason = result
                .err()
                .unwrap_or_else(|| anyhow!("it ended without a reason"));
            reason.context(format!("the {name} has ended"))
        }
        // Without tasks there is nothing whose end could be noticed.
        None => std::future::pending().await,
    }
}

fn outcome(
    labels: &mut HashMap<Id, (Stage, &'static str)>,
    ended: Result<(Id, Result<()>), JoinError>,
) -> (&'static str, Result<()>) {
    let id = match &ended {
        Ok((id, _)) => *id,
        Err(error) => error.id(),
    };
    let name = labels.remove(&id).map_or("task", |(_, name)| name);
    let result = match ended {
        Ok((_, result)) => result,
        // A panic's message may quote the data that it stumbled over.
        Err(error) if error.is_panic() => Err(anyhow!("it panicked")),
        Err(error) => Err(error.into()),
    };
    (name, result)
}

async fn stop_stages(
    tasks: &mut JoinSet<Result<()>>,
    labels: &mut HashMap<Id, (Stage, &'static str)>,
    tokens: [&CancellationToken; 2],
) {
    let begun = Instant::now();
    for (stage, token) in STAGES.into_iter().zip(tokens) {
        token.cancel();
        let deadline = match stage {
            Stage::Requests => begun + REQUESTS_STOP_MAX,
            Stage::Work => begun + TASKS_STOP_MAX,
        };
        while labels.values().any(|(of, _)| *of == stage) {
            let Ok(Some(ended)) = timeout_at(deadline, tasks.join_next_with_id()).await else {
                tracing::warn!(?stage, "not everything ended in time, the rest is given up");
                break;
            };
            let (name, result) = outcome(labels, ended);
            if let Err(error) = result {
                tracing::error!(
                    task = name,
                    error = format!("{error:#}"),
                    "a task failed while stopping"
                );
            }
        }
    }
    tasks.shutdown().await;
    labels.clear();
}

/// The two signals that ask a process to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let of = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    fn spawn_logged(lifetime: &mut Lifetime, stage: Stage, name: &'static str, log: &Log) {
        let (token, log) = (lifetime.token(stage), Arc::clone(log));
        lifetime.spawn(stage, name, async move {
            token.cancelled().await;
            // Every other task had its turn, so an order between stages is no accident.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            log.lock().expect("not poisoned").push(name);
            Ok(())
        });
    }

    #[tokio::test]
    async fn stages_stop_in_order_when_a_task_dies() {
        let mut lifetime = Lifetime::new().expect("signals");
        let log = Log::default();
        spawn_logged(&mut lifetime, Stage::Work, "relay", &log);
        spawn_logged(&mut lifetime, Stage::Requests, "gateway", &log);
        spawn_logged(&mut lifetime, Stage::Work, "dispatcher", &log);
        lifetime.spawn(Stage::Work, "consumer", async { Err(anyhow!("broken")) });
        let ending = lifetime.run(std::future::pending()).await;
        assert!(
            matches!(&ending, Ending::Failed(error) if format!("{error:#}") == "the consumer has ended: broken"),
            "{ending:?}"
        );
        let log = log.lock().expect("not poisoned");
        assert_eq!(log.len(), 3);
        assert_eq!(log[0], "gateway");
    }

    #[tokio::test]
    async fn a_panic_is_a_death_without_its_text() {
        let mut lifetime = Lifetime::new().expect("signals");
        lifetime.spawn(Stage::Work, "relay", async {
            assert!(std::hint::black_box(false), "DE64100200007791587578");
            Ok(())
        });
        let ending = lifetime.run(std::future::pending()).await;
        assert!(
            matches!(&ending, Ending::Failed(error) if format!("{error:#}") == "the relay has ended: it panicked"),
            "{ending:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_stop_is_given_up_in_time() {
        let mut lifetime = Lifetime::new().expect("signals");
        lifetime.spawn(Stage::Requests, "gateway", std::future::pending());
        lifetime.spawn(Stage::Work, "relay", std::future::pending());
        let begun = Instant::now();
        let ending = lifetime
            .run(std::future::ready(anyhow!("the database died")))
            .await;
        assert!(matches!(ending, Ending::Failed(_)));
        assert!(
            begun.elapsed() <= TASKS_STOP_MAX + Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
}
