//! A client of the HTTP API as an integrator would write it: it authenticates, renews its token
//! and repeats what was not answered.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// An API client's credentials at one base address.
pub(crate) struct Api {
    base: String,
    client_id: String,
    secret: String,
    tenant: Option<String>,
    http: reqwest::Client,
    token: Mutex<Option<String>>,
}

/// An answer: status, headers that matter, body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// `Finoos-Correlation-Id`, if sent.
    pub(crate) correlation_id: Option<String>,
    /// Body as JSON, `Null` when empty or no JSON.
    pub(crate) body: Value,
}

impl Api {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(crate) fn new(base: &str, client_id: &str, secret: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_TIMEOUT).build()?;
        Ok(Self {
            base: base.to_owned(),
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
            tenant: None,
            http,
            token: Mutex::new(None),
        })
    }

    /// The same client under another `TenantID`.
    #[must_use]
    pub(crate) fn with_tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.to_owned());
        self
    }

    /// The access token, fetched when there is none.
    ///
    /// # Errors
    /// When authentication is refused or not answered.
    pub(crate) async fn token(&self) -> Result<String> {
        if let Some(token) = self.token.lock().expect("token").clone() {
            return Ok(token);
        }
        let form = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.secret.as_str()),
            ("grant_type", "client_credentials"),
        ];
        let answer = self
            .http
            .post(format!("{}/api/auth", self.base))
            .form(&form)
            .send()
            .await?;
        let status = answer.status();
        let body: Value = answer.json().await.context("token answer")?;
        let token = body["access_token"].as_str().map(str::to_owned);
        let Some(token) = token else {
            bail!("authentication answered {status}")
        };
        *self.token.lock().expect("token") = Some(token.clone());
        Ok(token)
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// When no answer came.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let body = body.map(Value::to_string);
        self.send_raw(method, path, body.map(String::into_bytes), None)
            .await
    }

    /// Sends one request once, with a body as it stands and an idempotency key.
    ///
    /// # Errors
    /// When no answer came.
    pub(crate) async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer> {
        let mut request = self.request(method, path).await?;
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        self.answer(request).await
    }

    /// Sends one request once, with a text of a type of its own.
    ///
    /// # Errors
    /// When no answer came.
    pub(crate) async fn send_as(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        text: &str,
    ) -> Result<Answer> {
        let request = self.request(method, path).await?;
        let request = request.header("Content-Type", content_type);
        self.answer(request.body(text.to_owned())).await
    }

    async fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder> {
        let token = self.token().await?;
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        Ok(match &self.tenant {
            Some(tenant) => request.header("TenantID", tenant),
            None => request,
        })
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let answer = request.send().await?;
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED {
            *self.token.lock().expect("token") = None;
        }
        let correlation_id = answer
            .headers()
            .get("Finoos-Correlation-Id")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let bytes = answer.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            correlation_id,
            body,
        })
    }

    /// Repeats a write with one idempotency key until it is answered with success.
    ///
    /// # Errors
    /// On an answer that a retry cannot change, or after the deadline.
    pub(crate) async fn insist(
        &self,
        path: &str,
        body: &Value,
        key: &str,
        deadline: Instant,
    ) -> Result<Answer> {
        loop {
            let bytes = Some(body.to_string().into_bytes());
            if let Ok(answer) = self.send_raw(Method::POST, path, bytes, Some(key)).await {
                if answer.status.is_success() {
                    return Ok(answer);
                }
                let passing = answer.status.is_server_error()
                    || matches!(answer.status.as_u16(), 401 | 408 | 429);
                if !passing {
                    bail!("{path} answered {}: {}", answer.status, answer.body);
                }
            }
            if Instant::now() > deadline {
                bail!("{path} was not accepted in time");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Creates a user and returns its id.
    ///
    /// # Errors
    /// When it is not created.
    pub(crate) async fn add_user(&self, body: &Value) -> Result<String> {
        let answer = self.send(Method::POST, "/api/users", Some(body)).await?;
        let id = answer.body["user"]["userID"].as_str().map(str::to_owned);
        id.with_context(|| format!("add user answered {}: {}", answer.status, answer.body))
    }

    /// Creates an ordinary person user that is analysed automatically.
    ///
    /// # Errors
    /// When it is not created.
    pub(crate) async fn add_person(&self) -> Result<String> {
        self.add_user(&json!({ "type": "person", "automaticAnalysis": "active" }))
            .await
    }

    /// Polls a correlation until it is finished.
    ///
    /// # Errors
    /// After the deadline.
    pub(crate) async fn finished(
        &self,
        user: &str,
        correlation: &str,
        deadline: Instant,
    ) -> Result<()> {
        let path =
            format!("/api/users/{user}/categorization/correlation?correlation-id={correlation}");
        loop {
            let answer = self.send(Method::GET, &path, None).await;
            if answer.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("correlation {correlation} did not finish in time");
            }
            // The documented polling rate is at most two a second.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
