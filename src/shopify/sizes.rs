//! How much is asked for at a time. Shopify's price of a page is not fully documented, so these begin where
//! they should fit and shrink when a store says that a query costs too much.

use crate::domain::sync::ObjectKind;

/// The page sizes of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageSizes {
    customers: i64,
    products: i64,
    orders: i64,
    /// Variants of one product.
    pub(super) variants: i64,
    /// Lines of one order.
    pub(super) line_items: i64,
    /// Agreements of one order.
    pub(super) agreements: i64,
    /// Sales of one agreement.
    pub(super) sales: i64,
}

impl Default for PageSizes {
    fn default() -> Self {
        Self {
            customers: 250,
            products: 100,
            orders: 50,
            variants: 100,
            line_items: 50,
            agreements: 20,
            sales: 50,
        }
    }
}

impl PageSizes {
    /// How many objects of a kind are asked for at once.
    pub(super) fn batch(&self, kind: ObjectKind) -> usize {
        let size = match kind {
            ObjectKind::Customers => self.customers,
            ObjectKind::Products => self.products,
            ObjectKind::Orders => self.orders,
        };
        usize::try_from(size).unwrap_or(1).max(1)
    }

    /// Half of everything that a query of this kind holds; `None` when it cannot be less. All at once, since
    /// an answer does not say which of them is what costs.
    pub(super) fn halved(mut self, kind: ObjectKind) -> Option<Self> {
        let before = self;
        let sizes: &mut [&mut i64] = match kind {
            ObjectKind::Customers => &mut [&mut self.customers],
            ObjectKind::Products => &mut [&mut self.products, &mut self.variants],
            ObjectKind::Orders => &mut [
                &mut self.orders,
                &mut self.line_items,
                &mut self.agreements,
                &mut self.sales,
            ],
        };
        for size in sizes {
            **size = (**size / 2).max(1);
        }
        (self != before).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_halve_down_to_one_and_no_further() {
        let mut sizes = PageSizes::default();
        let mut batches = vec![sizes.batch(ObjectKind::Orders)];
        while let Some(smaller) = sizes.halved(ObjectKind::Orders) {
            sizes = smaller;
            batches.push(sizes.batch(ObjectKind::Orders));
        }
        assert_eq!(batches, [50, 25, 12, 6, 3, 1]);
        assert_eq!(sizes.batch(ObjectKind::Products), 100);
    }
}
