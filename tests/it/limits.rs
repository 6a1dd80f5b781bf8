//! Large and malformed uploads over HTTP: stored and analysed, or refused and nothing changed.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::upload::household;
use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::json;

/// The documented limit of one request (`KONTOR_LIMITS__BODY_BYTES`).
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The documented limit of transactions in one request.
const TRANSACTIONS_MAX: usize = 50_000;
/// A process that analyses 50,000 transactions may use this much at its peak.
const PEAK_MEMORY_MIB_MAX: u64 = 1_024;

const IBAN: &str = "DE89370400440532013000";

#[tokio::test]
async fn fifty_thousand_transactions_are_stored_and_analysed() {
    let world = World::embedded().expect("kontor serve");
    let api = world.demo_api();
    let user = api.add_person().await.expect("a user");
    let path = format!("/api/users/{user}/banking/accounts");
    let upload = household(IBAN, "Erika Beispiel", TRANSACTIONS_MAX);
    let started = Instant::now();
    let stored = api
        .send(Method::POST, &path, Some(&upload))
        .await
        .expect("an answer");
    let stored_after = started.elapsed();
    assert_eq!(stored.status, StatusCode::CREATED, "{}", stored.body);
    let correlation = stored.correlation_id.expect("a run");
    let deadline = Instant::now() + Duration::from_mins(2);
    api.finished(&user, &correlation, deadline)
        .await
        .expect("the run finishes");
    let finished_after = started.elapsed();
    let page = format!("/api/users/{user}/categorization?page=2&pageSize=50");
    let page = api.send(Method::GET, &page, None).await.expect("an answer");
    assert_eq!(page.body["metaData"]["totalCount"], TRANSACTIONS_MAX);
    let peak = world.peak_memory_mib();
    println!(
        "50,000 transactions: stored in {stored_after:?}, analysed after {finished_after:?}, \
         peak memory of the process {peak} MiB"
    );
    assert!(peak <= PEAK_MEMORY_MIB_MAX, "{peak} MiB");

    let one_more = household(IBAN, "Erika Beispiel", TRANSACTIONS_MAX + 1);
    let refused = api
        .send(Method::POST, &path, Some(&one_more))
        .await
        .expect("an answer");
    assert_eq!(
        refused.status,
        StatusCode::PAYLOAD_TOO_LARGE,
        "{}",
        refused.body
    );
    world.stop().expect("stopped");
}

#[tokio::test]
async fn a_body_one_byte_over_the_limit_changes_nothing() {
    let world = World::embedded().expect("kontor serve");
    let api = world.demo_api();
    let user = api.add_person().await.expect("a user");
    let path = format!("/api/users/{user}/banking/accounts");
    let mut body = household(IBAN, "Erika Beispiel", 3)
        .to_string()
        .into_bytes();
    body.resize(BODY_BYTES_MAX + 1, b' ');
    // The server may answer and close before the whole body is read; both are a refusal.
    let over = api
        .send_raw(Method::POST, &path, Some(body.clone()), None)
        .await;
    if let Ok(answer) = over {
        assert_eq!(
            answer.status,
            StatusCode::PAYLOAD_TOO_LARGE,
            "{}",
            answer.body
        );
        assert_eq!(answer.body["type"], "invalidInput");
    }
    let accounts = api.send(Method::GET, &path, None).await.expect("an answer");
    assert_eq!(accounts.body, json!({ "accounts": [] }));
    body.truncate(BODY_BYTES_MAX);
    let fits = api
        .send_raw(Method::POST, &path, Some(body), None)
        .await
        .expect("an answer");
    assert_eq!(fits.status, StatusCode::CREATED, "{}", fits.body);
    world.stop().expect("stopped");
}

#[tokio::test]
async fn unreadable_bodies_are_refused_with_the_field_s_path() {
    let world = World::embedded().expect("kontor serve");
    let api = world.demo_api();
    let user = api.add_person().await.expect("a user");
    let path = format!("/api/users/{user}/banking/accounts");
    for (body, path_named) in unreadable() {
        let shown: String = body.chars().take(120).collect();
        let sent = Some(body.into_bytes());
        let answer = api
            .send_raw(Method::POST, &path, sent, None)
            .await
            .expect("an answer");
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{shown}: {}",
            answer.body
        );
        assert_eq!(answer.body["type"], "invalidInput", "{shown}");
        let message = answer.body["message"].as_str().expect("a message");
        assert!(message.contains(&path_named), "{shown}: {message}");
    }
    let accounts = api.send(Method::GET, &path, None).await.expect("an answer");
    assert_eq!(
        accounts.body,
        json!({ "accounts": [] }),
        "nothing was changed"
    );
    world.stop().expect("stopped");
}

/// Bodies that cannot be read, each with the path that the answer has to name.
fn unreadable() -> Vec<(String, String)> {
    let transaction = |fields: &str| {
        format!(
            r#"{{"accounts":[{{"iban":"{IBAN}","transactions":[{{"amount":1,"bookingDate":1735689600}},{{{fields}}}]}}]}}"#
        )
    };
    let second = "accounts[0].transactions[1]";
    let nested = {
        let mut text = String::new();
        for _ in 0..100_000 {
            text.write_str(r#"{"a":["#).expect("text");
        }
        text
    };
    vec![
        (String::new(), String::new()),
        ("{".to_owned(), String::new()),
        (nested, String::new()),
        ("\u{feff}[]".to_owned(), String::new()),
        ("[]".to_owned(), String::new()),
        ("{}".to_owned(), "accounts".to_owned()),
        (r#"{"accounts":[]}"#.to_owned(), "accounts".to_owned()),
        (r#"{"accounts":{"a":1}}"#.to_owned(), "accounts".to_owned()),
        (r#"{"accounts":[7]}"#.to_owned(), "accounts[0]".to_owned()),
        (
            r#"{"accounts":[{"type":"GYRO"}]}"#.to_owned(),
            "accounts[0].type".to_owned(),
        ),
        (
            transaction(r#""bookingDate":1735689600"#),
            format!("{second}.amount"),
        ),
        (
            transaction(r#""amount":"12","bookingDate":1735689600"#),
            format!("{second}.amount"),
        ),
        (
            transaction(r#""amount":1.234,"bookingDate":1735689600"#),
            format!("{second}.amount"),
        ),
        (
            transaction(r#""amount":1e400,"bookingDate":1735689600"#),
            format!("{second}.amount"),
        ),
        (
            transaction(r#""amount":1"#),
            format!("{second}.bookingDate"),
        ),
        (
            transaction(r#""amount":1,"bookingDate":1735689600000"#),
            format!("{second}.bookingDate"),
        ),
        (
            transaction(r#""amount":1,"bookingDate":1735689600,"purpose":{}"#),
            format!("{second}.purpose"),
        ),
        (
            transaction(r#""amount":1,"bookingDate":1735689600,"purpose":"a\u0000b""#),
            format!("{second}.purpose"),
        ),
        (
            transaction(r#""amount":1,"bookingDate":1735689600,"purpose":"\ud800""#),
            String::new(),
        ),
    ]
}
