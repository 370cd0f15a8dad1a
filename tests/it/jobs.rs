//! The queue: one store's backlog keeps no other waiting, and what failed too often is there for the operator.

use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use xboard::db::jobs::{Job, JobKind};
use xboard::domain::ids::{SyncRunId, TenantId};

use crate::support::{JWT_SECRET, TestDatabase, instant};

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
async fn the_store_with_the_fewest_jobs_under_way_is_served_first() {
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
async fn a_job_waits_while_its_like_is_worked_on_and_nothing_that_comes_in_is_lost() {
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
async fn a_job_that_failed_too_often_is_listed_and_tried_again_when_the_operator_says_so() {
    let database = TestDatabase::create().await;
    let now = instant("2026-03-01T12:00:00Z");
    let tenant = database.new_tenant();
    let worker = Uuid::now_v7();
    queue(&database, tenant, JobKind::Reconcile, now).await;
    let job = claim(&database, worker, now).await.unwrap();
    let mut system = database.db().system().await.unwrap();
    system
        .move_to_dead_letter(&job, "it was not to be", now)
        .await
        .unwrap();
    system.commit().await.unwrap();
    assert!(claim(&database, worker, now).await.is_none());

    let listed = command(&database, &["jobs", "list", "--dead"]).await;
    assert_eq!(
        listed,
        format!(
            "{}\tDEAD\treconcile\t-\tattempts 1\tdue 2026-03-01T12:00:00Z\tit was not to be\n",
            job.id
        )
    );
    assert_eq!(
        command(&database, &["jobs", "retry", "999"]).await,
        "0 to be tried again\n"
    );
    assert_eq!(
        command(&database, &["jobs", "retry"]).await,
        "1 to be tried again\n"
    );
    assert_eq!(command(&database, &["jobs", "list", "--dead"]).await, "");
    let again = claim(&database, worker, Utc::now() + TimeDelta::minutes(1))
        .await
        .unwrap();
    assert_eq!((again.id, again.attempts), (job.id, 1));
    database.leaves_jobs(1);
}
