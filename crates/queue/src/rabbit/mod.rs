//! RabbitMQ as the transport: quorum queues, confirmed publications, dead letters at least once.

mod consumer;
mod envelope;
mod publisher;
mod topology;

pub use consumer::RabbitConsumer;
pub use publisher::RabbitPublisher;
pub use topology::REDELIVERIES_MAX;

use std::time::Duration;

use domain::Sensitive;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};

use crate::error::QueueError;
use topology::Names;

/// Seconds without a sign of life after which a connection counts as lost, unless the address
/// says otherwise (`?heartbeat=`).
pub const HEARTBEAT_SECONDS: u16 = 10;
/// How long connecting and one answer of the broker may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Where the broker is and what the queues are called there.
#[derive(Debug, Clone)]
pub struct Rabbit {
    address: Sensitive<AMQPUri>,
    names: Names,
}

impl Rabbit {
    /// Reads the broker's address; does not connect.
    ///
    /// # Errors
    /// `InvalidAddress`.
    pub fn try_new(url: &Sensitive<String>, prefix: &str) -> Result<Self, QueueError> {
        let mut address: AMQPUri = url
            .expose()
            .parse()
            .map_err(|reason| QueueError::InvalidAddress { reason })?;
        address.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self {
            address: Sensitive::new(address),
            names: Names::new(prefix),
        })
    }

    /// Connects and declares exchanges and queues, which changes nothing where they exist.
    async fn connect(&self, purpose: &str) -> Result<Connection, QueueError> {
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("kontor {purpose}").into());
        let opening = async {
            let address = self.address.expose().clone();
            let connection = Connection::connect_uri(address, properties).await?;
            let channel = connection.create_channel().await?;
            topology::declare(&channel, &self.names).await?;
            Ok(connection)
        };
        answer(opening).await
    }
}

/// Waits for the broker, but not for ever.
async fn answer<T>(asking: impl Future<Output = Result<T, lapin::Error>>) -> Result<T, QueueError> {
    match tokio::time::timeout(ANSWER_MAX, asking).await {
        Ok(answered) => Ok(answered?),
        Err(elapsed) => Err(QueueError::Unavailable(Box::new(elapsed))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_address_is_refused_without_its_password() {
        let url = Sensitive::from("http://user:hunter2@host/%2f");
        let error = Rabbit::try_new(&url, "kontor").expect_err("no AMQP address");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
