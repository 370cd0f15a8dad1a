//! The additive sales figures. The view `sale_contributions` defines each figure; this struct carries the figures through
//! the program. Every figure is spelled out here once, and every other module adds, subtracts or copies the struct.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use rust_decimal::Decimal;
use serde::Serialize;

/// The figures that add up over orders, days and dimensions. Amounts are in one currency, which the owner of the struct
/// knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SalesFigures {
    /// Orders placed that hold a product.
    pub orders: i64,
    /// Units sold, before returns.
    pub units_sold: i64,
    /// Product sales before discounts, taxes and returns.
    pub gross_sales: Decimal,
    /// Discounts on the gross sales, as a positive amount.
    pub discounts: Decimal,
    /// Product sales that returns and downward edits reversed, as a positive amount.
    pub returns: Decimal,
    /// Shipping charged less shipping refunded.
    pub shipping: Decimal,
    /// Taxes on everything that counts.
    pub taxes: Decimal,
    /// Import duties.
    pub duties: Decimal,
    /// Fees.
    pub fees: Decimal,
    /// Gross sales less discounts of the orders as they were placed: the numerator of the average order value.
    pub order_value: Decimal,
}

/// Builds [`SalesFigures`] from a row of any query that selects all figures. Columns of a view are nullable for the
/// compile-time check, although no view over the ledger ever returns null; columns of a table are not.
macro_rules! sales_figures {
    ($row:expr) => {{
        let row = &$row;
        let count = |value: Option<i64>| value.unwrap_or_default();
        let amount = |value: Option<rust_decimal::Decimal>| value.unwrap_or_default();
        $crate::domain::sales_figures::SalesFigures {
            orders: count(row.orders.into()),
            units_sold: count(row.units_sold.into()),
            gross_sales: amount(row.gross_sales.into()),
            discounts: amount(row.discounts.into()),
            returns: amount(row.returns.into()),
            shipping: amount(row.shipping.into()),
            taxes: amount(row.taxes.into()),
            duties: amount(row.duties.into()),
            fees: amount(row.fees.into()),
            order_value: amount(row.order_value.into()),
        }
    }};
}
pub(crate) use sales_figures;

impl SalesFigures {
    /// Gross sales less discounts and returns.
    #[must_use]
    pub fn net_sales(&self) -> Decimal {
        self.gross_sales - self.discounts - self.returns
    }

    /// Net sales with shipping, taxes, duties and fees.
    #[must_use]
    pub fn total_sales(&self) -> Decimal {
        self.net_sales() + self.shipping + self.taxes + self.duties + self.fees
    }

    /// Whether every figure is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn combine(
        self,
        other: Self,
        count: fn(i64, i64) -> i64,
        amount: fn(Decimal, Decimal) -> Decimal,
    ) -> Self {
        Self {
            orders: count(self.orders, other.orders),
            units_sold: count(self.units_sold, other.units_sold),
            gross_sales: amount(self.gross_sales, other.gross_sales),
            discounts: amount(self.discounts, other.discounts),
            returns: amount(self.returns, other.returns),
            shipping: amount(self.shipping, other.shipping),
            taxes: amount(self.taxes, other.taxes),
            duties: amount(self.duties, other.duties),
            fees: amount(self.fees, other.fees),
            order_value: amount(self.order_value, other.order_value),
        }
    }
}

impl Add for SalesFigures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.combine(other, i64::add, Decimal::add)
    }
}

impl Sub for SalesFigures {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.combine(other, i64::sub, Decimal::sub)
    }
}

impl AddAssign for SalesFigures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for SalesFigures {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_less_one_part_is_the_other_part() {
        let one = SalesFigures {
            orders: 1,
            units_sold: 2,
            gross_sales: Decimal::new(1_000, 0),
            discounts: Decimal::new(100, 0),
            returns: Decimal::new(450, 0),
            shipping: Decimal::new(50, 0),
            taxes: Decimal::new(90, 0),
            duties: Decimal::new(3, 0),
            fees: Decimal::new(4, 0),
            order_value: Decimal::new(900, 0),
        };
        let other = SalesFigures {
            orders: 7,
            ..SalesFigures::default()
        };
        let mut difference = one + other;
        difference -= one;
        assert_eq!(difference, other);
        difference -= other;
        assert!(difference.is_zero());
        assert_eq!(one.net_sales(), Decimal::new(450, 0));
        assert_eq!(one.total_sales(), Decimal::new(597, 0));
    }
}
