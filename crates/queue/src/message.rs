//! Messages as they travel from the outbox to a handler.

use chrono::{DateTime, Utc};
use domain::{MessageId, TenantId, UserId};
use serde_json::Value;

/// One message. Its payload holds identifiers, never personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Identifier, the same through all publications.
    pub message_id: MessageId,
    /// Whose data it speaks of.
    pub tenant_id: TenantId,
    /// Which end user it speaks of.
    pub user_id: UserId,
    /// Name and version of the payload, for example `analysis.requested.v1`.
    pub topic: String,
    /// The payload.
    pub payload: Value,
    /// W3C trace context of the request that caused it.
    pub traceparent: Option<String>,
    /// When it was written to the outbox.
    pub created_at: DateTime<Utc>,
}

/// A message on its way to a handler.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Which attempt this is, counted from one. After a crash a number may come twice.
    pub attempt: u32,
}

/// Why a message is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadReason {
    /// Its handler said that trying again cannot help.
    Poison,
    /// It was tried as often as [`crate::ATTEMPTS_MAX`] allows.
    AttemptsExhausted,
}

impl DeadReason {
    /// A sentence for the operator.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poison => "the handler refused it for good",
            Self::AttemptsExhausted => "every attempt failed",
        }
    }
}
