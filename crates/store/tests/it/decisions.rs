use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Classify as _, Clock as _, ErrorKind, Pattern, PatternKind, PatternSet, UserType};
use store::{NewTenantRules, PATTERN_SET_BYTES_MAX, Run, RunCause, RunRequest, StoreError};

use crate::world::{World, nobody, pattern, pattern_set, run_request, tenant_rules};
use domain::{CorrelationId, IdSource as _, SystemIds, UserId};

async fn set(world: &World, user: UserId, set: &PatternSet) {
    let mut tx = world.begin().await;
    tx.set_patterns(user, set).await.expect("stored");
    tx.commit().await.expect("committed");
}

async fn read(world: &World, user: UserId) -> PatternSet {
    let mut tx = world.begin().await;
    tx.patterns(user).await.expect("read")
}

#[tokio::test]
async fn patterns_come_back_as_they_were_given() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    assert!(read(&world, user).await.is_empty());
    let at = |text| chrono::DateTime::parse_from_rfc3339(text).ok();
    let all = PatternSet {
        ids: BTreeMap::from([
            ("z".to_owned(), vec!["rent".to_owned()]),
            ("a\"\\ü".to_owned(), Vec::new()),
        ]),
        patterns: vec![
            Pattern {
                since: at("2024-01-31T23:59:59.123456789+05:45"),
                until: at("2025-01-31T00:00:00Z"),
                ..pattern("Zebra \u{1f993} \"AG\" \\ \0")
            },
            pattern("Aal"),
            Pattern {
                kind: PatternKind::CreditorId,
                ..pattern("DE98ZZZ09999999999")
            },
            pattern("Aal"),
        ],
    };
    set(&world, user, &all).await;
    let back = read(&world, user).await;
    assert_eq!(back, all, "in their order, with their offsets");
    let offset = back.patterns[0].since.expect("kept").offset().to_string();
    assert_eq!(offset, "+05:45");
}

#[tokio::test]
async fn new_patterns_take_the_place_of_all_earlier_ones() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let other = world.user(&[]).await;
    set(&world, user, &pattern_set("one")).await;
    set(&world, other, &pattern_set("other")).await;
    set(&world, user, &pattern_set("two")).await;
    assert_eq!(read(&world, user).await, pattern_set("two"));
    set(&world, user, &PatternSet::default()).await;
    assert_eq!(read(&world, user).await, PatternSet::default());
    let left = "select count(*) from pattern_set where body::text like '%two%'";
    assert_eq!(world.count(left).await, 0, "nothing is kept");
    assert_eq!(read(&world, other).await, pattern_set("other"));
}

#[tokio::test]
async fn patterns_need_a_user_and_room() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut tx = world.begin().await;
    let unknown = tx.set_patterns(nobody(), &pattern_set("x")).await;
    let unknown = unknown.expect_err("no such user");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let large = pattern_set(&"x".repeat(PATTERN_SET_BYTES_MAX));
    let large = tx.set_patterns(user, &large).await.expect_err("too large");
    assert!(matches!(large, StoreError::LimitReached { .. }), "{large}");
    assert!(tx.patterns(nobody()).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_run_can_be_caused_by_patterns() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let id = CorrelationId::new(SystemIds.uuid());
    let mut tx = world.begin().await;
    tx.set_patterns(user, &pattern_set("x"))
        .await
        .expect("stored");
    let request = RunRequest {
        cause: RunCause::Patterns,
        ..run_request(id)
    };
    tx.request_run(user, &request).await.expect("requested");
    tx.commit().await.expect("committed");
    let mut tx = world.begin().await;
    let run: Run = tx.run(user, id).await.expect("read").expect("there");
    assert_eq!(run.cause, RunCause::Patterns);
}

#[tokio::test]
async fn tenant_rules_are_kept_for_each_kind_of_user() {
    let world = World::new().await;
    let set_at = world.clock.now();
    let mut tx = world.begin().await;
    for user_type in [UserType::Person, UserType::Company] {
        assert_eq!(tx.tenant_rules(user_type).await.expect("read"), None);
    }
    tx.set_tenant_rules(UserType::Person, &tenant_rules("first"))
        .await
        .expect("stored");
    tx.commit().await.expect("committed");
    world.clock.advance(Duration::from_mins(1));

    let mut tx = world.begin().await;
    let found = tx.tenant_rules(UserType::Person).await.expect("read");
    let found = found.expect("there");
    assert_eq!(
        (found.source.as_str(), found.hash.as_str(), found.rules),
        ("first", "hash of first", 3)
    );
    assert_eq!(found.updated_at, set_at);
    let other = tx.tenant_rules_hash(UserType::Company).await;
    assert_eq!(other.expect("read"), None);
    tx.set_tenant_rules(UserType::Company, &tenant_rules("companies"))
        .await
        .expect("stored");
    tx.set_tenant_rules(UserType::Person, &tenant_rules("second"))
        .await
        .expect("replaced");
    let found = tx.tenant_rules(UserType::Person).await.expect("read");
    let found = found.expect("there");
    assert_eq!((found.source.as_str(), found.rules), ("second", 3));
    assert_eq!(found.updated_at, world.clock.now());
    let deleted = tx.delete_tenant_rules(UserType::Person).await;
    assert!(deleted.expect("deleted"));
    let again = tx.delete_tenant_rules(UserType::Person).await;
    assert!(!again.expect("nothing there"));
    let hash = tx.tenant_rules_hash(UserType::Company).await;
    assert_eq!(hash.expect("read").as_deref(), Some("hash of companies"));
}

#[tokio::test]
async fn more_rules_than_can_be_counted_are_refused() {
    let world = World::new().await;
    let mut tx = world.begin().await;
    let new = NewTenantRules {
        rules: u32::MAX,
        ..tenant_rules("x")
    };
    let refused = tx.set_tenant_rules(UserType::Person, &new).await;
    assert_eq!(refused.expect_err("refused").kind(), ErrorKind::TooLarge);
}
