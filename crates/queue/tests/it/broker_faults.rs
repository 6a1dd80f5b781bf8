//! A broker that is killed in the middle of things and comes back on the data it left.

use std::time::Duration;

use queue::Broker;
use testkit::rabbit::RabbitNode;

use crate::database::database;
use crate::support::{Act, Actor, Scene, first, message, until};

const TOPIC: &str = "analysis.requested.v1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_messages_and_workers_survive_kill_9() {
    let database = database().await;
    let mut node = RabbitNode::start().await.expect("RabbitMQ");
    let scene = Scene::new(&node.url(), database.system.clone());
    let mut sent = Vec::new();
    for _ in 0..20 {
        let message = message(TOPIC);
        scene
            .publisher
            .publish(&first(&message))
            .await
            .expect("confirmed");
        sent.push(message.message_id);
    }
    for queue in ["dead", "analysis"] {
        let name = format!("{}.{queue}", scene.prefix);
        node.remembers(&name).await.expect("remembered");
    }
    let actor = Actor::new(|_, _| Act::Succeed);
    let worker = scene.work(&actor);
    until("some are handled", async || !actor.handled().is_empty()).await;

    node.kill9().expect("killed");
    let during = message(TOPIC);
    assert!(scene.publisher.publish(&first(&during)).await.is_err());

    node.restart().await.expect("RabbitMQ again");
    until("published again", async || {
        scene.publisher.publish(&first(&during)).await.is_ok()
    })
    .await;
    sent.push(during.message_id);
    until("every message is handled", async || {
        let handled = actor.handled();
        sent.iter().all(|id| handled.contains(id))
    })
    .await;
    worker.stop().await;
    assert!(scene.surroundings.metrics.figures().reconnects_total >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_starts_before_the_broker_waits_for_it() {
    let database = database().await;
    let mut node = RabbitNode::start().await.expect("RabbitMQ");
    node.stop().await.expect("stopped in order");
    let scene = Scene::new(&node.url(), database.system.clone());
    let actor = Actor::new(|_, _| Act::Succeed);
    let worker = scene.work(&actor);
    until("tried in vain", async || {
        scene.surroundings.metrics.figures().reconnects_total >= 2
    })
    .await;
    node.restart().await.expect("RabbitMQ again");
    let sent = message(TOPIC);
    until("published", async || {
        scene.publisher.publish(&first(&sent)).await.is_ok()
    })
    .await;
    until("handled", async || actor.handled() == [sent.message_id]).await;
    let stopped = tokio::time::timeout(Duration::from_secs(20), worker.stop()).await;
    assert!(stopped.is_ok());
}
