use std::time::Duration;

use domain::{AccountId, Clock as _, TransactionId, UserId};
use store::{
    Include, NewTag, Page, RunBatch, SetMode, StoreError, TagFilter, TagPage, TaggedTransaction,
};

use crate::world::{World, account, finish, tag};

async fn save(world: &World, user: UserId, tags: &[NewTag]) -> (RunBatch, Vec<TaggedTransaction>) {
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let mut tx = world.begin().await;
    tx.hold_claim(&batch).await.expect("held");
    let changed = tx.store_tags(&batch, tags).await.expect("stored");
    tx.finish_batch(&batch, &finish()).await.expect("finished");
    tx.commit().await.expect("committed");
    (batch, changed)
}

async fn page(world: &World, user: UserId, changed_since: Option<i64>, page: Page) -> TagPage {
    let mut tx = world.begin().await;
    let filter = TagFilter {
        changed_since,
        page,
        include: Include::Transactions,
    };
    tx.tags(user, &filter).await.expect("read")
}

fn ids(items: &[TaggedTransaction]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item.transaction_id.as_str())
        .collect()
}

fn at(position: i64, tag: NewTag) -> NewTag {
    NewTag { position, ..tag }
}

#[tokio::test]
async fn only_changes_of_tag_or_rule_count_as_changes() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1", "2", "3"])]).await;
    let first_day = world.clock.now() + Duration::from_secs(1);
    let all = Page::try_new(1, 10).expect("a page");
    let (first, changed) = save(
        &world,
        user,
        &[
            at(0, tag("a", "1", "rent")),
            at(1, tag("a", "2", "rent")),
            at(2, tag("a", "3", "rent")),
        ],
    )
    .await;
    assert_eq!(ids(&changed), ["1", "2", "3"]);

    let evidence = NewTag {
        evidence: "partner 0..3".to_owned(),
        ..at(1, tag("a", "1", "rent"))
    };
    let rule = NewTag {
        rule_id: "another".to_owned(),
        ..at(2, tag("a", "3", "rent"))
    };
    // The first two change places, the third's rule changes; a fourth was never stored.
    let tags = [
        at(0, tag("a", "2", "rent")),
        evidence,
        rule,
        at(3, tag("a", "4", "rent")),
    ];
    let (second, changed) = save(&world, user, &tags).await;
    assert_eq!(ids(&changed), ["3"]);

    let everything = page(&world, user, Some(first.snapshot), all).await;
    assert_eq!(ids(&everything.items), ["2", "1", "3"]);
    assert_eq!(everything.items[1].evidence, "partner 0..3");
    assert_eq!(everything.items[1].created_at, first_day);
    assert!(everything.items[2].created_at > first_day);
    let since = page(&world, user, Some(second.snapshot), all).await;
    assert_eq!(ids(&since.items), ["3"]);
    assert_eq!(since.total, 1);
    let newer = page(&world, user, Some(second.snapshot + 1), all).await;
    assert_eq!(newer.total, 0);

    let (_, changed) = save(&world, user, &tags).await;
    assert!(changed.is_empty(), "the same again is no change");
    assert_eq!(world.count("select count(*) from tag_history").await, 4);
}

/// One change of a tagging, and whether it counts as one.
struct Retagging {
    what: &'static str,
    before: fn(&mut NewTag),
    after: fn(&mut NewTag),
    counts: bool,
}

const fn counts(what: &'static str, before: fn(&mut NewTag), after: fn(&mut NewTag)) -> Retagging {
    let counts = true;
    Retagging {
        what,
        before,
        after,
        counts,
    }
}

const fn does_not(
    what: &'static str,
    before: fn(&mut NewTag),
    after: fn(&mut NewTag),
) -> Retagging {
    let counts = false;
    Retagging {
        what,
        before,
        after,
        counts,
    }
}

fn extra(tag: &mut NewTag, extra: &[&str]) {
    tag.extra_tags = extra.iter().map(|tag| (*tag).to_owned()).collect();
}

fn users(tag: &mut NewTag) {
    tag.origin = "user".into();
}

const RETAGGINGS: [Retagging; 15] = [
    does_not("nothing", |_| (), |_| ()),
    counts("the tag", |_| (), |tag| tag.tag = "pets".into()),
    counts("the rule", |_| (), |tag| tag.rule_id = "other".into()),
    counts(
        "a tenant decides",
        |_| (),
        |tag| tag.origin = "tenant".into(),
    ),
    counts("the user decides", |_| (), users),
    does_not("the place of a pattern", users, |tag| {
        users(tag);
        tag.rule_id = "patterns[7]".into();
    }),
    counts("one extra tag more", |_| (), |tag| extra(tag, &["fix"])),
    counts(
        "one extra tag less",
        |tag| extra(tag, &["a", "b"]),
        |tag| extra(tag, &["a"]),
    ),
    counts("no extra tag", |tag| extra(tag, &["fix"]), |_| ()),
    counts(
        "a refund",
        |_| (),
        |tag| tag.refund_of = Some("pets".into()),
    ),
    counts(
        "another refund",
        |tag| tag.refund_of = Some("a".into()),
        |tag| tag.refund_of = Some("b".into()),
    ),
    counts("no refund", |tag| tag.refund_of = Some("a".into()), |_| ()),
    does_not("confidence", |_| (), |tag| tag.confidence = 5_000),
    does_not(
        "the service in between",
        |_| (),
        |tag| tag.intermediary = Some("paypal".into()),
    ),
    does_not(
        "the merchant",
        |_| (),
        |tag| tag.merchant = Some("Shop".into()),
    ),
];

#[tokio::test]
async fn what_was_decided_and_by_whom_counts_as_a_change() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    for Retagging {
        what,
        before,
        after,
        counts,
    } in RETAGGINGS
    {
        let [mut first, mut second] = [tag("a", "1", "rent"), tag("a", "1", "rent")];
        before(&mut first);
        after(&mut second);
        save(&world, user, &[first]).await;
        let (_, changed) = save(&world, user, std::slice::from_ref(&second)).await;
        assert_eq!(!changed.is_empty(), counts, "{what}");
        // Whether it counts or not, it is what is stored.
        let stored = tag_of(&world, user, None, "1").await.expect("tagged");
        for read in changed.iter().chain([&stored]) {
            assert_eq!(read.rule_id, second.rule_id, "{what}");
            assert_eq!(read.origin, second.origin, "{what}");
            assert_eq!(read.extra_tags, second.extra_tags, "{what}");
            assert_eq!(read.confidence, second.confidence, "{what}");
            assert_eq!(read.intermediary, second.intermediary, "{what}");
            assert_eq!(read.merchant, second.merchant, "{what}");
            assert_eq!(read.refund_of, second.refund_of, "{what}");
        }
    }
    for recorded in [
        "origin = 'user'",
        "extra_tags = '{a,b}'",
        "refund_of = 'pets'",
    ] {
        let sql = format!("select count(*) from tag_history where {recorded}");
        assert!(world.count(&sql).await > 0, "{recorded}");
    }
}

#[tokio::test]
async fn confidence_is_of_ten_thousand() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    for confidence in [10_001, u16::MAX] {
        let mut tx = world.begin().await;
        let tag = NewTag {
            confidence,
            ..tag("a", "1", "rent")
        };
        let refused = tx.store_tags(&batch, &[tag]).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Invalid { .. }), "{refused}");
    }
}

async fn tag_of(
    world: &World,
    user: UserId,
    account: Option<&str>,
    id: &str,
) -> Option<TaggedTransaction> {
    let account = account.map(|id| AccountId::try_new(id).expect("an id"));
    let id = TransactionId::try_new(id).expect("an id");
    let mut tx = world.begin().await;
    let found = tx.tag_of(user, account.as_ref(), &id).await;
    found.expect("read")
}

#[tokio::test]
async fn a_transaction_id_means_the_first_account_that_has_it() {
    let world = World::new().await;
    // "z" was there first, so it comes first.
    let user = world.user(&[account("z", &["1"])]).await;
    let other = world.user(&[account("a", &["1", "4"])]).await;
    let mut tx = world.begin().await;
    let both = [account("a", &["1", "2"]), account("z", &["1", "3"])];
    tx.set_accounts(user, &both, SetMode::Replace)
        .await
        .expect("stored");
    tx.commit().await.expect("committed");
    save(&world, other, &[tag("a", "1", "x"), tag("a", "4", "x")]).await;
    assert_eq!(
        tag_of(&world, user, None, "1").await,
        None,
        "not tagged yet"
    );
    let tags = [
        tag("a", "1", "rent"),
        tag("a", "2", "pets"),
        tag("z", "1", "salary"),
    ];
    save(&world, user, &tags).await;
    for (named, id, expected) in [
        (None, "1", Some("salary")),
        (Some("z"), "1", Some("salary")),
        (Some("a"), "1", Some("rent")),
        (None, "2", Some("pets")),
        (Some("z"), "2", None),
        (Some("nowhere"), "1", None),
        (None, "3", None),
        (None, "4", None),
        (None, "nothing", None),
    ] {
        let found = tag_of(&world, user, named, id).await;
        let tag = found.as_ref().map(|found| found.tag.as_str());
        assert_eq!(tag, expected, "{named:?} {id}");
        if let Some(found) = found {
            let transaction = found.transaction.expect("with the transaction");
            assert_eq!(transaction.id.as_str(), id);
        }
    }
}

#[tokio::test]
async fn pages_hold_the_transactions_in_order() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1", "2", "3"])]).await;
    let tags = ["3", "1", "2"];
    let tags: Vec<NewTag> = tags
        .iter()
        .zip(0i64..)
        .map(|(id, position)| at(position, tag("a", id, "rent")))
        .collect();
    save(&world, user, &tags).await;
    let second = Page::try_new(2, 2).expect("a page");
    let page = page(&world, user, None, second).await;
    assert_eq!(page.total, 3);
    assert_eq!(ids(&page.items), ["2"]);
    let transaction = page.items[0].transaction.as_ref().expect("asked for");
    assert_eq!(transaction.id.as_str(), "2");
    let all = world.begin().await.all_tags(user).await.expect("read");
    assert_eq!(ids(&all), ["3", "1", "2"]);
    assert!(all.iter().all(|tagged| tagged.transaction.is_none()));
}
