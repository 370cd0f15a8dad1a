//! kill -9 during syncs. The tests start the real program as a process, kill it at chosen moments, and start it again.
//! The next process finishes the job, and nothing is lost or duplicated.

mod chaos;
mod measured;
mod shutdown;
mod workers;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use shopify_simulator::{EditLine, NewLine, NewOrder, OrderChange, RefundRequest, Shop};

use world::{Moment, World};

#[tokio::test]
async fn a_backfill_that_is_killed_five_times_finishes_with_its_bulk_operations() {
    const MOMENTS: [Moment; 5] = [
        ("waiting for the customers", |progress, _| {
            progress.step("CUSTOMERS").bulk.is_some()
        }),
        ("between customers and orders", |progress, _| {
            progress.step("CUSTOMERS").finished && progress.step("PRODUCTS").bulk.is_some()
        }),
        ("waiting for the orders", |progress, _| {
            progress.step("ORDERS").bulk.is_some()
        }),
        // The third file that is asked for.
        ("downloading the orders", |_, statistics| {
            statistics.downloads == 3
        }),
        ("merging the orders", |progress, _| {
            progress.step("ORDERS").done > 0
        }),
    ];
    let mut world = World::start("backfill", 2_600).await;
    for moment in MOMENTS {
        world.until(moment).await;
        world.kill(moment.0).await;
        world.launch().await;
    }
    world.finish().await;
    world.assert_nothing_lost().await;

    let statistics = world.shop.statistics();
    let kinds = ["customers", "orders", "products"].map(|root| (root.to_owned(), 1));
    assert_eq!(
        statistics.bulk_started,
        BTreeMap::from(kinds),
        "the bulk operation of a killed process is used"
    );
    // One for each kind, and two more for the processes that were killed with the orders' file.
    assert_eq!(statistics.downloads, 5);
    assert_eq!(
        world
            .ask(
                "{ syncRuns(first: 5) { nodes { mode status trigger } } }",
                json!({})
            )
            .await["syncRuns"]["nodes"],
        json!([{ "mode": "FULL", "status": "SUCCEEDED", "trigger": "REGISTER" }])
    );
}

#[tokio::test]
async fn an_incremental_sync_that_is_killed_five_times_continues_and_finishes() {
    const MOMENTS: [Moment; 5] = [
        ("fetching customers", |progress, _| {
            progress.steps.len() == 1
        }),
        ("between customers and orders", |progress, _| {
            progress.step("CUSTOMERS").finished && !progress.step("PRODUCTS").finished
        }),
        ("fetching the first orders", |_, statistics| {
            statistics.by_operation.contains_key("OrdersById")
        }),
        ("with a page of orders in", |progress, _| {
            progress.step("ORDERS").cursor.is_some()
        }),
        ("with two pages of orders in", |progress, _| {
            progress.step("ORDERS").done >= 500
        }),
    ];
    let mut world = World::start("incremental", 900).await;
    world.finish().await;
    live_on(&world.shop, 0);
    world.shop.reset_statistics();
    world.shop.set_latency(Duration::from_millis(25));
    world.request_sync().await;
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        world.until(moment).await;
        world.kill(moment.0).await;
        // The shop sells meanwhile.
        sell(&world.shop, round);
        world.launch().await;
    }
    world.finish().await;
    assert_eq!(world.shop.statistics().bulk_started, BTreeMap::new());
    // Changes during the run belong to it or to the next one.
    world.request_sync().await;
    world.finish().await;
    world.assert_nothing_lost().await;
}

#[tokio::test]
async fn syncs_that_are_killed_at_any_time_finish() {
    let mut world = World::start("anytime", 500).await;
    // The moments are the same in every run of the test. Only the last process completes the sync.
    for millis in [5, 900, 60, 1_700, 300] {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        world.kill_now().await;
        world.launch().await;
    }
    world.finish().await;
    world.assert_nothing_lost().await;

    world.shop.set_latency(Duration::from_millis(25));
    for (round, millis) in [10, 400, 90, 1_000, 200].into_iter().enumerate() {
        live_on(&world.shop, round);
        world.request_sync().await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        world.kill_now().await;
        world.launch().await;
    }
    world.finish().await;
    world.request_sync().await;
    world.finish().await;
    world.assert_nothing_lost().await;
}

#[tokio::test]
async fn an_initial_backfill_that_is_killed_while_it_builds_the_rollups_builds_them_again() {
    let mut world = World::start("rebuilt", 600).await;
    // Building the rollups waits for this lock, which the test holds.
    let mut gate = world.connection().await;
    for statement in [
        "create function wait_at_the_gate() returns trigger language plpgsql \
         as $$ begin perform pg_advisory_xact_lock(20261125); return null; end $$",
        "create trigger gate before insert on sales_rollups execute function wait_at_the_gate()",
        "select pg_advisory_lock(20261125)",
    ] {
        sqlx::raw_sql(statement).execute(&mut gate).await.unwrap();
    }
    let mut looking = world.connection().await;
    let waiting = async {
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut looking)
            .await
            .unwrap()
            == 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), waiting)
        .await
        .unwrap();
    world.kill("building its figures").await;
    sqlx::raw_sql("select pg_advisory_unlock(20261125)")
        .execute(&mut gate)
        .await
        .unwrap();
    world.launch().await;
    world.finish().await;
    world.assert_nothing_lost().await;
}

#[tokio::test]
async fn a_reconciliation_that_is_killed_at_each_kind_finds_the_missed_changes() {
    let mut world = World::start("reconciled", 600).await;
    world.finish().await;
    // The program gets no notice: there are no webhooks, and no sync is due.
    sell(&world.shop, 0);
    for order in world.shop.orders().iter().take(3) {
        world.shop.delete_order(order.id).unwrap();
    }
    world.shop.reset_statistics();
    world.shop.set_latency(Duration::from_millis(100));
    world.reconcile().await;
    for kind in ["CustomerIds", "ProductIds", "OrderIds"] {
        world.until_asked(kind).await;
        world.kill_now().await;
        assert!(world.has_jobs().await, "killed too late for {kind}");
        world.launch().await;
    }
    world.shop.set_latency(Duration::ZERO);
    world.idle().await;
    world.assert_nothing_lost().await;
}

/// Changes most orders, each in one of several ways. A change that the order does not allow is skipped.
fn live_on(shop: &Shop, round: usize) {
    for (number, order) in shop.orders().iter().enumerate() {
        let line = order.line_items.first().map_or(0, |line| line.id);
        let _refused = match (number + round) % 6 {
            0 => shop
                .edit_order(order.id, &[EditLine { line, by: 1 }])
                .map(drop),
            1 => shop
                .edit_order(order.id, &[EditLine { line, by: -1 }])
                .map(drop),
            2 => shop.cancel_order(order.id).map(drop),
            3 => {
                let request = RefundRequest {
                    adjustment: "0.25".parse().unwrap(),
                    ..RefundRequest::default()
                };
                shop.refund_order(order.id, &request).map(drop)
            }
            4 => shop
                .change_order(order.id, &OrderChange::default())
                .map(drop),
            _ => Ok(()),
        };
    }
    sell(shop, round);
}

/// A few new orders.
fn sell(shop: &Shop, round: usize) {
    for customer in shop.customers().iter().skip(round).step_by(40) {
        let placed = NewOrder {
            customer: Some(customer.id),
            lines: vec![NewLine {
                quantity: 2,
                price: Some("3.99".parse().unwrap()),
                title: Some("Article".to_owned()),
                ..NewLine::default()
            }],
            shipping: "2.95".parse().unwrap(),
            ..NewOrder::default()
        };
        shop.place_order(&placed).unwrap();
    }
}
