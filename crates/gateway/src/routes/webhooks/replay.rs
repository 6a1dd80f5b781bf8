//! `POST /api/webhooks/{webhook-id}/replay`

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{DeliveryId, WebhookId};
use store::{ReplayRange, TenantTx};
use wire::InvalidInput;
use wire::webhook::{ReplayRequest, ReplayResponse};

use super::Subscriber;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Json, WebhookPath, Write};
use crate::http::Answer;
use crate::openapi::{IdempotencyKey, ItemWriteFailures, Tenant, WebhookInPath};
use crate::state::AppState;

/// Most deliveries that are named in one request.
const NAMED_MAX: usize = 100;

/// Sends deliveries again: named ones, or every settled one of a period.
///
/// One call sends at most 10,000 again, the oldest of the period.
#[utoipa::path(
    post,
    path = "/api/webhooks/{webhook-id}/replay",
    operation_id = "webhooks-replay-deliveries",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(WebhookInPath, Tenant, IdempotencyKey),
    request_body = ReplayRequest,
    responses(
        (status = 202, description = "How many will be sent again", body = ReplayResponse),
        ItemWriteFailures
    ),
)]
pub(crate) async fn replay_deliveries(
    caller: Subscriber,
    State(state): State<AppState>,
    path: WebhookPath,
    write: Write<Json<ReplayRequest>>,
) -> ApiResult<Answer> {
    let what = What::read(&write.body.0, state.clock().now())?;
    let mut tx = state.store().begin(caller.tenant()).await?;
    if let Some(answer) = write.idempotency.earlier(&mut tx).await? {
        return Ok(answer);
    }
    let replayed = what.replay(&mut tx, path.webhook_id).await?;
    let answer = Answer::json(StatusCode::ACCEPTED, &ReplayResponse { replayed })?;
    write.idempotency.remember(&mut tx, None, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// What is to be sent again.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Named(Vec<DeliveryId>),
    Period(ReplayRange),
}

impl What {
    fn read(request: &ReplayRequest, now: DateTime<Utc>) -> ApiResult<Self> {
        match (&request.delivery_ids, &request.since) {
            (Some(_), Some(_)) => Err(ApiError::field("since", "excludes deliveryIDs")),
            (None, None) => Err(ApiError::field("since", "is required")),
            (Some(ids), None) => named(ids),
            (None, Some(since)) => period(since, request.until.as_deref(), now),
        }
    }

    async fn replay(&self, tx: &mut TenantTx, webhook: WebhookId) -> ApiResult<u64> {
        match self {
            Self::Period(range) => Ok(tx.replay_range(webhook, range).await?),
            Self::Named(ids) => {
                let mut replayed = 0u64;
                for id in ids {
                    tx.replay_delivery(webhook, *id).await?;
                    replayed = replayed.saturating_add(1);
                }
                Ok(replayed)
            }
        }
    }
}

fn named(ids: &[String]) -> ApiResult<What> {
    if ids.is_empty() {
        return Err(ApiError::field("deliveryIDs", "must not be empty"));
    }
    if ids.len() > NAMED_MAX {
        return Err(InvalidInput::too_many("deliveryIDs", "deliveries", NAMED_MAX).into());
    }
    let mut read = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let field = format!("deliveryIDs[{index}]");
        read.push(
            id.parse()
                .map_err(|error| ApiError::field(&field, format!("{error}")))?,
        );
    }
    read.sort_unstable();
    read.dedup();
    Ok(What::Named(read))
}

fn period(since: &str, until: Option<&str>, now: DateTime<Utc>) -> ApiResult<What> {
    let since = moment("since", since)?;
    let last = until.map_or(Ok(now), |until| moment("until", until))?;
    if last < since {
        return Err(ApiError::field("until", "must not lie before since"));
    }
    // The database keeps microseconds and takes the end as exclusive.
    let until = last
        .checked_add_signed(TimeDelta::microseconds(1))
        .unwrap_or(last);
    Ok(What::Period(ReplayRange {
        since,
        until,
        status: None,
    }))
}

fn moment(field: &'static str, text: &str) -> ApiResult<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| ApiError::field(field, "must be a moment as in RFC 3339"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Result<What, String> {
        let now = DateTime::from_timestamp(1_705_928_941, 0).expect("in range");
        let request: ReplayRequest = serde_json::from_str(body).expect("json");
        What::read(&request, now).map_err(|error| error.to_string())
    }

    #[test]
    fn either_names_or_a_period() {
        let id = "18bf1171-9e82-4a74-bf52-923b9a80144e";
        let named = check(&format!(r#"{{"deliveryIDs":["{id}","{id}"]}}"#)).expect("named");
        assert_eq!(named, What::Named(vec![id.parse().expect("an id")]));
        for (body, message) in [
            ("{}", "since: is required"),
            (r#"{"deliveryIDs":[]}"#, "deliveryIDs: must not be empty"),
            (r#"{"deliveryIDs":["1"]}"#, "deliveryIDs[0]: must be a UUID"),
            (
                r#"{"deliveryIDs":[],"since":"x"}"#,
                "since: excludes deliveryIDs",
            ),
            (
                r#"{"since":"yesterday"}"#,
                "since: must be a moment as in RFC 3339",
            ),
            (
                r#"{"since":"2024-01-02T00:00:00Z","until":"2024-01-01T00:00:00+01:00"}"#,
                "until: must not lie before since",
            ),
        ] {
            assert_eq!(check(body).expect_err(body), message);
        }
    }

    #[test]
    fn both_ends_of_a_period_belong_to_it() {
        let Ok(What::Period(range)) =
            check(r#"{"since":"2024-01-01T00:00:00Z","until":"2024-01-01T00:00:00Z"}"#)
        else {
            panic!("a period");
        };
        assert!(range.since < range.until);
    }
}
