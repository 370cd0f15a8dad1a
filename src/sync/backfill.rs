//! Fetches all objects of a kind by a bulk operation: starts or resumes it, waits for its end, stages its file, compares
//! the counts, and upserts the objects batch by batch. If Shopify refuses the query, or fails it too often, the objects
//! are fetched page by page.

use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt as _, TryStreamExt as _, stream};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::run::{Run, SyncError};
use crate::db::staging::Staging;
use crate::db::sync_runs::{SyncMethod, SyncStep};
use crate::db::tasks::finished;
use crate::domain::sync::{ObjectKind, SyncMode};
use crate::shopify::{
    BulkErrorCode, BulkState, BulkStatus, Download, DownloadStats, ShopifyError, StartBulkError,
};

/// After so many bulk operations without a complete file, the objects are fetched page by page.
const MAX_BULK_ATTEMPTS: i32 = 3;
/// The smallest batch of objects that are upserted in one transaction.
const MIN_BATCH: i64 = 2_000;
/// How many batches of lines are parsed at the same time.
const READERS: usize = 2;
/// How many more parsed batches may wait to be staged.
const AHEAD: usize = 4;

/// Compares the counts with those that Shopify announced. Nothing of an incomplete file may be upserted.
fn compare(read: &DownloadStats, announced: &BulkStatus) -> Result<(), SyncError> {
    for (what, found, announced) in [
        ("lines", read.lines, announced.object_count),
        ("objects", read.root_lines, announced.root_object_count),
    ] {
        if i64::try_from(found) != Ok(announced) {
            return Err(SyncError::IncompleteFile {
                what,
                found,
                announced,
            });
        }
    }
    Ok(())
}

/// Stages a file. While lines arrive, earlier ones are parsed in threads of their own, and still earlier ones are copied
/// into the database.
pub async fn stage_file(
    download: Download,
    staging: &mut Staging,
) -> Result<DownloadStats, SyncError> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(AHEAD);
    let lines = stream::try_unfold(download, async |mut download| {
        let lines = download.next_lines().await?;
        Ok::<_, ShopifyError>(lines.map(|lines| (lines, download)))
    });
    let batches = lines
        .map_ok(|lines| tokio::task::spawn_blocking(move || lines.read()).map(finished))
        .try_buffered(READERS);
    // Dropping the set ends the task.
    let mut reader = JoinSet::new();
    reader.spawn(async move {
        let mut batches = pin!(batches);
        while let Some(batch) = batches.try_next().await? {
            // The receiver ends early only with an error, which the caller returns.
            drop(sender.send(batch).await);
        }
        Ok::<_, ShopifyError>(())
    });
    let mut downloaded = DownloadStats::default();
    while let Some((records, read)) = receiver.recv().await {
        downloaded += read;
        staging.add(&records).await?;
    }
    if let Some(ended) = reader.join_next().await {
        finished(ended)?;
    }
    if downloaded.unknown_lines > 0 {
        warn!(tenant.id = %staging.tenant(), lines = downloaded.unknown_lines, "a bulk file holds objects of unknown kinds");
    }
    staging.finish().await?;
    Ok(downloaded)
}

impl Run<'_> {
    pub(super) async fn backfill(&self, mut step: SyncStep) -> Result<(), SyncError> {
        while step.bulk_attempts < MAX_BULK_ATTEMPTS {
            let Some(gid) = self.running_operation(&mut step).await? else {
                break;
            };
            let attempt = match self.wait_for(&gid).await {
                Ok(Some(operation)) => self.load_operation(&mut step, &operation).await,
                Ok(None) => Err(SyncError::BulkFailed("Shopify does not find it".to_owned())),
                Err(error) => Err(error),
            };
            match attempt {
                Ok(()) => return Ok(()),
                Err(error) if is_retried_by_another_operation(&error) => {
                    warn!(tenant.id = %self.tenant, sync.kind = step.kind.code(), error = %error, "a bulk operation ended without a complete file");
                    // The same query would be denied again.
                    step.bulk_attempts = if matches!(error, SyncError::BulkDenied) {
                        MAX_BULK_ATTEMPTS
                    } else {
                        step.bulk_attempts + 1
                    };
                    step.bulk_operation_gid = None;
                    self.save(&step).await?;
                }
                Err(error) => return Err(error),
            }
        }
        step.method = SyncMethod::Paged;
        self.save(&step).await?;
        self.fetch_pages(step).await
    }

    /// The operation of this run: the one that a killed process started, or a new one, whose id is stored before it is
    /// polled. `None`: Shopify refuses the query.
    async fn running_operation(&self, step: &mut SyncStep) -> Result<Option<String>, SyncError> {
        if let Some(gid) = &step.bulk_operation_gid {
            info!(tenant.id = %self.tenant, sync.kind = step.kind.code(), "resuming the bulk operation that is under way");
            return Ok(Some(gid.clone()));
        }
        let requested_at = self.sync.clock.now();
        match self.store.start_bulk(step.kind).await {
            Ok(started) => {
                step.bulk_operation_gid = Some(started.gid.clone());
                step.bulk_created_at = Some(started.created_at);
                step.bulk_requested_at = Some(requested_at);
                self.save(step).await?;
                Ok(Some(started.gid))
            }
            Err(StartBulkError::Rejected(message)) => {
                warn!(tenant.id = %self.tenant, sync.kind = step.kind.code(), shopify.message = message, "Shopify refuses the bulk query: fetching page by page");
                Ok(None)
            }
            Err(StartBulkError::Busy(message)) => Err(SyncError::BulkBusy(message)),
            // Pages are fetched by another query.
            Err(StartBulkError::Failed(error)) if is_query_refused(&error) => {
                warn!(tenant.id = %self.tenant, sync.kind = step.kind.code(), error = %error, "Shopify refuses the bulk query: fetching page by page");
                Ok(None)
            }
            Err(StartBulkError::Failed(error)) => Err(error.into()),
        }
    }

    /// Polls the operation until it ends. `None`: Shopify does not find it.
    async fn wait_for(&self, gid: &str) -> Result<Option<BulkStatus>, SyncError> {
        let config = &self.sync.config;
        let mut wait = config.bulk_poll_min;
        let mut progress = (-1, Instant::now());
        loop {
            // Registered before the poll, so that a webhook about the end is not missed meanwhile.
            let mut finished = pin!(self.sync.bulk_finished.notified());
            finished.as_mut().enable();
            match self.store.bulk_status(gid).await? {
                Some(BulkStatus {
                    status:
                        BulkState::Created
                        | BulkState::Running
                        | BulkState::Canceling
                        | BulkState::Unknown,
                    object_count,
                    ..
                }) => {
                    if object_count != progress.0 {
                        progress = (object_count, Instant::now());
                    } else if progress.1.elapsed() > config.bulk_stall {
                        // The operation may have ended meanwhile.
                        if let Err(error) = self.store.cancel_bulk(gid).await {
                            debug!(tenant.id = %self.tenant, error = %error, "a bulk operation could not be cancelled");
                        }
                        return Err(SyncError::BulkFailed("it made no progress".to_owned()));
                    }
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = finished => {}
                    }
                    wait = (wait * 2)
                        .min(config.bulk_poll_max)
                        .max(Duration::from_millis(10));
                }
                ended => return Ok(ended),
            }
        }
    }

    async fn load_operation(
        &self,
        step: &mut SyncStep,
        operation: &BulkStatus,
    ) -> Result<(), SyncError> {
        let staging = self.sync.database.staging(self.tenant, step.kind);
        let mut staging = staging.await?;
        let outcome = self.load_into(&mut staging, step, operation).await;
        staging.close().await;
        outcome
    }

    async fn load_into(
        &self,
        staging: &mut Staging,
        step: &mut SyncStep,
        operation: &BulkStatus,
    ) -> Result<(), SyncError> {
        let fetched_at = step
            .bulk_requested_at
            .unwrap_or_else(|| self.sync.clock.now());
        match (operation.status, &operation.url, &operation.partial_url) {
            (BulkState::Completed, Some(url), _) => {
                let read = stage_file(self.store.download(url)?, staging).await?;
                compare(&read, operation)?;
                self.upsert_staged(step, staging, fetched_at).await?;
                self.finish_backfill(step, staging, operation, fetched_at)
                    .await
            }
            (BulkState::Completed, None, _) => {
                // No address means no lines, unless the counts say otherwise.
                compare(&DownloadStats::default(), operation)?;
                self.finish_backfill(step, staging, operation, fetched_at)
                    .await
            }
            (state, _, partial) => {
                // A part of the objects helps the next attempt; the cursor stays where it was.
                if let Some(url) = partial {
                    stage_file(self.store.download(url)?, staging).await?;
                    self.upsert_staged(step, staging, fetched_at).await?;
                }
                Err(match &operation.error_code {
                    Some(BulkErrorCode::AccessDenied) => SyncError::BulkDenied,
                    Some(code) => SyncError::BulkFailed(format!("{state:?}, {code}")),
                    None => SyncError::BulkFailed(format!("{state:?}, no error code")),
                })
            }
        }
    }

    /// Upserts the staged objects. Each transaction holds a batch of them and the progress of the step.
    async fn upsert_staged(
        &self,
        step: &mut SyncStep,
        staging: &mut Staging,
        fetched_at: DateTime<Utc>,
    ) -> Result<(), SyncError> {
        step.done = 0;
        if step.kind == ObjectKind::Orders {
            let mut transaction = staging.transaction().await?;
            transaction.defer_rollups().await?;
            transaction.commit().await?;
        }
        let batch = batch_size(staging.records(), self.sync.config.merge_chunk);
        while let Some((mut transaction, upserted)) = staging.upsert_next(batch, fetched_at).await?
        {
            let seen = i32::try_from(upserted.seen).unwrap_or(i32::MAX);
            step.done = step.done.saturating_add(seen);
            step.total = step.total.map(|total| total.max(step.done));
            transaction.save_sync_step(self.id, step).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// A complete file also shows which objects were deleted. The cursor is the newest change in the file, but not later
    /// than the operation's start: an object that changed while it ran may have been read before.
    async fn finish_backfill(
        &self,
        step: &mut SyncStep,
        staging: &Staging,
        operation: &BulkStatus,
        fetched_at: DateTime<Utc>,
    ) -> Result<(), SyncError> {
        let mut transaction = staging.transaction().await?;
        if self.mode == SyncMode::Full {
            let oldest = self
                .oldest_order
                .filter(|_| step.kind == ObjectKind::Orders);
            let deleted = staging
                .delete_missing(&mut transaction, fetched_at, oldest)
                .await?;
            if deleted > 0 {
                info!(tenant.id = %self.tenant, sync.kind = step.kind.code(), sync.deleted = deleted, "objects that Shopify no longer has were deleted");
            }
        }
        transaction.build_pending_rollups().await?;
        let began = operation.created_at;
        let cursor = staging.newest().map_or(began, |newest| newest.min(began));
        step.high_water = Some(cursor);
        step.total = Some(step.done);
        self.finish_step(&mut transaction, step, Some(cursor))
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// How many objects are upserted in one transaction: few enough that progress is visible, many enough that a transaction
/// is worth its overhead. An order has some eight records.
fn batch_size(records: usize, max: i64) -> i64 {
    i64::try_from(records / 80)
        .unwrap_or(max)
        .max(MIN_BATCH)
        .min(max)
}

fn is_query_refused(error: &ShopifyError) -> bool {
    matches!(
        error,
        ShopifyError::QueryRefused { .. }
            | ShopifyError::AccessDenied { .. }
            | ShopifyError::TooCostly
            | ShopifyError::UserErrors(_)
    )
}

/// Whether another bulk operation may succeed where the same request would not.
fn is_retried_by_another_operation(error: &SyncError) -> bool {
    matches!(
        error,
        SyncError::BulkFailed(_)
            | SyncError::BulkDenied
            | SyncError::IncompleteFile { .. }
            | SyncError::Shopify(
                ShopifyError::BulkUrlExpired
                    | ShopifyError::BulkUrlRefused
                    | ShopifyError::MalformedLine { .. }
                    | ShopifyError::Unconvertible(_)
            )
    )
}
