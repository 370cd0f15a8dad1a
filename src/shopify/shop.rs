//! Who the store is, and how much it holds.

use super::error::{ErrorKind, ShopifyError};
use super::queries;
use super::store::Store;
use crate::domain::money::Currency;
use crate::domain::shop::{ShopDomain, ShopRecord};

/// How much a store holds, where it says so exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Customers.
    pub customers: Option<i32>,
    /// Products.
    pub products: Option<i32>,
    /// Orders.
    pub orders: Option<i32>,
}

impl Store {
    /// What the store says of itself, and what it lets the app read.
    pub async fn shop_record(&self) -> Result<ShopRecord, ShopifyError> {
        let data = self
            .ask::<queries::ShopRecord>(queries::shop_record::Variables {})
            .await?
            .data;
        let shop = data.shop;
        Ok(ShopRecord {
            gid: shop.id,
            domain: ShopDomain::parse(&shop.myshopify_domain)
                .or(Err(ShopifyError::Unconvertible("domain")))?,
            name: shop.name,
            currency: Currency::parse(&shop.currency_code)
                .or(Err(ShopifyError::Unconvertible("currency")))?,
            time_zone: shop.iana_timezone,
            scopes: data
                .current_app_installation
                .access_scopes
                .into_iter()
                .map(|scope| scope.handle)
                .collect(),
        })
    }

    /// How much there is, for progress. What the store cannot say is left out; only a store that does not let
    /// the app in any more is an error.
    pub async fn counts(&self) -> Result<StoreCounts, ShopifyError> {
        macro_rules! exact {
            ($count:expr) => {
                $count
                    .filter(|count| count.precision == "EXACT")
                    .and_then(|count| i32::try_from(count.count).ok())
            };
        }
        let variables = queries::store_counts::Variables {};
        match self.ask::<queries::StoreCounts>(variables).await {
            Ok(answer) => Ok(StoreCounts {
                customers: exact!(answer.data.customers_count),
                products: exact!(answer.data.products_count),
                orders: exact!(answer.data.orders_count),
            }),
            Err(error) => match error.kind() {
                ErrorKind::Reauthorise | ErrorKind::SuspendShop => Err(error),
                _ => {
                    tracing::debug!(shop.domain = %self.domain(), %error, "no counts");
                    Ok(StoreCounts::default())
                }
            },
        }
    }
}
