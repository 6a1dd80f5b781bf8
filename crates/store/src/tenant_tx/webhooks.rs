//! Registered webhooks and their secrets.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Sensitive, WebhookId};
use uuid::Uuid;

use super::TenantTx;
use crate::error::StoreError;
use crate::system::BLOCKED_WAIT;
use crate::text::clean;
use crate::vault::{Place, Vault, VaultError, random_bytes};

/// Most webhooks of one tenant.
pub const WEBHOOKS_PER_TENANT_MAX: usize = 100;

/// Length of a signing key in bytes.
///
/// # Source
/// Standard Webhooks 1.0: between 24 and 64 bytes.
const SIGNING_KEY_BYTES: usize = 32;

/// What the written form of a signing secret begins with.
const SIGNING_PREFIX: &str = "whsec_";

const UNKNOWN_WEBHOOK: StoreError = StoreError::NotFound { what: "webhook" };

/// HTTP method of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WebhookMethod {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
}

impl WebhookMethod {
    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

impl FromStr for WebhookMethod {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "PATCH" => Ok(Self::Patch),
            _ => Err(StoreError::Invalid {
                reason: "method must be one of: POST, PUT, PATCH",
            }),
        }
    }
}

/// A webhook that is to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// Where to.
    pub url: String,
    /// How.
    pub method: WebhookMethod,
    /// Names of the events it hears of.
    pub events: Vec<String>,
    /// Whether it hears of events at all.
    pub active: bool,
    /// The secret that travels in the body; it never signs.
    pub secret: Option<Sensitive<String>>,
}

/// A registered webhook, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Identifier.
    pub id: WebhookId,
    /// Where to.
    pub url: String,
    /// How.
    pub method: WebhookMethod,
    /// Names of the events it hears of.
    pub events: Vec<String>,
    /// Whether it hears of events at all.
    pub active: bool,
    /// Whether a secret travels in the body.
    pub has_secret: bool,
    /// Until when the signing key before the present one stays valid.
    pub previous_key_until: Option<DateTime<Utc>>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A webhook at the only moment when its signing secret can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// `whsec_` and the signing key in base64.
    pub signing_secret: Sensitive<String>,
}

/// What to do about the secret that travels in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SecretChange {
    /// Leave it.
    #[default]
    Keep,
    /// Replace it.
    Set(Sensitive<String>),
    /// Send none from now on.
    Remove,
}

/// What to change about a webhook; `None` leaves a value as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookPatch {
    /// Where to.
    pub url: Option<String>,
    /// How.
    pub method: Option<WebhookMethod>,
    /// Names of the events it hears of.
    pub events: Option<Vec<String>>,
    /// Whether it hears of events at all; deliveries under way wait while it does not.
    pub active: Option<bool>,
    /// The secret that travels in the body.
    pub secret: SecretChange,
}

struct WebhookRow {
    webhook_id: Uuid,
    url: String,
    method: String,
    events: Vec<String>,
    active: bool,
    has_secret: bool,
    previous_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: WebhookId::new(row.webhook_id),
            url: row.url,
            method: row.method.parse().map_err(|_| StoreError::Corrupt {
                column: "webhook.method",
            })?,
            events: row.events,
            active: row.active,
            has_secret: row.has_secret,
            previous_key_until: row.previous_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl TenantTx {
    /// Registers a webhook with a new signing key.
    ///
    /// # Errors
    /// `LimitReached` above [`WEBHOOKS_PER_TENANT_MAX`], `NotFound` when the tenant is gone.
    pub async fn add_webhook(
        &mut self,
        webhook: &NewWebhook,
    ) -> Result<CreatedWebhook, StoreError> {
        self.check_webhook_count().await?;
        let (tenant, id, now) = (self.id(), self.shared.ids.uuid(), self.now());
        let place = SealedPlace::new(tenant, id);
        let key = random_bytes::<SIGNING_KEY_BYTES>()?;
        let signing = place.seal(&self.shared.vault, Kind::Signing, &key)?;
        let secret = webhook
            .secret
            .as_ref()
            .map(|secret| place.seal(&self.shared.vault, Kind::Body, secret.as_str().as_bytes()))
            .transpose()?;
        let url = clean(&webhook.url);
        let events = cleaned(&webhook.events);
        let row = sqlx::query_as!(
            WebhookRow,
            r#"insert into webhook (tenant_id, webhook_id, url, method, events, active,
                                    secret_sealed, signing_sealed, created_at, updated_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
               returning webhook_id, url, method, events, active,
                         secret_sealed is not null as "has_secret!", previous_until, created_at,
                         updated_at"#,
            tenant,
            id,
            &*url,
            webhook.method.as_str(),
            &events as &[Cow<'_, str>],
            webhook.active,
            secret,
            signing,
            now
        )
        .fetch_one(self.conn())
        .await?;
        Ok(CreatedWebhook {
            webhook: row.try_into()?,
            signing_secret: written(&key),
        })
    }

    /// Reads a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn webhook(&mut self, id: WebhookId) -> Result<Webhook, StoreError> {
        let (tenant, id) = (self.id(), id.as_uuid());
        sqlx::query_as!(
            WebhookRow,
            r#"select webhook_id, url, method, events, active,
                      secret_sealed is not null as "has_secret!", previous_until, created_at,
                      updated_at
               from webhook where tenant_id = $1 and webhook_id = $2"#,
            tenant,
            id
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_WEBHOOK)?
        .try_into()
    }

    /// Reads the tenant's webhooks, oldest first.
    ///
    /// # Errors
    /// Only those of the connection.
    pub async fn webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        let (tenant, limit) = (self.id(), webhooks_max());
        let rows = sqlx::query_as!(
            WebhookRow,
            r#"select webhook_id, url, method, events, active,
                      secret_sealed is not null as "has_secret!", previous_until, created_at,
                      updated_at
               from webhook where tenant_id = $1
               order by created_at, webhook_id limit $2"#,
            tenant,
            limit
        )
        .fetch_all(self.conn())
        .await?;
        rows.into_iter().map(Webhook::try_from).collect()
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_webhook(
        &mut self,
        id: WebhookId,
        patch: &WebhookPatch,
    ) -> Result<Webhook, StoreError> {
        let (tenant, id, now) = (self.id(), id.as_uuid(), self.now());
        let place = SealedPlace::new(tenant, id);
        let (keep_secret, secret) = match &patch.secret {
            SecretChange::Keep => (true, None),
            SecretChange::Remove => (false, None),
            SecretChange::Set(secret) => {
                let content = secret.as_str().as_bytes();
                let sealed = place.seal(&self.shared.vault, Kind::Body, content)?;
                (false, Some(sealed))
            }
        };
        let url = patch.url.as_deref().map(clean);
        let events = patch.events.as_deref().map(cleaned);
        let row = sqlx::query_as!(
            WebhookRow,
            r#"update webhook
               set url = coalesce($3, url), method = coalesce($4, method),
                   events = coalesce($5, events), active = coalesce($6, active),
                   secret_sealed = case when $7 then secret_sealed else $8 end, updated_at = $9
               where tenant_id = $1 and webhook_id = $2
               returning webhook_id, url, method, events, active,
                         secret_sealed is not null as "has_secret!", previous_until, created_at,
                         updated_at"#,
            tenant,
            id,
            url.as_deref(),
            patch.method.map(WebhookMethod::as_str),
            events as Option<Vec<Cow<'_, str>>>,
            patch.active,
            keep_secret,
            secret,
            now
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_WEBHOOK)?;
        if patch.active == Some(true) {
            self.pull_up(id).await?;
        }
        self.notify(crate::listen::Channel::Delivery).await?;
        row.try_into()
    }

    /// Makes the deliveries due that were put off while their webhook was inactive.
    async fn pull_up(&mut self, webhook: Uuid) -> Result<(), StoreError> {
        let (tenant, now) = (self.id(), self.now());
        let waiting_until = now + BLOCKED_WAIT;
        sqlx::query_file!(
            "src/queries/pull_up_webhook.sql",
            tenant,
            webhook,
            now,
            waiting_until
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Deletes a webhook with its deliveries.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_webhook(&mut self, id: WebhookId) -> Result<(), StoreError> {
        let (tenant, id) = (self.id(), id.as_uuid());
        let deleted = sqlx::query!(
            "delete from webhook where tenant_id = $1 and webhook_id = $2",
            tenant,
            id
        )
        .execute(self.conn())
        .await?;
        if deleted.rows_affected() == 0 {
            return Err(UNKNOWN_WEBHOOK);
        }
        Ok(())
    }

    /// Gives a webhook a new signing key; the present one stays valid for the overlap.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn rotate_signing_secret(
        &mut self,
        id: WebhookId,
        overlap: Duration,
    ) -> Result<CreatedWebhook, StoreError> {
        let (tenant, id, now) = (self.id(), id.as_uuid(), self.now());
        let key = random_bytes::<SIGNING_KEY_BYTES>()?;
        let place = SealedPlace::new(tenant, id);
        let sealed = place.seal(&self.shared.vault, Kind::Signing, &key)?;
        let overlap = TimeDelta::from_std(overlap).unwrap_or(TimeDelta::MAX);
        let until = now.checked_add_signed(overlap).unwrap_or(now);
        let row = sqlx::query_as!(
            WebhookRow,
            r#"update webhook
               set previous_sealed = signing_sealed, previous_until = $4, signing_sealed = $3,
                   updated_at = $5
               where tenant_id = $1 and webhook_id = $2
               returning webhook_id, url, method, events, active,
                         secret_sealed is not null as "has_secret!", previous_until, created_at,
                         updated_at"#,
            tenant,
            id,
            sealed,
            until,
            now
        )
        .fetch_optional(self.conn())
        .await?
        .ok_or(UNKNOWN_WEBHOOK)?;
        Ok(CreatedWebhook {
            webhook: row.try_into()?,
            signing_secret: written(&key),
        })
    }

    async fn check_webhook_count(&mut self) -> Result<(), StoreError> {
        let tenant = self.id();
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from webhook where tenant_id = $1"#,
            tenant
        )
        .fetch_one(self.conn())
        .await?;
        if count >= webhooks_max() {
            return Err(StoreError::LimitReached {
                what: "webhooks of one tenant",
                max: WEBHOOKS_PER_TENANT_MAX,
            });
        }
        Ok(())
    }
}

fn webhooks_max() -> i64 {
    i64::try_from(WEBHOOKS_PER_TENANT_MAX).unwrap_or(i64::MAX)
}

fn cleaned(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().map(|text| clean(text)).collect()
}

/// A signing key as it is shown, once.
fn written(key: &[u8]) -> Sensitive<String> {
    Sensitive::new(format!("{SIGNING_PREFIX}{}", STANDARD.encode(key)))
}

/// What a sealed content of a webhook is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A key that signs.
    Signing,
    /// The secret that travels in the body.
    Body,
}

/// Where the sealed contents of one webhook belong.
pub(crate) struct SealedPlace {
    tenant: String,
    webhook: String,
}

impl SealedPlace {
    pub(crate) fn new(tenant: Uuid, webhook: Uuid) -> Self {
        Self {
            tenant: tenant.to_string(),
            webhook: webhook.to_string(),
        }
    }

    fn parts(&self, kind: Kind) -> [&str; 3] {
        let kind = match kind {
            Kind::Signing => "webhook.signing",
            Kind::Body => "webhook.secret",
        };
        [kind, &self.tenant, &self.webhook]
    }

    fn seal(&self, vault: &Vault, kind: Kind, content: &[u8]) -> Result<Vec<u8>, VaultError> {
        vault.seal(content, &Place(&self.parts(kind)))
    }

    pub(crate) fn open(
        &self,
        vault: &Vault,
        kind: Kind,
        sealed: &[u8],
    ) -> Result<Sensitive<Vec<u8>>, VaultError> {
        vault.open(sealed, &Place(&self.parts(kind)))
    }
}
