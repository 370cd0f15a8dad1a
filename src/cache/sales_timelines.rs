//! The sales timeline of each shop in use. A timeline stores its data version. For a newer snapshot it reads only the
//! rows that changed since that version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use moka::sync::Cache;
use tokio::sync::Mutex;

use super::DataVersion;
use crate::db::{Result, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::sales_timeline::SalesTimeline;

#[derive(Debug)]
pub(super) struct SalesTimelines {
    entries: Cache<TenantId, Arc<Entry>>,
}

/// A timeline that all operations of its shop share. It is locked during an update, because the waiting operations
/// need the same rows.
#[derive(Debug)]
struct Entry {
    timeline: Mutex<SalesTimeline>,
    bytes: AtomicU32,
}

impl SalesTimelines {
    /// Creates a cache of at most this many bytes.
    pub(super) fn new(max_bytes: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|_, entry: &Arc<Entry>| entry.bytes.load(Ordering::Relaxed))
            .build();
        Self { entries }
    }

    /// Queries the shop's timeline at the version of this snapshot.
    pub(super) async fn query<T>(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        query: impl FnOnce(&SalesTimeline) -> T,
    ) -> Result<T> {
        let tenant = transaction.tenant();
        let entry = self.entry(tenant, at);
        let mut timeline = entry.timeline.lock().await;
        if timeline.version() > at.version {
            // Another operation has updated the timeline for a newer snapshot. This operation reads a separate one.
            drop(timeline);
            let mut own = SalesTimeline::new(at.currency.clone());
            bring_up_to_date(&mut own, transaction, at).await?;
            return Ok(query(&own));
        }
        if timeline.version() < at.rollup_epoch || timeline.currency() != &at.currency {
            *timeline = SalesTimeline::new(at.currency.clone());
        }
        if timeline.version() < at.version {
            bring_up_to_date(&mut timeline, transaction, at).await?;
            self.update_weight(tenant, &entry, &timeline);
        }
        Ok(query(&timeline))
    }

    /// The instants at which days begin in the shop's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        time_zone: &str,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>> {
        let entry = self.entry(transaction.tenant(), at);
        let mut timeline = entry.timeline.lock().await;
        if timeline.version() != at.version {
            // The timeline may have been built for another time zone of the shop.
            drop(timeline);
            return transaction.day_starts(days, time_zone).await;
        }
        let missing = timeline.without_start(days);
        if !missing.is_empty() {
            let starts = transaction.day_starts(&missing, time_zone).await?;
            timeline.note_starts(missing.into_iter().zip(starts));
        }
        Ok(days.iter().filter_map(|day| timeline.start(*day)).collect())
    }

    fn entry(&self, tenant: TenantId, at: &DataVersion) -> Arc<Entry> {
        self.entries.get_with(tenant, || {
            Arc::new(Entry {
                timeline: Mutex::new(SalesTimeline::new(at.currency.clone())),
                bytes: AtomicU32::new(0),
            })
        })
    }

    fn update_weight(&self, tenant: TenantId, entry: &Arc<Entry>, timeline: &SalesTimeline) {
        let bytes = u32::try_from(timeline.size()).unwrap_or(u32::MAX);
        entry.bytes.store(bytes, Ordering::Relaxed);
        // moka computes the weight of an entry only when it is inserted.
        self.entries.insert(tenant, Arc::clone(entry));
    }
}

async fn bring_up_to_date(
    timeline: &mut SalesTimeline,
    transaction: &mut TenantTx,
    at: &DataVersion,
) -> Result<()> {
    let changes = if timeline.version() < 0 {
        transaction.sales_timeline(&at.currency).await?
    } else {
        let version = timeline.version();
        transaction
            .timeline_changes_since(&at.currency, version)
            .await?
    };
    timeline.change(at.version, changes);
    Ok(())
}
