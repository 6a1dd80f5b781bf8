//! The authenticated caller: client, tenant, scopes.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::{ClientId, TenantId, UserId};
use store::{TenantTx, User};
use wire::scope::{Scope, ScopeSet};

use crate::auth::TokenError;
use crate::error::{ApiError, ApiResult};
use crate::places::Place;
use crate::state::AppState;
use crate::tenancy::tenant_name;

/// The scopes of which an endpoint needs one.
pub(crate) trait Requirement: Send + Sync + 'static {
    /// Any of them opens the endpoint; with none, every client may.
    const ANY_OF: &'static [Scope];
}

/// What endpoints require.
pub(crate) mod requirement {
    use wire::scope::Scope;

    use super::Requirement;

    macro_rules! requirements {
        ($($(#[$doc:meta])* $name:ident = [$($scope:ident),*];)*) => {
            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub(crate) struct $name;

                impl Requirement for $name {
                    const ANY_OF: &'static [Scope] = &[$(Scope::$scope),*];
                }
            )*
        };
    }

    requirements! {
        /// A valid token is enough.
        Authenticated = [];
        /// Reading accounts.
        BankingFetch = [Banking, BankingFetch];
        /// Uploading accounts (C-36).
        BankingUpload = [Banking, BankingUpload];
        /// Reading tags, and deciding about them: for one user, or by rules for all users of the
        /// tenant, which is no more than writing the same patterns for each of them.
        Categorization = [Categorization];
        /// Reading the tree of categories; it is about no user.
        CategorizationCategories = [CategorizationCategories];
        /// Everything about webhooks.
        Webhooks = [Webhooks];
    }
}

/// A client whose token is valid, whose scopes suffice, within one of its tenants.
pub(crate) struct Caller<R> {
    client: ClientId,
    tenant: TenantId,
    tenant_name: String,
    scope_names: Vec<String>,
    scopes: ScopeSet,
    requirement: PhantomData<R>,
    /// Held until the handler is done.
    _place: Place,
}

impl<R: Requirement> Caller<R> {
    /// The client's identifier.
    pub(crate) fn client(&self) -> &ClientId {
        &self.client
    }

    /// The tenant that the request is about.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Its name.
    pub(crate) fn tenant_name(&self) -> &str {
        &self.tenant_name
    }

    /// The client's scopes by name, as its token says.
    pub(crate) fn scope_names(&self) -> &[String] {
        &self.scope_names
    }

    /// The client's scopes.
    pub(crate) fn scopes(&self) -> ScopeSet {
        self.scopes
    }

    /// Reads a user whose own scopes allow what the endpoint does.
    ///
    /// # Errors
    /// `NotFound`, or `Forbidden` when the user was added without the scope.
    pub(crate) async fn user(&self, tx: &mut TenantTx, id: UserId) -> ApiResult<User> {
        let user = tx.user(id).await?;
        check_user::<R>(&user)?;
        Ok(user)
    }

    /// Like [`Caller::user`], keeping other changes of the user waiting.
    ///
    /// # Errors
    /// `NotFound`, or `Forbidden` when the user was added without the scope.
    pub(crate) async fn locked_user(&self, tx: &mut TenantTx, id: UserId) -> ApiResult<User> {
        let user = tx.lock_user(id).await?;
        check_user::<R>(&user)?;
        Ok(user)
    }
}

fn check_user<R: Requirement>(user: &User) -> ApiResult<()> {
    if ScopeSet::of_known(&user.scopes).allows_any(R::ANY_OF) {
        Ok(())
    } else {
        Err(missing("the user", R::ANY_OF))
    }
}

fn missing(who: &str, any_of: &[Scope]) -> ApiError {
    let names: Vec<_> = any_of.iter().map(|scope| scope.as_str()).collect();
    ApiError::forbidden(format!("{who} lacks the scope {}", names.join(" or ")))
}

impl<R: Requirement> FromRequestParts<AppState> for Caller<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let token = access_token(&parts.headers)?;
        let claims = state.keys().verify(token, state.clock().now())?;
        let span = tracing::Span::current();
        span.record("client.id", claims.sub.as_str());
        state.client_rate().take(&claims.sub)?;

        let scope_names = claims.scope.split_whitespace().map(ToOwned::to_owned);
        let scope_names: Vec<String> = scope_names.collect();
        let scopes = ScopeSet::of_known(&scope_names);
        if !scopes.allows_any(R::ANY_OF) {
            return Err(missing("the client", R::ANY_OF));
        }
        let client = ClientId::try_new(claims.sub).map_err(|_| TokenError::Invalid)?;
        let place = state.enter_client(&client).ok_or(ApiError::busy())?;
        // Bodies are received for a client.
        parts.extensions.insert(client.clone());
        let tenant_name = tenant_name(&parts.headers, &client)?;
        let tenant = state
            .tenancy()
            .find(state.store(), &client, &tenant_name)
            .await?;
        span.record("tenant.id", tracing::field::display(tenant));
        Ok(Self {
            client,
            tenant,
            tenant_name,
            scope_names,
            scopes,
            requirement: PhantomData,
            _place: place,
        })
    }
}

/// The token of a request, with or without `Bearer` before it (C-03).
fn access_token(headers: &HeaderMap) -> ApiResult<&str> {
    const MISSING: ApiError = ApiError::Unauthorized {
        reason: "the header Authorization with an access token is missing",
    };
    let value = headers
        .get(AUTHORIZATION)
        .ok_or(MISSING)?
        .to_str()
        .map_err(|_| TokenError::Invalid)?
        .trim();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        Some(_) => return Err(TokenError::Invalid.into()),
        None => value,
    };
    if token.is_empty() || token.eq_ignore_ascii_case("bearer") {
        return Err(MISSING);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_with_and_without_scheme() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("BEARER  abc", Some("abc")),
            ("abc", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().expect("a value"));
            assert_eq!(access_token(&headers).ok(), expected, "{value}");
        }
        assert!(access_token(&HeaderMap::new()).is_err());
    }
}
