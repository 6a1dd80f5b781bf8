//! Identifiers in the path. One that is no UUID is answered 400, one that is unknown 404.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use domain::{DeliveryId, IdError, UserId, WebhookId};

use crate::error::{ApiError, ApiResult};

/// `…/users/{user-id}/…`
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserPath {
    pub(crate) user_id: UserId,
}

/// `…/webhooks/{webhook-id}/…`
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebhookPath {
    pub(crate) webhook_id: WebhookId,
}

/// `…/webhooks/{webhook-id}/deliveries/{delivery-id}/…`
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryPath {
    pub(crate) webhook_id: WebhookId,
    pub(crate) delivery_id: DeliveryId,
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let params = params(parts, state).await?;
        let user_id = required(&params, "user-id")?;
        tracing::Span::current().record("user.id", tracing::field::display(user_id));
        Ok(Self { user_id })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WebhookPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let params = params(parts, state).await?;
        Ok(Self {
            webhook_id: required(&params, "webhook-id")?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for DeliveryPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let params = params(parts, state).await?;
        Ok(Self {
            webhook_id: required(&params, "webhook-id")?,
            delivery_id: required(&params, "delivery-id")?,
        })
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> ApiResult<RawPathParams> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::parameter("path", "must be percent-encoded UTF-8"))
}

fn required<T: FromStr<Err = IdError>>(params: &RawPathParams, name: &'static str) -> ApiResult<T> {
    let text = params
        .iter()
        .find_map(|(key, value)| (key == name).then_some(value))
        .ok_or(ApiError::Inconsistent("the route lacks a path parameter"))?;
    text.parse()
        .map_err(|error: IdError| ApiError::parameter(name, error.to_string()))
}
