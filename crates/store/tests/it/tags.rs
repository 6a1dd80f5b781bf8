use std::time::Duration;

use domain::{Clock as _, UserId};
use store::{Include, NewTag, Page, RunBatch, TagFilter, TagPage, TaggedTransaction};

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
}
