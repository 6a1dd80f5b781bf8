//! A message in AMQP's words: identifiers and trace in properties and headers, payload as JSON.

use chrono::DateTime;
use domain::MessageId;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use thiserror::Error;

use crate::message::{DeadReason, Delivery, Message};

/// AMQP's number for "keep it on disk".
const PERSISTENT: u8 = 2;

const TENANT: &str = "tenant-id";
const USER: &str = "user-id";
const TOPIC: &str = "topic";
const TRACE: &str = "traceparent";
const CREATED: &str = "created-at-milliseconds";
/// Set by quorum queues: how often the message was handed out before.
const RETURNS: &str = "x-delivery-count";
/// Set by the broker: why the message left its first queue.
const DEATH: &str = "x-first-death-reason";

/// What of an envelope cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the message's {field} is missing or cannot be read")]
pub(super) struct Unreadable {
    field: &'static str,
}

/// The properties under which a message is published.
pub(super) fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut set = |name: &str, value: &str| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    set(TENANT, &message.tenant_id.to_string());
    set(USER, &message.user_id.to_string());
    set(TOPIC, &message.topic);
    if let Some(traceparent) = &message.traceparent {
        set(TRACE, traceparent);
    }
    headers.insert(
        CREATED.into(),
        AMQPValue::LongLongInt(message.created_at.timestamp_millis()),
    );
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message.message_id.to_string().into())
        .with_type(message.topic.as_str().into())
        .with_headers(headers)
}

/// Reads a message that a queue handed out.
pub(super) fn read(received: &lapin::message::Delivery) -> Result<Delivery, Unreadable> {
    let properties = &received.properties;
    let message_id: MessageId = properties
        .message_id()
        .as_ref()
        .and_then(|id| id.as_str().parse().ok())
        .ok_or(Unreadable {
            field: "message id",
        })?;
    let headers = properties.headers().as_ref().ok_or(Unreadable {
        field: "header table",
    })?;
    let milliseconds = number(headers, CREATED).ok_or(Unreadable { field: CREATED })?;
    let message = Message {
        message_id,
        tenant_id: parsed(headers, TENANT)?,
        user_id: parsed(headers, USER)?,
        topic: parsed(headers, TOPIC)?,
        payload: serde_json::from_slice(&received.data)
            .map_err(|_| Unreadable { field: "payload" })?,
        traceparent: parsed(headers, TRACE).ok(),
        created_at: DateTime::from_timestamp_millis(milliseconds)
            .ok_or(Unreadable { field: CREATED })?,
    };
    let returns = number(headers, RETURNS).unwrap_or_default();
    Ok(Delivery {
        message,
        attempt: u32::try_from(returns).unwrap_or_default().saturating_add(1),
    })
}

/// Why a dead letter is one.
pub(super) fn dead_reason(received: &lapin::message::Delivery) -> DeadReason {
    let reason: Option<String> = received
        .properties
        .headers()
        .as_ref()
        .and_then(|headers| parsed(headers, DEATH).ok());
    match reason.as_deref() {
        Some("rejected") => DeadReason::Poison,
        Some(_) | None => DeadReason::AttemptsExhausted,
    }
}

fn parsed<T: std::str::FromStr>(
    headers: &FieldTable,
    field: &'static str,
) -> Result<T, Unreadable> {
    headers
        .inner()
        .get(field)
        .and_then(text)
        .and_then(|text| text.parse().ok())
        .ok_or(Unreadable { field })
}

fn text(value: &AMQPValue) -> Option<&str> {
    match value.as_long_string() {
        Some(text) => std::str::from_utf8(text.as_bytes()).ok(),
        None => value.as_short_string().map(ShortString::as_str),
    }
}

fn number(headers: &FieldTable, field: &str) -> Option<i64> {
    let value = headers.inner().get(field)?;
    // The broker chooses the smallest integer type that holds the number.
    value
        .as_long_long_int()
        .or_else(|| value.as_long_int().map(Into::into))
        .or_else(|| value.as_long_uint().map(Into::into))
        .or_else(|| value.as_short_int().map(Into::into))
        .or_else(|| value.as_short_uint().map(Into::into))
        .or_else(|| value.as_short_short_int().map(Into::into))
        .or_else(|| value.as_short_short_uint().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{TenantId, UserId};
    use serde_json::json;
    use uuid::Uuid;

    fn message(traceparent: Option<&str>) -> Message {
        Message {
            message_id: MessageId::new(Uuid::from_u128(1)),
            tenant_id: TenantId::new(Uuid::from_u128(2)),
            user_id: UserId::new(Uuid::from_u128(3)),
            topic: "analysis.requested.v1".to_owned(),
            payload: json!({"correlation_id": Uuid::from_u128(4)}),
            traceparent: traceparent.map(str::to_owned),
            created_at: DateTime::from_timestamp_millis(1_705_928_941_123).expect("in range"),
        }
    }

    fn received(properties: BasicProperties, body: &[u8]) -> lapin::message::Delivery {
        let mut received = lapin::message::Delivery::mock(
            1,
            "kontor.topics".into(),
            "analysis.requested.v1".into(),
            false,
            body.to_vec(),
        );
        received.properties = properties;
        received
    }

    #[test]
    fn a_message_survives_its_envelope() {
        for trace in [
            None,
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ] {
            let sent = message(trace);
            let body = sent.payload.to_string();
            let delivery = read(&received(properties(&sent), body.as_bytes())).expect("readable");
            assert_eq!(delivery.message, sent);
            assert_eq!(delivery.attempt, 1);
        }
    }

    #[test]
    fn the_attempt_counts_what_came_back() {
        let sent = message(None);
        let mut headers = properties(&sent).headers().clone().expect("headers");
        headers.insert(RETURNS.into(), AMQPValue::LongInt(4));
        let properties = properties(&sent).with_headers(headers);
        let delivery = read(&received(properties, b"{}")).expect("readable");
        assert_eq!(delivery.attempt, 5);
    }

    #[test]
    fn a_stranger_s_message_is_named_by_what_is_missing() {
        let stranger = received(BasicProperties::default(), b"{}");
        let error = read(&stranger).expect_err("no message id");
        assert_eq!(
            error.to_string(),
            "the message's message id is missing or cannot be read"
        );
        let broken = received(properties(&message(None)), b"not json");
        assert_eq!(read(&broken), Err(Unreadable { field: "payload" }));
    }
}
