//! Versioned messages between the parts of Kontor, as they travel through the outbox.
//!
//! Payloads hold identifiers and never personal data. A version that was ever sent stays
//! decodable until no queue can hold it any more.

use domain::{CorrelationId, TenantId, UserId};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

/// Topic of [`AnalysisRequestedV1`].
pub const ANALYSIS_REQUESTED_V1: &str = "analysis.requested.v1";

/// Why a message cannot be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// No version of this program sends the topic.
    #[error("unknown topic `{topic}`")]
    UnknownTopic {
        /// The topic as received.
        topic: String,
    },
    /// The payload does not have the topic's shape.
    #[error("payload of `{topic}` cannot be read")]
    BadPayload {
        /// The topic.
        topic: &'static str,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// A message of any topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A user's data is to be analysed.
    AnalysisRequested(AnalysisRequestedV1),
}

/// A user's data is to be analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "AnalysisRequestedWire")]
pub struct AnalysisRequestedV1 {
    /// Whose user.
    pub tenant_id: TenantId,
    /// Whose data.
    pub user_id: UserId,
    /// The run that was promised to the caller.
    pub correlation_id: CorrelationId,
}

#[derive(Deserialize)]
struct AnalysisRequestedWire {
    #[serde(rename = "tenantId")]
    tenant: Uuid,
    #[serde(rename = "userId")]
    user: Uuid,
    #[serde(rename = "correlationId")]
    run: Uuid,
}

impl From<AnalysisRequestedWire> for AnalysisRequestedV1 {
    fn from(wire: AnalysisRequestedWire) -> Self {
        Self {
            tenant_id: TenantId::new(wire.tenant),
            user_id: UserId::new(wire.user),
            correlation_id: CorrelationId::new(wire.run),
        }
    }
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// `UnknownTopic`, or `BadPayload` when the payload does not have the topic's shape.
    pub fn decode(topic: &str, payload: &Value) -> Result<Self, DecodeError> {
        match topic {
            ANALYSIS_REQUESTED_V1 => AnalysisRequestedV1::deserialize(payload)
                .map(Self::AnalysisRequested)
                .map_err(|source| DecodeError::BadPayload {
                    topic: ANALYSIS_REQUESTED_V1,
                    source,
                }),
            _ => Err(DecodeError::UnknownTopic {
                topic: topic.to_owned(),
            }),
        }
    }

    /// The topic, which names the payload's version.
    pub const fn topic(&self) -> &'static str {
        match self {
            Self::AnalysisRequested(_) => ANALYSIS_REQUESTED_V1,
        }
    }

    /// The user it is about.
    pub const fn user_id(&self) -> UserId {
        match self {
            Self::AnalysisRequested(message) => message.user_id,
        }
    }

    /// The payload as it travels.
    pub fn payload(&self) -> Value {
        match self {
            Self::AnalysisRequested(message) => serde_json::json!({
                "tenantId": message.tenant_id.as_uuid(),
                "userId": message.user_id.as_uuid(),
                "correlationId": message.correlation_id.as_uuid(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_never_changes() {
        let text = r#"{"correlationId":"00000000-0000-0000-0000-000000000003",
            "tenantId":"00000000-0000-0000-0000-000000000001",
            "userId":"00000000-0000-0000-0000-000000000002"}"#;
        let payload: Value = serde_json::from_str(text).expect("json");
        let message = Message::decode("analysis.requested.v1", &payload).expect("known");
        assert_eq!(message.topic(), "analysis.requested.v1");
        assert_eq!(message.payload(), payload);
        assert_eq!(message.user_id(), UserId::new(Uuid::from_u128(2)));
    }

    #[test]
    fn strangers_are_refused() {
        for (topic, payload) in [
            ("analysis.requested.v9", "{}"),
            ("analysis.requested.v1", "{}"),
            ("analysis.requested.v1", "null"),
        ] {
            let payload: Value = serde_json::from_str(payload).expect("json");
            assert!(Message::decode(topic, &payload).is_err(), "{topic}");
        }
    }
}
