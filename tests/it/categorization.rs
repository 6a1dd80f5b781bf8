//! Categories, patterns, rules of tenants and explanations over HTTP, with real analyses.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::upload::{household, row};
use crate::world::World;

const IBAN: &str = "DE02120300000000202051";
/// 2025-06-01T12:00:00Z.
const JUNE: i64 = 1_748_779_200;
/// SHA-1 of `unbekannte gesellschaft` and a line feed: the partner of every fifth booking.
const PARTNER: &str = "4bd81b05a637c9a7e97ac5707afdf3837f08171b";

/// A user of a client.
struct Subject {
    api: Api,
    user: String,
}

impl Subject {
    async fn new(api: Api) -> Self {
        let user = api.add_person().await.expect("a user");
        Self { api, user }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/users/{}/categorization{rest}", self.user)
    }

    async fn get(&self, rest: &str) -> Answer {
        get(&self.api, &self.path(rest)).await
    }

    async fn finished(&self, answer: &Answer) -> String {
        let run = answer.correlation_id.clone();
        let run = run.unwrap_or_else(|| panic!("a run: {} {}", answer.status, answer.body));
        let deadline = Instant::now() + Duration::from_mins(1);
        let finished = self.api.finished(&self.user, &run, deadline).await;
        finished.expect("finished");
        run
    }

    /// Uploads accounts and waits for their analysis.
    async fn upload(&self, body: &Value) -> String {
        let path = format!("/api/users/{}/banking/accounts", self.user);
        let stored = send(&self.api, Method::POST, &path, Some(body)).await;
        assert_eq!(stored.status, StatusCode::CREATED, "{}", stored.body);
        self.finished(&stored).await
    }

    /// Uploads one account with these bookings.
    async fn book(&self, rows: &[Value]) -> String {
        let account = json!({
            "accountId": "giro", "iban": IBAN, "owner": "Erika Muster", "transactions": rows,
        });
        self.upload(&json!({ "accounts": [account] })).await
    }

    async fn analyse(&self) -> String {
        let path = format!("/api/users/{}/trigger-analysis", self.user);
        let answer = send(&self.api, Method::POST, &path, None).await;
        self.finished(&answer).await
    }

    /// Sets patterns and waits for their analysis.
    async fn decide(&self, body: &Value) -> String {
        let path = self.path("/patterns");
        let answer = send(&self.api, Method::PUT, &path, Some(body)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        self.finished(&answer).await
    }

    async fn explanation(&self, transaction: &str) -> Value {
        let answer = self.get(&format!("/{transaction}/explanation")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    }

    async fn tags(&self, transaction: &str) -> Vec<String> {
        let answer = self.get(&format!("/transactions/{transaction}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        texts(&answer.body["tags"])
    }
}

async fn send(api: &Api, method: Method, path: &str, body: Option<&Value>) -> Answer {
    api.send(method, path, body).await.expect("an answer")
}

async fn get(api: &Api, path: &str) -> Answer {
    send(api, Method::GET, path, None).await
}

async fn set_rules(api: &Api, rules: &str) -> Answer {
    let path = "/api/categorization/rules/person";
    api.send_as(Method::PUT, path, "application/toml", rules)
        .await
        .expect("an answer")
}

fn texts(value: &Value) -> Vec<String> {
    let values = value
        .as_array()
        .unwrap_or_else(|| panic!("an array: {value}"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    values.iter().map(text).collect()
}

fn failure(answer: &Answer) -> String {
    let text = |key: &str| answer.body[key].as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}: {}",
        answer.status.as_u16(),
        text("type"),
        text("message")
    )
}

fn booking(id: &str, amount: &str, name: &str, purpose: &str) -> Value {
    let amount: Value = serde_json::from_str(amount).expect("a number");
    json!({
        "transactionId": id, "amount": amount, "bookingDate": JUNE, "purpose": purpose,
        "paymentPartner": { "name": name },
    })
}

const RULES: &str = r#"
[[rule]]
id = "our-own-house"
tag = "groceries"
strength = "explicit"
status = { stable = "0.1" }
direction = "debit"
counterparty = { any = ["UNBEKANNTE GESELLSCHAFT"] }
why = "Our customers buy their food there."
source = "our own list"
hit = ["Unbekannte Gesellschaft | x | -25.00"]
miss = ["Bekannte Gesellschaft | x | -25.00"]
"#;

#[tokio::test]
async fn categories_are_served_for_both_types_in_both_languages() {
    let world = World::on_database().expect("kontor serve");
    let api = world.add_client("acme").expect("a client");
    for (tree, leaf) in [
        ("person", "insurance_legal"),
        ("company", "insurance_cyber"),
    ] {
        let answer = get(&api, &format!("/api/categorization/categories?type={tree}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.body;
        assert_eq!(
            (&body["type"], &body["nodes"]["level"]),
            (&json!(tree), &json!(0))
        );
        let text = body.to_string();
        let leaf_node = format!(r#"{{"children":[],"level":3,"tag":"{leaf}","type":"category"}}"#);
        let attribute = r#"{"children":[],"level":1,"tag":"recurring","type":"attribute"}"#;
        assert!(
            text.contains(&leaf_node) && text.contains(attribute),
            "{text}"
        );
        for other in [
            "/api/categorization/tree",
            "/api/categorization/categories/tree",
        ] {
            let other = get(&api, &format!("{other}?type={tree}")).await;
            assert_eq!(other.body, body);
        }
        for language in ["de", "en"] {
            let query = format!("?type={tree}&language={language}");
            let answer = get(&api, &format!("/api/categorization/descriptions{query}")).await;
            let path = format!("/api/categorization/categories/descriptions{query}");
            let same = get(&api, &path).await;
            assert_eq!(answer.body, same.body);
            assert_eq!(answer.body["language"], language);
            let list = answer.body["descriptionList"].as_array().expect("a list");
            assert!(list.iter().any(|one| one["name"] == leaf), "{leaf}");
        }
    }
    for (path, expected) in [
        (
            "categories?type=x",
            "400 invalidInput: type: must be one of: person, company",
        ),
        (
            "descriptions?language=x",
            "400 invalidInput: language: must be one of: de, en",
        ),
    ] {
        let answer = get(&api, &format!("/api/categorization/{path}")).await;
        assert_eq!(failure(&answer), expected);
    }
    world.stop().expect("stopped");
}

/// Sets rules of the tenant, whose decisions follow with the next analysis.
async fn tenant_before_pack(acme: &Subject, shipped: &Value) {
    let stored = set_rules(&acme.api, RULES).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.body);
    let waiting = acme.explanation("t4").await;
    assert_eq!(
        (&waiting["origin"], &waiting["replay"]),
        (&json!("pack"), &json!("changed"))
    );
    assert_eq!(waiting["descriptiveTag"], shipped["descriptiveTag"]);
    assert_eq!(waiting["alternatives"][0]["rule"], "our-own-house");
    acme.analyse().await;
    let of_tenant = acme.explanation("t4").await;
    assert_eq!(of_tenant["rule"], "our-own-house");
    assert_eq!(of_tenant["why"], "Our customers buy their food there.");
    assert_eq!(of_tenant["strength"], "explicit");
    assert_eq!(
        (&of_tenant["origin"], &of_tenant["replay"]),
        (&json!("tenant"), &json!("same"))
    );
    let evidence = json!({
        "field": "paymentPartner.name", "start": 0, "end": 23,
        "text": "Unbekannte Gesellschaft", "note": "word or phrase",
    });
    assert_eq!(of_tenant["evidence"], evidence);
}

/// Sets a pattern, which is worked on at once.
async fn user_before_tenant(acme: &Subject) {
    let by_name = json!({ "patterns": [
        { "type": "name", "value": "UNBEKANNTE  Gesellschaft", "tags": ["insurance_legal", "fix"] },
    ] });
    let run = acme.decide(&by_name).await;
    let of_user = acme.explanation("t4").await;
    assert_eq!(of_user["rule"], "patterns[0]");
    assert_eq!(
        (&of_user["origin"], &of_user["confidence"]),
        (&json!("user"), &json!(1.0))
    );
    assert_eq!(of_user["replay"], "same");
    assert_eq!(
        acme.tags("t4").await,
        ["insurance_legal", "insurance", "spending", "fix"]
    );
    let others: Vec<_> = of_user["alternatives"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert!(
        others.iter().any(|other| other["rule"] == "our-own-house"),
        "{of_user}"
    );
    // The run tells what it changed, and nothing else.
    let changed = acme.get(&format!("?correlationID={run}")).await.body;
    let ids = changed["categorization"].as_array().expect("items").iter();
    let ids: Vec<_> = ids
        .map(|item| item["transactionId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, ["t4", "t9"]);
    let full = acme.get("?pageSize=50&language=en").await.body;
    assert_eq!(
        full["categorization"][4]["localizedTag"],
        "Legal expenses insurance"
    );
}

#[tokio::test]
async fn the_user_decides_before_the_tenant_and_the_tenant_before_the_pack() {
    let world = World::on_database().expect("kontor serve");
    let acme = Subject::new(world.add_client("acme").expect("a client")).await;
    let other = Subject::new(world.add_client("globex").expect("a client")).await;
    let upload = household(IBAN, "Erika Muster", 10);
    for subject in [&acme, &other] {
        assert_eq!(
            subject.get("/t4/explanation").await.status,
            StatusCode::NOT_FOUND
        );
        subject.upload(&upload).await;
    }
    let shipped = acme.explanation("t4").await;
    assert_eq!(
        (&shipped["origin"], &shipped["replay"]),
        (&json!("pack"), &json!("same"))
    );
    assert!(
        shipped["why"].is_string() && shipped["source"].is_string(),
        "{shipped}"
    );

    tenant_before_pack(&acme, &shipped).await;
    user_before_tenant(&acme).await;

    // Nothing of it reaches the other client.
    let theirs = other.explanation("t4").await;
    other.analyse().await;
    let after = other.explanation("t4").await;
    assert_eq!(
        (&after["rule"], &after["origin"]),
        (&theirs["rule"], &json!("pack"))
    );
    let rules = get(&other.api, "/api/categorization/rules/person").await;
    assert_eq!(rules.status, StatusCode::NOT_FOUND);

    // What is taken away gives way to what was below.
    acme.decide(&json!({})).await;
    assert_eq!(acme.explanation("t4").await["origin"], "tenant");
    let path = "/api/categorization/rules/person";
    let deleted = send(&acme.api, Method::DELETE, path, None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    acme.analyse().await;
    let again = acme.explanation("t4").await;
    assert_eq!(
        (&again["rule"], &again["origin"]),
        (&shipped["rule"], &json!("pack"))
    );
    world.stop().expect("stopped");
}

/// Bodies that are refused, with the beginning of the message.
fn bad_patterns() -> Vec<(Value, &'static str)> {
    let with = |key: &str, value: Value| {
        let mut pattern = json!({ "type": "name", "value": "REWE", "tags": ["groceries"] });
        pattern[key] = value;
        json!({ "patterns": [pattern] })
    };
    vec![
        (json!([1]), "must be an object"),
        (json!("x"), "must be an object"),
        (json!({ "ids": [] }), "ids: must be an object"),
        (
            json!({ "ids": { "t1": "fix" } }),
            "ids.t1: must be an array",
        ),
        (json!({ "ids": { "t1": [] } }), "ids.t1: "),
        (json!({ "ids": { "t1": ["fix", "moon"] } }), "ids.t1[1]: "),
        (json!({ "ids": { "": ["fix"] } }), "ids: "),
        (json!({ "patterns": 5 }), "patterns: must be an array"),
        (
            json!({ "patterns": [null] }),
            "patterns[0]: must be an object",
        ),
        (with("type", json!("purpose")), "patterns[0].type: "),
        (with("type", json!(null)), "patterns[0].type: is required"),
        (with("type", json!(1)), "patterns[0].type: must be a string"),
        (with("value", json!("  ")), "patterns[0].value: "),
        (with("value", json!("...")), "patterns[0].value: "),
        (with("value", json!("x".repeat(141))), "patterns[0].value: "),
        (with("tags", json!([])), "patterns[0].tags: "),
        (with("tags", json!(["wage"])), "patterns[0].tags[0]: "),
        (with("tags", json!(["fuel", "gym"])), "patterns[0].tags: "),
        (
            with("tags", json!({})),
            "patterns[0].tags: must be an array",
        ),
        (
            with("since", json!("2025-13-01T00:00:00Z")),
            "patterns[0].since: ",
        ),
        (with("until", json!(1_748_779_200)), "patterns[0].until: "),
    ]
}

async fn bad_patterns_are_refused(subject: &Subject) {
    for (body, message) in bad_patterns() {
        for method in [Method::PUT, Method::POST] {
            let path = subject.path("/patterns");
            let answer = send(&subject.api, method, &path, Some(&body)).await;
            let failure = failure(&answer);
            let expected = format!("400 invalidInput: {message}");
            assert!(failure.starts_with(&expected), "{body}: {failure}");
            assert_eq!(answer.correlation_id, None);
        }
    }
}

#[tokio::test]
async fn pages_unknown_ids_and_bad_patterns() {
    let world = World::on_database().expect("kontor serve");
    let subject = Subject::new(world.add_client("acme").expect("a client")).await;
    // Before any data: nothing is categorized, but patterns can be set and are worked on.
    let empty = json!({ "ids": {}, "patterns": [] });
    assert_eq!(subject.get("/patterns").await.body, empty);
    let kept = json!({ "ids": { "t0": ["salary_bonus", "recurring"] }, "patterns": [] });
    subject.decide(&kept).await;
    subject.upload(&household(IBAN, "Erika Muster", 25)).await;
    assert_eq!(
        subject.tags("t0").await,
        ["salary_bonus", "salary", "earning", "recurring"]
    );

    for (page, first, count) in [(1, "t0", 10), (3, "t20", 5), (4, "", 0)] {
        let body = subject.get(&format!("?page={page}")).await.body;
        let items = body["categorization"].as_array().expect("items");
        assert_eq!(items.len(), count, "page {page}");
        assert!(
            items
                .first()
                .is_none_or(|item| item["transactionId"] == first)
        );
        let meta = json!({ "page": page, "pageSize": 10, "pages": 3, "totalCount": 25 });
        assert_eq!(body["metaData"], meta);
    }
    let accounts = subject.get("/transactions").await.body;
    let transactions = accounts["accounts"][0]["transactions"]
        .as_array()
        .expect("rows");
    assert_eq!(transactions.len(), 25);
    for transaction in transactions {
        let id = transaction["transactionId"].as_str().expect("an id");
        assert_eq!(texts(&transaction["tags"]), subject.tags(id).await, "{id}");
    }
    let nobody = "7b0c9a52-6f6a-4a0b-9d59-1d0f2f6f9d11";
    for (path, status) in [
        (subject.path("/transactions/t25"), 404),
        (subject.path("/transactions/t1?accountId=other"), 404),
        (subject.path("/transactions/t1/tags?accountId=giro"), 200),
        (subject.path("/t25/explanation"), 404),
        (
            subject.path("?correlationID=7b0c9a52-6f6a-4a0b-9d59-1d0f2f6f9d11"),
            404,
        ),
        (subject.path("?page=0"), 400),
        (subject.path("?language=fr"), 400),
        (format!("/api/users/{nobody}/categorization/patterns"), 404),
        (
            format!("/api/users/{nobody}/categorization/transactions"),
            404,
        ),
        (
            format!("/api/users/{nobody}/categorization/transactions/t1"),
            404,
        ),
        (
            format!("/api/users/{nobody}/categorization/t1/explanation"),
            404,
        ),
        ("/api/users/x/categorization/patterns".to_owned(), 400),
        ("/api/categorization/rules/pet".to_owned(), 400),
    ] {
        let answer = get(&subject.api, &path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
    }
    bad_patterns_are_refused(&subject).await;
    assert_eq!(subject.get("/patterns").await.body, kept);
    world.stop().expect("stopped");
}

/// What the user of the next test decides, and the tags that follow, whatever else happens.
fn lasting() -> (Value, Vec<(&'static str, Vec<&'static str>)>) {
    let body = json!({
        "ids": { "mine": ["flight", "fix"], PARTNER: ["donation"] },
        "patterns": [
            { "type": "name", "value": "rewe sagt danke", "tags": ["pet_supplies"] },
            {
                "type": "creditorID", "value": "DE98 ZZZ 09999999999",
                "tags": ["gym", "recurring"],
            },
            {
                "type": "name", "value": "Altes Haus", "tags": ["hotel"],
                "since": "2025-06-01T00:00:00+02:00", "until": "2025-06-01T00:00:00+02:00",
            },
            {
                "type": "name", "value": "Neues Haus", "tags": ["hotel"],
                "since": "2025-06-02T00:00:00+02:00",
            },
        ],
    });
    let tags = vec![
        ("mine", vec!["flight", "travel", "spending", "fix"]),
        ("partner", vec!["donation", "spending"]),
        ("name", vec!["pet_supplies", "shopping", "spending"]),
        (
            "creditor",
            vec!["gym", "recreational", "spending", "recurring"],
        ),
        ("period", vec!["hotel", "travel", "spending"]),
    ];
    (body, tags)
}

/// The bookings that the user decided about, said differently every time, among others.
fn round(number: usize) -> Vec<Value> {
    let amount = format!("-{}.{:02}", 10 + number, number);
    let purposes = [
        "Miete Wohnung 12",
        "Stromabschlag",
        "LOHN/GEHALT",
        "Tankstelle",
        "",
    ];
    let purpose = purposes[number % purposes.len()];
    let mut creditor = booking("creditor", &amount, "Kern Energie GmbH", purpose);
    creditor["paymentPartner"]["creditorId"] = json!("DE98ZZZ09999999999");
    let mut rows = vec![
        booking(
            "mine",
            &amount,
            if number.is_multiple_of(2) {
                "Netflix"
            } else {
                "ALDI"
            },
            purpose,
        ),
        booking("partner", &amount, "Unbekannte Gesellschaft", purpose),
        booking("name", &amount, "REWE SAGT DANKE", purpose),
        creditor,
        booking("period", &amount, "Altes Haus", purpose),
        booking("outside", &amount, "Neues Haus", "Rechnung 1"),
    ];
    rows.extend((0..number * 7).map(row));
    rows.rotate_left(number % 5);
    rows
}

#[tokio::test]
async fn twenty_analyses_of_changed_data_keep_what_the_user_decided() {
    let world = World::on_database().expect("kontor serve");
    let subject = Subject::new(world.add_client("acme").expect("a client")).await;
    subject.book(&round(0)).await;
    let (decisions, expected) = lasting();
    subject.decide(&decisions).await;
    for number in 1..=20 {
        if number == 10 {
            let stored = set_rules(&subject.api, RULES).await;
            assert_eq!(stored.status, StatusCode::OK, "{}", stored.body);
        }
        subject.book(&round(number)).await;
        let page = subject.get("?pageSize=1000").await.body;
        let items = page["categorization"].as_array().expect("items");
        for (id, tags) in &expected {
            let item = items.iter().find(|item| item["transactionId"] == *id);
            let item = item.expect(id);
            assert_eq!(texts(&item["tags"]), *tags, "{id} after analysis {number}");
            assert_eq!(item["confidence"], json!(1.0), "{id}");
        }
    }
    for (id, _) in &expected {
        let explanation = subject.explanation(id).await;
        assert_eq!(explanation["origin"], "user", "{id}");
        assert_eq!(explanation["replay"], "same", "{id}");
    }
    assert_ne!(subject.explanation("outside").await["origin"], "user");
    let kept = subject.get("/patterns").await.body;
    assert_eq!(kept["ids"], decisions["ids"]);
    assert_eq!(kept["patterns"].as_array().map(Vec::len), Some(4));
    world.stop().expect("stopped");
}

#[tokio::test]
async fn refunds_and_payment_services_keep_their_context() {
    let world = World::on_database().expect("kontor serve");
    let subject = Subject::new(world.add_client("acme").expect("a client")).await;
    let rows = [
        booking("bought", "-59.90", "ZALANDO SE", "Bestellung 4711"),
        booking("returned", "59.90", "ZALANDO SE", "Bestellung 4711"),
        booking(
            "through",
            "-17.99",
            "PayPal Europe S.a.r.l. et Cie S.C.A",
            "1234567890123/. Netflix, Ihr Einkauf bei Netflix",
        ),
        booking("nothing", "-10.00", "Xqzv Wbtk", "qwv"),
    ];
    subject.book(&rows).await;
    let bought = subject.explanation("bought").await;
    let returned = subject.explanation("returned").await;
    assert_eq!(returned["descriptiveTag"], "refund_purchase", "{returned}");
    assert_eq!(returned["refundOf"], bought["descriptiveTag"]);
    assert_eq!(returned["replay"], "same");
    let through = subject.explanation("through").await;
    assert_eq!(through["descriptiveTag"], "streaming", "{through}");
    assert_eq!(through["intermediary"], "paypal");
    assert!(
        through["merchant"]
            .as_str()
            .is_some_and(|name| name.contains("Netflix")),
        "{through}"
    );
    let nothing = subject.explanation("nothing").await;
    assert_eq!(nothing["descriptiveTag"], "transfer_out", "{nothing}");
    assert_eq!(nothing["abstained"], true);
    let page = subject.get("").await.body;
    let of = |id: &str| {
        let items = page["categorization"].as_array().expect("items");
        items
            .iter()
            .find(|item| item["transactionId"] == id)
            .expect(id)
            .clone()
    };
    assert_eq!(of("returned")["refundOf"], bought["descriptiveTag"]);
    assert_eq!(of("through")["intermediary"], "paypal");
    for id in ["bought", "returned", "through", "nothing"] {
        assert_eq!(
            of(id)["confidence"],
            subject.explanation(id).await["confidence"]
        );
    }
    world.stop().expect("stopped");
}
