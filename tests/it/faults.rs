//! What goes wrong outside of the program: the database, the disk, Shopify, the clocks. Requests are refused
//! clearly, nothing acknowledged is lost, and the service comes back by itself. `docs/faults.md` is the table
//! of it.

mod disk;
mod server;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use shopify_simulator::{Fault, FaultRate, OrderChange};
use xboard::app::AppConfig;
use xboard::domain::clock::Clock;

use disk::SmallDisk;
use world::{Told, World};

/// How soon after the database the service has to be back.
const BACK: Duration = Duration::from_secs(10);

/// Every question was answered in full, or refused with the word that it is worth asking again; both came up.
fn assert_clear(told: &[Told]) {
    let unclear: Vec<_> = told
        .iter()
        .filter(|told| !told.is_clear())
        .take(3)
        .collect();
    assert!(unclear.is_empty(), "{unclear:#?}");
    let refused = told
        .iter()
        .filter(|told| told.status != StatusCode::OK)
        .count();
    assert!(
        refused > 0 && refused < told.len(),
        "{refused} of {}",
        told.len()
    );
}

#[expect(
    clippy::print_stdout,
    reason = "shown with --nocapture, for docs/faults.md"
)]
fn report(fault: &str, told: &[Told], back: Duration) {
    let refused = told
        .iter()
        .filter(|told| told.status != StatusCode::OK)
        .count();
    println!(
        "{fault}: {} asked, {refused} refused, back after {back:?}",
        told.len()
    );
}

/// Lets something happen to a program under load; every answer, and how long it took to be back.
async fn under_load(world: &World, fault: impl AsyncFnOnce() -> Duration) -> (Vec<Told>, Duration) {
    let over = AtomicBool::new(false);
    let asking = join_all((0..3).map(|_| world.ask_until(&over)));
    let selling = world.sell_until(&over);
    let failing = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let back = fault().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        over.store(true, Ordering::Relaxed);
        back
    };
    let (told, acknowledged, back) = tokio::join!(asking, selling, failing);
    assert!(!acknowledged.is_empty());
    // An order that nobody acknowledged is sent again by Shopify; here the sync finds it.
    world.until_back().await;
    let sync = "mutation { sync { userErrors { code } } }";
    assert_eq!(world.ask(sync, json!({})).await.status, StatusCode::OK);
    (told.concat(), back)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_or_killed_under_load_costs_clear_refusals_and_nothing_else() {
    let world = World::start("restarted", |_| {}).await;
    for killed in [false, true] {
        let (told, back) = under_load(&world, async || {
            if killed {
                world.server.kill().await;
            } else {
                world.server.stop().await;
            }
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            assert_eq!(world.get("/health").await, StatusCode::OK);
            assert_eq!(world.get("/dbtest").await, StatusCode::SERVICE_UNAVAILABLE);
            world.server.start_again().await;
            world.until_back().await
        })
        .await;
        report(if killed { "killed" } else { "restarted" }, &told, back);
        assert_clear(&told);
        assert!(back < BACK, "{back:?}");
        world.assert_current().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_cost_clear_refusals_and_nothing_else() {
    let world = World::start("cut", |_| {}).await;
    let (told, back) = under_load(&world, async || {
        let mut connection = world.connection().await;
        for _ in 0..40 {
            sqlx::query(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .execute(&mut connection)
            .await
            .unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        world.until_back().await
    })
    .await;
    report("connections cut", &told, back);
    assert_clear(&told);
    assert!(back < BACK, "{back:?}");
    world.assert_current().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_locked_holds_up_only_those_who_need_it_and_not_for_ever() {
    let world = World::start("locked", |_| {}).await;
    let mut holder = world.connection().await;
    sqlx::raw_sql("begin; lock table orders in access exclusive mode")
        .execute(&mut holder)
        .await
        .unwrap();
    let order = world.sell();
    let began = Instant::now();
    let orders = world.ask("{ orders(first: 1) { totalCount } }", json!({}));
    let others = async {
        assert_eq!(world.tell("orders/create", order).await, StatusCode::OK);
        let told = world
            .ask(
                "{ me { email } syncRuns(first: 1) { totalCount } }",
                json!({}),
            )
            .await;
        assert!(told.is_clear() && told.status == StatusCode::OK, "{told:?}");
        assert_eq!(world.get("/health").await, StatusCode::OK);
        assert_eq!(world.get("/dbtest").await, StatusCode::OK);
        began.elapsed()
    };
    let (orders, others) = tokio::join!(orders, others);
    assert!(others < Duration::from_secs(4), "{others:?}");
    // The server gave up on the lock, before the operation's own time was over.
    assert_eq!(orders.code.as_deref(), Some("TIMEOUT"), "{orders:?}");
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
    sqlx::raw_sql("rollback")
        .execute(&mut holder)
        .await
        .unwrap();
    let back = world.until_back().await;
    report("a table locked", &[orders], back);
    // The worker waited for the lock, and what was acknowledged meanwhile is here.
    world.assert_current().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_what_writes_and_what_reads_goes_on() {
    let world = World::start("full", |_| {}).await;
    let mut connection = world.connection().await;
    // What a server says whose disk is full, from the moment on at which a table has to grow.
    sqlx::raw_sql(
        "create function full_disk() returns trigger language plpgsql as $$ begin \
           raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$; \
         create trigger full_disk before insert on orders for each row execute function full_disk(); \
         create trigger full_disk before insert on sync_runs for each row execute function full_disk()",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    // Written down, but not to be followed yet.
    let order = world.sell();
    assert_eq!(world.tell("orders/create", order).await, StatusCode::OK);
    let told = world
        .ask("mutation { sync { syncRun { id } } }", json!({}))
        .await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{told:?}");
    assert!(told.is_clear(), "{told:?}");
    let read = world
        .ask("{ orders(first: 1) { totalCount } }", json!({}))
        .await;
    assert_eq!(
        (read.status, read.is_clear()),
        (StatusCode::OK, true),
        "{read:?}"
    );
    sqlx::raw_sql("create trigger full_disk before insert on webhook_deliveries for each row execute function full_disk()")
        .execute(&mut connection)
        .await
        .unwrap();
    let other = world.sell();
    assert_eq!(
        world.tell("orders/create", other).await,
        StatusCode::SERVICE_UNAVAILABLE
    );

    sqlx::raw_sql(
        "drop trigger full_disk on orders; drop trigger full_disk on sync_runs; \
         drop trigger full_disk on webhook_deliveries",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    // Shopify sends again what was not acknowledged.
    assert_eq!(world.tell("orders/create", other).await, StatusCode::OK);
    let back = world.assert_current().await;
    report("disk full", &[told, read], back);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "says that it could not be tried")]
async fn a_disk_without_a_free_byte_stops_what_writes_and_what_reads_goes_on() {
    let world = World::start("filled", |_| {}).await;
    // Dropped last: the server has files open there.
    let Some(disk) = SmallDisk::mount(&world.server.data()) else {
        println!("not tried: only root may mount a disk to fill");
        return world.end().await;
    };
    let mut connection = world.connection().await;
    for statement in [
        &*format!("create tablespace small location '{}'", disk.path()),
        "alter table orders set tablespace small",
        "alter table webhook_deliveries set tablespace small",
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    disk.fill();
    // The pages that are there take some more rows, and then a table would have to grow.
    let mut refused = None;
    for _ in 0..1_000 {
        let order = world.sell();
        match world.tell("orders/create", order).await {
            StatusCode::OK => {}
            status => {
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                refused = Some(order);
                break;
            }
        }
    }
    let refused = refused.expect("the disk was never full");
    let read = world
        .ask("{ orders(first: 1) { totalCount } }", json!({}))
        .await;
    assert_eq!(
        (read.status, read.is_clear()),
        (StatusCode::OK, true),
        "{read:?}"
    );
    assert_eq!(
        world.tell("orders/create", refused).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    disk.empty();
    // Shopify sends again what was not acknowledged.
    assert_eq!(world.tell("orders/create", refused).await, StatusCode::OK);
    let back = world.assert_current().await;
    report("disk without a free byte", &[read], back);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shopify_that_is_down_longer_than_anything_is_tried_again_costs_time_and_nothing_else() {
    // In production: eight attempts in five minutes, then a poll every five minutes.
    let world = World::start("down", |config| {
        config.sync.max_attempts = 3;
        config.sync.sync_interval = Some(Duration::from_secs(1));
        config.shopify.retry.max_retries = 1;
    })
    .await;
    let (kept, gone) = (world.sell(), world.sell());
    world.assert_current().await;
    world.shop.set_fault_rate(Some(FaultRate {
        percent: 100,
        faults: vec![Fault::ServerError { status: 503 }],
        seed: 1,
    }));
    let sold = world.sell();
    world
        .shop
        .change_order(kept, &OrderChange::default())
        .unwrap();
    world.shop.delete_order(gone).unwrap();
    for (topic, order) in [
        ("orders/create", sold),
        ("orders/updated", kept),
        ("orders/delete", gone),
    ] {
        assert_eq!(world.tell(topic, order).await, StatusCode::OK);
    }
    // Until what follows deliveries has been set aside, and a run has failed.
    let mut connection = world.connection().await;
    let began = Instant::now();
    loop {
        let (dead, failed): (i64, i64) = sqlx::query_as(
            "select (select count(*) from jobs where failed_at is not null), \
                    (select count(*) from sync_runs where status = 'FAILED')",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if dead > 0 && failed > 1 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(50),
            "{dead} set aside, {failed} failed"
        );
        let told = world
            .ask("{ orders(first: 5) { totalCount } }", json!({}))
            .await;
        assert_eq!(
            (told.status, told.is_clear()),
            (StatusCode::OK, true),
            "{told:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = world
        .ask(
            "{ me { tenant { shop { status } } } syncRuns(first: 1) { nodes { error } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        told.body["data"]["me"]["tenant"]["shop"]["status"], "CONNECTED",
        "{told:?}"
    );
    let why = told.body["data"]["syncRuns"]["nodes"][0]["error"].as_str();
    assert!(why.is_none_or(|why| why.contains("Shopify")), "{told:?}");

    world.shop.set_fault_rate(None);
    let back = world.assert_current().await;
    // What was set aside while Shopify was away has been followed, without anybody asking for it.
    let hints: i64 = sqlx::query_scalar("select count(*) from pending_refetches")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(hints, 0);
    report("Shopify down", &[told], back);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_whose_clock_is_hours_off_misses_nothing() {
    for hours in [-2, 2] {
        let label = if hours < 0 { "behind" } else { "ahead" };
        let world = World::start(label, |config| {
            config.clock = Clock::Shifted(TimeDelta::hours(hours));
        })
        .await;
        let sync = "mutation { sync { userErrors { code } } }";
        for _ in 0..2 {
            let (told, polled) = (world.sell(), world.sell());
            assert_eq!(world.tell("orders/create", told).await, StatusCode::OK);
            world
                .shop
                .change_order(polled, &OrderChange::default())
                .unwrap();
            assert_eq!(world.ask(sync, json!({})).await.status, StatusCode::OK);
            world.assert_current().await;
        }
        world.shop.delete_order(world.shop.orders()[0].id).unwrap();
        assert_eq!(
            world
                .ask(
                    "mutation { sync(input: { mode: FULL }) { userErrors { code } } }",
                    json!({})
                )
                .await
                .status,
            StatusCode::OK
        );
        world.assert_current().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_whose_clocks_differ_by_more_than_a_lease_lose_nothing() {
    const APART: Duration = Duration::from_secs(3);
    const SYNC: &str = "mutation { sync(input: { mode: INCREMENTAL }) { userErrors { code } } }";
    // Each takes the other's jobs for abandoned, or its own for longer than they are.
    let lease = |config: &mut AppConfig| config.sync.lease = Duration::from_secs(1);
    let mut world = World::start("apart", lease).await;
    let own = world.address.clone();
    let ahead = world
        .join(|config| {
            lease(config);
            config.clock = Clock::Shifted(TimeDelta::from_std(APART).unwrap());
        })
        .await;
    for round in 0..6 {
        for address in [&own, &ahead] {
            world.address.clone_from(address);
            let order = world.sell();
            assert_eq!(world.tell("orders/create", order).await, StatusCode::OK);
            let changed = world.shop.orders()[round].id;
            world
                .shop
                .change_order(changed, &OrderChange::default())
                .unwrap();
            world.sell();
            assert_eq!(world.ask(SYNC, json!({})).await.status, StatusCode::OK);
        }
    }
    let gone = world.shop.orders()[0].id;
    world.shop.delete_order(gone).unwrap();
    assert_eq!(world.tell("orders/delete", gone).await, StatusCode::OK);
    // What one of them wrote "later" than it was is over by then.
    tokio::time::sleep(APART).await;
    world.address = own;
    assert_eq!(world.ask(SYNC, json!({})).await.status, StatusCode::OK);
    world.assert_current().await;
    world.end().await;
}
