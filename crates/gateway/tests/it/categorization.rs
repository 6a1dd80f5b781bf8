use gateway::{GatewaySettings, RateLimits};
use serde_json::{Value, json};

use crate::support::{ACME, Answer, Call, World, finish_runs, sample};

struct Analysed {
    world: World,
    token: String,
    user: String,
}

impl Analysed {
    async fn start() -> Self {
        let world = World::start().await;
        let token = world.token(ACME).await;
        let user = world.add_user(&token, json!({ "type": "person" })).await;
        Self { world, token, user }
    }

    async fn upload(&self, purposes: &[&str]) -> Answer {
        let transactions: Vec<_> = purposes
            .iter()
            .map(|purpose| {
                json!({
                    "transactionId": *purpose,
                    "amount": -12.5,
                    "bookingDate": 1_705_928_941,
                    "purpose": *purpose,
                })
            })
            .collect();
        let account = json!({ "accountId": "giro", "transactions": transactions });
        let path = format!("/api/users/{}/banking/accounts", self.user);
        let call = Call::post(path).token(&self.token);
        let answer = self
            .world
            .send(call.json(&json!({ "accounts": [account] })))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }

    async fn finish(&self, run: &Answer, tag: &str) {
        finish_runs(&self.world, ACME, &self.user, tag, run).await;
    }

    async fn tags(&self, query: &str) -> Answer {
        let path = format!("/api/users/{}/categorization{query}", self.user);
        self.world.send(Call::get(path).token(&self.token)).await
    }

    fn correlation(&self, query: &str) -> Call {
        let path = format!("/api/users/{}/categorization/correlation{query}", self.user);
        Call::get(path).token(&self.token)
    }
}

fn run_id(answer: &Answer) -> String {
    answer
        .header("finoos-correlation-id")
        .expect("a run")
        .to_owned()
}

fn ids(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let items = body["categorization"].as_array().expect("an array");
    let id = |item: &Value| item["transactionId"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

const NOT_FINISHED: &str = "404 notFound: finished analysis not found";

#[tokio::test]
async fn tags_appear_when_the_analysis_is_finished() {
    let analysed = Analysed::start().await;
    assert_eq!(analysed.tags("").await.failure(), NOT_FINISHED);
    let run = analysed.upload(&["netflix"]).await;
    assert_eq!(analysed.tags("").await.failure(), NOT_FINISHED);
    analysed.finish(&run, "insurance_legal").await;

    let plain = analysed.tags("").await;
    insta::assert_json_snapshot!("categorization_plain", plain.redacted());
    let full = analysed.tags("?language=de&includeTransactions=true").await;
    insta::assert_json_snapshot!("categorization_full", full.redacted());
    let documented = sample("002-categorization-item-response");
    for key in documented.as_object().expect("an object").keys() {
        assert!(full.json()["categorization"][0].get(key).is_some(), "{key}");
    }
    let english = analysed.tags("?language=en").await.json();
    let german = full.json();
    assert_ne!(
        english["categorization"][0]["localizedTag"],
        german["categorization"][0]["localizedTag"]
    );
    let shouted = analysed.tags("?language=EN").await;
    assert_eq!(shouted.json(), english);
    let wrong = analysed.tags("?language=fr").await;
    assert_eq!(
        wrong.failure(),
        "400 invalidInput: language: must be one of: de, en"
    );
}

#[tokio::test]
async fn a_tag_that_the_taxonomy_lost_stands_for_itself() {
    let analysed = Analysed::start().await;
    let run = analysed.upload(&["netflix"]).await;
    analysed.finish(&run, "no_such_tag").await;
    let item = analysed.tags("?language=de").await.json()["categorization"][0].clone();
    assert_eq!(item["tags"], json!(["no_such_tag"]));
    assert_eq!(item["localizedTag"], "no_such_tag");
}

#[tokio::test]
async fn tags_come_in_pages() {
    let analysed = Analysed::start().await;
    let names: Vec<String> = (0..12).map(|number| format!("t{number:02}")).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = analysed.upload(&borrowed).await;
    analysed.finish(&run, "spending").await;
    let first = analysed.tags("").await;
    assert_eq!(ids(&first), names[..10]);
    let meta = json!({ "page": 1, "pageSize": 10, "pages": 2, "totalCount": 12 });
    assert_eq!(first.json()["metaData"], meta);
    assert_eq!(ids(&analysed.tags("?page=2").await), names[10..]);
    assert_eq!(ids(&analysed.tags("?page=3&pageSize=4").await), names[8..]);
    assert_eq!(ids(&analysed.tags("?page=3&page-size=4").await), names[8..]);
    assert_eq!(ids(&analysed.tags("?page=9").await), Vec::<String>::new());
}

#[tokio::test]
async fn a_run_s_identifier_selects_what_changed_since() {
    let analysed = Analysed::start().await;
    let first = analysed.upload(&["a", "b"]).await;
    analysed.finish(&first, "spending").await;
    let second = analysed.upload(&["a", "b", "c"]).await;
    analysed.finish(&second, "spending").await;

    assert_eq!(ids(&analysed.tags("").await), ["a", "b", "c"]);
    for spelling in ["correlationID", "correlationId", "correlation-id"] {
        let since = |run: &Answer| format!("?{spelling}={}", run_id(run));
        assert_eq!(ids(&analysed.tags(&since(&first)).await), ["a", "b", "c"]);
        assert_eq!(ids(&analysed.tags(&since(&second)).await), ["c"]);
    }
    let path = format!("/api/users/{}/categorization", analysed.user);
    let header = Call::get(path).token(&analysed.token);
    let header = header.header("finoos-correlation-id", &run_id(&second));
    assert_eq!(ids(&analysed.world.send(header).await), ["c"]);
    let unknown = analysed
        .tags(&format!("?correlationID={}", analysed.user))
        .await;
    assert_eq!(unknown.failure(), NOT_FINISHED);
    let waiting = analysed.upload(&["a"]).await;
    let waiting = analysed
        .tags(&format!("?correlationID={}", run_id(&waiting)))
        .await;
    assert_eq!(waiting.failure(), NOT_FINISHED);
    let malformed = analysed.tags("?correlationID=1").await;
    assert_eq!(
        malformed.failure(),
        "400 invalidInput: correlationID: must be a UUID"
    );
}

#[tokio::test]
async fn the_correlation_is_found_once_it_is_finished() {
    let analysed = Analysed::start().await;
    let send = async |call: Call| analysed.world.send(call).await;
    assert_eq!(send(analysed.correlation("")).await.failure(), NOT_FINISHED);
    let first = analysed.upload(&["a"]).await;
    let asked = format!("?correlationID={}", run_id(&first));
    assert_eq!(
        send(analysed.correlation(&asked)).await.failure(),
        NOT_FINISHED
    );
    analysed.finish(&first, "spending").await;
    let finished = send(analysed.correlation(&asked)).await;
    insta::assert_json_snapshot!("categorization_correlation", finished.redacted());
    let documented = sample("001-categorization-get-correlation-response");
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&finished.json()), keys(&documented));

    analysed.world.clock.advance_seconds(60);
    let second = analysed.upload(&["b"]).await;
    let newest = async || send(analysed.correlation("")).await.json()["correlationID"].clone();
    assert_eq!(newest().await, run_id(&first), "the second is not finished");
    analysed.finish(&second, "spending").await;
    assert_eq!(newest().await, run_id(&second));
    let header = analysed
        .correlation("")
        .header("finoos-correlation-id", &run_id(&first));
    assert_eq!(send(header).await.json()["correlationID"], run_id(&first));
}

#[tokio::test]
async fn polling_is_limited_per_user() {
    let settings = GatewaySettings {
        rates: RateLimits {
            polling_burst: 3,
            ..RateLimits::default()
        },
        ..GatewaySettings::default()
    };
    let world = World::with(settings).await;
    let token = world.token(ACME).await;
    let (one, other) = (
        world.add_person(&token).await,
        world.add_person(&token).await,
    );
    let poll = async |user: &str| {
        let path = format!("/api/users/{user}/categorization/correlation");
        world.send(Call::get(path).token(&token)).await
    };
    for _ in 0..3 {
        assert_eq!(poll(&one).await.status, 404);
    }
    let refused = poll(&one).await;
    assert_eq!(
        refused.failure(),
        "429 tooManyRequests: too many requests, try again after 1 s"
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(poll(&other).await.status, 404, "users are counted apart");
    world.clock.advance_seconds(1);
    for _ in 0..2 {
        assert_eq!(poll(&one).await.status, 404, "two a second");
    }
    assert_eq!(poll(&one).await.status, 429);
}
