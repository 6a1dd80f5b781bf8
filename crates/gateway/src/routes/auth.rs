//! `POST /api/auth`: client credentials for an access token.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use domain::{ClientId, Sensitive};
use store::Client;
use url::form_urlencoded;
use wire::InvalidInput;
use wire::token::{GRANT_TYPE, TokenRequest, TokenResponse};

use crate::auth::{Grant, SecretCheck, TOKEN_LIFETIME_SECONDS};
use crate::error::{ApiError, ApiResult};
use crate::extract::{FromBody, Received, essence, read_json, receive};
use crate::http::Peer;
use crate::openapi::PublicFailures;
use crate::state::AppState;

const FORM: &str = "application/x-www-form-urlencoded";
/// Longest body, in bytes. Anybody may send one, and as many at a time as there are connections.
const CREDENTIALS_BYTES_MAX: usize = 16 << 10;

/// Exchanges client credentials for an access token that is valid for 300 seconds.
#[utoipa::path(
    post,
    path = "/api/auth",
    operation_id = "authentication-authenticate",
    tag = "Authentication",
    request_body(
        description = "The credentials; as JSON also `name` and `secret`",
        content((TokenRequest = "application/x-www-form-urlencoded"), (TokenRequest = "application/json"))
    ),
    responses((status = 200, description = "The token", body = TokenResponse), PublicFailures),
)]
pub(crate) async fn authenticate(
    State(state): State<AppState>,
    peer: Peer,
    request: Request,
) -> ApiResult<Json<TokenResponse>> {
    let headers = request.headers().clone();
    let received = receive::<Credentials>(request, &state).await?;
    let credentials = Credentials::read(&headers, received)?;
    let client = log_in(&state, peer, credentials).await?;
    Ok(Json(issue(&state, &client)?))
}

/// A client id as sent, and the secret that is to prove it.
struct Credentials {
    client_id: String,
    secret: Sensitive<String>,
}

impl FromBody for Credentials {
    fn limit(state: &AppState) -> usize {
        CREDENTIALS_BYTES_MAX.min(state.settings().limits.body_bytes_max)
    }

    fn read(headers: &HeaderMap, received: Received) -> ApiResult<Self> {
        let received = received.required()?;
        let content_type = headers
            .get(CONTENT_TYPE)
            .map(|value| essence(value.as_bytes()));
        match content_type.as_deref() {
            Some(FORM) | None => {
                let request = read_form(&received.bytes);
                check_grant(request.grant_type.as_deref().unwrap_or_default())?;
                complete(request)
            }
            Some("application/json") => {
                let request: TokenRequest = read_json(&received.bytes)?;
                // The first version of the API knew no grant types (C-01).
                check_grant(request.grant_type.as_deref().unwrap_or(GRANT_TYPE))?;
                complete(request)
            }
            Some(_) => Err(ApiError::MediaType { expected: FORM }),
        }
    }
}

fn read_form(body: &[u8]) -> TokenRequest {
    let mut request = TokenRequest::default();
    for (name, value) in form_urlencoded::parse(body) {
        match &*name {
            "client_id" | "name" => request.client_id = Some(value.into_owned()),
            "client_secret" | "secret" => {
                request.client_secret = Some(Sensitive::new(value.into_owned()));
            }
            "grant_type" => request.grant_type = Some(value.into_owned()),
            _ => {}
        }
    }
    request
}

fn check_grant(grant_type: &str) -> Result<(), InvalidInput> {
    if grant_type == GRANT_TYPE {
        Ok(())
    } else {
        let expected = format!("must be {GRANT_TYPE}");
        Err(InvalidInput::new("grant_type", expected))
    }
}

fn complete(request: TokenRequest) -> ApiResult<Credentials> {
    let required = |field| ApiError::field(field, "is required");
    let client_id = request.client_id.filter(|id| !id.is_empty());
    let secret = request.client_secret.filter(|secret| !secret.is_empty());
    Ok(Credentials {
        client_id: client_id.ok_or_else(|| required("client_id"))?,
        secret: secret.ok_or_else(|| required("client_secret"))?,
    })
}

/// Compares the secret. An unknown client takes as long and gets the same answer as a wrong secret.
async fn log_in(state: &AppState, peer: Peer, credentials: Credentials) -> ApiResult<Client> {
    state.logins().check(&credentials.client_id, peer.0)?;
    let turn = state.verifier().turn().await?;
    let attempt = state.logins().begin(&credentials.client_id, peer.0)?;
    let client = match ClientId::try_new(credentials.client_id) {
        Ok(id) => state.store().client(&id).await,
        // An id that no client can have is one that no client has.
        Err(_) => Ok(None),
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            attempt.forgive();
            return Err(error.into());
        }
    };
    let hash = client.as_ref().map(|client| client.secret_hash.as_str());
    let check = state
        .verifier()
        .check(turn, credentials.secret, hash)
        .await?;
    match (check, client) {
        (SecretCheck::Right, Some(client)) => {
            attempt.forgive();
            Ok(client)
        }
        (SecretCheck::Right | SecretCheck::Wrong, _) => {
            state.metrics().login_failed();
            Err(ApiError::Unauthorized {
                reason: "the client is unknown or its secret is wrong",
            })
        }
    }
}

fn issue(state: &AppState, client: &Client) -> ApiResult<TokenResponse> {
    let scope = client.scopes.join(" ");
    let (session, token_id) = (
        state.ids().uuid().to_string(),
        state.ids().uuid().to_string(),
    );
    let grant = Grant {
        client: client.id.as_str(),
        scope: &scope,
        session: &session,
        token_id: &token_id,
    };
    let token = state.keys().sign(grant, state.clock().now())?;
    tracing::Span::current().record("client.id", client.id.as_str());
    Ok(TokenResponse {
        access_token: token.into_inner(),
        expires_in: TOKEN_LIFETIME_SECONDS.into(),
        not_before_policy: state.keys().not_before(),
        scope,
        session_state: session,
        token_type: "Bearer",
    })
}
