//! Waking up when another process has written something.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::error::StoreError;

/// What can be listened to. A wake-up is only a hint: whoever listens also looks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Messages were written into the outbox.
    Outbox,
    /// Deliveries were made or became due.
    Delivery,
}

impl Channel {
    /// The channel's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbox => "kontor_outbox",
            Self::Delivery => "kontor_delivery",
        }
    }
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something was written.
    Notified,
    /// The connection was lost and is there again; something may have been missed.
    Reconnected,
}

/// How long to wait for the listening connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Listens to one channel on a connection of its own.
pub struct Listener {
    options: PgConnectOptions,
    channel: Channel,
    /// Absent after a failure, until the next wait connects again.
    inner: Option<PgListener>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Listener({})", self.channel.as_str())
    }
}

impl Listener {
    pub(crate) async fn open(
        options: PgConnectOptions,
        channel: Channel,
    ) -> Result<Self, StoreError> {
        let inner = Some(connect(&options, channel).await?);
        Ok(Self {
            options,
            channel,
            inner,
        })
    }

    /// Waits until something was written, or the connection is back after a loss.
    ///
    /// Cancelling the wait loses nothing.
    ///
    /// # Errors
    /// `Unavailable` while the database cannot be reached; call again after a pause.
    pub async fn wait(&mut self) -> Result<Wake, StoreError> {
        let Some(inner) = &mut self.inner else {
            self.inner = Some(connect(&self.options, self.channel).await?);
            return Ok(Wake::Reconnected);
        };
        match inner.try_recv().await {
            Ok(Some(_)) => {
                // One look serves all that were announced meanwhile.
                while inner.next_buffered().is_some() {}
                Ok(Wake::Notified)
            }
            Ok(None) => Ok(Wake::Reconnected),
            Err(error) => {
                // The driver keeps a connection that was reset; it would fail for ever.
                self.inner = None;
                Err(error.into())
            }
        }
    }
}

async fn connect(options: &PgConnectOptions, channel: Channel) -> Result<PgListener, StoreError> {
    // A pool of one, because the listener reconnects through its pool.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel.as_str()).await?;
    Ok(listener)
}
