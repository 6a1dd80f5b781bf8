//! Bodies: bounded, of the right media type, read with the path of the first fault.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use formats::upload::check_nesting;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use wire::json::{self, Object};

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

const JSON_EXPECTED: &str = "application/json";

/// Something that a body is read as.
pub(crate) trait FromBody: Sized + Send {
    /// The longest body, in bytes.
    fn limit(state: &AppState) -> usize {
        state.settings().limits.body_bytes_max
    }

    /// Waits for memory to receive a body of this length.
    fn room(
        _: &AppState,
        _: usize,
    ) -> impl Future<Output = ApiResult<Option<OwnedSemaphorePermit>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Reads the body.
    ///
    /// # Errors
    /// `MediaType` or `Input`.
    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self>;
}

/// A body in memory, with its share of the memory for bodies.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    room: Option<OwnedSemaphorePermit>,
}

/// A JSON object.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromBody for Json<T> {
    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        check_json(headers)?;
        read_json(&received.bytes).map(Self)
    }
}

/// Reads a JSON object that nests no deeper than an upload may.
///
/// # Errors
/// `Input` with the path of the first fault.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    check_nesting(body)?;
    let Object(value) = json::read::<Object<T>>(body)?;
    Ok(value)
}

/// No body; what a caller sends all the same is not looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoBody;

impl FromBody for NoBody {
    fn read(_: &HeaderMap, _: Received) -> ApiResult<Self> {
        Ok(Self)
    }
}

/// An upload, still unread: reading it takes too long for an asynchronous thread.
pub(crate) struct UploadBody {
    pub(crate) bytes: Bytes,
    /// To be kept until what was read from the bytes is gone too.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

impl FromBody for UploadBody {
    fn limit(state: &AppState) -> usize {
        state.settings().limits.upload_body_bytes_max
    }

    async fn room(state: &AppState, bytes: usize) -> ApiResult<Option<OwnedSemaphorePermit>> {
        let room = state.upload_room(bytes).await;
        room.map(Some).ok_or(ApiError::Overloaded)
    }

    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        check_json(headers)?;
        Ok(Self {
            bytes: received.bytes,
            room: received.room,
        })
    }
}

/// Receives a body up to the limit of what it is read as.
///
/// # Errors
/// `BodyTooLarge` from one byte over the limit, before anything is read when the length is
/// declared; `Parameter` when the connection ends too early.
pub(crate) async fn receive<T: FromBody>(
    request: Request,
    state: &AppState,
) -> ApiResult<Received> {
    let max = T::limit(state);
    let declared = declared_length(&request);
    if declared.is_some_and(|length| length > max) {
        return Err(ApiError::BodyTooLarge { max });
    }
    let room = T::room(state, declared.unwrap_or(max)).await?;
    // Filled piece by piece into one allocation: collecting first would hold the body twice.
    let mut buffer = Vec::with_capacity(declared.unwrap_or_default());
    let mut pieces = request.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|_| ApiError::parameter("body", "could not be received completely"))?;
        if piece.len() > max.saturating_sub(buffer.len()) {
            return Err(ApiError::BodyTooLarge { max });
        }
        buffer.extend_from_slice(&piece);
    }
    Ok(Received {
        bytes: buffer.into(),
        room,
    })
}

fn declared_length(request: &Request<Body>) -> Option<usize> {
    let header = request.headers().get(CONTENT_LENGTH);
    header
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .or_else(|| usize::try_from(request.body().size_hint().exact()?).ok())
}

/// Refuses a body that says to be something else than JSON; one that says nothing is read as JSON.
fn check_json(headers: &HeaderMap) -> ApiResult<()> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = essence(value.as_bytes());
    if essence == "application/json" || essence.ends_with("+json") {
        Ok(())
    } else {
        Err(ApiError::MediaType {
            expected: JSON_EXPECTED,
        })
    }
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
