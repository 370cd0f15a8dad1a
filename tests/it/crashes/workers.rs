//! The owner of a job: a worker for as long as it is alive and renews its lease.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shopify_simulator::ShopSettings;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xboard::db::jobs::{Job, JobKind};
use xboard::domain::ids::SyncRunId;

use crate::support::{Simulated, TestDatabase, instant};

const LEASE: Duration = Duration::from_hours(1);

/// Far longer than anything here takes, even on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);

async fn claim(database: &TestDatabase, worker: Uuid, now: DateTime<Utc>) -> Option<Job> {
    let mut system = database.db().system().await.unwrap();
    system
        .expire_jobs_of_dead_workers(worker, now)
        .await
        .unwrap();
    let job = system.claim_job(worker, now, LEASE, false).await.unwrap();
    system.commit().await.unwrap();
    job
}

/// Fails the test when the future takes too long.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future)
        .await
        .unwrap_or_else(|_| panic!("timed out: {what}"))
}

#[tokio::test]
async fn a_job_is_free_when_its_worker_is_dead_or_its_lease_is_over_and_not_before() {
    let database = TestDatabase::create().await;
    let now = instant("2026-03-01T12:00:00Z");
    let mut transaction = database.db().tenant(database.new_tenant()).await.unwrap();
    let run = SyncRunId::generate();
    transaction
        .queue_job(JobKind::Sync { run }, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let [killed, heir, third] = [(); 3].map(|()| Uuid::now_v7());

    let heartbeat = database.db().worker_heartbeat(killed).await.unwrap();
    let job = claim(&database, killed, now).await.unwrap();
    assert!(
        claim(&database, heir, now).await.is_none(),
        "its worker is alive"
    );
    drop(heartbeat);
    assert!(
        claim(&database, killed, now).await.is_none(),
        "a worker does not take over its own job"
    );

    let _heartbeat = database.db().worker_heartbeat(heir).await.unwrap();
    let taken = in_time("the job of a dead worker is taken over", async {
        loop {
            // The server sees the lost connection after a moment.
            if let Some(job) = claim(&database, heir, now).await {
                break job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!((taken.id, taken.attempts), (job.id, 2));

    let over = now + LEASE + TimeDelta::seconds(1);
    assert!(
        claim(&database, third, now + LEASE).await.is_none(),
        "its worker is alive"
    );
    let taken = claim(&database, third, over).await.unwrap();
    assert_eq!(
        (taken.id, taken.attempts),
        (job.id, 3),
        "a hanging worker loses its job with its lease"
    );
    let mut system = database.db().system().await.unwrap();
    system.finish_job(&taken).await.unwrap();
    system.commit().await.unwrap();
}

#[tokio::test]
async fn a_worker_reconnects_its_heartbeat_after_a_lost_connection_and_goes_on() {
    let world =
        Simulated::start_with(|config| config.sync.lease = Duration::from_millis(600)).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        world.app.app().sync().clone(),
        stop.clone(),
    ));
    let mut connection = world.app.database.connection().await;
    let mut seen = Vec::new();
    in_time("the worker starts two heartbeats", async {
        while seen.len() < 2 {
            let holder: Option<i32> = sqlx::query_scalar(
                "select pid from pg_locks where locktype = 'advisory' and granted \
                 and database = (select oid from pg_database where datname = current_database())",
            )
            .fetch_optional(&mut connection)
            .await
            .unwrap();
            if let Some(holder) = holder.filter(|holder| !seen.contains(holder)) {
                seen.push(holder);
                sqlx::query("select pg_terminate_backend($1)")
                    .bind(holder)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let store = world.register(ShopSettings::new("cut-off")).await;
    in_time("the worker runs its jobs", async {
        while world.app.database.jobs().await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    stop.cancel();
    in_time("the worker stops", worker).await.unwrap();
    world.sync(&store).await;
}
