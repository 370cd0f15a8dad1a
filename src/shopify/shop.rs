//! The shop's own record, and the number of its objects.

use super::error::{ErrorKind, ShopifyError};
use super::queries;
use super::shop_client::ShopClient;
use crate::domain::money::Currency;
use crate::domain::shop::{ShopDomain, ShopRecord};

/// The number of a shop's objects, if Shopify returns exact counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShopCounts {
    /// Customers.
    pub customers: Option<i32>,
    /// Products.
    pub products: Option<i32>,
    /// Orders.
    pub orders: Option<i32>,
}

impl ShopClient {
    /// The shop's own record, and the access scopes of the app.
    pub async fn shop_record(&self) -> Result<ShopRecord, ShopifyError> {
        let data = self
            .query::<queries::ShopRecord>(queries::shop_record::Variables {})
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

    /// The number of objects, for the progress display. Counts that Shopify does not return are
    /// `None`. Fails only if the app no longer has access.
    pub async fn counts(&self) -> Result<ShopCounts, ShopifyError> {
        let variables = queries::store_counts::Variables {};
        match self.query::<queries::StoreCounts>(variables).await {
            Ok(answer) => Ok(ShopCounts {
                customers: answer
                    .data
                    .customers_count
                    .and_then(|count| exact(count.count, &count.precision)),
                products: answer
                    .data
                    .products_count
                    .and_then(|count| exact(count.count, &count.precision)),
                orders: answer
                    .data
                    .orders_count
                    .and_then(|count| exact(count.count, &count.precision)),
            }),
            Err(error) => match error.kind() {
                ErrorKind::Reauthorise | ErrorKind::SuspendShop => Err(error),
                _ => {
                    tracing::debug!(shop.domain = %self.domain(), %error, "no counts");
                    Ok(ShopCounts::default())
                }
            },
        }
    }
}

/// The count, if it is exact and not a lower bound.
fn exact(count: i64, precision: &str) -> Option<i32> {
    i32::try_from(count).ok().filter(|_| precision == "EXACT")
}
