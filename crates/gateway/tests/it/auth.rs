use gateway::{GatewaySettings, RateLimits};
use serde_json::json;

use crate::support::{ACME, Call, SECRET, World, sample};

const FORM: &str = "grant_type=client_credentials&client_id=acme&client_secret=";

fn login(client: &str, secret: &str) -> Call {
    Call::post("/api/auth").json(&json!({ "name": client, "secret": secret }))
}

#[tokio::test]
async fn both_documented_forms_give_a_token() {
    let world = World::start().await;
    let form = format!("{FORM}{}", SECRET.replace(' ', "%20"));
    let json =
        json!({ "client_id": ACME, "client_secret": SECRET, "grant_type": "client_credentials" });
    let first_version = json!({ "name": ACME, "secret": SECRET });
    for call in [
        Call::post("/api/auth").form(&form),
        Call::post("/api/auth").body(
            "application/x-www-form-urlencoded; charset=utf-8",
            form.clone(),
        ),
        Call::post("/api/auth").json(&json),
        Call::post("/api/auth").json(&first_version),
    ] {
        let answer = world.send(call).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        let documented = sample("001-authenticate-response");
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(keys(&body), keys(&documented));
        assert_eq!(body["expires_in"], 300);
        assert_eq!(body["not-before-policy"], 1_700_000_000);
        assert_eq!(body["token_type"], "Bearer");
        let scope = body["scope"].as_str().expect("text");
        assert!(scope.starts_with("banking banking-fetch "), "{scope}");
        let session = body["session_state"].as_str().expect("text");
        assert!(uuid::Uuid::try_parse(session).is_ok());
    }
}

#[tokio::test]
async fn tokens_are_accepted_with_and_without_scheme_until_they_expire() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let list = |value: &str| Call::get("/api/users").header("authorization", value);
    for value in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        token.clone(),
    ] {
        assert_eq!(world.send(list(&value)).await.status, 200, "{value}");
    }
    world.clock.advance_seconds(299);
    assert_eq!(world.send(list(&token)).await.status, 200);
    world.clock.advance_seconds(1);
    let expired = world.send(list(&token)).await;
    assert_eq!(expired.header("www-authenticate"), Some("Bearer"));
    assert_eq!(
        expired.failure(),
        "401 unauthorized: the access token has expired, authenticate again"
    );
    let forged = format!("{token}x");
    for (value, message) in [
        (forged.as_str(), "the access token is not valid"),
        ("Basic YTpi", "the access token is not valid"),
        (
            "",
            "the header Authorization with an access token is missing",
        ),
    ] {
        let answer = world.send(list(value)).await;
        assert_eq!(answer.failure(), format!("401 unauthorized: {message}"));
    }
    let none = world.send(Call::get("/api/users")).await;
    assert_eq!(none.status, 401);
}

#[tokio::test]
async fn bad_requests_are_told_apart_from_bad_credentials() {
    let world = World::start().await;
    let form = |body: &str| Call::post("/api/auth").form(body);
    for (call, expected) in [
        (form(""), "400 invalidInput: a body is required"),
        (
            form("client_id=a&client_secret=b"),
            "400 invalidInput: grant_type: must be client_credentials",
        ),
        (
            form("grant_type=password&client_id=a&client_secret=b"),
            "400 invalidInput: grant_type: must be client_credentials",
        ),
        (
            form("grant_type=client_credentials&client_secret=b"),
            "400 invalidInput: client_id: is required",
        ),
        (
            form("grant_type=client_credentials&client_id=a&client_secret="),
            "400 invalidInput: client_secret: is required",
        ),
        (
            Call::post("/api/auth").json(&json!({ "name": 5 })),
            "400 invalidInput: name: must be a string",
        ),
        (
            Call::post("/api/auth").json(&json!([])),
            "400 invalidInput: must be an object",
        ),
        (
            Call::post("/api/auth").body("text/plain", "x"),
            "415 invalidInput: Content-Type must be application/x-www-form-urlencoded",
        ),
        (
            login(ACME, "wrong"),
            "401 unauthorized: the client is unknown or its secret is wrong",
        ),
        (
            login("nobody", SECRET),
            "401 unauthorized: the client is unknown or its secret is wrong",
        ),
        (
            login("no\u{0}body", SECRET),
            "401 unauthorized: the client is unknown or its secret is wrong",
        ),
    ] {
        let answer = world.send(call.clone()).await;
        assert_eq!(answer.failure(), expected, "{call:?}");
    }
}

fn strict_logins(client: u32, address: u32, client_wide: u32) -> GatewaySettings {
    GatewaySettings {
        rates: RateLimits {
            failed_logins_client: client,
            failed_logins_address: address,
            failed_logins_client_wide: client_wide,
            ..RateLimits::default()
        },
        trusted_proxies: 1,
        ..GatewaySettings::default()
    }
}

#[tokio::test]
async fn a_host_that_guesses_locks_out_only_itself() {
    let world = World::with(strict_logins(3, 100, 100)).await;
    let from = |call: Call, address: &str| call.header("x-forwarded-for", address);
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        let answer = world.send(from(login(ACME, "guess"), host)).await;
        assert_eq!(answer.status, 401);
    }
    // Even the right secret has to wait, or guessing would only be quieter.
    let blocked = world.send(from(login(ACME, SECRET), "2001:db8::4")).await;
    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.header("retry-after"), Some("20"));
    let other = world.send(from(login("globex", SECRET), "2001:db8::4"));
    assert_eq!(other.await.status, 200);
    let elsewhere = world.send(from(login(ACME, SECRET), "192.0.2.1")).await;
    assert_eq!(elsewhere.status, 200);
}

#[tokio::test]
async fn guessing_the_secret_of_one_client_is_slowed_down() {
    let world = World::with(strict_logins(100, 100, 3)).await;
    for attempt in 0..3 {
        let from = format!("192.0.2.{attempt}");
        let answer = world
            .send(login(ACME, "guess").header("x-forwarded-for", &from))
            .await;
        assert_eq!(answer.status, 401);
    }
    // Even the right secret has to wait, or guessing would only be quieter.
    let blocked = world
        .send(login(ACME, SECRET).header("x-forwarded-for", "192.0.2.9"))
        .await;
    assert_eq!(
        blocked.failure(),
        "429 tooManyRequests: too many requests, try again after 20 s"
    );
    assert_eq!(blocked.header("retry-after"), Some("20"));
    assert_eq!(world.send(login("globex", SECRET)).await.status, 200);
    world.clock.advance_seconds(20);
    assert_eq!(world.send(login(ACME, SECRET)).await.status, 200);
}

#[tokio::test]
async fn guessing_from_one_address_is_slowed_down() {
    let world = World::with(strict_logins(100, 3, 100)).await;
    let from = |call: Call, address: &str| call.header("x-forwarded-for", address);
    for client in ["a", "b", "c"] {
        let answer = world.send(from(login(client, "guess"), "192.0.2.1")).await;
        assert_eq!(answer.status, 401);
    }
    let blocked = world.send(from(login(ACME, SECRET), "192.0.2.1")).await;
    assert_eq!(blocked.status, 429);
    // What the caller claims stands left of what the trusted proxy saw.
    let spoofed = world
        .send(from(login(ACME, SECRET), "203.0.113.7, 192.0.2.1"))
        .await;
    assert_eq!(spoofed.status, 429);
    let elsewhere = world.send(from(login(ACME, SECRET), "192.0.2.2")).await;
    assert_eq!(elsewhere.status, 200);
}

#[tokio::test]
async fn right_secrets_are_never_counted() {
    let world = World::with(strict_logins(1, 1, 1)).await;
    for _ in 0..5 {
        assert_eq!(world.send(login(ACME, SECRET)).await.status, 200);
    }
}
