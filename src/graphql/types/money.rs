//! Money as the API shows it.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::{OutputType as _, SimpleObject};

use crate::domain::money;
use crate::graphql::json::write_text;
use crate::graphql::scalars::DecimalText;
use crate::graphql::settled::{Write, Writes};

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

impl Writes for Money {
    fn object_type() -> Cow<'static, str> {
        Self::type_name()
    }

    fn write(field: &Field) -> Option<Write<Self>> {
        Some(match field.name.node.as_str() {
            "amount" => Box::new(|money, json| write_text(&money.amount.0, json)),
            "currencyCode" => Box::new(|money, json| write_text(&money.currency_code, json)),
            _ => return None,
        })
    }
}
