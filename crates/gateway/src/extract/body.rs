//! Bodies: bounded, of the right media type, read with the path of the first fault.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use domain::ClientId;
use formats::upload::check_nesting;
use futures_util::StreamExt;
use rules::tenant::TENANT_SOURCE_BYTES_MAX;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use wire::json::{self, Object};

use crate::error::{ApiError, ApiResult};
use crate::places::Place;
use crate::state::AppState;

const JSON_EXPECTED: &str = "application/json";
const TOML_EXPECTED: &str = "application/toml or text/plain";
/// Longest body with all patterns of a user: more than the most patterns with long names need.
pub(crate) const PATTERNS_BODY_BYTES_MAX: usize = 4 << 20;

/// Something that a body is read as.
pub(crate) trait FromBody: Sized + Send {
    /// The longest body, in bytes.
    fn limit(state: &AppState) -> usize {
        state.settings().limits.body_bytes_max
    }

    /// Refuses a body that is not even to be received.
    ///
    /// # Errors
    /// `ContentEncoding`.
    fn check(headers: &HeaderMap) -> ApiResult<()> {
        check_encoding(headers)
    }

    /// Waits until a body of this length may be received.
    fn room(
        _: &AppState,
        _: Option<&ClientId>,
        _: usize,
    ) -> impl Future<Output = ApiResult<Option<Room>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Reads the body.
    ///
    /// # Errors
    /// `MediaType` or `Input`.
    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self>;
}

/// A share of the memory for bodies, and a place among the client's uploads.
pub(crate) struct Room {
    _place: Place,
    _bytes: OwnedSemaphorePermit,
}

/// A body in memory, with its room.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    room: Option<Room>,
}

impl Received {
    /// Refuses an empty body where one is required.
    ///
    /// # Errors
    /// `Input`.
    pub(crate) fn required(self) -> ApiResult<Self> {
        if self.bytes.is_empty() {
            Err(ApiError::field("", "a body is required"))
        } else {
            Ok(self)
        }
    }
}

/// A JSON object.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromBody for Json<T> {
    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        let received = received.required()?;
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
    fn check(_: &HeaderMap) -> ApiResult<()> {
        Ok(())
    }

    fn read(_: &HeaderMap, _: Received) -> ApiResult<Self> {
        Ok(Self)
    }
}

/// An upload, still unread: reading it takes too long for an asynchronous thread.
pub(crate) struct UploadBody {
    pub(crate) bytes: Bytes,
    /// To be kept until what was read from the bytes is gone too.
    pub(crate) room: Option<Room>,
}

impl FromBody for UploadBody {
    fn limit(state: &AppState) -> usize {
        state.settings().limits.upload_body_bytes_max
    }

    async fn room(
        state: &AppState,
        client: Option<&ClientId>,
        bytes: usize,
    ) -> ApiResult<Option<Room>> {
        let client = client.ok_or(ApiError::Inconsistent("an upload has no caller"))?;
        let place = state.upload_place(client).await.ok_or(ApiError::busy())?;
        let bytes = state.upload_room(bytes).await.ok_or(ApiError::Overloaded)?;
        Ok(Some(Room {
            _place: place,
            _bytes: bytes,
        }))
    }

    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        let received = received.required()?;
        check_json(headers)?;
        Ok(Self {
            bytes: received.bytes,
            room: received.room,
        })
    }
}

/// All patterns of a user, still unread. They are bounded by the same places and the same memory as
/// uploads, because reading and checking them takes as long.
pub(crate) struct PatternsBody {
    pub(crate) bytes: Bytes,
    /// To be kept until what was read from the bytes is gone too.
    pub(crate) room: Option<Room>,
}

impl FromBody for PatternsBody {
    fn limit(state: &AppState) -> usize {
        PATTERNS_BODY_BYTES_MAX.min(state.settings().limits.upload_body_bytes_max)
    }

    async fn room(
        state: &AppState,
        client: Option<&ClientId>,
        bytes: usize,
    ) -> ApiResult<Option<Room>> {
        UploadBody::room(state, client, bytes).await
    }

    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        let UploadBody { bytes, room } = UploadBody::read(headers, received)?;
        Ok(Self { bytes, room })
    }
}

/// A tenant's rules as text, not compiled yet. They are bounded like patterns.
pub(crate) struct RulesBody {
    pub(crate) text: String,
    /// To be kept until the rules are compiled.
    pub(crate) room: Option<Room>,
}

impl FromBody for RulesBody {
    fn limit(state: &AppState) -> usize {
        TENANT_SOURCE_BYTES_MAX.min(state.settings().limits.upload_body_bytes_max)
    }

    async fn room(
        state: &AppState,
        client: Option<&ClientId>,
        bytes: usize,
    ) -> ApiResult<Option<Room>> {
        UploadBody::room(state, client, bytes).await
    }

    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        let received = received.required()?;
        check_toml(headers)?;
        let text = std::str::from_utf8(&received.bytes)
            .map_err(|_| ApiError::field("", "must be UTF-8"))?
            .to_owned();
        Ok(Self {
            text,
            room: received.room,
        })
    }
}

/// Receives a body up to the limit of what it is read as.
///
/// # Errors
/// `BodyTooLarge` from one byte over the limit, before anything is read when the length is
/// declared; `ContentEncoding` before that; `TooManyRequests` when the client's uploads take all
/// its places; `Parameter` when the connection ends too early.
pub(crate) async fn receive<T: FromBody>(
    request: Request,
    state: &AppState,
) -> ApiResult<Received> {
    T::check(request.headers())?;
    let max = T::limit(state);
    let declared = declared_length(&request);
    if declared.is_some_and(|length| length > max) {
        return Err(ApiError::BodyTooLarge { max });
    }
    // Cloned: what borrows from a request across an await cannot move between threads.
    let client = request.extensions().get::<ClientId>().cloned();
    let room = T::room(state, client.as_ref(), declared.unwrap_or(max)).await?;
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

/// Refuses a compressed body: what it unpacks to has no limit that is known beforehand.
fn check_encoding(headers: &HeaderMap) -> ApiResult<()> {
    let plain = |value: &[u8]| {
        let value = value.trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    };
    let mut encodings = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if encodings.all(plain) {
        Ok(())
    } else {
        Err(ApiError::ContentEncoding)
    }
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

/// Refuses a body that says to be something else than TOML or plain text.
fn check_toml(headers: &HeaderMap) -> ApiResult<()> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    match essence(value.as_bytes()).as_str() {
        "application/toml" | "text/plain" => Ok(()),
        _ => Err(ApiError::MediaType {
            expected: TOML_EXPECTED,
        }),
    }
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
