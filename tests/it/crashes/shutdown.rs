//! SIGTERM during work: running requests are answered, new ones refused, the worker releases its job at once, and the
//! next process continues.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use super::world::World;
use crate::support::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_program_answers_running_requests_and_releases_its_jobs() {
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

    let terminated = Instant::now();
    let mut ending = world.terminate().await;
    assert_eq!(socket.next().await, json!({ "close": 1001 }));
    while reqwest::Client::new().get(&url).send().await.is_ok() {
        assert!(
            terminated.elapsed() < Duration::from_secs(5),
            "it still accepts requests"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The worker has released its job, while the request still waits.
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
        terminated.elapsed() < Duration::from_secs(20),
        "{:?}",
        terminated.elapsed()
    );

    world.launch().await;
    world.finish().await;
    world.assert_nothing_lost().await;
}
