//! The objects as Shopify writes them. A line of a bulk result is read straight into these; an answer of a
//! query is moved into them (`paged.rs`).

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::amount::Amount;
use super::error::ShopifyError;
use crate::domain::money::Currency;

type Text<'a> = Cow<'a, str>;

/// An object that is only named.
#[derive(Debug, Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
}

/// An amount in two currencies, of which the shop's is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bag<'a> {
    #[serde(borrow)]
    shop_money: ShopMoney<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShopMoney<'a> {
    amount: Amount,
    #[serde(borrow, default)]
    currency_code: Option<Text<'a>>,
}

impl Bag<'_> {
    pub(super) fn new(amount: Amount, currency_code: Option<String>) -> Self {
        let currency_code = currency_code.map(Cow::Owned);
        Self {
            shop_money: ShopMoney {
                amount,
                currency_code,
            },
        }
    }

    pub(super) fn amount(&self) -> rust_decimal::Decimal {
        self.shop_money.amount.0
    }

    pub(super) fn currency(&self) -> Result<Currency, ShopifyError> {
        let code = self.shop_money.currency_code.as_deref().unwrap_or_default();
        Currency::parse(code).or(Err(ShopifyError::Unconvertible("currency")))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    /// Null where the app may not see it.
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) default_email_address: Option<EmailAddress>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmailAddress {
    #[serde(default)]
    pub(super) email_address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) title: String,
    pub(super) status: String,
    pub(super) vendor: String,
    #[serde(rename = "productType")]
    pub(super) kind: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variant<'a> {
    #[serde(borrow, default, rename = "__parentId")]
    pub(super) parent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) title: String,
    pub(super) sku: Option<String>,
    pub(super) price: Amount,
    pub(super) position: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) name: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) processed_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
    pub(super) test: bool,
    pub(super) display_financial_status: Option<String>,
    pub(super) display_fulfillment_status: Option<String>,
    pub(super) source_name: Option<String>,
    pub(super) discount_codes: Vec<String>,
    pub(super) tags: Vec<String>,
    #[serde(borrow)]
    pub(super) total_price_set: Bag<'a>,
    #[serde(borrow)]
    pub(super) net_payment_set: Bag<'a>,
    #[serde(borrow)]
    pub(super) customer: Option<Reference<'a>>,
    #[serde(borrow)]
    pub(super) refunds: Vec<Refund<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refund<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) processed_at: DateTime<Utc>,
    #[serde(borrow)]
    pub(super) total_refunded_set: Bag<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineItem<'a> {
    #[serde(borrow, default, rename = "__parentId")]
    pub(super) parent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) title: String,
    pub(super) variant_title: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) quantity: i64,
    pub(super) current_quantity: i64,
    #[serde(borrow)]
    pub(super) product: Option<Reference<'a>>,
    #[serde(borrow)]
    pub(super) variant: Option<Reference<'a>>,
    #[serde(borrow)]
    pub(super) original_total_set: Bag<'a>,
    #[serde(borrow)]
    pub(super) discounted_total_set: Bag<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Agreement<'a> {
    #[serde(borrow, default, rename = "__parentId")]
    pub(super) parent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) happened_at: DateTime<Utc>,
    #[serde(borrow)]
    pub(super) reason: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sale<'a> {
    #[serde(borrow, default, rename = "__parentId")]
    pub(super) parent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) action_type: Text<'a>,
    #[serde(borrow)]
    pub(super) line_type: Text<'a>,
    pub(super) quantity: Option<i64>,
    #[serde(borrow)]
    pub(super) total_amount: Bag<'a>,
    #[serde(borrow)]
    pub(super) total_tax_amount: Bag<'a>,
    #[serde(borrow)]
    pub(super) total_discount_amount_before_taxes: Bag<'a>,
    #[serde(borrow, default)]
    pub(super) line_item: Option<Reference<'a>>,
}
