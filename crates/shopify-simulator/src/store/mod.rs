//! What a shop holds: customers, products and orders, as compact records.
//!
//! A [`Store`] is cloned to take a snapshot: rows are shared, so a copy costs pointers only.

mod catalogue;
mod ledger;
mod order;
mod page;
mod table;

pub use catalogue::{Customer, Product, ProductStatus, Variant};
pub use ledger::{Agreement, Reason, Sale, SaleAction, SaleKind};
pub use order::{Article, FinancialStatus, LineItem, LineKind, Order, Refund};
pub(crate) use page::{Cursor, PageRequest, SortKey, SortValue};
pub(crate) use table::{Record, Table};

use crate::clock::Moment;

/// The next id of each kind. Every shop starts at the same ones: ids are unique inside one store only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    order: u64,
    number: u32,
    line_item: u64,
    agreement: u64,
    sale: u64,
    refund: u64,
    customer: u64,
    product: u64,
    variant: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            order: 5_900_000_000_000,
            number: 1000,
            line_item: 14_500_000_000_000,
            agreement: 610_000_000_000,
            sale: 17_200_000_000_000,
            refund: 930_000_000_000,
            customer: 8_100_000_000_000,
            product: 9_800_000_000_000,
            variant: 48_600_000_000_000,
        }
    }
}

macro_rules! next_ids {
    ($($kind:ident)*) => {
        impl Ids {
            $(pub(crate) fn $kind(&mut self) -> u64 {
                self.$kind += 1;
                self.$kind
            })*
        }
    };
}

next_ids!(order line_item agreement sale refund customer product variant);

impl Ids {
    /// The number that an order's name shows: #1001 and on.
    pub(crate) fn number(&mut self) -> u32 {
        self.number += 1;
        self.number
    }
}

/// Everything a shop holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) ids: Ids,
    pub(crate) customers: Table<Customer>,
    pub(crate) products: Table<Product>,
    pub(crate) orders: Table<Order>,
}

impl Store {
    /// Whether the search index has changes to take in by now.
    pub(crate) fn must_settle(&self, now: Moment) -> bool {
        self.customers.must_settle(now)
            || self.products.must_settle(now)
            || self.orders.must_settle(now)
    }

    /// Takes the changes into the search index that are due by now.
    pub(crate) fn settle(&mut self, now: Moment) {
        self.customers.settle(now);
        self.products.settle(now);
        self.orders.settle(now);
    }

    /// A variant with its product.
    pub(crate) fn variant(&self, id: u64) -> Option<(&Product, &Variant)> {
        self.products.rows().find_map(|product| {
            let variant = product.variants.iter().find(|variant| variant.id == id)?;
            (!product.deleted).then_some((&**product, variant))
        })
    }
}
