//! One upload from authentication to webhook, as the README tells it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use testkit::receiver::Receiver;

use super::serve;

const DEADLINE: Duration = Duration::from_secs(30);
const UPLOAD: &str = include_str!("../../../../examples/upload-person.json");

/// A client of the API with a token.
struct Api {
    http: Client,
    base: String,
    token: String,
}

impl Api {
    async fn log_in(address: SocketAddr) -> Self {
        let http = Client::builder().build().expect("a client");
        let base = format!("http://{address}/api");
        let form = "grant_type=client_credentials&client_id=demo&client_secret=demo-secret";
        let answer = http
            .post(format!("{base}/auth"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let token: Value = answer.json().await.expect("JSON");
        let token = token["access_token"].as_str().expect("a token").to_owned();
        Self { http, base, token }
    }

    async fn call(&self, method: Method, path: &str, body: Option<String>) -> reqwest::Response {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        request.send().await.expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_travels_from_http_to_webhook() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, address) = serve(dir.path());
    let receiver = Receiver::start().await.expect("a receiver");
    let api = Api::log_in(address).await;

    let webhook = json!({"url": receiver.url("/hook"), "events": ["categorization"]}).to_string();
    let answer = api.call(Method::POST, "/webhooks", Some(webhook)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);

    let answer = api
        .call(
            Method::POST,
            "/users",
            Some(json!({"type": "person"}).to_string()),
        )
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let user: Value = answer.json().await.expect("JSON");
    let user = user["userId"].as_str().expect("a user id").to_owned();

    let path = format!("/users/{user}/banking/accounts");
    let answer = api.call(Method::POST, &path, Some(UPLOAD.to_owned())).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let correlation = answer.headers()["Finoos-Correlation-Id"]
        .to_str()
        .expect("text")
        .to_owned();

    let path = format!("/users/{user}/categorization/correlation?correlationID={correlation}");
    let deadline = Instant::now() + DEADLINE;
    let mut pause = tokio::time::interval(Duration::from_millis(500));
    loop {
        pause.tick().await;
        let answer = api.call(Method::GET, &path, None).await;
        if answer.status() == StatusCode::OK {
            break;
        }
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(Instant::now() < deadline, "{}", process.stderr());
    }

    let path = format!("/users/{user}/categorization");
    let answer = api.call(Method::GET, &path, None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.expect("text").contains("jl-0101"));

    let events = receiver.wait_for(1, DEADLINE).await.expect("an event");
    let event = events.first().expect("one");
    assert!(event.header("webhook-signature").is_some(), "{event:?}");
    assert!(String::from_utf8_lossy(&event.body).contains(&correlation));

    let (status, took) = process.terminate().expect("stopped");
    assert_eq!(status.code(), Some(0), "{}", process.stderr());
    assert!(took < Duration::from_secs(20), "{took:?}");
    let log = process.stderr();
    assert!(
        !log.contains("Lindner") && !log.contains("DE30430609672035518700"),
        "{log}"
    );
}
