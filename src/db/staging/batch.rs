//! Records in the form in which they are staged, made by whichever thread has the time: what needs nothing but the
//! record. Where each belongs is found when batches are put together (`prepared.rs`).

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::packed::Packed as _;
use super::rows;
use crate::domain::ids::OrderId;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// Some records, ready to be staged.
#[derive(Debug, Default)]
pub struct Batch {
    /// Customers, products and variants as lines of COPY's text format.
    pub(super) customers: String,
    pub(super) products: String,
    pub(super) variants: String,
    /// How many lines these are.
    pub(super) lines: usize,
    /// Parts of orders, packed, one after the other.
    bytes: Vec<u8>,
    parts: Vec<(Part, usize)>,
    /// The newest change of the objects of each kind.
    pub(super) newest: HashMap<ObjectKind, DateTime<Utc>>,
}

/// What a packed record is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Order(OrderId),
    Line(OrderId),
    /// With what stands for its gid.
    Agreement(OrderId, i64),
    /// With what stands for the gid of its agreement: it names no order.
    Sale(i64),
}

impl Batch {
    /// Makes records ready.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut batch = Self::default();
        for record in records {
            batch.add(record);
        }
        batch
    }

    fn add(&mut self, record: &Record) {
        match record {
            Record::Customer(customer) => {
                self.see(ObjectKind::Customers, customer.updated_at);
                rows::copy_line(&mut self.customers, record);
                self.lines += 1;
            }
            Record::Product(product) => {
                self.see(ObjectKind::Products, product.updated_at);
                rows::copy_line(&mut self.products, record);
                self.lines += 1;
            }
            Record::Variant(_) => {
                rows::copy_line(&mut self.variants, record);
                self.lines += 1;
            }
            Record::Order(order) => {
                self.see(ObjectKind::Orders, order.updated_at);
                self.add_part(Part::Order(order.id), record);
            }
            Record::LineItem(line) => self.add_part(Part::Line(line.order), record),
            Record::Agreement(agreement) => {
                let key = rows::key(&agreement.gid);
                self.add_part(Part::Agreement(agreement.order, key), record);
            }
            Record::Sale(sale) => {
                let agreement = rows::key(&sale.agreement_gid);
                self.add_part(Part::Sale(agreement), record);
            }
        }
    }

    fn see(&mut self, kind: ObjectKind, updated_at: DateTime<Utc>) {
        let newest = self.newest.entry(kind).or_insert(updated_at);
        *newest = updated_at.max(*newest);
    }

    fn add_part(&mut self, part: Part, record: &Record) {
        record.pack(&mut self.bytes);
        self.parts.push((part, self.bytes.len()));
    }

    /// The parts of orders, each with its bytes.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, &[u8])> {
        self.parts.iter().scan(0, |start, (part, end)| {
            let bytes = self.bytes.get(*start..*end).unwrap_or_default();
            *start = *end;
            Some((*part, bytes))
        })
    }
}
