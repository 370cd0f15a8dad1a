//! The rows of a store that its operations ask for again and again: the store itself, customers, its newest orders. They
//! are of one version, and what was told of a change brings them to the next.

use std::collections::HashMap;

use crate::db::changes::StoreChange;
use crate::db::customers::CustomerRow;
use crate::db::news::{News, Remembered};
use crate::db::orders::OrderRow;
use crate::db::shops::Shop;
use crate::domain::ids::CustomerId;

/// When more customers are held, those who were not asked for lately are dropped.
const MAX_CUSTOMERS: usize = 100;
/// About what a row takes, texts included.
const BYTES_OF_CUSTOMER: usize = 400;
const BYTES_OF_ORDER: usize = 600;
const BYTES_OF_STORE: usize = 1_500;

#[derive(Clone, Debug)]
pub(in crate::graphql) struct Rows {
    /// The store; it says which version all of this is of.
    pub(in crate::graphql) shop: Shop,
    customers: HashMap<CustomerId, CustomerRow>,
    /// So many of the newest orders were asked for, and these are they.
    newest_orders: (usize, Vec<OrderRow>),
}

impl Rows {
    /// The store alone.
    pub(in crate::graphql) fn of_store(shop: Shop) -> Self {
        Self {
            shop,
            customers: HashMap::new(),
            newest_orders: (0, Vec::new()),
        }
    }

    /// What the news hold, taken out of them.
    pub(in crate::graphql) fn of_news(shop: Shop, asked: &Remembered, news: &mut News) -> Self {
        let customers = std::mem::take(&mut news.customers).into_iter();
        let orders = std::mem::take(&mut news.newest_orders);
        let count = usize::try_from(asked.newest_orders).unwrap_or(0);
        Self {
            shop,
            customers: customers.map(|row| (row.id, row)).collect(),
            newest_orders: (count, orders),
        }
    }

    pub(in crate::graphql) const fn version(&self) -> i64 {
        self.shop.data_version
    }

    pub(in crate::graphql) fn customer(&self, id: CustomerId) -> Option<&CustomerRow> {
        self.customers.get(&id)
    }

    /// So many of the newest orders, if these and whatever comes before them are known.
    pub(in crate::graphql) fn newest_orders(&self, count: usize) -> Option<&[OrderRow]> {
        let (asked, orders) = &self.newest_orders;
        (count <= *asked).then(|| orders.get(..count).unwrap_or(orders))
    }

    /// Whether these are among them: customers, and so many of the newest orders.
    pub(super) fn hold(&self, customers: &[CustomerId], newest_orders: i64) -> bool {
        usize::try_from(newest_orders).is_ok_and(|count| count <= self.newest_orders.0)
            && customers.iter().all(|id| self.customers.contains_key(id))
    }

    /// Brings them to the next version. `false`: what is needed for that was not told, and they are of no use any more.
    #[must_use]
    pub(super) fn change(&mut self, change: &StoreChange, asked_lately: &[CustomerId]) -> bool {
        self.shop.data_version += 1;
        self.shop.customers = change.total_customers();
        let changed = change.customers();
        self.customers.extend(changed.map(|row| (row.id, row)));
        for order in change.orders() {
            if !self.place(order) {
                return false;
            }
        }
        if self.customers.len() > MAX_CUSTOMERS {
            let orders = self.newest_orders.1.iter();
            let of_orders: Vec<_> = orders.filter_map(|order| order.customer_id).collect();
            self.customers
                .retain(|id, _| asked_lately.contains(id) || of_orders.contains(id));
        }
        true
    }

    /// Puts an order where it belongs. `false`: it was placed at another time than is known of it, so that one that
    /// is not known may belong before the last.
    fn place(&mut self, order: OrderRow) -> bool {
        let key = |order: &OrderRow| (order.processed_at, order.id);
        let (asked, orders) = &mut self.newest_orders;
        if let Some(known) = orders.iter_mut().find(|known| known.id == order.id) {
            let stays = known.processed_at == order.processed_at;
            *known = order;
            return stays;
        }
        let place = orders.partition_point(|known| key(known) > key(&order));
        if place < *asked {
            orders.insert(place, order);
            orders.truncate(*asked);
        }
        true
    }

    /// About how many bytes they take.
    pub(super) fn size(&self) -> usize {
        BYTES_OF_STORE
            + self.customers.len() * BYTES_OF_CUSTOMER
            + self.newest_orders.1.len() * BYTES_OF_ORDER
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;
    use crate::db::shops::ShopStatus;
    use crate::domain::ids::OrderId;
    use crate::domain::money::Currency;
    use crate::domain::shop::ShopDomain;

    fn order(id: i64, placed: i64) -> OrderRow {
        OrderRow {
            id: OrderId::new(id),
            name: format!("#{id}"),
            customer_id: None,
            processed_at: DateTime::from_timestamp_secs(placed).unwrap(),
            cancelled_at: None,
            financial_status: None,
            fulfillment_status: None,
            source_name: None,
            discount_codes: Vec::new(),
            tags: Vec::new(),
            test: false,
            currency: Currency::parse("EUR").unwrap(),
            total_price: Decimal::ONE,
            net_payment: Decimal::ONE,
        }
    }

    fn shop() -> Shop {
        Shop {
            gid: "gid://shopify/Shop/1".to_owned(),
            domain: ShopDomain::parse("rows.myshopify.com").unwrap(),
            name: "Rows".to_owned(),
            currency: Currency::parse("EUR").unwrap(),
            time_zone: "UTC".to_owned(),
            scopes: Vec::new(),
            status: ShopStatus::Connected,
            status_reason: None,
            order_history_days: None,
            last_synced_at: None,
            data_version: 1,
            rebuilt_version: 0,
            customers: Some(0),
        }
    }

    /// As they would be read: the last placed first.
    fn newest(orders: &BTreeMap<i64, i64>, count: usize) -> Vec<OrderRow> {
        let mut rows: Vec<_> = orders.iter().map(|(id, at)| order(*id, *at)).collect();
        rows.sort_by_key(|order| std::cmp::Reverse((order.processed_at, order.id)));
        rows.truncate(count);
        rows
    }

    fn read(orders: &BTreeMap<i64, i64>, count: usize) -> Rows {
        Rows {
            newest_orders: (count, newest(orders, count)),
            ..Rows::of_store(shop())
        }
    }

    proptest! {
        #[test]
        fn newest_orders_that_were_changed_are_those_that_would_be_read(
            start in prop::collection::btree_map(0_i64..12, 0_i64..9, 0..12),
            changes in prop::collection::vec((0_i64..12, 0_i64..9), 1..40),
            count in 0_usize..5,
        ) {
            let mut orders = start;
            let mut rows = read(&orders, count);
            for (id, placed) in changes {
                orders.insert(id, placed);
                if !rows.place(order(id, placed)) {
                    rows = read(&orders, count);
                }
                for asked in 0..=count {
                    let expected = newest(&orders, asked);
                    prop_assert_eq!(rows.newest_orders(asked), Some(expected.as_slice()));
                }
                prop_assert_eq!(rows.newest_orders(count + 1), None);
            }
        }
    }
}
