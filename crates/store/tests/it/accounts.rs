use std::fmt::Write as _;
use std::time::Instant;

use domain::{Account, Currency, ErrorKind, Money};
use domain::{Classify as _, Sensitive};
use store::{Include, NewTag, SetMode, StoreError};

use crate::world::{World, account, connect, nobody, tag, transaction};

async fn read(world: &World, user: domain::UserId) -> Vec<Account> {
    let mut tx = world.begin().await;
    tx.accounts(user, Include::Transactions)
        .await
        .expect("read")
}

async fn set(world: &World, user: domain::UserId, accounts: &[Account]) -> Result<(), StoreError> {
    let mut tx = world.begin().await;
    tx.set_accounts(user, accounts, SetMode::Replace).await?;
    tx.commit().await
}

#[tokio::test]
async fn accounts_come_back_as_they_were_sent() {
    let world = World::new().await;
    let sent = vec![account("b", &["2", "1", "3"]), account("a", &[])];
    let user = world.user(&sent).await;
    assert_eq!(read(&world, user).await, sent);

    let mut tx = world.begin().await;
    let bare = tx
        .accounts(user, Include::AccountsOnly)
        .await
        .expect("read");
    assert!(bare.iter().all(|account| account.transactions.is_empty()));
    let identities = tx.account_identities(user).await.expect("read");
    let found: Vec<_> = identities
        .iter()
        .map(|identity| (identity.id.as_str(), identity.position))
        .collect();
    assert_eq!(found, [("b", 0), ("a", 1)]);
    assert!(tx.has_accounts(user).await.expect("read"));
    assert!(!tx.has_accounts(nobody()).await.expect("read"));
}

#[tokio::test]
async fn an_account_is_replaced_completely_and_others_stay() {
    let world = World::new().await;
    let user = world
        .user(&[account("a", &["1", "2"]), account("b", &["1"])])
        .await;
    let mut changed = account("a", &["3", "2"]);
    changed.balance = Money::new(-1, Currency::EUR);
    changed.overdraft = None;
    changed.securities_json = None;
    changed.transactions[1].remittance_info = Sensitive::from("other");
    let added = account("c", &["1"]);
    set(&world, user, &[added.clone(), changed.clone()])
        .await
        .expect("stored");
    let expected = vec![changed, account("b", &["1"]), added];
    assert_eq!(read(&world, user).await, expected);

    set(&world, user, &[account("b", &[])])
        .await
        .expect("stored");
    assert!(read(&world, user).await[1].transactions.is_empty());
}

#[tokio::test]
async fn tags_of_transactions_that_stay_are_kept() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1", "2"])]).await;
    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let tags: Vec<NewTag> = vec![tag("a", "1", "rent"), tag("a", "2", "rent")];
    let mut tx = world.begin().await;
    tx.store_tags(&batch, &tags).await.expect("stored");
    tx.commit().await.expect("committed");
    set(&world, user, &[account("a", &["2", "3"])])
        .await
        .expect("stored");
    let left = world
        .count("select count(*) from transaction_tag where transaction_id = '2'")
        .await;
    assert_eq!(left, 1);
    assert_eq!(world.count("select count(*) from transaction_tag").await, 1);
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let before = vec![account("a", &["1"])];
    let user = world.user(&before).await;
    let mut yen = account("a", &["1"]);
    yen.balance = Money::new(1, "JPY".parse().expect("a currency"));
    for (accounts, kind) in [
        (
            vec![account("x", &[]), account("x", &[])],
            ErrorKind::Conflict,
        ),
        (vec![account("x", &["1", "1"])], ErrorKind::Conflict),
        (vec![yen], ErrorKind::InvalidInput),
    ] {
        let error = set(&world, user, &accounts).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    }
    let error = set(&world, nobody(), &before).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(read(&world, user).await, before);
}

#[tokio::test]
async fn accounts_fetched_from_a_bank_are_left_alone() {
    let world = World::new().await;
    let user = world.user(&[account("a", &["1"])]).await;
    let mut admin = connect(world.database.admin_url()).await;
    sqlx::raw_sql("update account set origin = 'bank'")
        .execute(&mut admin)
        .await
        .expect("updated");
    let error = set(&world, user, &[account("a", &[])])
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    set(&world, user, &[account("b", &[])])
        .await
        .expect("another one is stored");
}

#[tokio::test]
async fn a_nul_never_reaches_the_database() {
    let world = World::new().await;
    let mut sent = account("a", &["1"]);
    sent.owner = Sensitive::from("Eri\0ka");
    sent.transactions[0].remittance_info = Sensitive::from("\0Miete\0");
    let user = world.user(&[sent]).await;
    let read = read(&world, user).await;
    assert_eq!(read[0].owner.as_str(), "Erika");
    assert_eq!(read[0].transactions[0].remittance_info.as_str(), "Miete");
}

#[tokio::test]
async fn fifty_thousand_transactions_are_one_upload() {
    let world = World::new().await;
    let user = world.user(&[]).await;
    let mut sent = account("a", &[]);
    let mut id = String::new();
    for number in 0..50_000 {
        id.clear();
        write!(id, "transaction-{number:08}").expect("written");
        sent.transactions.push(transaction(&id));
    }
    let sent = vec![sent];
    for what in ["stored", "replaced by the same"] {
        let started = Instant::now();
        set(&world, user, &sent).await.expect("stored");
        eprintln!("50,000 transactions {what} in {:?}", started.elapsed());
    }
    let started = Instant::now();
    let read = read(&world, user).await;
    eprintln!("50,000 transactions read in {:?}", started.elapsed());
    assert!(read == sent);

    let run = world.request(user).await;
    let batch = world.batch(user, run).await;
    let tags: Vec<NewTag> = sent[0]
        .transactions
        .iter()
        .zip(0i64..)
        .map(|(transaction, position)| NewTag {
            position,
            ..tag("a", transaction.id.as_str(), "rent")
        })
        .collect();
    let started = Instant::now();
    let mut tx = world.begin().await;
    let changed = tx.store_tags(&batch, &tags).await.expect("stored");
    tx.commit().await.expect("committed");
    eprintln!("50,000 tags stored in {:?}", started.elapsed());
    assert_eq!(changed.len(), 50_000);

    let started = Instant::now();
    let mut tx = world.begin().await;
    tx.delete_user(user).await.expect("deleted");
    tx.commit().await.expect("committed");
    eprintln!(
        "user with 50,000 transactions deleted in {:?}",
        started.elapsed()
    );
    assert_eq!(world.count("select count(*) from transaction").await, 0);
}
