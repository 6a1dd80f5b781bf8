//! What users and tenants decide themselves: who is heard first, what a run makes of it, and what
//! no run takes away.

use domain::{
    Account, CorrelationId, Pattern, PatternKind, PatternSet, Sensitive, TransactionId, UserId,
    UserType,
};
use pipeline::{Analyses, LEFT_OUT_TOLD_MAX};
use serde_json::{Value, json};
use store::{NewTenantRules, RunCause, RunStatus, TaggedTransaction};

use crate::support::{World, account, purposes};

/// A tenant's rule about the employer of every transaction here.
const TENANT_RULES: &str = r#"
[[rule]]
id = "acme-pays-commission"
tag = "commission_income"
status = { stable = "1" }
direction = "credit"
strength = "explicit"
counterparty.any = ["Acme"]
why = "Acme has no employees."
source = "the tenant"
hit = ["ACME GMBH | LOHN GEHALT NR 0 | +2000.00"]
miss = ["Other GmbH | Lohn | +2000.00"]
"#;

/// The user says that the employer's payments are dividends.
fn by_name(tags: &[&str]) -> PatternSet {
    PatternSet {
        patterns: vec![Pattern {
            kind: PatternKind::Name,
            value: Sensitive::from("Acme GmbH"),
            since: None,
            until: None,
            tags: owned(tags),
        }],
        ..PatternSet::default()
    }
}

fn owned(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

impl World {
    /// Sets patterns and requests a run, as the gateway does.
    async fn set_patterns(&self, user: UserId, set: &PatternSet) -> CorrelationId {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        tx.set_patterns(user, set).await.expect("patterns");
        let run = self.request(&mut tx, user, RunCause::Patterns).await;
        tx.commit().await.expect("commit");
        run
    }

    /// Sets the tenant's rules for persons, or takes them away.
    async fn set_rules(&self, source: Option<&str>) {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        if let Some(source) = source {
            let new = NewTenantRules {
                source: source.to_owned(),
                hash: format!("hash of {source}"),
                rules: 1,
            };
            let set = tx.set_tenant_rules(UserType::Person, &new).await;
            set.expect("rules");
        } else {
            let deleted = tx.delete_tenant_rules(UserType::Person).await;
            assert!(deleted.expect("deleted"));
        }
        tx.commit().await.expect("commit");
    }

    async fn trigger(&self, user: UserId) -> CorrelationId {
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        let run = self.request(&mut tx, user, RunCause::Trigger).await;
        tx.commit().await.expect("commit");
        run
    }

    /// Does every job that waits.
    async fn work(&self, analyses: &Analyses) {
        for job in self.take_jobs().await {
            analyses.handle(&job).await.expect("handled");
        }
    }

    async fn tag_of(&self, user: UserId, id: &str) -> TaggedTransaction {
        let id = TransactionId::try_new(id).expect("an id");
        let mut tx = self.store.begin(self.tenant).await.expect("begin");
        let found = tx.tag_of(user, None, &id).await.expect("readable");
        found.expect("tagged")
    }

    /// Tag, who decided, by what.
    async fn decision(&self, user: UserId, id: &str) -> [String; 3] {
        let found = self.tag_of(user, id).await;
        [found.tag, found.origin, found.rule_id]
    }
}

#[tokio::test]
async fn the_user_is_heard_before_the_tenant_and_the_tenant_before_the_pack() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    world.upload(user, &purposes(1)).await;
    world.work(&analyses).await;
    let [tag, origin, pack_rule] = world.decision(user, "t0").await;
    assert_eq!([tag.as_str(), &origin], ["salary_wage", "pack"]);

    world.set_rules(Some(TENANT_RULES)).await;
    let run = world.trigger(user).await;
    world.work(&analyses).await;
    let tenant = ["commission_income", "tenant", "acme-pays-commission"];
    assert_eq!(world.decision(user, "t0").await, tenant);
    let hash = world.run(user, run).await.tenant_rules_hash;
    assert_eq!(hash.map(|hash| hash.len()), Some(64));

    world.set_patterns(user, &by_name(&["dividend"])).await;
    world.work(&analyses).await;
    let users = ["dividend", "user", "patterns[0]"];
    assert_eq!(world.decision(user, "t0").await, users);
    assert_eq!(world.tag_of(user, "t0").await.confidence, 10_000);

    let id = PatternSet {
        ids: [("t0".to_owned(), owned(&["interest_income"]))].into(),
        ..by_name(&["dividend"])
    };
    world.set_patterns(user, &id).await;
    world.work(&analyses).await;
    assert_eq!(
        world.decision(user, "t0").await,
        ["interest_income", "user", "ids[t0]"]
    );

    world.set_patterns(user, &PatternSet::default()).await;
    world.work(&analyses).await;
    assert_eq!(world.decision(user, "t0").await, tenant);
    world.set_rules(None).await;
    let run = world.trigger(user).await;
    world.work(&analyses).await;
    let pack = ["salary_wage", "pack", &pack_rule];
    assert_eq!(world.decision(user, "t0").await, pack);
    assert_eq!(world.run(user, run).await.tenant_rules_hash, None);
}

/// The tags of each item by transaction.
fn tags(body: &Value) -> Vec<(&str, Value)> {
    let items = body["categorization"].as_array().expect("a list").iter();
    items
        .map(|item| {
            let id = item["transactionId"].as_str().expect("an id");
            (id, item["tags"].clone())
        })
        .collect()
}

#[tokio::test]
async fn new_patterns_are_answered_with_what_they_changed() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    world.upload(user, &purposes(3)).await;
    world.work(&analyses).await;
    let only_two = PatternSet {
        ids: [
            ("t1".to_owned(), owned(&["dividend", "recurring"])),
            // An attribute alone leaves the category; its path is not told twice.
            ("t2".to_owned(), owned(&["fix", "earning"])),
        ]
        .into(),
        ..PatternSet::default()
    };
    let run = world.set_patterns(user, &only_two).await;
    world.work(&analyses).await;
    let state = world.run(user, run).await;
    assert_eq!(
        (state.status, state.cause),
        (RunStatus::Done, RunCause::Patterns)
    );
    let body = world.body(user, run).await.expect("an answer");
    let dividend = json!(["dividend", "capital_assets", "earning", "recurring"]);
    assert_eq!(tags(&body)[0], ("t1", dividend));
    assert_eq!(tags(&body)[1].0, "t2");
    assert_eq!(tags(&body).len(), 2);
    assert_eq!(
        world.events(run),
        [
            "categorization",
            "categorization.notification",
            "analysis.finished",
            "analysis.finished.notification",
        ]
    );
    // The same again is a run of its own, and changes nothing.
    let again = world.set_patterns(user, &only_two).await;
    world.work(&analyses).await;
    let body = world.body(user, again).await.expect("an answer");
    assert_eq!(tags(&body), []);
}

/// The data of one round: other wordings, amounts, days and a changing number of transactions.
fn changed_data(round: usize) -> Account {
    let wordings = [
        "LOHN GEHALT",
        "MIETE WOHNUNG",
        "KINDERGELD",
        "STEUERERSTATTUNG",
        "REWE",
        "",
    ];
    let texts: Vec<String> = (0..4 + round % 5)
        .map(|number| wordings[(number + round) % wordings.len()].to_owned())
        .collect();
    let mut account = account(&texts);
    for (number, transaction) in (0_i64..).zip(&mut account.transactions) {
        let round = i64::try_from(round).expect("small");
        let sign = if (round + number) % 3 == 0 { -1 } else { 1 };
        transaction.amount.minor = sign * (1_000 + 731 * round + number);
        transaction.booking_date += chrono::TimeDelta::days(round);
        if number > 1 {
            transaction.counterparty.name = Sensitive::new(format!("Firma {round}"));
        }
    }
    account
}

#[tokio::test]
async fn twenty_analyses_of_changed_data_leave_every_decision_of_the_user() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    let set = PatternSet {
        ids: [("t0".to_owned(), owned(&["dividend", "recurring"]))].into(),
        ..by_name(&["interest_income", "fix"])
    };
    world.upload_account(user, changed_data(0)).await;
    world.set_patterns(user, &set).await;
    world.work(&analyses).await;
    let decided = [
        world.tag_of(user, "t0").await,
        world.tag_of(user, "t1").await,
    ];
    assert_eq!(
        decided
            .clone()
            .map(|tagged| (tagged.tag, tagged.origin, tagged.extra_tags)),
        [
            (
                "dividend".into(),
                "user".into(),
                owned(&["recurring", "interest_income", "fix"])
            ),
            ("interest_income".into(), "user".into(), owned(&["fix"])),
        ]
    );
    let mut others_changed = 0;
    for round in 1..=20 {
        match round % 3 {
            0 => world.set_rules(Some(TENANT_RULES)).await,
            1 if round > 1 => world.set_rules(None).await,
            _ => {}
        }
        let run = world.upload_account(user, changed_data(round)).await;
        world.work(&analyses).await;
        for before in &decided {
            let id = before.transaction_id.as_str();
            let now = world.tag_of(user, id).await;
            let kept = TaggedTransaction {
                transaction: now.transaction.clone(),
                evidence: now.evidence.clone(),
                ..before.clone()
            };
            assert_eq!(now, kept, "{id} in round {round}");
        }
        let body = world.body(user, run).await.expect("an answer");
        let changed = tags(&body);
        others_changed += changed.len();
        assert!(
            changed.iter().all(|(id, _)| !["t0", "t1"].contains(id)),
            "{changed:?}"
        );
    }
    assert!(
        others_changed > 20,
        "the data really changed: {others_changed}"
    );
    let mut tx = world.store.begin(world.tenant).await.expect("begin");
    assert_eq!(tx.patterns(user).await.expect("readable"), set);
}

#[tokio::test]
async fn a_tenant_s_rules_and_a_user_s_patterns_touch_nobody_else() {
    let mut world = World::new().await;
    let analyses = world.analyses();
    world.set_rules(Some(TENANT_RULES)).await;
    let user = world.add_user(&["categorization"]).await;
    let neighbour = world.add_user(&["categorization"]).await;
    world.upload(user, &purposes(2)).await;
    world.upload(neighbour, &purposes(2)).await;
    world.set_patterns(user, &by_name(&["dividend"])).await;
    let (acme, other) = (world.tenant, world.another_tenant().await);
    world.tenant = other;
    let stranger = world.add_user(&["categorization"]).await;
    world.upload(stranger, &purposes(2)).await;
    world.work(&analyses).await;
    // Again, with everything compiled.
    world.trigger(stranger).await;
    world.work(&analyses).await;
    assert_eq!(world.tag_of(stranger, "t0").await.origin, "pack");
    assert_eq!(world.tag_of(stranger, "t0").await.tag, "salary_wage");

    // Rules of the same name and hash are still each tenant's own.
    let contrary = TENANT_RULES.replace("commission_income", "securities_sale");
    let mut tx = world.store.begin(other).await.expect("begin");
    let new = NewTenantRules {
        source: contrary,
        hash: format!("hash of {TENANT_RULES}"),
        rules: 1,
    };
    let set = tx.set_tenant_rules(UserType::Person, &new).await;
    set.expect("rules");
    tx.commit().await.expect("commit");
    world.trigger(stranger).await;
    world.work(&analyses).await;
    assert_eq!(world.tag_of(stranger, "t1").await.tag, "securities_sale");
    world.tenant = acme;
    world.trigger(neighbour).await;
    world.work(&analyses).await;
    assert_eq!(world.tag_of(neighbour, "t1").await.tag, "commission_income");
    assert_eq!(world.tag_of(user, "t1").await.tag, "dividend");
}

#[tokio::test]
async fn rules_for_persons_say_nothing_of_companies() {
    let world = World::new().await;
    world.set_rules(Some(TENANT_RULES)).await;
    let company = world
        .add_user_of(UserType::Company, &["categorization"])
        .await;
    let run = world.upload(company, &purposes(1)).await;
    world.work(&world.analyses()).await;
    assert_eq!(world.tag_of(company, "t0").await.origin, "pack");
    assert_eq!(world.run(company, run).await.tenant_rules_hash, None);
}

/// Rules of which the first was accepted with a tag that a release has taken away.
fn half_usable() -> String {
    let gone = TENANT_RULES
        .replace("acme-pays-commission", "erika-pays")
        .replace("commission_income", "tag_of_an_older_release")
        .replace("\"Acme\"", "\"Erika Muster\"");
    gone + TENANT_RULES
}

impl World {
    /// What a run tells of rules and patterns: code, path, message.
    async fn left_out(&self, user: UserId, run: CorrelationId) -> Vec<[String; 3]> {
        let state = self.run(user, run).await;
        assert_eq!((state.status, state.error), (RunStatus::Done, None));
        let findings = state.findings_json.expect("findings");
        assert!(!findings.contains("older_release"), "{findings}");
        assert!(!findings.contains("Erika"), "{findings}");
        let findings: Vec<Value> = serde_json::from_str(&findings).expect("JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let told = findings
            .iter()
            .map(|finding| ["code", "path", "message"].map(|key| text(&finding[key])));
        told.collect()
    }
}

#[tokio::test]
async fn a_rule_that_does_not_fit_any_more_is_left_out_and_told() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    world.set_rules(Some(&half_usable())).await;
    let first = world.upload(user, &purposes(1)).await;
    world.work(&analyses).await;
    // Again, with everything compiled.
    let again = world.trigger(user).await;
    world.work(&analyses).await;
    for run in [first, again] {
        let told = world.left_out(user, run).await;
        let expected = ["unusableRule", "erika-pays", "the tag is not in this tree"];
        assert_eq!(told, [expected.map(str::to_owned)]);
    }
    assert_eq!(
        world.tag_of(user, "t0").await.rule_id,
        "acme-pays-commission"
    );

    world.set_rules(Some("rule = \"Erika\"")).await;
    let run = world.trigger(user).await;
    world.work(&analyses).await;
    let told = world.left_out(user, run).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0][..2], ["unusableRule", "rules"].map(str::to_owned));
    assert_eq!(world.tag_of(user, "t0").await.origin, "pack");

    world.set_rules(Some(TENANT_RULES)).await;
    let run = world.trigger(user).await;
    world.work(&analyses).await;
    assert_eq!(world.left_out(user, run).await, [[""; 3]; 0]);
    assert_eq!(world.tag_of(user, "t0").await.origin, "tenant");
}

#[tokio::test]
async fn a_pattern_that_does_not_fit_any_more_is_left_out_and_told() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let analyses = world.analyses();
    world.upload(user, &purposes(2)).await;
    let mut set = by_name(&["tag_of_an_older_release"]);
    set.patterns.extend(by_name(&["dividend"]).patterns);
    set.ids = [
        (
            "Erika".to_owned(),
            owned(&["fix", "tag_of_an_older_release"]),
        ),
        ("t1".to_owned(), owned(&["interest_income"])),
    ]
    .into();
    let run = world.set_patterns(user, &set).await;
    world.work(&analyses).await;
    let no_tag = "is neither an attribute nor a tag of this type of user";
    let told = world.left_out(user, run).await;
    assert_eq!(
        told,
        [
            ["unusablePattern", "patterns[0].tags[0]", no_tag],
            ["unusablePattern", "ids[#1][1]", no_tag],
        ]
    );
    assert_eq!(
        world.decision(user, "t0").await,
        ["dividend", "user", "patterns[1]"]
    );
    assert_eq!(world.decision(user, "t1").await[2], "ids[t1]");
}

#[tokio::test]
async fn a_run_tells_of_so_many_patterns_only() {
    let world = World::new().await;
    let user = world.add_user(&["categorization"]).await;
    let gone = by_name(&["tag_of_an_older_release"]).patterns.remove(0);
    let set = PatternSet {
        patterns: vec![gone; LEFT_OUT_TOLD_MAX + 1],
        ..PatternSet::default()
    };
    world.upload(user, &purposes(1)).await;
    let run = world.set_patterns(user, &set).await;
    world.work(&world.analyses()).await;
    assert_eq!(world.left_out(user, run).await.len(), LEFT_OUT_TOLD_MAX);
}

#[tokio::test]
async fn the_same_decisions_give_the_same_tags_compiled_anew_or_not() {
    let world = World::new().await;
    world.set_rules(Some(TENANT_RULES)).await;
    let set = PatternSet {
        ids: [("t1".to_owned(), owned(&["dividend", "fix"]))].into(),
        ..PatternSet::default()
    };
    let stored = |user: UserId| {
        world.query(&format!(
            "select json_agg(json_build_array(transaction_id, tag, rule_id, origin, extra_tags,
                                              evidence, confidence, intermediary, merchant,
                                              refund_of, position) order by position)
             from transaction_tag where user_id = '{user}'"
        ))
    };
    let warm = world.analyses();
    let mut found = Vec::new();
    for analyses in [&world.analyses(), &warm, &warm, &world.analyses()] {
        let user = world.add_user(&["categorization"]).await;
        world.upload_account(user, changed_data(1)).await;
        world.set_patterns(user, &set).await;
        world.work(analyses).await;
        found.push(stored(user));
    }
    assert!(found[0].contains("acme-pays-commission"), "{}", found[0]);
    assert!(
        found.windows(2).all(|pair| pair[0] == pair[1]),
        "{found:#?}"
    );
}
