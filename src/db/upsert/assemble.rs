//! Assembles orders from their records. Only this module decides which records belong to an order, which of two
//! duplicates counts, and in which order the sales are numbered in the ledger.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::db::Result;
use crate::db::staging::encoding::content_hash;
use crate::domain::ids::{CustomerId, OrderId};
use crate::domain::money::Currency;
use crate::domain::record::{
    AgreementRecord, LineItemRecord, OrderRecord, Record, RefundRecord, SaleRecord,
};
use crate::domain::sale::{AgreementReason, SaleLineType};

/// An order with its children, without duplicates.
#[derive(Debug)]
pub(super) struct AssembledOrder {
    pub(super) order: OrderRecord,
    /// Sorted by id.
    pub(super) line_items: Vec<LineItemRecord>,
    /// Sorted by gid.
    agreements: Vec<AgreementRecord>,
    /// Sorted by the gid of the agreement, then by the sale's own gid.
    sales: Vec<SaleRecord>,
    /// The hash of the order's own record.
    pub(super) row_hash: i64,
    /// The hash of everything that the child tables and the rollups depend on. If an order's `children_hash` is
    /// unchanged, neither is written.
    pub(super) children_hash: i64,
}

/// A sale with its position in the ledger.
pub(super) struct LedgerEntry<'a> {
    /// Counts from 1, in the order in which the sales of an order happened.
    pub(super) position: i32,
    pub(super) happened_at: DateTime<Utc>,
    pub(super) agreement: &'a AgreementRecord,
    pub(super) sale: &'a SaleRecord,
    /// The sold line item, if the sale names one.
    pub(super) line_item: Option<&'a LineItemRecord>,
}

/// The content that `children_hash` covers.
#[derive(Serialize)]
struct Children<'a> {
    customer: Option<CustomerId>,
    processed_at: i64,
    currency: &'a Currency,
    test: bool,
    refunds: &'a [RefundRecord],
    line_items: &'a [LineItemRecord],
    agreements: &'a [AgreementRecord],
    sales: &'a [SaleRecord],
}

impl AssembledOrder {
    /// `None`: the records do not include the order itself.
    fn new(records: OrderRecords) -> Result<Option<Self>> {
        let OrderRecords {
            order: Some(mut order),
            mut line_items,
            mut agreements,
            mut sales,
        } = records
        else {
            return Ok(None);
        };
        // The sorts are stable, so the first of several duplicates counts.
        order.refunds.sort_by_key(|refund| refund.id);
        order.refunds.dedup_by_key(|refund| refund.id);
        line_items.sort_by_key(|line| line.id);
        line_items.dedup_by_key(|line| line.id);
        agreements.sort_by(|one, other| one.gid.cmp(&other.gid));
        agreements.dedup_by(|one, other| one.gid == other.gid);
        let gids = |sale: &SaleRecord| (sale.agreement_gid.clone(), sale.gid.clone());
        sales.sort_by_cached_key(gids);
        sales.dedup_by(|one, other| {
            one.gid == other.gid && one.agreement_gid == other.agreement_gid
        });
        let children_hash = content_hash(&Children {
            customer: order.customer,
            processed_at: order.processed_at.timestamp_micros(),
            currency: &order.currency,
            test: order.test,
            refunds: &order.refunds,
            line_items: &line_items,
            agreements: &agreements,
            sales: &sales,
        })?;
        Ok(Some(Self {
            row_hash: content_hash(&order)?,
            children_hash,
            order,
            line_items,
            agreements,
            sales,
        }))
    }

    pub(super) fn has_product(&self) -> bool {
        self.sales
            .iter()
            .any(|sale| sale.line_type == SaleLineType::Product)
    }

    /// Whether the figure "orders" includes the order.
    pub(super) fn counts(&self) -> bool {
        self.has_product() && !self.order.test
    }

    /// The time of an agreement's sales. For the agreement that placed the order this is the order's `processed_at`.
    fn happened_at(&self, agreement: &AgreementRecord) -> DateTime<Utc> {
        if agreement.reason == AgreementReason::Order {
            self.order.processed_at
        } else {
            agreement.happened_at
        }
    }

    /// The order's rows in the ledger.
    pub(super) fn ledger(&self) -> Vec<LedgerEntry<'_>> {
        let entry = |sale| {
            let agreement = self.agreement(sale)?;
            Some(LedgerEntry {
                position: 0,
                happened_at: self.happened_at(agreement),
                agreement,
                sale,
                line_item: self.line_item(sale),
            })
        };
        let mut ledger: Vec<_> = self.sales.iter().filter_map(entry).collect();
        // The sort is stable: sales of the same instant stay sorted by gid.
        ledger.sort_by_key(|entry| entry.happened_at);
        for (position, entry) in (1..).zip(&mut ledger) {
            entry.position = position;
        }
        ledger
    }

    fn agreement(&self, sale: &SaleRecord) -> Option<&AgreementRecord> {
        let found = self
            .agreements
            .binary_search_by(|agreement| agreement.gid.cmp(&sale.agreement_gid));
        self.agreements.get(found.ok()?)
    }

    fn line_item(&self, sale: &SaleRecord) -> Option<&LineItemRecord> {
        let id = sale.line_item?;
        let found = self.line_items.binary_search_by_key(&id, |line| line.id);
        self.line_items.get(found.ok()?)
    }
}

/// The records of one order.
#[derive(Default)]
struct OrderRecords {
    order: Option<OrderRecord>,
    line_items: Vec<LineItemRecord>,
    agreements: Vec<AgreementRecord>,
    sales: Vec<SaleRecord>,
}

/// Assembles orders from records in any order. Records of an order that is not among them are skipped, and so are
/// sales without their agreement.
pub(super) fn assemble_orders(
    records: impl IntoIterator<Item = Record>,
) -> Result<BTreeMap<OrderId, AssembledOrder>> {
    let mut orders: BTreeMap<OrderId, OrderRecords> = BTreeMap::new();
    let mut orders_of_agreements: HashMap<String, OrderId> = HashMap::new();
    let mut sales = Vec::new();
    for record in records {
        match record {
            Record::Order(order) => {
                let known = &mut orders.entry(order.id).or_default().order;
                let is_newer = known
                    .as_ref()
                    .is_none_or(|known| known.updated_at < order.updated_at);
                if is_newer {
                    *known = Some(*order);
                }
            }
            Record::LineItem(line) => {
                let order = orders.entry(line.order).or_default();
                order.line_items.push(line);
            }
            Record::Agreement(agreement) => {
                orders_of_agreements.insert(agreement.gid.clone(), agreement.order);
                let order = orders.entry(agreement.order).or_default();
                order.agreements.push(agreement);
            }
            Record::Sale(sale) => sales.push(sale),
            Record::Customer(_) | Record::Product(_) | Record::Variant(_) => {}
        }
    }
    for sale in sales {
        let order = orders_of_agreements.get(&sale.agreement_gid);
        if let Some(order) = order.and_then(|order| orders.get_mut(order)) {
            order.sales.push(sale);
        }
    }
    let assembled = orders.into_iter().filter_map(|(id, records)| {
        let order = AssembledOrder::new(records).transpose()?;
        Some(order.map(|order| (id, order)))
    });
    assembled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::LineItemId;
    use crate::domain::sale::SaleAction;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn order(id: i64, updated_at: &str, name: &str) -> Record {
        let placed_at = instant("2026-01-01T10:00:00Z");
        Record::Order(Box::new(OrderRecord {
            id: OrderId::new(id),
            name: name.to_owned(),
            customer: None,
            created_at: placed_at,
            processed_at: placed_at,
            updated_at: instant(updated_at),
            cancelled_at: None,
            test: false,
            currency: Currency::parse("EUR").unwrap(),
            financial_status: None,
            fulfillment_status: None,
            source_name: None,
            discount_codes: Vec::new(),
            tags: Vec::new(),
            total_price: 10.into(),
            net_payment: 10.into(),
            refunds: Vec::new(),
        }))
    }

    fn line_item(order: i64, id: i64, title: &str) -> Record {
        Record::LineItem(LineItemRecord {
            order: OrderId::new(order),
            id: LineItemId::new(id),
            title: title.to_owned(),
            variant_title: None,
            sku: None,
            quantity: 1,
            current_quantity: 1,
            original_total: 10.into(),
            discounted_total: 10.into(),
            product: None,
            variant: None,
        })
    }

    fn agreement(order: i64, gid: &str, happened_at: &str, reason: AgreementReason) -> Record {
        Record::Agreement(AgreementRecord {
            order: OrderId::new(order),
            gid: gid.to_owned(),
            happened_at: instant(happened_at),
            reason,
        })
    }

    fn sale(agreement: &str, gid: &str) -> Record {
        Record::Sale(SaleRecord {
            agreement_gid: agreement.to_owned(),
            gid: gid.to_owned(),
            action: SaleAction::Order,
            line_type: SaleLineType::Product,
            quantity: Some(1),
            currency: Currency::parse("EUR").unwrap(),
            total: 10.into(),
            tax: 0.into(),
            discount: 0.into(),
            line_item: Some(LineItemId::new(5)),
        })
    }

    fn records() -> Vec<Record> {
        vec![
            sale("refund", "b"),
            sale("order", "a"),
            sale("order", "c"),
            line_item(1, 5, "Cup"),
            agreement(1, "refund", "2026-01-02T10:00:00Z", AgreementReason::Refund),
            agreement(1, "order", "2026-01-03T10:00:00Z", AgreementReason::Order),
            order(1, "2026-01-03T10:00:00Z", "#1"),
        ]
    }

    fn assembled(records: Vec<Record>) -> Vec<AssembledOrder> {
        assemble_orders(records).unwrap().into_values().collect()
    }

    fn hashes(records: Vec<Record>) -> Vec<(i64, i64)> {
        let orders = assembled(records);
        let hashes = orders
            .iter()
            .map(|order| (order.row_hash, order.children_hash));
        hashes.collect()
    }

    #[test]
    fn sales_enter_the_ledger_in_the_order_in_which_they_happened() {
        let orders = assembled(records());
        let ledger = orders.first().unwrap().ledger();
        let entries: Vec<_> = ledger
            .iter()
            .map(|entry| (entry.position, entry.sale.gid.as_str(), entry.happened_at))
            .collect();
        let placed_at = instant("2026-01-01T10:00:00Z");
        assert_eq!(
            entries,
            [
                (1, "a", placed_at),
                (2, "c", placed_at),
                (3, "b", instant("2026-01-02T10:00:00Z"))
            ]
        );
    }

    #[test]
    fn the_order_of_the_records_and_duplicates_make_no_difference() {
        let mut reversed = records();
        reversed.reverse();
        assert_eq!(hashes(reversed), hashes(records()));
        let mut doubled = records();
        doubled.extend(records());
        doubled.push(order(1, "2026-01-01T11:00:00Z", "an older version"));
        doubled.push(line_item(1, 5, "another title"));
        assert_eq!(hashes(doubled), hashes(records()));
    }

    #[test]
    fn records_without_their_order_or_agreement_are_left_out() {
        let mut orphans = records();
        orphans.push(line_item(2, 6, "of an order that is not there"));
        orphans.push(agreement(
            2,
            "x",
            "2026-01-02T10:00:00Z",
            AgreementReason::Order,
        ));
        orphans.push(sale("x", "of an order that is not there"));
        orphans.push(sale("y", "of an agreement that is not there"));
        assert_eq!(hashes(orphans), hashes(records()));
    }

    #[test]
    fn a_change_of_the_row_alone_keeps_the_hash_of_the_children() {
        let before = hashes(records());
        let mut renamed = records();
        renamed.pop();
        renamed.push(order(1, "2026-01-04T10:00:00Z", "#2"));
        let after = hashes(renamed);
        assert_ne!(before[0].0, after[0].0);
        assert_eq!(before[0].1, after[0].1);
    }
}
