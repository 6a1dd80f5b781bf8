//! The exchanges and queues, declared by everyone who connects.
//!
//! ```text
//! <prefix>.topics --analysis.#--> <prefix>.analysis --refused or tried too often--> <prefix>.dead
//! ```

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

/// How often the broker hands a message out again before it is dead.
pub const REDELIVERIES_MAX: u32 = 20;
/// Dead letters must never be dropped. RabbitMQ 4 limits every quorum queue unless it is told
/// otherwise, and 3.x knows no word for "unlimited".
const DEAD_REDELIVERIES_MAX: i64 = 1_000_000_000;
/// What the analysis workers listen to, in every version.
const ANALYSIS_TOPICS: &str = "analysis.#";

/// The names of exchanges and queues.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Topic exchange that the relay publishes to.
    pub(super) topics: ShortString,
    /// Queue of analysis jobs.
    pub(super) analysis: ShortString,
    /// Exchange and queue of dead letters.
    pub(super) dead: ShortString,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            topics: format!("{prefix}.topics").into(),
            analysis: format!("{prefix}.analysis").into(),
            dead: format!("{prefix}.dead").into(),
        }
    }
}

/// Declares everything; what exists already with the same arguments stays as it is.
pub(super) async fn declare(channel: &Channel, names: &Names) -> Result<(), lapin::Error> {
    declare_exchange(channel, &names.topics, ExchangeKind::Topic).await?;
    declare_exchange(channel, &names.dead, ExchangeKind::Fanout).await?;
    declare_queue(channel, &names.dead, dead_arguments()).await?;
    bind(channel, &names.dead, &names.dead, "").await?;
    declare_queue(channel, &names.analysis, analysis_arguments(names)).await?;
    bind(channel, &names.analysis, &names.topics, ANALYSIS_TOPICS).await
}

fn dead_arguments() -> FieldTable {
    let mut arguments = quorum();
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongLongInt(DEAD_REDELIVERIES_MAX),
    );
    arguments
}

fn analysis_arguments(names: &Names) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongLongInt(REDELIVERIES_MAX.into()),
    );
    arguments.insert("x-dead-letter-exchange".into(), text(names.dead.as_str()));
    // Without these two a dead letter could be lost on its way; the first needs the second.
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

async fn declare_exchange(
    channel: &Channel,
    name: &ShortString,
    kind: ExchangeKind,
) -> Result<(), lapin::Error> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(name.clone(), kind, options, FieldTable::default())
        .await
}

async fn declare_queue(
    channel: &Channel,
    name: &ShortString,
    arguments: FieldTable,
) -> Result<(), lapin::Error> {
    channel
        .queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments)
        .await?;
    Ok(())
}

async fn bind(
    channel: &Channel,
    queue: &ShortString,
    exchange: &ShortString,
    topics: &str,
) -> Result<(), lapin::Error> {
    channel
        .queue_bind(
            queue.clone(),
            exchange.clone(),
            topics.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}
