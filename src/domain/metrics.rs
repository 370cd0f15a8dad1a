//! The figures of a stretch of days, and those that are computed from them. The sums are made by the database;
//! `docs` and the ledger's view say what counts.

use rust_decimal::Decimal;

use super::money::{Currency, Money};

/// The additive figures of a stretch of days and the customers who ordered in it, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalesFigures {
    /// What the amounts are counted in.
    pub currency: Currency,
    /// Orders placed that hold a product.
    pub orders: i64,
    /// Units sold, before returns.
    pub units_sold: i64,
    /// Product sales before discounts, taxes and returns.
    pub gross_sales: Decimal,
    /// What discounts took off them.
    pub discounts: Decimal,
    /// What returns and downward edits took back.
    pub returns: Decimal,
    /// Shipping charged less shipping given back.
    pub shipping: Decimal,
    /// Taxes of all of it.
    pub taxes: Decimal,
    /// Import duties.
    pub duties: Decimal,
    /// Fees.
    pub fees: Decimal,
    /// Gross sales less discounts as the orders were placed.
    pub placed_sales: Decimal,
    /// Distinct customers who ordered.
    pub customers: i64,
    /// Those of them whose first order ever was one of these.
    pub new_customers: i64,
}

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

    /// What an order came to when it was placed, on average; zero without orders.
    #[must_use]
    pub fn average_order_value(&self) -> Money {
        self.money(self.placed_sales).per(self.orders)
    }

    /// Customers who had ordered before.
    #[must_use]
    pub const fn returning_customers(&self) -> i64 {
        self.customers.saturating_sub(self.new_customers)
    }

    /// Their share of the customers, 0 to 1; `None` without customers.
    #[must_use]
    pub fn returning_customer_rate(&self) -> Option<f64> {
        // By way of its digits: converted directly, the last binary place may be off.
        Decimal::from(self.returning_customers())
            .checked_div(Decimal::from(self.customers))?
            .to_string()
            .parse()
            .ok()
    }

    /// An amount in the currency of these figures.
    #[must_use]
    pub fn money(&self, amount: Decimal) -> Money {
        Money::new(amount, self.currency.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// 2 March of the worked example.
    fn worked_example() -> SalesFigures {
        SalesFigures {
            currency: Currency::parse("INR").unwrap(),
            orders: 1,
            units_sold: 2,
            gross_sales: decimal("1000"),
            discounts: decimal("100"),
            returns: Decimal::ZERO,
            shipping: decimal("50"),
            taxes: decimal("171"),
            duties: Decimal::ZERO,
            fees: Decimal::ZERO,
            placed_sales: decimal("900"),
            customers: 3,
            new_customers: 1,
        }
    }

    #[test]
    fn the_worked_example_comes_out() {
        let figures = worked_example();
        assert_eq!(figures.net_sales(), decimal("900"));
        assert_eq!(figures.total_sales(), decimal("1121"));
        assert_eq!(figures.average_order_value().written_amount(), "900.00");
    }

    #[test]
    fn a_rate_of_nobody_is_unknown() {
        let mut figures = worked_example();
        assert_eq!(figures.returning_customers(), 2);
        let rate = figures.returning_customer_rate().unwrap();
        assert!((rate - 2.0 / 3.0).abs() < 1e-12, "{rate}");
        figures.customers = 0;
        figures.new_customers = 0;
        assert_eq!(figures.returning_customer_rate(), None);
    }
}
