//! The customers with the highest sales of each range in use. A first read takes tens of milliseconds for a month of
//! a large shop. An update to a newer version reads only the customers who changed.

use std::sync::Arc;

use moka::sync::Cache;
use tokio::sync::Mutex;

use super::DataVersion;
use crate::db::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::TenantId;
use crate::domain::ranking::{KEPT, RankedCustomer, Ranking};

/// The approximate size of an entry: 300 customers, and the map that holds the entry.
const ENTRY_BYTES: u32 = 300 * 32 + 300;
/// If more customers have changed, the whole range is read again.
const MAX_CHANGED: i64 = 2_000;

#[derive(Debug)]
pub(super) struct TopCustomersCache {
    entries: Cache<(TenantId, DayRange), Arc<Mutex<Option<Ranking>>>>,
}

impl TopCustomersCache {
    /// Creates a cache of at most this many bytes.
    pub(super) fn new(max_bytes: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|_, _| ENTRY_BYTES)
            .build();
        Self { entries }
    }

    /// The customers with the highest sales in a range, at the version of this snapshot.
    pub(super) async fn first(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>> {
        let entry = self
            .entries
            .get_with((transaction.tenant(), range), Arc::default);
        let mut cached = entry.lock().await;
        let usable = match cached.take() {
            Some(ranking) if ranking.version() > at.version => {
                // Another operation has updated the ranking for a newer snapshot. This operation reads a separate
                // one.
                *cached = Some(ranking);
                drop(cached);
                let own = read(transaction, at, range).await?;
                return Ok(own.first(count).to_vec());
            }
            ranking => ranking.filter(|ranking| ranking.version() >= at.rollup_epoch),
        };
        let ranking = match usable {
            Some(ranking) if ranking.version() == at.version => ranking,
            Some(ranking) => bring_up_to_date(ranking, transaction, at, range).await?,
            None => read(transaction, at, range).await?,
        };
        let first = ranking.first(count).to_vec();
        *cached = Some(ranking);
        Ok(first)
    }
}

async fn bring_up_to_date(
    mut ranking: Ranking,
    transaction: &mut TenantTx,
    at: &DataVersion,
    range: DayRange,
) -> Result<Ranking> {
    let since = ranking.version();
    let changed = transaction
        .changed_spending(&at.currency, range, since, at.version, MAX_CHANGED)
        .await?;
    if let Some(changed) = changed
        && ranking.change(at.version, changed)
    {
        return Ok(ranking);
    }
    read(transaction, at, range).await
}

async fn read(transaction: &mut TenantTx, at: &DataVersion, range: DayRange) -> Result<Ranking> {
    let limit = i64::try_from(KEPT).unwrap_or(i64::MAX).saturating_add(1);
    let rows = transaction
        .top_customers_of_range(&at.currency, range, limit)
        .await?;
    Ok(Ranking::new(at.version, rows))
}
