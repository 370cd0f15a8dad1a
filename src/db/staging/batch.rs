//! The records of a bulk file that are on their way into the staging tables. Those of one object are gathered into one
//! row, because PostgreSQL sorts a few rows faster than many.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::binary::BinaryRows;
use super::encoding::{encode, hash};
use crate::db::{Result, TenantTx};
use crate::domain::record::Record;

/// A batch of this size is sent: large enough to amortise a round trip, small enough for memory.
const MAX_BYTES: usize = 4 << 20;

/// Records that are not in the database yet.
#[derive(Debug, Default)]
pub(super) struct StagingBatch {
    objects: BTreeMap<i64, Object>,
    /// Sales by the key of their agreement.
    sales: BTreeMap<i64, Vec<u8>>,
    /// The keys of agreements and their orders.
    agreements: Vec<(i64, i64)>,
    bytes: usize,
    pub(super) stats: StagingStats,
}

#[derive(Debug, Default)]
struct Object {
    /// Whether the object itself is among its records.
    has_object: bool,
    records: Vec<u8>,
}

/// What a file held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StagingStats {
    pub(super) records: usize,
    /// The newest change of an object.
    pub(super) newest: Option<DateTime<Utc>>,
}

impl StagingStats {
    pub(super) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.newest = self.newest.max(other.newest);
    }
}

/// Stands for the gid of an agreement: numbers are joined faster than texts.
fn agreement_key(gid: &str) -> i64 {
    hash(gid.as_bytes())
}

impl StagingBatch {
    pub(super) fn add(&mut self, record: &Record) -> Result<()> {
        self.stats.records += 1;
        match record {
            Record::Customer(customer) => {
                self.add_object(customer.id.number(), customer.updated_at, record)
            }
            Record::Product(product) => {
                self.add_object(product.id.number(), product.updated_at, record)
            }
            Record::Order(order) => self.add_object(order.id.number(), order.updated_at, record),
            Record::Variant(variant) => self.add_child(variant.product.number(), record),
            Record::LineItem(line) => self.add_child(line.order.number(), record),
            Record::Agreement(agreement) => {
                let order = agreement.order.number();
                self.agreements.push((agreement_key(&agreement.gid), order));
                self.add_child(order, record)
            }
            Record::Sale(sale) => {
                let sales = self.sales.entry(agreement_key(&sale.agreement_gid));
                self.bytes += append(sales.or_default(), record)?;
                Ok(())
            }
        }
    }

    fn add_object(&mut self, id: i64, updated_at: DateTime<Utc>, record: &Record) -> Result<()> {
        self.stats.newest = self.stats.newest.max(Some(updated_at));
        self.add_child(id, record)?;
        self.objects.entry(id).or_default().has_object = true;
        Ok(())
    }

    fn add_child(&mut self, id: i64, record: &Record) -> Result<()> {
        let object = self.objects.entry(id).or_default();
        self.bytes += append(&mut object.records, record)?;
        Ok(())
    }

    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.stats.records == 0
    }

    /// Copies the batch into the staging tables. `number`: how many batches came before.
    pub(super) async fn copy_into(self, transaction: &mut TenantTx, number: i32) -> Result<()> {
        let mut records = BinaryRows::default();
        for (id, object) in &self.objects {
            records.add(|row| {
                row.value(*id);
                row.value(number);
                row.value(object.has_object);
                row.value(object.records.as_slice());
            });
        }
        let mut sales = BinaryRows::default();
        for (agreement, encoded) in &self.sales {
            sales.add(|row| {
                row.value(*agreement);
                row.value(number);
                row.value(encoded.as_slice());
            });
        }
        let mut agreements = BinaryRows::default();
        for (agreement, order) in &self.agreements {
            agreements.add(|row| {
                row.value(*agreement);
                row.value(*order);
            });
        }
        for (statement, rows) in [
            ("copy staged_records from stdin (format binary)", records),
            ("copy staged_sales from stdin (format binary)", sales),
            (
                "copy staged_agreements from stdin (format binary)",
                agreements,
            ),
        ] {
            transaction.copy(statement, rows).await?;
        }
        Ok(())
    }
}

/// Gives how many bytes were added.
fn append(records: &mut Vec<u8>, record: &Record) -> Result<usize> {
    let before = records.len();
    *records = encode(record, std::mem::take(records))?;
    Ok(records.len() - before)
}
