//! End users.

use domain::{AutomaticAnalysis, Sensitive, UserType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::time::UtcMillis;

/// Adds a user. Unknown fields are ignored, null equals omitted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddUserRequest {
    /// `active` (default): data is analysed as it comes; `suspended`: only when triggered.
    #[serde(default, deserialize_with = "crate::word::optional")]
    #[schema(value_type = Option<String>, example = "active")]
    pub automatic_analysis: Option<AutomaticAnalysis>,
    /// The caller's own identifier.
    #[serde(default, rename = "customUserID", alias = "customUserId")]
    #[serde(deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>, example = "0815")]
    pub custom_user_id: Option<Sensitive<String>>,
    /// Name of the user.
    #[serde(default, deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>, example = "John Doe")]
    pub name: Option<Sensitive<String>>,
    /// `person` or `company`.
    #[serde(default, rename = "type", deserialize_with = "crate::word::optional")]
    #[schema(value_type = String, example = "person")]
    pub user_type: Option<UserType>,
    /// The scopes that may be computed and read; all of the client's by default.
    #[serde(default)]
    pub user_scopes: Option<Vec<String>>,
    /// ISO 8601 duration after which the user is deleted.
    #[serde(default)]
    pub expires_in: Option<String>,
}

/// Changes a user; what is omitted or null stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUserRequest {
    /// `active` or `suspended`.
    #[serde(default, deserialize_with = "crate::word::optional")]
    #[schema(value_type = Option<String>, example = "suspended")]
    pub automatic_analysis: Option<AutomaticAnalysis>,
    /// The caller's own identifier.
    #[serde(default, rename = "customUserID", alias = "customUserId")]
    #[serde(deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>, example = "0815")]
    pub custom_user_id: Option<Sensitive<String>>,
    /// Name of the user.
    #[serde(default, deserialize_with = "crate::word::sensitive")]
    #[schema(value_type = Option<String>, example = "John Doe")]
    pub name: Option<Sensitive<String>>,
    /// Cannot be changed; read so that it is refused instead of ignored (G-29).
    #[serde(default)]
    #[schema(ignore)]
    pub expires_in: Option<String>,
}

/// A user as answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// `active` or `suspended`.
    #[schema(example = "active")]
    pub automatic_analysis: &'static str,
    /// When the user was added.
    pub created_at: UtcMillis,
    /// The caller's own identifier; absent when none was given.
    #[serde(rename = "customUserID", skip_serializing_if = "Option::is_none")]
    pub custom_user_id: Option<String>,
    /// Name; absent when none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `person` or `company`.
    #[serde(rename = "type")]
    #[schema(example = "person")]
    pub user_type: &'static str,
    /// The user's identifier, a UUID.
    #[serde(rename = "userID")]
    pub user_id: String,
    /// The scopes that may be computed and read.
    pub user_scopes: Vec<String>,
}

/// Whose data an answer shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Context {
    /// The client's identifier.
    pub client: String,
    /// The tenant's name.
    pub tenant: String,
}

/// One user, of Get User and Update User.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserResponse {
    /// Whose data this is.
    pub context: Context,
    /// The user.
    pub user: User,
}

/// The added user. The documents name the identifier in two places, so it stands in both (C-06).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddUserResponse {
    /// Whose data this is.
    pub context: Context,
    /// The user.
    pub user: User,
    /// The user's identifier once more.
    pub user_id: String,
}

/// Whose data a page shows, and where it lies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PagedContext {
    /// The client's identifier.
    pub client: String,
    /// Users in total.
    pub count: u64,
    /// Number of the page, from 1.
    pub page: u64,
    /// Users a page.
    pub page_size: u64,
    /// The tenant's name.
    pub tenant: String,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersResponse {
    /// Whose data this is, and which page.
    pub context: PagedContext,
    /// The users.
    pub users: Vec<User>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Object, read};

    #[test]
    fn any_id_spelling_is_read_and_null_equals_omitted() {
        for body in [
            r#"{"type":"person","customUserID":"0815","name":null,"extra":[1]}"#,
            r#"{"type":"person","customUserId":"0815"}"#,
        ] {
            let Object(request) = read::<Object<AddUserRequest>>(body.as_bytes()).expect(body);
            assert_eq!(request.custom_user_id, Some("0815".into()));
            assert_eq!(request.user_type, Some(UserType::Person));
            assert_eq!(request.name, None);
        }
    }

    #[test]
    fn wrong_words_are_named() {
        let error = read::<Object<AddUserRequest>>(br#"{"type":"robot"}"#).expect_err("robot");
        assert_eq!(error.to_string(), "type: must be one of: person, company");
        let body = br#"{"automaticAnalysis":true}"#;
        let error = read::<Object<UpdateUserRequest>>(body).expect_err("boolean");
        assert_eq!(error.to_string(), "automaticAnalysis: must be a string");
    }
}
