//! Publishes with confirms: a message counts as published when the broker has stored it.

use std::sync::Arc;

use domain::IdSource;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};

use lapin::{Channel, Confirmation, Connection};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Rabbit, answer, envelope};
use crate::broker::Broker;
use crate::error::QueueError;
use crate::handler::Chain;
use crate::message::{Delivery, Message};
use crate::metrics::QueueMetrics;
use crate::policy::RECONNECT;

/// The relay's connection to RabbitMQ.
///
/// One channel carries one unconfirmed message at a time: the client library pairs returned
/// messages with confirms by order alone, and a mistaken pair would lose a message. As many
/// channels are opened as messages are published at once, and kept.
pub struct RabbitPublisher {
    rabbit: Rabbit,
    ids: Arc<dyn IdSource>,
    metrics: Arc<QueueMetrics>,
    link: Mutex<Link>,
}

#[derive(Default)]
struct Link {
    connection: Option<Connection>,
    idle: Vec<Channel>,
    failures: u32,
    closed_until: Option<Instant>,
}

impl RabbitPublisher {
    /// A publisher; it connects with its first message.
    pub fn new(rabbit: Rabbit, ids: Arc<dyn IdSource>, metrics: Arc<QueueMetrics>) -> Self {
        Self {
            rabbit,
            ids,
            metrics,
            link: Mutex::new(Link::default()),
        }
    }

    /// Closes the connection; a later message opens it again.
    pub async fn close(&self) {
        let mut link = self.link.lock().await;
        link.idle.clear();
        if let Some(connection) = link.connection.take()
            && let Err(error) = answer(connection.close(200, "closing".into())).await
        {
            warn!(error = %Chain(&error), "the connection to the broker was not closed in order");
        }
    }

    async fn channel(&self) -> Result<Channel, QueueError> {
        let mut link = self.link.lock().await;
        if link
            .closed_until
            .is_some_and(|until| Instant::now() < until)
        {
            return Err(QueueError::Unavailable(
                "waiting before the next connection is tried".into(),
            ));
        }
        match self.open(&mut link).await {
            Ok(channel) => {
                link.failures = 0;
                link.closed_until = None;
                Ok(channel)
            }
            Err(error) => {
                link.connection = None;
                link.idle.clear();
                link.failures = link.failures.saturating_add(1);
                let wait = RECONNECT.delay(link.failures, self.ids.as_ref());
                link.closed_until = Some(Instant::now() + wait);
                self.metrics.reconnected();
                Err(error)
            }
        }
    }

    async fn open(&self, link: &mut Link) -> Result<Channel, QueueError> {
        if !link
            .connection
            .as_ref()
            .is_some_and(|open| open.status().connected())
        {
            link.idle.clear();
            link.connection = Some(self.rabbit.connect("relay").await?);
            info!("the relay is connected to the broker");
        }
        while let Some(channel) = link.idle.pop() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        let Some(connection) = link.connection.as_ref() else {
            return Err(QueueError::Interrupted);
        };
        answer(async {
            let channel = connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok(channel)
        })
        .await
    }

    async fn send(&self, channel: &Channel, message: &Message) -> Result<Confirmation, QueueError> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let body = message.payload.to_string();
        answer(async {
            channel
                .basic_publish(
                    self.rabbit.names.topics.clone(),
                    message.topic.as_str().into(),
                    options,
                    body.as_bytes(),
                    envelope::properties(message),
                )
                .await?
                .await
        })
        .await
    }
}

impl Broker for RabbitPublisher {
    async fn publish(&self, delivery: &Delivery) -> Result<(), QueueError> {
        let channel = self.channel().await?;
        // A channel that failed or was given up midway is dropped, which closes it.
        let confirmation = self.send(&channel, &delivery.message).await?;
        self.link.lock().await.idle.push(channel);
        judge(confirmation)
    }
}

fn judge(confirmation: Confirmation) -> Result<(), QueueError> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(returned)) => Err(QueueError::Refused {
            reason: format!("{} {}", returned.reply_code, returned.reply_text),
        }),
        Confirmation::Nack(_) => Err(QueueError::Refused {
            reason: "it was not stored".to_owned(),
        }),
        Confirmation::NotRequested => Err(QueueError::Refused {
            reason: "confirms are off".to_owned(),
        }),
    }
}
