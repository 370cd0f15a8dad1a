//! The rankings that are asked for, each of the version it was last asked at. Reading one anew costs what its
//! range holds; bringing it to a later version costs what changed.

use std::sync::Arc;

use moka::sync::Cache;
use tokio::sync::Mutex;

use super::Edition;
use crate::db::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::TenantId;
use crate::domain::ranking::{KEPT, RankedCustomer, Ranking};

/// About what a ranking takes: three hundred customers, and what holds them.
const BYTES: u32 = 300 * 32 + 300;
/// When more customers than these changed, the range is read anew.
const MAX_CHANGED: i64 = 2_000;

#[derive(Debug)]
pub(super) struct Rankings {
    kept: Cache<(TenantId, DayRange), Arc<Mutex<Option<Ranking>>>>,
}

impl Rankings {
    /// Keeps at most so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let kept = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, _| BYTES)
            .build();
        Self { kept }
    }

    /// The first of those who spent most in a range.
    pub(super) async fn first(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>> {
        let shared = self
            .kept
            .get_with((transaction.tenant(), range), Arc::default);
        let mut kept = shared.lock().await;
        let known = match kept.take() {
            Some(ranking) if ranking.version() > edition.version => {
                // Another operation has read a later snapshot already; this one's is read apart.
                *kept = Some(ranking);
                drop(kept);
                let own = read(transaction, edition, range).await?;
                return Ok(own.first(count).to_vec());
            }
            // One of before everything was worked out anew is of no use.
            known => known.filter(|ranking| ranking.version() >= edition.rebuilt),
        };
        let ranking = match known {
            Some(ranking) if ranking.version() == edition.version => ranking,
            Some(ranking) => bring_up_to(ranking, transaction, edition, range).await?,
            None => read(transaction, edition, range).await?,
        };
        let first = ranking.first(count).to_vec();
        *kept = Some(ranking);
        Ok(first)
    }
}

async fn bring_up_to(
    mut ranking: Ranking,
    transaction: &mut TenantTx,
    edition: &Edition,
    range: DayRange,
) -> Result<Ranking> {
    let changed = transaction
        .changed_spending(
            &edition.currency,
            range,
            ranking.version(),
            edition.version,
            MAX_CHANGED,
        )
        .await?;
    if let Some(changed) = changed
        && ranking.change(edition.version, changed)
    {
        return Ok(ranking);
    }
    read(transaction, edition, range).await
}

async fn read(transaction: &mut TenantTx, edition: &Edition, range: DayRange) -> Result<Ranking> {
    let limit = i64::try_from(KEPT).unwrap_or(i64::MAX).saturating_add(1);
    let rows = transaction
        .top_customers_of_range(&edition.currency, range, limit)
        .await?;
    Ok(Ranking::new(edition.version, rows))
}
