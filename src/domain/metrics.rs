//! The figures of a range of days as the API shows them: the additive sales figures, the distinct customers, and the
//! ratios of both.

use rust_decimal::Decimal;

use super::money::{Currency, Money};
use super::sales_figures::SalesFigures;

/// The sales of a range of days and the customers who ordered in the range, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalesSummary {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The additive figures.
    pub sales: SalesFigures,
    /// Distinct customers who placed an order.
    pub customers: i64,
    /// Customers whose first order ever is in the range.
    pub new_customers: i64,
    /// Customers who placed an order that is not their first ever. A customer whose first and second order are both in
    /// the range is new and returning.
    pub returning_customers: i64,
}

impl SalesSummary {
    /// The value of an order when it was placed, on average; zero without orders.
    #[must_use]
    pub fn average_order_value(&self) -> Money {
        self.money(self.sales.order_value).per(self.sales.orders)
    }

    /// The share of returning customers among the customers, 0 to 1; `None` without customers.
    #[must_use]
    pub fn returning_customer_rate(&self) -> Option<f64> {
        // Converted through its digits: a direct conversion may be off in the last binary place.
        Decimal::from(self.returning_customers)
            .checked_div(Decimal::from(self.customers))?
            .to_string()
            .parse()
            .ok()
    }

    /// An amount in the currency of the summary.
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
    fn worked_example() -> SalesSummary {
        SalesSummary {
            currency: Currency::parse("INR").unwrap(),
            sales: SalesFigures {
                orders: 1,
                units_sold: 2,
                gross_sales: decimal("1000"),
                discounts: decimal("100"),
                shipping: decimal("50"),
                taxes: decimal("171"),
                order_value: decimal("900"),
                ..SalesFigures::default()
            },
            customers: 3,
            new_customers: 1,
            returning_customers: 2,
        }
    }

    #[test]
    fn the_worked_example_has_the_documented_figures() {
        let summary = worked_example();
        assert_eq!(summary.sales.net_sales(), decimal("900"));
        assert_eq!(summary.sales.total_sales(), decimal("1121"));
        assert_eq!(summary.average_order_value().written_amount(), "900.00");
    }

    #[test]
    fn the_returning_customer_rate_is_unknown_without_customers() {
        let mut summary = worked_example();
        let rate = summary.returning_customer_rate().unwrap();
        assert!((rate - 2.0 / 3.0).abs() < 1e-12, "{rate}");
        summary.customers = 0;
        summary.returning_customers = 0;
        assert_eq!(summary.returning_customer_rate(), None);
    }
}
