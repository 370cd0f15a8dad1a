//! Parts of orders on their way through the database. A bulk file names them in any order, and more of them than
//! memory holds: what has gathered is sorted by order and cut into pages, and the pages of all such runs, read in
//! the order of the first order in each, yield one whole order after the other. So much of each run is in memory
//! as a page and what of its orders is not complete yet.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::binary::BinaryRows;
use super::packed::{pack, unpack};
use super::rows::packed_hash;
use crate::db::{DbError, Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::domain::record::Record;

/// A page and its row's header fit into a block of PostgreSQL, which then stores it as it is.
const PAGE_BYTES: usize = 8_000;
/// So many pages are read at once, half a megabyte.
const PAGES_AT_ONCE: i64 = 64;

/// Parts of orders that have gathered.
#[derive(Debug, Default)]
pub(super) struct Run {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    order: OrderId,
    start: usize,
    end: usize,
}

impl Run {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn add(&mut self, order: OrderId, record: &Record) {
        let start = self.bytes.len();
        pack(record, &mut self.bytes);
        self.note(order, start);
    }

    /// Adds a record that is packed already.
    pub(super) fn add_packed(&mut self, order: OrderId, record: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.note(order, start);
    }

    fn note(&mut self, order: OrderId, start: usize) {
        let end = self.bytes.len();
        self.parts.push(Part { order, start, end });
    }

    /// Its pages as rows of `staged_pages`, numbered on from those that were cut before.
    pub(super) fn cut(mut self, pages: &mut i64) -> BinaryRows {
        self.parts.sort_by_key(|part| part.order);
        let mut rows = BinaryRows::default();
        let mut page = Page::default();
        for part in &self.parts {
            let record = self.bytes.get(part.start..part.end).unwrap_or_default();
            if page.is_full_for(record) {
                page.finish(pages, &mut rows);
            }
            page.add(part.order, record);
        }
        page.finish(pages, &mut rows);
        rows
    }
}

/// Records with the ids of their orders before them.
#[derive(Debug, Default)]
struct Page {
    first: Option<OrderId>,
    bytes: Vec<u8>,
}

impl Page {
    const fn is_full_for(&self, record: &[u8]) -> bool {
        self.first.is_some() && self.bytes.len() + size_of::<i64>() + record.len() > PAGE_BYTES
    }

    fn add(&mut self, order: OrderId, record: &[u8]) {
        self.first.get_or_insert(order);
        self.bytes.extend_from_slice(&order.number().to_le_bytes());
        self.bytes.extend_from_slice(record);
    }

    fn finish(&mut self, pages: &mut i64, rows: &mut BinaryRows) {
        if let Some(first) = self.first.take() {
            *pages += 1;
            rows.add(|row| {
                row.write(first);
                row.write(*pages);
                row.write(self.bytes.as_slice());
            });
            self.bytes.clear();
        }
    }

    fn read(mut bytes: &[u8], parts: &mut Parts) -> Result<()> {
        let unreadable = || DbError::Corrupt("a staged page".to_owned());
        while let Some((order, rest)) = bytes.split_first_chunk() {
            let mut after = rest;
            let record = unpack(&mut after).ok_or_else(unreadable)?;
            let packed = rest.len() - after.len();
            let hash = packed_hash(rest.get(..packed).unwrap_or_default());
            let order = OrderId::new(i64::from_le_bytes(*order));
            parts
                .entry(order)
                .or_default()
                .push(Staged { record, hash });
            bytes = after;
        }
        if bytes.is_empty() {
            Ok(())
        } else {
            Err(unreadable())
        }
    }
}

/// A record that was staged, with the hash of its content.
#[derive(Debug, PartialEq)]
pub(in crate::db) struct Staged {
    pub(in crate::db) record: Record,
    pub(in crate::db) hash: i64,
}

type Parts = BTreeMap<OrderId, Vec<Staged>>;

/// The staged orders, read one stretch of ids after the other.
#[derive(Debug, Default)]
pub(super) struct StagedOrders {
    /// The first order and the number of the last page that was read.
    read: Option<(OrderId, i64)>,
    ended: bool,
    parts: Parts,
    /// What takes pages apart that were read ahead, and adds them to the parts.
    ahead: JoinSet<Result<Parts>>,
    /// How many pages were read, and how many orders they gave.
    pages: usize,
    orders: usize,
}

impl StagedOrders {
    /// The records of the next orders, all those of an order together. None: there are no more.
    pub(super) async fn next(
        &mut self,
        transaction: &mut TenantTx,
        limit: usize,
    ) -> Result<Vec<Staged>> {
        self.take_what_is_ahead().await?;
        while !self.ended && self.complete() <= limit {
            for page in self.read_pages(transaction).await? {
                Page::read(&page, &mut self.parts)?;
            }
        }
        let behind = self.parts.keys().nth(limit).copied();
        let unread = self.read.filter(|_| !self.ended).map(|(first, _)| first);
        let rest = match [behind, unread].into_iter().flatten().min() {
            Some(first) => self.parts.split_off(&first),
            None => BTreeMap::new(),
        };
        let orders = std::mem::replace(&mut self.parts, rest);
        self.orders += orders.len();
        Ok(orders.into_values().flatten().collect())
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
        while !self.ended && pages.len() < enough {
            pages.extend(self.read_pages(transaction).await?);
        }
        let mut parts = std::mem::take(&mut self.parts);
        self.ahead.spawn_blocking(move || {
            for page in pages {
                Page::read(&page, &mut parts)?;
            }
            Ok(parts)
        });
        Ok(())
    }

    async fn take_what_is_ahead(&mut self) -> Result<()> {
        match self.ahead.join_next().await {
            Some(Ok(parts)) => self.parts = parts?,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => {}
        }
        Ok(())
    }

    /// How many orders have no part in any page to come.
    fn complete(&self) -> usize {
        self.read
            .map_or(0, |(first, _)| self.parts.range(..first).count())
    }

    async fn read_pages(&mut self, transaction: &mut TenantTx) -> Result<Vec<Vec<u8>>> {
        let (first, number) = self
            .read
            .map_or((i64::MIN, 0), |(first, number)| (first.number(), number));
        let pages = sqlx::query!(
            "select first_order, number, records from staged_pages where (first_order, number) > ($1, $2) \
             order by first_order, number limit $3",
            first,
            number,
            PAGES_AT_ONCE
        )
        .fetch_all(transaction.connection())
        .await?;
        self.ended = i64::try_from(pages.len()).is_ok_and(|read| read < PAGES_AT_ONCE);
        self.pages += pages.len();
        if let Some(last) = pages.last() {
            self.read = Some((OrderId::new(last.first_order), last.number));
        }
        Ok(pages.into_iter().map(|page| page.records).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::AgreementRecord;
    use crate::domain::sale::AgreementReason;

    fn agreement(order: i64, gid: &str) -> Record {
        Record::Agreement(AgreementRecord {
            order: OrderId::new(order),
            gid: gid.to_owned(),
            happened_at: chrono::DateTime::UNIX_EPOCH,
            reason: AgreementReason::Order,
        })
    }

    #[test]
    fn a_page_reads_back_by_order() {
        let mut page = Page::default();
        let mut packed = Vec::new();
        for (order, gid) in [(-7, "a"), (9, "b"), (-7, "c")] {
            packed.clear();
            pack(&agreement(order, gid), &mut packed);
            page.add(OrderId::new(order), &packed);
        }
        let mut parts = BTreeMap::new();
        Page::read(&page.bytes, &mut parts).unwrap();
        let parts: BTreeMap<_, Vec<_>> = parts
            .into_iter()
            .map(|(order, staged)| (order, staged.into_iter().map(|one| one.record).collect()))
            .collect();
        assert_eq!(
            parts,
            BTreeMap::from([
                (
                    OrderId::new(-7),
                    vec![agreement(-7, "a"), agreement(-7, "c")]
                ),
                (OrderId::new(9), vec![agreement(9, "b")]),
            ])
        );
        let cut = page.bytes.get(..page.bytes.len() - 1).unwrap();
        assert!(Page::read(cut, &mut BTreeMap::new()).is_err());
    }

    #[test]
    fn what_is_longer_than_a_page_has_one_of_its_own() {
        let mut run = Run::default();
        for (order, length) in [(3, 10), (1, 20_000), (2, 10), (1, 10)] {
            run.add(OrderId::new(order), &agreement(order, &"x".repeat(length)));
        }
        let mut pages = 5;
        let rows = run.cut(&mut pages);
        assert_eq!(pages, 7);
        assert!(rows.bytes() > 20_000);
    }
}
