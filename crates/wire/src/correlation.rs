//! Analysis runs, found by their correlation id.

use serde::Serialize;
use utoipa::ToSchema;

use crate::time::BerlinSeconds;

/// A finished run.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorrelationResponse {
    /// The run's identifier, a UUID.
    #[serde(rename = "correlationID")]
    #[schema(example = "cc451d48-dbc2-4ea4-894a-fb4b299f9e56")]
    pub correlation_id: String,
    /// When the run was asked for, RFC 3339 with offset.
    #[serde(rename = "correlationTimestamp")]
    pub correlation_timestamp: BerlinSeconds,
}

/// A started run.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriggerAnalysisResponse {
    /// The run's identifier, a UUID.
    #[serde(rename = "correlationID")]
    #[schema(example = "18bf1171-9e82-4a74-bf52-923b9a80144e")]
    pub correlation_id: String,
    /// The scopes that are computed.
    #[serde(rename = "userScopes")]
    pub user_scopes: Vec<String>,
}

/// The run that stored patterns started.
#[derive(Debug, Serialize, ToSchema)]
pub struct PatternsAcceptedResponse {
    /// The run's identifier, a UUID.
    #[serde(rename = "correlationID")]
    #[schema(example = "18bf1171-9e82-4a74-bf52-923b9a80144e")]
    pub correlation_id: String,
}

/// What the event `analysis.finished` carries.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisFinishedEvent {
    /// The run's identifier, a UUID.
    #[serde(rename = "correlationID")]
    pub correlation_id: String,
    /// The scopes that were computed.
    pub scopes: Vec<String>,
}

/// What the event `analysis.failed` carries.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisFailedEvent {
    /// The run's identifier, a UUID.
    #[serde(rename = "correlationID")]
    pub correlation_id: String,
    /// Why, in a sentence without personal data.
    pub message: String,
}
