//! Money as the API shows it.

use async_graphql::SimpleObject;

use crate::domain::money;
use crate::graphql::scalars::DecimalText;

/// An exact amount in a currency.
#[derive(Clone, Debug, SimpleObject)]
pub struct Money {
    /// The amount, with at least the decimals that are usual in its currency. Never rounded, unless the field
    /// that it belongs to says so.
    amount: DecimalText,
    /// The ISO 4217 code of the currency, such as `INR`.
    currency_code: String,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Self {
            amount: DecimalText(money.written_amount()),
            currency_code: money.currency.code().to_owned(),
        }
    }
}
