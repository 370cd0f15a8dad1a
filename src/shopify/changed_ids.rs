//! Lists the ids of changed objects. Only ids and times are requested, so that pages are cheap and
//! all objects are fetched by the same code.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use super::error::ShopifyError;
use super::objects::Connection;
use super::queries;
use super::shop_client::ShopClient;
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::sync::ObjectKind;

/// A page of changed objects, oldest change first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPage {
    /// The ids of the objects, with the time of their last change.
    pub ids: Vec<(i64, DateTime<Utc>)>,
    /// The cursor of the next page. `None` on the last page.
    pub next: Option<String>,
}

/// The largest page that Shopify allows.
const PAGE_SIZE: i64 = 250;

/// The response of each of the three queries.
#[derive(Deserialize)]
struct Response {
    #[serde(alias = "customers", alias = "products", alias = "orders")]
    objects: Connection<ChangedObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangedObject {
    #[serde(rename = "id")]
    gid: String,
    updated_at: DateTime<Utc>,
}

/// The search filter for objects changed at or after a time.
///
/// The time is quoted and in UTC with `Z`: Shopify ignores the time of day of an unquoted time, and
/// may match nothing for one with an offset. Shopify stores whole seconds. It matches customers by
/// whole days in the shop's time zone, which may be a day ahead of or behind UTC, so the filter for
/// customers starts a day earlier.
pub(super) fn updated_since(kind: ObjectKind, since: DateTime<Utc>) -> String {
    let since = match kind {
        ObjectKind::Customers => {
            since.date_naive().and_time(NaiveTime::MIN).and_utc() - TimeDelta::days(1)
        }
        ObjectKind::Products | ObjectKind::Orders => since,
    };
    format!("updated_at:>='{}'", since.format("%Y-%m-%dT%H:%M:%SZ"))
}

impl ShopClient {
    /// A page of the objects that changed since a time, or of all objects without a time.
    pub async fn changed_ids(
        &self,
        kind: ObjectKind,
        since: Option<DateTime<Utc>>,
        after: Option<&str>,
    ) -> Result<IdPage, ShopifyError> {
        let query = since.map(|since| updated_since(kind, since));
        let (first, cursor) = (PAGE_SIZE, after.map(str::to_owned));
        let response = match kind {
            ObjectKind::Customers => {
                let variables = queries::customer_ids::Variables {
                    first,
                    after: cursor,
                    query,
                };
                self.query_as::<queries::CustomerIds, Response>(variables)
                    .await?
            }
            ObjectKind::Products => {
                let variables = queries::product_ids::Variables {
                    first,
                    after: cursor,
                    query,
                };
                self.query_as::<queries::ProductIds, Response>(variables)
                    .await?
            }
            ObjectKind::Orders => {
                let variables = queries::order_ids::Variables {
                    first,
                    after: cursor,
                    query,
                };
                self.query_as::<queries::OrderIds, Response>(variables)
                    .await?
            }
        };
        let objects = response.data.objects;
        let ids = objects
            .nodes
            .into_iter()
            .map(|object| Ok((number(kind, &object.gid)?, object.updated_at)));
        Ok(IdPage {
            ids: ids.collect::<Result<_, ShopifyError>>()?,
            next: objects.page_info.next(after)?,
        })
    }
}

fn number(kind: ObjectKind, gid: &str) -> Result<i64, ShopifyError> {
    let number = match kind {
        ObjectKind::Customers => CustomerId::from_gid(gid).map(CustomerId::number),
        ObjectKind::Products => ProductId::from_gid(gid).map(ProductId::number),
        ObjectKind::Orders => OrderId::from_gid(gid).map(OrderId::number),
    };
    number.or(Err(ShopifyError::Unconvertible("id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_quoted_in_utc_and_floored_to_the_second() {
        let since = "2026-01-01T02:30:59.987+02:00".parse().unwrap();
        for kind in [ObjectKind::Orders, ObjectKind::Products] {
            assert_eq!(
                updated_since(kind, since),
                "updated_at:>='2026-01-01T00:30:59Z'"
            );
        }
    }

    #[test]
    fn customers_are_asked_for_from_the_day_before() {
        let since = "2026-03-01T23:59:59Z".parse().unwrap();
        assert_eq!(
            updated_since(ObjectKind::Customers, since),
            "updated_at:>='2026-02-28T00:00:00Z'"
        );
    }
}
