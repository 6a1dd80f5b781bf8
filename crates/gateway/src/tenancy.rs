//! Which tenant a request is about.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Classify, ClientId, Clock, ErrorKind, TenantId};
use store::{Store, UnknownTenant};

use crate::error::{ApiError, ApiResult};
use crate::settings::TenancyMode;

/// Selects the tenant; without it the tenant named like the client counts.
pub(crate) const TENANT_ID: &str = "tenantid";
/// Longest name of a tenant, in bytes.
const TENANT_NAME_BYTES_MAX: usize = 256;
/// Tenants whose identifiers are remembered.
const REMEMBERED_MAX: usize = 10_000;
/// How long they are remembered, in seconds; a removed tenant is noticed after that.
const REMEMBERED_SECONDS: i64 = 60;
const NOT_YOURS: &str = "TenantID does not belong to this client";

/// Finds tenants by their names.
pub(crate) struct Tenancy {
    mode: TenancyMode,
    clock: Arc<dyn Clock>,
    remembered: Mutex<BTreeMap<(ClientId, String), Remembered>>,
}

#[derive(Clone, Copy)]
struct Remembered {
    tenant: TenantId,
    until: DateTime<Utc>,
}

impl Tenancy {
    pub(crate) fn new(mode: TenancyMode, clock: Arc<dyn Clock>) -> Self {
        Self {
            mode,
            clock,
            remembered: Mutex::new(BTreeMap::new()),
        }
    }

    /// The tenant of a name under a client.
    ///
    /// A name that the client may not give away is looked up all the same, because the operator
    /// may have made it (G-50). Names are unique per client, so no other client's tenant is found.
    ///
    /// # Errors
    /// `Forbidden` when the tenant does not exist and may not be created.
    pub(crate) async fn find(
        &self,
        store: &Store,
        client: &ClientId,
        name: &str,
    ) -> ApiResult<TenantId> {
        let key = (client.clone(), name.to_owned());
        if let Some(tenant) = self.recall(&key) {
            return Ok(tenant);
        }
        let unknown = self.unknown(client, name);
        let tenant = store.tenant(client, name, unknown).await.map_err(|error| {
            match (error.kind(), unknown) {
                (ErrorKind::NotFound, UnknownTenant::Refuse) => ApiError::forbidden(NOT_YOURS),
                // Only a deleted client cannot create its own tenant.
                (ErrorKind::NotFound, UnknownTenant::Create) => ApiError::Unauthorized {
                    reason: "the client does not exist any more",
                },
                _ => error.into(),
            }
        })?;
        self.remember(key, tenant);
        Ok(tenant)
    }

    fn unknown(&self, client: &ClientId, name: &str) -> UnknownTenant {
        let own = name
            .strip_prefix(client.as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|suffix| !suffix.is_empty());
        match self.mode {
            _ if name == client.as_str() => UnknownTenant::Create,
            TenancyMode::CreateUnknown if own => UnknownTenant::Create,
            TenancyMode::CreateUnknown | TenancyMode::Strict => UnknownTenant::Refuse,
        }
    }

    fn recall(&self, key: &(ClientId, String)) -> Option<TenantId> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = remembered.get(key)?;
        (found.until > self.clock.now()).then_some(found.tenant)
    }

    fn remember(&self, key: (ClientId, String), tenant: TenantId) {
        let until = self.clock.now() + TimeDelta::seconds(REMEMBERED_SECONDS);
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, Remembered { tenant, until });
    }
}

/// The name of the tenant that a request asks for.
///
/// # Errors
/// `Parameter` when the header is repeated, too long or not printable.
pub(crate) fn tenant_name(headers: &HeaderMap, client: &ClientId) -> ApiResult<String> {
    let mut values = headers.get_all(TENANT_ID).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(client.as_str().to_owned()),
        (Some(value), None) => value,
        (Some(_), Some(_)) => {
            return Err(ApiError::parameter("TenantID", "must be given once"));
        }
    };
    let name = std::str::from_utf8(value.as_bytes())
        .ok()
        .map(str::trim)
        .filter(|name| !name.chars().any(char::is_control))
        .ok_or_else(|| ApiError::parameter("TenantID", "must be printable text"))?;
    if name.is_empty() {
        return Ok(client.as_str().to_owned());
    }
    if name.len() > TENANT_NAME_BYTES_MAX {
        let reason = format!("must not be longer than {TENANT_NAME_BYTES_MAX} bytes");
        return Err(ApiError::parameter("TenantID", reason));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use domain::SystemClock;

    use super::*;

    fn unknown(mode: TenancyMode, name: &str) -> UnknownTenant {
        let client = ClientId::try_new("acme").expect("an id");
        Tenancy::new(mode, Arc::new(SystemClock)).unknown(&client, name)
    }

    #[test]
    fn only_own_names_are_created() {
        for (name, create, strict) in [
            ("acme", UnknownTenant::Create, UnknownTenant::Create),
            ("acme-app", UnknownTenant::Create, UnknownTenant::Refuse),
            ("acme-", UnknownTenant::Refuse, UnknownTenant::Refuse),
            ("acmeapp", UnknownTenant::Refuse, UnknownTenant::Refuse),
            ("Acme-app", UnknownTenant::Refuse, UnknownTenant::Refuse),
            ("other", UnknownTenant::Refuse, UnknownTenant::Refuse),
        ] {
            assert_eq!(unknown(TenancyMode::CreateUnknown, name), create, "{name}");
            assert_eq!(unknown(TenancyMode::Strict, name), strict, "{name}");
        }
    }

    #[test]
    fn the_client_s_own_tenant_is_the_default() {
        let client = ClientId::try_new("acme").expect("an id");
        let mut headers = HeaderMap::new();
        assert_eq!(tenant_name(&headers, &client).expect("default"), "acme");
        headers.insert(TENANT_ID, "".parse().expect("value"));
        assert_eq!(tenant_name(&headers, &client).expect("default"), "acme");
        headers.insert(TENANT_ID, "acme-app".parse().expect("value"));
        assert_eq!(tenant_name(&headers, &client).expect("given"), "acme-app");
        headers.append(TENANT_ID, "acme-other".parse().expect("value"));
        assert!(tenant_name(&headers, &client).is_err());
        headers.insert(TENANT_ID, "x".repeat(257).parse().expect("value"));
        assert!(tenant_name(&headers, &client).is_err());
    }
}
