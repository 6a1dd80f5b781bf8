//! From a due delivery to the request that goes out.

use chrono::{DateTime, Utc};
use domain::Sensitive;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde_json::value::RawValue;
use store::{DueDelivery, WebhookMethod};
use wire::time::BerlinSeconds;
use wire::webhook::WebhookPayload;

use crate::error::SendError;
use crate::http::SignedRequest;
use crate::signature::{Message, SigningKey, sign};

/// Identifies the delivery; the same on every attempt, as `webhook-id` is.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The tenant's name.
pub const TENANT_ID: HeaderName = HeaderName::from_static("finoos-tenant-id");
/// W3C trace context of the request that the event goes back to.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Standard Webhooks: identifies the message.
pub const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
/// Standard Webhooks: Unix seconds of the attempt.
pub const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// Standard Webhooks: signatures of id, timestamp and body.
pub const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

const AGENT: &str = concat!("Kontor-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Renders and signs a delivery.
///
/// The body depends on event and webhook alone, so every attempt and every replay has the same
/// bytes; timestamp and signature are those of the attempt. The documents promise a correlation
/// on every event; events outside an analysis run, such as `user.created`, are their own.
///
/// # Errors
/// Whatever of the stored delivery cannot be sent; no request is made then.
pub(crate) fn build_request(
    due: &DueDelivery,
    now: DateTime<Utc>,
) -> Result<SignedRequest, SendError> {
    let body = render_body(due)?;
    let id = due.delivery_id.to_string();
    let timestamp = now.timestamp();
    let message = Message {
        id: &id,
        timestamp,
        body: &body,
    };
    let signature = signatures(due, &message)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(REQUEST_ID, header(&id)?);
    headers.insert(TENANT_ID, header(&due.tenant_name)?);
    headers.insert(WEBHOOK_ID, header(&id)?);
    headers.insert(WEBHOOK_TIMESTAMP, header(&timestamp.to_string())?);
    headers.insert(WEBHOOK_SIGNATURE, header(&signature)?);
    // What a caller once sent as trace context is no reason to withhold an event.
    if let Some(value) = due
        .traceparent
        .as_deref()
        .and_then(|text| header(text).ok())
    {
        headers.insert(TRACEPARENT, value);
    }
    let method = match due.method {
        WebhookMethod::Post => Method::POST,
        WebhookMethod::Put => Method::PUT,
        WebhookMethod::Patch => Method::PATCH,
    };
    Ok(SignedRequest {
        method,
        url: due.url.clone(),
        headers,
        body,
    })
}

fn header(text: &str) -> Result<HeaderValue, SendError> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| SendError::InvalidHeader)
}

fn signatures(due: &DueDelivery, message: &Message<'_>) -> Result<String, SendError> {
    let keys = due.signing_keys.iter().cloned().map(SigningKey::try_new);
    keys.collect::<Result<Vec<_>, _>>()
        .and_then(|keys| sign(message, &keys))
        .map_err(|_| SendError::InvalidSigningSecret)
}

fn render_body(due: &DueDelivery) -> Result<Vec<u8>, SendError> {
    let data = due
        .data
        .as_ref()
        .map(|text| serde_json::from_str::<&RawValue>(text.as_str()))
        .transpose()
        .map_err(|_| SendError::InvalidData)?;
    let (correlation_id, correlation_timestamp) = match due.correlation {
        Some((run, requested_at)) => (run.to_string(), requested_at),
        None => (due.event_id.to_string(), due.created_at),
    };
    let payload = WebhookPayload {
        correlation_id: &correlation_id,
        correlation_timestamp: BerlinSeconds(correlation_timestamp),
        custom_user_id: due.custom_user_id.as_ref().map(Sensitive::as_str),
        data,
        event: &due.event,
        secret: due.secret.as_ref().map(Sensitive::as_str),
        tenant_id: &due.tenant_name,
        user_id: &due.user_id.to_string(),
        webhook_id: &due.webhook_id.to_string(),
    };
    serde_json::to_vec(&payload).map_err(|_| SendError::InvalidData)
}

/// A delivery for tests.
#[cfg(test)]
pub(crate) mod fixture {
    use domain::ClientId;

    use super::*;

    pub(crate) const KEY: &[u8] = b"0123456789abcdef01234567";

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect("an id")
    }

    /// The documented example, with data whose numbers no parser would print again like this.
    pub(crate) fn documented() -> DueDelivery {
        let requested_at = DateTime::from_timestamp(1_705_928_927, 0).expect("in range");
        DueDelivery {
            tenant_id: id("0b7c9a52-3b8e-4e0e-9a5b-0d5a9f1c1a01"),
            tenant_name: "testClient".to_owned(),
            client_id: ClientId::try_new("testClient").expect("a client"),
            delivery_id: id("7f1a4a3e-6a3c-4b0c-8a77-3b7a0f6f2b11"),
            lease: id("7f1a4a3e-6a3c-4b0c-8a77-3b7a0f6f2b12"),
            attempts: 0,
            webhook_id: id("1e2212ad-e13f-4d3d-af05-7d1716ee920a"),
            url: "https://yourapp.com/finoos-hook".to_owned(),
            method: WebhookMethod::Put,
            secret: Some("string".into()),
            signing_keys: vec![Sensitive::new(KEY.to_vec())],
            event_id: id("7f1a4a3e-6a3c-4b0c-8a77-3b7a0f6f2b13"),
            event: "personcockpit".to_owned(),
            user_id: id("e57a73a9-bcda-4cda-9e8a-99a915a7d675"),
            custom_user_id: Some("0815".into()),
            correlation: Some((id("cc451d48-dbc2-4ea4-894a-fb4b299f9e56"), requested_at)),
            data: Some(r#"{"amount":1.50, "name":"Ä"}"#.into()),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            created_at: requested_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{KEY, documented};
    use super::*;
    use crate::signature::verify;

    const PREVIOUS_KEY: &[u8] = b"abcdef0123456789abcdef01";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_705_929_000, 500_000_000).expect("in range")
    }

    fn build(due: &DueDelivery) -> SignedRequest {
        build_request(due, now())
            .map_err(|error| error.to_string())
            .expect("a request")
    }

    fn body(due: &DueDelivery) -> String {
        String::from_utf8(build(due).body).expect("text")
    }

    fn value<'a>(request: &'a SignedRequest, name: &HeaderName) -> &'a str {
        request
            .headers
            .get(name)
            .expect("the header")
            .to_str()
            .expect("text")
    }

    #[test]
    fn the_body_is_the_documented_one_and_data_stays_as_stored() {
        assert_eq!(
            body(&documented()),
            r#"{"correlationID":"cc451d48-dbc2-4ea4-894a-fb4b299f9e56","#.to_owned()
                + r#""correlationTimestamp":"2024-01-22T14:08:47+01:00","customUserID":"0815","#
                + r#""data":{"amount":1.50, "name":"Ä"},"event":"personcockpit","#
                + r#""secret":"string","tenantID":"testClient","#
                + r#""userID":"e57a73a9-bcda-4cda-9e8a-99a915a7d675","#
                + r#""webhookID":"1e2212ad-e13f-4d3d-af05-7d1716ee920a"}"#
        );
    }

    #[test]
    fn an_event_outside_a_run_is_its_own_correlation() {
        let bare = DueDelivery {
            secret: None,
            custom_user_id: None,
            correlation: None,
            created_at: DateTime::from_timestamp(1_705_928_927, 0).expect("in range"),
            data: None,
            event: "user.deleted".to_owned(),
            ..documented()
        };
        assert_eq!(
            body(&bare),
            format!(
                r#"{{"correlationID":"{}","correlationTimestamp":"2024-01-22T14:08:47+01:00","#,
                bare.event_id
            ) + r#""event":"user.deleted","tenantID":"testClient","#
                + r#""userID":"e57a73a9-bcda-4cda-9e8a-99a915a7d675","#
                + r#""webhookID":"1e2212ad-e13f-4d3d-af05-7d1716ee920a"}"#
        );
    }

    #[test]
    fn headers_name_delivery_tenant_and_trace() {
        let request = build(&documented());
        assert_eq!(request.method, Method::PUT);
        assert_eq!(request.url, "https://yourapp.com/finoos-hook");
        for (name, expected) in [
            (CONTENT_TYPE, "application/json"),
            (REQUEST_ID, "7f1a4a3e-6a3c-4b0c-8a77-3b7a0f6f2b11"),
            (WEBHOOK_ID, "7f1a4a3e-6a3c-4b0c-8a77-3b7a0f6f2b11"),
            (WEBHOOK_TIMESTAMP, "1705929000"),
            (TENANT_ID, "testClient"),
            (
                TRACEPARENT,
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ] {
            assert_eq!(value(&request, &name), expected, "{name}");
        }
        assert!(value(&request, &USER_AGENT).starts_with("Kontor-Webhooks/"));
    }

    #[test]
    fn every_key_signs_and_the_secret_of_the_body_never_does() {
        let keys = [KEY, PREVIOUS_KEY].map(|key| Sensitive::new(key.to_vec()));
        let due = DueDelivery {
            signing_keys: keys.to_vec(),
            ..documented()
        };
        let request = build(&due);
        let header = value(&request, &WEBHOOK_SIGNATURE);
        let id = due.delivery_id.to_string();
        let message = Message {
            id: &id,
            timestamp: now().timestamp(),
            body: &request.body,
        };
        assert_eq!(header.split(' ').count(), 2);
        for key in keys {
            let key = SigningKey::try_new(key).expect("a key");
            assert!(verify(&message, header, &key).is_ok());
        }
        let secret = SigningKey::try_new(Sensitive::new(b"string".to_vec())).expect("a key");
        assert!(verify(&message, header, &secret).is_err());
    }

    #[test]
    fn what_cannot_be_sent_is_told_by_cause() {
        let failing = |due: DueDelivery| build_request(&due, now()).err();
        let unsigned = DueDelivery {
            signing_keys: vec![],
            ..documented()
        };
        assert_eq!(failing(unsigned), Some(SendError::InvalidSigningSecret));
        let no_json = DueDelivery {
            data: Some("{".into()),
            ..documented()
        };
        assert_eq!(failing(no_json), Some(SendError::InvalidData));
        let split = DueDelivery {
            tenant_name: "a\r\nx: b".to_owned(),
            ..documented()
        };
        assert_eq!(failing(split), Some(SendError::InvalidHeader));
        // A broken trace context is left out instead.
        let untraced = DueDelivery {
            traceparent: Some("a\nb".to_owned()),
            ..documented()
        };
        assert!(build(&untraced).headers.get(TRACEPARENT).is_none());
    }
}
