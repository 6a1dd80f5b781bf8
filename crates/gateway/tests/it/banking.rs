use gateway::{GatewaySettings, Limits};
use serde_json::{Value, json};

use crate::support::{ACME, Call, GLOBEX, World, sample};

const IBAN: &str = "DE89370400440532013000";

struct Uploader {
    world: World,
    token: String,
    user: String,
}

impl Uploader {
    async fn start() -> Self {
        Self::with(World::start().await).await
    }

    async fn with(world: World) -> Self {
        let token = world.token(ACME).await;
        let user = world.add_person(&token).await;
        Self { world, token, user }
    }

    fn path(&self) -> String {
        format!("/api/users/{}/banking/accounts", self.user)
    }

    async fn upload(&self, body: &Value) -> crate::support::Answer {
        self.upload_bytes(body.to_string().into_bytes()).await
    }

    async fn upload_bytes(&self, body: Vec<u8>) -> crate::support::Answer {
        let call = Call::post(self.path()).token(&self.token);
        self.world.send(call.body("application/json", body)).await
    }

    async fn accounts(&self, query: &str) -> Vec<Value> {
        let call = Call::get(format!("{}{query}", self.path())).token(&self.token);
        let answer = self.world.send(call).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["accounts"]
            .as_array()
            .expect("an array")
            .clone()
    }
}

fn booking(amount: &Value) -> Value {
    json!({ "amount": amount, "bookingDate": 1_705_928_941, "purpose": "Miete" })
}

fn account(transactions: &[Value]) -> Value {
    json!({ "accounts": [{ "iban": IBAN, "balance": 1, "transactions": transactions }] })
}

#[tokio::test]
async fn the_documented_upload_is_stored_and_read_back() {
    let uploader = Uploader::start().await;
    let answer = uploader
        .upload(&sample("001-banking-create-external-accounts-request"))
        .await;
    assert_eq!(
        answer.redacted(),
        json!({ "status": 201, "body": { "userId": "[uuid]" } })
    );
    assert_eq!(answer.json()["userId"], uploader.user.as_str());
    assert_eq!(
        answer.header("finoos-correlation-id"),
        None,
        "analysis is suspended"
    );

    let accounts = uploader.accounts("").await;
    insta::assert_json_snapshot!("banking_get_accounts", accounts);
    let documented = sample("001-banking-get-accounts-response");
    for (got, documented) in [
        (&accounts[0], &documented["accounts"][0]),
        (
            &accounts[0]["transactions"][0],
            &documented["accounts"][0]["transactions"][0],
        ),
        (
            &accounts[0]["transactions"][0]["paymentPartner"],
            &documented["accounts"][0]["transactions"][0]["paymentPartner"],
        ),
    ] {
        for key in documented.as_object().expect("an object").keys() {
            assert!(got.get(key).is_some(), "{key} is missing");
        }
    }
    let without = uploader.accounts("?includeTransactions=FALSE").await;
    assert!(without[0].get("transactions").is_none());
    let wrong = Call::get(format!("{}?includeTransactions=no", uploader.path()));
    let wrong = uploader.world.send(wrong.token(&uploader.token)).await;
    assert_eq!(
        wrong.failure(),
        "400 invalidInput: includeTransactions: must be true or false"
    );
}

#[tokio::test]
async fn accounts_without_identifier_are_not_doubled() {
    let uploader = Uploader::start().await;
    let body = account(&[booking(&json!(-850)), booking(&json!(-850))]);
    for _ in 0..2 {
        assert_eq!(uploader.upload(&body).await.status, 201);
    }
    let accounts = uploader.accounts("").await;
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        accounts[0]["transactions"]
            .as_array()
            .expect("an array")
            .len(),
        2
    );
    // Written otherwise, it is still the same account; what is no longer sent is gone.
    let spaced = json!({ "accounts": [{ "iban": "de89 3704 0044 0532 0130 00", "balance": 7 }] });
    assert_eq!(uploader.upload(&spaced).await.status, 201);
    let accounts = uploader.accounts("").await;
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["balance"], json!(7));
    assert_eq!(accounts[0]["transactions"], json!([]));
}

#[tokio::test]
async fn analysis_starts_by_itself_or_when_triggered() {
    let uploader = Uploader::start().await;
    let trigger = Call::post(format!("/api/users/{}/trigger-analysis", uploader.user));
    let trigger = trigger.token(&uploader.token);
    let nothing = uploader.world.send(trigger.clone()).await;
    assert_eq!(
        nothing.failure(),
        "409 conflict: the user has no banking data to analyse"
    );
    uploader.upload(&account(&[booking(&json!(-850))])).await;
    let started = uploader.world.send(trigger).await;
    insta::assert_json_snapshot!("users_trigger", started.redacted());
    let documented = sample("001-trigger-analysis-response");
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&started.json()), keys(&documented));
    let named = started.json()["correlationID"]
        .as_str()
        .map(ToOwned::to_owned);
    assert_eq!(started.header("finoos-correlation-id"), named.as_deref());

    let user = Call::patch(format!("/api/users/{}", uploader.user)).token(&uploader.token);
    let active = user.json(&json!({ "automaticAnalysis": "active" }));
    assert_eq!(uploader.world.send(active).await.status, 200);
    let second = uploader.upload(&account(&[booking(&json!(-851))])).await;
    let run = second
        .header("finoos-correlation-id")
        .expect("a run was started");
    assert_ne!(Some(run), named.as_deref());
    let messages = uploader
        .world
        .system
        .lease_outbox(10, std::time::Duration::from_secs(1))
        .await;
    let messages = messages.expect("the outbox");
    assert_eq!(messages.len(), 2, "one message for each run");
    assert!(messages.iter().all(|message| message.traceparent.is_some()));
}

#[tokio::test]
async fn faults_are_named_by_their_path_and_change_nothing() {
    let uploader = Uploader::start().await;
    let many = (0..1_001).map(|number| json!({ "accountId": number.to_string() }));
    let many: Vec<_> = many.collect();
    for (body, expected) in [
        (json!({}), "400 invalidInput: accounts: is required"),
        (
            json!({ "accounts": [] }),
            "400 invalidInput: accounts: must not be empty",
        ),
        (
            json!({ "accounts": {} }),
            "400 invalidInput: accounts: must be an array",
        ),
        (
            json!({ "accounts": [5] }),
            "400 invalidInput: accounts[0]: must be an object",
        ),
        (json!([]), "400 invalidInput: must be an object"),
        (
            account(&[booking(&json!(1)), booking(&json!("Max Mustermann"))]),
            "400 invalidInput: accounts[0].transactions[1].amount: must be a number",
        ),
        (
            account(&[booking(&json!(12.345))]),
            "400 invalidInput: accounts[0].transactions[0].amount: \
             must have at most 2 decimal places in EUR",
        ),
        (
            account(&[json!({ "amount": 1 })]),
            "400 invalidInput: accounts[0].transactions[0].bookingDate: is required",
        ),
        (
            json!({ "accounts": many }),
            "413 invalidInput: accounts: must not contain more than 1000 accounts",
        ),
    ] {
        let answer = uploader.upload(&body).await;
        assert_eq!(answer.failure(), expected);
    }
    for (body, beginning) in [
        (String::new(), "400 invalidInput: a body is required"),
        (" ".to_owned(), "400 invalidInput: is malformed JSON"),
        ("{\"accounts\":[{".to_owned(), "400 invalidInput: "),
        (
            format!("{{\"accounts\":{}", "[".repeat(200_000)),
            "400 invalidInput: accounts[0]",
        ),
        (
            format!("{{\"x\":{}1{}}}", "[".repeat(500), "]".repeat(500)),
            "400 invalidInput: x[0]",
        ),
    ] {
        let answer = uploader.upload_bytes(body.clone().into_bytes()).await;
        let failure = answer.failure();
        assert!(failure.starts_with(beginning), "{failure}");
        assert!(failure.len() < 500, "{failure}");
    }
    let not_text = uploader
        .upload_bytes(b"{\"accounts\":[{\"iban\":\"\xff\"}]}".to_vec())
        .await;
    assert_eq!(not_text.status, 400);
    assert_eq!(uploader.accounts("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_body_limit_is_exact() {
    let max = 10_000;
    let settings = GatewaySettings {
        limits: Limits {
            upload_body_bytes_max: max,
            body_bytes_max: max,
            ..Limits::default()
        },
        ..GatewaySettings::default()
    };
    let uploader = Uploader::with(World::with(settings).await).await;
    let padded = |length: usize| {
        let mut body = account(&[booking(&json!(1))]).to_string().into_bytes();
        body.resize(length, b' ');
        body
    };
    let over = uploader.upload_bytes(padded(max + 1)).await;
    assert_eq!(
        over.failure(),
        "413 invalidInput: the body must not be longer than 10000 bytes"
    );
    assert_eq!(
        uploader.accounts("").await,
        Vec::<Value>::new(),
        "nothing is stored"
    );

    // Without a declared length the limit is found while receiving.
    let pieces = padded(max + 1)
        .chunks(1_000)
        .map(<[u8]>::to_vec)
        .collect::<Vec<_>>();
    let pieces = pieces.into_iter().map(Ok::<_, std::convert::Infallible>);
    let stream = axum::body::Body::from_stream(futures_util::stream::iter(pieces));
    let mut request = Call::post(uploader.path())
        .token(&uploader.token)
        .into_request();
    *request.body_mut() = stream;
    let over = uploader.world.send_request(request).await;
    assert_eq!(over.status, 413);
    assert_eq!(
        uploader.accounts("").await,
        Vec::<Value>::new(),
        "nothing is stored"
    );

    assert_eq!(uploader.upload_bytes(padded(max)).await.status, 201);
    assert_eq!(uploader.accounts("").await.len(), 1);

    let mut user = json!({ "type": "person" }).to_string().into_bytes();
    user.resize(max, b' ');
    let add = |body: Vec<u8>| {
        let call = Call::post("/api/users").token(&uploader.token);
        uploader.world.send(call.body("application/json", body))
    };
    assert_eq!(add(user.clone()).await.status, 201);
    user.push(b' ');
    assert_eq!(add(user).await.status, 413);
}

#[tokio::test]
async fn the_number_of_transactions_is_limited() {
    let settings = GatewaySettings {
        limits: Limits {
            upload_transactions_max: 3,
            ..Limits::default()
        },
        ..GatewaySettings::default()
    };
    let uploader = Uploader::with(World::with(settings).await).await;
    let with = |count: usize| account(&vec![booking(&json!(1)); count]);
    let answer = uploader.upload(&with(4)).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert_eq!(uploader.accounts("").await, Vec::<Value>::new());
    assert_eq!(uploader.upload(&with(3)).await.status, 201);
}

#[tokio::test]
async fn webhooks_hear_of_accounts_without_their_transactions() {
    let uploader = Uploader::start().await;
    let hook = json!({ "url": "http://127.0.0.1:9/hook", "events": ["banking"] });
    let hook = Call::post("/api/webhooks")
        .token(&uploader.token)
        .json(&hook);
    assert_eq!(uploader.world.send(hook).await.status, 201);
    uploader.upload(&account(&[booking(&json!(1))])).await;
    let due = uploader
        .world
        .system
        .lease_deliveries(10, std::time::Duration::from_secs(1))
        .await;
    let due = due.expect("deliveries");
    let data = due[0].data.as_ref().expect("data").as_str();
    let data: Value = serde_json::from_str(data).expect("json");
    assert_eq!(data["accounts"][0]["iban"], IBAN);
    assert!(data["accounts"][0].get("transactions").is_none());
    assert!(due[0].traceparent.is_some());
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let uploader = Uploader::start().await;
    let call = Call::post(uploader.path()).token(&uploader.token);
    let answer = uploader.world.send(call.body("text/csv", "a;b")).await;
    assert_eq!(
        answer.failure(),
        "415 invalidInput: Content-Type must be application/json"
    );
    let body = account(&[]).to_string();
    for content_type in [
        "application/json; charset=utf-8",
        "application/vnd.api+json",
    ] {
        let call = Call::post(uploader.path()).token(&uploader.token);
        let answer = uploader
            .world
            .send(call.body(content_type, body.clone()))
            .await;
        assert_eq!(answer.status, 201, "{content_type}");
    }
}

/// What a second upload gets while a first one of the same client is under way, and what one of
/// another client gets.
async fn beside_an_upload(turn_seconds_max: u64) -> [u16; 3] {
    let mut settings = GatewaySettings::default();
    settings.limits.uploads_in_flight_per_client_max = 1;
    settings.timeouts.upload_turn_seconds_max = turn_seconds_max;
    let uploader = Uploader::with(World::with(settings).await).await;
    let world = &uploader.world;
    let globex = world.token(GLOBEX).await;
    let stranger = world.add_person(&globex).await;
    let other = world.add_person(&uploader.token).await;
    let send = async |user: &str, token: &str| {
        let call = Call::post(format!("/api/users/{user}/banking/accounts")).token(token);
        world.send(call.json(&account(&[booking(&json!(1))]))).await
    };
    let holder = world.hold(&uploader.user).await;
    let (first, second, third) = tokio::join!(
        send(&uploader.user, &uploader.token),
        send(&other, &uploader.token),
        async {
            let third = send(&stranger, &globex).await;
            drop(holder);
            third
        },
    );
    let retry = (second.status == 429).then_some("1");
    assert_eq!(second.header("retry-after"), retry, "{}", second.text);
    [first.status, second.status, third.status]
}

#[tokio::test]
async fn one_client_cannot_keep_others_from_uploading() {
    assert_eq!(beside_an_upload(0).await, [201, 429, 201]);
    assert_eq!(beside_an_upload(10).await, [201, 201, 201]);
}
