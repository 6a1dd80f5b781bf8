//! Identifiers in the path. One that is no UUID is answered 400, one that is unknown 404.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use domain::{DeliveryId, TransactionId, UserId, UserType, WebhookId};

use crate::error::{ApiError, ApiResult};

const TRANSACTION_ID: &str = "transaction-id";

/// `…/users/{user-id}/…`
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserPath {
    pub(crate) user_id: UserId,
}

/// `…/users/{user-id}/…/{transaction-id}…`
#[derive(Debug, Clone)]
pub(crate) struct TransactionPath {
    pub(crate) user_id: UserId,
    pub(crate) transaction_id: TransactionId,
}

/// `…/{type}`
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypePath {
    pub(crate) user_type: UserType,
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

impl<S: Send + Sync> FromRequestParts<S> for TransactionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let params = params(parts, state).await?;
        let user_id = required(&params, "user-id")?;
        tracing::Span::current().record("user.id", tracing::field::display(user_id));
        Ok(Self {
            user_id,
            transaction_id: TransactionId::try_new(text(&params, TRANSACTION_ID)?)
                .map_err(|error| ApiError::parameter(TRANSACTION_ID, error.to_string()))?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TypePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let params = params(parts, state).await?;
        Ok(Self {
            user_type: required(&params, "type")?,
        })
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

fn required<T>(params: &RawPathParams, name: &'static str) -> ApiResult<T>
where
    T: FromStr,
    T::Err: Display,
{
    text(params, name)?
        .parse()
        .map_err(|error: T::Err| ApiError::parameter(name, error.to_string()))
}

fn text<'a>(params: &'a RawPathParams, name: &'static str) -> ApiResult<&'a str> {
    params
        .iter()
        .find_map(|(key, value)| (key == name).then_some(value))
        .ok_or(ApiError::Inconsistent("the route lacks a path parameter"))
}
