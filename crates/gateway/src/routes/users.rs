//! End users.

pub(super) mod add;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod trigger;
pub(super) mod update;

use domain::id::TEXT_ID_BYTES_MAX;
use domain::{Sensitive, UserId};
use serde::Serialize;
use store::{NewEvent, TenantTx, User};
use wire::Event;
use wire::event::{Form, Topic};
use wire::time::UtcMillis;
use wire::user::{Context, UserResponse};

use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Requirement};
use crate::http::RequestContext;

/// Longest name of a user, in bytes.
const NAME_BYTES_MAX: usize = 1_024;
/// `expiresIn` will delete users by itself; until then it must not look as if it did.
const NOT_YET: &str = "is not supported yet";

/// A user as answered.
fn shown(user: User) -> wire::user::User {
    wire::user::User {
        automatic_analysis: user.automatic_analysis.as_str(),
        created_at: UtcMillis(user.created_at),
        custom_user_id: user.custom_user_id.map(Sensitive::into_inner),
        name: user.name.map(Sensitive::into_inner),
        user_type: user.user_type.as_str(),
        user_id: user.id.to_string(),
        user_scopes: user.scopes,
    }
}

fn context<R: Requirement>(caller: &Caller<R>) -> Context {
    Context {
        client: caller.client().to_string(),
        tenant: caller.tenant_name().to_owned(),
    }
}

fn answer<R: Requirement>(caller: &Caller<R>, user: User) -> UserResponse {
    UserResponse {
        context: context(caller),
        user: shown(user),
    }
}

/// A text that a caller chose; an empty one equals none.
fn checked(
    field: &'static str,
    text: Option<Sensitive<String>>,
    bytes_max: usize,
) -> ApiResult<Option<Sensitive<String>>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.as_str().len() > bytes_max {
        let reason = format!("must not be longer than {bytes_max} bytes");
        return Err(ApiError::field(field, reason));
    }
    if text.as_str().chars().any(char::is_control) {
        return Err(ApiError::field(
            field,
            "must not contain control characters",
        ));
    }
    Ok(Some(text))
}

fn checked_name(name: Option<Sensitive<String>>) -> ApiResult<Option<Sensitive<String>>> {
    checked("name", name, NAME_BYTES_MAX)
}

fn checked_custom_id(id: Option<Sensitive<String>>) -> ApiResult<Option<Sensitive<String>>> {
    checked("customUserID", id, TEXT_ID_BYTES_MAX)
}

/// What happened to a user, for webhooks.
pub(super) struct UserEvent<'a> {
    pub(super) topic: Topic,
    pub(super) user_id: UserId,
    pub(super) custom_user_id: Option<Sensitive<String>>,
    pub(super) context: &'a RequestContext,
}

impl UserEvent<'_> {
    /// Emits every form of the event, with the data where the form has any.
    ///
    /// # Errors
    /// `Serialize`, or those of the store.
    pub(super) async fn emit<T: Serialize>(self, tx: &mut TenantTx, data: &T) -> ApiResult<()> {
        let data = serde_json::to_string(data).map_err(ApiError::Serialize)?;
        self.emit_json(tx, Sensitive::new(data)).await
    }

    /// Like [`UserEvent::emit`] with data that is already written.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn emit_json(
        self,
        tx: &mut TenantTx,
        data: Sensitive<String>,
    ) -> ApiResult<()> {
        for event in Event::forms(self.topic) {
            tx.emit_event(&NewEvent {
                user_id: self.user_id,
                custom_user_id: self.custom_user_id.clone(),
                event: event.to_string(),
                correlation: None,
                data: (event.form() == Form::Data).then(|| data.clone()),
                traceparent: Some(self.context.traceparent()),
            })
            .await?;
        }
        Ok(())
    }
}
