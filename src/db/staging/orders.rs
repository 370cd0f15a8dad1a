//! The staged orders, put together from pages: a bulk file names the parts of orders in any order.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::pages::{PAGES_AT_ONCE, Reading, read_page};
use super::rows::packed_hash;
use crate::db::tasks::finished;
use crate::db::{Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::domain::record::Record;

/// A record that was staged, with the hash of its content.
#[derive(Debug, PartialEq)]
pub(in crate::db) struct Staged {
    pub(in crate::db) record: Record,
    pub(in crate::db) hash: i64,
}

type Parts = BTreeMap<OrderId, Vec<Staged>>;

fn take_apart(page: &[u8], parts: &mut Parts) -> Result<()> {
    read_page(page, |order, record, bytes| {
        let hash = packed_hash(bytes);
        let staged = Staged { record, hash };
        parts.entry(OrderId::new(order)).or_default().push(staged);
    })
}

/// The staged orders, read one stretch of ids after the other.
#[derive(Debug, Default)]
pub(super) struct StagedOrders {
    reading: Reading,
    parts: Parts,
    /// What takes pages apart that were read ahead, and adds them to the parts.
    ahead: JoinSet<Result<Parts>>,
    /// How many pages were read, and how many orders they gave.
    pages: usize,
    orders: usize,
}

impl StagedOrders {
    /// The next orders, each with all its records. None: there are no more.
    pub(super) async fn next(
        &mut self,
        transaction: &mut TenantTx,
        limit: usize,
    ) -> Result<Vec<(OrderId, Vec<Staged>)>> {
        self.take_what_is_ahead().await?;
        while !self.reading.has_ended() && self.complete() <= limit {
            for page in self.read_pages(transaction).await? {
                take_apart(&page, &mut self.parts)?;
            }
        }
        let behind = self.parts.keys().nth(limit).copied();
        let unread = self.reading.unread().map(OrderId::new);
        let rest = match [behind, unread].into_iter().flatten().min() {
            Some(first) => self.parts.split_off(&first),
            None => BTreeMap::new(),
        };
        let orders = std::mem::replace(&mut self.parts, rest);
        self.orders += orders.len();
        Ok(orders.into_iter().collect())
    }

    /// Reads about as many pages as the next orders take, and has another processor take them apart while those
    /// before are merged.
    pub(super) async fn read_ahead(
        &mut self,
        transaction: &mut TenantTx,
        limit: usize,
    ) -> Result<()> {
        let missing = limit.saturating_sub(self.complete());
        let enough = missing.saturating_mul(self.pages) / self.orders.max(1);
        let mut pages = Vec::new();
        while !self.reading.has_ended() && pages.len() < enough {
            pages.extend(self.read_pages(transaction).await?);
        }
        let mut parts = std::mem::take(&mut self.parts);
        self.ahead.spawn_blocking(move || {
            for page in pages {
                take_apart(&page, &mut parts)?;
            }
            Ok(parts)
        });
        Ok(())
    }

    async fn take_what_is_ahead(&mut self) -> Result<()> {
        if let Some(parts) = self.ahead.join_next().await {
            self.parts = finished(parts)?;
        }
        Ok(())
    }

    /// How many orders have no part in any page to come.
    fn complete(&self) -> usize {
        let (first, _) = self.reading.last();
        self.parts.range(..OrderId::new(first)).count()
    }

    async fn read_pages(&mut self, transaction: &mut TenantTx) -> Result<Vec<Vec<u8>>> {
        let (first, number) = self.reading.last();
        let pages = sqlx::query!(
            "select first_order, number, records from staged_pages where (first_order, number) > ($1, $2) \
             order by first_order, number limit $3",
            first,
            number,
            PAGES_AT_ONCE
        )
        .fetch_all(transaction.connection())
        .await?;
        let last = pages.last().map(|page| (page.first_order, page.number));
        self.reading.go_on(pages.len(), last);
        self.pages += pages.len();
        Ok(pages.into_iter().map(|page| page.records).collect())
    }
}
