//! Which objects changed: ids and times only, so that a page is cheap and the objects themselves come over
//! one path.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::error::ShopifyError;
use super::paged::PageEnd;
use super::queries;
use super::store::Store;
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::sync::ObjectKind;

/// A page of changed objects, oldest change first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPage {
    /// The numbers of the objects, with the time of their last change.
    pub ids: Vec<(i64, DateTime<Utc>)>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// The most that Shopify gives at once.
const PAGE: i64 = 250;

/// The search filter for what changed since then, the instant itself included.
///
/// Quoted, in UTC with `Z`: an unquoted time loses its time of day, and one with an offset may match nothing.
/// Whole seconds, since that is what Shopify keeps. Customers are matched by whole days in the shop's time
/// zone, which may be a day behind or ahead of UTC: they are asked for from the day before.
pub(super) fn updated_since(kind: ObjectKind, since: DateTime<Utc>) -> String {
    let since = match kind {
        ObjectKind::Customers => {
            since.date_naive().and_time(NaiveTime::MIN).and_utc() - TimeDelta::days(1)
        }
        ObjectKind::Products | ObjectKind::Orders => since,
    };
    format!("updated_at:>='{}'", since.format("%Y-%m-%dT%H:%M:%SZ"))
}

macro_rules! id_page {
    ($store:expr, $query:ident, $module:ident, $connection:ident, $id:ident, $filter:expr, $after:expr) => {{
        let variables = queries::$module::Variables {
            first: PAGE,
            after: $after.map(str::to_owned),
            query: $filter,
        };
        let page = $store
            .ask::<queries::$query>(variables)
            .await?
            .data
            .$connection;
        let ids = page.nodes.into_iter().map(|node| {
            let id = $id::from_gid(&node.id).or(Err(ShopifyError::Unconvertible("id")))?;
            Ok((id.number(), node.updated_at))
        });
        Ok(IdPage {
            ids: ids.collect::<Result<_, ShopifyError>>()?,
            next: PageEnd::from(page.page_info).next($after)?,
        })
    }};
}

impl Store {
    /// The objects that changed since then (all, without a time), after the page that ended there.
    pub async fn changed_ids(
        &self,
        kind: ObjectKind,
        since: Option<DateTime<Utc>>,
        after: Option<&str>,
    ) -> Result<IdPage, ShopifyError> {
        let filter = since.map(|since| updated_since(kind, since));
        match kind {
            ObjectKind::Customers => {
                id_page!(
                    self,
                    CustomerIds,
                    customer_ids,
                    customers,
                    CustomerId,
                    filter,
                    after
                )
            }
            ObjectKind::Products => {
                id_page!(
                    self,
                    ProductIds,
                    product_ids,
                    products,
                    ProductId,
                    filter,
                    after
                )
            }
            ObjectKind::Orders => {
                id_page!(self, OrderIds, order_ids, orders, OrderId, filter, after)
            }
        }
    }
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
