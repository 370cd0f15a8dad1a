//! Measurements: the time until a delivery is answered and until an order is visible. Run them alone:
//! `cargo test --release --test it measured -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use shopify_simulator::{NewLine, NewOrder};

use super::world::World;
use crate::support::{Socket, sign};

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

#[expect(clippy::print_stdout, reason = "the output of the measurement")]
fn report(what: &str, mut taken: Vec<Duration>) {
    taken.sort_unstable();
    println!(
        "{what}: {} measured, p50 {:?}, p95 {:?}, p99 {:?}, longest {:?}",
        taken.len(),
        percentile(&taken, 50),
        percentile(&taken, 95),
        percentile(&taken, 99),
        taken[taken.len() - 1]
    );
}

fn order(world: &World) -> u64 {
    let new = NewOrder {
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("20.00".parse().unwrap()),
            quantity: 1,
            ..NewLine::default()
        }],
        ..NewOrder::default()
    };
    world.shop.place_order(&new).unwrap().id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn time_until_deliveries_are_answered_and_orders_are_visible() {
    const A_SECOND: u32 = 300;
    const SECONDS: u32 = 20;
    let mut world = World::start_reachable("measured", 500).await;
    world.finish().await;
    world.idle().await;

    let url = format!("{}/webhooks", world.address());
    let client = reqwest::Client::builder().build().unwrap();
    let secret = world.shop.credentials().1;
    let ids: Vec<u64> = world.shop.orders().iter().map(|order| order.id).collect();
    let began = Instant::now();
    let mut under_way = Vec::new();
    for number in 0..A_SECOND * SECONDS {
        tokio::time::sleep_until((began + number * Duration::from_secs(1) / A_SECOND).into()).await;
        let id = ids[usize::try_from(number).unwrap() % ids.len()];
        let body = format!("{{\"id\":{id},\"updated_at\":\"2026-11-23T00:00:00Z\"}}");
        let request = client
            .post(&url)
            .header("x-shopify-topic", "orders/updated")
            .header("x-shopify-shop-domain", "measured.myshopify.com")
            .header("x-shopify-webhook-id", format!("m{number}"))
            .header("x-shopify-hmac-sha256", sign(&secret, body.as_bytes()))
            .body(body);
        under_way.push(tokio::spawn(async move {
            let sent = Instant::now();
            assert_eq!(request.send().await.unwrap().status(), 200);
            sent.elapsed()
        }));
    }
    let mut taken = Vec::new();
    for answer in under_way {
        taken.push(answer.await.unwrap());
    }
    report("delivery to answer, 300 a second", taken);
    world.idle().await;

    let mut socket = Socket::of(world.address(), world.token()).await;
    socket
        .subscribe("subscription { storeChanged { latestOrder { shopifyId } } }")
        .await;
    let mut taken = Vec::new();
    for _ in 0..100 {
        let placed = Instant::now();
        let id = order(&world).to_string();
        while socket.next().await["payload"]["data"]["storeChanged"]["latestOrder"]["shopifyId"]
            != id
        {}
        taken.push(placed.elapsed());
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    report("paid order to storeChanged", taken);
    world.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
#[expect(clippy::print_stdout, reason = "the output of the measurement")]
async fn a_flash_sale_of_5000_orders_in_a_minute_costs_few_queries() {
    const ORDERS: u32 = 5_000;
    let mut world = World::start_reachable("flash", 60).await;
    world.finish().await;
    world.idle().await;
    // A shop on Shopify's smallest plan.
    world.shop.set_bucket(2_000, 100);
    world.shop.reset_statistics();
    let began = Instant::now();
    for number in 0..ORDERS {
        tokio::time::sleep_until((began + number * Duration::from_secs(58) / ORDERS).into()).await;
        order(&world);
    }
    world.deliveries_settled().await;
    world.idle().await;
    let taken = began.elapsed();
    let asked = world.shop.statistics();
    println!(
        "{ORDERS} orders, stored after {taken:?}: {} queries, {} points, {} throttled, {:?}",
        asked.requests, asked.points, asked.throttled, asked.by_operation
    );
    assert!(asked.requests < u64::from(ORDERS) / 10, "{asked:?}");
    world.assert_nothing_lost().await;
    world.assert_no_refetches_left().await;
}
