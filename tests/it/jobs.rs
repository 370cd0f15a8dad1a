//! The job queue: fairness between shops, dead letters, retention.

use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::json;
use shopify_simulator::ShopSettings;
use uuid::Uuid;
use xboard::db::jobs::{Job, JobKind};
use xboard::domain::ids::{SyncRunId, TenantId};

use crate::support::{JWT_SECRET, Simulated, TestDatabase, deliver, instant, sign};

const LEASE: Duration = Duration::from_mins(1);

async fn queue(database: &TestDatabase, tenant: TenantId, kind: JobKind, at: DateTime<Utc>) {
    let mut transaction = database.db().tenant(tenant).await.unwrap();
    transaction.queue_job(kind, at).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn claim(database: &TestDatabase, worker: Uuid, now: DateTime<Utc>) -> Option<Job> {
    let mut system = database.db().system().await.unwrap();
    let job = system.claim_job(worker, now, LEASE, false).await.unwrap();
    system.commit().await.unwrap();
    job
}

fn sync() -> JobKind {
    let run = SyncRunId::generate();
    JobKind::Sync { run }
}

#[tokio::test]
async fn a_shop_without_running_jobs_comes_first() {
    let database = TestDatabase::create().await;
    let now = instant("2026-03-01T12:00:00Z");
    let (busy, calm) = (database.new_tenant(), database.new_tenant());
    for _ in 0..5 {
        queue(&database, busy, sync(), now - TimeDelta::hours(1)).await;
    }
    queue(&database, calm, sync(), now).await;
    let worker = Uuid::now_v7();
    let mut served = Vec::new();
    for _ in 0..3 {
        served.push(claim(&database, worker, now).await.unwrap().tenant);
    }
    assert_eq!(served, [busy, calm, busy]);
    database.leaves_jobs(6);
}

#[tokio::test]
async fn a_job_waits_while_the_same_job_runs_and_is_not_lost() {
    let database = TestDatabase::create().await;
    let now = instant("2026-03-01T12:00:00Z");
    let tenant = database.new_tenant();
    let worker = Uuid::now_v7();
    queue(&database, tenant, JobKind::Refetch, now).await;
    queue(&database, tenant, JobKind::Refetch, now).await;
    let first = claim(&database, worker, now).await.unwrap();
    queue(&database, tenant, JobKind::Refetch, now).await;
    assert!(claim(&database, worker, now).await.is_none());
    let mut system = database.db().system().await.unwrap();
    system.finish_job(&first).await.unwrap();
    system.commit().await.unwrap();
    let second = claim(&database, worker, now).await.unwrap();
    assert!(second.id > first.id);
    database.leaves_jobs(1);
}

async fn command(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_xboard"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database.url())
        .env("JWT_SECRET", JWT_SECRET)
        .env(
            "ENCRYPTION_KEY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        )
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_retried_by_the_operator() {
    let database = TestDatabase::create().await;
    let now = instant("2026-03-01T12:00:00Z");
    let tenant = database.new_tenant();
    let worker = Uuid::now_v7();
    queue(&database, tenant, JobKind::Reconcile, now).await;
    let job = claim(&database, worker, now).await.unwrap();
    let mut system = database.db().system().await.unwrap();
    system
        .move_to_dead_letter(&job, "this job fails", now)
        .await
        .unwrap();
    system.commit().await.unwrap();
    assert!(claim(&database, worker, now).await.is_none());

    let listed = command(&database, &["jobs", "list", "--dead"]).await;
    assert_eq!(
        listed,
        format!(
            "{}\tDEAD\treconcile\t-\tattempts 1\tdue 2026-03-01T12:00:00Z\tthis job fails\n",
            job.id
        )
    );
    assert_eq!(
        command(&database, &["jobs", "retry", "999"]).await,
        "0 jobs will be retried\n"
    );
    assert_eq!(
        command(&database, &["jobs", "retry"]).await,
        "1 jobs will be retried\n"
    );
    assert_eq!(command(&database, &["jobs", "list", "--dead"]).await, "");
    let again = claim(&database, worker, Utc::now() + TimeDelta::minutes(1))
        .await
        .unwrap();
    assert_eq!((again.id, again.attempts), (job.id, 1));
    database.leaves_jobs(1);
}

/// A shop with one order that a webhook has reported, and no worker yet.
async fn shop_with_a_refetch(world: &Simulated) {
    let shop = world.app.simulator.add_shop(ShopSettings::new("jobs"));
    let store = world.register_signing(shop, "hush").await;
    world.sync(&store).await;
    store.sell_lamp(None, "20.00");
    let body = format!("{{\"id\":{}}}", store.shop.orders()[0].id).into_bytes();
    let signature = sign("hush", &body);
    let status = deliver(&world.app, "jobs", "orders/create", "d1", &signature, body).await;
    assert_eq!(status, StatusCode::OK);
}

async fn stored_orders(world: &Simulated) -> i64 {
    sqlx::query_scalar("select count(*) from orders")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap()
}

async fn dead_letters(world: &Simulated) -> Vec<(String, i32, String)> {
    let mut system = world.app.database.db().system().await.unwrap();
    let dead = system.list_jobs(true, Utc::now()).await.unwrap();
    dead.into_iter()
        .map(|job| (job.kind, job.attempts, job.last_error.unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn a_job_that_panics_is_retried_and_becomes_a_dead_letter() {
    let world = Simulated::start_with(|config| {
        // No instant is that far away, so every attempt panics.
        config.sync.refetch_time_slice = Duration::MAX;
        config.sync.max_attempts = 3;
    })
    .await;
    shop_with_a_refetch(&world).await;
    world.app.work().await;
    let dead = dead_letters(&world).await;
    let [(kind, attempts, error)] = dead.as_slice() else {
        panic!("{dead:?}");
    };
    assert_eq!((kind.as_str(), *attempts), ("refetch", 3));
    assert!(error.starts_with("job panicked: "), "{error}");
    assert_eq!(stored_orders(&world).await, 0);
}

#[tokio::test]
async fn a_job_whose_worker_dies_each_time_becomes_a_dead_letter() {
    let world = Simulated::start_with(|config| config.sync.max_attempts = 2).await;
    shop_with_a_refetch(&world).await;
    for attempt in 1..=2 {
        let mut system = world.app.database.db().system().await.unwrap();
        let (dying, now) = (Uuid::now_v7(), Utc::now());
        system
            .expire_jobs_of_dead_workers(dying, now)
            .await
            .unwrap();
        let job = system.claim_job(dying, now, LEASE, false).await.unwrap();
        assert_eq!(job.unwrap().attempts, attempt);
        system.commit().await.unwrap();
    }
    world.app.work().await;
    let error = "the worker died during each of 2 attempts".to_owned();
    assert_eq!(
        dead_letters(&world).await,
        [("refetch".to_owned(), 3, error)]
    );
    assert_eq!(stored_orders(&world).await, 0);
}

#[tokio::test]
async fn old_runs_deliveries_and_dead_letters_are_deleted_by_the_maintenance() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("old")).await;
    world.sync(&store).await;
    let tenant = world.tenant(&store).await;
    let mut connection = world.app.database.connection().await;
    for statement in [
        "insert into sync_runs (tenant_id, id, mode, trigger, status, queued_at, finished_at) \
         select t.id, gen_random_uuid(), 'INCREMENTAL', 'SCHEDULE', 'SUCCEEDED', now() - make_interval(days => n), \
            now() - make_interval(days => n) from tenants t, generate_series(1, 200) n",
        "insert into sync_steps (tenant_id, run_id, kind, method) \
         select tenant_id, id, 'ORDERS', 'PAGED' from sync_runs where trigger = 'SCHEDULE'",
        "insert into webhook_deliveries (tenant_id, id, topic, digest, received_at) \
         select t.id, 'd' || n, 'orders/create', case when n = 6001 then '\\x00'::bytea end, now() - interval '31 days' \
         from tenants t, generate_series(1, 6001) n",
        "insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, failed_at, created_at) \
         select t.id, 'reconcile', 'k' || d, '{}', now(), now() - make_interval(days => d), now() \
         from tenants t, unnest(array[29, 31]) d",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    world
        .app
        .app()
        .sync()
        .queue_maintenance(tenant)
        .await
        .unwrap();
    world.app.work().await;
    let left: (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from sync_runs), (select count(*) from sync_steps where kind = 'ORDERS'), \
            (select count(*) from webhook_deliveries), (select count(*) from jobs where failed_at is not null)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    // The hundred newest runs stay whatever their age; so does a delivery with a digest.
    assert_eq!(left, (100, 100, 1, 1));
}

#[tokio::test]
async fn health_has_the_last_delivery_of_a_topic_after_the_deliveries_are_deleted() {
    let world = Simulated::start().await;
    let shop = world.app.simulator.add_shop(ShopSettings::new("jobs"));
    let store = world.register_signing(shop, "hush").await;
    world.sync(&store).await;
    let query = "{ me { tenant { shop { health { kinds { kind lastHeardAt } } } } } }";
    let heard = async || {
        let me = world.app.field(query, json!({}), Some(&store.token)).await;
        me["tenant"]["shop"]["health"]["kinds"].clone()
    };
    let before = heard().await;
    for (id, topic) in [("d1", "orders/updated"), ("d2", "orders/updated")] {
        let body = b"{\"id\":7}".to_vec();
        let signature = sign("hush", &body);
        let status = deliver(&world.app, "jobs", topic, id, &signature, body).await;
        assert_eq!(status, StatusCode::OK);
    }
    world.app.work().await;
    let after = heard().await;
    let mut connection = world.app.database.connection().await;
    let (topics, at): (i64, DateTime<Utc>) =
        sqlx::query_as("select count(*), max(last_received_at) from webhook_topics")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(topics, 1);
    let changed: Vec<_> = after
        .as_array()
        .unwrap()
        .iter()
        .zip(before.as_array().unwrap())
        .filter(|(after, before)| after != before)
        .map(|(after, _)| after["kind"].clone())
        .collect();
    assert_eq!(changed, [json!("ORDERS")]);
    let shown = after
        .as_array()
        .unwrap()
        .iter()
        .find(|kind| kind["kind"] == "ORDERS")
        .unwrap()["lastHeardAt"]
        .as_str()
        .unwrap()
        .parse::<DateTime<Utc>>()
        .unwrap();
    assert!((shown - at).abs() < TimeDelta::seconds(1), "{shown} {at}");
    sqlx::query("delete from webhook_deliveries")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(heard().await, after);
}
