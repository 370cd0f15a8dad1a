//! What became of a data set, line for line.

use serde::Serialize;

use crate::amount::Amount;

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file cannot be read.
    #[error("the data set cannot be read")]
    Io(#[from] std::io::Error),
    /// A line is not as expected.
    #[error("the data set is not as expected")]
    Csv(#[from] csv::Error),
    /// A date or a price is not as expected.
    #[error("line {line}: `{text}` is no {what}")]
    Value {
        /// The line of the file.
        line: u64,
        /// What stands there.
        text: String,
        /// What should.
        what: &'static str,
    },
}

/// Lines that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// How many.
    pub lines: u64,
    /// Their units, as they stand in the file.
    pub units: i64,
    /// Quantity times price, as they stand in the file.
    pub amount: Amount,
}

impl LeftOut {
    pub(super) fn add(&mut self, units: i32, price: Amount) {
        self.lines += 1;
        self.units += i64::from(units);
        self.amount += price.times(units);
    }
}

/// What became of a data set: every line is in exactly one of `line_items`, `return_lines` and the groups
/// left out; a return line that fits in part only counts as a return line, its rest in `returns_unmatched`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetReport {
    /// Lines of the file.
    pub lines: u64,
    /// Orders made.
    pub orders: u64,
    /// Orders without a customer.
    pub guest_orders: u64,
    /// Line items made.
    pub line_items: u64,
    /// Line items of no price, which are kept: gifts and samples.
    pub free_line_items: u64,
    /// Customers made.
    pub customers: u64,
    /// Products made.
    pub products: u64,
    /// Return lines that took something back.
    pub return_lines: u64,
    /// Units taken back.
    pub units_returned: i64,
    /// Return lines that took from more than one order or line.
    pub returns_split: u64,
    /// Takings whose line says another price than the one paid: they are refunded as paid.
    pub returns_at_another_price: u64,
    /// How much more (or, negative, less) those lines say than was refunded.
    pub other_price_difference: Amount,
    /// Refunds made: one for each return invoice and order.
    pub refunds: u64,
    /// Returns, or rests of returns, that no earlier order of the customer explains.
    pub returns_unmatched: LeftOut,
    /// Returns without a customer, for which no order can be found.
    pub returns_of_guests: LeftOut,
    /// Negative quantities on ordinary invoices: stock written off, no sale.
    pub stock_corrections: LeftOut,
    /// Lines of invoices that start with A, and negative prices: bad debt, no sale.
    pub adjustments: LeftOut,
}
