use domain::{AccountId, ClientId, IdSource, MessageId, SystemIds, TransactionId, UserId};
use store::{Claimed, FinishedBatch, Hold, Include, NewTag, RunBatch, TenantTx, UnknownTenant};

use super::{Answer, World};

/// Does a worker's part for the run that an answer names: gives every transaction the same tag and
/// marks the run done.
pub(crate) async fn finish_runs(world: &World, client: &str, user: &str, tag: &str, run: &Answer) {
    let client = ClientId::try_new(client).expect("an id");
    let tenant = world
        .store
        .tenant(&client, client.as_str(), UnknownTenant::Refuse)
        .await;
    let tenant = tenant.expect("a tenant");
    let user: UserId = user.parse().expect("an id");
    let run = run
        .header("finoos-correlation-id")
        .expect("a run was started");
    let run = run.parse().expect("an id");

    let mut tx = world.store.begin(tenant).await.expect("a transaction");
    let claimed = tx
        .claim_runs(user, run, SystemIds.uuid())
        .await
        .expect("claimed");
    let Claimed::Batch(batch) = claimed else {
        panic!("the run waits");
    };
    let tags = tags(&mut tx, user, tag).await;
    tx.commit().await.expect("committed");

    let mut tx = world.store.begin(tenant).await.expect("a transaction");
    let hold = tx.hold_claim(&batch).await.expect("held");
    assert!(matches!(hold, Hold::Held(_)));
    finish(&mut tx, &batch, &tags).await;
    tx.commit().await.expect("committed");
}

async fn tags(tx: &mut TenantTx, user: UserId, tag: &str) -> Vec<NewTag> {
    let accounts = tx
        .accounts(user, Include::Transactions)
        .await
        .expect("accounts");
    let ids = accounts.iter().flat_map(|account| {
        let transactions = account.transactions.iter();
        transactions.map(|transaction| (account.id.clone(), transaction.id.clone()))
    });
    let new =
        |(position, (account_id, transaction_id)): (i64, (AccountId, TransactionId))| NewTag {
            account_id,
            transaction_id,
            tag: tag.to_owned(),
            rule_id: "test".to_owned(),
            origin: "pack".to_owned(),
            extra_tags: Vec::new(),
            evidence: "purpose".to_owned(),
            confidence: 9_000,
            intermediary: None,
            merchant: None,
            refund_of: None,
            position,
        };
    (0..).zip(ids).map(new).collect()
}

async fn finish(tx: &mut TenantTx, batch: &RunBatch, tags: &[NewTag]) {
    tx.store_tags(batch, tags).await.expect("stored");
    let finished = FinishedBatch {
        message_id: MessageId::new(SystemIds.uuid()),
        as_of: "2026-03-02".parse().expect("a day"),
        engine_version: "test".to_owned(),
        rule_pack_hash: "test".to_owned(),
        tenant_rules_hash: None,
        taxonomy_hash: "test".to_owned(),
        findings_json: "[]".to_owned(),
    };
    tx.finish_batch(batch, &finished).await.expect("finished");
}
