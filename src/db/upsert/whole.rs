//! Orders put together from their records in memory: the one place that knows which records make an order, which of
//! two counts, and in which order its sales stand in the ledger.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use crate::db::staging::rows::{Row, hash};
use crate::domain::amounts::{Amounts, SaleTerms};
use crate::domain::ids::{LineItemId, OrderId, ProductId};
use crate::domain::record::{
    AgreementRecord, LineItemRecord, OrderRecord, Record, RefundRecord, SaleRecord,
};
use crate::domain::sale::{AgreementReason, SaleLineType};

/// An order with all that belongs to it; what came twice counts once.
pub(super) struct Whole<'a> {
    pub(super) order: &'a OrderRecord,
    /// The record of the order, and those of its lines.
    pub(super) record: &'a Record,
    pub(super) lines: BTreeMap<LineItemId, (&'a LineItemRecord, &'a Record)>,
    /// By the gids of agreement and sale.
    sales: BTreeMap<(&'a str, &'a str), (&'a AgreementRecord, &'a SaleRecord)>,
    /// Of everything in it.
    pub(super) hash: i64,
    /// Of what is kept beside its row, or counts there: its lines, its refunds, its sales, and whether it is a test.
    pub(super) parts_hash: i64,
}

/// A sale in its place in the ledger.
pub(super) struct Entered<'a> {
    /// From 1, in the order in which the sales of an order happened.
    pub(super) position: i32,
    pub(super) happened_at: DateTime<Utc>,
    pub(super) agreement: &'a AgreementRecord,
    pub(super) sale: &'a SaleRecord,
    /// What was sold, where the sale names it.
    pub(super) line: Option<&'a LineItemRecord>,
}

impl Entered<'_> {
    /// What it adds to the figures.
    pub(super) fn amounts(&self) -> Amounts {
        SaleTerms {
            reason: self.agreement.reason,
            action: self.sale.action,
            line_type: self.sale.line_type,
            quantity: self.sale.quantity,
            total: self.sale.total,
            tax: self.sale.tax,
            discount: self.sale.discount,
        }
        .amounts()
    }

    /// The product of which something was sold or taken back, where it is known.
    pub(super) fn product(&self) -> Option<ProductId> {
        let of_product = self.sale.line_type == SaleLineType::Product;
        self.line
            .filter(|_| of_product)
            .and_then(|line| line.product)
    }
}

impl<'a> Whole<'a> {
    pub(super) fn has_product(&self) -> bool {
        self.sales
            .values()
            .any(|(_, sale)| sale.line_type == SaleLineType::Product)
    }

    /// Of what is in its own row alone.
    pub(super) const fn header_hash(&self) -> i64 {
        self.hash ^ self.parts_hash
    }

    fn add_part(&mut self, hash: i64) {
        self.hash ^= hash;
        self.parts_hash ^= hash;
    }

    /// Whether it is one in the figure "orders".
    pub(super) fn counts(&self) -> bool {
        self.has_product() && !self.order.test
    }

    /// What the order was placed with happens when it was placed, everything else when its agreement came about.
    fn happened_at(&self, agreement: &AgreementRecord) -> DateTime<Utc> {
        if agreement.reason == AgreementReason::Order {
            self.order.processed_at
        } else {
            agreement.happened_at
        }
    }

    /// Its refunds, each once.
    pub(super) fn refunds(&self) -> impl Iterator<Item = &'a RefundRecord> {
        let refunds = self.order.refunds.iter();
        let refunds: BTreeMap<_, _> = refunds.map(|refund| (refund.id, refund)).collect();
        refunds.into_values()
    }

    /// Its part of the ledger.
    pub(super) fn ledger(&self) -> Vec<Entered<'a>> {
        let mut ledger: Vec<_> = self
            .sales
            .values()
            .map(|(agreement, sale)| Entered {
                position: 0,
                happened_at: self.happened_at(agreement),
                agreement,
                sale,
                line: sale
                    .line_item
                    .and_then(|id| self.lines.get(&id))
                    .map(|(line, _)| *line),
            })
            .collect();
        // What happened at once stays in the order of the gids.
        ledger.sort_by_key(|entered| entered.happened_at);
        for (position, entered) in (1..).zip(&mut ledger) {
            entered.position = position;
        }
        ledger
    }
}

/// The parts of an order that its own record holds.
fn hash_of_own_parts(order: &OrderRecord) -> i64 {
    if order.refunds.is_empty() {
        return i64::from(order.test);
    }
    let mut bytes = vec![u8::from(order.test)];
    for refund in &order.refunds {
        bytes.extend(refund.id.number().to_be_bytes());
        bytes.extend(refund.processed_at.timestamp_micros().to_be_bytes());
        bytes.extend(refund.total_refunded.normalize().serialize());
    }
    hash(&[&bytes])
}

/// Puts the records of orders together, each given with the hash of its content.
pub(super) fn whole_orders<'a>(records: &[(&'a Record, i64)]) -> BTreeMap<OrderId, Whole<'a>> {
    let mut orders: BTreeMap<OrderId, Whole<'_>> = BTreeMap::new();
    for (record, hash) in records {
        if let Record::Order(order) = record {
            let newer = orders
                .get(&order.id)
                .is_none_or(|known| known.order.updated_at < order.updated_at);
            if newer {
                let whole = Whole {
                    order,
                    record,
                    lines: BTreeMap::new(),
                    sales: BTreeMap::new(),
                    hash: *hash,
                    parts_hash: hash_of_own_parts(order),
                };
                orders.insert(order.id, whole);
            }
        }
    }
    let mut agreements: HashMap<&str, &AgreementRecord> = HashMap::new();
    for (record, hash) in records {
        match record {
            Record::LineItem(line) => {
                if let Some(order) = orders.get_mut(&line.order)
                    && let Entry::Vacant(place) = order.lines.entry(line.id)
                {
                    place.insert((line, record));
                    order.add_part(*hash);
                }
            }
            Record::Agreement(agreement) => {
                if let Some(order) = orders.get_mut(&agreement.order)
                    && agreements.insert(&agreement.gid, agreement).is_none()
                {
                    order.add_part(*hash);
                }
            }
            _ => {}
        }
    }
    for (record, hash) in records {
        if let Record::Sale(sale) = record
            && let Some(agreement) = agreements.get(sale.agreement_gid.as_str())
            && let Some(order) = orders.get_mut(&agreement.order)
        {
            let gids = (sale.agreement_gid.as_str(), sale.gid.as_str());
            if let Entry::Vacant(place) = order.sales.entry(gids) {
                place.insert((agreement, sale));
                order.add_part(*hash);
            }
        }
    }
    orders
}

/// Writes a sale as a row of the ledger, without the tenant.
pub(super) fn fill_sale(
    row: &mut impl Row,
    order: &Whole<'_>,
    entered: &Entered<'_>,
    day: Option<NaiveDate>,
) {
    let Entered {
        position,
        happened_at,
        agreement,
        sale,
        line,
    } = entered;
    row.value(order.order.id);
    row.value(*position);
    row.text(
        agreement
            .gid
            .strip_prefix("gid://shopify/")
            .unwrap_or(&agreement.gid),
    );
    row.instant(*happened_at);
    row.optional(day);
    row.text(agreement.reason.word());
    row.text(sale.action.word());
    row.text(sale.line_type.word());
    row.optional(sale.quantity);
    row.text(sale.currency.code());
    row.value(sale.total);
    row.value(sale.tax);
    row.value(sale.discount);
    row.optional(sale.line_item);
    row.optional(line.and_then(|line| line.product));
    row.optional(line.and_then(|line| line.variant));
}

/// Writes a refund as a row of its table, without the tenant.
pub(super) fn fill_refund(row: &mut impl Row, order: OrderId, refund: &RefundRecord) {
    row.value(order);
    row.value(refund.id);
    row.instant(refund.processed_at);
    row.value(refund.total_refunded);
}
