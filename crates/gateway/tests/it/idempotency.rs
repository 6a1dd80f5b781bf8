use serde_json::{Value, json};

use crate::support::{ACME, Answer, Call, World};

fn hit(answer: &Answer) -> Option<&str> {
    answer.header("idempotency-hit")
}

fn upload(user: &str, token: &str, balance: u32) -> Call {
    let body = json!({ "accounts": [{ "iban": "DE89370400440532013000", "balance": balance }] });
    Call::post(format!("/api/users/{user}/banking/accounts"))
        .token(token)
        .json(&body)
}

async fn users(world: &World, token: &str) -> Value {
    let answer = world.send(Call::get("/api/users").token(token)).await;
    answer.json()["context"]["count"].clone()
}

#[tokio::test]
async fn the_same_request_is_done_once() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let add = |name: &str| {
        let body = json!({ "type": "person", "name": name });
        Call::post("/api/users").token(&token).json(&body)
    };
    let first = world.send(add("John Doe").key("k1")).await;
    assert_eq!((first.status, hit(&first)), (201, None));
    let again = world.send(add("John Doe").key("k1")).await;
    assert_eq!((again.status, hit(&again)), (201, Some("true")));
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(users(&world, &token).await, 1);

    let other = world.send(add("Jane Roe").key("k1")).await;
    assert_eq!(
        other.failure(),
        "409 conflict: the Idempotency-Key was used for another request"
    );
    let elsewhere = world
        .send(add("Jane Roe").key("k1").tenant("acme-app"))
        .await;
    assert_eq!(
        (elsewhere.status, hit(&elsewhere)),
        (201, None),
        "tenants have keys of their own"
    );
    let without = world.send(add("John Doe")).await;
    assert_eq!((without.status, hit(&without)), (201, None));
    assert_eq!(users(&world, &token).await, 2);
    for key in ["", "a b", &"k".repeat(257)] {
        let answer = world.send(add("John Doe").key(key)).await;
        assert_eq!(
            answer.failure(),
            "400 invalidInput: Idempotency-Key: must be 1 to 256 visible ASCII characters"
        );
    }
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_person(&token).await;
    let trigger = || Call::post(format!("/api/users/{user}/trigger-analysis")).token(&token);
    assert_eq!(world.send(trigger().key("k")).await.status, 409);
    assert_eq!(world.send(upload(&user, &token, 1)).await.status, 201);
    let started = world.send(trigger().key("k")).await;
    assert_eq!((started.status, hit(&started)), (202, None));
    let again = world.send(trigger().key("k")).await;
    assert_eq!((again.status, hit(&again)), (202, Some("true")));
    assert_eq!(
        again.header("finoos-correlation-id"),
        started.header("finoos-correlation-id")
    );
    assert!(again.header("finoos-correlation-id").is_some());
}

#[tokio::test]
async fn a_retried_upload_starts_one_run() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let user = world.add_user(&token, json!({ "type": "person" })).await;
    let upload = || upload(&user, &token, 1).key("upload-1");
    // Both at once: the second waits for the first.
    let (one, two) = tokio::join!(world.send(upload()), world.send(upload()));
    assert_eq!((one.status, two.status), (201, 201));
    assert!(
        hit(&one).is_some() != hit(&two).is_some(),
        "{one:?} {two:?}"
    );
    let run = one.header("finoos-correlation-id");
    assert!(run.is_some() && run == two.header("finoos-correlation-id"));
    let lease = std::time::Duration::from_secs(1);
    let messages = world
        .system
        .lease_outbox(10, lease)
        .await
        .expect("the outbox");
    assert_eq!(messages.len(), 1);
}

#[tokio::test]
async fn answers_are_forgotten_with_their_user() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let add = || {
        let body = json!({ "type": "person", "name": "John Doe" });
        Call::post("/api/users").token(&token).json(&body).key("k")
    };
    let first = world.send(add()).await.json()["userId"].clone();
    let path = format!("/api/users/{}", first.as_str().expect("an id"));
    assert_eq!(
        world.send(Call::delete(path).token(&token)).await.status,
        204
    );
    let second = world.send(add()).await;
    assert_eq!((second.status, hit(&second)), (201, None));
    assert_ne!(second.json()["userId"], first);
}

#[tokio::test]
async fn a_repeated_registration_shows_its_secret_to_the_retry() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let body = json!({ "url": "http://127.0.0.1:9/hook", "events": ["categorization"] });
    let create = || {
        Call::post("/api/webhooks")
            .token(&token)
            .json(&body)
            .key("k")
    };
    let first = world.send(create()).await;
    let again = world.send(create()).await;
    assert_eq!(hit(&again), Some("true"));
    assert_eq!(again.json(), first.json());
    let path = first.json()["webhookID"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/webhooks/{path}");
    let rotate = || {
        Call::post(format!("{path}/rotate-signing-secret"))
            .token(&token)
            .key("k")
    };
    let rotated = world.send(rotate()).await;
    assert_eq!(
        (rotated.status, hit(&rotated)),
        (200, None),
        "operations have keys of their own"
    );
    assert_eq!(world.send(rotate()).await.json(), rotated.json());
}
