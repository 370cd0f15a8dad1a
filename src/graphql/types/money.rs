//! Money in the API.

use async_graphql::SimpleObject;

use crate::domain::money;
use crate::graphql::scalars::DecimalText;

/// An exact amount of money.
#[derive(Clone, Debug, SimpleObject)]
pub struct Money {
    /// The amount, with at least the usual number of decimals of its currency. Never rounded,
    /// unless the field's description says so.
    amount: DecimalText,
    /// The currency: an ISO 4217 code such as `INR`, or a code of Shopify's own such as `USDC`.
    currency_code: String,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Self {
            amount: DecimalText(money.written_amount()),
            currency_code: money.currency.into_code(),
        }
    }
}
