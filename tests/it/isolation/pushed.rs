//! What is pushed: news of one store reach nobody of another, whichever way they are listened to.

use std::collections::BTreeSet;
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use futures_util::future::join_all;
use reqwest::header::ACCEPT;
use serde_json::json;

use super::operations::Operations;
use super::world::{Answer, World};
use super::{SEED, assert_all_were_used};
use crate::support::Socket;

/// So many subscriptions are open at once over the two ways, and as many more as it takes to use everything.
const OPEN: usize = 48;
/// How many are drawn for that.
const MAX_DRAWN: usize = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_subscription_hears_one_byte_of_another_store() {
    let world = World::start(SEED).await;
    let app = &world.simulated.app;
    let ammunition = world.ammunition();
    let mut operations = Operations::new(SEED);
    let everything = operations.everything(OperationType::Subscription);
    let (mut all, mut used) = (Vec::new(), BTreeSet::new());
    for _ in 0..MAX_DRAWN {
        if all.len() >= OPEN && everything.is_subset(&used) {
            break;
        }
        let operation = operations.next(OperationType::Subscription, &ammunition);
        if all.len() < OPEN || !operation.uses.is_subset(&used) {
            used.extend(operation.uses.clone());
            all.push(operation);
        }
    }
    let opened = all.len();
    let (mut sockets, mut streams) = (Vec::new(), Vec::new());
    for (at, operation) in all.into_iter().enumerate() {
        if at % 2 == 0 {
            let mut socket = Socket::of(app.address(), &world.ours.token).await;
            let subscribe = json!({ "id": "1", "type": "subscribe", "payload": operation.body() });
            socket.send(&subscribe).await;
            sockets.push((operation.body().to_string(), socket));
            continue;
        }
        let request = app
            .post()
            .bearer_auth(&world.ours.token)
            .header(ACCEPT, "text/event-stream");
        let mut response = request.json(&operation.body()).send().await.unwrap();
        let reading = tokio::spawn(async move {
            let mut text = String::new();
            let until = tokio::time::Instant::now() + Duration::from_secs(6);
            while let Ok(Ok(Some(chunk))) = tokio::time::timeout_at(until, response.chunk()).await {
                text += &String::from_utf8_lossy(&chunk);
            }
            text
        });
        streams.push((operation.body().to_string(), reading));
    }
    assert_all_were_used(&operations, OperationType::Subscription, &used);
    let mut own = Socket::of(app.address(), &world.ours.token).await;
    own.subscribe("subscription { storeChanged { days latestOrder { shopifyId } } }")
        .await;
    let mut theirs = Socket::of(app.address(), &world.theirs.token).await;
    theirs
        .subscribe("subscription { storeChanged { days latestOrder { shopifyId } } }")
        .await;

    // Much happens in the other store: objects change, and syncs run.
    world.let_the_other_store_grow().await;
    app.sync_and_wait(&world.theirs.token, "INCREMENTAL").await;
    let heard = theirs.next().await;
    assert!(
        heard["payload"]["data"]["storeChanged"].is_object(),
        "{heard}"
    );
    assert!(own.is_silent().await, "news of another store");

    let pongs = sockets.into_iter().map(|(request, mut socket)| async move {
        socket.send(&json!({ "type": "ping" })).await;
        let mut heard = String::new();
        loop {
            let message = socket.next().await;
            if message["type"] == "pong" || message.get("close").is_some() {
                return (request, heard);
            }
            heard += &message.to_string();
            heard.push('\n');
        }
    });
    let mut all = join_all(pongs).await;
    for (request, reading) in streams {
        all.push((request, reading.await.unwrap()));
    }
    assert_eq!(all.len(), opened);
    for (request, text) in all {
        let answer = Answer {
            status: reqwest::StatusCode::OK,
            text,
        };
        world.assert_clean(&request, &answer);
    }
}
