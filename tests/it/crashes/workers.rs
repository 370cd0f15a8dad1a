//! Whose a job is: a worker's for as long as it is there, and nobody's as soon as it is gone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shopify_simulator::ShopSettings;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xboard::db::jobs::{Job, JobKind};
use xboard::domain::ids::SyncRunId;

use crate::support::{Simulated, TestDatabase, instant};

const LEASE: Duration = Duration::from_hours(1);

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

#[tokio::test]
async fn a_job_is_free_when_its_worker_is_gone_or_its_lease_is_over_and_not_before() {
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

    let presence = database.db().worker_heartbeat(killed).await.unwrap();
    let job = claim(&database, killed, now).await.unwrap();
    assert!(
        claim(&database, heir, now).await.is_none(),
        "its worker is there"
    );
    drop(presence);
    assert!(
        claim(&database, killed, now).await.is_none(),
        "nobody takes a job from himself"
    );

    let _presence = database.db().worker_heartbeat(heir).await.unwrap();
    let taken = loop {
        // The server learns of the lost connection in a moment.
        if let Some(job) = claim(&database, heir, now).await {
            break job;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((taken.id, taken.attempts), (job.id, 2));

    let over = now + LEASE + TimeDelta::seconds(1);
    assert!(
        claim(&database, third, now + LEASE).await.is_none(),
        "its worker is there"
    );
    let taken = claim(&database, third, over).await.unwrap();
    assert_eq!(
        (taken.id, taken.attempts),
        (job.id, 3),
        "one that hangs loses its job with its lease"
    );
    let mut system = database.db().system().await.unwrap();
    system.finish_job(&taken).await.unwrap();
    system.commit().await.unwrap();
}

#[tokio::test]
async fn a_worker_whose_sign_of_life_is_cut_off_gives_another_and_works_on() {
    let world =
        Simulated::start_with(|config| config.sync.lease = Duration::from_millis(600)).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        world.app.app().sync().clone(),
        stop.clone(),
    ));
    let mut connection = world.app.database.connection().await;
    let mut seen = Vec::new();
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
    let store = world.register(ShopSettings::new("cut-off")).await;
    while world.app.database.jobs().await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    worker.await.unwrap();
    world.sync(&store).await;
}
