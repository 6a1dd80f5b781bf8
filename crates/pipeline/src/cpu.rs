//! The single door to the processor: everything that computes for longer than half a millisecond
//! goes through here, never through an async task.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::PipelineError;

/// A pool of threads of its own, and as many permits as it has threads: callers queue up in front
/// of the door, where they can be cancelled, instead of inside the pool.
#[derive(Debug, Clone)]
pub struct Cpu {
    pool: Arc<rayon::ThreadPool>,
    permits: Arc<Semaphore>,
}

/// The right to one piece of work, which begins at once.
#[derive(Debug)]
pub(crate) struct Permit(OwnedSemaphorePermit);

impl Cpu {
    /// Starts the threads.
    ///
    /// # Errors
    /// `NoThreads` when the machine gives none.
    pub fn try_new(threads: NonZeroUsize) -> Result<Self, PipelineError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|number| format!("analysis-{number}"))
            .build()
            .map_err(PipelineError::NoThreads)?;
        Ok(Self {
            pool: Arc::new(pool),
            permits: Arc::new(Semaphore::new(threads.get())),
        })
    }

    /// Computes on the pool. A caller that goes away does not stop the work that has begun.
    ///
    /// # Errors
    /// `Panicked` when the work did. Its message is not kept: it may quote the data.
    pub async fn run<T, F>(&self, work: F) -> Result<T, PipelineError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.permit().await?;
        self.run_with(permit, work).await
    }

    /// Queues up for a permit, for who must not wait later: holding rows of the database.
    pub(crate) async fn permit(&self) -> Result<Permit, PipelineError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        permit.map(Permit).map_err(|_| PipelineError::Panicked)
    }

    /// As [`Self::run`], with a permit that was acquired before.
    pub(crate) async fn run_with<T, F>(
        &self,
        Permit(permit): Permit,
        work: F,
    ) -> Result<T, PipelineError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        self.pool.spawn(move || {
            let computed = catch_unwind(AssertUnwindSafe(work));
            drop(permit);
            // Nobody waits any more when the caller was cancelled.
            let _unheard = answer.send(computed);
        });
        match result.await {
            Ok(Ok(computed)) => Ok(computed),
            Ok(Err(_panic)) => Err(PipelineError::Panicked),
            Err(_closed) => Err(PipelineError::Panicked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn cpu(threads: usize) -> Cpu {
        Cpu::try_new(NonZeroUsize::new(threads).expect("some")).expect("threads")
    }

    #[tokio::test]
    async fn work_leaves_the_async_thread_and_comes_back() {
        let here = std::thread::current().id();
        let there = cpu(1)
            .run(|| std::thread::current().id())
            .await
            .expect("computed");
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_pool_lives_on() {
        let cpu = cpu(1);
        for _ in 0..3 {
            let broken = cpu.run(|| -> u8 { panic!("broken on purpose") }).await;
            assert!(matches!(broken, Err(PipelineError::Panicked)));
        }
        assert_eq!(cpu.run(|| 42).await.expect("computed"), 42);
    }

    #[tokio::test]
    async fn a_permit_is_work_that_begins_at_once() {
        let cpu = cpu(1);
        let permit = cpu.permit().await.expect("free");
        let mut waiting = std::pin::pin!(cpu.run(|| "later"));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        let first = cpu.run_with(permit, || "now").await.expect("computed");
        assert_eq!((first, waiting.await.expect("computed")), ("now", "later"));
    }

    #[tokio::test]
    async fn no_more_work_is_inside_than_there_are_threads() {
        let cpu = cpu(2);
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..32).map(|_| {
            let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
            cpu.run(move || {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        futures_util::future::join_all(all).await;
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert_eq!(inside.load(Ordering::SeqCst), 0);
    }
}
