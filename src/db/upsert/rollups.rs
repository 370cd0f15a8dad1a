//! Keeps the rollups equal to the sums over the ledger. A change reads the contributions of its orders before and
//! after it writes the orders. It adds the difference to the rollups, whatever kind of change it is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use super::LockedShop;
use super::customer_counts::{CustomerCounts, CustomerOrderDay};
use crate::db::{DbError, Result, TenantTx};
use crate::domain::dimension::{Dimension, SaleAttributes};
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::money::Currency;
use crate::domain::sales_figures::{SalesFigures, sales_figures};

/// The key of a rollup row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct RollupKey {
    dimension: Dimension,
    currency: Currency,
    day: NaiveDate,
    value_id: i64,
}

/// Figures by rollup row: the contributions of some orders, or the difference of two such sums.
#[derive(Debug, Default)]
struct Contributions(BTreeMap<RollupKey, SalesFigures>);

/// A row of the difference, serialized as a parameter of the statement that applies it.
#[derive(Serialize)]
struct DeltaRow<'a> {
    #[serde(flatten)]
    key: &'a RollupKey,
    #[serde(flatten)]
    figures: &'a SalesFigures,
}

impl Contributions {
    fn add(
        &mut self,
        sale: &SaleAttributes,
        currency: &Currency,
        day: NaiveDate,
        figures: SalesFigures,
    ) {
        for dimension in Dimension::ALL {
            let Some(value_id) = dimension.value_of(sale) else {
                continue;
            };
            let key = RollupKey {
                dimension,
                currency: currency.clone(),
                day,
                value_id,
            };
            *self.0.entry(key).or_default() += figures;
        }
    }

    /// Subtracts other contributions, and removes rows that are zero.
    fn minus(mut self, old: Self) -> Self {
        for (key, figures) in old.0 {
            *self.0.entry(key).or_default() -= figures;
        }
        self.0.retain(|_, figures| !figures.is_zero());
        self
    }

    fn days(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.0.keys().map(|key| key.day)
    }
}

/// The contributions and customer counts before a change of some orders.
#[derive(Debug)]
pub(super) struct RollupsBefore {
    orders: Vec<i64>,
    /// The customers who gain, lose or move an order. Only their counts change.
    customers: Vec<i64>,
    contributions: Contributions,
    counts: CustomerCounts,
}

impl TenantTx {
    /// Reads the contributions of orders before they are written. `customers` are those who may gain or lose an
    /// order, or whose order may move to another day or currency. `None` during an initial backfill, because the
    /// rollups are built at its end.
    pub(super) async fn rollups_before(
        &mut self,
        shop: &LockedShop,
        orders: impl IntoIterator<Item = OrderId>,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<Option<RollupsBefore>> {
        if shop.rollups_pending {
            return Ok(None);
        }
        let orders: Vec<_> = orders.into_iter().map(OrderId::number).collect();
        let customers: Vec<_> = customers.iter().map(|id| id.number()).collect();
        Ok(Some(RollupsBefore {
            contributions: self.contributions(&orders).await?,
            counts: self.customer_counts(&customers).await?,
            orders,
            customers,
        }))
    }

    /// Adds the difference between the present and the previous contributions to the rollups. The order of the steps
    /// is mandatory: rollup and totals first, then first and last orders, then customer counts. The last step reads
    /// the customers' order days from the rollup and the currency of their first order from the totals.
    pub(super) async fn update_rollups(
        &mut self,
        shop: &LockedShop,
        before: RollupsBefore,
    ) -> Result<()> {
        let old = before.contributions;
        let new = self.contributions(&before.orders).await?;
        self.note_changed_days(old.days().chain(new.days()));
        self.apply_rollup_delta(shop, &new.minus(old)).await?;
        if !before.customers.is_empty() {
            self.set_first_and_last_orders(shop, &before.customers)
                .await?;
            let counts = self.customer_counts(&before.customers).await?;
            self.apply_customer_counts(shop, &counts.minus(before.counts))
                .await?;
        }
        Ok(())
    }

    async fn contributions(&mut self, orders: &[i64]) -> Result<Contributions> {
        let mut contributions = Contributions::default();
        if orders.is_empty() {
            return Ok(contributions);
        }
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_file!("src/db/upsert/sql/read_contributions.sql", tenant, orders)
            .fetch_all(self.connection())
            .await?;
        for row in rows {
            let (Some(currency), Some(day)) = (&row.currency, row.day) else {
                return Err(DbError::Corrupt("a sale without its day".to_owned()));
            };
            let currency =
                Currency::parse(currency).map_err(|error| DbError::Corrupt(error.to_string()))?;
            let sale = SaleAttributes {
                customer: row.customer_id.map(CustomerId::new),
                product: row.product_id.map(ProductId::new),
            };
            contributions.add(&sale, &currency, day, sales_figures!(row));
        }
        Ok(contributions)
    }

    async fn apply_rollup_delta(&mut self, shop: &LockedShop, delta: &Contributions) -> Result<()> {
        if delta.0.is_empty() {
            return Ok(());
        }
        let rows = delta.0.iter();
        let rows: Vec<_> = rows
            .map(|(key, figures)| DeltaRow { key, figures })
            .collect();
        let tenant = self.tenant().uuid();
        sqlx::query_file!(
            "src/db/upsert/sql/apply_rollup_delta.sql",
            tenant,
            super::rows::json(&rows)?,
            shop.version,
            shop.currency.code()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn set_first_and_last_orders(
        &mut self,
        shop: &LockedShop,
        customers: &[i64],
    ) -> Result<()> {
        let tenant = self.tenant().uuid();
        sqlx::query_file!(
            "src/db/upsert/sql/set_first_and_last_orders.sql",
            tenant,
            customers,
            shop.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn customer_counts(&mut self, customers: &[i64]) -> Result<CustomerCounts> {
        if customers.is_empty() {
            return Ok(CustomerCounts::default());
        }
        let tenant = self.tenant().uuid();
        let days = sqlx::query_file_as!(
            CustomerOrderDay,
            "src/db/upsert/sql/read_customer_order_days.sql",
            tenant,
            customers
        )
        .fetch_all(self.connection())
        .await?;
        Ok(CustomerCounts::of(days))
    }

    async fn apply_customer_counts(
        &mut self,
        shop: &LockedShop,
        delta: &CustomerCounts,
    ) -> Result<()> {
        if delta.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        sqlx::query_file!(
            "src/db/upsert/sql/apply_customer_counts.sql",
            tenant,
            super::rows::json(&delta.rows())?,
            shop.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
