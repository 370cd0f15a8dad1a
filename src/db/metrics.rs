//! The figures of a store, as metrics.md defines them, read from the rollups.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Result, TenantTx};

impl TenantTx {
    /// The calendar day that an instant falls on in a zone.
    pub async fn shop_today(&mut self, time_zone: &str, now: DateTime<Utc>) -> Result<NaiveDate> {
        Ok(sqlx::query_scalar!(
            "select ($1::timestamptz at time zone $2)::date as \"today!\"",
            now,
            time_zone
        )
        .fetch_one(self.connection())
        .await?)
    }
}
