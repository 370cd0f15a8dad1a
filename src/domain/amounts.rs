//! What a sale means for each figure: `docs/figures.md` in Rust, for orders that are put together in memory. The
//! function `sale_amounts` says the same in SQL, for rows of the ledger; `tests/it/figures.rs` compares the two.

use std::ops::AddAssign;

use rust_decimal::{Decimal, RoundingStrategy};

use super::sale::{AgreementReason, SaleAction, SaleLineType};

/// What is added to the figures. Amounts are in the currency of the sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
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
    /// Gross sales less discounts of the agreement that placed the order.
    pub placed_sales: Decimal,
}

/// A row of the sales ledger, as far as the figures go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleTerms {
    /// Why its agreement came about.
    pub reason: AgreementReason,
    /// What it does.
    pub action: SaleAction,
    /// What it is of.
    pub line_type: SaleLineType,
    /// Null where nothing is counted.
    pub quantity: Option<i32>,
    /// After discounts and taxes, signed.
    pub total: Decimal,
    /// The taxes in it.
    pub tax: Decimal,
    /// The discount before taxes that was taken off.
    pub discount: Decimal,
}

impl SaleTerms {
    /// What it adds to the figures; nothing for a tip or a gift card.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        let mut amounts = Amounts::default();
        if matches!(self.line_type, SaleLineType::GiftCard | SaleLineType::Tip) {
            return amounts;
        }
        let [total, tax, discount] = [self.total, self.tax, self.discount].map(stored);
        let net = total - tax;
        amounts.taxes = tax;
        match self.line_type {
            SaleLineType::Product if self.is_sold() => {
                amounts.units_sold = self.quantity.map_or(0, i64::from);
                amounts.gross_sales = net + discount;
                amounts.discounts = discount;
                if self.reason == AgreementReason::Order {
                    amounts.placed_sales = net;
                }
            }
            SaleLineType::Product | SaleLineType::Adjustment if self.is_taken_back() => {
                amounts.returns = -net;
            }
            SaleLineType::Shipping => amounts.shipping = net,
            SaleLineType::Duty => amounts.duties = net,
            SaleLineType::Fee | SaleLineType::AdditionalFee => amounts.fees = net,
            _ => {}
        }
        amounts
    }

    fn is_negative(&self) -> bool {
        match self.quantity {
            Some(quantity) if quantity != 0 => quantity < 0,
            _ => stored(self.total) < Decimal::ZERO,
        }
    }

    fn is_sold(&self) -> bool {
        matches!(self.action, SaleAction::Order | SaleAction::Update) && !self.is_negative()
    }

    fn is_taken_back(&self) -> bool {
        self.action == SaleAction::Return
            || (self.action == SaleAction::Update && self.is_negative())
    }
}

/// An amount as the ledger stores it: to four decimals, halves away from zero.
fn stored(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

impl Amounts {
    /// Gross sales less discounts and returns.
    #[must_use]
    pub fn net_sales(&self) -> Decimal {
        self.gross_sales - self.discounts - self.returns
    }

    /// Net sales and everything that was charged beside them.
    #[must_use]
    pub fn total_sales(&self) -> Decimal {
        self.net_sales() + self.shipping + self.taxes + self.duties + self.fees
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        self.units_sold += other.units_sold;
        self.gross_sales += other.gross_sales;
        self.discounts += other.discounts;
        self.returns += other.returns;
        self.shipping += other.shipping;
        self.taxes += other.taxes;
        self.duties += other.duties;
        self.fees += other.fees;
        self.placed_sales += other.placed_sales;
    }
}
