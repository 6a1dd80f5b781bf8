//! Authentication by client credentials.

use domain::Sensitive;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The only grant that is known.
pub const GRANT_TYPE: &str = "client_credentials";

/// Credentials as a form or as JSON; the first version of the API said `name` and `secret`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct TokenRequest {
    /// The client's identifier.
    #[serde(default, alias = "name")]
    #[schema(example = "demo")]
    pub client_id: Option<String>,
    /// The client's secret.
    #[serde(default, alias = "secret", deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>, format = Password)]
    pub client_secret: Option<Sensitive<String>>,
    /// Must be `client_credentials`.
    #[serde(default)]
    #[schema(example = "client_credentials")]
    pub grant_type: Option<String>,
}

/// A token.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// The bearer token.
    pub access_token: String,
    /// Seconds until it expires.
    #[schema(example = 300)]
    pub expires_in: u64,
    /// Tokens issued before this moment are not valid, Unix seconds.
    #[serde(rename = "not-before-policy")]
    pub not_before_policy: i64,
    /// The client's scopes, separated by blanks.
    pub scope: String,
    /// A UUID of this authentication.
    pub session_state: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_the_secret_stays_hidden() {
        for body in [
            r#"{"client_id":"demo","client_secret":"s3cret","grant_type":"client_credentials"}"#,
            r#"{"name":"demo","secret":"s3cret","more":1}"#,
        ] {
            let request: TokenRequest = serde_json::from_str(body).expect(body);
            assert_eq!(request.client_id.as_deref(), Some("demo"));
            assert!(!format!("{request:?}").contains("s3cret"));
        }
    }
}
