//! The operations on orders as a shop offers them.

use super::catalogue::named_by_number;
use super::change::{cancel, edit, refund};
use super::literal::{LiteralOrder, literal};
use super::place::{NewOrder, Terms, boxed, place};
use super::requests::{BusinessError, EditLine, OrderChange, RefundRequest};
use crate::clock::Moment;
use crate::shop::Shop;
use crate::store::{Ids, Order};

impl Shop {
    /// Places an order.
    pub fn place_order(&self, new: &NewOrder) -> Result<Order, BusinessError> {
        let (now, due) = self.change_times();
        let terms = self.terms();
        let order = self.change(|store| {
            let order = place(store, new, &terms)?;
            store.orders.put(order.clone(), now, due);
            Ok(order)
        })?;
        self.announce_order(&["orders/create"], &order);
        if order.paid {
            self.announce_order(&["orders/paid"], &order);
        }
        Ok(order)
    }

    /// Puts an order exactly as given, in place of the one with its id if there is one. A customer that
    /// the shop does not know is made.
    pub fn put_order(&self, given: &LiteralOrder) -> Result<Order, BusinessError> {
        let (now, due) = self.change_times();
        let terms = self.terms();
        let order = self.change(|store| {
            let order = literal(store, given, terms.currency, now)?;
            let unknown = order
                .customer
                .filter(|id| store.customers.any(*id).is_none());
            if let Some(id) = unknown {
                store
                    .customers
                    .put(named_by_number(id, order.created_at), now, due);
            }
            store.orders.put(order.clone(), now, due);
            Ok(order)
        })?;
        self.announce_order(&["orders/updated"], &order);
        Ok(order)
    }

    /// Adds units to lines of an order or removes them.
    pub fn edit_order(&self, id: u64, lines: &[EditLine]) -> Result<Order, BusinessError> {
        let terms = self.terms();
        self.order_change(id, |store, order, now| {
            edit(store, order, lines, now, &terms)
        })
        .inspect(|order| self.announce_order(&["orders/updated"], order))
    }

    /// Gives something of an order back.
    pub fn refund_order(&self, id: u64, request: &RefundRequest) -> Result<Order, BusinessError> {
        self.order_change(id, |ids, order, now| {
            refund(ids, order, request, request.at.unwrap_or(now))
        })
        .inspect(|order| {
            self.announce_refund(order);
            self.announce_order(&["orders/updated"], order);
        })
    }

    /// Gives everything of an order back that is left, and marks it cancelled.
    pub fn cancel_order(&self, id: u64) -> Result<Order, BusinessError> {
        self.order_change(id, cancel)
            .inspect(|order| self.announce_order(&["orders/cancelled", "orders/updated"], order))
    }

    /// Deletes an order: no feed shows it any more.
    pub fn delete_order(&self, id: u64) -> Result<(), BusinessError> {
        self.order_change(id, |_, order, _| {
            order.deleted = true;
            Ok(())
        })
        .map(|_| self.announce_deletion("orders/delete", id))
    }

    /// Changes how an order looks; an empty change moves `updatedAt` only.
    pub fn change_order(&self, id: u64, change: &OrderChange) -> Result<Order, BusinessError> {
        self.order_change(id, |_, order, now| {
            if let Some(tags) = &change.tags {
                order.tags = boxed(tags);
            }
            if change.customer.is_some() || change.no_customer {
                order.customer = change.customer;
            }
            if let Some(paid) = change.paid {
                order.paid = paid;
                order.received = if paid {
                    order.total()
                } else {
                    crate::Amount::ZERO
                };
            }
            if let Some(fulfilled) = change.fulfilled {
                order.fulfilled = fulfilled;
            }
            order.updated_at = change.at.unwrap_or(now);
            Ok(())
        })
        .inspect(|order| self.announce_order(&["orders/updated"], order))
    }

    fn order_change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Ids, &mut Order, Moment) -> Result<(), BusinessError>,
    ) -> Result<Order, BusinessError> {
        let (now, due) = self.change_times();
        self.change(|store| {
            let found = store.orders.get(id).ok_or(BusinessError::NoSuchOrder(id))?;
            let mut order = Order::clone(found);
            change(&mut store.ids, &mut order, now)?;
            store.orders.put(order.clone(), now, due);
            Ok(order)
        })
    }

    /// What holds in the shop for an order placed now.
    pub(crate) fn terms(&self) -> Terms {
        let facts = self.facts();
        let (tax, taxes_included) = self.taxes();
        Terms {
            currency: facts.currency,
            tax,
            taxes_included,
            now: self.now(),
        }
    }
}
