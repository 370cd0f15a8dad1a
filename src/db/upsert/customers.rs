//! Upserts customers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::rows::{CustomerRow, json};
use super::{LockedShop, Upserted};
use crate::db::{Result, TenantTx};
use crate::domain::dimension::Dimension;
use crate::domain::ids::CustomerId;
use crate::domain::record::{CustomerRecord, Record};

impl TenantTx {
    /// Upserts customers; of two records of a customer the newer counts.
    pub(super) async fn upsert_customers(
        &mut self,
        shop: &LockedShop,
        records: &[Record],
        fetched_at: DateTime<Utc>,
    ) -> Result<Upserted> {
        let mut customers: BTreeMap<CustomerId, &CustomerRecord> = BTreeMap::new();
        for record in records {
            if let Record::Customer(customer) = record {
                let newest = customers.entry(customer.id).or_insert(customer);
                if newest.updated_at < customer.updated_at {
                    *newest = customer;
                }
            }
        }
        if customers.is_empty() {
            return Ok(Upserted::default());
        }
        let ids: Vec<_> = customers.keys().map(|id| id.number()).collect();
        let rows: Result<Vec<_>> = customers.values().copied().map(CustomerRow::new).collect();
        let tenant = self.tenant().uuid();
        let stored = sqlx::query_scalar!(
            "select id from customers where tenant_id = $1 and id = any($2) and deleted_at is null",
            tenant,
            &ids
        )
        .fetch_all(self.connection())
        .await?;
        let written = sqlx::query_file_scalar!(
            "src/db/upsert/sql/upsert_customers.sql",
            tenant,
            json(&rows?)?,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        self.add_totals(shop, Dimension::Customer, &written).await?;
        let stored: BTreeSet<_> = stored.into_iter().collect();
        let added = written.iter().filter(|id| !stored.contains(id)).count();
        self.update_number_of_customers(added, 0).await?;
        Ok(Upserted {
            seen: ids.len(),
            changed: written.len(),
        })
    }

    async fn update_number_of_customers(&mut self, added: usize, deleted: usize) -> Result<()> {
        if added == 0 && deleted == 0 {
            return Ok(());
        }
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        sqlx::query!(
            "update shops set customers = customers + $2 - $3 where tenant_id = $1",
            self.tenant().uuid(),
            number(added),
            number(deleted)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Counts the customers, and corrects the stored number.
    pub async fn recount_customers(&mut self) -> Result<()> {
        let shop = self.lock_shop().await?;
        let corrected = sqlx::query!(
            "update shops set customers = counted from ( \
                select count(*) as counted from customers where tenant_id = $1 and deleted_at is null) c \
             where tenant_id = $1 and customers is distinct from counted",
            self.tenant().uuid()
        )
        .execute(self.connection())
        .await?;
        if corrected.rows_affected() > 0 {
            self.bump_data_version(&shop).await?;
        }
        Ok(())
    }

    /// Adds customers that only an order names.
    pub(super) async fn add_unknown_customers(
        &mut self,
        shop: &LockedShop,
        customers: &BTreeSet<CustomerId>,
        fetched_at: DateTime<Utc>,
    ) -> Result<()> {
        if customers.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = customers.iter().map(|id| id.number()).collect();
        let tenant = self.tenant().uuid();
        let added = sqlx::query_file_scalar!(
            "src/db/upsert/sql/add_unknown_customers.sql",
            tenant,
            &ids,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        self.add_totals(shop, Dimension::Customer, &added).await?;
        self.update_number_of_customers(added.len(), 0).await
    }

    /// Adds totals of zero where there are none.
    pub(super) async fn add_totals(
        &mut self,
        shop: &LockedShop,
        dimension: Dimension,
        ids: &[i64],
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query_file!(
            "src/db/upsert/sql/add_totals.sql",
            self.tenant().uuid(),
            dimension.code(),
            ids,
            shop.version
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes customers. Their sales stay in every figure.
    pub(super) async fn delete_customers(
        &mut self,
        ids: &[i64],
        fetched_at: DateTime<Utc>,
    ) -> Result<usize> {
        let tenant = self.tenant().uuid();
        let deleted = sqlx::query_scalar!(
            "update customers set deleted_at = $3 \
             where tenant_id = $1 and id = any($2) and deleted_at is null and synced_at <= $3 returning id",
            tenant,
            ids,
            fetched_at
        )
        .fetch_all(self.connection())
        .await?;
        self.update_number_of_customers(0, deleted.len()).await?;
        Ok(deleted.len())
    }
}
