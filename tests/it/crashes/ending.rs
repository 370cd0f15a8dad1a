//! Told to end in the middle of it all: what is under way is answered, nothing new is taken, the worker's job is
//! given back at once, and the next program goes on.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use super::world::World;
use crate::support::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_told_to_end_answers_what_is_under_way_and_gives_its_jobs_back() {
    let mut world = World::start("ending", 900).await;
    world
        .until(("waiting for the orders", |progress, _| {
            progress.step("ORDERS").bulk.is_some()
        }))
        .await;
    let mut socket = Socket::of(world.address(), world.token()).await;
    socket
        .subscribe("subscription { storeChanged { days } }")
        .await;
    let mut holder = world.connection().await;
    sqlx::raw_sql("begin; lock table customers in access exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    let url = format!("{}/graphql", world.address());
    let request = reqwest::Client::new()
        .post(&url)
        .bearer_auth(world.token())
        .json(&json!({ "query": "{ customers(first: 1) { totalCount } }" }));
    let under_way = tokio::spawn(request.send());
    tokio::time::sleep(Duration::from_millis(500)).await;

    let told = Instant::now();
    let mut ending = world.tell_to_end().await;
    assert_eq!(socket.next().await, json!({ "close": 1001 }));
    while reqwest::Client::new().get(&url).send().await.is_ok() {
        assert!(
            told.elapsed() < Duration::from_secs(5),
            "it goes on taking requests"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The worker has given its job back, while the request still waits.
    world.until_nothing_is_claimed().await;
    assert!(!under_way.is_finished());
    sqlx::raw_sql("rollback")
        .execute(&mut holder)
        .await
        .unwrap();
    let answer = under_way.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.unwrap().contains("totalCount"));
    assert!(ending.wait().await.unwrap().success());
    assert!(
        told.elapsed() < Duration::from_secs(20),
        "{:?}",
        told.elapsed()
    );

    world.launch().await;
    world.finish().await;
    world.assert_nothing_lost().await;
}
