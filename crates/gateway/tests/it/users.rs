use serde_json::{Value, json};

use crate::support::{ACME, Call, World, sample};

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_user_s_life() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let add = Call::post("/api/users")
        .token(&token)
        .json(&sample("001-add-user-request"));
    let added = world.send(add).await;
    insta::assert_json_snapshot!("users_add", added.redacted());
    let documented = sample("001-add-user-response");
    assert_eq!(keys(&added.json()["user"]), keys(&documented["user"]));
    let id = added.json()["userId"].as_str().expect("an id").to_owned();
    assert_eq!(added.json()["user"]["userID"], id);

    let path = format!("/api/users/{id}");
    let got = world.send(Call::get(&path).token(&token)).await;
    insta::assert_json_snapshot!("users_get", got.redacted());

    let update = sample("001-update-user-request");
    let updated = world
        .send(Call::patch(&path).token(&token).json(&update))
        .await;
    insta::assert_json_snapshot!("users_update", updated.redacted());
    let renamed = json!({ "name": "Jane Roe", "type": "company", "userID": "x" });
    let put = world
        .send(Call::put(&path).token(&token).json(&renamed))
        .await;
    assert_eq!(put.status, 200);
    assert_eq!(put.json()["user"]["name"], "Jane Roe");
    assert_eq!(
        put.json()["user"]["type"],
        "person",
        "what cannot change does not"
    );
    assert_eq!(
        put.json()["user"]["customUserID"],
        "0815",
        "what is omitted stays"
    );
    let expiry = json!({ "expiresIn": "P7D" });
    let refused = world
        .send(Call::patch(&path).token(&token).json(&expiry))
        .await;
    assert_eq!(
        refused.failure(),
        "400 invalidInput: expiresIn: cannot be changed"
    );

    let listed = world.send(Call::get("/api/users").token(&token)).await;
    insta::assert_json_snapshot!("users_list", listed.redacted());
    assert_eq!(
        keys(&listed.json()["context"]),
        keys(&sample("001-get-users-response")["context"])
    );

    let deleted = world.send(Call::delete(&path).token(&token)).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    for call in [
        Call::get(&path),
        Call::delete(&path),
        Call::patch(&path).json(&update),
        Call::post(format!("{path}/trigger-analysis")),
    ] {
        let answer = world.send(call.token(&token)).await;
        assert_eq!(answer.failure(), "404 notFound: user not found");
    }
}

#[tokio::test]
async fn defaults_of_a_new_user() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let add = Call::post("/api/users")
        .token(&token)
        .json(&json!({ "type": "company" }));
    let body = world.send(add).await.json();
    assert_eq!(body["user"]["automaticAnalysis"], "active");
    assert_eq!(body["user"]["type"], "company");
    let scopes = body["user"]["userScopes"].as_array().expect("an array");
    assert_eq!(
        scopes.len(),
        wire::Scope::ALL.len(),
        "all scopes of the client"
    );
    assert_eq!(
        body["context"],
        json!({ "client": "acme", "tenant": "acme" })
    );
    assert!(body["user"].get("name").is_none() && body["user"].get("customUserID").is_none());
}

#[tokio::test]
async fn what_a_new_user_may_not_be() {
    let world = World::start().await;
    world
        .add_client("limited", &["banking-upload", "categorization"])
        .await;
    let token = world.token("limited").await;
    let scopes = |names: &[&str]| json!({ "type": "person", "userScopes": names });
    for (body, expected) in [
        (
            json!({}),
            "400 invalidInput: type: is required: person or company",
        ),
        (
            json!({ "type": "robot" }),
            "400 invalidInput: type: must be one of: person, company",
        ),
        (
            json!({ "type": "person", "automaticAnalysis": "sometimes" }),
            "400 invalidInput: automaticAnalysis: must be one of: active, suspended",
        ),
        (
            json!({ "type": "person", "expiresIn": "P7D" }),
            "400 invalidInput: expiresIn: is not supported yet",
        ),
        (
            json!({ "type": "person", "name": "a\u{0}b" }),
            "400 invalidInput: name: must not contain control characters",
        ),
        (
            json!({ "type": "person", "name": "x".repeat(1025) }),
            "400 invalidInput: name: must not be longer than 1024 bytes",
        ),
        (
            json!({ "type": "person", "customUserID": "x".repeat(257) }),
            "400 invalidInput: customUserID: must not be longer than 256 bytes",
        ),
        (
            json!({ "type": "person", "userScopes": "banking" }),
            "400 invalidInput: userScopes: must be an array",
        ),
        (
            scopes(&["categorization", "contracts"]),
            "403 forbidden: Forbidden. No access to this resource: the client lacks userScopes[1]",
        ),
        (
            scopes(&["banking"]),
            "403 forbidden: Forbidden. No access to this resource: the client lacks userScopes[0]",
        ),
        (
            scopes(&["moon"]),
            "403 forbidden: Forbidden. No access to this resource: the client lacks userScopes[0]",
        ),
    ] {
        let call = Call::post("/api/users").token(&token).json(&body);
        assert_eq!(world.send(call).await.failure(), expected, "{body}");
    }
    let listed = world.send(Call::get("/api/users").token(&token)).await;
    assert_eq!(
        listed.json()["context"]["count"],
        0,
        "refused users are not stored"
    );
}

#[tokio::test]
async fn scopes_of_a_user_are_kept_once_as_they_were_spelled() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    for (sent, kept) in [
        (
            vec!["bankingExternal", "Categorization"],
            vec!["bankingExternal", "Categorization"],
        ),
        (
            vec![
                "categorization",
                "bankingExternal",
                "banking-upload",
                "Categorization",
            ],
            vec!["categorization", "bankingExternal"],
        ),
    ] {
        let body = json!({ "type": "person", "userScopes": sent });
        let added = world
            .send(Call::post("/api/users").token(&token).json(&body))
            .await;
        assert_eq!(added.json()["user"]["userScopes"], json!(kept));
    }
}

#[tokio::test]
async fn users_come_in_pages_of_ten() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(world.add_person(&token).await);
        world.clock.advance_seconds(1);
    }
    let page = async |query: &str| {
        let answer = world
            .send(Call::get(format!("/api/users{query}")).token(&token))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let users = body["users"].as_array().expect("an array").clone();
        let ids: Vec<_> = users
            .iter()
            .map(|user| user["userID"].as_str().expect("an id").to_owned())
            .collect();
        (body["context"].clone(), ids)
    };
    let (context, first) = page("").await;
    assert_eq!(first, ids[..10]);
    assert_eq!(
        context,
        json!({ "client": "acme", "count": 12, "page": 1, "pageSize": 10, "tenant": "acme" })
    );
    assert_eq!(page("?page=2").await.1, ids[10..]);
    assert_eq!(page("?page=3&page-size=5").await.1, ids[10..]);
    assert_eq!(page("?page=99").await.1, Vec::<String>::new());
    for (query, expected) in [
        ("page=0", "page: must be a whole number from 1"),
        ("page=two", "page: must be a whole number from 1"),
        ("pageSize=1001", "pageSize: must be a number from 1 to 1000"),
    ] {
        let answer = world
            .send(Call::get(format!("/api/users?{query}")).token(&token))
            .await;
        assert_eq!(answer.failure(), format!("400 invalidInput: {expected}"));
    }
}

#[tokio::test]
async fn a_user_without_a_scope_cannot_be_used_for_it() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let body = json!({ "type": "person", "userScopes": ["banking-upload"] });
    let id = world.add_user(&token, body).await;
    let upload = json!({ "accounts": [{ "iban": "DE89370400440532013000" }] });
    let accounts = format!("/api/users/{id}/banking/accounts");
    let uploaded = world
        .send(Call::post(&accounts).token(&token).json(&upload))
        .await;
    assert_eq!(uploaded.status, 201, "{}", uploaded.text);
    for (path, scopes) in [
        (accounts.clone(), "banking or banking-fetch"),
        (format!("/api/users/{id}/categorization"), "categorization"),
        (
            format!("/api/users/{id}/categorization/correlation"),
            "categorization",
        ),
    ] {
        let answer = world.send(Call::get(&path).token(&token)).await;
        let expected = format!(
            "403 forbidden: Forbidden. No access to this resource: the user lacks the scope {scopes}"
        );
        assert_eq!(answer.failure(), expected, "{path}");
    }
}

#[tokio::test]
async fn webhooks_hear_of_users() {
    let world = World::start().await;
    let token = world.token(ACME).await;
    let events = [
        "user.created",
        "user.updated",
        "user.deleted",
        "user.created.notification",
    ];
    let hook = json!({ "url": "http://127.0.0.1:9/hook", "events": events });
    let hook = world
        .send(Call::post("/api/webhooks").token(&token).json(&hook))
        .await;
    let hook = hook.json()["webhookID"].as_str().expect("an id").to_owned();

    let body = json!({ "type": "person", "name": "John Doe", "customUserID": "0815" });
    let user = world.add_user(&token, body).await;
    let path = format!("/api/users/{user}");
    let update = json!({ "name": "Jane Roe" });
    assert_eq!(
        world
            .send(Call::patch(&path).token(&token).json(&update))
            .await
            .status,
        200
    );
    let due = world
        .system
        .lease_deliveries(10, std::time::Duration::from_secs(1))
        .await;
    let first = due.expect("deliveries").remove(0);
    let data = first.data.expect("data").into_inner();
    let data: Value = serde_json::from_str(&data).expect("json");
    assert_eq!(data["userID"], user);
    assert_eq!(data["name"], "John Doe");

    assert_eq!(
        world.send(Call::delete(&path).token(&token)).await.status,
        204
    );
    let log = Call::get(format!("/api/webhooks/{hook}/deliveries")).token(&token);
    let log = world.send(log).await.json();
    let seen: Vec<_> = log["deliveries"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|entry| format!("{} {}", entry["event"], entry["status"]).replace('"', ""))
        .collect();
    assert_eq!(
        seen,
        [
            "user.deleted pending",
            "user.updated cancelled",
            "user.created.notification cancelled",
            "user.created cancelled",
        ]
    );
    world.clock.advance_seconds(10);
    let due = world
        .system
        .lease_deliveries(10, std::time::Duration::from_secs(1))
        .await;
    let due = due.expect("deliveries");
    let deleted = due.first().expect("the last event");
    let data = deleted.data.as_ref().expect("data").as_str();
    assert_eq!(data, format!(r#"{{"userID":"{user}"}}"#));
    assert_eq!(deleted.custom_user_id, None);
}
