//! The day books of the stores that are asked about, each of the version it was last asked at. A book knows
//! which version it is of, so that it can be brought to a later one by what changed since; those not asked for
//! are dropped when there are too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, NaiveDate, Utc};
use moka::sync::Cache;
use tokio::sync::Mutex;

use super::Edition;
use crate::db::{Result, TenantTx};
use crate::domain::day_book::DayBook;
use crate::domain::ids::TenantId;

#[derive(Debug)]
pub(super) struct Books {
    kept: Cache<TenantId, Arc<Shared>>,
}

/// A book that the operations of its store share. Locked while it is brought up to date: the others need what
/// is being read.
#[derive(Debug)]
struct Shared {
    book: Mutex<DayBook>,
    bytes: AtomicU32,
}

impl Books {
    /// Keeps at most so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let kept = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, shared: &Arc<Shared>| shared.bytes.load(Ordering::Relaxed))
            .build();
        Self { kept }
    }

    fn weigh(&self, tenant: TenantId, shared: &Arc<Shared>, book: &DayBook) {
        let bytes = u32::try_from(book.size()).unwrap_or(u32::MAX);
        shared.bytes.store(bytes, Ordering::Relaxed);
        // Weighed anew.
        self.kept.insert(tenant, Arc::clone(shared));
    }

    /// Asks the store's book, after bringing it to the version that the operation reads.
    pub(super) async fn ask<T>(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        question: impl FnOnce(&DayBook) -> T,
    ) -> Result<T> {
        let tenant = transaction.tenant();
        let shared = self.of(tenant, edition);
        let mut book = shared.book.lock().await;
        if book.version() > edition.version {
            drop(book);
            // Another operation has read a later snapshot already; this one's is read apart.
            let mut own = DayBook::new(edition.currency.clone());
            bring_up_to(&mut own, transaction, edition).await?;
            return Ok(question(&own));
        }
        if book.version() < edition.rebuilt || book.currency() != &edition.currency {
            *book = DayBook::new(edition.currency.clone());
        }
        if book.version() < edition.version {
            bring_up_to(&mut book, transaction, edition).await?;
            self.weigh(tenant, &shared, &book);
        }
        Ok(question(&book))
    }

    /// The instants at which days begin in the store's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        time_zone: &str,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>> {
        let shared = self.of(transaction.tenant(), edition);
        let mut book = shared.book.lock().await;
        if book.version() != edition.version {
            // Of another snapshot, in which the store may have been in another zone.
            drop(book);
            return transaction.day_starts(days, time_zone).await;
        }
        let missing = book.without_start(days);
        if !missing.is_empty() {
            let starts = transaction.day_starts(&missing, time_zone).await?;
            book.note_starts(missing.into_iter().zip(starts));
        }
        Ok(days.iter().filter_map(|day| book.start(*day)).collect())
    }

    fn of(&self, tenant: TenantId, edition: &Edition) -> Arc<Shared> {
        self.kept.get_with(tenant, || {
            Arc::new(Shared {
                book: Mutex::new(DayBook::new(edition.currency.clone())),
                bytes: AtomicU32::new(0),
            })
        })
    }
}

async fn bring_up_to(
    book: &mut DayBook,
    transaction: &mut TenantTx,
    edition: &Edition,
) -> Result<()> {
    let changes = if book.version() < 0 {
        transaction.sales_timeline(book.currency()).await?
    } else {
        let version = book.version();
        transaction
            .timeline_changes_since(book.currency(), version)
            .await?
    };
    book.change(edition.version, changes);
    Ok(())
}
