//! Parts of orders on their way through the database. A bulk file names them in any order, and more of them than
//! memory holds: what has gathered is sorted by order and cut into pages, and the pages of all such runs, read in
//! the order of the first order in each, yield one whole order after the other. So much of each run is in memory
//! as a page and what of its orders is not complete yet.

use std::collections::BTreeMap;

use super::binary::BinaryRows;
use super::packed::{pack, unpack};
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

    fn read(mut bytes: &[u8], parts: &mut BTreeMap<OrderId, Vec<Record>>) -> Option<()> {
        while let Some((order, rest)) = bytes.split_first_chunk() {
            bytes = rest;
            let order = OrderId::new(i64::from_le_bytes(*order));
            parts.entry(order).or_default().push(unpack(&mut bytes)?);
        }
        bytes.is_empty().then_some(())
    }
}

/// The staged orders, read one stretch of ids after the other.
#[derive(Debug, Default)]
pub(super) struct StagedOrders {
    /// The first order and the number of the last page that was read.
    read: Option<(OrderId, i64)>,
    ended: bool,
    parts: BTreeMap<OrderId, Vec<Record>>,
}

impl StagedOrders {
    /// The records of the next orders, all those of an order together. None: there are no more.
    pub(super) async fn next(
        &mut self,
        transaction: &mut TenantTx,
        limit: usize,
    ) -> Result<Vec<Record>> {
        while !self.ended && self.complete() <= limit {
            self.read_pages(transaction).await?;
        }
        let behind = self.parts.keys().nth(limit).copied();
        let unread = self.read.filter(|_| !self.ended).map(|(first, _)| first);
        let rest = match [behind, unread].into_iter().flatten().min() {
            Some(first) => self.parts.split_off(&first),
            None => BTreeMap::new(),
        };
        let orders = std::mem::replace(&mut self.parts, rest);
        Ok(orders.into_values().flatten().collect())
    }

    /// How many orders have no part in any page to come.
    fn complete(&self) -> usize {
        self.read
            .map_or(0, |(first, _)| self.parts.range(..first).count())
    }

    async fn read_pages(&mut self, transaction: &mut TenantTx) -> Result<()> {
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
        for page in pages {
            self.read = Some((OrderId::new(page.first_order), page.number));
            Page::read(&page.records, &mut self.parts)
                .ok_or_else(|| DbError::Corrupt("a staged page".to_owned()))?;
        }
        Ok(())
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
        assert_eq!(Page::read(&page.bytes, &mut parts), Some(()));
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
        assert_eq!(Page::read(cut, &mut BTreeMap::new()), None);
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
