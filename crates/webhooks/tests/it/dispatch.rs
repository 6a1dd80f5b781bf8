//! The dispatcher with real sockets and with receivers that always answer the same.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use domain::Clock;
use domain::address::TargetPolicy;
use store::DeliveryStatus;
use testkit::receiver::{Answer, Receiver};
use webhooks::dispatcher::LEASE;
use webhooks::http::{HttpClient, HttpLimits};
use webhooks::signature::{Message, SigningKey, verify};
use webhooks::target::SystemLookup;

use crate::receivers::Steady;
use crate::world::{World, run_while};

/// Generous for a loopback; a test that waits for it fails.
const ARRIVAL: Duration = Duration::from_secs(20);
/// Longer than the first two waiting times with jitter.
const SOON: TimeDelta = TimeDelta::seconds(40);

fn client() -> HttpClient {
    HttpClient::try_new(TargetPolicy::LoopbackToo).expect("a client")
}

fn steady(world: &World, status: u16) -> Steady {
    Steady::answering(Arc::clone(&world.clock) as Arc<dyn Clock>, Ok(status))
}

#[tokio::test]
async fn an_event_arrives_signed_while_the_dispatcher_runs() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    let created = world.webhook(&receiver.url("/hook")).await?;
    let user = world.user().await?;
    let arrived = run_while(&world.dispatcher(client()), async {
        world.event(user, 7).await?;
        receiver.wait_for(1, ARRIVAL).await
    })
    .await?;

    let request = &arrived[0];
    let header = |name| request.header(name).expect("the header");
    let id = header("webhook-id");
    let message = Message {
        id,
        timestamp: header("webhook-timestamp").parse()?,
        body: &request.body,
    };
    let key = SigningKey::parse(created.signing_secret.as_str())?;
    verify(&message, header("webhook-signature"), &key)?;
    assert_eq!(header("x-request-id"), id);
    assert_eq!(header("finoos-tenant-id"), "test-client");
    let body = request.json()?;
    assert_eq!(body["secret"], "sent-along");
    assert_eq!(body["customUserID"], "customer-0815");
    assert_eq!(body["webhookID"], created.webhook.id.to_string());

    // What was accepted is recorded although the dispatcher was told to stop.
    let deliveries = world.deliveries(created.webhook.id).await?;
    assert_eq!(deliveries[0].status, DeliveryStatus::Delivered);
    assert_eq!(deliveries[0].response_status, Some(200));
    assert_eq!(deliveries[0].id.to_string(), id);
    let counted = world.counters.values();
    assert_eq!(
        (counted.attempts, counted.delivered, counted.in_flight),
        (1, 1, 0)
    );
    Ok(())
}

#[tokio::test]
async fn an_attempt_under_way_ends_before_the_dispatcher_stops() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    receiver.answer(Answer::Delayed(204, Duration::from_millis(500)));
    let webhook = world.webhook(&receiver.url("/hook")).await?.webhook.id;
    world.event(world.user().await?, 1).await?;
    // It ends as soon as the request has come, long before its answer.
    run_while(&world.dispatcher(client()), receiver.wait_for(1, ARRIVAL)).await?;
    let deliveries = world.deliveries(webhook).await?;
    assert_eq!(deliveries[0].status, DeliveryStatus::Delivered);
    assert_eq!(deliveries[0].response_status, Some(204));
    Ok(())
}

#[tokio::test]
async fn redirects_are_failures_and_not_followed() -> Result<()> {
    let world = World::create().await?;
    let elsewhere = Receiver::start().await?;
    let receiver = Receiver::start().await?;
    receiver.answer(Answer::Redirect(elsewhere.url("/elsewhere")));
    let webhook = world.webhook(&receiver.url("/hook")).await?.webhook.id;
    world.event(world.user().await?, 1).await?;
    world.dispatcher(client()).deliver_due().await?;
    let delivery = &world.deliveries(webhook).await?[0];
    assert_eq!(delivery.status, DeliveryStatus::Pending);
    assert_eq!(delivery.response_status, Some(307));
    assert_eq!(
        delivery.error.as_deref(),
        Some("answered with redirect 307, which is not followed")
    );
    assert_eq!(elsewhere.received(), []);
    Ok(())
}

#[tokio::test]
async fn a_slow_receiver_times_out_and_is_tried_again() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    receiver.answer_next([Answer::Silence]);
    let webhook = world
        .webhook(&receiver.url("/hook?token=geheim"))
        .await?
        .webhook
        .id;
    world.event(world.user().await?, 1).await?;
    let limits = HttpLimits {
        connect: ARRIVAL,
        total: Duration::from_secs(1),
    };
    let client = HttpClient::try_with(TargetPolicy::LoopbackToo, limits, SystemLookup)?;
    let dispatcher = world.dispatcher(client);
    dispatcher.deliver_due().await?;
    let delivery = &world.deliveries(webhook).await?[0];
    assert_eq!(delivery.status, DeliveryStatus::Pending);
    assert_eq!(delivery.response_status, None);
    assert_eq!(delivery.error.as_deref(), Some("no answer within 1 s"));
    world.clock.advance(SOON);
    dispatcher.deliver_due().await?;
    assert_eq!(
        world.deliveries(webhook).await?[0].status,
        DeliveryStatus::Delivered
    );
    let ids = receiver
        .received()
        .iter()
        .map(|request| request.header("x-request-id").map(str::to_owned))
        .collect::<Vec<_>>();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    Ok(())
}

#[tokio::test]
async fn a_private_address_behind_a_name_is_refused() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    let by_name = receiver
        .url_by_name("localhost", "/hook")
        .replace("http://", "https://");
    let webhook = world.webhook(&by_name).await?.webhook.id;
    world.event(world.user().await?, 1).await?;
    let client = HttpClient::try_new(TargetPolicy::PublicHttps)?;
    world.dispatcher(client).deliver_due().await?;
    let delivery = &world.deliveries(webhook).await?[0];
    assert_eq!(
        delivery.error.as_deref(),
        Some("the target address is not allowed")
    );
    assert_eq!(receiver.received(), []);
    Ok(())
}

#[tokio::test]
async fn later_events_of_a_user_wait_behind_a_failing_one() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    world.webhook(&receiver.url("/hook")).await?;
    let (held_up, other) = (world.user().await?, world.user().await?);
    world.event(held_up, 1).await?;
    let dispatcher = world.dispatcher(client());
    receiver.answer_next([Answer::Status(500)]);
    dispatcher.deliver_due().await?;
    world.event(held_up, 2).await?;
    world.event(other, 3).await?;
    dispatcher.deliver_due().await?;
    world.clock.advance(SOON);
    dispatcher.deliver_due().await?;
    let mut numbers = vec![];
    for request in receiver.received() {
        numbers.push(request.json()?["data"]["number"].as_u64());
    }
    // The failing one, the other user's, then the first user's in order.
    assert_eq!(numbers, [Some(1), Some(3), Some(1), Some(2)]);
    Ok(())
}

#[tokio::test]
async fn nothing_is_delivered_after_the_user_is_deleted() -> Result<()> {
    let world = World::create().await?;
    let sender = steady(&world, 503);
    let webhook = world
        .webhook("https://hooks.example.com/")
        .await?
        .webhook
        .id;
    let user = world.user().await?;
    world.event(user, 1).await?;
    world.event(user, 2).await?;
    let dispatcher = world.dispatcher(sender.clone());
    dispatcher.deliver_due().await?;
    world.delete_user(user).await?;
    world.clock.advance(TimeDelta::days(6));
    dispatcher.deliver_due().await?;
    assert_eq!(sender.arrivals.numbers(), [1]);
    let statuses = world.deliveries(webhook).await?;
    assert!(
        statuses
            .iter()
            .all(|delivery| delivery.status == DeliveryStatus::Cancelled)
    );
    Ok(())
}

#[tokio::test]
async fn a_deletion_during_an_attempt_stays_a_cancellation() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    receiver.answer(Answer::Delayed(200, Duration::from_secs(1)));
    let webhook = world.webhook(&receiver.url("/hook")).await?.webhook.id;
    let user = world.user().await?;
    world.event(user, 1).await?;
    let dispatcher = world.dispatcher(client());
    let deleting = async {
        receiver.wait_for(1, ARRIVAL).await?;
        world.delete_user(user).await
    };
    let (delivered, deleted) = tokio::join!(dispatcher.deliver_due(), deleting);
    delivered?;
    deleted?;
    assert_eq!(
        world.deliveries(webhook).await?[0].status,
        DeliveryStatus::Cancelled
    );
    assert_eq!(world.counters.values().unsettled, 1);
    Ok(())
}

#[tokio::test]
async fn rotation_signs_with_both_keys_until_the_overlap_ends() -> Result<()> {
    let world = World::create().await?;
    let sender = steady(&world, 200);
    let created = world.webhook("https://hooks.example.com/").await?;
    let (id, former) = (created.webhook.id, created.signing_secret);
    let user = world.user().await?;
    let mut tx = world.store.begin(world.tenant).await?;
    let overlap = Duration::from_hours(1);
    let present = tx.rotate_signing_secret(id, overlap).await?.signing_secret;
    tx.commit().await?;
    let dispatcher = world.dispatcher(sender.clone());
    world.event(user, 1).await?;
    dispatcher.deliver_due().await?;
    world.clock.advance(TimeDelta::hours(2));
    world.event(user, 2).await?;
    dispatcher.deliver_due().await?;
    let arrivals = sender.arrivals.all();
    let [during, after] = arrivals.as_slice() else {
        panic!("two arrivals")
    };
    assert_eq!(during.signature.split(' ').count(), 2);
    assert!(during.is_signed_by(present.as_str()) && during.is_signed_by(former.as_str()));
    assert_eq!(after.signature.split(' ').count(), 1);
    assert!(after.is_signed_by(present.as_str()) && !after.is_signed_by(former.as_str()));
    Ok(())
}

#[tokio::test]
async fn a_dispatcher_that_dies_leaves_the_delivery_to_the_next() -> Result<()> {
    let world = World::create().await?;
    let receiver = Receiver::start().await?;
    receiver.answer_next([Answer::Silence]);
    let webhook = world.webhook(&receiver.url("/hook")).await?.webhook.id;
    world.event(world.user().await?, 1).await?;
    let dispatcher = world.dispatcher(client());
    tokio::select! {
        delivered = dispatcher.deliver_due() => delivered?,
        arrived = receiver.wait_for(1, ARRIVAL) => drop(arrived?),
    }
    // Until the lease ends nobody else sends it.
    dispatcher.deliver_due().await?;
    assert_eq!(receiver.received().len(), 1);
    world.clock.advance(TimeDelta::from_std(LEASE)?);
    dispatcher.deliver_due().await?;
    let requests = receiver.received();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].header("webhook-id"),
        requests[1].header("webhook-id")
    );
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(
        world.deliveries(webhook).await?[0].status,
        DeliveryStatus::Delivered
    );
    Ok(())
}
