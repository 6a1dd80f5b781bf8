//! Invented receivers behind the sender's trait.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use domain::Clock;
use serde_json::Value;
use webhooks::http::SignedRequest;
use webhooks::signature::{Message, SigningKey, verify};
use webhooks::{HttpSender, SendError};

/// A request as an invented receiver saw it.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) url: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) delivery: String,
    pub(crate) request_id: String,
    pub(crate) timestamp: i64,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
    pub(crate) user: String,
    pub(crate) number: u64,
}

impl Arrival {
    pub(crate) fn read(request: &SignedRequest, at: DateTime<Utc>) -> Self {
        let header = |name: &str| {
            let value = request
                .headers
                .get(name)
                .unwrap_or_else(|| panic!("no header {name}"));
            value.to_str().expect("text").to_owned()
        };
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        Self {
            url: request.url.clone(),
            at,
            delivery: header("webhook-id"),
            request_id: header("x-request-id"),
            timestamp: header("webhook-timestamp").parse().expect("seconds"),
            signature: header("webhook-signature"),
            user: body["userID"].as_str().expect("a user").to_owned(),
            number: body["data"]["number"].as_u64().expect("a number"),
            body: request.body.clone(),
        }
    }

    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = SigningKey::parse(secret).expect("a secret");
        let message = Message {
            id: &self.delivery,
            timestamp: self.timestamp,
            body: &self.body,
        };
        verify(&message, &self.signature, &key).is_ok()
    }
}

/// Everything that arrived, in order.
#[derive(Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Vec<Arrival>>>);

impl Arrivals {
    pub(crate) fn push(&self, arrival: Arrival) {
        self.0.lock().expect("not poisoned").push(arrival);
    }

    pub(crate) fn all(&self) -> Vec<Arrival> {
        self.0.lock().expect("not poisoned").clone()
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.all().iter().map(|arrival| arrival.number).collect()
    }
}

/// Records every request and always answers the same.
#[derive(Clone)]
pub(crate) struct Steady {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) answer: Result<u16, SendError>,
    pub(crate) arrivals: Arrivals,
}

impl Steady {
    pub(crate) fn answering(clock: Arc<dyn Clock>, answer: Result<u16, SendError>) -> Self {
        Self {
            clock,
            answer,
            arrivals: Arrivals::default(),
        }
    }
}

impl HttpSender for Steady {
    async fn send(&self, request: SignedRequest) -> Result<u16, SendError> {
        self.arrivals
            .push(Arrival::read(&request, self.clock.now()));
        self.answer
    }
}
